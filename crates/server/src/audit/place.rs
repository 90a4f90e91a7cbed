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
    snapshot: Snapshot,
    /// What the server keeps beside the database.
    pub checkpoint_file: PathBuf,
    /// Holds the copy that is looked at, if it is one.
    _copy: Option<TempDir>,
}

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
        let looked_at = copy.as_ref().map_or(database.clone(), |copy| copy.path().join(COPY));
        let snapshot =
            Snapshot::open(&looked_at).map_err(|fault| format!("{}: {}", database.display(), chain(&fault)))?;
        Ok(Log { snapshot, checkpoint_file: folder.join(CHECKPOINT_FILE), _copy: copy })
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
    /// Looks at one state of the log.
    pub fn look<T, E: Into<Failure> + From<store::Fault>>(
        &self,
        work: impl FnOnce(&mut dyn Read) -> Result<T, E>,
    ) -> Result<T, Failure> {
        self.snapshot.query(work).map_err(|error: E| {
            let error: Failure = error.into();
            chain(&*error).into()
        })
    }

    /// The verifier key that lies beside the log.
    pub fn key(&self) -> Result<NoteVerifier, Failure> {
        let key = self.look(|read| verifier_key(read))?;
        Ok(key.ok_or("the log has no key yet: the server makes it at its first start")?)
    }
}
