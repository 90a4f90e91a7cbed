//! What the group commit does when things go wrong.

use super::*;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
};

struct Place {
    store: SqliteStore,
    _folder: tempfile::TempDir,
}

fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    Place { store: SqliteStore::open(&folder.path().join("db")).unwrap(), _folder: folder }
}

fn put(tx: &mut dyn Tx, name: &str) -> Verdict {
    tx.put_system_record(name, name.as_bytes()).unwrap();
    Verdict::Commit
}

fn has(store: &SqliteStore, name: &str) -> bool {
    let store: &dyn Store = store;
    store.query(|tx| tx.system_record(name)).unwrap().is_some()
}

/// Runs two transactions that share a commit: the second arrives while the first is at work.
fn together(
    store: &SqliteStore,
    mut first: impl FnMut(&mut dyn Tx) -> Verdict,
    second: impl FnOnce(&mut dyn Tx) -> Verdict + Send,
) -> (Result<(), Fault>, thread::Result<Result<(), Fault>>) {
    thread::scope(|scope| {
        let mut second = Some(second);
        let mut arriving = None;
        let result = store.write("first", &mut |tx| {
            let verdict = first(tx);
            let mut second = second.take();
            arriving = Some(scope.spawn(move || {
                catch_unwind(AssertUnwindSafe(|| {
                    store.write("second", &mut |tx| (second.take().expect("it runs once"))(tx))
                }))
            }));
            while store.writer.arriving() == 0 {
                thread::yield_now();
            }
            verdict
        });
        (result, arriving.expect("the first has run").join().unwrap())
    })
}

/// Makes every commit fail that carries the system record `poison`: a foreign key that is checked only then.
fn poison(store: &SqliteStore) {
    store.writer.execute(
        "CREATE TABLE child (parent INTEGER REFERENCES audit (position) DEFERRABLE INITIALLY DEFERRED);
         CREATE TRIGGER poison AFTER INSERT ON system_records WHEN new.name = 'poison'
         BEGIN INSERT INTO child VALUES (-1); END;",
    );
}

#[test]
fn a_transaction_that_arrives_during_another_shares_its_commit() {
    let Place { store, _folder } = place();
    let (first, second) = together(
        &store,
        |tx| put(tx, "first"),
        |tx| {
            assert!(tx.system_record("first").unwrap().is_some(), "it sees what came before it in the batch");
            assert!(!has(&store, "first"), "which is not committed yet");
            put(tx, "second")
        },
    );
    assert!(first.is_ok() && second.unwrap().is_ok());
    assert!(has(&store, "first") && has(&store, "second"));
}

#[test]
fn an_abort_in_a_batch_undoes_nothing_of_the_others() {
    let Place { store, _folder } = place();
    let (first, second) = together(
        &store,
        |tx| put(tx, "first"),
        |tx| {
            put(tx, "second");
            Verdict::Abort
        },
    );
    assert!(first.is_ok() && second.unwrap().is_ok());
    assert!(has(&store, "first") && !has(&store, "second"));
    let (first, second) = together(
        &store,
        |tx| {
            put(tx, "third");
            Verdict::Abort
        },
        |tx| put(tx, "fourth"),
    );
    assert!(first.is_ok() && second.unwrap().is_ok());
    assert!(!has(&store, "third") && has(&store, "fourth"));
}

#[test]
fn the_last_one_commits_for_the_others_even_if_it_panics() {
    let Place { store, _folder } = place();
    let (first, second) = together(
        &store,
        |tx| put(tx, "first"),
        |tx| {
            put(tx, "second");
            std::panic::resume_unwind(Box::new("on purpose"))
        },
    );
    assert!(first.is_ok() && second.is_err());
    assert!(has(&store, "first") && !has(&store, "second"));
}

#[test]
fn a_commit_that_fails_is_told_to_all_of_its_batch() {
    let Place { store, _folder } = place();
    poison(&store);
    for (one, other) in [("poison", "good"), ("good", "poison")] {
        let (first, second) = together(&store, |tx| put(tx, one), |tx| put(tx, other));
        assert!(matches!(first, Err(Fault::Database(_))), "{first:?}");
        assert!(matches!(second.unwrap(), Err(Fault::Database(_))));
        assert!(!has(&store, "good") && !has(&store, "poison"));
    }
    assert!(store.write("test", &mut |tx| put(tx, "good")).is_ok(), "the store goes on");
    assert!(has(&store, "good"));
}

#[test]
fn a_refusal_that_rests_on_what_was_never_committed_is_a_fault() {
    let Place { store, _folder } = place();
    poison(&store);
    let (first, second) = together(
        &store,
        |tx| put(tx, "poison"),
        |tx| {
            // "The name is taken", it would say.
            assert!(tx.system_record("poison").unwrap().is_some());
            Verdict::Abort
        },
    );
    assert!(first.is_err());
    assert!(matches!(second.unwrap(), Err(Fault::Database(_))));
}

#[test]
fn a_full_disk_fails_the_transaction_and_leaves_what_was_acknowledged() {
    let Place { store, _folder } = place();
    let folded = |number: u32| format!("{number:04}");
    let mut acknowledged = Vec::new();
    let mut number = 0;
    for spare in 0..12 {
        store.writer.limit_pages(Some(spare));
        let mut failed = 0;
        while failed < 3 {
            number += 1;
            let written = store.write("test", &mut |tx| {
                let outcome = tx.append_audit("{}").and_then(|_| tx.put_system_record(&folded(number), &vec![1; 3000]));
                if outcome.is_ok() { Verdict::Commit } else { Verdict::Abort }
            });
            if has(&store, &folded(number)) {
                assert!(written.is_ok());
                acknowledged.push(number);
            } else {
                failed += 1;
            }
        }
    }
    store.writer.limit_pages(None);
    store.write("test", &mut |tx| put(tx, "after")).unwrap();
    for number in 1..=number {
        assert_eq!(has(&store, &folded(number)), acknowledged.contains(&number));
    }
    let store: &dyn Store = &store;
    let log = store.query(|tx| tx.audit(0, usize::MAX)).unwrap();
    assert_eq!(log.len(), acknowledged.len());
    assert!(log.iter().map(|(position, _)| *position).eq(1..=u64::try_from(acknowledged.len()).unwrap()));
}

#[test]
fn a_full_disk_never_lets_a_batch_believe_what_is_not_there() {
    for spare in 0..12 {
        let Place { store, _folder } = place();
        store.writer.limit_pages(Some(spare));
        let (first, second) = together(
            &store,
            |tx| put(tx, "first"),
            |tx| match tx.put_system_record("second", &vec![1; 20_000]) {
                Ok(()) => Verdict::Commit,
                Err(_) => Verdict::Abort,
            },
        );
        assert_eq!(first.is_ok(), has(&store, "first"), "{spare} pages");
        assert!(second.unwrap().is_ok() || !has(&store, "second"));
    }
}

#[test]
fn a_reader_in_the_way_of_a_purge_clears_up_when_it_is_done() {
    let Place { store, _folder } = place();
    store.write("test", &mut |tx| put(tx, "a")).unwrap();
    let journal = || std::fs::metadata(_folder.path().join("db-wal")).unwrap().len();
    store
        .read(&mut |tx| {
            tx.system_record("a").unwrap();
            store.write("test", &mut |tx| put(tx, "b")).unwrap();
            store.writer.purge_nothing();
            assert!(store.shred_pending());
            assert_ne!(journal(), 0);
        })
        .unwrap();
    assert!(!store.shred_pending());
    assert_eq!(journal(), 0);
}

#[test]
fn a_pending_shredding_is_done_with_the_next_write_or_opening() {
    let Place { store, _folder } = place();
    let path = _folder.path().join("db");
    let other = schema::open_reader(&path).unwrap();
    let hold = || {
        store.write("test", &mut |tx| put(tx, "a")).unwrap();
        other.execute_batch("BEGIN; SELECT count(*) FROM system_records;").unwrap();
        store.write("test", &mut |tx| put(tx, "b")).unwrap();
        store.writer.purge_nothing();
        assert!(store.shred_pending());
        other.execute_batch("COMMIT").unwrap();
    };
    hold();
    store.write("test", &mut |tx| put(tx, "c")).unwrap();
    assert!(!store.shred_pending());
    hold();
    assert!(!SqliteStore::open(&path).unwrap().shred_pending());
    assert_eq!(std::fs::metadata(_folder.path().join("db-wal")).unwrap().len(), 0);
}
