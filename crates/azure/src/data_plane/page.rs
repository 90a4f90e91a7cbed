//! Lists in pages: `maxresults`, `$skiptoken`, `nextLink` (contract: key-vault §3.7, "Paging").

use super::{error::Problem, version::ApiVersion, wire::deleted_collection};
use crate::{Request, json};
use domain::{ObjectKind, ObjectName};
use engine::{PageRequest, Presence};
use serde::{Deserialize, Serialize};
use std::fmt;

const MAX_RESULTS: usize = 25;

/// Which list a page belongs to. A skip token names its list, so that one list's token is foreign to every other.
#[derive(Clone, Copy)]
pub(super) enum List<'a> {
    Objects(ObjectKind, Presence),
    Versions(ObjectKind, &'a ObjectName),
    Issuers,
}

/// The path of the list, below the host.
impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Objects(kind, Presence::Live) => f.write_str(kind.collection()),
            Self::Objects(kind, Presence::Deleted) => f.write_str(deleted_collection(*kind)),
            Self::Versions(kind, name) => write!(f, "{}/{name}/versions", kind.collection()),
            Self::Issuers => f.write_str("certificates/issuers"),
        }
    }
}

/// What a skip token hides.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SkipToken {
    next_marker: String,
    target_location: u32,
}

/// Reads where the page begins and how long it may be.
pub(super) fn read(request: &Request, list: List<'_>) -> Result<PageRequest, Problem> {
    let limit =
        match request.query("maxresults") {
            None | Some("") => MAX_RESULTS,
            Some(text) => text.parse().ok().filter(|limit| (1..=MAX_RESULTS).contains(limit)).ok_or_else(|| {
                Problem::BadParameter(format!("'maxresults' must be an integer from 1 to {MAX_RESULTS}"))
            })?,
        };
    let after =
        match request.query("$skiptoken") {
            None | Some("") => None,
            Some(token) => Some(marker(token, list).ok_or_else(|| {
                Problem::BadParameter("'$skiptoken' is not one that this list has given out".to_owned())
            })?),
        };
    Ok(PageRequest { after, limit })
}

/// The link to the next page. It always names the port (contract: key-vault §7.4).
pub(super) fn next_link(
    host: &str,
    version: ApiVersion,
    list: List<'_>,
    page: &PageRequest,
    marker: &str,
) -> Option<String> {
    let port = if names_port(host) { "" } else { ":443" };
    let token = SkipToken { next_marker: format!("{list}!{marker}"), target_location: 0 };
    let token = json::to_base64url(&serde_json::to_vec(&token).ok()?);
    let (version, limit) = (version.as_str(), page.limit);
    Some(format!("https://{host}{port}/{list}?api-version={version}&$skiptoken={token}&maxresults={limit}"))
}

/// Whether a host ends in a port. An IPv6 address has colons inside its brackets.
fn names_port(host: &str) -> bool {
    host.rsplit_once(':').is_some_and(|(_, port)| port.bytes().all(|digit| digit.is_ascii_digit()))
}

/// The engine's marker out of a skip token; `None` if the token is not this list's.
pub(super) fn marker(token: &str, list: List<'_>) -> Option<String> {
    let token: SkipToken = serde_json::from_slice(&json::from_base64url(token)?).ok()?;
    let (of, marker) = token.next_marker.split_once('!')?;
    let is_ours = match list {
        List::Objects(..) | List::Issuers => ObjectName::parse(marker).is_some(),
        List::Versions(..) => marker.parse::<u64>().is_ok(),
    };
    (is_ours && of.eq_ignore_ascii_case(&list.to_string())).then(|| marker.to_owned())
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
