//! Versions of objects.

use super::{Harness, fixtures::*};
use crate::{Store, StoredVersion};

/// Vault 1 with object `a` of versions 1 to `count`.
fn with_versions(harness: &dyn Harness, count: u128) -> &dyn Store {
    let store = with_vault(harness);
    write(store, |tx| {
        insert(tx, 1, "a", 1)?;
        for number in 2..=count {
            add(tx, number)?;
        }
        Ok(())
    });
    store
}

fn add(tx: &mut dyn crate::Tx, number: u128) -> Result<(), crate::Fault> {
    let material = sealed(&format!("material {number}"));
    tx.insert_version(container_id(1), KEY, &object_name("A"), &version(version_id(number)), &material)
}

pub fn versions_are_numbered_from_one_in_the_order_of_their_making(harness: &mut dyn Harness) {
    let store = with_versions(harness, 1);
    // Their ids come in another order.
    for number in [9, 3, 7] {
        write(store, |tx| add(tx, number));
    }
    let list = read(store, |tx| tx.list_versions(container_id(1), KEY, &object_name("a"), 0, 10));
    let expected = [
        stored_version(version_id(1), 1, sealed("material of a")),
        stored_version(version_id(9), 2, sealed("material 9")),
        stored_version(version_id(3), 3, sealed("material 3")),
        stored_version(version_id(7), 4, sealed("material 7")),
    ];
    assert_eq!(list, expected);
    for stored in expected {
        let id = stored.version.id;
        assert_eq!(read(store, |tx| tx.version(container_id(1), KEY, &object_name("A"), id)), Some(stored));
    }
    assert_eq!(read(store, |tx| tx.count_versions(container_id(1), KEY, &object_name("A"))), 4);
    assert_eq!(read(store, |tx| tx.version(container_id(1), KEY, &object_name("a"), version_id(2))), None);
}

pub fn versions_page_exactly(harness: &mut dyn Harness) {
    let store = with_versions(harness, 1);
    for count in 1..=8 {
        for limit in 1..=9 {
            let all = pages(
                limit,
                |stored: &StoredVersion| stored.sequence,
                |after, limit| {
                    let after = after.unwrap_or(0);
                    read(store, |tx| tx.list_versions(container_id(1), KEY, &object_name("a"), after, limit))
                },
            );
            let sequences: Vec<u64> = all.iter().map(|stored| stored.sequence).collect();
            assert_eq!(sequences, (1..=count).collect::<Vec<u64>>(), "{count} versions in pages of {limit}");
        }
        write(store, |tx| add(tx, u128::from(count) + 1));
    }
    assert_eq!(read(store, |tx| tx.list_versions(container_id(1), KEY, &object_name("a"), u64::MAX, 9)), []);
    assert_eq!(read(store, |tx| tx.list_versions(container_id(1), KEY, &object_name("a"), 0, 0)), []);
}

pub fn a_version_that_is_there_cannot_be_inserted(harness: &mut dyn Harness) {
    let store = with_versions(harness, 2);
    assert_unexpected(store, |tx| add(tx, 2));
    assert_eq!(read(store, |tx| tx.count_versions(container_id(1), KEY, &object_name("a"))), 2);
}

pub fn a_version_needs_its_object(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    assert_unexpected(store, |tx| add(tx, 1));
    assert_unexpected(store, |tx| tx.save_version(container_id(1), KEY, &object_name("a"), &version(version_id(1))));
    assert_eq!(read(store, |tx| tx.list_versions(container_id(1), KEY, &object_name("a"), 0, 9)), []);
}

pub fn a_version_that_is_not_there_cannot_be_saved(harness: &mut dyn Harness) {
    let store = with_versions(harness, 1);
    assert_unexpected(store, |tx| tx.save_version(container_id(1), KEY, &object_name("a"), &version(version_id(2))));
    assert_eq!(read(store, |tx| tx.count_versions(container_id(1), KEY, &object_name("a"))), 1);
}

pub fn saving_a_version_leaves_its_material_and_place(harness: &mut dyn Harness) {
    let store = with_versions(harness, 3);
    let mut expected = stored_version(version_id(2), 2, sealed("material 2"));
    expected.version.attributes.enabled = false;
    expected.version.tags.insert("colour".to_owned(), "red".to_owned());
    write(store, |tx| tx.save_version(container_id(1), KEY, &object_name("A"), &expected.version));
    assert_eq!(read(store, |tx| tx.list_versions(container_id(1), KEY, &object_name("a"), 1, 1)), [expected]);
}

pub fn two_objects_may_have_versions_of_the_same_id(harness: &mut dyn Harness) {
    // A backup brings its versions' ids to wherever it is restored.
    let store = with_versions(harness, 1);
    write(store, |tx| insert(tx, 1, "b", 1));
    for name in ["a", "b"] {
        let found = read(store, |tx| tx.version(container_id(1), KEY, &object_name(name), version_id(1))).unwrap();
        assert_eq!(found.material, sealed(&format!("material of {name}")));
    }
}
