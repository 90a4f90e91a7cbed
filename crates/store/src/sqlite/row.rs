//! Between the domain's values and the columns of a row.

use crate::{Fault, Presence};
use domain::{Guid, State, UnixTime};
use rusqlite::{Connection, Params, Row};
use serde::{Serialize, de::DeserializeOwned};

pub(super) type Outcome<T> = Result<T, Fault>;

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(Box::new(error))
    }
}

/// The first row, if there is one.
pub(super) fn one<T>(
    connection: &Connection,
    sql: &str,
    parameters: impl Params,
    read: impl FnOnce(&Row<'_>) -> Outcome<T>,
) -> Outcome<Option<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    rows.next()?.map(read).transpose()
}

/// All rows.
pub(super) fn many<T>(
    connection: &Connection,
    sql: &str,
    parameters: impl Params,
    mut read: impl FnMut(&Row<'_>) -> Outcome<T>,
) -> Outcome<Vec<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    let mut list = Vec::new();
    while let Some(row) = rows.next()? {
        list.push(read(row)?);
    }
    Ok(list)
}

pub(super) fn encode(record: &impl Serialize) -> Outcome<String> {
    serde_json::to_string(record).map_err(|error| Fault::Database(Box::new(error)))
}

/// Reads the JSON text in a column; `what` names the record in the fault.
pub(super) fn decode<T: DeserializeOwned>(row: &Row<'_>, column: usize, what: &'static str) -> Outcome<T> {
    let corrupt = Fault::CorruptRecord { what };
    let Ok(text) = row.get_ref(column)?.as_str() else { return Err(corrupt) };
    serde_json::from_str(text).map_err(|_| corrupt)
}

/// The 16 bytes of a GUID. The domain shows a GUID only as text.
pub(super) fn guid_key(guid: Guid) -> [u8; 16] {
    let mut text = guid.to_string();
    text.retain(|digit| digit != '-');
    // `Display` always writes 32 hexadecimal digits.
    u128::from_str_radix(&text, 16).unwrap_or_default().to_be_bytes()
}

pub(super) fn guid_of(row: &Row<'_>, column: usize) -> Outcome<Guid> {
    Ok(Guid::from_u128(u128::from_be_bytes(row.get(column)?)))
}

/// Names of resource groups and users are not limited to ASCII.
pub(super) fn fold_text(name: &str) -> String {
    name.to_lowercase()
}

pub(super) fn is_deleted(state: State) -> i64 {
    i64::from(!state.is_live())
}

pub(super) fn deleted_column(presence: Presence) -> i64 {
    match presence {
        Presence::Live => 0,
        Presence::Deleted => 1,
    }
}

pub(super) fn purge_at(state: State) -> Option<i64> {
    state.deletion().map(|deletion| deletion.scheduled_purge_at.0)
}

pub(super) fn seconds(time: Option<UnixTime>) -> Option<i64> {
    time.map(|time| time.0)
}

pub(super) fn limit_of(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// Positions and sequences are never negative and never near the end of the range.
pub(super) fn position_of(row: &Row<'_>, column: usize) -> Outcome<u64> {
    u64::try_from(row.get::<_, i64>(column)?).map_err(|_| Fault::CorruptRecord { what: "position" })
}

pub(super) fn after_position(after: u64) -> i64 {
    i64::try_from(after).unwrap_or(i64::MAX)
}
