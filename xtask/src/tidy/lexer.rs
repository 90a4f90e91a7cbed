//! Just enough of Rust's lexical structure to tell code from comments and literals.

/// A source file in two views of the same shape: what is not in a view is blank there, so lines agree.
#[derive(Default)]
pub struct Views {
    /// Code, with the contents of string and character literals blanked.
    pub code: String,
    /// The text of comments, documentation included.
    pub comments: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Code,
    Comment,
    Literal,
}

pub fn split(text: &str) -> Views {
    let chars: Vec<char> = text.chars().collect();
    let mut views = Views::default();
    let mut at = 0;
    while let Some(rest) = chars.get(at..).filter(|rest| !rest.is_empty()) {
        let (kind, length) = piece(rest);
        let piece = rest.get(..length).unwrap_or(rest);
        for &char in piece {
            let blank = if char == '\n' { '\n' } else { ' ' };
            views.code.push(if kind == Kind::Code { char } else { blank });
            views.comments.push(if kind == Kind::Comment { char } else { blank });
        }
        at += piece.len();
    }
    views
}

/// The kind and length of what `rest` begins with. Called at the beginning of tokens only.
fn piece(rest: &[char]) -> (Kind, usize) {
    match rest {
        ['/', '/', ..] => (Kind::Comment, position(rest, |tail| tail.starts_with(&['\n'])).unwrap_or(rest.len())),
        ['/', '*', ..] => (Kind::Comment, block_comment(rest)),
        ['"', ..] => (Kind::Literal, quoted(rest, '"')),
        ['\'', '\\', ..] => (Kind::Literal, quoted(rest, '\'')),
        ['\'', _, '\'', ..] => (Kind::Literal, 3),
        [first, ..] if is_word(*first) => match raw_string(rest) {
            Some(length) => (Kind::Literal, length),
            None => (Kind::Code, rest.iter().take_while(|char| is_word(**char)).count()),
        },
        _ => (Kind::Code, 1),
    }
}

pub fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

fn position(rest: &[char], found: impl Fn(&[char]) -> bool) -> Option<usize> {
    (0..rest.len()).find(|&at| rest.get(at..).is_some_and(&found))
}

/// Block comments nest.
fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while let Some(tail) = rest.get(at..).filter(|tail| !tail.is_empty()) {
        if tail.starts_with(&['/', '*']) {
            (depth, at) = (depth + 1, at + 2);
        } else if tail.starts_with(&['*', '/']) {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// A literal with escapes, from its opening quote.
fn quoted(rest: &[char], quote: char) -> usize {
    let mut escaped = false;
    for (at, &char) in rest.iter().enumerate().skip(1) {
        if escaped {
            escaped = false;
        } else if char == '\\' {
            escaped = true;
        } else if char == quote {
            return at + 1;
        }
    }
    rest.len()
}

/// `r"…"`, `r#"…"#`, `br"…"`, `cr"…"`. `None` if a word begins here that is no raw string, `r#fn` included.
fn raw_string(rest: &[char]) -> Option<usize> {
    let prefix = match rest {
        ['r', ..] => 1,
        ['b' | 'c', 'r', ..] => 2,
        _ => return None,
    };
    let hashes = rest.get(prefix..)?.iter().take_while(|char| **char == '#').count();
    let opening = prefix + hashes;
    if rest.get(opening) != Some(&'"') {
        return None;
    }
    let mut closing = vec!['"'];
    closing.resize(hashes + 1, '#');
    let body = rest.get(opening + 1..)?;
    let end = position(body, |tail| tail.starts_with(&closing)).map_or(body.len(), |at| at + closing.len());
    Some(opening + 1 + end)
}
