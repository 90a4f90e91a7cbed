//! What the scheduler and the rotation loop ask for.

use super::{Harness, fixtures::*};
use crate::{DueObject, Store};
use domain::{State, UnixTime};

fn delete_vault(store: &dyn Store, number: u128, state: State) {
    let mut container = read(store, |tx| tx.container_by_id(container_id(number))).unwrap().container;
    container.state = state;
    write(store, |tx| tx.save_container(&container));
}

/// Gives an object a state and a date of rotation.
fn set(store: &dyn Store, name: &str, state: State, next_action: Option<i64>) {
    let mut object = read(store, |tx| tx.object(container_id(1), KEY, &object_name(name))).unwrap().object;
    object.state = state;
    object.next_action = next_action.map(UnixTime);
    write(store, |tx| tx.save_object(container_id(1), &object));
}

fn due(name: &str) -> DueObject {
    DueObject { container: container_id(1), kind: KEY, name: object_name(name) }
}

pub fn containers_are_due_from_their_date_on_the_longest_due_first(harness: &mut dyn Harness) {
    let store = harness.store();
    for (number, name) in [(1, "one"), (2, "two"), (3, "three"), (4, "four")] {
        write(store, |tx| tx.insert_container(&vault(number, name), &sealed("k")));
    }
    for (number, at) in [(1, 30), (2, 10), (3, 20)] {
        delete_vault(store, number, deleted_until(UnixTime(at)));
    }
    let due = |now, limit| read(store, |tx| tx.due_containers(UnixTime(now), limit));
    assert_eq!(due(9, 9), []);
    assert_eq!(due(10, 9), [container_id(2)]);
    assert_eq!(due(29, 9), [container_id(2), container_id(3)]);
    assert_eq!(due(99, 9), [container_id(2), container_id(3), container_id(1)]);
    assert_eq!(due(99, 2), [container_id(2), container_id(3)]);
    delete_vault(store, 2, State::Live);
    assert_eq!(due(99, 9), [container_id(3), container_id(1)], "a recovered container is not due");
}

pub fn deleted_objects_are_due_from_their_date_on_the_longest_due_first(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    for (number, name, at) in [(1, "a", 30), (2, "B", 10), (3, "c", 20)] {
        write(store, |tx| insert(tx, 1, name, number));
        set(store, name, deleted_until(UnixTime(at)), None);
    }
    write(store, |tx| insert(tx, 1, "live", 4));
    let list = |now, limit| read(store, |tx| tx.due_objects(UnixTime(now), limit));
    assert_eq!(list(9, 9), []);
    assert_eq!(list(10, 9), [due("B")]);
    assert_eq!(list(10, 9)[0].name.as_str(), "B");
    assert_eq!(list(99, 9), [due("B"), due("c"), due("a")]);
    assert_eq!(list(99, 2), [due("B"), due("c")]);
    set(store, "B", State::Live, None);
    assert_eq!(list(99, 9), [due("c"), due("a")], "a recovered object is not due");
    write(store, |tx| tx.remove_object(container_id(1), KEY, &object_name("c"), &proof()));
    assert_eq!(list(99, 9), [due("a")]);
}

pub fn objects_of_a_deleted_container_wait(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    write(store, |tx| insert(tx, 1, "a", 1));
    set(store, "a", deleted_until(UnixTime(10)), None);
    delete_vault(store, 1, deleted_until(UnixTime(50)));
    assert_eq!(read(store, |tx| tx.due_objects(UnixTime(99), 9)), []);
    delete_vault(store, 1, State::Live);
    assert_eq!(read(store, |tx| tx.due_objects(UnixTime(99), 9)), [due("a")]);
}

pub fn rotations_are_due_from_their_date_on_the_longest_due_first(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    for (number, name, at) in [(1, "a", Some(30)), (2, "b", Some(10)), (3, "c", None), (4, "d", Some(20))] {
        write(store, |tx| insert(tx, 1, name, number));
        set(store, name, State::Live, at);
    }
    let list = |now, limit| read(store, |tx| tx.due_actions(UnixTime(now), limit));
    assert_eq!(list(9, 9), []);
    assert_eq!(list(10, 9), [due("b")]);
    assert_eq!(list(99, 9), [due("b"), due("d"), due("a")]);
    assert_eq!(list(99, 2), [due("b"), due("d")]);
    set(store, "b", deleted_until(UnixTime(1)), Some(10));
    set(store, "d", State::Live, Some(98));
    assert_eq!(list(97, 9), [due("a")], "deleted keys do not rotate, and dates move");
    set(store, "b", State::Live, Some(10));
    assert_eq!(list(97, 9), [due("b"), due("a")], "a recovered key rotates again");
}

pub fn ends_of_versions_are_told_of_from_their_date_on_while_object_and_container_are_live(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    let set = |name: &str, state: State, next_notice: Option<i64>| {
        let mut object = read(store, |tx| tx.object(container_id(1), KEY, &object_name(name))).unwrap().object;
        (object.state, object.next_notice) = (state, next_notice.map(UnixTime));
        write(store, |tx| tx.save_object(container_id(1), &object));
    };
    for (number, name, at) in [(1, "a", Some(30)), (2, "b", Some(10)), (3, "c", None)] {
        write(store, |tx| insert(tx, 1, name, number));
        set(name, State::Live, at);
    }
    let list = |now, limit| read(store, |tx| tx.due_notices(UnixTime(now), limit));
    assert_eq!((list(9, 9), list(10, 9)), (vec![], vec![due("b")]));
    assert_eq!((list(99, 9), list(99, 1)), (vec![due("b"), due("a")], vec![due("b")]));
    assert_eq!(read(store, |tx| tx.due_actions(UnixTime(99), 9)), [], "the two have nothing to do with each other");
    set("b", deleted_until(UnixTime(1)), Some(10));
    assert_eq!(list(99, 9), [due("a")]);
    set("b", State::Live, Some(10));
    delete_vault(store, 1, deleted_until(UnixTime(50)));
    assert_eq!(list(99, 9), []);
    delete_vault(store, 1, State::Live);
    assert_eq!(list(99, 9), [due("b"), due("a")]);
    let mut inserted = object("d", version_id(4));
    inserted.object.next_notice = Some(UnixTime(5));
    write(store, |tx| tx.insert_object(container_id(1), &inserted, &version(version_id(4)), &sealed("m")));
    assert_eq!(list(5, 9), [due("d")]);
}

pub fn keys_in_a_deleted_container_do_not_rotate(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    write(store, |tx| insert(tx, 1, "a", 1));
    set(store, "a", State::Live, Some(10));
    delete_vault(store, 1, deleted_until(UnixTime(50)));
    assert_eq!(read(store, |tx| tx.due_actions(UnixTime(99), 9)), []);
    delete_vault(store, 1, State::Live);
    assert_eq!(read(store, |tx| tx.due_actions(UnixTime(99), 9)), [due("a")]);
}
