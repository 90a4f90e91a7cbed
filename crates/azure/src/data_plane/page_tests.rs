//! Pages and their tokens.

use super::*;
use crate::{Request, data_plane::testkit::request};

const KEYS: List<'_> = List::Objects(ObjectKind::Key, Presence::Live);
const DELETED_KEYS: List<'_> = List::Objects(ObjectKind::Key, Presence::Deleted);

fn page(query: &str, list: List<'_>) -> Option<(Option<String>, usize)> {
    let request: Request = request("GET", &format!("/keys?{query}"));
    read(&request, list).ok().map(|page| (page.after, page.limit))
}

fn link(host: &str, list: List<'_>, marker: &str) -> String {
    let version = ApiVersion::parse("7.4").unwrap();
    next_link(host, version, list, &PageRequest { after: None, limit: 2 }, marker).unwrap()
}

fn token(link: &str) -> String {
    let (_, rest) = link.split_once("$skiptoken=").unwrap();
    rest.split('&').next().unwrap().to_owned()
}

#[test]
fn a_page_has_1_to_25_entries() {
    assert_eq!(page("", KEYS), Some((None, 25)));
    assert_eq!(page("maxresults=1", KEYS), Some((None, 1)));
    assert_eq!(page("maxresults=25", KEYS), Some((None, 25)));
    for bad in ["0", "26", "-1", "x", "1.0", "99999999999999999999999", "%20"] {
        assert_eq!(page(&format!("maxresults={bad}"), KEYS), None, "{bad}");
    }
}

#[test]
fn the_link_names_the_port_and_leads_on() {
    let next = link("kv.vault.azure.net", KEYS, "K1");
    assert!(next.starts_with("https://kv.vault.azure.net:443/keys?api-version=7.4&$skiptoken="), "{next}");
    assert!(next.ends_with("&maxresults=2"), "{next}");
    assert!(link("kv.vault.localhost:8443", DELETED_KEYS, "K1").starts_with("https://kv.vault.localhost:8443/del"));
    assert_eq!(page(&format!("$skiptoken={}", token(&next)), KEYS), Some((Some("K1".to_owned()), 25)));
}

#[test]
fn a_foreign_token_is_refused() {
    let (name, other) = (ObjectName::parse("k").unwrap(), ObjectName::parse("other").unwrap());
    let versions = token(&link("h", List::Versions(ObjectKind::Key, &name), "12"));
    assert_eq!(marker(&versions, List::Versions(ObjectKind::Key, &name)).as_deref(), Some("12"));
    assert_eq!(marker(&versions, List::Versions(ObjectKind::Key, &other)), None);
    assert_eq!(marker(&versions, KEYS), None);
    assert_eq!(marker(&token(&link("h", KEYS, "K1")), DELETED_KEYS), None);
    let forged = |text: &str| json::to_base64url(text.as_bytes());
    for bad in [
        String::new(),
        "!".to_owned(),
        forged("{}"),
        forged(r#"{"NextMarker":"keys!","TargetLocation":0}"#),
        forged(r#"{"NextMarker":"keys!a b","TargetLocation":0}"#),
        forged(r#"{"NextMarker":"keys","TargetLocation":0}"#),
        forged("not json"),
    ] {
        assert_eq!(marker(&bad, KEYS), None, "{bad}");
    }
}
