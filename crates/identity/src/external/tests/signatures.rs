//! Which signatures hold: the algorithm, the key and what the key is for have to agree.

use super::{NOW, Provider, fixture, judged, refused, settings};
use crate::{
    Algorithm, TokenError,
    external::{External, Occasion},
    jwt::Parts,
};
use domain::{Curve, PublicKey};

fn issuer(keys: &[&str]) -> External {
    let issuer = Provider::with(keys).issuer();
    issuer.refresh(Occasion::Schedule, NOW);
    issuer
}

#[test]
fn each_usual_algorithm_holds_under_its_key() {
    let issuer = issuer(&["a", "b", "e", "f"]);
    for token in ["rs256 a", "rs256 b", "ps256 b", "es256 e"] {
        let verified = judged(&issuer, token, NOW).unwrap_or_else(|error| panic!("{token}: {error}"));
        assert_eq!(verified.claims.object_id.to_string(), "028575cf-c27d-5e73-8238-a2414c33fb0d", "{token}");
    }
}

#[test]
fn every_forgery_is_refused_with_its_reason() {
    let issuer = issuer(&["a", "b", "e", "f"]);
    let cases = [
        ("none", TokenError::Algorithm),
        ("hs256 with the pem of a", TokenError::Algorithm),
        ("hs256 with the der of a", TokenError::Algorithm),
        ("hs256 with the modulus of a", TokenError::Algorithm),
        ("rs256 a with an hmac", TokenError::UnknownKey),
        ("rs256 a signed by b", TokenError::UnknownKey),
        // The key in the header is the attacker's.
        ("key inside", TokenError::UnknownKey),
        // The key is one of another family, or says that it is for another algorithm.
        ("rs256 named e", TokenError::Algorithm),
        ("ps256 a", TokenError::Algorithm),
        // Not among the configured ones.
        ("es384 f", TokenError::Algorithm),
        ("rs256 small", TokenError::MissingKey),
        ("logout token", TokenError::Malformed),
        ("crit", TokenError::Malformed),
    ];
    for (token, expected) in cases {
        assert_eq!(refused(&issuer, token, NOW), Some(expected), "{token}");
    }
}

#[test]
fn a_changed_byte_anywhere_is_refused() {
    let issuer = issuer(&["a", "b", "e"]);
    for name in ["token rs256 a", "token es256 e", "token ps256 b"] {
        let token = fixture(name);
        // The last digit of base64url holds bits that are not part of any byte, so it is left alone.
        for at in (0..token.len() - 1).step_by(7) {
            let mut changed = token.as_bytes().to_vec();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            let judged = Parts::read(&changed).and_then(|parts| issuer.verified(&parts, super::TENANT, NOW));
            assert!(judged.is_err(), "{name} at {at}");
        }
    }
}

#[test]
fn a_token_that_names_no_key_needs_the_only_one() {
    let only = issuer(&["a"]);
    assert!(judged(&only, "rs256 without kid by a", NOW).is_ok());
    // It could be of a key that took its place.
    assert_eq!(refused(&only, "rs256 without kid by b", NOW), Some(TokenError::MissingKey));
    let beside_another_family = issuer(&["a", "e"]);
    assert!(judged(&beside_another_family, "rs256 without kid by a", NOW).is_ok());
    let several = issuer(&["a", "b"]);
    assert_eq!(refused(&several, "rs256 without kid by a", NOW), Some(TokenError::UnknownKey));
    assert_eq!(refused(&issuer(&["e"]), "rs256 without kid by a", NOW), Some(TokenError::MissingKey));
    assert_eq!(refused(&issuer(&[]), "rs256 without kid by a", NOW), Some(TokenError::MissingKey));
}

#[test]
fn two_keys_of_one_name_are_none() {
    let provider = Provider::with(&[]);
    let (a, b) = (fixture("key a"), fixture("key b"));
    let twin = b.replace(r#""kid":"b""#, r#""kid":"a""#);
    *provider.jwks.lock() = Ok(format!(r#"{{"keys":[{a},{twin}]}}"#));
    let issuer = provider.issuer();
    issuer.refresh(Occasion::Schedule, NOW);
    assert_eq!(refused(&issuer, "rs256 a", NOW), Some(TokenError::UnknownKey));
    // The same key twice is one key.
    *provider.jwks.lock() = Ok(format!(r#"{{"keys":[{a},{a}]}}"#));
    issuer.refresh(Occasion::Demand, NOW);
    assert!(judged(&issuer, "rs256 a", NOW).is_ok());
}

#[test]
fn what_is_configured_decides_which_algorithms_there_are() {
    let provider = Provider::with(&["a", "b", "e", "f"]);
    let settings = crate::ExternalSettings { algorithms: vec![Algorithm::Es384], ..settings() };
    let issuer = External::new(settings, provider);
    issuer.refresh(Occasion::Schedule, NOW);
    assert!(judged(&issuer, "es384 f", NOW).is_ok());
    for token in ["rs256 a", "ps256 b", "es256 e"] {
        assert_eq!(refused(&issuer, token, NOW), Some(TokenError::Algorithm), "{token}");
    }
}

#[test]
fn an_algorithm_belongs_to_one_family_and_one_curve() {
    let rsa = PublicKey::Rsa { n: vec![1], e: vec![1] };
    let ec = |curve| PublicKey::Ec { curve, x: vec![], y: vec![] };
    for algorithm in Algorithm::ALL {
        let name = algorithm.signature().as_str();
        assert_eq!(Algorithm::parse(name), Some(algorithm));
        assert_eq!(serde_json::from_str::<Algorithm>(&format!("{name:?}")).unwrap(), algorithm);
        assert_eq!(algorithm.fits(&rsa), !name.starts_with("ES"), "{name}");
        assert_eq!(algorithm.fits(&ec(Curve::P256)), name == "ES256");
        assert_eq!(algorithm.fits(&ec(Curve::P384)), name == "ES384");
        assert_eq!(algorithm.fits(&ec(Curve::P521)), name == "ES512");
        assert!(!algorithm.fits(&ec(Curve::P256K)) && !algorithm.fits(&PublicKey::Oct), "{name}");
    }
    for other in ["none", "None", "HS256", "rs256", "ES256K", "EdDSA", "RSA-OAEP", ""] {
        assert_eq!(Algorithm::parse(other), None, "{other}");
    }
}
