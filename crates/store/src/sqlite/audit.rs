//! The audit log's tables: records, the tiles of their tree, checkpoints.

use super::{
    pack::{pack, runs, texts, unpack},
    row::{Outcome, after_position, limit_of, many, one, position_of},
};
use crate::{Fault, StoredCheckpoint};
use domain::UnixTime;
use rusqlite::{Connection, Row, types::ValueRef};
use std::ops::ControlFlow;

pub(super) const RECORDS: &str =
    "SELECT position, count, record, pack FROM audit WHERE position > ?1 ORDER BY position";
/// Each end is a search of its own; asked for together, they would be a walk through all records.
pub(super) const BOUNDS: &str = "SELECT
     (SELECT position - count + 1 FROM audit WHERE position = (SELECT min(position) FROM audit)),
     (SELECT max(position) FROM audit)";
pub(super) const TILE: &str = "SELECT hashes FROM audit_tiles WHERE level = ?1 AND number = ?2";
pub(super) const LAST_CHECKPOINT: &str = "SELECT size, time, note FROM audit_checkpoints ORDER BY size DESC LIMIT 1";
pub(super) const CHECKPOINTS: &str =
    "SELECT size, time, note FROM audit_checkpoints WHERE size > ?1 ORDER BY size LIMIT ?2";

const APPEND: &str = "INSERT INTO audit (record) VALUES (?1)";
pub(super) const PUT_TILE: &str = "INSERT INTO audit_tiles (level, number, hashes) VALUES (?1, ?2, ?3)
     ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes";
pub(super) const INSERT_CHECKPOINT: &str = "INSERT INTO audit_checkpoints (size, time, note) VALUES (?1, ?2, ?3)";
pub(super) const REMOVE_CHECKPOINT: &str = "DELETE FROM audit_checkpoints WHERE size = ?1";
/// Of `?1` records.
const APPEND_PACK: &str = "INSERT INTO audit (position, count, record, pack)
     VALUES ((SELECT ifnull(max(position), 0) FROM audit) + ?1, ?1, '', ?2)";
pub(super) const DROP: &str = "DELETE FROM audit WHERE position <= ?1";
pub(super) const TRIM: &str = "UPDATE audit SET count = ?2, record = ?3, pack = ?4 WHERE position = ?1";

pub(super) fn visit(
    connection: &Connection,
    after: u64,
    visit: &mut dyn FnMut(u64, &str) -> ControlFlow<()>,
) -> Outcome<()> {
    let mut statement = connection.prepare_cached(RECORDS)?;
    let mut rows = statement.query([after_position(after)])?;
    let mut visit_later = |position, leaf: &str| match position > after {
        true => visit(position, leaf),
        // Of the row that the position lies in.
        false => ControlFlow::Continue(()),
    };
    while let Some(row) = rows.next()? {
        if visit_row(row, &mut visit_later)?.is_break() {
            break;
        }
    }
    Ok(())
}

fn corrupt() -> Fault {
    Fault::CorruptRecord { what: "audit record" }
}

/// Hands on what a row holds, with positions.
fn visit_row(row: &Row<'_>, visit: &mut dyn FnMut(u64, &str) -> ControlFlow<()>) -> Outcome<ControlFlow<()>> {
    let (last, count) = (position_of(row, 0)?, position_of(row, 1)?);
    let unpacked;
    let leaves = match (count, row.get_ref(3)?) {
        (1, ValueRef::Null) => vec![row.get_ref(2)?.as_str().map_err(|_| corrupt())?],
        (_, ValueRef::Blob(packed)) => {
            unpacked = unpack(packed)?;
            texts(&unpacked, usize::try_from(count).map_err(|_| corrupt())?)?
        }
        _ => return Err(corrupt()),
    };
    let before = last.checked_sub(count).ok_or_else(corrupt)?;
    Ok((before + 1..).zip(leaves).try_for_each(|(position, leaf)| visit(position, leaf)))
}

/// Appends one record. Returns its position.
pub(super) fn append(connection: &Connection, leaf: &str) -> Outcome<u64> {
    // SQLite numbers rows from 1, each after the highest there is; an undone insertion gives its number back.
    connection.prepare_cached(APPEND)?.execute([leaf])?;
    u64::try_from(connection.last_insert_rowid()).map_err(|_| Fault::CorruptRecord { what: "audit position" })
}

/// Appends records in as few rows as they fit into.
pub(super) fn append_all(connection: &Connection, leaves: &[&str]) -> Outcome<()> {
    for run in runs(leaves) {
        if let [leaf] = run {
            append(connection, leaf)?;
        } else {
            connection.prepare_cached(APPEND_PACK)?.execute((limit_of(run.len()), pack(run)?))?;
        }
    }
    Ok(())
}

/// Takes records from the beginning. The last one stays, or its position would be given to another.
pub(super) fn drop_records(connection: &Connection, through: u64, limit: usize) -> Outcome<usize> {
    let Some((first, last)) = bounds(connection)? else { return Ok(0) };
    // Positions begin with 1.
    let gone = first.checked_sub(1).ok_or_else(corrupt)?;
    let taken = through.min(last.saturating_sub(1)).saturating_sub(gone);
    let taken = usize::try_from(taken).unwrap_or(usize::MAX).min(limit);
    let through = gone + u64::try_from(taken).unwrap_or(u64::MAX);
    connection.prepare_cached(DROP)?.execute([after_position(through)])?;
    trim(connection, through)?;
    Ok(taken)
}

/// Takes from the first row the records up to and with a position, if it begins before.
fn trim(connection: &Connection, through: u64) -> Outcome<()> {
    let first = one(connection, RECORDS, [0], |row| {
        let (mut begins_before, mut kept) = (false, Vec::new());
        let _ = visit_row(row, &mut |position, leaf| {
            if position > through {
                kept.push(leaf.to_owned());
            } else {
                begins_before = true;
            }
            ControlFlow::Continue(())
        })?;
        Ok(begins_before.then_some((position_of(row, 0)?, kept)))
    })?;
    let Some((last, kept)) = first.flatten() else { return Ok(()) };
    let kept: Vec<_> = kept.iter().map(String::as_str).collect();
    let (record, packed) = if let [leaf] = *kept { (leaf, None) } else { ("", Some(pack(&kept)?)) };
    let row = (after_position(last), limit_of(kept.len()), record, packed);
    connection.prepare_cached(TRIM)?.execute(row)?;
    Ok(())
}

pub(super) fn bounds(connection: &Connection) -> Outcome<Option<(u64, u64)>> {
    let bounds = one(connection, BOUNDS, [], |row| {
        let is_empty = row.get_ref(0)? == ValueRef::Null;
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
