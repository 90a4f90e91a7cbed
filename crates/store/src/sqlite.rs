//! The embedded engine: SQLite, one file, one process.
//!
//! One connection writes, with commits shared by concurrent transactions ([`writer`]); a few read beside it, each
//! read in a transaction of its own ([`readers`]). The file is in WAL mode with `synchronous = FULL`: what is
//! acknowledged has been synced. What is purged is overwritten in place ([`slots`]) and the journal emptied before
//! the purge is acknowledged.
//!
//! This module does not keep a second process out: SQLite's locks keep the file consistent, but caches above this
//! crate would not learn of the other's writes.

mod audit;
mod certificates;
mod changes;
mod destruction;
#[cfg(test)]
mod faults;
mod notices;
mod pack;
mod readers;
mod row;
mod schema;
mod session;
mod slots;
mod snapshot;
mod sql;
mod usage;
mod writer;

use crate::{Fault, Read, Store, Tx, Verdict};
pub use snapshot::Snapshot;

use readers::Readers;
use row::Outcome;
use rusqlite::{
    Connection, OpenFlags,
    backup::{Backup, StepResult},
};
use session::Session;
use std::{
    fs,
    path::{Path, PathBuf},
};
use writer::Writer;

/// A store in one SQLite file.
pub struct SqliteStore {
    // The readers are closed before the writer, so that the writer's closing can clear the journal away.
    readers: Readers,
    writer: Writer,
}

/// The copy did not come to its end.
#[derive(Debug, thiserror::Error)]
#[error("the database was locked while it was copied")]
struct CopyLocked;

impl SqliteStore {
    /// Opens the store in the file at `path`, or makes a new one, readable by its owner only. Its folder must exist.
    ///
    /// # Errors
    /// [`Fault::UnknownSchema`] if a newer program wrote it; [`Fault::Database`] if it is another program's database,
    /// or none, or can't be opened.
    pub fn open(path: &Path) -> Result<Self, Fault> {
        let connection = schema::open_writer(path)?;
        let mut journal = path.as_os_str().to_owned();
        journal.push("-wal");
        let writer = Writer::new(connection, PathBuf::from(journal));
        Ok(Self { readers: Readers::new(path.to_owned()), writer })
    }

    /// Whether purged bytes may still be in the journal because a reader was in the way when they were purged. The
    /// end of that read, the next write, or the next opening clears them.
    #[must_use]
    pub fn shred_pending(&self) -> bool {
        self.writer.shred_pending()
    }
}

impl Store for SqliteStore {
    fn write(&self, name: &'static str, work: &mut dyn FnMut(&mut dyn Tx) -> Verdict) -> Result<(), Fault> {
        self.writer.write(work).inspect_err(|error| tracing::warn!(transaction = name, %error, "a transaction failed"))
    }

    fn read(&self, work: &mut dyn FnMut(&mut dyn Read)) -> Result<(), Fault> {
        let result = self.readers.with(|connection| {
            connection.prepare_cached("BEGIN")?.execute([])?;
            work(&mut Session::new(connection));
            connection.prepare_cached("COMMIT")?.execute([])?;
            Ok(())
        });
        self.writer.shred_if_pending();
        result
    }

    fn copy_to(&self, path: &Path) -> Result<(), Fault> {
        schema::create_private(path).map_err(|error| Fault::Database(Box::new(error)))?;
        let result = self.readers.with(|source| copy(source, path));
        self.writer.shred_if_pending();
        if result.is_err() {
            // Half a copy must not be taken for one. The error that matters is the copy's.
            let _ = fs::remove_file(path);
        }
        result
    }
}

/// Copies all pages in one step, hence in one state: writers go on beside it.
fn copy(source: &Connection, path: &Path) -> Outcome<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut target = Connection::open_with_flags(path, flags)?;
    let step = Backup::new(source, &mut target)?.step(-1)?;
    if step != StepResult::Done {
        return Err(Fault::Database(Box::new(CopyLocked)));
    }
    target.close().map_err(|(_, error)| error)?;
    schema::sync_folder(path).map_err(|error| Fault::Database(Box::new(error)))
}
