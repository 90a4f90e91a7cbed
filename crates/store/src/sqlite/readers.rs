//! Connections that read beside the writer.

use super::{row::Outcome, schema};
use parking_lot::Mutex;
use rusqlite::Connection;
use std::path::PathBuf;

/// More may be in use at once; this many are kept for the next reader.
const MAX_IDLE: usize = 4;

pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, idle: Mutex::new(Vec::new()) }
    }

    /// Lends a connection. It comes back only if `work` ends well: one that failed, or whose borrower panicked, may
    /// still be in a transaction and is closed.
    pub(super) fn with<T>(&self, work: impl FnOnce(&Connection) -> Outcome<T>) -> Outcome<T> {
        let idle = self.idle.lock().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => schema::open_reader(&self.path)?,
        };
        let value = work(&connection)?;
        let mut idle = self.idle.lock();
        if idle.len() < MAX_IDLE {
            idle.push(connection);
        }
        Ok(value)
    }
}
