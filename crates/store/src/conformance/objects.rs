//! Objects.

use super::{Harness, fixtures::*};
use crate::{Fault, Presence, Store};
use domain::{Object, UnixTime, Version};

pub fn an_object_is_found_by_its_name_without_case(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    write(store, |tx| insert(tx, 1, "Key-A", 1));
    let found = read(store, |tx| tx.object(container_id(1), KEY, &object_name("kEY-a"))).unwrap();
    assert_eq!(found, object("Key-A", version_id(1)));
    assert_eq!(found.object.name.as_str(), "Key-A", "the case of its creation is kept");
    assert_eq!(found.sealed_key, sealed("key of Key-A"));
    assert_eq!(read(store, |tx| tx.object(container_id(1), KEY, &object_name("Key-B"))), None);
    assert_eq!(read(store, |tx| tx.object(container_id(2), KEY, &object_name("Key-A"))), None);
}

pub fn an_object_that_is_there_cannot_be_inserted(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    write(store, |tx| insert(tx, 1, "a", 1));
    assert_unexpected(store, |tx| insert(tx, 1, "A", 2));
    assert_eq!(read(store, |tx| tx.object(container_id(1), KEY, &object_name("a"))), Some(object("a", version_id(1))));
    assert_eq!(read(store, |tx| tx.count_versions(container_id(1), KEY, &object_name("a"))), 1);
    write(store, |tx| {
        tx.insert_container(&vault(2, "two"), &sealed("k"))?;
        insert(tx, 2, "A", 2)
    });
}

pub fn an_object_needs_its_container(harness: &mut dyn Harness) {
    let store = harness.store();
    assert_unexpected(store, |tx| insert(tx, 1, "a", 1));
    assert_eq!(read(store, |tx| tx.object(container_id(1), KEY, &object_name("a"))), None);
}

pub fn an_object_that_is_not_there_cannot_be_saved_or_removed(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    assert_unexpected(store, |tx| tx.save_object(container_id(1), &object("a", version_id(1)).object));
    assert_unexpected(store, |tx| tx.remove_object(container_id(1), KEY, &object_name("a"), &proof()));
    assert_eq!(read(store, |tx| tx.object(container_id(1), KEY, &object_name("a"))), None);
}

pub fn saving_an_object_leaves_its_key_and_versions(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    write(store, |tx| insert(tx, 1, "a", 1));
    let mut expected = object("a", version_id(1));
    expected.object.state = deleted_until(UnixTime(7));
    expected.object.next_action = Some(UnixTime(8));
    write(store, |tx| tx.save_object(container_id(1), &expected.object));
    assert_eq!(read(store, |tx| tx.object(container_id(1), KEY, &object_name("a"))), Some(expected));
    let version = read(store, |tx| tx.version(container_id(1), KEY, &object_name("a"), version_id(1)));
    assert_eq!(version, Some(stored_version(version_id(1), 1, sealed("material of a"))));
}

fn page(store: &dyn Store, presence: Presence, after: Option<&str>, limit: usize) -> Vec<String> {
    let list = read(store, |tx| tx.list_objects(container_id(1), KEY, presence, after, limit));
    list.into_iter().map(|(object, _)| object.name.to_string()).collect()
}

pub fn objects_page_exactly(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    let mut expected: Vec<String> = Vec::new();
    for count in 0..12_u128 {
        for limit in 1..=13 {
            let all = pages(
                limit,
                |(object, _): &(Object, Version)| object.name.folded(),
                |after, limit| {
                    let after = after.as_deref();
                    read(store, |tx| tx.list_objects(container_id(1), KEY, Presence::Live, after, limit))
                },
            );
            let names: Vec<String> = all.into_iter().map(|(object, _)| object.name.to_string()).collect();
            assert_eq!(names, expected, "{count} objects in pages of {limit}");
        }
        // Digits, hyphens and both cases, in an order that is not the list's.
        let name =
            ["b", "A", "a-", "a1", "B-1", "z", "Z9", "-", "0", "a--", "aa", "Ab"][usize::try_from(count).unwrap()];
        write(store, |tx| insert(tx, 1, name, count));
        expected.push(name.to_owned());
        expected.sort_by_key(|name| name.to_ascii_uppercase());
    }
    assert!(page(store, Presence::Live, None, 0).is_empty());
}

pub fn a_page_may_begin_after_a_name_that_is_not_there(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    write(store, |tx| {
        insert(tx, 1, "a", 1)?;
        insert(tx, 1, "c", 2)
    });
    assert_eq!(page(store, Presence::Live, Some("B"), 5), ["c"]);
    assert_eq!(page(store, Presence::Live, Some("A"), 5), ["c"]);
    assert!(page(store, Presence::Live, Some("C"), 5).is_empty());
    assert_eq!(page(store, Presence::Live, Some(""), 5), ["a", "c"]);
}

pub fn a_list_of_objects_keeps_to_container_and_presence(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    write(store, |tx| {
        tx.insert_container(&vault(2, "two"), &sealed("k"))?;
        insert(tx, 1, "live", 1)?;
        insert(tx, 2, "other", 2)?;
        insert(tx, 1, "gone", 3)?;
        let mut gone = object("gone", version_id(3)).object;
        gone.state = deleted_until(NOW);
        tx.save_object(container_id(1), &gone)
    });
    assert_eq!(page(store, Presence::Live, None, 5), ["live"]);
    assert_eq!(page(store, Presence::Deleted, None, 5), ["gone"]);
    write(store, |tx| tx.save_object(container_id(1), &object("gone", version_id(3)).object));
    assert_eq!(page(store, Presence::Live, None, 5), ["gone", "live"], "recovered");
    assert!(page(store, Presence::Deleted, None, 5).is_empty());
}

pub fn a_list_of_objects_shows_the_current_version(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    let current = || read(store, |tx| tx.list_objects(container_id(1), KEY, Presence::Live, None, 5))[0].1.id;
    write(store, |tx| insert(tx, 1, "a", 1));
    assert_eq!(current(), version_id(1));
    write(store, |tx| {
        tx.insert_version(container_id(1), KEY, &object_name("A"), &version(version_id(2)), &sealed("m"))
    });
    assert_eq!(current(), version_id(1), "`current` is saved separately");
    write(store, |tx| tx.save_object(container_id(1), &object("a", version_id(2)).object));
    assert_eq!(current(), version_id(2));
}

pub fn an_object_without_its_current_version_is_corrupt(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    write(store, |tx| {
        insert(tx, 1, "a", 1)?;
        tx.save_object(container_id(1), &object("a", version_id(9)).object)
    });
    let list = store.query(|tx| tx.list_objects(container_id(1), KEY, Presence::Live, None, 5));
    assert!(matches!(list, Err(Fault::CorruptRecord { .. })), "it must not vanish from the list: {list:?}");
}

pub fn a_removed_object_takes_its_versions_and_frees_its_name(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    let name = object_name("a");
    write(store, |tx| {
        insert(tx, 1, "a", 1)?;
        insert(tx, 1, "b", 1)?;
        tx.insert_version(container_id(1), KEY, &name, &version(version_id(2)), &sealed("m"))
    });
    write(store, |tx| tx.remove_object(container_id(1), KEY, &object_name("A"), &proof()));
    read(store, |tx| {
        assert_eq!(tx.object(container_id(1), KEY, &name)?, None);
        assert_eq!(tx.version(container_id(1), KEY, &name, version_id(1))?, None);
        assert_eq!(tx.list_versions(container_id(1), KEY, &name, 0, 9)?, []);
        assert_eq!(tx.count_versions(container_id(1), KEY, &name)?, 0);
        assert_eq!(tx.object(container_id(1), KEY, &object_name("b"))?, Some(object("b", version_id(1))));
        Ok(())
    });
    write(store, |tx| insert(tx, 1, "a", 1));
    assert_eq!(read(store, |tx| tx.list_versions(container_id(1), KEY, &name, 0, 9))[0].sequence, 1);
}
