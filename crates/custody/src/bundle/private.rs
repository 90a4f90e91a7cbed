//! Private keys in the containers that files have them in: PKCS#8 (RFC 5958), PKCS#1 (RFC 8017), SEC 1 (RFC 5915).

use super::invalid;
use crate::software;
use der::Decode;
use domain::{PrivateJwk, Refusal, Secret};
use pkcs1::RsaPrivateKeyRef;
use pkcs8::PrivateKeyInfoRef;

const UNSUPPORTED: Refusal = invalid("the private key is neither RSA nor on a curve that is supported");

/// # Errors
/// [`Refusal::CertificateInvalid`].
pub(crate) fn read_pkcs8(der: &[u8]) -> Result<PrivateJwk, Refusal> {
    let info = PrivateKeyInfoRef::from_der(der).map_err(|_| invalid("the private key is malformed"))?;
    if info.algorithm.oid == pkcs1::ALGORITHM_OID {
        return read_pkcs1(info.private_key.as_bytes());
    }
    read_elliptic(der)
}

/// # Errors
/// [`Refusal::CertificateInvalid`].
pub(super) fn read_pkcs1(der: &[u8]) -> Result<PrivateJwk, Refusal> {
    let key = RsaPrivateKeyRef::from_der(der).map_err(|_| invalid("the private key is malformed"))?;
    if key.other_prime_infos.is_some() {
        return Err(UNSUPPORTED);
    }
    let [d, p, q] = [key.private_exponent, key.prime1, key.prime2];
    let [dp, dq, qi] = [key.exponent1, key.exponent2, key.coefficient];
    let [d, p, q, dp, dq, qi] = [d, p, q, dp, dq, qi].map(|part| Secret::new(part.as_bytes().to_vec()));
    let [n, e] = [key.modulus, key.public_exponent].map(|part| part.as_bytes().to_vec());
    Ok(PrivateJwk::Rsa { n, e, d, p, q, dp, dq, qi })
}

/// A key on a curve, in SEC 1's container or PKCS#8's. The point may be missing: it follows from the number.
///
/// # Errors
/// [`Refusal::CertificateInvalid`].
pub(super) fn read_elliptic(der: &[u8]) -> Result<PrivateJwk, Refusal> {
    software::read_elliptic(der).ok_or(UNSUPPORTED)
}
