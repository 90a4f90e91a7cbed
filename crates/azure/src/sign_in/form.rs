//! Form bodies (`application/x-www-form-urlencoded`), and HTTP Basic credentials.
//!
//! Both hold client secrets, so nothing here has `Debug`.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use percent_encoding::percent_decode_str;

/// The parameters of a body.
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// `None` if it is not UTF-8 after decoding, or has a parameter twice, which RFC 6749 §3.2 forbids.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let body = std::str::from_utf8(body).ok()?;
        let mut pairs: Vec<(String, String)> = Vec::new();
        for pair in body.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decoded(name)?, decoded(value)?);
            if pairs.len() >= Self::MOST_PARAMETERS || pairs.iter().any(|(known, _)| *known == name) {
                return None;
            }
            pairs.push((name, value));
        }
        Some(Self(pairs))
    }

    /// More than any client sends; it bounds the search for doubles.
    const MOST_PARAMETERS: usize = 64;

    /// A parameter; one without a value counts as left out (RFC 6749 §3.2).
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(found, value)| found == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }
}

fn decoded(text: &str) -> Option<String> {
    percent_decode_str(&text.replace('+', " ")).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// Client id and secret of an `Authorization: Basic` value; both are form-encoded inside (RFC 6749 §2.3.1).
pub(super) fn basic(value: &str) -> Option<(String, String)> {
    let (scheme, rest) = value.trim().split_once(' ')?;
    let bytes = scheme.eq_ignore_ascii_case("Basic").then(|| STANDARD.decode(rest.trim()).ok())??;
    let text = String::from_utf8(bytes).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((decoded(id)?, decoded(secret)?))
}
