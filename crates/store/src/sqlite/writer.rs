//! The one connection that writes, and how concurrent transactions share a commit.
//!
//! A commit costs a wait for the disk, whether it carries one transaction or a hundred. So transactions that arrive
//! while the disk is busy are put into one SQLite transaction, each but the first inside a savepoint of its own, and
//! committed together. There is no writer thread to hand work to: each caller takes the desk (the lock on the connection) and
//! runs its own closure on its own thread. That saves two thread switches per transaction, and closures may borrow
//! from their callers.
//!
//! Who commits? Whoever leaves the desk when nobody is arriving: the last one out turns off the light. Every caller
//! counts itself as arriving before it queues for the desk, and enters without fail; so a caller that sees somebody
//! arriving may leave the commit to that one, and a lone caller commits at once. A batch is bounded so that a crowd
//! that never ends can't put a commit off for ever. All others wait for the announcement of their batch.
//!
//! What is taken back: a transaction that aborts (or panics) goes back to its savepoint, and the others of its batch
//! are not touched. If it saw what others of its batch had written, its refusal rests on it, so it too waits until
//! that is durable. SQLite itself gives up the whole transaction after some faults (a full disk, an I/O error); then
//! all of the batch learn that nothing of it happened.

use super::{row::Outcome, schema, session::Session};
use crate::{Fault, Tx, Verdict};
use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;
use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

/// Transactions in one commit.
const MAX_BATCH: usize = 256;

/// How long a purge waits for readers that still see what it destroyed. All writers wait with it.
const SHRED_PATIENCE: Duration = Duration::from_secs(1);

pub(super) struct Writer {
    /// Callers that have announced themselves and not yet taken the desk. Each will.
    arriving: AtomicUsize,
    desk: Mutex<Desk>,
    /// Purged bytes may still be in the journal.
    shred_pending: AtomicBool,
}

struct Desk {
    connection: Connection,
    journal: PathBuf,
    batch: Option<Batch>,
}

/// The transactions that the next commit will carry: at least one that changed something.
#[derive(Default)]
struct Batch {
    announcement: Arc<Announcement>,
    /// All that came, to bound the batch.
    entered: usize,
    /// At least one of them destroyed something.
    purged: bool,
}

type Committed = Result<(), Arc<NotCommitted>>;

/// How a batch ended, for those who wait for it.
#[derive(Default)]
struct Announcement {
    result: Mutex<Option<Committed>>,
    made: Condvar,
}

/// One failure, told to every transaction of the batch.
#[derive(Debug, thiserror::Error)]
enum NotCommitted {
    #[error("the transaction could not be committed")]
    Failed(#[source] rusqlite::Error),
    #[error("the transaction shared its commit with one that made the database roll back")]
    RolledBack,
}

/// How one transaction left the desk.
enum Left {
    /// Its outcome is that of the batch.
    With(Arc<Announcement>),
    /// It has nothing to wait for.
    Alone(Outcome<()>),
    Panicked(Box<dyn Any + Send>),
}

impl Announcement {
    fn make(&self, result: Committed) {
        *self.result.lock() = Some(result);
        self.made.notify_all();
    }

    fn wait(&self) -> Outcome<()> {
        let mut result = self.result.lock();
        loop {
            match &*result {
                Some(Ok(())) => return Ok(()),
                Some(Err(error)) => return Err(Fault::Database(Box::new(Arc::clone(error)))),
                None => self.made.wait(&mut result),
            }
        }
    }
}

impl Writer {
    /// `journal` is the path of the connection's write-ahead log.
    pub(super) fn new(connection: Connection, journal: PathBuf) -> Self {
        let writer = Self {
            arriving: AtomicUsize::new(0),
            desk: Mutex::new(Desk { connection, journal, batch: None }),
            shred_pending: AtomicBool::new(false),
        };
        // A crash may have come between a purge's commit and its shredding.
        writer.shred(&writer.desk.lock(), SHRED_PATIENCE);
        writer
    }

    pub(super) fn write(&self, work: &mut dyn FnMut(&mut dyn Tx) -> Verdict) -> Outcome<()> {
        self.arriving.fetch_add(1, Ordering::SeqCst);
        let mut desk = self.desk.lock();
        self.arriving.fetch_sub(1, Ordering::SeqCst);
        let left = desk.enter(work);
        // From here to the end of the block nothing may return early: somebody has to commit.
        if self.arriving.load(Ordering::SeqCst) == 0 || desk.is_full() {
            self.settle(&mut desk);
        }
        drop(desk);
        match left {
            Left::With(announcement) => announcement.wait(),
            Left::Alone(outcome) => outcome,
            Left::Panicked(payload) => resume_unwind(payload),
        }
    }

    /// Purged bytes may still be in the journal, because a reader was in the way.
    pub(super) fn shred_pending(&self) -> bool {
        self.shred_pending.load(Ordering::SeqCst)
    }

    /// Called by readers when they are done: the one that was in the way clears up.
    pub(super) fn shred_if_pending(&self) {
        if self.shred_pending()
            && let Some(desk) = self.desk.try_lock()
            && desk.batch.is_none()
        {
            self.shred(&desk, Duration::ZERO);
        }
    }

    /// Commits the batch, shreds what it purged, and tells its members.
    fn settle(&self, desk: &mut Desk) {
        let Some(batch) = desk.batch.take() else { return };
        let result = desk.commit();
        if result.is_ok() {
            if batch.purged {
                self.shred(desk, SHRED_PATIENCE);
            } else if self.shred_pending() {
                self.shred(desk, Duration::ZERO);
            }
        }
        batch.announcement.make(result);
    }

    /// Empties the journal into the database file, where `secure_delete` and the slots have zeroed what was removed.
    /// Only a checkpoint that truncates does it, and only if no reader is in the way.
    fn shred(&self, desk: &Desk, patience: Duration) {
        match desk.truncate_journal(patience) {
            Ok(true) => self.shred_pending.store(false, Ordering::SeqCst),
            Ok(false) => {
                self.shred_pending.store(true, Ordering::SeqCst);
                tracing::warn!("a reader keeps purged bytes in the journal; they will be shredded later");
            }
            Err(error) => {
                self.shred_pending.store(true, Ordering::SeqCst);
                tracing::warn!(%error, "purged bytes could not be shredded; it will be tried again");
            }
        }
    }
}

impl Desk {
    fn is_full(&self) -> bool {
        self.batch.as_ref().is_some_and(|batch| batch.entered >= MAX_BATCH)
    }

    /// Runs one transaction inside the batch.
    fn enter(&mut self, work: &mut dyn FnMut(&mut dyn Tx) -> Verdict) -> Left {
        if let Err(error) = self.begin() {
            return Left::Alone(Err(error.into()));
        }
        let mut session = Session::new(&self.connection);
        let verdict = catch_unwind(AssertUnwindSafe(|| work(&mut session)));
        let (purged, failed) = (session.purged(), session.failed());
        let keep = matches!(verdict, Ok(Verdict::Commit)) && !failed;
        if let Err(error) = self.end(keep) {
            self.lose_batch(&error);
            return match verdict {
                Err(payload) => Left::Panicked(payload),
                Ok(_) => Left::Alone(Err(Fault::Database(Box::new(error)))),
            };
        }
        if keep {
            self.batch.get_or_insert_default().purged |= purged;
        }
        if let Some(batch) = &mut self.batch {
            batch.entered += 1;
        }
        match (verdict, &self.batch) {
            (Err(payload), _) => Left::Panicked(payload),
            (Ok(Verdict::Commit), _) if failed => {
                Left::Alone(Err(Fault::UnexpectedRow { what: "a transaction in which a change failed can't commit" }))
            }
            (Ok(_), Some(batch)) => Left::With(Arc::clone(&batch.announcement)),
            (Ok(_), None) => Left::Alone(Ok(())),
        }
    }

    /// Begins a transaction: the SQLite transaction itself for the first of a batch, a savepoint in it for others.
    /// A savepoint is not free: SQLite keeps in memory what every page was before it.
    fn begin(&self) -> rusqlite::Result<()> {
        if self.batch.is_some() {
            return self.execute("SAVEPOINT one");
        }
        if !self.connection.is_autocommit() {
            // An earlier rollback failed.
            self.execute("ROLLBACK")?;
        }
        self.execute("BEGIN IMMEDIATE")
    }

    /// Keeps or undoes what was done since [`Desk::begin`]. An error means that the whole batch is lost: SQLite has
    /// rolled it back on its own account, or is in no state to go on.
    fn end(&self, keep: bool) -> Committed {
        if self.connection.is_autocommit() {
            return Err(Arc::new(NotCommitted::RolledBack));
        }
        let ended = match (self.batch.is_some(), keep) {
            (true, true) => self.execute("RELEASE one"),
            (true, false) => self.execute("ROLLBACK TO one").and_then(|()| self.execute("RELEASE one")),
            (false, true) => Ok(()),
            (false, false) => self.execute("ROLLBACK"),
        };
        ended.map_err(|error| Arc::new(NotCommitted::Failed(error)))
    }

    fn lose_batch(&mut self, error: &Arc<NotCommitted>) {
        self.roll_back();
        if let Some(batch) = self.batch.take() {
            batch.announcement.make(Err(Arc::clone(error)));
        }
    }

    fn commit(&self) -> Committed {
        let result = self.execute("COMMIT");
        if result.is_err() {
            self.roll_back();
        }
        result.map_err(|error| Arc::new(NotCommitted::Failed(error)))
    }

    /// Leaves the transaction if SQLite has not yet done so.
    fn roll_back(&self) {
        if !self.connection.is_autocommit()
            && let Err(error) = self.execute("ROLLBACK")
        {
            tracing::warn!(%error, "a transaction could not be rolled back; it will be tried again");
        }
    }

    /// Whether the journal is empty now.
    fn truncate_journal(&self, patience: Duration) -> Outcome<bool> {
        self.connection.busy_timeout(patience)?;
        let checkpoint = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)));
        self.connection.busy_timeout(schema::PATIENCE)?;
        let (busy, frames) = checkpoint?;
        let length = std::fs::metadata(&self.journal).map_or(0, |metadata| metadata.len());
        Ok(busy == 0 && frames == 0 && length == 0)
    }

    fn execute(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(drop)
    }
}

/// What the tests of faults do to the connection.
#[cfg(test)]
impl Writer {
    pub(super) fn arriving(&self) -> usize {
        self.arriving.load(Ordering::SeqCst)
    }

    pub(super) fn execute(&self, sql: &str) {
        self.desk.lock().connection.execute_batch(sql).unwrap();
    }

    /// Lets the file grow by so many pages and no more.
    pub(super) fn limit_pages(&self, spare: Option<i64>) {
        let desk = self.desk.lock();
        let pages: i64 = desk.connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
        let limit = spare.map_or(1 << 30, |spare| pages + spare);
        desk.connection.query_row(&format!("PRAGMA max_page_count = {limit}"), [], |_| Ok(())).unwrap();
    }

    /// What follows a commit that destroyed something, without waiting for readers.
    pub(super) fn purge_nothing(&self) {
        self.shred(&self.desk.lock(), Duration::ZERO);
    }
}
