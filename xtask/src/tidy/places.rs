//! Nothing in the repository depends on one machine: no path of a home or of a checkout, no registry's host.

use super::{Finding, source::Source};
use std::path::Path;

const RULE: &str = "place";

const FOLDERS: [&str; 4] =
    [concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/wo", "rk/"), concat!("/Us", "ers/")];

const HOSTS: [&str; 6] = [
    concat!("index.crates", ".io"),
    concat!("static.crates", ".io"),
    concat!("pypi", ".org"),
    concat!("pythonhosted", ".org"),
    concat!("registry.npmjs", ".org"),
    concat!("registry.yarnpkg", ".com"),
];

/// Cargo writes its index into its lock file; that is not ours to change.
const EXEMPT: &str = "Cargo.lock";

pub fn check(source: &Source, root: &Path) -> Vec<Finding> {
    if source.path == EXEMPT || source.path.ends_with(concat!("/", "Cargo.lock")) {
        return Vec::new();
    }
    let checkout = root.to_string_lossy();
    let is_telling = root.components().count() > 2;
    let mut findings = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        let folder = FOLDERS.iter().find(|folder| names_folder(line, folder));
        if folder.is_some() || is_telling && line.contains(&*checkout) {
            let message = "a path of one machine: write it relative to the project's root, or make it a setting";
            findings.push(Finding::new(&source.path, index + 1, RULE, message));
        }
        if let Some(host) = HOSTS.iter().find(|host| line.contains(*host)) {
            let message =
                format!("names the registry host {host}: leave the choice of registry to the machine's settings");
            findings.push(Finding::new(&source.path, index + 1, RULE, message));
        }
    }
    findings
}

/// Whether an absolute path begins with `folder`, as opposed to a URL or longer path that contains it.
fn names_folder(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        before.is_none_or(|char| !char.is_alphanumeric() && !"-_.~}>/*".contains(char))
    })
}
