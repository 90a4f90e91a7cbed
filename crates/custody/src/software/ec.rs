//! Elliptic curve keys: ECDSA over given digests. Material: PKCS#8 DER (RFC 5958, version 1).

use super::integer;
use crate::{Ciphertext, Decrypt, Encrypt, Entropy, Error, Fault, Generated, KeyHandle};
use aws_lc_rs::digest::{Algorithm, Digest, SHA256, SHA384, SHA512};
use aws_lc_rs::encoding::AsBigEndian;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P256K1_SHA256_FIXED,
    ECDSA_P256K1_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    EcdsaVerificationAlgorithm, KeyPair, ParsedPublicKey,
};
use domain::{Curve, KeySpec, KeyUse, PrivateJwk, PublicKey, Refusal, Secret, SignatureAlgorithm};

/// Each curve signs with one algorithm only, so the curve decides everything.
struct Suite {
    signing: &'static EcdsaSigningAlgorithm,
    verification: &'static EcdsaVerificationAlgorithm,
    digest: &'static Algorithm,
}

fn suite(curve: Curve) -> Suite {
    let (signing, verification, digest) = match curve {
        Curve::P256 => (&ECDSA_P256_SHA256_FIXED_SIGNING, &ECDSA_P256_SHA256_FIXED, &SHA256),
        Curve::P384 => (&ECDSA_P384_SHA384_FIXED_SIGNING, &ECDSA_P384_SHA384_FIXED, &SHA384),
        Curve::P521 => (&ECDSA_P521_SHA512_FIXED_SIGNING, &ECDSA_P521_SHA512_FIXED, &SHA512),
        Curve::P256K => (&ECDSA_P256K1_SHA256_FIXED_SIGNING, &ECDSA_P256K1_SHA256_FIXED, &SHA256),
    };
    Suite { signing, verification, digest }
}

/// A point on the curve, parsed.
pub(super) struct EcPublic {
    curve: Curve,
    parsed: ParsedPublicKey,
}

impl EcPublic {
    /// Coordinates may lack leading zeros.
    pub(super) fn parse(curve: Curve, x: &[u8], y: &[u8]) -> Result<Self, Error> {
        let invalid = || Refusal::KeyPairInvalid { curve: Some(curve) };
        let point = uncompressed(curve, x, y).ok_or_else(invalid)?;
        let parsed = ParsedPublicKey::new(suite(curve).verification, &point).map_err(|_| invalid())?;
        Ok(Self { curve, parsed })
    }

    pub(super) fn verify(&self, algorithm: SignatureAlgorithm, digest: &[u8], signature: &[u8]) -> Result<bool, Error> {
        let digest = import_digest(self.curve, algorithm, digest)?;
        Ok(self.parsed.verify_digest_sig(&digest, signature).is_ok())
    }
}

fn import_digest(curve: Curve, algorithm: SignatureAlgorithm, digest: &[u8]) -> Result<Digest, Error> {
    KeySpec::Ec { curve }.check_signature(algorithm, digest)?;
    Ok(Digest::import_less_safe(digest, suite(curve).digest).map_err(|_| Fault::Backend("importing a digest"))?)
}

/// `04 ‖ x ‖ y` (SEC 1 §2.3.3); `None` if a coordinate is too long.
fn uncompressed(curve: Curve, x: &[u8], y: &[u8]) -> Option<Vec<u8>> {
    let length = curve.coordinate_length();
    let mut point = Vec::with_capacity(1 + 2 * length);
    point.push(4);
    point.extend_from_slice(&integer::fixed(x, length)?);
    point.extend_from_slice(&integer::fixed(y, length)?);
    Some(point)
}

fn public_of(curve: Curve, pair: &EcdsaKeyPair) -> Option<PublicKey> {
    let (form, coordinates) = pair.public_key().as_ref().split_first()?;
    let (x, y) = coordinates.split_at_checked(curve.coordinate_length())?;
    (*form == 4 && y.len() == x.len()).then(|| PublicKey::Ec { curve, x: x.to_vec(), y: y.to_vec() })
}

fn generated(curve: Curve, pair: &EcdsaKeyPair) -> Result<Generated, Error> {
    let public = public_of(curve, pair).ok_or(Fault::Backend("writing an EC public key"))?;
    let document = pair.to_pkcs8v1().map_err(|_| Fault::Backend("writing an EC key"))?;
    Ok(Generated { public, material: Secret::new(document.as_ref().to_vec()) })
}

pub(super) fn generate(curve: Curve) -> Result<Generated, Error> {
    let pair = EcdsaKeyPair::generate(suite(curve).signing).map_err(|_| Fault::Backend("EC key generation"))?;
    generated(curve, &pair)
}

pub(super) fn import(curve: Curve, x: &[u8], y: &[u8], d: &Secret) -> Result<Generated, Error> {
    let invalid = || Refusal::KeyPairInvalid { curve: Some(curve) };
    let point = uncompressed(curve, x, y).ok_or_else(invalid)?;
    let scalar = integer::fixed(d.expose(), curve.coordinate_length()).ok_or_else(invalid)?;
    // Checks the scalar's range, that the point is on the curve, and that it is the scalar's.
    let pair =
        EcdsaKeyPair::from_private_key_and_public_key(suite(curve).signing, &scalar, &point).map_err(|_| invalid())?;
    generated(curve, &pair)
}

/// The parts of a key in PKCS#8 or in SEC 1's container (RFC 5915), where the point may be missing. `None` if it is
/// neither, or on another curve.
pub(crate) fn read_elliptic(der: &[u8]) -> Option<PrivateJwk> {
    Curve::ALL.iter().find_map(|curve| {
        let pair = EcdsaKeyPair::from_private_key_der(suite(*curve).signing, der).ok()?;
        let scalar = pair.private_key().as_be_bytes().ok()?;
        let PublicKey::Ec { curve, x, y } = public_of(*curve, &pair)? else { return None };
        Some(PrivateJwk::Ec { curve, x, y, d: Secret::new(scalar.as_ref().to_vec()) })
    })
}

pub(super) struct EcHandle {
    pair: EcdsaKeyPair,
    public: EcPublic,
}

impl EcHandle {
    pub(super) fn open(curve: Curve, x: &[u8], y: &[u8], material: &Secret) -> Result<Self, Error> {
        let pair = EcdsaKeyPair::from_pkcs8(suite(curve).signing, material.expose())
            .map_err(|_| Fault::MaterialInvalid("no PKCS#8 key of the curve"))?;
        if uncompressed(curve, x, y).as_deref() != Some(pair.public_key().as_ref()) {
            return Err(Fault::MaterialInvalid("the EC key is not that of the public key").into());
        }
        Ok(Self { pair, public: EcPublic::parse(curve, x, y)? })
    }

    fn refuse_encryption(&self, algorithm: domain::EncryptionAlgorithm, key_use: KeyUse) -> Error {
        let key = KeySpec::Ec { curve: self.public.curve };
        Refusal::EncryptionAlgorithmMismatch { algorithm, key, key_use }.into()
    }
}

impl KeyHandle for EcHandle {
    fn sign(&self, algorithm: SignatureAlgorithm, digest: &[u8], _: &dyn Entropy) -> Result<Vec<u8>, Error> {
        let digest = import_digest(self.public.curve, algorithm, digest)?;
        let signature = self.pair.sign_digest(&digest).map_err(|_| Fault::Backend("ECDSA signing"))?;
        Ok(signature.as_ref().to_vec())
    }

    fn verify(&self, algorithm: SignatureAlgorithm, digest: &[u8], signature: &[u8]) -> Result<bool, Error> {
        self.public.verify(algorithm, digest, signature)
    }

    fn encrypt(&self, request: &Encrypt<'_>, _: &dyn Entropy) -> Result<Ciphertext, Error> {
        Err(self.refuse_encryption(request.algorithm, KeyUse::Encrypt))
    }

    fn decrypt(&self, request: &Decrypt<'_>) -> Result<Secret, Error> {
        Err(self.refuse_encryption(request.algorithm, KeyUse::Decrypt))
    }
}
