//! Entries for random input: none of these may panic.

use super::{form, graph::filter::Filter, token};

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
