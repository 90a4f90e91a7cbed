//! The root of the hierarchy, and the ways it comes into memory: a key file or a passphrase.
//!
//! The 32 root bytes never encrypt anything themselves: HKDF-SHA256 (RFC 5869) derives one key per duty from them,
//! so that sealing and backups are independent.
//!
//! This module does not read files, prompt, or decide where parameters are kept.

use crate::entropy::{Entropy, draw};
use crate::error::Fault;
use crate::seal::{Context, Purpose, WrappingKey};
use aws_lc_rs::hkdf;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use domain::{Sealed, Secret};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

const ROOT_LENGTH: usize = 32;
const SALT: &[u8] = b"strongroom root key v1";
const SEALING: &[u8] = b"sealing";
const BACKUP: &[u8] = b"backup:";
const CHECK_TEXT: &[u8] = b"strongroom";

/// The key at the top: whoever has it and the database has everything.
pub struct RootKey {
    derivation: hkdf::Prk,
    sealing: WrappingKey,
}

impl RootKey {
    /// Reads the contents of a key file: 32 raw bytes, or text of 64 hexadecimal digits or 44 (43 without padding)
    /// characters of base64, in either alphabet, with white space around it.
    ///
    /// # Errors
    /// [`Fault::KeyFileInvalid`], saying what is wrong.
    pub fn from_key_file(contents: &[u8]) -> Result<Self, Fault> {
        if contents.len() == ROOT_LENGTH && !contents.is_ascii() {
            return Self::from_bytes(contents);
        }
        let text = contents.trim_ascii();
        let decoded = Zeroizing::new(match text.len() {
            64 => decode_hex(text).ok_or(Fault::KeyFileInvalid("64 characters, but not hexadecimal digits"))?,
            43 | 44 => decode_base64(text).ok_or(Fault::KeyFileInvalid("neither 32 raw bytes nor base64 of them"))?,
            // Random bytes are all ASCII once in 2^32 files; a phrase of 32 letters in a key file is likelier.
            ROOT_LENGTH => return Err(Fault::KeyFileInvalid("32 characters of text, not 32 random bytes")),
            0 => return Err(Fault::KeyFileInvalid("it is empty")),
            _ => return Err(Fault::KeyFileInvalid("expected 32 raw bytes, 64 hexadecimal digits, or base64")),
        });
        Self::from_bytes(&decoded)
    }

    /// A new root key, and the text to write to its file (base64 and a line feed).
    ///
    /// # Errors
    /// A fault of the backend.
    pub fn new_key_file(entropy: &dyn Entropy) -> Result<(Self, Secret), Fault> {
        let bytes = Zeroizing::new(draw::<ROOT_LENGTH>(entropy));
        let mut text = Zeroizing::new(String::with_capacity(45));
        STANDARD.encode_string(bytes.as_slice(), &mut text);
        text.push('\n');
        Ok((Self::from_bytes(bytes.as_slice())?, Secret::new(text.as_bytes().to_vec())))
    }

    /// Stretches a passphrase with Argon2id (RFC 9106). Takes a few hundred milliseconds and
    /// [`PassphraseParameters::memory_kib`] of memory.
    ///
    /// # Errors
    /// [`Fault::PassphraseInvalid`] if the passphrase is shorter than 8 bytes or the parameters are too weak.
    pub fn from_passphrase(passphrase: &Secret, parameters: &PassphraseParameters) -> Result<Self, Fault> {
        if passphrase.expose().len() < PassphraseParameters::SHORTEST_PASSPHRASE {
            return Err(Fault::PassphraseInvalid("shorter than 8 bytes"));
        }
        let hasher = parameters.hasher()?;
        let mut bytes = Zeroizing::new([0; ROOT_LENGTH]);
        hasher
            .hash_password_into(passphrase.expose(), &parameters.salt, bytes.as_mut_slice())
            .map_err(|_| Fault::Backend("Argon2id"))?;
        Self::from_bytes(bytes.as_slice())
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, Fault> {
        if bytes.len() != ROOT_LENGTH {
            return Err(Fault::KeyFileInvalid("it does not decode to 32 bytes"));
        }
        if bytes.iter().all(|byte| Some(byte) == bytes.first()) {
            return Err(Fault::KeyFileInvalid("all its bytes are the same"));
        }
        let derivation = hkdf::Salt::new(hkdf::HKDF_SHA256, SALT).extract(bytes);
        let sealing = derive(&derivation, &[SEALING])?;
        Ok(Self { derivation, sealing })
    }

    /// The key that seals container keys and system keys.
    #[must_use]
    pub fn as_wrapping(&self) -> &WrappingKey {
        &self.sealing
    }

    /// The key of all backups of a scope, derived and not stored: a blob opens in any container of the scope, also
    /// when the one it came from is gone. Another root key makes older backups unreadable.
    ///
    /// # Errors
    /// A fault of the backend.
    pub fn backup_key(&self, scope: &str) -> Result<WrappingKey, Fault> {
        derive(&self.derivation, &[BACKUP, scope.as_bytes()])
    }

    /// A sealed constant to store beside the state, so that a wrong root key is noticed at start.
    ///
    /// # Errors
    /// A fault of the backend.
    pub fn seal_check(&self, entropy: &dyn Entropy) -> Result<Sealed, Fault> {
        self.sealing.seal(&CHECK, CHECK_TEXT, entropy)
    }

    /// # Errors
    /// [`Fault::WrongRoot`] if the constant was sealed by another root key (or was changed: they look alike).
    pub fn verify_check(&self, sealed: &Sealed) -> Result<(), Fault> {
        match self.sealing.open(&CHECK, sealed) {
            Ok(text) if text.expose() == CHECK_TEXT => Ok(()),
            Ok(_) | Err(Fault::SealBroken) => Err(Fault::WrongRoot),
            Err(other) => Err(other),
        }
    }
}

const CHECK: Context<'static> =
    Context { container: None, kind: "root", name: "CHECK", version: None, purpose: Purpose::SystemKey };

fn derive(derivation: &hkdf::Prk, info: &[&[u8]]) -> Result<WrappingKey, Fault> {
    let mut bytes = Zeroizing::new([0; ROOT_LENGTH]);
    derivation
        .expand(info, hkdf::HKDF_SHA256)
        .and_then(|output| output.fill(bytes.as_mut_slice()))
        .map_err(|_| Fault::Backend("HKDF"))?;
    WrappingKey::from_bytes(bytes.as_slice())
}

fn decode_hex(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    for pair in text.chunks_exact(2) {
        let high = char::from(*pair.first()?).to_digit(16)?;
        let low = char::from(*pair.last()?).to_digit(16)?;
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    Some(bytes)
}

fn decode_base64(text: &[u8]) -> Option<Vec<u8>> {
    [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD].iter().find_map(|alphabet| alphabet.decode(text).ok())
}

/// How a passphrase becomes the root key. Not secret; stored beside the database, and needed to open it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PassphraseParameters {
    /// `m` of Argon2id, in KiB.
    pub memory_kib: u32,
    /// `t` of Argon2id: passes over the memory.
    pub iterations: u32,
    /// `p` of Argon2id: lanes.
    pub parallelism: u32,
    /// 16 bytes or more, unique to this installation.
    #[serde(with = "base64_text")]
    pub salt: Vec<u8>,
}

impl PassphraseParameters {
    /// What a passphrase must have (NIST SP 800-63B §5.1.1). Advise much longer ones.
    pub const SHORTEST_PASSPHRASE: usize = 8;
    /// The weakest setting that OWASP still recommends for Argon2id.
    const LEAST_MEMORY_KIB: u32 = 19 * 1024;
    const LEAST_ITERATIONS: u32 = 2;
    /// A parameter file must not be able to take all memory.
    const MOST_MEMORY_KIB: u32 = 4 * 1024 * 1024;
    const MOST_ITERATIONS: u32 = 64;

    /// RFC 9106 §4, second recommended option: 64 MiB, 3 passes, 4 lanes, a salt of 128 bits.
    #[must_use]
    pub fn recommended(entropy: &dyn Entropy) -> Self {
        Self { memory_kib: 64 * 1024, iterations: 3, parallelism: 4, salt: draw::<16>(entropy).to_vec() }
    }

    fn hasher(&self) -> Result<argon2::Argon2<'static>, Fault> {
        if !(Self::LEAST_MEMORY_KIB..=Self::MOST_MEMORY_KIB).contains(&self.memory_kib)
            || !(Self::LEAST_ITERATIONS..=Self::MOST_ITERATIONS).contains(&self.iterations)
        {
            return Err(Fault::PassphraseInvalid("memory or iterations outside the accepted range"));
        }
        if self.salt.len() < 16 {
            return Err(Fault::PassphraseInvalid("the salt is shorter than 16 bytes"));
        }
        let parameters = argon2::Params::new(self.memory_kib, self.iterations, self.parallelism, Some(ROOT_LENGTH))
            .map_err(|_| Fault::PassphraseInvalid("Argon2id does not take these parameters"))?;
        Ok(argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, parameters))
    }
}

/// Bytes as base64 text in a stored record.
mod base64_text {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(deserializer)?).map_err(|_| D::Error::custom("not base64"))
    }
}
