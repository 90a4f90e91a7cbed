//! Lists in pages: `$top`, `$skiptoken`, `nextLink`.

use super::{Ask, error::Problem};
use domain::{ContainerKind, ContainerName};
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

/// The page that a request asks for of a list of containers, of one kind or of any.
pub(crate) fn page_of(
    top: Option<&str>,
    skip_token: Option<&str>,
    kind: Option<ContainerKind>,
) -> Result<PageRequest, Problem> {
    let limit = limit_of(top)?;
    let after = skip_token.filter(|token| !token.is_empty());
    if after.is_some_and(|marker| !is_ours(marker, kind)) {
        let message = "The value of the query parameter '$skiptoken' is not one that this list has given out.";
        return Err(Problem::bad_request(message));
    }
    Ok(PageRequest { after: after.map(str::to_owned), limit })
}

/// The length of the page that a request asks for.
pub(crate) fn limit_of(top: Option<&str>) -> Result<usize, Problem> {
    match top {
        None => Ok(DEFAULT),
        Some(text) => Ok(text.parse::<usize>().ok().filter(|top| *top > 0).ok_or_else(|| bad_top(text))?.min(LIMIT)),
    }
}

/// Whether a marker is one of the engine's: kind and folded name of the last container of a page.
fn is_ours(marker: &str, list: Option<ContainerKind>) -> bool {
    marker.split_once(':').is_some_and(|(kind, name)| {
        let kind = ContainerKind::parse(kind).filter(|kind| list.is_none_or(|list| list == *kind));
        kind.is_some() && ContainerName::parse(name).is_some_and(|parsed| parsed.folded() == name)
    })
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
    let path: Vec<String> = ask.request.segments().into_iter().map(encode).collect();
    let mut link = format!("https://{}/{}?api-version={}", ask.request.host, path.join("/"), ask.version.as_str());
    for name in ["$top", "$filter"] {
        if let Some(value) = ask.request.query(name) {
            link = format!("{link}&{name}={}", encode(value));
        }
    }
    format!("{link}&$skiptoken={}", encode(marker))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_begins_after_a_marker_that_was_given_out() {
        let (vaults, hsms) = (Some(ContainerKind::Vault), Some(ContainerKind::ManagedHsm));
        let begin = |token, kind| page_of(None, Some(token), kind).map(|page| page.after).map_err(|bad| bad.status);
        for (marker, kind) in [("vault:KV-1", None), ("vault:KV-1", vaults), ("managedHsm:HSM1", hsms)] {
            assert_eq!(begin(marker, kind), Ok(Some(marker.to_owned())), "{marker}");
        }
        assert_eq!(begin("", vaults), Ok(None));
        for (foreign, kind) in [
            ("KV-1", None),
            ("vault", None),
            ("vault:", None),
            (":KV-1", None),
            ("vaults:KV-1", None),
            ("Vault:KV-1", None),
            ("vault:kv-1", None),
            ("vault:KV_1", None),
            ("vault:KV-1:", None),
            ("vault:KV-1", hsms),
            ("managedHsm:HSM1", vaults),
        ] {
            assert_eq!(begin(foreign, kind), Err(StatusCode::BAD_REQUEST), "{foreign}");
        }
    }
}
