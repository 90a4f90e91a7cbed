//! Slots: where sealed bytes live, so that destroying them reaches every place they have ever been.
//!
//! Why not simply a column of the row they belong to: even with `secure_delete`, SQLite leaves remains of a row
//! behind when it moves the row from one page to another (`rebuildPage` does not clear the gap it makes), and a later
//! deletion clears only where the row is then. In a trial, 10 000 deletions in a plain table left 8 keys readable, and none in slots. So slots never
//! move: their table only grows at its end, and a slot is only ever overwritten by as many bytes as it holds, which
//! SQLite does in place.

use super::row::{Outcome, one};
use crate::Fault;
use rusqlite::{Connection, Params};

/// Slots come in multiples of this, so that one that was freed fits the next value of about the same size.
const STEP: usize = 64;
const LENGTH_BYTES: usize = 4;

pub(super) const TAKE: &str = "SELECT slot FROM free_slots WHERE size = ?1 LIMIT 1";
pub(super) const UNLIST: &str = "DELETE FROM free_slots WHERE size = ?1 AND slot = ?2";
pub(super) const FILL: &str = "UPDATE slots SET bytes = ?2 WHERE id = ?1";
const APPEND: &str = "INSERT INTO slots (bytes) VALUES (?1)";

/// Statements that zero some slots and list them as free; the condition names the slots by `id`.
macro_rules! erasure {
    ($condition:literal) => {
        [
            concat!("INSERT INTO free_slots (size, slot) SELECT length(bytes), id FROM slots WHERE ", $condition),
            concat!("UPDATE slots SET bytes = zeroblob(length(bytes)) WHERE ", $condition),
        ]
    };
}

pub(super) const ERASE_OF_RECORD: [&str; 2] = erasure!("id IN (SELECT value FROM system_records WHERE name = ?1)");
pub(super) const ERASE_OF_OBJECT: [&str; 2] = erasure!(
    "id IN (SELECT material FROM versions WHERE object = ?1
            UNION ALL SELECT sealed_key FROM objects WHERE number = ?1)"
);
pub(super) const ERASE_OF_ISSUER: [&str; 2] =
    erasure!("id IN (SELECT password FROM issuers WHERE container = ?1 AND name = ?2)");
pub(super) const ERASE_OF_EVENT_SUBSCRIPTION: [&str; 2] =
    erasure!("id IN (SELECT endpoint FROM event_subscriptions WHERE number = ?1)");
/// Of the container itself; its objects go one by one.
pub(super) const ERASE_OF_CONTAINER: [&str; 2] = erasure!(
    "id IN (SELECT password FROM issuers WHERE container = ?1
            UNION ALL SELECT endpoint FROM event_subscriptions WHERE container = ?1
            UNION ALL SELECT sealed_key FROM containers WHERE id = ?1)"
);

/// Puts bytes into a slot and returns its number.
pub(super) fn store(connection: &Connection, bytes: &[u8]) -> Outcome<i64> {
    let padded = pad(bytes)?;
    let size = i64::try_from(padded.len()).unwrap_or(i64::MAX);
    let Some(slot) = one(connection, TAKE, [size], |row| Ok(row.get::<_, i64>(0)?))? else {
        connection.prepare_cached(APPEND)?.execute([&padded])?;
        return Ok(connection.last_insert_rowid());
    };
    connection.prepare_cached(UNLIST)?.execute([size, slot])?;
    connection.prepare_cached(FILL)?.execute((slot, &padded))?;
    Ok(slot)
}

/// Zeroes the slots that the parameter selects.
pub(super) fn erase(connection: &Connection, erasure: [&str; 2], of: impl rusqlite::ToSql) -> Outcome<()> {
    erase_of(connection, erasure, [&of])
}

/// Zeroes the slots that the parameters select.
pub(super) fn erase_of(connection: &Connection, erasure: [&str; 2], of: impl Params + Clone) -> Outcome<()> {
    for sql in erasure {
        connection.prepare_cached(sql)?.execute(of.clone())?;
    }
    Ok(())
}

/// The bytes that were put into the slot, from what the slot holds.
pub(super) fn content(slot: &[u8]) -> Outcome<Vec<u8>> {
    let corrupt = || Fault::CorruptRecord { what: "slot" };
    let (length, rest) = slot.split_first_chunk::<LENGTH_BYTES>().ok_or_else(corrupt)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| corrupt())?;
    Ok(rest.get(..length).ok_or_else(corrupt)?.to_vec())
}

fn pad(bytes: &[u8]) -> Outcome<Vec<u8>> {
    let length = u32::try_from(bytes.len()).map_err(|_| Fault::UnexpectedRow { what: "a value beyond 4 GiB" })?;
    let size = (LENGTH_BYTES + bytes.len()).next_multiple_of(STEP);
    let mut padded = Vec::with_capacity(size);
    padded.extend_from_slice(&length.to_le_bytes());
    padded.extend_from_slice(bytes);
    padded.resize(size, 0);
    Ok(padded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_gives_back_what_was_put_in() {
        for length in [0, 1, 59, 60, 61, 64, 5000] {
            let bytes = vec![7; length];
            let slot = pad(&bytes).unwrap();
            assert_eq!(slot.len() % STEP, 0);
            assert_eq!(content(&slot).unwrap(), bytes);
        }
    }

    #[test]
    fn a_damaged_slot_is_corrupt() {
        assert!(content(&[]).is_err());
        assert!(content(&[9, 0, 0, 0, 1]).is_err());
    }
}
