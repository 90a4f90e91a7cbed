//! `$filter` of lists: conditions joined by `and`.
//!
//! What clients send: `resourceType eq 'Microsoft.KeyVault/vaults' and name eq 'X'`, `atScope() and assignedTo('id')`,
//! `principalId eq 'id'`, `roleName eq 'Reader'`, `tagName eq 'a' and tagValue eq 'b'`, `properties/usageEnd ge 'date'`
//! (contract: key-vault §4, az-client §2). Nothing else is understood, and what is not understood is refused.

use super::error::Problem;
use http::StatusCode;

/// One condition of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// `field eq 'value'`; the field in lower case.
    Equals { field: String, value: String },
    /// `field ge 'value'`, and its like; the field in lower case.
    Bounds { field: String, bound: Bound, value: String },
    /// `atScope()`, `assignedTo('id')`; the name in lower case.
    Call { name: String, argument: String },
}

/// On which side of a value something has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    AtLeast,
    MoreThan,
    AtMost,
    LessThan,
}

const BOUNDS: [(&str, Bound); 4] =
    [("ge", Bound::AtLeast), ("gt", Bound::MoreThan), ("le", Bound::AtMost), ("lt", Bound::LessThan)];

/// The conditions of a filter; none for an empty one. `None` if it is no such list.
pub(crate) fn parse(text: &str) -> Option<Vec<Condition>> {
    let mut rest = text.trim();
    let mut conditions = Vec::new();
    if rest.is_empty() {
        return Some(conditions);
    }
    loop {
        let (condition, after) = condition(rest)?;
        conditions.push(condition);
        let after = after.trim_start();
        if after.is_empty() {
            return Some(conditions);
        }
        rest = keyword(after, "and")?;
    }
}

/// The filter of a request, or why it is none.
pub(crate) fn of(text: Option<&str>) -> Result<Vec<Condition>, Problem> {
    let text = text.unwrap_or_default();
    parse(text).ok_or_else(|| bad(text))
}

pub(crate) fn bad(text: &str) -> Problem {
    let message = format!("Invalid $filter '{text}' specified in the query string.");
    Problem::new(StatusCode::BAD_REQUEST, "InvalidFilterInQueryString", message)
}

fn condition(text: &str) -> Option<(Condition, &str)> {
    let text = text.trim_start();
    let end = text.find(|char: char| !char.is_ascii_alphanumeric() && !"./".contains(char)).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end).filter(|(name, _)| !name.is_empty())?;
    let name = name.to_ascii_lowercase();
    let rest = rest.trim_start();
    if let Some(inside) = rest.strip_prefix('(') {
        let inside = inside.trim_start();
        let (argument, after) = match inside.strip_prefix(')') {
            Some(after) => return Some((Condition::Call { name, argument: String::new() }, after)),
            None => literal(inside)?,
        };
        return Some((Condition::Call { name, argument }, after.trim_start().strip_prefix(')')?));
    }
    for (word, bound) in BOUNDS {
        if let Some(rest) = keyword(rest, word) {
            let (value, after) = literal(rest)?;
            return Some((Condition::Bounds { field: name, bound, value }, after));
        }
    }
    let (value, after) = literal(keyword(rest, "eq")?)?;
    Some((Condition::Equals { field: name, value }, after))
}

/// What follows a word and at least one blank.
fn keyword<'text>(text: &'text str, word: &str) -> Option<&'text str> {
    let (head, rest) = text.split_at_checked(word.len())?;
    (head.eq_ignore_ascii_case(word) && rest.starts_with(char::is_whitespace)).then(|| rest.trim_start())
}

/// A string in single quotes, in which two quotes stand for one; or, as some clients write ids, a bare word.
fn literal(text: &str) -> Option<(String, &str)> {
    let Some(mut rest) = text.strip_prefix('\'') else {
        let end = text.find(|char: char| !char.is_ascii_alphanumeric() && !"-_.".contains(char)).unwrap_or(text.len());
        let (word, rest) = text.split_at_checked(end)?;
        return (!word.is_empty()).then(|| (word.to_owned(), rest));
    };
    let mut value = String::new();
    loop {
        let (before, after) = rest.split_once('\'')?;
        value.push_str(before);
        match after.strip_prefix('\'') {
            Some(more) => {
                value.push('\'');
                rest = more;
            }
            None => return Some((value, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn equals(field: &str, value: &str) -> Condition {
        Condition::Equals { field: field.to_owned(), value: value.to_owned() }
    }

    fn call(name: &str, argument: &str) -> Condition {
        Condition::Call { name: name.to_owned(), argument: argument.to_owned() }
    }

    #[test]
    fn filters_of_clients_are_read() {
        assert_eq!(
            parse("resourceType eq 'Microsoft.KeyVault/vaults' and name eq 'it''s'"),
            Some(vec![equals("resourcetype", "Microsoft.KeyVault/vaults"), equals("name", "it's")])
        );
        assert_eq!(parse("atScope() and assignedTo('x')"), Some(vec![call("atscope", ""), call("assignedto", "x")]));
        assert_eq!(parse("principalId eq 1-2"), Some(vec![equals("principalid", "1-2")]));
        assert_eq!(parse("  "), Some(vec![]));
        let bound = |bound, value: &str| Condition::Bounds {
            field: "properties/usageend".to_owned(),
            bound,
            value: value.to_owned(),
        };
        assert_eq!(
            parse("properties/usageEnd ge '2026-11-01T00:00:00Z' and properties/usageEnd LE '2026-11-30'"),
            Some(vec![bound(Bound::AtLeast, "2026-11-01T00:00:00Z"), bound(Bound::AtMost, "2026-11-30")])
        );
        assert_eq!(parse("properties/usageEnd lt 'x'"), Some(vec![bound(Bound::LessThan, "x")]));
        assert_eq!(parse("properties/usageEnd gt 'x'"), Some(vec![bound(Bound::MoreThan, "x")]));
    }

    #[test]
    fn anything_else_is_no_filter() {
        for text in
            ["name eq", "name eq 'x", "name ne 'x'", "name eq 'x' or a eq 'b'", "and", "a eq 'b' and", "f(", "é"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
