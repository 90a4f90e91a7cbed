//! Signed notes (C2SP signed-note) and the checkpoints of a log that are written as such (C2SP tlog-checkpoint).
//!
//! A note is text with signature lines below it. The only kind of signature made and checked here is Ed25519.
//!
//! This module does not know which tree a checkpoint is of, or where notes and keys are kept.

use crate::{
    Entropy, Fault,
    entropy::draw,
    merkle::{self, Hash},
    sha256,
};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::Secret;
use std::{fmt, str::FromStr};

const SEED_LENGTH: usize = 32;
const PUBLIC_LENGTH: usize = 32;
/// The kind of signature, as the specification numbers them.
const ED25519_KIND: u8 = 1;
const SIGNATURE_MARK: &str = "\u{2014} ";
/// More signatures than any note of ours will carry; the specification asks for 16 at least.
const MOST_SIGNATURES: usize = 64;

/// Why a note or a key is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    #[error("it is not a signed note: {0}")]
    Malformed(&'static str),
    #[error("it is not signed by this key")]
    NotSigned,
    #[error("its signature is wrong")]
    WrongSignature,
    #[error("it is not a checkpoint: {0}")]
    NotCheckpoint(&'static str),
    #[error("it is not a verifier key: {0}")]
    NotVerifier(&'static str),
}

/// Signs notes under a name.
pub struct NoteSigner {
    key: Ed25519KeyPair,
    verifier: NoteVerifier,
}

impl NoteSigner {
    /// A new key, and the seed to seal and keep.
    ///
    /// # Errors
    /// [`Fault::MaterialInvalid`] for a name that can't be one; a fault of the backend.
    pub fn generate(name: &str, entropy: &dyn Entropy) -> Result<(Self, Secret), Fault> {
        let seed = Secret::new(zeroize::Zeroizing::new(draw::<SEED_LENGTH>(entropy)).to_vec());
        Ok((Self::from_seed(name, &seed)?, seed))
    }

    /// The key that the seed belongs to.
    ///
    /// # Errors
    /// [`Fault::MaterialInvalid`] for a name or a seed that can't be one.
    pub fn from_seed(name: &str, seed: &Secret) -> Result<Self, Fault> {
        let key = Ed25519KeyPair::from_seed_unchecked(seed.expose())
            .map_err(|_| Fault::MaterialInvalid("not the seed of an Ed25519 key"))?;
        let public = <[u8; PUBLIC_LENGTH]>::try_from(key.public_key().as_ref())
            .map_err(|_| Fault::Backend("the public key of an Ed25519 key"))?;
        if !is_name(name) {
            return Err(Fault::MaterialInvalid("not the name of a note's signer"));
        }
        Ok(Self { key, verifier: NoteVerifier { name: name.to_owned(), public } })
    }

    #[must_use]
    pub fn verifier(&self) -> &NoteVerifier {
        &self.verifier
    }

    /// A note of this text, which ends in a line feed.
    #[must_use]
    pub fn sign(&self, text: &str) -> String {
        let mut signature = self.verifier.id().to_be_bytes().to_vec();
        signature.extend_from_slice(self.key.sign(text.as_bytes()).as_ref());
        format!("{text}\n{SIGNATURE_MARK}{} {}\n", self.verifier.name, STANDARD.encode(signature))
    }
}

/// Tells whether a note was signed by the key of a name. Its text form is the specification's verifier key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteVerifier {
    name: String,
    public: [u8; PUBLIC_LENGTH],
}

impl NoteVerifier {
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Four bytes that tell keys of one name apart, most of the time.
    fn id(&self) -> u32 {
        let typed = [self.name.as_bytes(), b"\n", &[ED25519_KIND], &self.public].concat();
        let [a, b, c, d, ..] = sha256(&typed);
        u32::from_be_bytes([a, b, c, d])
    }

    /// The text of a note, if it is signed by this key. Signatures of others are looked past.
    ///
    /// # Errors
    /// [`NoteError`], but for [`NoteError::NotCheckpoint`] and [`NoteError::NotVerifier`].
    pub fn open<'n>(&self, note: &'n str) -> Result<&'n str, NoteError> {
        let note = Note::parse(note)?;
        let id = self.id();
        let mut is_signed = false;
        for signature in note.signatures.iter().filter(|signature| signature.name == self.name && signature.id == id) {
            UnparsedPublicKey::new(&ED25519, &self.public)
                .verify(note.text.as_bytes(), &signature.bytes)
                .map_err(|_| NoteError::WrongSignature)?;
            is_signed = true;
        }
        if is_signed { Ok(note.text) } else { Err(NoteError::NotSigned) }
    }
}

impl fmt::Display for NoteVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[ED25519_KIND], &self.public[..]].concat();
        write!(f, "{}+{:08x}+{}", self.name, self.id(), STANDARD.encode(key))
    }
}

impl FromStr for NoteVerifier {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let wrong = NoteError::NotVerifier;
        // The base64 may have plus signs of its own.
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(wrong("expected name+hash+key"));
        };
        let key = STANDARD.decode(key).map_err(|_| wrong("the key is not base64"))?;
        let public = match key.split_first() {
            Some((&ED25519_KIND, public)) => public.try_into().map_err(|_| wrong("the key is not 32 bytes"))?,
            _ => return Err(wrong("the key is not of the kind Ed25519")),
        };
        if !is_name(name) {
            return Err(wrong("the name is empty, or has spaces in it"));
        }
        let verifier = Self { name: name.to_owned(), public };
        if id != format!("{:08x}", verifier.id()) {
            return Err(wrong("the hash is not that of name and key"));
        }
        Ok(verifier)
    }
}

/// A note taken apart; nothing of it is believed yet.
struct Note<'n> {
    text: &'n str,
    signatures: Vec<Signature<'n>>,
}

struct Signature<'n> {
    name: &'n str,
    id: u32,
    bytes: Vec<u8>,
}

impl<'n> Note<'n> {
    fn parse(note: &'n str) -> Result<Self, NoteError> {
        let wrong = NoteError::Malformed;
        if note.bytes().any(|byte| byte < b' ' && byte != b'\n') {
            return Err(wrong("control characters"));
        }
        let (text, below) = note.rsplit_once("\n\n").ok_or(wrong("no empty line before the signatures"))?;
        let text = note.get(..=text.len()).unwrap_or_default();
        let lines = below.strip_suffix('\n').ok_or(wrong("the last line does not end"))?;
        let mut signatures = Vec::new();
        for line in lines.split('\n') {
            if signatures.len() == MOST_SIGNATURES {
                return Err(wrong("too many signatures"));
            }
            signatures.push(Signature::parse(line).ok_or(wrong("a signature line that is none"))?);
        }
        Ok(Self { text, signatures })
    }
}

impl<'n> Signature<'n> {
    fn parse(line: &'n str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix(SIGNATURE_MARK)?.split_once(' ')?;
        let decoded = STANDARD.decode(encoded).ok()?;
        let (id, bytes) = decoded.split_first_chunk::<4>()?;
        let is_sound = is_name(name) && !bytes.is_empty();
        is_sound.then(|| Self { name, id: u32::from_be_bytes(*id), bytes: bytes.to_vec() })
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|letter: char| letter.is_whitespace() || letter.is_control() || letter == '+')
}

/// What a log says of itself at one size: the text of a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// How many leaves it has.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin, self.size, merkle::encode(&self.root))
    }
}

impl FromStr for Checkpoint {
    type Err = NoteError;

    /// Reads a note's text. Lines after the third are looked past, as the specification says.
    fn from_str(text: &str) -> Result<Self, NoteError> {
        let wrong = NoteError::NotCheckpoint;
        let lines: Vec<&str> =
            text.strip_suffix('\n').ok_or(wrong("the last line does not end"))?.split('\n').collect();
        let [origin, size, root, ..] = lines.as_slice() else { return Err(wrong("fewer than three lines")) };
        if lines.iter().any(|line| line.is_empty()) {
            return Err(wrong("an empty line"));
        }
        let is_decimal = size.bytes().all(|byte| byte.is_ascii_digit()) && (!size.starts_with('0') || *size == "0");
        let parsed = size.parse().ok().filter(|_| is_decimal).ok_or(wrong("the size is no number"))?;
        let root = merkle::decode(root).ok_or(wrong("the root is not the base64 of 32 bytes"))?;
        Ok(Self { origin: (*origin).to_owned(), size: parsed, root })
    }
}

impl NoteVerifier {
    /// The checkpoint in a note, if it is signed by this key and speaks of the log of its name.
    ///
    /// # Errors
    /// [`NoteError`].
    pub fn open_checkpoint(&self, note: &str) -> Result<Checkpoint, NoteError> {
        let checkpoint: Checkpoint = self.open(note)?.parse()?;
        if checkpoint.origin != self.name {
            return Err(NoteError::NotCheckpoint("it is of another log"));
        }
        Ok(checkpoint)
    }
}
