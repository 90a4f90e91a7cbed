//! Entries for random input: none of these may panic.

use super::{form, graph::filter::Filter, graph::fuzz as graph, token};

/// A form body, as the token endpoint gets it.
pub fn form(bytes: &[u8]) {
    if let Some(form) = form::Form::read(bytes) {
        let _ = form.value("scope");
    }
}

/// The value of an `Authorization: Basic` header.
pub fn basic(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = form::basic(text);
    }
}

/// The `claims` parameter of a token request.
pub fn claims(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = token::capabilities(text);
    }
}

/// The directory's `$filter`.
pub fn filter(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Filter::read(text);
    }
}

/// A path under the directory's version, as the wire writes it.
pub fn directory_path(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let path: Vec<&str> = text.split('/').filter(|segment| !segment.is_empty()).collect();
        graph::route(&path);
    }
}

/// A body of a change of the directory, of whatever kind.
pub fn directory_body(bytes: &[u8]) {
    graph::bodies(bytes);
}
