//! Reading JSON bodies, and the encodings inside them.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::de::DeserializeOwned;

/// What is wrong with a body, in words for the caller. Never quotes the body: it may hold a secret.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadBody(pub String);

/// Parses a body. An empty one counts as `{}`.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, BadBody> {
    let body = if body.iter().all(u8::is_ascii_whitespace) { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| {
        let what = match error.classify() {
            serde_json::error::Category::Data => "a property is missing or has the wrong type",
            _ => "the body is not valid JSON",
        };
        BadBody(format!("{what} (line {}, column {})", error.line(), error.column()))
    })
}

/// base64url without padding; padding is tolerated on the way in (contract: key-vault §1, "Encodings").
pub(crate) fn from_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()
}

pub(crate) fn to_base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
