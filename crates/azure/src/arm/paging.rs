//! Lists in pages: `$top`, `$skiptoken`, `nextLink`.

use super::{Ask, error::Problem};
use engine::PageRequest;
use http::StatusCode;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

/// A list as every provider writes it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct List<T> {
    pub value: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_link: Option<String>,
}

impl<T> List<T> {
    /// A list that is never cut.
    pub(crate) fn whole(value: Vec<T>) -> Self {
        Self { value, next_link: None }
    }
}

/// The longest page, and the page of a request that names no length.
const LIMIT: usize = 1000;
const DEFAULT: usize = 100;

/// The page a request asks for.
pub(crate) fn page_of(top: Option<&str>, skip_token: Option<&str>) -> Result<PageRequest, Problem> {
    let limit = match top {
        None => DEFAULT,
        Some(text) => text.parse::<usize>().ok().filter(|top| *top > 0).ok_or_else(|| bad_top(text))?.min(LIMIT),
    };
    Ok(PageRequest { after: skip_token.filter(|token| !token.is_empty()).map(str::to_owned), limit })
}

fn bad_top(text: &str) -> Problem {
    let message =
        format!("The value '{text}' of the query parameter '$top' is invalid. It must be a positive integer.");
    Problem::new(StatusCode::BAD_REQUEST, "InvalidTopParameter", message)
}

/// Everything but the characters that RFC 3986 §2.3 calls unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The same request for what follows a marker.
pub(crate) fn next_link(ask: &Ask, marker: &str) -> String {
    let encode = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
    let path: Vec<String> = ask.request.path.iter().map(|segment| encode(segment)).collect();
    let mut link = format!("https://{}/{}?api-version={}", ask.request.host, path.join("/"), ask.version.as_str());
    for name in ["$top", "$filter"] {
        if let Some(value) = ask.request.query(name) {
            link = format!("{link}&{name}={}", encode(value));
        }
    }
    format!("{link}&$skiptoken={}", encode(marker))
}
