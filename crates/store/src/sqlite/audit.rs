//! The audit log's tables: records, the tiles of their tree, checkpoints.

use super::row::{Outcome, after_position, limit_of, many, one, position_of};
use crate::{Fault, StoredCheckpoint};
use domain::UnixTime;
use rusqlite::{Connection, Row};

pub(super) const RECORDS: &str = "SELECT position, record FROM audit WHERE position > ?1 ORDER BY position LIMIT ?2";
/// Each end is a search of its own; asked for together, they would be a walk through all records.
pub(super) const BOUNDS: &str = "SELECT (SELECT min(position) FROM audit), (SELECT max(position) FROM audit)";
pub(super) const TILE: &str = "SELECT hashes FROM audit_tiles WHERE level = ?1 AND number = ?2";
pub(super) const LAST_CHECKPOINT: &str = "SELECT size, time, note FROM audit_checkpoints ORDER BY size DESC LIMIT 1";
pub(super) const CHECKPOINTS: &str =
    "SELECT size, time, note FROM audit_checkpoints WHERE size > ?1 ORDER BY size LIMIT ?2";

pub(super) const APPEND: &str = "INSERT INTO audit (record) VALUES (?1)";
pub(super) const PUT_TILE: &str = "INSERT INTO audit_tiles (level, number, hashes) VALUES (?1, ?2, ?3)
     ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes";
pub(super) const INSERT_CHECKPOINT: &str = "INSERT INTO audit_checkpoints (size, time, note) VALUES (?1, ?2, ?3)";
pub(super) const REMOVE_CHECKPOINT: &str = "DELETE FROM audit_checkpoints WHERE size = ?1";
/// The last record stays, or its position would be given to another.
pub(super) const DROP: &str = "DELETE FROM audit WHERE position IN
     (SELECT position FROM audit WHERE position <= ?1 AND position < (SELECT max(position) FROM audit)
      ORDER BY position LIMIT ?2)";

pub(super) fn records(connection: &Connection, after: u64, limit: usize) -> Outcome<Vec<(u64, String)>> {
    many(connection, RECORDS, (after_position(after), limit_of(limit)), |row| {
        let leaf = row.get(1).map_err(|_| Fault::CorruptRecord { what: "audit record" })?;
        Ok((position_of(row, 0)?, leaf))
    })
}

pub(super) fn bounds(connection: &Connection) -> Outcome<Option<(u64, u64)>> {
    let bounds = one(connection, BOUNDS, [], |row| {
        let is_empty = row.get_ref(0)? == rusqlite::types::ValueRef::Null;
        if is_empty { Ok(None) } else { Ok(Some((position_of(row, 0)?, position_of(row, 1)?))) }
    })?;
    Ok(bounds.flatten())
}

pub(super) fn tile(connection: &Connection, level: u8, number: u64) -> Outcome<Option<Vec<u8>>> {
    one(connection, TILE, (level, after_position(number)), |row| Ok(row.get(0)?))
}

pub(super) fn last_checkpoint(connection: &Connection) -> Outcome<Option<StoredCheckpoint>> {
    one(connection, LAST_CHECKPOINT, [], checkpoint)
}

pub(super) fn checkpoints(connection: &Connection, after: u64, limit: usize) -> Outcome<Vec<StoredCheckpoint>> {
    many(connection, CHECKPOINTS, (after_position(after), limit_of(limit)), checkpoint)
}

/// Text that was damaged is still read: that its signature is wrong is found by whoever checks it.
fn checkpoint(row: &Row<'_>) -> Outcome<StoredCheckpoint> {
    let note = row.get_ref(2)?.as_bytes().map_err(|_| Fault::CorruptRecord { what: "audit checkpoint" })?;
    Ok(StoredCheckpoint {
        size: position_of(row, 0)?,
        time: UnixTime(row.get(1)?),
        note: String::from_utf8_lossy(note).into_owned(),
    })
}
