//! Which crate may depend on which: the architecture, as one table.

use super::Finding;
use crate::project::Package;

const RULE: &str = "edge";

/// What each crate of the workspace may depend on, in tests too. A new edge is a change of architecture:
/// it belongs in ARCHITECTURE.md before it belongs here.
const EDGES: &[(&str, &[&str])] = &[
    ("strongroom-domain", &[]),
    ("strongroom-custody", &["strongroom-domain"]),
    ("strongroom-custody-pkcs11", &["strongroom-domain", "strongroom-custody"]),
    ("strongroom-store", &["strongroom-domain"]),
    ("strongroom-engine", &["strongroom-domain", "strongroom-custody", "strongroom-store"]),
    ("strongroom-identity", &["strongroom-domain", "strongroom-engine"]),
    ("strongroom-azure", &["strongroom-domain", "strongroom-engine", "strongroom-identity"]),
    ("strongroom-uko", &["strongroom-domain", "strongroom-engine", "strongroom-identity"]),
    (
        "strongroom",
        &[
            "strongroom-domain",
            "strongroom-custody",
            "strongroom-custody-pkcs11",
            "strongroom-store",
            "strongroom-engine",
            "strongroom-identity",
            "strongroom-azure",
            "strongroom-uko",
        ],
    ),
    (
        "strongroom-e2e",
        &[
            "strongroom-domain",
            "strongroom-custody",
            "strongroom-custody-pkcs11",
            "strongroom-store",
            "strongroom-engine",
            "strongroom-identity",
            "strongroom-azure",
            "strongroom-uko",
            "strongroom",
        ],
    ),
    ("xtask", &[]),
];

/// Outside crates that only some of ours may touch, with the reason.
const CONFINED: &[(&[&str], &[&str], &str)] = &[
    (
        &["tokio", "hyper", "hyper-util", "axum"],
        &[
            "strongroom-engine",
            "strongroom-identity",
            "strongroom-azure",
            "strongroom-uko",
            "strongroom",
            "strongroom-e2e",
        ],
        "rules, key material and storage are synchronous code that knows no network",
    ),
    (&["rusqlite"], &["strongroom-store", "strongroom-e2e"], "the database is the store's"),
    (
        &["aws-lc-rs"],
        &["strongroom-custody", "strongroom-engine", "strongroom", "strongroom-e2e"],
        "cryptography is custody's, the engine's (tokens, digests) and the server's (TLS)",
    ),
    (&["cryptoki"], &["strongroom-custody-pkcs11"], "foreign code is called in one crate only"),
];

pub fn check(packages: &[Package]) -> Vec<Finding> {
    packages.iter().flat_map(|package| internal(package, packages).into_iter().chain(confined(package))).collect()
}

fn internal(package: &Package, packages: &[Package]) -> Vec<Finding> {
    let Some((_, allowed)) = EDGES.iter().find(|(name, _)| *name == package.name) else {
        let message = format!("{} is not in the table of crates (xtask/src/tidy/edges.rs): add its row", package.name);
        return vec![Finding::new(&package.manifest, 1, RULE, message)];
    };
    let ours = package.dependencies.iter().filter(|name| packages.iter().any(|package| package.name == **name));
    // A crate that depends on itself does so to turn on a feature for its own tests.
    ours.filter(|name| **name != package.name && !allowed.contains(&name.as_str()))
        .map(|name| {
            let message = format!(
                "{} may not depend on {name}; it may depend on: {}. Move the code to where the edge exists",
                package.name,
                if allowed.is_empty() { "no other crate".to_owned() } else { allowed.join(", ") }
            );
            Finding::new(&package.manifest, 1, RULE, message)
        })
        .collect()
}

fn confined(package: &Package) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (names, owners, reason) in CONFINED {
        for name in package.dependencies.iter().filter(|name| names.contains(&name.as_str())) {
            if !owners.contains(&package.name.as_str()) {
                let message = format!("{} may not depend on {name}: {reason}", package.name);
                findings.push(Finding::new(&package.manifest, 1, RULE, message));
            }
        }
    }
    findings
}
