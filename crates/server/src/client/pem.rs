//! A private key in PEM, turned into the JSON Web Key that is imported.

use aws_lc_rs::encoding::AsBigEndian;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P256K1_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pkcs1::RsaPrivateKeyRef;
use pkcs8::PrivateKeyInfoRef;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Map, Value, json};

use super::error::ClientError;

/// The curves of the wire.
const CURVES: [(&str, &EcdsaSigningAlgorithm); 4] = [
    ("P-256", &ECDSA_P256_SHA256_FIXED_SIGNING),
    ("P-384", &ECDSA_P384_SHA384_FIXED_SIGNING),
    ("P-521", &ECDSA_P521_SHA512_FIXED_SIGNING),
    ("P-256K", &ECDSA_P256K1_SHA256_FIXED_SIGNING),
];

/// Reads the first private key of a PEM text: PKCS#8, PKCS#1 or SEC 1.
pub fn jwk(pem: &[u8]) -> Result<Map<String, Value>, ClientError> {
    if pem.windows(9).any(|window| window == b"ENCRYPTED") {
        return Err(failed("the private key is encrypted. Decrypt it first, for example with 'openssl pkey'"));
    }
    let der = PrivateKeyDer::from_pem_slice(pem).map_err(|_| failed("there is no private key in the PEM text"))?;
    let key = match &der {
        PrivateKeyDer::Pkcs1(key) => rsa(key.secret_pkcs1_der()),
        PrivateKeyDer::Sec1(key) => elliptic(key.secret_sec1_der()),
        PrivateKeyDer::Pkcs8(key) => {
            let info = PrivateKeyInfoRef::try_from(key.secret_pkcs8_der());
            match info {
                Ok(info) if info.algorithm.oid == pkcs1::ALGORITHM_OID => rsa(info.private_key.as_bytes()),
                Ok(_) => elliptic(key.secret_pkcs8_der()),
                Err(_) => None,
            }
        }
        _ => None,
    };
    key.ok_or_else(|| failed("the private key is neither RSA nor on a curve of P-256, P-384, P-521 and P-256K"))
}

fn rsa(der: &[u8]) -> Option<Map<String, Value>> {
    let key = RsaPrivateKeyRef::try_from(der).ok()?;
    let members = [
        ("n", &key.modulus),
        ("e", &key.public_exponent),
        ("d", &key.private_exponent),
        ("p", &key.prime1),
        ("q", &key.prime2),
        ("dp", &key.exponent1),
        ("dq", &key.exponent2),
        ("qi", &key.coefficient),
    ];
    let mut jwk = Map::from_iter([("kty".to_owned(), json!("RSA"))]);
    jwk.extend(members.map(|(name, number)| (name.to_owned(), base64url(number.as_bytes()))));
    Some(jwk)
}

/// Takes the public point from the private number, since a SEC 1 key need not hold it.
fn elliptic(der: &[u8]) -> Option<Map<String, Value>> {
    let read = |(curve, algorithm)| EcdsaKeyPair::from_private_key_der(algorithm, der).ok().map(|key| (curve, key));
    let (curve, key) = CURVES.into_iter().find_map(read)?;
    let point = key.public_key().as_ref().strip_prefix(&[4])?;
    let (x, y) = point.split_at(point.len() / 2);
    let private = key.private_key().as_be_bytes().ok()?;
    let members = [("x", base64url(x)), ("y", base64url(y)), ("d", base64url(private.as_ref()))];
    let mut jwk = Map::from_iter([("kty".to_owned(), json!("EC")), ("crv".to_owned(), json!(curve))]);
    jwk.extend(members.map(|(name, value)| (name.to_owned(), value)));
    Some(jwk)
}

fn base64url(bytes: &[u8]) -> Value {
    Value::String(URL_SAFE_NO_PAD.encode(bytes))
}

fn failed(why: &str) -> ClientError {
    ClientError::Local(format!("Import failed: {why}."))
}

#[cfg(test)]
#[path = "pem_tests.rs"]
mod tests;
