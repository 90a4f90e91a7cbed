//! The software provider: keys in this process's memory, used through AWS-LC.
//!
//! RustCrypto's `aes-kw` serves AES key wrap, which aws-lc-rs lacks for 192-bit keys (and, through a borrowed key,
//! for every size). It does not know of sealing: material comes in and goes out in the clear.

mod ec;
mod integer;
mod oct;
mod rsa;

use crate::{Entropy, Error, Fault, Generated, KeyHandle, Provider};
use domain::{KeySpec, PrivateJwk, PublicKey, Refusal, Secret, SignatureAlgorithm};

/// Keys in software. Has no state: every key is in its handle.
///
/// Randomness: oct keys and GCM nonces come from the [`Entropy`] that is given. RSA and EC key generation, ECDSA
/// nonces, PSS salts, encryption padding and blinding come from AWS-LC's own generator, which can't be replaced.
#[derive(Clone, Copy, Default)]
pub struct SoftwareProvider;

impl Provider for SoftwareProvider {
    fn generate(&self, spec: KeySpec, entropy: &dyn Entropy) -> Result<Generated, Error> {
        spec.check_generated()?;
        match spec {
            KeySpec::Rsa { bits } => rsa::generate(bits),
            KeySpec::Ec { curve } => ec::generate(curve),
            KeySpec::Oct { bits } => oct::generate(bits, entropy),
        }
    }

    fn import(&self, jwk: &PrivateJwk) -> Result<Generated, Error> {
        match jwk {
            PrivateJwk::Rsa { n, e, d, p, q, dp, dq, qi } => rsa::import(&rsa::Parts { n, e, d, p, q, dp, dq, qi }),
            PrivateJwk::Ec { curve, x, y, d } => ec::import(*curve, x, y, d),
            PrivateJwk::Oct { k } => oct::import(k),
        }
    }

    fn open(&self, spec: KeySpec, public: &PublicKey, material: &Secret) -> Result<Box<dyn KeyHandle>, Error> {
        match (spec, public) {
            (KeySpec::Rsa { bits }, PublicKey::Rsa { n, e }) => {
                Ok(Box::new(rsa::RsaHandle::open(bits, n, e, material)?))
            }
            (KeySpec::Ec { curve }, PublicKey::Ec { curve: stored, x, y }) if curve == *stored => {
                Ok(Box::new(ec::EcHandle::open(curve, x, y, material)?))
            }
            (KeySpec::Oct { bits }, PublicKey::Oct) => Ok(Box::new(oct::OctHandle::open(bits, material)?)),
            _ => Err(Fault::MaterialInvalid("the public key is not of the stated type").into()),
        }
    }
}

/// Verifies with a public key alone, parsed anew each time: for keys that are not in custody, such as a foreign
/// issuer's. [`KeyHandle::verify`] is cheaper for those that are.
///
/// # Errors
/// [`Refusal::KeyPairInvalid`] if the key does not parse, [`Refusal::KeySizeUnsupported`],
/// [`Refusal::SignatureAlgorithmMismatch`] and [`Refusal::DigestLengthWrong`].
pub fn verify_with_public(
    public: &PublicKey,
    algorithm: SignatureAlgorithm,
    digest: &[u8],
    signature: &[u8],
) -> Result<bool, Error> {
    match public {
        PublicKey::Rsa { n, e } => {
            let bits = rsa::supported_bits(n)?;
            rsa::RsaPublic::new(bits, n, e).verify(algorithm, digest, signature)
        }
        PublicKey::Ec { curve, x, y } => ec::EcPublic::parse(*curve, x, y)?.verify(algorithm, digest, signature),
        PublicKey::Oct => Err(Refusal::KeyPairInvalid { curve: None }.into()),
    }
}

/// Absent and empty are the same: some clients send empty strings for what they do not set.
fn given(parameter: Option<&[u8]>) -> Option<&[u8]> {
    parameter.filter(|bytes| !bytes.is_empty())
}

/// Refuses a parameter that the algorithm would ignore: whoever sends it believes that it protects something.
fn refuse(name: &'static str, parameter: Option<&[u8]>) -> Result<(), Error> {
    match given(parameter) {
        Some(_) => Err(Error::parameter(name, "the algorithm does not take it")),
        None => Ok(()),
    }
}
