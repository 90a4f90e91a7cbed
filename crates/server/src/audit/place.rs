//! Where a log is, and how it is looked at.

use super::keep::CHECKPOINT_FILE;
use crate::{Failure, config::Config, wiring::chain};
use custody::note::NoteVerifier;
use engine::audit::verifier_key;
use std::{
    fs,
    path::{Path, PathBuf},
};
use store::{Read, sqlite::Snapshot};
use tempfile::TempDir;

/// Which installation's log.
#[derive(clap::Args)]
#[command(next_help_heading = "Installation")]
pub struct Place {
    /// The state folder of `strongroom dev`
    #[arg(long, value_name = "PATH", default_value = ".strongroom", conflicts_with = "config")]
    dir: PathBuf,
    /// The configuration file of `strongroom serve`
    #[arg(long, value_name = "PATH")]
    config: Option<PathBuf>,
}

/// A log that can be looked at.
pub struct Log {
    database: PathBuf,
    /// What the server keeps beside the database.
    pub checkpoint_file: PathBuf,
    /// The copy that is looked at, if it is one.
    copy: Option<TempDir>,
}

/// A server that has just begun a new journal looks like one that crashed at it: looked at again, it does not.
const MOST_LOOKS: usize = 10;

impl Place {
    /// Opens the log for one look, or a few in a row.
    pub fn open(&self) -> Result<Log, Failure> {
        let (database, folder) = match &self.config {
            None => (self.dir.join("strongroom.db"), self.dir.clone()),
            Some(config) => {
                let config = Config::load(config)?;
                (config.database(), config.state)
            }
        };
        let copy = copy_if_unindexed(&database).map_err(|error| format!("{}: {error}", database.display()))?;
        let log = Log { database, checkpoint_file: folder.join(CHECKPOINT_FILE), copy };
        log.snapshot().map(|_| log)
    }
}

const COPY: &str = "copy.db";

/// A database that was copied with its journal but without the journal's index can't be read without making one: that is
/// done to a copy.
fn copy_if_unindexed(database: &Path) -> std::io::Result<Option<TempDir>> {
    let beside = |ending: &str| {
        let mut name = database.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let has_journal = fs::metadata(beside("-wal")).is_ok_and(|journal| journal.len() > 0);
    if !has_journal || beside("-shm").exists() {
        return Ok(None);
    }
    let folder = tempfile::Builder::new().prefix("strongroom-audit-").tempdir()?;
    let copy = folder.path().join(COPY);
    fs::copy(database, &copy)?;
    fs::copy(beside("-wal"), folder.path().join(format!("{COPY}-wal")))?;
    // With an empty index, the journal is read as after a crash.
    fs::write(folder.path().join(format!("{COPY}-shm")), b"")?;
    Ok(Some(folder))
}

impl Log {
    fn snapshot(&self) -> Result<Snapshot, Failure> {
        let looked_at = self.copy.as_ref().map(|copy| copy.path().join(COPY));
        let snapshot = Snapshot::open(looked_at.as_deref().unwrap_or(&self.database));
        snapshot.map_err(|fault| format!("{}: {}", self.database.display(), chain(&fault)).into())
    }

    /// Looks at one state of the log. `work` may be run again; what it did before then counts for nothing.
    pub fn look<T, E: Into<Failure> + From<store::Fault>>(
        &self,
        mut work: impl FnMut(&mut dyn Read) -> Result<T, E>,
    ) -> Result<T, Failure> {
        let mut looks = 0;
        loop {
            looks += 1;
            let snapshot = self.snapshot()?;
            match snapshot.query(&mut work) {
                Ok(seen) => return Ok(seen),
                Err(_) if snapshot.has_moved() && looks < MOST_LOOKS => {}
                Err(error) => {
                    let error: Failure = error.into();
                    return Err(format!("{}: {}", self.database.display(), chain(&*error)).into());
                }
            }
        }
    }

    /// The verifier key that lies beside the log.
    pub fn key(&self) -> Result<NoteVerifier, Failure> {
        let key = self.look(|read| verifier_key(read))?;
        Ok(key.ok_or("the log has no key yet: the server makes it at its first start")?)
    }
}
