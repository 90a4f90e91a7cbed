//! What protects the parts of a PKCS#12 file: keys from a password, ciphers, and the file's own authentication.

use super::structures::{MacData, Pbes1Parameters, Pbes2Parameters, Pbkdf2Parameters};
use crate::bundle::invalid;
use ::pkcs12::kdf::{Pkcs12KeyType, derive_key};
use aws_lc_rs::{
    cipher::{AES_128, AES_192, AES_256, Algorithm, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey},
    hmac, pbkdf2,
};
use cbc::cipher::{BlockModeDecrypt, KeyIvInit, block_padding::Pkcs7};
use der::asn1::{ObjectIdentifier, OctetStringRef};
use domain::Refusal;
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};
use std::num::NonZeroU32;
use x509_cert::spki::AlgorithmIdentifierRef;
use zeroize::Zeroizing;

const fn oid(dotted: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(dotted)
}

pub(super) const PBES2: ObjectIdentifier = oid("1.2.840.113549.1.5.13");
pub(super) const PBKDF2: ObjectIdentifier = oid("1.2.840.113549.1.5.12");
pub(super) const HMAC_SHA256: ObjectIdentifier = oid("1.2.840.113549.2.9");
pub(super) const AES_256_CBC: ObjectIdentifier = oid("2.16.840.1.101.3.4.1.42");
pub(super) const SHA256: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.1");

const HMAC_SHA1: ObjectIdentifier = oid("1.2.840.113549.2.7");
const HMAC_SHA384: ObjectIdentifier = oid("1.2.840.113549.2.10");
const HMAC_SHA512: ObjectIdentifier = oid("1.2.840.113549.2.11");
const AES_128_CBC: ObjectIdentifier = oid("2.16.840.1.101.3.4.1.2");
const AES_192_CBC: ObjectIdentifier = oid("2.16.840.1.101.3.4.1.22");
const TRIPLE_DES_CBC: ObjectIdentifier = oid("1.2.840.113549.3.7");
const SHA1: ObjectIdentifier = oid("1.3.14.3.2.26");
const SHA384: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.2");
const SHA512: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.3");
const PBE_TRIPLE_DES: ObjectIdentifier = oid("1.2.840.113549.1.12.1.3");
const PBE_RC2_128: ObjectIdentifier = oid("1.2.840.113549.1.12.1.5");
const PBE_RC2_40: ObjectIdentifier = oid("1.2.840.113549.1.12.1.6");

/// A wrong password and a changed file look alike.
pub(super) const WRONG_PASSWORD: Refusal = invalid("the password is wrong, or the file was changed");
pub(super) const UNSUPPORTED: Refusal = invalid("it is protected in a way that is not supported");
const MALFORMED: Refusal = invalid("the parameters of its encryption are malformed");

/// How much a file may still ask for: of deriving, in rounds of a digest, and of keys. A file says itself how much each of
/// its parts takes, so that without a bound a small one could keep a processor busy for hours.
pub(in crate::bundle) struct Work {
    rounds: u32,
    keys: u32,
}

/// Some files have one key in several forms. Reading one may compute its public part.
const MOST_KEYS: u32 = 8;

impl Work {
    /// Three derivations as the most careful writers have them (600 000 rounds each), and some more: a second or two.
    pub(in crate::bundle) const MOST: Self = Self::of(3_000_000);

    pub(in crate::bundle) const fn of(rounds: u32) -> Self {
        Self { rounds, keys: MOST_KEYS }
    }

    /// For each key that is read.
    pub(in crate::bundle) fn take_key(&mut self) -> Result<(), Refusal> {
        self.keys = self.keys.checked_sub(1).ok_or(invalid("there are more than 8 private keys"))?;
        Ok(())
    }

    fn spend(&mut self, iterations: u32, outputs: usize) -> Result<NonZeroU32, Refusal> {
        let outputs = u32::try_from(outputs).unwrap_or(u32::MAX);
        let left = iterations.checked_mul(outputs).and_then(|rounds| self.rounds.checked_sub(rounds));
        self.rounds = left.ok_or(invalid("it asks for too many iterations"))?;
        NonZeroU32::new(iterations).ok_or(MALFORMED)
    }
}

/// A password in the two forms that a file's parts derive from.
pub(super) struct Password<'p> {
    text: &'p str,
    /// UTF-16, big-endian, with a zero at its end (RFC 7292 appendix B.1).
    wide: Zeroizing<Vec<u8>>,
}

impl<'p> Password<'p> {
    /// The password, in each way that writers have encoded it. No password and an empty one are the same to people, and
    /// so they are to us; but some writers encode it as a zero, others as nothing at all.
    pub(super) fn readings(password: Option<&'p str>) -> Vec<Self> {
        let text = password.unwrap_or_default();
        let mut readings = vec![Self::of(text)];
        if text.is_empty() {
            readings.push(Self { text, wide: Zeroizing::new(Vec::new()) });
        }
        readings
    }

    /// No password, as a zero: what most readers try first.
    pub(super) fn none() -> Self {
        Self::of("")
    }

    pub(super) fn of(text: &'p str) -> Self {
        let mut wide = Zeroizing::new(Vec::with_capacity(2 * text.len() + 2));
        text.encode_utf16().chain([0]).for_each(|unit| wide.extend(unit.to_be_bytes()));
        Self { text, wide }
    }

    /// The derivation of RFC 7292 appendix B.
    fn derive(
        &self,
        digest: Digest,
        use_as: Pkcs12KeyType,
        salt: &[u8],
        iterations: u32,
        length: usize,
        work: &mut Work,
    ) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        let iterations = work.spend(iterations, length.div_ceil(digest.length()))?.get();
        let rounds = i32::try_from(iterations).map_err(|_| MALFORMED)?;
        Ok(Zeroizing::new(match digest {
            Digest::Sha1 => derive_key::<Sha1>(&self.wide, salt, use_as, rounds, length),
            Digest::Sha256 => derive_key::<Sha256>(&self.wide, salt, use_as, rounds, length),
            Digest::Sha384 => derive_key::<Sha384>(&self.wide, salt, use_as, rounds, length),
            Digest::Sha512 => derive_key::<Sha512>(&self.wide, salt, use_as, rounds, length),
        }))
    }
}

#[derive(Clone, Copy)]
pub(super) enum Digest {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Digest {
    fn named(oid: ObjectIdentifier) -> Option<Self> {
        match oid {
            SHA1 | HMAC_SHA1 => Some(Self::Sha1),
            SHA256 | HMAC_SHA256 => Some(Self::Sha256),
            SHA384 | HMAC_SHA384 => Some(Self::Sha384),
            SHA512 | HMAC_SHA512 => Some(Self::Sha512),
            _ => None,
        }
    }

    fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    fn hmac(self) -> hmac::Algorithm {
        match self {
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha384 => hmac::HMAC_SHA384,
            Self::Sha512 => hmac::HMAC_SHA512,
        }
    }

    fn pbkdf2(self) -> pbkdf2::Algorithm {
        match self {
            Self::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
            Self::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            Self::Sha384 => pbkdf2::PBKDF2_HMAC_SHA384,
            Self::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        }
    }
}

/// The key of a file's authentication code.
///
/// # Errors
/// [`Refusal::CertificateInvalid`] for too many iterations.
pub(super) fn mac_key(
    digest: Digest,
    salt: &[u8],
    iterations: u32,
    password: &Password<'_>,
    work: &mut Work,
) -> Result<hmac::Key, Refusal> {
    let key = password.derive(digest, Pkcs12KeyType::Mac, salt, iterations, digest.length(), work)?;
    Ok(hmac::Key::new(digest.hmac(), &key))
}

/// # Errors
/// [`WRONG_PASSWORD`] if the code is not that of the content.
pub(super) fn verify_mac(
    mac: &MacData<'_>,
    content: &[u8],
    password: &Password<'_>,
    work: &mut Work,
) -> Result<(), Refusal> {
    let digest = Digest::named(mac.mac.algorithm.oid).ok_or(UNSUPPORTED)?;
    let key = mac_key(digest, mac.salt.as_bytes(), mac.iterations, password, work)?;
    hmac::verify(&key, content, mac.mac.digest.as_bytes()).map_err(|_| WRONG_PASSWORD)
}

/// Decrypts what a password protects.
///
/// # Errors
/// [`Refusal::CertificateInvalid`]: [`WRONG_PASSWORD`], [`UNSUPPORTED`], parameters that are malformed, or too many
/// iterations.
pub(super) fn decrypt(
    algorithm: &AlgorithmIdentifierRef<'_>,
    encrypted: &[u8],
    password: &Password<'_>,
    work: &mut Work,
) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let parameters = algorithm.parameters.ok_or(MALFORMED)?;
    if algorithm.oid == PBES2 {
        let parameters = parameters.decode_as().map_err(|_| MALFORMED)?;
        return decrypt_pbes2(&parameters, encrypted, password, work);
    }
    let (key_length, cipher) = match algorithm.oid {
        PBE_TRIPLE_DES => (24, Cipher::TripleDes),
        PBE_RC2_128 => (16, Cipher::Rc2),
        PBE_RC2_40 => (5, Cipher::Rc2),
        _ => return Err(UNSUPPORTED),
    };
    let Pbes1Parameters { salt, iterations } = parameters.decode_as().map_err(|_| MALFORMED)?;
    let mut part = |use_as, length| password.derive(Digest::Sha1, use_as, salt.as_bytes(), iterations, length, work);
    let key = part(Pkcs12KeyType::EncryptionKey, key_length)?;
    let iv = part(Pkcs12KeyType::Iv, 8)?;
    cipher.decrypt(&key, &iv, encrypted)
}

fn decrypt_pbes2(
    parameters: &Pbes2Parameters<'_>,
    encrypted: &[u8],
    password: &Password<'_>,
    work: &mut Work,
) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let (key_length, cipher) = match parameters.encryption.oid {
        AES_128_CBC => (16, Cipher::Aes(&AES_128)),
        AES_192_CBC => (24, Cipher::Aes(&AES_192)),
        AES_256_CBC => (32, Cipher::Aes(&AES_256)),
        TRIPLE_DES_CBC => (24, Cipher::TripleDes),
        _ => return Err(UNSUPPORTED),
    };
    if parameters.derivation.oid != PBKDF2 {
        return Err(UNSUPPORTED);
    }
    let derivation = parameters.derivation.parameters.ok_or(MALFORMED)?;
    let derivation: Pbkdf2Parameters<'_> = derivation.decode_as().map_err(|_| MALFORMED)?;
    let digest = match derivation.function {
        Some(function) => Digest::named(function.oid).ok_or(UNSUPPORTED)?,
        None => Digest::Sha1,
    };
    if derivation.key_length.is_some_and(|length| usize::from(length) != key_length) {
        return Err(MALFORMED);
    }
    let iv = parameters.encryption.parameters.ok_or(MALFORMED)?;
    let iv: &OctetStringRef = iv.decode_as().map_err(|_| MALFORMED)?;
    let iterations = work.spend(derivation.iterations, key_length.div_ceil(digest.length()))?;
    let mut key = Zeroizing::new(vec![0; key_length]);
    pbkdf2::derive(digest.pbkdf2(), iterations, derivation.salt.as_bytes(), password.text.as_bytes(), &mut key);
    cipher.decrypt(&key, iv.as_bytes(), encrypted)
}

/// All in CBC with the padding of RFC 8018.
enum Cipher {
    Aes(&'static Algorithm),
    TripleDes,
    Rc2,
}

impl Cipher {
    fn decrypt(&self, key: &[u8], iv: &[u8], encrypted: &[u8]) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        let mut buffer = Zeroizing::new(encrypted.to_vec());
        let length = match self {
            Self::Aes(algorithm) => decrypt_aes(algorithm, key, iv, &mut buffer)?,
            Self::TripleDes => decrypt_cbc::<cbc::Decryptor<des::TdesEde3>>(key, iv, &mut buffer)?,
            Self::Rc2 => decrypt_cbc::<cbc::Decryptor<rc2::Rc2>>(key, iv, &mut buffer)?,
        };
        buffer.truncate(length);
        Ok(buffer)
    }
}

fn decrypt_aes(algorithm: &'static Algorithm, key: &[u8], iv: &[u8], buffer: &mut [u8]) -> Result<usize, Refusal> {
    let iv: &[u8; 16] = iv.try_into().map_err(|_| MALFORMED)?;
    let key = UnboundCipherKey::new(algorithm, key).and_then(PaddedBlockDecryptingKey::cbc_pkcs7);
    let key = key.map_err(|_| UNSUPPORTED)?;
    Ok(key.decrypt(buffer, DecryptionContext::Iv128(iv.into())).map_err(|_| WRONG_PASSWORD)?.len())
}

fn decrypt_cbc<C: KeyIvInit + BlockModeDecrypt>(key: &[u8], iv: &[u8], buffer: &mut [u8]) -> Result<usize, Refusal> {
    let cipher = C::new_from_slices(key, iv).map_err(|_| MALFORMED)?;
    Ok(cipher.decrypt_padded::<Pkcs7>(buffer).map_err(|_| WRONG_PASSWORD)?.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_derivations_of_a_file_share_their_work() {
        let mut work = Work::MOST;
        assert!(work.spend(600_000, 1).is_ok() && work.spend(600_000, 3).is_ok() && work.spend(600_000, 1).is_ok());
        assert!(work.spend(1, 1).is_err(), "it is spent");
        assert!(Work::of(3_000_000).spend(3_000_001, 1).is_err());
        assert!(Work::of(u32::MAX).spend(u32::MAX, 2).is_err(), "an overflow");
        assert!(Work::of(1).spend(0, 1).is_err(), "no iterations");
    }
}
