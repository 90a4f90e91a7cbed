//! A look at a database from outside, beside the process that has it or without one.
//!
//! Nothing is made or changed by it, not even the journal and its index. A database whose process has ended well has no
//! journal: it is read as a file that stands still, and whether it did is checked afterwards.

use super::{row::Outcome, schema, session::Session};
use crate::{Fault, Read};
use rusqlite::{Connection, OpenFlags};
use std::{
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// Why there is nothing to see.
#[derive(Debug, thiserror::Error)]
enum Unseen {
    #[error("the file can't be read")]
    File(#[source] io::Error),
    #[error("the journal has lost its index (-shm): copy database and journal to another folder, and look there")]
    NoIndex,
    #[error("the database is empty")]
    Empty,
    #[error("it was written to while it was read as one that stands still: try again")]
    Moved,
}

fn unseen(why: Unseen) -> Fault {
    Fault::Database(Box::new(why))
}

/// A database opened to be looked at.
pub struct Snapshot {
    connection: Connection,
    /// Of a file that is taken to stand still: what it looked like.
    still: Option<(PathBuf, Stamp)>,
}

/// What of a file changes with its contents.
#[derive(PartialEq, Eq)]
struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
    journal: Option<u64>,
}

impl Stamp {
    fn of(database: &Path) -> Outcome<Self> {
        let metadata = fs::metadata(database).map_err(|error| unseen(Unseen::File(error)))?;
        let journal = beside(database, "-wal").metadata().ok().map(|journal| journal.len());
        Ok(Self { length: metadata.len(), modified: metadata.modified().ok(), journal })
    }
}

impl Snapshot {
    /// Opens the database in the file at `path`, which has to have this program's schema.
    ///
    /// # Errors
    /// [`Fault::UnknownSchema`] if another version of the program wrote it; [`Fault::Database`] if it is none of ours
    /// or can't be read.
    pub fn open(path: &Path) -> Result<Self, Fault> {
        let stamp = Stamp::of(path)?;
        let is_still = match (stamp.journal, beside(path, "-shm").exists()) {
            (None, _) | (Some(0), false) => true,
            (Some(_), true) => false,
            (Some(_), false) => return Err(unseen(Unseen::NoIndex)),
        };
        let uri = format!("file:{}?{}=1", escaped(path), if is_still { "immutable" } else { "readonly_shm" });
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(uri, flags)?;
        schema::prepare_reader(&connection)?;
        if !schema::is_current(&connection)? {
            return Err(unseen(Unseen::Empty));
        }
        Ok(Self { connection, still: is_still.then(|| (path.to_owned(), stamp)) })
    }

    /// Runs `work` on one committed state.
    ///
    /// # Errors
    /// What `work` returned, or [`Fault`] if the state can't be read.
    pub fn query<T, E: From<Fault>>(&self, work: impl FnOnce(&mut dyn Read) -> Result<T, E>) -> Result<T, E> {
        let execute = |sql| self.connection.execute_batch(sql).map_err(Fault::from);
        execute("BEGIN")?;
        let result = work(&mut Session::new(&self.connection));
        execute("ROLLBACK")?;
        match &self.still {
            Some((path, before)) if Stamp::of(path)? != *before => Err(unseen(Unseen::Moved).into()),
            _ => result,
        }
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// A path as SQLite's URIs write it.
fn escaped(path: &Path) -> String {
    let mut text = String::new();
    for byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(byte) {
            text.push(char::from(*byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(text, "%{byte:02x}");
        }
    }
    text
}
