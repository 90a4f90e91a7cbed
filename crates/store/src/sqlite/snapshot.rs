//! A look at a database from outside, beside the process that has it or without one.
//!
//! Nothing is made or changed by it, not even the journal and its index. A database whose process has ended well has no
//! journal: it is read as a file that stands still, and whether it did is checked afterwards. So is one whose journal holds
//! nothing, as a crash can leave it: SQLite's own way of reading without a trace takes that for a journal that somebody
//! keeps writing anew, and gives up.

use super::{row::Outcome, schema, session::Session};
use crate::{Fault, Read};
use rusqlite::{Connection, OpenFlags};
use std::{
    fmt::Write as _,
    fs,
    io::{self, Read as _},
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
            (Some(0), true) => false,
            (Some(_), _) if !has_header(&beside(path, "-wal"))? => true,
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

/// The bytes before a journal's first page, and where its checksum is in them.
const HEADER: usize = 32;
const SUMMED: usize = 24;
/// Its last bit tells in which order of bytes it is summed.
const MAGIC: u32 = 0x377f_0682;

/// Whether a journal that is not empty can hold anything: there is something behind its header, and that is whole (SQLite's
/// "WAL Header Format").
fn has_header(journal: &Path) -> Outcome<bool> {
    let mut beginning = Vec::new();
    let file = fs::File::open(journal).map_err(|error| unseen(Unseen::File(error)))?;
    file.take(HEADER as u64 + 1).read_to_end(&mut beginning).map_err(|error| unseen(Unseen::File(error)))?;
    let Some((header, [_, ..])) = beginning.split_at_checked(HEADER) else { return Ok(false) };
    let (words, _) = header.as_chunks::<4>();
    let magic = words.first().map(|magic| u32::from_be_bytes(*magic));
    let is_big_endian = magic == Some(MAGIC | 1);
    let summed = header.get(..SUMMED).unwrap_or_default();
    let (pairs, _) = summed.as_chunks::<8>();
    let mut sum = (0_u32, 0_u32);
    for [a, b, c, d, e, f, g, h] in pairs {
        let word = |bytes| if is_big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
        sum.0 = sum.0.wrapping_add(word([*a, *b, *c, *d])).wrapping_add(sum.1);
        sum.1 = sum.1.wrapping_add(word([*e, *f, *g, *h])).wrapping_add(sum.0);
    }
    let kept = header.get(SUMMED..).unwrap_or_default();
    Ok((is_big_endian || magic == Some(MAGIC)) && kept == [sum.0.to_be_bytes(), sum.1.to_be_bytes()].as_flattened())
}

impl Snapshot {
    /// Whether the file was taken to stand still and did not: whoever was refused for it may open it again.
    #[must_use]
    pub fn has_moved(&self) -> bool {
        self.still.as_ref().is_some_and(|(path, before)| Stamp::of(path).is_ok_and(|now| now != *before))
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
