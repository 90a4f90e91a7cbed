//! Entries for random input: none of these may panic.

/// A bearer token, also as if its signature held, so that the claims are read.
pub fn token(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = crate::jwt::open(text, "k", |_, _| false);
        if let Ok(payload) = crate::jwt::open(text, "k", |_, _| true) {
            let verified = crate::tokens::Verified::read(payload, domain::Guid::from_u128(0), "i");
            let _ = verified.and_then(|verified| verified.check(&["a".to_owned()], domain::UnixTime(0)));
        }
    }
}
