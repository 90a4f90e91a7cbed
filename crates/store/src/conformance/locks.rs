//! Locks of the control plane.

use super::{Harness, fixtures::*};
use crate::Store;
use domain::{
    access::Scope,
    lock::{Level, Lock, LockName},
};

fn name(name: &str) -> LockName {
    LockName::parse(name).unwrap()
}

fn lock(scope: &str, of: &str) -> Lock {
    Lock { scope: Scope::new(scope), name: name(of), level: Level::CanNotDelete, notes: None, owners: Vec::new() }
}

fn at(store: &dyn Store, scope: &str) -> Vec<Lock> {
    read(store, |tx| tx.locks_at(&Scope::new(scope)))
}

fn below(store: &dyn Store, scope: &str) -> Vec<Lock> {
    read(store, |tx| tx.locks_below(&Scope::new(scope)))
}

pub fn a_lock_is_found_at_its_scope_without_case(harness: &mut dyn Harness) {
    let store = harness.store();
    let kept = Lock {
        level: Level::ReadOnly,
        notes: Some("for the auditors".to_owned()),
        owners: vec!["somebody".to_owned()],
        ..lock("/s/1/g/Gr\u{fc}n", "Keep")
    };
    write(store, |tx| {
        tx.put_lock(&lock("/s/1/g/gr\u{fc}n", "second"))?;
        tx.put_lock(&kept)
    });
    let found = at(store, "/S/1/G/GR\u{dc}N");
    assert_eq!(found, [kept, lock("/s/1/g/gr\u{fc}n", "second")], "in the order of folded names");
    assert_eq!(found[0].name.as_str(), "Keep", "kept as given");
    for elsewhere in ["/", "/s/1", "/s/1/g", "/s/1/g/grun", "/s/1/g/gr\u{fc}n/v"] {
        assert_eq!(at(store, elsewhere), [], "{elsewhere}");
    }
}

pub fn a_lock_is_put_over_the_one_of_its_name_at_its_scope_only(harness: &mut dyn Harness) {
    let store = harness.store();
    let changed = Lock { level: Level::ReadOnly, ..lock("/S/1", "KEEP") };
    write(store, |tx| {
        tx.put_lock(&lock("/s/1", "keep"))?;
        tx.put_lock(&lock("/s/1", "other"))?;
        tx.put_lock(&lock("/s/2", "keep"))?;
        tx.put_lock(&changed)
    });
    assert_eq!(at(store, "/s/1"), [changed, lock("/s/1", "other")]);
    assert_eq!(at(store, "/s/2"), [lock("/s/2", "keep")]);
}

pub fn locks_below_a_scope_are_those_of_its_whole_tree(harness: &mut dyn Harness) {
    let store = harness.store();
    // Neighbours whose names begin alike, and end in characters that sort before and after a slash.
    let scopes =
        ["/s/1", "/s/1/g/a", "/s/1/g/a-b/v/1", "/s/1/g/a.b", "/s/1/g/a/v/1", "/s/1/g/a/v/2", "/s/1/g/a0", "/s/2"];
    write(store, |tx| scopes.iter().rev().try_for_each(|scope| tx.put_lock(&lock(scope, "l"))));
    let found = |scope: &str| -> Vec<String> {
        below(store, scope).iter().map(|lock| lock.scope.as_str().to_owned()).collect()
    };
    assert_eq!(found("/S/1/G/A"), ["/s/1/g/a/v/1", "/s/1/g/a/v/2"]);
    assert_eq!(found("/s/1"), scopes[1..7]);
    assert_eq!(found("/"), scopes);
    assert_eq!(found("/s/1/g/a/v/1"), [""; 0]);
    assert_eq!(found("/s/3"), [""; 0]);
}

pub fn a_lock_that_is_not_there_cannot_be_removed(harness: &mut dyn Harness) {
    let store = harness.store();
    write(store, |tx| tx.put_lock(&lock("/s/1", "keep")));
    assert_unexpected(store, |tx| tx.remove_lock(&Scope::new("/s/1"), &name("other")));
    assert_unexpected(store, |tx| tx.remove_lock(&Scope::new("/s/2"), &name("keep")));
    assert_eq!(at(store, "/s/1"), [lock("/s/1", "keep")]);
    write(store, |tx| tx.remove_lock(&Scope::new("/S/1"), &name("KEEP")));
    assert_eq!(at(store, "/s/1"), []);
}

pub fn locks_stay_when_the_store_is_opened_again(harness: &mut dyn Harness) {
    write(harness.store(), |tx| tx.put_lock(&lock("/s/1", "keep")));
    harness.reopen();
    assert_eq!(at(harness.store(), "/s/1"), [lock("/s/1", "keep")]);
}
