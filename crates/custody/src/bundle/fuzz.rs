//! Entries for random input: none of these may panic, and none may take long.

use super::{Bundle, pem, pkcs12};
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

/// A PEM text without a password, and with one.
pub fn pem(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for password in [None, Some("password")] {
        check(pem::read_within(text, password, &mut pkcs12::Work::of(ROUNDS)));
    }
}
