//! Entries for random input: none of these may panic.

use crate::{
    Algorithm, ClaimNames, ExternalSettings,
    external::{claims, published},
    jwt::{self, Parts},
    tokens::Verified,
};
use domain::{Guid, UnixTime};

/// A bearer token of the embedded issuer's, also as if its signature held, so that the claims are read.
pub fn token(bytes: &[u8]) {
    let Some(parts) = std::str::from_utf8(bytes).ok().and_then(|text| Parts::read(text).ok()) else { return };
    let _ = parts.claimed_issuer();
    let _ = jwt::open(&parts, "k", |_, _| false);
    if let Ok(payload) = jwt::open(&parts, "k", |_, _| true) {
        let verified = Verified::read(payload, Guid::from_u128(0), "i");
        let _ = verified.and_then(|verified| verified.check(&["a".to_owned()], UnixTime(0)));
    }
}

fn settings() -> ExternalSettings {
    ExternalSettings {
        issuer: "i".to_owned(),
        audiences: vec!["a".to_owned()],
        algorithms: Algorithm::USUAL.to_vec(),
        clock_skew_seconds: 300,
        claims: ClaimNames::default(),
    }
}

/// The claims of an external issuer's token, as if its signature held. What is valid says who it is about.
pub fn external_claims(bytes: &[u8]) {
    let tenant = Guid::from_u128(0);
    let Ok(verified) = claims::read(bytes, &settings(), tenant) else { return };
    assert_eq!((verified.claims.tenant, &*verified.claims.issuer), (tenant, "i"));
    let _ = verified.check(&["b".to_owned()], UnixTime(0));
}

/// A provider's discovery document. What is accepted names an address that nobody on the way can change.
pub fn discovery(bytes: &[u8]) {
    if let Ok(uri) = published::jwks_uri(bytes, "i") {
        assert!(uri.starts_with("https://"), "{uri}");
    }
}

/// A provider's JWK set.
pub fn key_set(bytes: &[u8]) {
    if let Ok(keys) = published::keys(bytes) {
        assert!(keys.usable.len() + keys.unusable.len() <= 100);
    }
}
