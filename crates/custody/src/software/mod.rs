//! The software provider: keys in this process's memory, used through AWS-LC.
//!
//! RustCrypto's `aes-kw` serves AES key wrap, which aws-lc-rs lacks for 192-bit keys (and, through a borrowed key,
//! for every size). It does not know of sealing: material comes in and goes out in the clear.

mod ec;
pub(crate) mod integer;
mod oct;
mod rsa;

pub(crate) use ec::read_elliptic;

use crate::{Entropy, Error, Fault, Generated, KeyHandle, Provider, digest};
use domain::{KeySpec, KeyType, PrivateJwk, PublicKey, Refusal, Secret, SignatureAlgorithm};

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

    fn export(&self, spec: KeySpec, public: &PublicKey, material: &Secret) -> Result<Secret, Error> {
        if spec.key_type() == KeyType::Oct {
            return Err(Refusal::KeyTypeUnsupported { key_type: KeyType::Oct, hsm: false }.into());
        }
        // The material is PKCS#8 already: opening it says that it is that of this key.
        self.open(spec, public, material)?;
        Ok(Secret::new(material.expose().to_vec()))
    }
}

/// A public key alone, parsed once: one that is not in custody, such as a foreign issuer's.
pub struct VerifyingKey(Public);

enum Public {
    Rsa(Box<rsa::RsaPublic>),
    Ec(ec::EcPublic),
}

impl VerifyingKey {
    /// RSA keys of others come in more sizes than are made here; below 2048 bits they protect nothing.
    const RSA_BITS: std::ops::RangeInclusive<u32> = 2048..=8192;

    /// # Errors
    /// [`Refusal::KeyPairInvalid`] if the key does not parse, and [`Refusal::KeySizeUnsupported`].
    pub fn parse(public: &PublicKey) -> Result<Self, Error> {
        match public {
            PublicKey::Rsa { n, e } => {
                let bits = integer::bit_length(n);
                if !Self::RSA_BITS.contains(&bits) {
                    return Err(Refusal::KeySizeUnsupported { key_type: KeyType::Rsa, bits }.into());
                }
                let key = rsa::RsaPublic::new(bits, n, e);
                key.check()?;
                Ok(Self(Public::Rsa(Box::new(key))))
            }
            PublicKey::Ec { curve, x, y } => Ok(Self(Public::Ec(ec::EcPublic::parse(*curve, x, y)?))),
            PublicKey::Oct => Err(Refusal::KeyPairInvalid { curve: None }.into()),
        }
    }

    /// Whether `signature` is one of a digest that was computed elsewhere.
    ///
    /// # Errors
    /// [`Refusal::SignatureAlgorithmMismatch`] and [`Refusal::DigestLengthWrong`].
    pub fn verify(&self, algorithm: SignatureAlgorithm, digest: &[u8], signature: &[u8]) -> Result<bool, Error> {
        match &self.0 {
            Public::Rsa(key) => key.verify(algorithm, digest, signature),
            Public::Ec(key) => key.verify(algorithm, digest, signature),
        }
    }

    /// Whether `signature` is one of a message, hashed as the algorithm says (RFC 7518 §3.3 to §3.5).
    ///
    /// # Errors
    /// [`Refusal::SignatureAlgorithmMismatch`].
    pub fn verify_message(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<bool, Error> {
        self.verify(algorithm, digest::of_message(algorithm, message).as_ref(), signature)
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
