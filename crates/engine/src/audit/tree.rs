//! The log's tree as the store keeps it, and who has signed it.

use crate::Error;
use custody::{
    merkle::{
        Hash,
        tiles::{self, Missing, Tile},
    },
    note::{NoteError, NoteVerifier},
};
use domain::Sealed;
use serde::{Deserialize, Serialize};
use store::{Fault, Read};

/// The system record of the notary's key.
pub(super) const KEY_RECORD: &str = "audit-key";

/// The notary's key as it is kept: the text that verifies, and the seed that signs.
#[derive(Serialize, Deserialize)]
pub(super) struct KeyRecord {
    pub verifier: String,
    pub seed: Sealed,
}

impl KeyRecord {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(bytes).map_err(|_| Error::Broken(KEY_RECORD))
    }

    pub(super) fn verifier(&self) -> Result<NoteVerifier, Error> {
        self.verifier.parse().map_err(|_| Error::Broken(KEY_RECORD))
    }
}

/// The verifier key that lies beside the log. Whoever could change the log could change it too: what it is worth is
/// decided by comparing it with one that was written down.
///
/// # Errors
/// [`Error::Store`], [`Error::Broken`].
pub fn verifier_key(read: &mut dyn Read) -> Result<Option<NoteVerifier>, Error> {
    let Some(record) = read.system_record(KEY_RECORD)? else { return Ok(None) };
    KeyRecord::read(&record)?.verifier().map(Some)
}

/// A tile's hashes; none if it is not there or damaged, which whoever needs them will notice.
pub(super) fn tile(read: &mut (impl Read + ?Sized), tile: Tile) -> Result<Vec<Hash>, Fault> {
    let bytes = read.audit_tile(tile.level, tile.number)?;
    Ok(bytes.and_then(|bytes| tiles::parse(&bytes)).unwrap_or_default())
}

/// How a log and a checkpoint that was kept outside of it go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The log begins with all that the checkpoint covers.
    Continued,
    /// The checkpoint covers more records than the log has: an older state has come back.
    Behind { signed: u64, has: u64 },
    /// The log has other records than the checkpoint covers.
    Parted { signed: u64 },
    /// The checkpoint is not one of this log's key.
    Foreign(NoteError),
}

/// Compares a checkpoint from outside with the log.
///
/// # Errors
/// [`Error::Store`]; [`Error::Broken`] if the log's own hashes are incomplete.
pub fn standing(read: &mut dyn Read, verifier: &NoteVerifier, note: &str) -> Result<Standing, Error> {
    let kept = match verifier.open_checkpoint(note) {
        Ok(kept) => kept,
        Err(error) => return Ok(Standing::Foreign(error)),
    };
    let has = read.last_audit_checkpoint()?.map_or(0, |last| last.size);
    if kept.size > has {
        return Ok(Standing::Behind { signed: kept.size, has });
    }
    let root = tiles::root(kept.size, &mut |wanted| tile(read, wanted).map_err(Error::from))?;
    Ok(if root == kept.root { Standing::Continued } else { Standing::Parted { signed: kept.size } })
}

impl From<Missing> for Error {
    fn from(_: Missing) -> Self {
        Self::Broken("the audit log's hashes are incomplete")
    }
}
