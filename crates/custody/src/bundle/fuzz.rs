//! Entries for random input: none of these may panic, and none may take long.

use super::{Bundle, pkcs12, read_pem};
use crate::x509::{Certificate, MOST_CERTIFICATES, Order};
use domain::Refusal;

/// Rounds of derivation that random input may ask for: enough for the files it begins from.
const ROUNDS: u32 = 20_000;

fn check(read: Result<Bundle, Refusal>) {
    match read {
        Ok(bundle) => {
            assert!(bundle.certificates.len() <= MOST_CERTIFICATES);
            if let Ok(credential) = bundle.with_key(Order::LeafFirst) {
                assert!(credential.certificates.first().is_some_and(|leaf| Certificate::read(leaf).is_ok()));
            }
        }
        Err(refusal) => assert!(matches!(refusal, Refusal::CertificateInvalid { .. }), "{refusal:?}"),
    }
}

/// A PKCS#12 file without a password, and with one.
pub fn pkcs12(bytes: &[u8]) {
    for password in [None, Some("password")] {
        check(pkcs12::read_within(bytes, password, &mut pkcs12::Work::of(ROUNDS)));
    }
}

/// A PEM text.
pub fn pem(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        check(read_pem(text));
    }
}
