//! What must not stand in the text: stubs, silenced tests and lints, notes to oneself, files without a first word.

use super::{Finding, lexer::is_word, source::Source};

const STUB: &str = "stub";
const SILENCED: &str = "silenced";
const OPENING: &str = "opening";

const STUB_MACROS: [&str; 3] = ["todo", "unimplemented", "dbg"];
const MARKERS: [&str; 3] = [concat!("FIX", "ME"), concat!("XX", "X"), concat!("TO", "DO")];

/// Notes to oneself, in comments of Rust and anywhere in other files written by hand.
pub fn check_markers(source: &Source) -> Vec<Finding> {
    if !source.is_written_by_hand() {
        return Vec::new();
    }
    let text = if source.is_rust() { &source.views.comments } else { &source.text };
    let mut findings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for marker in MARKERS.iter().filter(|marker| word(line, marker).is_some()) {
            findings.push(Finding::new(
                &source.path,
                index + 1,
                STUB,
                format!("{marker}: do it, or say in words what is so"),
            ));
        }
    }
    findings
}

pub fn check_code(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in source.views.code.lines().enumerate() {
        for name in STUB_MACROS {
            if word(line, name).is_some_and(|rest| rest.starts_with('!')) {
                findings.push(Finding::new(&source.path, index + 1, STUB, format!("`{name}!` must not be committed")));
            }
        }
    }
    for (line, attribute) in attributes(&source.views.code) {
        if let Some(message) = silences(attribute) {
            findings.push(Finding::new(&source.path, line, SILENCED, message));
        }
    }
    findings
}

/// A file begins with what it is, so that a stranger knows where things belong.
pub fn check_opening(source: &Source) -> Option<Finding> {
    let begins_well = source.text.lines().next().is_some_and(|line| line.starts_with("//!"));
    (!begins_well)
        .then(|| Finding::new(&source.path, 1, OPENING, "begin the file with a `//!` line that says what it is"))
}

/// What stands behind the first whole-word occurrence.
fn word<'a>(line: &'a str, wanted: &str) -> Option<&'a str> {
    line.match_indices(wanted).find_map(|(at, _)| {
        let (before, after) = (line.get(..at)?, line.get(at + wanted.len()..)?);
        (!before.ends_with(is_word) && !after.starts_with(is_word)).then_some(after)
    })
}

/// Line and contents of each attribute in a code view.
fn attributes(code: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices('#') {
        let rest = code.get(at + 1..).unwrap_or_default();
        let Some(rest) = rest.strip_prefix('!').unwrap_or(rest).strip_prefix('[') else { continue };
        let mut depth = 1;
        let end = rest.find(|char| {
            depth += i32::from(char == '[') - i32::from(char == ']');
            depth == 0
        });
        let line = code.get(..at).unwrap_or_default().matches('\n').count() + 1;
        found.push((line, rest.get(..end.unwrap_or(rest.len())).unwrap_or_default()));
    }
    found
}

fn silences(attribute: &str) -> Option<&'static str> {
    let calls = |name| word(attribute, name).is_some_and(|rest| rest.trim_start().starts_with('('));
    if attribute.trim_start().starts_with("ignore") {
        Some("an ignored test proves nothing: mend it or remove it")
    } else if calls("allow") {
        Some("use `#[expect(…, reason = \"…\")]`: it speaks, and it fails when it is no longer needed")
    } else if calls("expect") && word(attribute, "reason").is_none() {
        Some("give `#[expect(…)]` a `reason = \"…\"`")
    } else {
        None
    }
}
