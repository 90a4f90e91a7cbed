//! Proofs for those who have a record or an older checkpoint, and need not trust who gives them.

use super::tree::tile;
use crate::Error;
use custody::{
    merkle::{
        Hash, encode, leaf_hash,
        proof::{is_consistent, is_included},
        tiles,
    },
    note::{Checkpoint, NoteVerifier},
};
use serde::Serialize;
use store::{Read, StoredCheckpoint};

/// That a record is in the log that a checkpoint was signed for. Hashes are base64; the index counts from 0.
#[derive(Clone, Debug, Serialize)]
pub struct InclusionProof {
    pub position: u64,
    pub leaf: String,
    pub index: u64,
    pub size: u64,
    pub root: String,
    pub hashes: Vec<String>,
    pub checkpoint: String,
}

/// That a log begins with all that it was at an earlier size.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsistencyProof {
    pub from: u64,
    pub to: u64,
    pub from_root: String,
    pub to_root: String,
    pub hashes: Vec<String>,
    /// The older checkpoint, where it is still kept: only one an hour is.
    pub from_checkpoint: Option<String>,
    pub to_checkpoint: String,
}

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
pub enum NoProof {
    #[error("there is no record {0}")]
    NoRecord(u64),
    #[error("record {position} is not in the checkpoint of size {size}")]
    NotCovered { position: u64, size: u64 },
    #[error("nothing is signed yet")]
    NothingSigned,
    #[error("there is no checkpoint of size {size}; the next is of size {next}")]
    NoCheckpoint { size: u64, next: u64 },
    #[error("only {signed} records are signed")]
    Beyond { signed: u64 },
    #[error("write sizes from 1 on, the smaller one first")]
    WrongOrder,
    #[error("the log does not prove it: `strongroom audit verify` tells why")]
    Disproved,
    #[error(transparent)]
    Engine(#[from] Error),
}

impl From<store::Fault> for NoProof {
    fn from(fault: store::Fault) -> Self {
        Self::Engine(fault.into())
    }
}

impl From<tiles::Missing> for NoProof {
    fn from(_: tiles::Missing) -> Self {
        Self::Disproved
    }
}

/// Proves that the record at a position is in the log, at the size of a checkpoint: the newest, unless another is named.
///
/// # Errors
/// [`NoProof`].
pub fn prove_inclusion(
    read: &mut dyn Read,
    verifier: &NoteVerifier,
    position: u64,
    size: Option<u64>,
) -> Result<InclusionProof, NoProof> {
    let (checkpoint, note) = signed_at(read, verifier, size)?;
    let index = position.checked_sub(1).ok_or(NoProof::NoRecord(position))?;
    let found = read.audit(index, 1)?.into_iter().next().filter(|(at, _)| *at == position);
    let (_, leaf) = found.ok_or(NoProof::NoRecord(position))?;
    let size = checkpoint.size;
    let path = tiles::inclusion(index, size, &mut |wanted| tile(read, wanted).map_err(NoProof::from))?;
    let path = path.ok_or(NoProof::NotCovered { position, size })?;
    if !is_included(&leaf_hash(leaf.as_bytes()), index, size, &path, &checkpoint.root) {
        return Err(NoProof::Disproved);
    }
    let root = encode(&checkpoint.root);
    Ok(InclusionProof { position, leaf, index, size, root, hashes: texts(&path), checkpoint: note })
}

/// Proves that the log at size `to`, the newest checkpoint's unless another is named, begins with the log at size `from`.
///
/// # Errors
/// [`NoProof`].
pub fn prove_consistency(
    read: &mut dyn Read,
    verifier: &NoteVerifier,
    from: u64,
    to: Option<u64>,
) -> Result<ConsistencyProof, NoProof> {
    let (checkpoint, note) = signed_at(read, verifier, to)?;
    let to = checkpoint.size;
    let mut tile_of = |wanted| tile(read, wanted).map_err(NoProof::from);
    let path = tiles::consistency(from, to, &mut tile_of)?.ok_or(NoProof::WrongOrder)?;
    let from_root = tiles::root(from, &mut tile_of)?;
    if !is_consistent(from, to, &path, &from_root, &checkpoint.root) {
        return Err(NoProof::Disproved);
    }
    let older = next_checkpoint(read, from)?.filter(|older| older.size == from);
    Ok(ConsistencyProof {
        from,
        to,
        from_root: encode(&from_root),
        to_root: encode(&checkpoint.root),
        hashes: texts(&path),
        from_checkpoint: older.map(|older| older.note),
        to_checkpoint: note,
    })
}

/// The checkpoint of a size, or the newest.
fn signed_at(read: &mut dyn Read, verifier: &NoteVerifier, size: Option<u64>) -> Result<(Checkpoint, String), NoProof> {
    let last = read.last_audit_checkpoint()?.ok_or(NoProof::NothingSigned)?;
    let stored = match size {
        None => last,
        Some(size) => {
            let next = next_checkpoint(read, size)?.ok_or(NoProof::Beyond { signed: last.size })?;
            if next.size != size {
                return Err(NoProof::NoCheckpoint { size, next: next.size });
            }
            next
        }
    };
    let checkpoint = verifier.open_checkpoint(&stored.note).map_err(|_| NoProof::Disproved)?;
    Ok((checkpoint, stored.note))
}

/// The checkpoint of this size or the next larger one.
fn next_checkpoint(read: &mut dyn Read, size: u64) -> Result<Option<StoredCheckpoint>, NoProof> {
    Ok(read.audit_checkpoints(size.saturating_sub(1), 1)?.into_iter().next())
}

fn texts(path: &[Hash]) -> Vec<String> {
    path.iter().map(encode).collect()
}
