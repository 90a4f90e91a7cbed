//! The 401, for each reason and kind.

use super::*;
use crate::data_plane::testkit::{NOW, request};
use domain::Guid;

const CLAIMS: &str = r#"{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}"#;

fn challenged(kind: ContainerKind, method: &str, why: &Unauthenticated) -> (String, String) {
    let addresses = Addresses::new("localhost".to_owned(), Some(8443), Guid::from_u128(1));
    let answer = response(&addresses, kind, &request(method, "/nowhere"), why, NOW);
    assert_eq!(answer.status(), 401);
    let header = answer.headers()[header::WWW_AUTHENTICATE].to_str().unwrap().to_owned();
    (header, String::from_utf8(answer.body().to_vec()).unwrap())
}

#[test]
fn the_challenge_names_authority_and_resource() {
    let (header, body) = challenged(ContainerKind::Vault, "GET", &Unauthenticated::Missing);
    assert_eq!(
        header,
        "Bearer authorization=\"https://localhost:8443/00000000-0000-0000-0000-000000000001\", \
         resource=\"https://vault.localhost:8443\""
    );
    let missing = "AKV10000: Request is missing a Bearer or PoP token.";
    assert_eq!(body, format!(r#"{{"error":{{"code":"Unauthorized","message":"{missing}"}}}}"#));
}

#[test]
fn a_managed_hsm_says_next_to_nothing() {
    assert_eq!(challenged(ContainerKind::ManagedHsm, "GET", &Unauthenticated::Missing).1, "OK");
    assert_eq!(challenged(ContainerKind::ManagedHsm, "POST", &Unauthenticated::Missing).1, "");
}

#[test]
fn a_token_that_outlived_its_server_is_asked_for_anew() {
    let claims = format!("error=\"insufficient_claims\", claims=\"{}\"", STANDARD.encode(CLAIMS));
    let (expected, found) = ("https://here, https://there".to_owned(), "https://elsewhere".to_owned());
    let issuer = TokenError::Issuer { expected, found };
    for why in [TokenError::UnknownKey, TokenError::MissingKey, TokenError::Expired, issuer] {
        let (header, _) = challenged(ContainerKind::Vault, "GET", &Unauthenticated::Rejected(why));
        assert!(header.ends_with(&claims), "{header}");
    }
    let audience = TokenError::Audience { found: "https://elsewhere".to_owned() };
    // Another token of the same issuer would be no better.
    let (algorithm, keys, tenant) = (TokenError::Algorithm, TokenError::NoKeys, TokenError::Tenant);
    for why in [TokenError::Malformed, TokenError::NotYetValid, audience, algorithm, keys, tenant] {
        let (header, _) = challenged(ContainerKind::Vault, "GET", &Unauthenticated::Rejected(why));
        assert!(!header.contains("claims"), "{header}");
    }
}

#[test]
fn a_rejection_says_why() {
    let why = Unauthenticated::Rejected(TokenError::Audience { found: "https://elsewhere".to_owned() });
    let (_, body) = challenged(ContainerKind::Vault, "GET", &why);
    assert!(
        body.contains("AKV10022: Invalid audience. Expected https://vault.localhost:8443, found: https://elsewhere."),
        "{body}"
    );
    let (expected, found) = ("https://here, https://there".to_owned(), "https://elsewhere".to_owned());
    let why = Unauthenticated::Rejected(TokenError::Issuer { expected, found });
    let (_, body) = challenged(ContainerKind::Vault, "GET", &why);
    let text = "AKV10032: Invalid issuer. Expected one of https://here, https://there, found https://elsewhere.";
    assert!(body.contains(text), "{body}");
    let (_, body) = challenged(ContainerKind::ManagedHsm, "GET", &Unauthenticated::Rejected(TokenError::NotYetValid));
    assert!(body.contains("Token not yet valid (Activity ID: 00000000-0000-0000-0000-00000000aaaa)"), "{body}");
}

#[test]
fn what_a_token_claims_cannot_leave_the_body() {
    let found = "x\"}\r\nSet-Cookie: a=b".to_owned();
    let why = Unauthenticated::Rejected(TokenError::Audience { found: found.clone() });
    let (header, body) = challenged(ContainerKind::Vault, "GET", &why);
    assert!(!header.contains("Set-Cookie"));
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert!(body["error"]["message"].as_str().unwrap().contains(&found));
}
