//! The rules of the house, checked on the files themselves.
//!
//! Each rule is a function from what it reads to findings; a finding says where, which rule, and what to do.
//! What clippy can check is clippy's (`clippy.toml` and the lints of the workspace); this is the rest.

mod edges;
mod functions;
mod lexer;
mod manifests;
mod places;
mod share;
mod sizes;
mod source;
#[cfg(test)]
mod tests;
mod words;

use crate::{Outcome, project::Project};
use std::fmt;

/// A broken rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    path: String,
    line: usize,
    rule: &'static str,
    /// What is wrong and what to do.
    message: String,
}

impl Finding {
    fn new(path: &str, line: usize, rule: &'static str, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, rule, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: [{}] {}", self.path, self.line, self.rule, self.message)
    }
}

pub fn run(project: &Project) -> Outcome {
    let sources = source::read_all(&project.root)?;
    let share = share::Share::of(&sources);
    println!("    {share}");
    let mut findings = edges::check(&project.packages);
    findings.extend(manifests::check(&sources, &project.packages));
    findings.extend(share.check());
    for source in &sources {
        findings.extend(places::check(source, &project.root));
        findings.extend(words::check_markers(source));
        if source.is_rust() && !source.is_generated() {
            findings.extend(sizes::check(source));
            findings.extend(words::check_code(source));
            findings.extend(words::check_opening(source));
        }
    }
    findings.sort();
    if findings.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
    Err(format!("tidy: {} findings\n{}", findings.len(), lines.join("\n")))
}
