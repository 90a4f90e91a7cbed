//! Transactions: durable, isolated, all or nothing.

use super::{Harness, fixtures::*};
use crate::{Fault, Presence, Read, Store, Verdict};
use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Barrier, atomic::AtomicBool, atomic::Ordering},
    thread,
};

const THREADS: u64 = 32;
const ROUNDS: u64 = 20;

fn put(store: &dyn Store, name: &str, value: &str) {
    write(store, |tx| tx.put_system_record(name, value.as_bytes()));
}

fn get(tx: &mut dyn Read, name: &str) -> Result<Option<String>, Fault> {
    Ok(tx.system_record(name)?.map(|value| String::from_utf8(value).unwrap()))
}

pub fn what_is_committed_is_there_after_reopening(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    write(store, |tx| {
        insert(tx, 1, "a", 1)?;
        tx.append_audit(&audit(1))
    });
    harness.reopen();
    let store = harness.store();
    assert_eq!(read(store, |tx| tx.object(container_id(1), KEY, &object_name("a"))), Some(object("a", version_id(1))));
    assert_eq!(read(store, |tx| tx.container_by_id(container_id(1))).unwrap().sealed_key, sealed("key of one"));
    assert_eq!(write(store, |tx| tx.append_audit(&audit(2))), 2, "positions go on where they ended");
    harness.reopen();
    assert_eq!(read(harness.store(), |tx| tx.audit(0, 9)), [(1, audit(1)), (2, audit(2))]);
}

pub fn an_abort_undoes_everything(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    write(store, |tx| insert(tx, 1, "kept", 1));
    put(store, "record", "old");
    let mut seen = None;
    store
        .write("test", &mut |tx| {
            insert(tx, 1, "new", 2).unwrap();
            tx.remove_object(container_id(1), KEY, &object_name("kept"), &proof()).unwrap();
            tx.insert_container(&vault(2, "two"), &sealed("k")).unwrap();
            tx.put_system_record("record", b"a new and much longer value than the old one was, to be undone").unwrap();
            tx.append_audit(&audit(1)).unwrap();
            seen = get(tx, "record").unwrap();
            Verdict::Abort
        })
        .unwrap();
    assert!(seen.unwrap().starts_with("a new"));
    harness.reopen();
    read(harness.store(), |tx| {
        let names: Vec<_> = tx.list_objects(container_id(1), KEY, Presence::Live, None, 9)?;
        assert_eq!(names.into_iter().map(|(object, _)| object.name).collect::<Vec<_>>(), [object_name("kept")]);
        let material = tx.version(container_id(1), KEY, &object_name("kept"), version_id(1))?.unwrap().material;
        assert_eq!(material, sealed("material of kept"));
        assert_eq!(tx.container_by_id(container_id(2))?, None);
        assert_eq!(get(tx, "record")?.as_deref(), Some("old"));
        assert_eq!(tx.audit(0, 9)?, []);
        Ok(())
    });
}

pub fn a_transaction_in_which_a_change_failed_cannot_commit(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    let result = store.write("test", &mut |tx| {
        tx.put_system_record("half", b"done").unwrap();
        assert!(tx.insert_container(&vault(2, "one"), &sealed("k")).is_err());
        Verdict::Commit
    });
    assert!(matches!(result, Err(Fault::UnexpectedRow { .. })), "{result:?}");
    assert_eq!(read(store, |tx| get(tx, "half")), None);
}

pub fn a_transaction_reads_its_own_changes(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    write(store, |tx| {
        insert(tx, 1, "a", 1)?;
        assert!(tx.object(container_id(1), KEY, &object_name("a"))?.is_some());
        assert_eq!(tx.list_objects(container_id(1), KEY, Presence::Live, None, 9)?.len(), 1);
        assert_eq!(tx.append_audit(&audit(1))?, 1);
        assert_eq!(tx.append_audit(&audit(2))?, 2);
        assert_eq!(tx.audit(1, 9)?, [(2, audit(2))]);
        Ok(())
    });
}

pub fn a_panic_undoes_its_transaction_and_no_other(harness: &mut dyn Harness) {
    let store = harness.store();
    put(store, "before", "kept");
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        store.write("test", &mut |tx| {
            tx.put_system_record("lost", b"x").unwrap();
            std::panic::resume_unwind(Box::new("on purpose"));
        })
    }));
    assert_eq!(unwound.unwrap_err().downcast_ref::<&str>(), Some(&"on purpose"));
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        store.read(&mut |tx| {
            get(tx, "before").unwrap();
            std::panic::resume_unwind(Box::new("on purpose"));
        })
    }));
    assert!(unwound.is_err());
    put(store, "after", "kept");
    let all = read(store, |tx| Ok((get(tx, "before")?, get(tx, "lost")?, get(tx, "after")?)));
    assert_eq!(all, (Some("kept".to_owned()), None, Some("kept".to_owned())));
}

pub fn a_reader_sees_one_state_throughout(harness: &mut dyn Harness) {
    let store = harness.store();
    put(store, "a", "old");
    put(store, "b", "old");
    read(store, |tx| {
        assert_eq!(get(tx, "a")?.as_deref(), Some("old"));
        put(store, "a", "new");
        put(store, "b", "new");
        assert_eq!(get(tx, "a")?.as_deref(), Some("old"));
        assert_eq!(get(tx, "b")?.as_deref(), Some("old"));
        Ok(())
    });
    assert_eq!(read(store, |tx| get(tx, "b")).as_deref(), Some("new"));
}

pub fn a_reader_beside_a_transaction_sees_the_state_before_it(harness: &mut dyn Harness) {
    let store = harness.store();
    put(store, "a", "old");
    write(store, |tx| {
        tx.put_system_record("a", b"new")?;
        assert_eq!(read(store, |reader| get(reader, "a")).as_deref(), Some("old"));
        Ok(())
    });
    assert_eq!(read(store, |tx| get(tx, "a")).as_deref(), Some("new"));
}

pub fn a_reader_never_sees_half_a_transaction(harness: &mut dyn Harness) {
    let store = harness.store();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    read(store, |tx| {
                        assert_eq!(get(tx, "left")?, get(tx, "right")?);
                        Ok(())
                    });
                }
            });
        }
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                scope.spawn(move || {
                    for round in 0..50 {
                        let value = format!("{writer} {round}");
                        write(store, |tx| {
                            tx.put_system_record("left", value.as_bytes())?;
                            tx.put_system_record("right", value.as_bytes())
                        });
                        // The last word of an aborted one must not be seen either.
                        let aborted = store.transact("test", |tx| {
                            tx.put_system_record("left", b"aborted")?;
                            Err::<(), _>(Fault::UnexpectedRow { what: "on purpose" })
                        });
                        assert!(aborted.is_err());
                    }
                })
            })
            .collect();
        let ended: Vec<_> = writers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        done.store(true, Ordering::Relaxed);
        assert!(ended.iter().all(Result::is_ok));
    });
}

/// Runs every thread's rounds at once; each gets a number of its own. Returns the numbers that committed with the
/// audit position they were told, having left out every fourth by an abort and every seventh by a panic.
fn crowd(store: &dyn Store) -> Vec<(u64, u64)> {
    let barrier = Barrier::new(usize::try_from(THREADS).unwrap());
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|number| {
                let barrier = &barrier;
                scope.spawn(move || {
                    barrier.wait();
                    (0..ROUNDS).filter_map(|round| one_of_crowd(store, number * ROUNDS + round)).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

fn one_of_crowd(store: &dyn Store, number: u64) -> Option<(u64, u64)> {
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        store.transact("test", |tx| {
            tx.put_system_record(&number.to_string(), b"here")?;
            let position = tx.append_audit(&audit(number))?;
            if number % 7 == 3 {
                std::panic::resume_unwind(Box::new("on purpose"));
            }
            if number % 4 == 1 { Err(Fault::UnexpectedRow { what: "on purpose" }) } else { Ok((number, position)) }
        })
    }));
    let outcome = unwound.ok()?;
    assert_eq!(outcome.is_err(), number % 4 == 1, "{outcome:?}");
    outcome.ok()
}

pub fn concurrent_transactions_all_come_through(harness: &mut dyn Harness) {
    let committed = crowd(harness.store());
    let expected: BTreeSet<u64> = (0..THREADS * ROUNDS).filter(|n| n % 4 != 1 && n % 7 != 3).collect();
    assert_eq!(committed.iter().map(|(number, _)| *number).collect::<BTreeSet<_>>(), expected);
    harness.reopen();
    let store = harness.store();
    let log = read(store, |tx| tx.audit(0, usize::MAX));
    assert!(log.iter().map(|(position, _)| *position).eq(1..=u64::try_from(expected.len()).unwrap()), "gapless");
    let told: BTreeSet<(u64, String)> = committed.iter().map(|(number, at)| (*at, audit(*number))).collect();
    assert_eq!(log.into_iter().collect::<BTreeSet<_>>(), told);
    for number in 0..THREADS * ROUNDS {
        let found = read(store, |tx| get(tx, &number.to_string())).is_some();
        assert_eq!(found, expected.contains(&number), "record {number}");
    }
}

pub fn transactions_do_not_overwrite_each_other(harness: &mut dyn Harness) {
    let store = harness.store();
    put(store, "counter", "0");
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    write(store, |tx| {
                        let count: u64 = get(tx, "counter")?.unwrap().parse().unwrap();
                        tx.put_system_record("counter", (count + 1).to_string().as_bytes())
                    });
                }
            });
        }
    });
    assert_eq!(read(store, |tx| get(tx, "counter")), Some((THREADS * ROUNDS).to_string()));
}

pub fn an_aborted_audit_record_leaves_no_gap(harness: &mut dyn Harness) {
    let store = harness.store();
    for round in 1..=3 {
        let aborted: Result<(), Fault> = store.transact("test", |tx| {
            tx.append_audit(&audit(99))?;
            Err(Fault::UnexpectedRow { what: "on purpose" })
        });
        assert!(aborted.is_err());
        assert_eq!(write(store, |tx| tx.append_audit(&audit(round))), round);
    }
    assert_eq!(read(store, |tx| tx.audit(0, 9)), [(1, audit(1)), (2, audit(2)), (3, audit(3))]);
}

pub fn a_copy_is_the_store_at_one_moment(harness: &mut dyn Harness) {
    let store = harness.store();
    put(store, "left", "0");
    put(store, "right", "0");
    let path = harness.folder().join("copy");
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut round = 0_u64;
            while !done.load(Ordering::Relaxed) {
                round += 1;
                let value = round.to_string();
                write(store, |tx| {
                    tx.put_system_record("left", value.as_bytes())?;
                    tx.put_system_record("right", value.as_bytes())
                });
            }
        });
        let copied = store.copy_to(&path);
        done.store(true, Ordering::Relaxed);
        copied.unwrap();
    });
    let copy = harness.open_copy(&path);
    let (left, right) = read(&*copy, |tx| Ok((get(tx, "left")?, get(tx, "right")?)));
    assert_eq!(left, right);
    // A copy is a store of its own.
    put(&*copy, "left", "mine");
    assert_ne!(read(store, |tx| get(tx, "left")).as_deref(), Some("mine"));
}

pub fn a_copy_never_replaces_a_file(harness: &mut dyn Harness) {
    let path = harness.folder().join("copy");
    std::fs::write(&path, "precious").unwrap();
    assert!(harness.store().copy_to(&path).is_err());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
}
