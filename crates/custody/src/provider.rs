//! The ports of custody: who makes keys, and who uses one.
//!
//! Algorithms are data. Wrapping and unwrapping are encryption and decryption with another algorithm, so they have
//! no methods of their own. Whether a key may be used at all (its attributes, `key_ops`, the caller's rights) was
//! decided before; that an algorithm fits a key is checked again here, because using it wrongly must not panic.

use crate::{Entropy, Error};
use domain::{EncryptionAlgorithm, KeySpec, PrivateJwk, PublicKey, Secret, SignatureAlgorithm};

/// A new or imported key. The material goes into [`crate::WrappingKey::seal`] and then out of scope.
pub struct Generated {
    pub public: PublicKey,
    /// Opaque to everybody but the provider that made it. In software: PKCS#8 DER for RSA and EC, the raw bytes of
    /// an oct key.
    pub material: Secret,
}

/// Makes keys and opens them for use.
pub trait Provider: Send + Sync {
    /// # Errors
    /// [`domain::Refusal::KeySizeUnsupported`] for a size that is not generated; a fault of the backend.
    fn generate(&self, spec: KeySpec, entropy: &dyn Entropy) -> Result<Generated, Error>;

    /// Takes a key from outside. This is the one place where it is checked in full: the parts agree, the point is
    /// on the curve and belongs to the scalar, the size is supported. Missing leading zeros are put back.
    ///
    /// # Errors
    /// [`domain::Refusal::KeySizeUnsupported`], [`domain::Refusal::KeyPairInvalid`] (parts that do not agree).
    fn import(&self, jwk: &PrivateJwk) -> Result<Generated, Error>;

    /// Parses material once; the handle is cheap to use and may be shared by threads.
    ///
    /// # Errors
    /// [`crate::Fault::MaterialInvalid`] if the material does not parse or is not that of `public`.
    fn open(&self, spec: KeySpec, public: &PublicKey, material: &Secret) -> Result<Box<dyn KeyHandle>, Error>;

    /// The private key as PKCS#8 (RFC 5958) in DER, for files that its owner keeps. Whether it may leave was decided
    /// before.
    ///
    /// # Errors
    /// [`domain::Refusal::KeyTypeUnsupported`] for a symmetric key. Those of [`Provider::open`].
    fn export(&self, spec: KeySpec, public: &PublicKey, material: &Secret) -> Result<Secret, Error>;
}

/// One opened key. Holds its parsed private part, and wipes it when dropped.
pub trait KeyHandle: Send + Sync {
    /// Signs a digest that was computed elsewhere (for HMAC: authenticates any value).
    ///
    /// Returns `r ‖ s`, each of the curve's coordinate length, for EC; as many bytes as the modulus for RSA; the
    /// full-length tag for HMAC. PS* use a salt as long as the digest.
    ///
    /// # Errors
    /// [`domain::Refusal::SignatureAlgorithmMismatch`], [`domain::Refusal::DigestLengthWrong`], or a fault.
    fn sign(&self, algorithm: SignatureAlgorithm, digest: &[u8], entropy: &dyn Entropy) -> Result<Vec<u8>, Error>;

    /// Whether `signature` is one of `digest`. A signature of the wrong length is just not one.
    ///
    /// # Errors
    /// Those of [`KeyHandle::sign`].
    fn verify(&self, algorithm: SignatureAlgorithm, digest: &[u8], signature: &[u8]) -> Result<bool, Error>;

    /// # Errors
    /// [`domain::Refusal::EncryptionAlgorithmMismatch`], [`domain::Refusal::ParameterInvalid`], or a fault.
    fn encrypt(&self, request: &Encrypt<'_>, entropy: &dyn Entropy) -> Result<Ciphertext, Error>;

    /// # Errors
    /// Those of [`KeyHandle::encrypt`], and [`domain::Refusal::DecryptionFailed`] for everything that is wrong with
    /// the ciphertext itself, whatever it is.
    fn decrypt(&self, request: &Decrypt<'_>) -> Result<Secret, Error>;
}

/// What to encrypt or wrap. A parameter that the algorithm does not take must be absent or empty, but for `aad` of CBC.
#[derive(Clone, Copy)]
pub struct Encrypt<'a> {
    pub algorithm: EncryptionAlgorithm,
    pub plaintext: &'a [u8],
    /// CBC: 16 bytes, needed. GCM: refused, the service makes it.
    pub iv: Option<&'a [u8]>,
    /// GCM. CBC passes it over, as recorded: SDKs send it with any cipher.
    pub aad: Option<&'a [u8]>,
}

/// What to decrypt or unwrap. A parameter that the algorithm does not take must be absent or empty, but for `aad` of CBC.
#[derive(Clone, Copy)]
pub struct Decrypt<'a> {
    pub algorithm: EncryptionAlgorithm,
    pub ciphertext: &'a [u8],
    /// CBC: 16 bytes. GCM: 12 bytes.
    pub iv: Option<&'a [u8]>,
    /// GCM: what was given to encrypt. CBC passes it over.
    pub aad: Option<&'a [u8]>,
    /// GCM only: 16 bytes.
    pub tag: Option<&'a [u8]>,
}

/// The result of encrypting or wrapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ciphertext {
    pub value: Vec<u8>,
    /// The initialisation vector that was used: GCM's own of 12 bytes, or the caller's of CBC.
    pub iv: Option<Vec<u8>>,
    /// GCM: 16 bytes.
    pub tag: Option<Vec<u8>>,
}
