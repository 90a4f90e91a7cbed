//! Fingerprints and comparison of secrets that are stored only as a fingerprint; digests of signed messages.

use aws_lc_rs::digest::{Digest, SHA256, SHA384, SHA512, digest};
use domain::SignatureAlgorithm;

/// SHA-256 of `bytes` (FIPS 180-4).
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(digest(&SHA256, bytes).as_ref());
    fingerprint
}

/// The digest of a message that is signed with this algorithm.
pub(crate) fn of_message(algorithm: SignatureAlgorithm, message: &[u8]) -> Digest {
    use SignatureAlgorithm as A;
    let hash = match algorithm {
        A::Rs256 | A::Ps256 | A::Es256 | A::Es256K | A::Hs256 => &SHA256,
        A::Rs384 | A::Ps384 | A::Es384 | A::Hs384 => &SHA384,
        A::Rs512 | A::Ps512 | A::Es512 | A::Hs512 => &SHA512,
    };
    digest(hash, message)
}

/// Whether two byte strings are equal, in a time that depends on their lengths only.
#[must_use]
pub fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(a, b).is_ok()
}
