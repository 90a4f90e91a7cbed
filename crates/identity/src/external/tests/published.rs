//! Discovery documents and JWK sets: what is refused as a whole, and which keys are left out.

use super::{ISSUER, fixture, key_set};
use crate::external::published::{discovery_url, jwks_uri, keys};

#[test]
fn an_issuer_describes_itself_below_its_own_address() {
    let at = "https://login.example.com/realms/keys/.well-known/openid-configuration";
    assert_eq!(discovery_url(ISSUER), at);
    assert_eq!(discovery_url("https://login.example.com/realms/keys/"), at);
}

#[test]
fn a_description_has_to_be_the_issuers_own() {
    let found = |issuer: &str, uri: &str| {
        jwks_uri(format!(r#"{{"jwks_uri":"{uri}","issuer":"{issuer}","x":[]}}"#).as_bytes(), ISSUER)
    };
    assert_eq!(found(ISSUER, "https://elsewhere.example/k").as_deref(), Ok("https://elsewhere.example/k"));
    for other in ["https://login.example.com/realms/keys/", "https://LOGIN.example.com/realms/keys", "", "https://x"] {
        assert!(found(other, "https://elsewhere.example/k").is_err_and(|why| why.contains("not of")), "{other}");
    }
    for insecure in ["http://login.example.com/k", "/k", "", "file:///k"] {
        assert!(found(ISSUER, insecure).is_err_and(|why| why.contains("https")), "{insecure}");
    }
    for none in ["", "[]", "null", "{}", r#"{"issuer":1}"#, "<html>"] {
        assert!(jwks_uri(none.as_bytes(), ISSUER).is_err(), "{none}");
    }
    let twice = format!(r#"{{"issuer":"{ISSUER}","issuer":"{ISSUER}","jwks_uri":"https://x"}}"#);
    assert!(jwks_uri(twice.as_bytes(), ISSUER).is_err());
}

#[test]
fn a_set_that_is_none_is_refused_as_a_whole() {
    let crowd = format!(r#"{{"keys":[{}]}}"#, vec!["{}"; 101].join(","));
    let twice = format!(r#"{{"keys":[{}]}}"#, fixture("key a").replacen("{", r#"{"kty":"EC","#, 1));
    let cut = &key_set(&["a"])[..100];
    for set in ["", "{}", "[]", r#"{"keys":{}}"#, r#"{"keys":[1]}"#, r#"{"keys":[null]}"#, cut, &crowd, &twice] {
        assert!(keys(set.as_bytes()).is_err(), "{set}");
    }
    assert!(keys(br#"{"keys":[],"more":true}"#).is_ok_and(|keys| keys.usable.is_empty() && keys.unusable.is_empty()));
}

/// A key with a member replaced or added.
fn changed(key: &str, name: &str, value: &str) -> String {
    let mut key: serde_json::Value = serde_json::from_str(fixture(&format!("key {key}"))).unwrap();
    key[name] = serde_json::from_str(value).unwrap();
    key.to_string()
}

#[test]
fn a_key_that_must_not_be_used_is_left_out_and_the_others_stay() {
    let cases = [
        (changed("a", "d", r#""AQ""#), "its secret part"),
        (changed("a", "p", r#""AQ""#), "its secret part"),
        (changed("a", "oth", "[]"), "its secret part"),
        (changed("e", "d", r#""AQ""#), "its secret part"),
        (changed("e", "k", "5"), "its secret part"),
        (r#"{"kty":"oct","kid":"h","k":"AAECAw","alg":"HS256"}"#.to_owned(), "its secret part"),
        (r#"{"kty":"oct","kid":"h"}"#.to_owned(), "neither RSA nor EC"),
        (r#"{"kty":"OKP","crv":"Ed25519","x":"AQ"}"#.to_owned(), "neither RSA nor EC"),
        ("{}".to_owned(), "neither RSA nor EC"),
        (changed("a", "kty", "1"), "kty is no text"),
        (changed("a", "kid", "1"), "kid is no text"),
        (changed("a", "use", r#""enc""#), "not for signatures"),
        (changed("a", "use", "[]"), "use is no text"),
        (changed("a", "key_ops", r#"["encrypt"]"#), "not for verifying"),
        (changed("a", "key_ops", r#""verify""#), "not for verifying"),
        (changed("a", "alg", r#""HS256""#), "signs no tokens"),
        (changed("a", "alg", r#""none""#), "signs no tokens"),
        (changed("a", "alg", r#""RSA-OAEP""#), "signs no tokens"),
        (changed("a", "alg", r#""ES256""#), "not one of its family"),
        (changed("e", "alg", r#""RS256""#), "not one of its family"),
        (changed("e", "alg", r#""ES384""#), "not one of its family"),
        (changed("e", "crv", r#""P-256K""#), "curve"),
        (changed("e", "crv", r#""P-384""#), "no public key"),
        (changed("e", "y", r#""AQ""#), "no public key"),
        (changed("e", "y", "null"), "missing"),
        (changed("e", "x", r#""AQ==""#), "base64url"),
        (changed("a", "n", r#""+/""#), "base64url"),
        (changed("a", "n", "7"), "no text"),
        (changed("a", "n", r#""""#), "too small"),
        (changed("a", "e", r#""AQ""#), "no public key"),
        (changed("a", "e", r#""Ag""#), "no public key"),
        (fixture("key small").to_owned(), "too small"),
    ];
    for (key, expected) in cases {
        let set = format!(r#"{{"keys":[{key},{}]}}"#, fixture("key b"));
        let found = keys(set.as_bytes()).unwrap_or_else(|why| panic!("{key}: {why}"));
        assert_eq!(found.usable.len(), 1, "{key}");
        assert_eq!(found.usable[0].id.as_deref(), Some("b"));
        assert!(found.unusable.len() == 1 && found.unusable[0].contains(expected), "{key}: {:?}", found.unusable);
    }
}

#[test]
fn a_key_may_say_more_or_less_of_itself() {
    for key in [
        changed("a", "key_ops", r#"["verify"]"#),
        changed("a", "x5c", r#"["MII"]"#),
        changed("f", "issuer", r#""https://x""#),
        fixture("key f").to_owned(),
        fixture("key a").replace(r#","alg":"RS256""#, "").replace(r#","use":"sig""#, "").replace(r#","kid":"a""#, ""),
    ] {
        let found = keys(format!(r#"{{"keys":[{key}]}}"#).as_bytes()).unwrap();
        assert_eq!((found.usable.len(), found.unusable.len()), (1, 0), "{key}: {:?}", found.unusable);
    }
}
