//! Where functions and test modules begin and end, found by counting braces in the code view.

use super::lexer::is_word;

#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    /// The line of `fn`, from 1.
    pub line: usize,
    /// From the line of `fn` to the line of the closing brace, both included.
    pub lines: usize,
}

/// Functions that have a body.
pub fn functions(code: &str) -> Vec<Function> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn") {
        let (before, after) = (code.get(..at).unwrap_or_default(), code.get(at + 2..).unwrap_or_default());
        let is_keyword = !before.ends_with(|char: char| is_word(char) || char == '#');
        let name = after.trim_start();
        let is_named =
            after.starts_with(char::is_whitespace) && name.starts_with(|char: char| is_word(char) || char == '$');
        if is_keyword
            && is_named
            && let Some(length) = item_length(after)
        {
            let body = after.get(..length).unwrap_or_default();
            found.push(Function {
                name: name.chars().take_while(|char| is_word(*char) || *char == '$').collect(),
                line: newlines(before) + 1,
                lines: newlines(body) + 1,
            });
        }
    }
    found
}

/// How many lines belong to inline modules and items compiled for tests only.
pub fn inline_test_lines(code: &str) -> usize {
    let mut lines = 0;
    let mut rest = code;
    while let Some(at) = ["#[cfg(test)]", "#[cfg(all(test,"].iter().filter_map(|mark| rest.find(mark)).min() {
        let item = rest.get(at..).unwrap_or_default();
        let after = item.find(")]").and_then(|end| item.get(end + 2..)).unwrap_or_default();
        let body = item_length(after).and_then(|length| after.get(..length)).unwrap_or_default();
        if !body.is_empty() {
            lines += newlines(body) + 1;
        }
        rest = after.get(body.len()..).unwrap_or_default();
    }
    lines
}

/// The length of an item up to and with the brace that closes its body. `None` if `;` ends it.
fn item_length(code: &str) -> Option<usize> {
    let (mut brackets, mut braces) = (0_i32, 0_i32);
    for (at, char) in code.char_indices() {
        match char {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets -= 1,
            '{' if brackets == 0 => braces += 1,
            '}' if brackets == 0 => braces -= 1,
            ';' if brackets == 0 && braces == 0 => return None,
            _ => {}
        }
        if char == '}' && brackets == 0 && braces == 0 {
            return Some(at + 1);
        }
    }
    None
}

fn newlines(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}
