//! Looking at a database from outside, without leaving a trace.
#![cfg(feature = "conformance")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, wherever in it")]

use rusqlite::Connection;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};
use store::{
    Fault,
    conformance::fixtures::{audit, write},
    sqlite::{Snapshot, SqliteStore},
};

/// A folder with a database of two audit records.
fn database(name: &str) -> (tempfile::TempDir, PathBuf, SqliteStore) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    let store = SqliteStore::open(&path).unwrap();
    write(&store, |tx| tx.append_audit(&audit(1)));
    write(&store, |tx| tx.append_audit(&audit(2)));
    (folder, path, store)
}

fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

fn copy(from: &Path, to: &Path, endings: &[&str]) -> PathBuf {
    for ending in endings {
        fs::copy(from.with_extension(format!("db{ending}")), to.join(format!("x.db{ending}"))).unwrap();
    }
    to.join("x.db")
}

fn records(snapshot: &Snapshot) -> Result<usize, Fault> {
    snapshot.query(|read| Ok(read.audit(0, 9)?.len()))
}

#[test]
fn a_snapshot_beside_a_writer_sees_each_commit() {
    let (folder, path, store) = database("x.db");
    let before: Vec<_> = contents(folder.path()).into_keys().collect();
    let snapshot = Snapshot::open(&path).unwrap();
    assert_eq!(records(&snapshot).unwrap(), 2);
    write(&store, |tx| tx.append_audit(&audit(3)));
    assert_eq!(records(&snapshot).unwrap(), 3);
    drop(snapshot);
    assert_eq!(contents(folder.path()).into_keys().collect::<Vec<_>>(), before);
    // The writer does not notice: it still tidies up when it is done.
    drop(store);
    assert_eq!(contents(folder.path()).len(), 1);
}

#[test]
fn a_snapshot_of_a_closed_database_leaves_no_trace() {
    for name in ["x.db", "a strange?name#with%25 every=thing&é.db"] {
        let (folder, path, store) = database(name);
        drop(store);
        let before = contents(folder.path());
        let snapshot = Snapshot::open(&path).unwrap();
        assert_eq!(records(&snapshot).unwrap(), 2);
        drop(snapshot);
        assert_eq!(contents(folder.path()), before, "{name}");
    }
}

#[test]
fn a_snapshot_of_a_crashed_database_reads_its_journal_and_leaves_no_trace() {
    let (_folder, path, store) = database("x.db");
    let crashed = tempfile::tempdir().unwrap();
    let left = copy(&path, crashed.path(), &["", "-wal", "-shm"]);
    drop(store);
    let before = contents(crashed.path());
    assert!(before.values().any(|bytes| bytes.windows(9).any(|window| window == b"\"record\":")), "in the journal");
    let snapshot = Snapshot::open(&left).unwrap();
    assert_eq!(records(&snapshot).unwrap(), 2);
    drop(snapshot);
    assert_eq!(contents(crashed.path()), before);
}

#[test]
fn a_crash_can_leave_a_journal_that_holds_nothing() {
    let (_folder, path, store) = database("x.db");
    let crashed = tempfile::tempdir().unwrap();
    let endings = ["", "-wal", "-shm"];
    // The header was written, and then the machine stopped; or not even all of it.
    let left = copy(&path, crashed.path(), &endings);
    drop(store);
    fs::copy(&path, &left).unwrap();
    let journal = left.with_extension("db-wal");
    let whole = fs::read(&journal).unwrap();
    let torn: Vec<u8> = whole.iter().enumerate().map(|(at, byte)| if at == 20 { !byte } else { *byte }).collect();
    for beginning in [&whole[..32], &whole[..7], &torn[..], &vec![0; 5_000]] {
        fs::write(&journal, beginning).unwrap();
        let before = contents(crashed.path());
        assert_eq!(records(&Snapshot::open(&left).unwrap()).unwrap(), 2, "{} bytes", beginning.len());
        assert_eq!(contents(crashed.path()), before);
    }
}

#[test]
fn a_journal_without_its_index_is_named() {
    let (_folder, path, store) = database("x.db");
    let half = tempfile::tempdir().unwrap();
    let left = copy(&path, half.path(), &["", "-wal"]);
    drop(store);
    let Err(Fault::Database(why)) = Snapshot::open(&left) else { panic!("it was opened") };
    assert!(why.to_string().contains("-shm"), "{why}");
}

#[test]
fn a_database_that_moved_while_it_was_taken_to_stand_still_is_read_again() {
    let (_folder, path, store) = database("x.db");
    drop(store);
    let snapshot = Snapshot::open(&path).unwrap();
    let store = SqliteStore::open(&path).unwrap();
    write(&store, |tx| tx.append_audit(&audit(3)));
    assert!(snapshot.has_moved());
    let refused = records(&snapshot);
    assert!(matches!(&refused, Err(Fault::Database(why)) if why.to_string().contains("try again")), "{refused:?}");
    let again = Snapshot::open(&path).unwrap();
    assert_eq!((records(&again).unwrap(), again.has_moved()), (3, false));
}

#[test]
fn what_is_not_a_database_of_this_version_is_refused_and_left_alone() {
    let (folder, path, store) = database("x.db");
    drop(store);
    let old = folder.path().join("old.db");
    fs::copy(&path, &old).unwrap();
    Connection::open(&old).unwrap().execute_batch("PRAGMA user_version = 1").unwrap();
    let foreign = folder.path().join("foreign.db");
    Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE theirs (a)").unwrap();
    let empty = folder.path().join("empty.db");
    fs::write(&empty, b"").unwrap();
    let before = contents(folder.path());
    assert!(matches!(Snapshot::open(&old), Err(Fault::UnknownSchema { found: 1, .. })));
    for path in [foreign, empty, folder.path().join("missing.db"), folder.path().to_owned()] {
        assert!(matches!(Snapshot::open(&path), Err(Fault::Database(_))), "{path:?}");
    }
    assert_eq!(contents(folder.path()), before);
}
