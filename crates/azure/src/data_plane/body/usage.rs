//! Bodies of cryptographic operations, of random bytes and of restore.

use super::{Encoded, bad, decoded, parse, required, required_bytes};
use crate::data_plane::error::Problem;
use domain::{EncryptionAlgorithm, Secret, SignatureAlgorithm};
use engine::{DecryptRequest, EncryptRequest};
use serde::Deserialize;

/// `KeyOperationsParameters`, whose value is plaintext on the way in and ciphertext on the way out (contract:
/// key-vault §3.6).
#[derive(Deserialize)]
#[serde(bound = "T: super::Decoded")]
struct KeyOperationsParameters<T> {
    alg: Option<String>,
    value: Option<Encoded<T>>,
    iv: Option<Encoded<Vec<u8>>>,
    aad: Option<Encoded<Vec<u8>>>,
    tag: Option<Encoded<Vec<u8>>>,
}

/// What to encrypt or wrap.
pub(in crate::data_plane) fn encrypt(body: &[u8]) -> Result<EncryptRequest, Problem> {
    let body: KeyOperationsParameters<Secret> = parse(body)?;
    if decoded(body.tag, "tag")?.is_some_and(|tag| !tag.is_empty()) {
        return Err(bad("tag", "is made by the service"));
    }
    Ok(EncryptRequest {
        algorithm: encryption_algorithm(body.alg)?,
        plaintext: required_bytes(body.value, "value")?,
        iv: decoded(body.iv, "iv")?,
        aad: decoded(body.aad, "aad")?,
    })
}

/// What to decrypt or unwrap.
pub(in crate::data_plane) fn decrypt(body: &[u8]) -> Result<DecryptRequest, Problem> {
    let body: KeyOperationsParameters<Vec<u8>> = parse(body)?;
    Ok(DecryptRequest {
        algorithm: encryption_algorithm(body.alg)?,
        ciphertext: required_bytes(body.value, "value")?,
        iv: decoded(body.iv, "iv")?,
        aad: decoded(body.aad, "aad")?,
        tag: decoded(body.tag, "tag")?,
    })
}

fn encryption_algorithm(alg: Option<String>) -> Result<EncryptionAlgorithm, Problem> {
    EncryptionAlgorithm::parse(&required(alg, "alg")?).ok_or_else(|| bad("alg", "is not a known encryption algorithm"))
}

/// `KeySignParameters`.
#[derive(Deserialize)]
struct KeySignParameters {
    alg: Option<String>,
    value: Option<Encoded<Vec<u8>>>,
}

pub(in crate::data_plane) struct SignBody {
    pub algorithm: SignatureAlgorithm,
    pub digest: Vec<u8>,
}

pub(in crate::data_plane) fn sign(body: &[u8]) -> Result<SignBody, Problem> {
    let body: KeySignParameters = parse(body)?;
    Ok(SignBody { algorithm: signature_algorithm(body.alg)?, digest: required_bytes(body.value, "value")? })
}

/// `KeyVerifyParameters`: here `value` is the signature.
#[derive(Deserialize)]
struct KeyVerifyParameters {
    alg: Option<String>,
    digest: Option<Encoded<Vec<u8>>>,
    value: Option<Encoded<Vec<u8>>>,
}

pub(in crate::data_plane) struct VerifyBody {
    pub algorithm: SignatureAlgorithm,
    pub digest: Vec<u8>,
    pub signature: Vec<u8>,
}

pub(in crate::data_plane) fn verify(body: &[u8]) -> Result<VerifyBody, Problem> {
    let body: KeyVerifyParameters = parse(body)?;
    Ok(VerifyBody {
        algorithm: signature_algorithm(body.alg)?,
        digest: required_bytes(body.digest, "digest")?,
        signature: required_bytes(body.value, "value")?,
    })
}

fn signature_algorithm(alg: Option<String>) -> Result<SignatureAlgorithm, Problem> {
    let alg = required(alg, "alg")?;
    if alg == "RSNULL" {
        return Err(Problem::NotSupported("The algorithm RSNULL"));
    }
    SignatureAlgorithm::parse(&alg).ok_or_else(|| bad("alg", "is not a known signature algorithm"))
}

#[derive(Deserialize)]
struct GetRandomBytesRequest {
    count: Option<i64>,
}

pub(in crate::data_plane) fn random_count(body: &[u8]) -> Result<i64, Problem> {
    required(parse::<GetRandomBytesRequest>(body)?.count, "count")
}

#[derive(Deserialize)]
struct KeyRestoreParameters {
    value: Option<Encoded<Vec<u8>>>,
}

/// The backup blob.
pub(in crate::data_plane) fn restore(body: &[u8]) -> Result<Vec<u8>, Problem> {
    required_bytes(parse::<KeyRestoreParameters>(body)?.value, "value")
}
