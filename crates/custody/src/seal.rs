//! Sealing: AES-256-GCM that pins what is sealed to its place.
//!
//! A sealed blob is `format (1 byte) ‖ nonce (12) ‖ ciphertext ‖ tag (16)`. The associated data names the format
//! and the place ([`Context`]), each part with its length before it, so a blob moved to another row, container,
//! version or purpose does not open. Nonces are random: one key must seal fewer than 2^32 blobs (NIST SP 800-38D
//! §8.3), which keys of one container or object stay far below.
//!
//! This module does not know what the sealed bytes mean, or which key seals which (that is for the engine).

use crate::entropy::{Entropy, draw};
use crate::error::Fault;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use domain::{ContainerId, Sealed, Secret, VersionId};
use zeroize::Zeroizing;

const FORMAT: u8 = 1;
const NONCE_LENGTH: usize = 12;
const TAG_LENGTH: usize = 16;
const KEY_LENGTH: usize = 32;

/// What a sealed blob is for. Part of the associated data: the words are stored for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    ContainerKey,
    ObjectKey,
    Material,
    /// A key of the server itself, such as the token issuer's.
    SystemKey,
    Backup,
    BackupKey,
    /// Where notices are sent: a URL that may hold a secret.
    Endpoint,
}

impl Purpose {
    fn word(self) -> &'static str {
        match self {
            Self::ContainerKey => "container-key",
            Self::ObjectKey => "object-key",
            Self::Material => "material",
            Self::SystemKey => "system-key",
            Self::Backup => "backup",
            Self::BackupKey => "backup-key",
            Self::Endpoint => "endpoint",
        }
    }
}

/// The place of a sealed blob. The same must be given to open it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context<'a> {
    pub container: Option<ContainerId>,
    /// The kind of object: `key`, `secret`, …
    pub kind: &'a str,
    /// The name in its folded form; folding is the caller's.
    pub name: &'a str,
    pub version: Option<VersionId>,
    pub purpose: Purpose,
}

impl Context<'_> {
    /// The associated data: every part as `length (8 bytes, big-endian) ‖ bytes`, so that no two places share it.
    fn associated_data(&self) -> Vec<u8> {
        let container = self.container.map(|id| id.to_string()).unwrap_or_default();
        let version = self.version.as_ref().map_or(&[][..], |version| version.as_bytes());
        let parts: [&[u8]; 6] = [
            &[FORMAT],
            container.as_bytes(),
            self.kind.as_bytes(),
            self.name.as_bytes(),
            version,
            self.purpose.word().as_bytes(),
        ];
        let mut data = Vec::with_capacity(parts.iter().map(|part| 8 + part.len()).sum());
        for part in parts {
            data.extend_from_slice(&(part.len() as u64).to_be_bytes());
            data.extend_from_slice(part);
        }
        data
    }
}

/// A key of 256 bits that seals other keys and material. Its expanded form is kept, so each use is cheap.
pub struct WrappingKey {
    /// Kept beside the expanded form so that the key itself can be sealed. The library wipes its own copy.
    bytes: Secret,
    aead: LessSafeKey,
}

impl WrappingKey {
    /// # Errors
    /// A fault of the backend (out of memory).
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, Fault> {
        let bytes = Zeroizing::new(draw::<KEY_LENGTH>(entropy));
        Self::from_bytes(bytes.as_slice())
    }

    /// Anything but 32 bytes is a [`Fault::SealBroken`]: only an opened blob can have another length.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Fault> {
        if bytes.len() != KEY_LENGTH {
            return Err(Fault::SealBroken);
        }
        let unbound = UnboundKey::new(&AES_256_GCM, bytes).map_err(|_| Fault::Backend("expanding an AES key"))?;
        Ok(Self { bytes: Secret::new(bytes.to_vec()), aead: LessSafeKey::new(unbound) })
    }

    /// # Errors
    /// A fault of the backend (more than 64 GiB, out of memory).
    pub fn seal(&self, context: &Context<'_>, plaintext: &[u8], entropy: &dyn Entropy) -> Result<Sealed, Fault> {
        let nonce = draw::<NONCE_LENGTH>(entropy);
        // Sized at once: growing would leave copies of the plaintext behind.
        let mut blob = Vec::with_capacity(1 + NONCE_LENGTH + plaintext.len() + TAG_LENGTH);
        blob.push(FORMAT);
        blob.extend_from_slice(&nonce);
        blob.extend_from_slice(plaintext);
        let body = blob.get_mut(1 + NONCE_LENGTH..).unwrap_or_default();
        let tag = self
            .aead
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context.associated_data()), body)
            .map_err(|_| Fault::Backend("sealing"))?;
        blob.extend_from_slice(tag.as_ref());
        Ok(Sealed(blob))
    }

    /// # Errors
    /// [`Fault::SealBroken`] if the blob was changed, sealed by another key or for another place;
    /// [`Fault::FormatUnknown`].
    pub fn open(&self, context: &Context<'_>, sealed: &Sealed) -> Result<Secret, Fault> {
        let (format, rest) = sealed.0.split_first().ok_or(Fault::SealBroken)?;
        if *format != FORMAT {
            return Err(Fault::FormatUnknown);
        }
        let (nonce, body) = rest.split_first_chunk::<NONCE_LENGTH>().ok_or(Fault::SealBroken)?;
        let mut body = Zeroizing::new(body.to_vec());
        let plaintext = self
            .aead
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(context.associated_data()), &mut body)
            .map_err(|_| Fault::SealBroken)?;
        Ok(Secret::new(plaintext.to_vec()))
    }

    /// Seals a key of the next level.
    ///
    /// # Errors
    /// Those of [`WrappingKey::seal`].
    pub fn seal_key(&self, context: &Context<'_>, inner: &WrappingKey, entropy: &dyn Entropy) -> Result<Sealed, Fault> {
        self.seal(context, inner.bytes.expose(), entropy)
    }

    /// # Errors
    /// Those of [`WrappingKey::open`].
    pub fn open_key(&self, context: &Context<'_>, sealed: &Sealed) -> Result<WrappingKey, Fault> {
        Self::from_bytes(self.open(context, sealed)?.expose())
    }
}
