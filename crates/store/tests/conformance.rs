//! The embedded engine does what every engine must do.
#![cfg(feature = "conformance")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, wherever in it")]

use std::path::{Path, PathBuf};
use store::{Store, conformance::Harness, sqlite::SqliteStore};

struct Sqlite {
    store: Option<SqliteStore>,
    folder: tempfile::TempDir,
}

fn path_in(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("strongroom.db")
}

fn make() -> Box<dyn Harness> {
    let folder = tempfile::tempdir().unwrap();
    Box::new(Sqlite { store: Some(SqliteStore::open(&path_in(&folder)).unwrap()), folder })
}

impl Harness for Sqlite {
    fn store(&self) -> &dyn Store {
        self.store.as_ref().unwrap()
    }

    fn reopen(&mut self) {
        self.store = None;
        self.store = Some(SqliteStore::open(&path_in(&self.folder)).unwrap());
    }

    fn files(&self) -> Vec<PathBuf> {
        let files = std::fs::read_dir(self.folder.path()).unwrap();
        files.map(|file| file.unwrap().path()).filter(|path| path.is_file()).collect()
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn open_copy(&self, path: &Path) -> Box<dyn Store> {
        Box::new(SqliteStore::open(path).unwrap())
    }
}

store::conformance_tests!(make);
