//! Sizes a reader can hold in mind.

use super::{Finding, functions::functions, source::Source};

const RULE: &str = "size";

const FILE_LINES: usize = 500;
/// Files that are all tests may be longer.
const TEST_FILE_LINES: usize = 900;
const FUNCTION_LINES: usize = 70;
/// A handler only translates.
const HANDLER_LINES: usize = 30;

pub fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let lines = source.text.lines().count();
    let limit = if source.is_test() { TEST_FILE_LINES } else { FILE_LINES };
    if lines > limit {
        let message = format!("{lines} lines, more than {limit}: split it by subject, or move its tests to `tests.rs`");
        findings.push(Finding::new(&source.path, lines, RULE, message));
    }
    let (limit, what) = if source.is_handlers() { (HANDLER_LINES, "handler") } else { (FUNCTION_LINES, "function") };
    for function in functions(&source.views.code).iter().filter(|function| function.lines > limit) {
        let message = format!("{what} `{}` has {} lines, more than {limit}: split it", function.name, function.lines);
        findings.push(Finding::new(&source.path, function.line, RULE, message));
    }
    findings
}
