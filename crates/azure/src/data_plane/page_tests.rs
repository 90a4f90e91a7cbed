//! Pages and their tokens.

use super::*;
use crate::{Request, data_plane::testkit::request};

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
    assert_eq!(page("", List::Keys), Some((None, 25)));
    assert_eq!(page("maxresults=1", List::Keys), Some((None, 1)));
    assert_eq!(page("maxresults=25", List::Keys), Some((None, 25)));
    for bad in ["0", "26", "-1", "x", "1.0", "99999999999999999999999", "%20"] {
        assert_eq!(page(&format!("maxresults={bad}"), List::Keys), None, "{bad}");
    }
}

#[test]
fn the_link_names_the_port_and_leads_on() {
    let next = link("kv.vault.azure.net", List::Keys, "K1");
    assert!(next.starts_with("https://kv.vault.azure.net:443/keys?api-version=7.4&$skiptoken="), "{next}");
    assert!(next.ends_with("&maxresults=2"), "{next}");
    assert!(
        link("kv.vault.localhost:8443", List::DeletedKeys, "K1").starts_with("https://kv.vault.localhost:8443/del")
    );
    assert_eq!(page(&format!("$skiptoken={}", token(&next)), List::Keys), Some((Some("K1".to_owned()), 25)));
}

#[test]
fn a_foreign_token_is_refused() {
    let (name, other) = (ObjectName::parse("k").unwrap(), ObjectName::parse("other").unwrap());
    let versions = token(&link("h", List::Versions(&name), "12"));
    assert_eq!(marker(&versions, List::Versions(&name)).as_deref(), Some("12"));
    assert_eq!(marker(&versions, List::Versions(&other)), None);
    assert_eq!(marker(&versions, List::Keys), None);
    assert_eq!(marker(&token(&link("h", List::Keys, "K1")), List::DeletedKeys), None);
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
        assert_eq!(marker(&bad, List::Keys), None, "{bad}");
    }
}
