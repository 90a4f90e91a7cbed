//! What is purged is gone: from the tables, from every file, from later copies.

use super::{Harness, fixtures::*};
use crate::{Receiver, Store, StoredIssuer, StoredObject};
use domain::{ContainerKind, EventSubscriptionName, Sealed, UnixTime, notice::EventSubscription};
use std::{collections::BTreeSet, path::PathBuf, process::Command};

/// Marks begin with this, so that a file can be searched for all of them at once.
const TAG: &[u8] = b"\xf0MARK";

/// Sealed bytes of at least `length`, full of marks that say `number`.
fn marked(number: u64, length: usize) -> Sealed {
    let mut bytes = Vec::new();
    while bytes.len() < length.max(1) {
        bytes.extend_from_slice(TAG);
        bytes.extend_from_slice(&number.to_be_bytes());
        // Tells a mark from one that is cut by the end of a page.
        bytes.extend_from_slice(&(!number).to_be_bytes());
    }
    Sealed(bytes)
}

/// The number of the mark that begins here, if one does.
fn mark_at(bytes: &[u8]) -> Option<u64> {
    let (number, rest) = bytes.strip_prefix(TAG)?.split_first_chunk()?;
    let number = u64::from_be_bytes(*number);
    (rest.first_chunk() == Some(&(!number).to_be_bytes())).then_some(number)
}

/// The numbers of all marks in the files.
fn marks_in(files: Vec<PathBuf>) -> BTreeSet<u64> {
    let mut found = BTreeSet::new();
    for file in files {
        // Another process reads: an engine may hold locks that end when its own process closes the file.
        let bytes = Command::new("cat").arg(&file).output().unwrap().stdout;
        found.extend((0..bytes.len()).filter_map(|at| mark_at(&bytes[at..])));
    }
    found
}

/// An object whose key has mark `number` and whose material `number + 1`.
fn insert_marked(store: &dyn Store, container: u128, name: &str, number: u64, length: usize) {
    let id = version_id(u128::from(number));
    let new = StoredObject { sealed_key: marked(number, 60), ..object(name, id) };
    let material = marked(number + 1, length);
    write(store, |tx| tx.insert_object(container_id(container), &new, &version(id), &material));
}

fn remove(store: &dyn Store, name: &str) {
    write(store, |tx| tx.remove_object(container_id(1), KEY, &object_name(name), &proof()));
}

pub fn a_purged_object_is_gone_from_every_file(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    for (number, length) in [(10, 100), (20, 1_200), (30, 3_000), (40, 9_000), (50, 50)] {
        insert_marked(store, 1, &format!("k{number}"), number, length);
    }
    let more = marked(42, 2_000);
    write(store, |tx| tx.insert_version(container_id(1), KEY, &object_name("k40"), &version(version_id(42)), &more));
    let all = BTreeSet::from([10, 11, 20, 21, 30, 31, 40, 41, 42, 50, 51]);
    assert_eq!(marks_in(harness.files()), all, "the search finds what is there");
    for number in [40, 10, 30, 20] {
        remove(store, &format!("K{number}"));
        let found = marks_in(harness.files());
        assert!(found.iter().all(|mark| mark / 10 * 10 != number), "{number}: {found:?}");
    }
    assert_eq!(marks_in(harness.files()), BTreeSet::from([50, 51]));
}

pub fn a_purged_container_is_gone_from_every_file(harness: &mut dyn Harness) {
    let store = harness.store();
    for number in [1, 2] {
        write(store, |tx| {
            let name = format!("vault{number}");
            tx.insert_container(&vault(number, &name), &marked(u64::try_from(number).unwrap(), 60))
        });
    }
    for number in 1..=20 {
        insert_marked(store, 1, &format!("a{number}"), 1_000 + number * 10, 700);
        insert_marked(store, 2, &format!("b{number}"), 5_000 + number * 10, 700);
    }
    assert_eq!(marks_in(harness.files()).len(), 82);
    write(store, |tx| tx.remove_container(container_id(1), proof()));
    let found = marks_in(harness.files());
    assert_eq!(found.len(), 41);
    assert!(found.iter().all(|mark| *mark == 2 || *mark > 5_000), "{found:?}");
}

pub fn what_a_large_container_leaves_behind_is_hidden_and_goes_later(harness: &mut dyn Harness) {
    const OBJECTS: u64 = 2_500;
    let store = harness.store();
    write(store, |tx| tx.insert_container(&vault(1, "large"), &marked(1, 60)));
    write(store, |tx| {
        (0..OBJECTS).try_for_each(|number| {
            let (number, id) = (1_000 + number * 10, version_id(u128::from(number) + 1));
            let new = StoredObject { sealed_key: marked(number, 60), ..object(&format!("k{number}"), id) };
            tx.insert_object(container_id(1), &new, &version(id), &marked(number + 1, 60))
        })
    });
    write(store, |tx| tx.remove_container(container_id(1), proof()));
    assert!(read(store, |read| read.container_by_id(container_id(1))).is_none());
    assert!(read(store, |read| read.container(ContainerKind::Vault, &container_name("large"))).is_none());
    assert!(!marks_in(harness.files()).contains(&1), "the key that opens all that is left");
    // Its name is free, and so are the places of what is gone.
    write(store, |tx| tx.insert_container(&vault(2, "large"), &marked(2, 60)));
    insert_marked(store, 2, "k1000", 10, 60);
    harness.reopen();
    let store = harness.store();
    let mut rounds = 0;
    while write(store, |tx| tx.remove_remains()) {
        rounds += 1;
    }
    assert!((2..10).contains(&rounds), "{rounds}");
    // What could open these was destroyed and shredded before; the next purge shreds what the journal has of them.
    write(store, |tx| tx.put_system_record("signing key", &marked(3, 60).0));
    write(store, |tx| tx.put_system_record("signing key", &marked(4, 60).0));
    insert_marked(store, 2, "a", 20, 60);
    write(store, |tx| tx.remove_object(container_id(2), KEY, &object_name("a"), &proof()));
    assert_eq!(marks_in(harness.files()), BTreeSet::from([2, 4, 10, 11]));
    assert!(read(store, |read| read.object(container_id(2), KEY, &object_name("k1000"))).is_some());
    assert!(read(store, |read| read.object(container_id(1), KEY, &object_name("k1000"))).is_none());
}

/// A small generator: the same sequence every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.roll(u64::try_from(of.len()).unwrap())).unwrap()]
    }
}

pub fn what_is_purged_is_gone_however_often_rows_were_moved(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    let mut dice = Dice(7);
    let mut live: Vec<u64> = Vec::new();
    let mut next = 0;
    for _ in 0..80 {
        write(store, |tx| {
            for _ in 0..50 {
                let name = |number: u64| object_name(&format!("{:08x}", number.wrapping_mul(2_654_435_761)));
                let roll = dice.roll(100);
                if roll < 50 || live.is_empty() {
                    next += 10;
                    let id = version_id(u128::from(next));
                    let mut new = object(name(next).as_str(), id);
                    new.sealed_key = marked(next, 60);
                    let length = dice.pick(&[40, 60, 150, 1_200, 2_400, 5_000]);
                    tx.insert_object(container_id(1), &new, &version(id), &marked(next + 1, length))?;
                    live.push(next);
                } else if roll < 70 {
                    // Rows grow, shrink and change their place in the indexes.
                    let number = dice.pick(&live);
                    let mut changed = version(version_id(u128::from(number)));
                    let length = usize::try_from(dice.roll(1_500)).unwrap();
                    changed.tags.insert("grown".to_owned(), "x".repeat(length));
                    tx.save_version(container_id(1), KEY, &name(number), &changed)?;
                    let mut object = object(name(number).as_str(), changed.id).object;
                    object.state = deleted_until(UnixTime(i64::try_from(dice.roll(1_000)).unwrap()));
                    tx.save_object(container_id(1), &object)?;
                } else {
                    let at = usize::try_from(dice.roll(u64::try_from(live.len()).unwrap())).unwrap();
                    tx.remove_object(container_id(1), KEY, &name(live.swap_remove(at)), &proof())?;
                }
            }
            Ok(())
        });
    }
    insert_marked(store, 1, "last", 999_999_990, 100);
    remove(store, "last");
    let expected: BTreeSet<u64> = live.iter().flat_map(|number| [*number, number + 1]).collect();
    let found = marks_in(harness.files());
    assert!(found.is_superset(&expected), "the search finds what is there");
    assert!(found.is_subset(&expected), "{:?}", &found - &expected);
}

pub fn a_copy_made_after_a_purge_does_not_hold_what_was_purged(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    insert_marked(store, 1, "a", 10, 1_000);
    insert_marked(store, 1, "b", 20, 1_000);
    let before = harness.folder().join("before");
    let after = harness.folder().join("after");
    store.copy_to(&before).unwrap();
    remove(store, "a");
    store.copy_to(&after).unwrap();
    assert_eq!(marks_in(vec![before]), BTreeSet::from([10, 11, 20, 21]));
    assert_eq!(marks_in(vec![after]), BTreeSet::from([20, 21]));
}

pub fn a_password_that_is_replaced_or_removed_is_gone_from_every_file(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    let set = |password: Option<Sealed>| {
        let issuer = StoredIssuer { password, ..super::certificates::issuer("a", None) };
        write(store, |tx| tx.put_issuer(container_id(1), &issuer));
    };
    set(Some(marked(10, 100)));
    assert_eq!(marks_in(harness.files()), BTreeSet::from([10]), "the search finds what is there");
    set(Some(marked(20, 900)));
    assert_eq!(marks_in(harness.files()), BTreeSet::from([20]));
    set(None);
    set(Some(marked(30, 100)));
    assert_eq!(marks_in(harness.files()), BTreeSet::from([30]));
    let name = super::certificates::issuer("a", None).issuer.name;
    write(store, |tx| tx.remove_issuer(container_id(1), &name));
    assert_eq!(marks_in(harness.files()), BTreeSet::new());
}

pub fn a_replaced_system_record_is_gone_after_the_next_purge(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    insert_marked(store, 1, "a", 10, 100);
    for (number, length) in [(100, 50), (200, 900), (300, 50), (400, 5_000), (500, 50)] {
        write(store, |tx| tx.put_system_record("signing key", &marked(number, length).0));
    }
    remove(store, "a");
    assert_eq!(marks_in(harness.files()), BTreeSet::from([500]));
}

pub fn endpoints_go_with_their_event_subscriptions_and_containers(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    write(store, |tx| tx.insert_container(&vault(2, "two"), &sealed("k")));
    insert_marked(store, 2, "k", 10, 100);
    let put = |container, name: &str, number| {
        let name = EventSubscriptionName::parse(name).unwrap();
        let subscription = EventSubscription::new(name, NOW);
        let endpoint = marked(number, 100);
        write(store, |tx| tx.put_event_subscription(container_id(container), &subscription, &endpoint));
    };
    for (container, name, number) in [(1, "alpha", 100), (1, "alpha", 110), (1, "beta", 120), (2, "alpha", 130)] {
        put(container, name, number);
    }
    let beta = Receiver { container: container_id(1), name: EventSubscriptionName::parse("beta").unwrap() };
    write(store, |tx| tx.remove_event_subscription(&beta));
    write(store, |tx| tx.remove_container(container_id(2), proof()));
    assert_eq!(marks_in(harness.files()), BTreeSet::from([110]));
}
