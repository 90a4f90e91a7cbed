//! The pure parts, with a stand-in for the key. Whole flows are tested with real clients, in the e2e crate.

use crate::{Dialect, TokenError, documents, jwt, openid_configuration, tokens::Tokens, tokens::Verified};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{Curve, Guid, PublicKey, UnixTime};
use std::sync::Arc;

const NOW: UnixTime = UnixTime(1_700_000_000);
const TENANT: Guid = Guid::from_u128(1);
const PRINCIPAL: Guid = Guid::from_u128(2);
const ISSUER: &str = "https://sts.windows.net/00000000-0000-0000-0000-000000000001/";
const VAULT: &str = "https://vault.localhost:8443";

/// Stands for ES256: 64 bytes that depend on every byte of the message.
fn seal(message: &[u8]) -> Vec<u8> {
    let digest = message
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3));
    digest.to_be_bytes().repeat(8)
}

fn is_sealed(message: &[u8], signature: &[u8]) -> bool {
    seal(message) == signature
}

fn payload() -> jwt::Payload {
    jwt::Payload {
        aud: format!("{VAULT}/"),
        iss: ISSUER.to_owned(),
        iat: NOW,
        nbf: NOW,
        exp: NOW.plus_seconds(3600),
        appid: Some(Guid::from_u128(3)),
        appidacr: Some("1".to_owned()),
        groups: Vec::new(),
        idtyp: Some("app".to_owned()),
        oid: PRINCIPAL,
        sub: PRINCIPAL.to_string(),
        tid: TENANT,
        uti: "u".to_owned(),
        ver: "1.0".to_owned(),
        xms_cc: vec!["CP1".to_owned()],
    }
}

fn token_of(payload: &jwt::Payload) -> String {
    jwt::signed("k", payload, |message| Ok(seal(message))).unwrap()
}

fn forged(header: &str, payload: &str) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = URL_SAFE_NO_PAD.encode(seal(message.as_bytes()));
    format!("{message}.{signature}")
}

fn open(token: &str) -> Result<jwt::Payload, TokenError> {
    jwt::open(&jwt::Parts::read(token)?, "k", is_sealed)
}

fn judge(token: &str, audience: &str, now: UnixTime) -> Result<Verified, TokenError> {
    let verified = Verified::read(open(token)?, TENANT, ISSUER)?;
    verified.check(&[audience.to_owned()], now)?;
    Ok(verified)
}

#[test]
fn a_token_comes_back_as_it_was_signed() {
    let payload = payload();
    assert_eq!(open(&token_of(&payload)), Ok(payload));
}

#[test]
fn claims_have_the_shape_of_entra_v1() {
    let text = serde_json::to_string(&payload()).unwrap();
    assert_eq!(
        text,
        r#"{"aud":"https://vault.localhost:8443/","iss":"https://sts.windows.net/00000000-0000-0000-0000-000000000001/","iat":1700000000,"nbf":1700000000,"exp":1700003600,"appid":"00000000-0000-0000-0000-000000000003","appidacr":"1","idtyp":"app","oid":"00000000-0000-0000-0000-000000000002","sub":"00000000-0000-0000-0000-000000000002","tid":"00000000-0000-0000-0000-000000000001","uti":"u","ver":"1.0","xms_cc":["CP1"]}"#
    );
}

#[test]
fn every_forgery_is_refused_with_its_reason() {
    let claims = serde_json::to_string(&payload()).unwrap();
    let good = token_of(&payload());
    let (message, signature) = good.rsplit_once('.').unwrap();
    let (header, body) = message.split_once('.').unwrap();
    let other_body = URL_SAFE_NO_PAD.encode(claims.replace("\"ver\"", "\"version\""));
    let cases = [
        ("nothing", String::new(), TokenError::Malformed),
        ("no dots", "abc".to_owned(), TokenError::Malformed),
        ("two parts", message.to_owned(), TokenError::Malformed),
        ("four parts", format!("{good}.x"), TokenError::Malformed),
        ("five parts", format!("{header}.{body}.{body}.{body}.{signature}"), TokenError::Malformed),
        ("empty parts", "..".to_owned(), TokenError::Malformed),
        ("no signature", format!("{message}."), TokenError::Malformed),
        ("half a signature", format!("{message}.{}", &signature[..43]), TokenError::Malformed),
        ("padding", format!("{good}=="), TokenError::Malformed),
        ("standard base64", format!("{message}.{}", "+".repeat(86)), TokenError::Malformed),
        ("another signature", format!("{message}.{}", "A".repeat(86)), TokenError::UnknownKey),
        ("another body", format!("{header}.{other_body}.{signature}"), TokenError::UnknownKey),
        ("alg none", forged(r#"{"typ":"JWT","alg":"none","kid":"k"}"#, &claims), TokenError::UnknownKey),
        (
            "alg None unsigned",
            format!("{}.{body}.", URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"None"}"#)),
            TokenError::UnknownKey,
        ),
        ("HS256", forged(r#"{"typ":"JWT","alg":"HS256","kid":"k"}"#, &claims), TokenError::UnknownKey),
        ("RS256", forged(r#"{"typ":"JWT","alg":"RS256","kid":"k"}"#, &claims), TokenError::UnknownKey),
        ("es256 in small letters", forged(r#"{"typ":"JWT","alg":"es256","kid":"k"}"#, &claims), TokenError::UnknownKey),
        ("another kid", forged(r#"{"typ":"JWT","alg":"ES256","kid":"x"}"#, &claims), TokenError::UnknownKey),
        ("no kid", forged(r#"{"typ":"JWT","alg":"ES256"}"#, &claims), TokenError::UnknownKey),
        ("no typ", forged(r#"{"alg":"ES256","kid":"k"}"#, &claims), TokenError::Malformed),
        ("another typ", forged(r#"{"typ":"at+jwt","alg":"ES256","kid":"k"}"#, &claims), TokenError::Malformed),
        ("two algs", forged(r#"{"typ":"JWT","alg":"ES256","alg":"none","kid":"k"}"#, &claims), TokenError::Malformed),
        ("crit", forged(r#"{"typ":"JWT","alg":"ES256","kid":"k","crit":["b64"]}"#, &claims), TokenError::Malformed),
        ("crit null", forged(r#"{"typ":"JWT","alg":"ES256","kid":"k","crit":null}"#, &claims), TokenError::Malformed),
        ("header no JSON", forged("JWT", &claims), TokenError::Malformed),
        ("claims no JSON", forged(r#"{"typ":"JWT","alg":"ES256","kid":"k"}"#, "claims"), TokenError::Malformed),
        ("claims empty", forged(r#"{"typ":"JWT","alg":"ES256","kid":"k"}"#, "{}"), TokenError::Malformed),
        ("too long", format!("{good}{}", "A".repeat(16 * 1024)), TokenError::Malformed),
    ];
    for (what, token, expected) in cases {
        assert_eq!(judge(&token, VAULT, NOW).map(|_| ()), Err(expected), "{what}");
    }
}

#[test]
fn audience_issuer_and_times_are_checked() {
    let changed = |change: fn(&mut jwt::Payload)| {
        let mut payload = payload();
        change(&mut payload);
        token_of(&payload)
    };
    let good = token_of(&payload());
    assert!(judge(&good, VAULT, NOW).is_ok());
    assert!(judge(&good, &format!("{VAULT}/"), NOW).is_ok());
    assert!(judge(&good, VAULT, NOW.plus_seconds(3599)).is_ok());
    assert!(judge(&good, VAULT, NOW.plus_seconds(-300)).is_ok());
    let refused = |token: &str, audience: &str, seconds| {
        judge(token, audience, NOW.plus_seconds(seconds)).map(|_| ()).expect_err("it is refused")
    };
    assert_eq!(refused(&good, VAULT, 3600), TokenError::Expired);
    assert_eq!(refused(&good, VAULT, 8 * 86_400), TokenError::Expired);
    assert_eq!(refused(&good, VAULT, -301), TokenError::NotYetValid);
    assert_eq!(refused(&good, "https://vault.localhost", 0), TokenError::Audience { found: VAULT.to_owned() });
    let foreign = changed(|payload| payload.iss = "https://elsewhere/".to_owned());
    let issuer = |found: &str| TokenError::Issuer { expected: ISSUER.to_owned(), found: found.to_owned() };
    assert_eq!(refused(&foreign, VAULT, 0), issuer("https://elsewhere/"));
    let foreign = changed(|payload| payload.tid = Guid::from_u128(9));
    assert_eq!(refused(&foreign, VAULT, 0), issuer(ISSUER));
}

#[test]
fn a_revoked_principal_needs_a_new_token_and_gets_it_in_the_same_second() {
    let tokens = Tokens::default();
    let issue = |tokens: &Tokens| {
        let mut payload = payload();
        payload.iat = tokens.issue_time(PRINCIPAL, NOW);
        Arc::new(Verified::read(payload, TENANT, ISSUER).unwrap())
    };
    let first = issue(&tokens);
    tokens.remember(b"first", Arc::clone(&first), NOW);
    assert!(tokens.find(b"first").is_some());
    assert!(tokens.unless_revoked(&first).is_ok());

    tokens.revoke(PRINCIPAL, NOW);
    assert!(tokens.find(b"first").is_none());
    assert_eq!(tokens.unless_revoked(&first), Err(TokenError::Expired));
    let second = issue(&tokens);
    assert!(tokens.unless_revoked(&second).is_ok());

    tokens.revoke(PRINCIPAL, NOW);
    assert_eq!(tokens.unless_revoked(&second), Err(TokenError::Expired));
    assert!(tokens.unless_revoked(&issue(&tokens)).is_ok());

    tokens.revoke(Guid::from_u128(9), NOW.plus_seconds(3 * 86_400));
    assert_eq!(tokens.issue_time(PRINCIPAL, NOW), NOW, "an old revocation is forgotten");
}

#[test]
fn memory_of_tokens_is_bounded_and_expired_ones_go_first() {
    let tokens = Tokens::default();
    let verified = |expires| {
        let mut payload = payload();
        payload.exp = expires;
        Arc::new(Verified::read(payload, TENANT, ISSUER).unwrap())
    };
    tokens.remember(b"old", verified(NOW), NOW.plus_seconds(-1));
    for index in 0..16_383 {
        tokens.remember(index.to_string().as_bytes(), verified(NOW.plus_seconds(1 + index)), NOW);
    }
    tokens.remember(b"new", verified(NOW.plus_seconds(20_000)), NOW);
    assert!(tokens.find(b"old").is_none());
    assert!(tokens.find(b"0").is_some());
    tokens.remember(b"newer", verified(NOW.plus_seconds(20_000)), NOW);
    assert!(tokens.find(b"0").is_none());
    assert!(tokens.find(b"16382").is_some() && tokens.find(b"new").is_some() && tokens.find(b"newer").is_some());
}

fn key() -> PublicKey {
    let decoded = |text| URL_SAFE_NO_PAD.decode(text).unwrap();
    PublicKey::Ec {
        curve: Curve::P256,
        x: decoded("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
        y: decoded("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
    }
}

/// The key of RFC 7515 appendix A.3; its thumbprint was computed with Python's hashlib.
#[test]
fn key_id_is_the_thumbprint() {
    assert_eq!(documents::thumbprint(&key()).as_deref(), Some("oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"));
    assert_eq!(documents::thumbprint(&PublicKey::Oct), None);
    let keys = serde_json::to_string(&documents::jwks(&key(), "k")).unwrap();
    assert_eq!(
        keys,
        r#"{"keys":[{"kty":"EC","use":"sig","alg":"ES256","kid":"k","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#
    );
}

/// The rule of msal 1.39 and msal-common 16: scheme, host and port of the authority, or a host of Entra's own.
#[test]
fn issuer_passes_the_clients_checks() {
    let base = "https://localhost:8443";
    for dialect in [Dialect::V1, Dialect::V2, Dialect::AdFs] {
        let document = openid_configuration(base, "common", dialect, TENANT);
        let same_origin = document.issuer.starts_with("https://localhost:8443/");
        assert!(same_origin || document.issuer.starts_with("https://sts.windows.net/"), "{dialect:?}");
        for endpoint in [
            &document.authorization_endpoint,
            &document.device_authorization_endpoint,
            &document.token_endpoint,
            &document.jwks_uri,
        ] {
            assert!(endpoint.starts_with("https://localhost:8443/"), "{dialect:?}");
        }
    }
}
