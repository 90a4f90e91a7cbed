//! Figures of what was used.

use super::{Harness, fixtures::*};
use crate::{Fault, LifetimeFilter, Store};
use domain::{
    ContainerId, ContainerKind, Operation, Outcome, UnixTime,
    metering::{KeyVersionUse, Lifetime, Month, OperationCount},
};

const DAY: i64 = UnixTime::DAY_SECONDS;

fn everything() -> LifetimeFilter {
    LifetimeFilter {
        subscription: guid(1),
        resource_group: None,
        kind: None,
        name: None,
        alive_since: UnixTime(i64::MIN),
    }
}

fn lifetimes(store: &dyn Store, filter: &LifetimeFilter) -> Vec<(ContainerId, Option<UnixTime>)> {
    let found = read(store, |tx| tx.lifetimes(filter, None, 99));
    found.into_iter().map(|lifetime| (lifetime.container, lifetime.ends)).collect()
}

fn month(text: &str) -> Month {
    Month::parse(text).unwrap()
}

fn count(operation: Operation, outcome: Outcome, count: u64) -> OperationCount {
    OperationCount { operation, outcome, count }
}

fn used(container: u128, name: &str, version: u128, at: UnixTime) -> KeyVersionUse {
    KeyVersionUse { container: container_id(container), name: object_name(name), version: version_id(version), at }
}

pub fn a_lifetime_begins_ends_and_stays(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    let whole = |store: &dyn Store| read(store, |tx| tx.lifetimes(&everything(), None, 9));
    assert_eq!(whole(store), [Lifetime::of(&vault(1, "one"))]);
    let mut changed = vault(1, "one");
    changed.sku.name = "premium".to_owned();
    changed.state = deleted_until(UnixTime(NOW.0 + 90));
    write(store, |tx| tx.save_container(&changed));
    assert_eq!(lifetimes(store, &everything()), [(container_id(1), Some(UnixTime(NOW.0 + 90)))]);
    write(store, |tx| tx.save_container(&vault(1, "one")));
    assert_eq!(lifetimes(store, &everything()), [(container_id(1), None)], "a recovered one has no end");
    write(store, |tx| tx.remove_container(container_id(1), proof()));
    // Its name is free; it is another container that takes it.
    write(store, |tx| tx.insert_container(&vault(2, "ONE"), &sealed("key of two")));
    harness.reopen();
    let store = harness.store();
    let ended = Lifetime { ends: Some(proof().at()), ..Lifetime::of(&vault(1, "one")) };
    assert_eq!(whole(store), [ended, Lifetime::of(&vault(2, "ONE"))]);
}

pub fn an_undone_creation_or_purge_leaves_no_trace_in_a_lifetime(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    let undone = store.transact("test", |tx| {
        tx.insert_container(&vault(2, "two"), &sealed("k"))?;
        tx.remove_container(container_id(1), proof())?;
        Err::<(), _>(Fault::UnexpectedRow { what: "changed my mind" })
    });
    assert!(undone.is_err());
    assert_eq!(lifetimes(store, &everything()), [(container_id(1), None)]);
}

pub fn lifetimes_keep_to_their_filter(harness: &mut dyn Harness) {
    let store = harness.store();
    let mut elsewhere = vault(3, "three");
    elsewhere.resource.resource_group = "Straße".to_owned();
    let mut foreign = vault(4, "four");
    foreign.resource.subscription = guid(9);
    for container in [vault(1, "one"), hsm(2, "one"), elsewhere, foreign] {
        write(store, |tx| tx.insert_container(&container, &sealed("k")));
    }
    write(store, |tx| tx.remove_container(container_id(1), proof()));
    let ids = |filter: LifetimeFilter| lifetimes(store, &filter).into_iter().map(|(id, _)| id).collect::<Vec<_>>();
    let some = |numbers: &[u128]| numbers.iter().map(|number| container_id(*number)).collect::<Vec<_>>();
    assert_eq!(ids(everything()), some(&[1, 2, 3]));
    assert_eq!(ids(LifetimeFilter { subscription: guid(9), ..everything() }), some(&[4]));
    assert_eq!(ids(LifetimeFilter { resource_group: Some("GROUP".to_owned()), ..everything() }), some(&[1, 2]));
    assert_eq!(ids(LifetimeFilter { resource_group: Some("STRAßE".to_owned()), ..everything() }), some(&[3]));
    assert_eq!(ids(LifetimeFilter { name: Some(container_name("ONE")), ..everything() }), some(&[1, 2]));
    assert_eq!(ids(LifetimeFilter { kind: Some(ContainerKind::ManagedHsm), ..everything() }), some(&[2]));
    let since = |at| LifetimeFilter { alive_since: at, ..everything() };
    assert_eq!(ids(since(proof().at())), some(&[1, 2, 3]));
    assert_eq!(ids(since(proof().at().plus_seconds(1))), some(&[2, 3]));
}

pub fn lifetimes_come_from_the_id_asked_for_on(harness: &mut dyn Harness) {
    let store = harness.store();
    for number in 1..=7 {
        write(store, |tx| tx.insert_container(&vault(number, &format!("vault{number}")), &sealed("k")));
    }
    for from in 0..=8 {
        for limit in 0..=8 {
            let page = read(store, |tx| tx.lifetimes(&everything(), Some(container_id(from)), limit));
            let expected = (from.max(1)..=7).take(limit).map(container_id);
            assert!(page.iter().map(|lifetime| lifetime.container).eq(expected), "{limit} from {from}");
        }
    }
}

pub fn operations_add_up_by_container_month_and_outcome(harness: &mut dyn Harness) {
    use Operation::{KeyGet, KeySign};
    use Outcome::{Done, Refused};
    let store = harness.store();
    let (october, november) = (month("2026-10"), month("2026-11"));
    write(store, |tx| {
        for counted in [count(KeySign, Refused, 1), count(KeySign, Done, 5), count(KeyGet, Done, 7)] {
            tx.add_operations(container_id(1), november, &counted)?;
        }
        tx.add_operations(container_id(1), november, &count(KeySign, Done, 2))?;
        tx.add_operations(container_id(1), october, &count(KeySign, Done, 30))?;
        tx.add_operations(container_id(2), november, &count(KeySign, Done, 400))
    });
    write(store, |tx| tx.add_operations(container_id(1), november, &count(KeySign, Refused, 1)));
    let undone = store.transact("test", |tx| {
        tx.add_operations(container_id(1), november, &count(KeySign, Done, 1_000))?;
        Err::<(), _>(Fault::UnexpectedRow { what: "changed my mind" })
    });
    assert!(undone.is_err());
    harness.reopen();
    let counts = |container, month| read(harness.store(), |tx| tx.operation_counts(container_id(container), month));
    let expected = [count(KeyGet, Done, 7), count(KeySign, Done, 7), count(KeySign, Refused, 2)];
    assert_eq!(counts(1, november), expected, "in the order of operations");
    assert_eq!(counts(1, october), [count(KeySign, Done, 30)]);
    assert_eq!(counts(2, november), [count(KeySign, Done, 400)]);
    assert_eq!(counts(2, october), []);
}

pub fn key_versions_are_counted_by_their_latest_use_in_a_month(harness: &mut dyn Harness) {
    let store = harness.store();
    let begin = month("2026-11").begin();
    let at = |day: i64| begin.plus_seconds((day - 1) * DAY);
    write(store, |tx| {
        for (container, name, version, day) in [
            (1, "a", 1, 20),
            // Earlier, again, and in another case: still the version of the 20th.
            (1, "A", 1, 3),
            (1, "a", 1, 20),
            (1, "a", 2, 5),
            // A version of the same id, restored under another name.
            (1, "b", 1, 8),
            // In two months, yet one version.
            (1, "c", 3, 29),
            (1, "c", 3, 31),
            (2, "a", 1, 20),
        ] {
            tx.note_key_use(&used(container, name, version, at(day)))?;
        }
        Ok(())
    });
    harness.reopen();
    let versions = |container, from, until| {
        read(harness.store(), |tx| tx.key_versions_used(container_id(container), &(at(from)..at(until))))
    };
    assert_eq!(versions(1, 1, 61), 4);
    assert_eq!(versions(1, 5, 61), 4);
    assert_eq!(versions(1, 6, 61), 3);
    assert_eq!(versions(1, 21, 61), 1);
    assert_eq!(versions(1, 31, 61), 1, "the next month alone");
    assert_eq!(versions(1, 32, 61), 0);
    assert_eq!(versions(1, 1, 20), 2, "what the end excludes");
    assert_eq!((versions(2, 1, 61), versions(3, 1, 61)), (1, 0));
}
