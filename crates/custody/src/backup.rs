//! Backup blobs: what the `backup` operation hands to the client, and `restore` takes back.
//!
//! A blob is `magic ‖ version ‖ length of scope (2 bytes) ‖ scope ‖ sealed payload`. It opens only under the key of
//! the scope it names ([`crate::RootKey::backup_key`]): every container of that scope can open it, also after the
//! container it came from was purged.
//!
//! This module does not know what the payload is, nor how a scope is composed.

use crate::entropy::Entropy;
use crate::error::{Error, Fault};
use crate::seal::{Context, Purpose, WrappingKey};
use domain::{Refusal, Sealed, Secret};

const MAGIC: &[u8; 4] = b"SRBK";
const VERSION: u8 = 1;

/// A parsed, still closed blob. Its scope is a claim until it opens.
pub struct BackupBlob {
    scope: String,
    sealed: Sealed,
}

impl BackupBlob {
    /// # Errors
    /// [`Refusal::BackupInvalid`] if this is no backup blob of a version we know.
    pub fn parse(blob: &[u8]) -> Result<Self, Refusal> {
        Self::split(blob).ok_or(Refusal::BackupInvalid)
    }

    fn split(blob: &[u8]) -> Option<Self> {
        let (version, rest) = blob.strip_prefix(MAGIC)?.split_first()?;
        if *version != VERSION {
            return None;
        }
        let (length, rest) = rest.split_first_chunk::<2>()?;
        let (scope, sealed) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        Some(Self { scope: str::from_utf8(scope).ok()?.to_owned(), sealed: Sealed(sealed.to_vec()) })
    }

    /// Where the blob says it belongs.
    #[must_use]
    pub fn scope(&self) -> &str {
        &self.scope
    }
}

/// The scope is authenticated as the name of the place; magic and version are constants of the parser.
fn context(scope: &str) -> Context<'_> {
    Context { container: None, kind: "backup", name: scope, version: None, purpose: Purpose::Backup }
}

/// Seals a payload for `scope`, such as `vault:{subscription}:{geography}` or `hsm:{security domain}`.
///
/// # Errors
/// A fault of the backend; a scope longer than 65 535 bytes.
pub fn seal_backup(key: &WrappingKey, scope: &str, payload: &Secret, entropy: &dyn Entropy) -> Result<Vec<u8>, Fault> {
    let length = u16::try_from(scope.len()).map_err(|_| Fault::Backend("the scope of a backup is too long"))?;
    let sealed = key.seal(&context(scope), payload.expose(), entropy)?;
    let mut blob = Vec::with_capacity(MAGIC.len() + 3 + scope.len() + sealed.0.len());
    blob.extend_from_slice(MAGIC);
    blob.push(VERSION);
    blob.extend_from_slice(&length.to_be_bytes());
    blob.extend_from_slice(scope.as_bytes());
    blob.extend_from_slice(&sealed.0);
    Ok(blob)
}

/// Opens a blob that must belong to `scope`.
///
/// # Errors
/// [`Refusal::BackupInvalid`] if it belongs to another scope, or was changed or cut: one refusal for all.
pub fn open_backup(key: &WrappingKey, scope: &str, blob: &[u8]) -> Result<Secret, Error> {
    let parsed = BackupBlob::parse(blob)?;
    if parsed.scope != scope {
        return Err(Refusal::BackupInvalid.into());
    }
    key.open(&context(scope), &parsed.sealed).map_err(|fault| match fault {
        Fault::SealBroken | Fault::FormatUnknown => Refusal::BackupInvalid.into(),
        other => other.into(),
    })
}
