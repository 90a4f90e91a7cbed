//! Manifests: every outside dependency is named once, with the reason it is here.

use super::{Finding, source::Source};
use crate::project::Package;

const RULE: &str = "manifest";

pub fn check(sources: &[Source], packages: &[Package]) -> Vec<Finding> {
    let of = |path: &str| sources.iter().find(|source| source.path == path);
    let mut findings: Vec<Finding> = of("Cargo.toml").into_iter().flat_map(workspace).collect();
    findings.extend(packages.iter().filter_map(|package| of(&package.manifest)).flat_map(member));
    findings
}

/// Entries of tables whose name satisfies `wanted`: line number, key, rest of the line.
fn entries(text: &str, wanted: impl Fn(&str) -> bool) -> Vec<(usize, &str, &str)> {
    let mut inside = false;
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(table) = line.strip_prefix('[') {
            inside = wanted(table.split(']').next().unwrap_or_default());
        } else if inside
            && !line.starts_with('#')
            && let Some((key, value)) = line.split_once('=')
        {
            found.push((index + 1, key.trim(), value.trim()));
        }
    }
    found
}

/// The comment behind a value; `#` inside quotes is not one.
fn comment(value: &str) -> Option<&str> {
    let mut quoted = false;
    let at = value.char_indices().find(|(_, char)| {
        quoted ^= *char == '"';
        !quoted && *char == '#'
    })?;
    value.get(at.0 + 1..).map(str::trim)
}

fn workspace(source: &Source) -> Vec<Finding> {
    entries(&source.text, |table| table == "workspace.dependencies")
        .into_iter()
        .filter(|(_, _, value)| !value.contains("path ="))
        .filter(|(_, _, value)| comment(value).is_none_or(str::is_empty))
        .map(|(line, key, _)| {
            Finding::new(&source.path, line, RULE, format!("say why {key} is here in a comment on its line"))
        })
        .collect()
}

fn member(source: &Source) -> Vec<Finding> {
    let mut findings: Vec<Finding> = entries(&source.text, |table| table.ends_with("dependencies"))
        .into_iter()
        .filter(|(_, key, value)| {
            let dotted = key.ends_with(".workspace") && value.starts_with("true");
            !dotted && !value.contains("workspace = true")
        })
        .map(|(line, key, _)| {
            let message = format!("take {key} from [workspace.dependencies]: `{key}.workspace = true`");
            Finding::new(&source.path, line, RULE, message)
        })
        .collect();
    for (index, line) in source.text.lines().enumerate() {
        if line.starts_with('[') && line.contains("dependencies.") {
            let message = "write each dependency on one line, with `workspace = true`";
            findings.push(Finding::new(&source.path, index + 1, RULE, message));
        }
    }
    if !entries(&source.text, |table| table == "lints").iter().any(|(_, key, _)| *key == "workspace") {
        findings.push(Finding::new(&source.path, 1, RULE, "add `[lints]` with `workspace = true`"));
    }
    findings
}
