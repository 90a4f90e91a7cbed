//! What surrounds containers, and the audit log.

use super::{Harness, fixtures::*};
use domain::{
    OperationResult, ResourceGroup, Subscription, Tags, UnixTime,
    access::{Realm, RoleAssignment, Scope},
};

fn role(realm: Realm, name: u128, principal: u128) -> RoleAssignment {
    RoleAssignment {
        realm,
        name: guid(name),
        scope: Scope::new("/keys/a"),
        role: guid(5),
        principal: guid(principal),
        created: NOW,
    }
}

pub fn role_assignments_are_kept_by_realm(harness: &mut dyn Harness) {
    let store = harness.store();
    let realms = [Realm::Arm, Realm::Hsm(container_id(0)), Realm::Hsm(container_id(1)), Realm::Directory];
    for realm in realms {
        write(store, |tx| {
            tx.put_role_assignment(&role(realm, 2, 1))?;
            tx.put_role_assignment(&role(realm, 1, 1))
        });
    }
    write(store, |tx| tx.put_role_assignment(&role(Realm::Arm, 1, 9)));
    write(store, |tx| tx.remove_role_assignment(realms[2], guid(2)));
    let list = |realm| {
        let mut list = read(store, |tx| tx.role_assignments(realm));
        list.sort_by_key(|assignment| assignment.name);
        list
    };
    assert_eq!(list(realms[0]), [role(Realm::Arm, 1, 9), role(Realm::Arm, 2, 1)]);
    assert_eq!(list(realms[1]), [role(realms[1], 1, 1), role(realms[1], 2, 1)]);
    assert_eq!(list(realms[2]), [role(realms[2], 1, 1)]);
    assert_eq!(list(realms[3]), [role(realms[3], 1, 1), role(realms[3], 2, 1)]);
    assert_eq!(list(Realm::Hsm(container_id(7))), []);
}

pub fn a_role_assignment_that_is_not_there_cannot_be_removed(harness: &mut dyn Harness) {
    let store = harness.store();
    write(store, |tx| tx.put_role_assignment(&role(Realm::Arm, 1, 1)));
    assert_unexpected(store, |tx| tx.remove_role_assignment(Realm::Arm, guid(2)));
    assert_unexpected(store, |tx| tx.remove_role_assignment(Realm::Hsm(container_id(1)), guid(1)));
    assert_eq!(read(store, |tx| tx.role_assignments(Realm::Arm)).len(), 1);
}

pub fn subscriptions_are_put_and_listed(harness: &mut dyn Harness) {
    let store = harness.store();
    let make = |id, name: &str| Subscription {
        id: guid(id),
        tenant: guid(8),
        display_name: name.to_owned(),
        undeletable: id == 2,
    };
    assert_eq!(read(store, |tx| tx.subscriptions()), []);
    write(store, |tx| tx.put_subscription(&make(1, "one")));
    write(store, |tx| tx.put_subscription(&make(2, "two")));
    write(store, |tx| tx.put_subscription(&make(1, "first")));
    let mut list = read(store, |tx| tx.subscriptions());
    list.sort_by_key(|subscription| subscription.id);
    assert_eq!(list, [make(1, "first"), make(2, "two")]);
}

fn group(subscription: u128, name: &str, location: &str) -> ResourceGroup {
    ResourceGroup {
        subscription: guid(subscription),
        name: name.to_owned(),
        location: location.to_owned(),
        tags: Tags::new(),
    }
}

pub fn resource_groups_are_found_without_case(harness: &mut dyn Harness) {
    let store = harness.store();
    write(store, |tx| {
        tx.put_resource_group(&group(1, "Gr\u{fc}n", "here"))?;
        tx.put_resource_group(&group(1, "red", "here"))?;
        tx.put_resource_group(&group(2, "red", "there"))
    });
    let found = |subscription, name: &str| read(store, |tx| tx.resource_group(guid(subscription), name));
    assert_eq!(found(1, "GR\u{dc}N"), Some(group(1, "Gr\u{fc}n", "here")));
    assert_eq!(found(2, "RED"), Some(group(2, "red", "there")));
    assert_eq!(found(2, "Gr\u{fc}n"), None);
    write(store, |tx| tx.put_resource_group(&group(1, "RED", "elsewhere")));
    assert_eq!(found(1, "red"), Some(group(1, "RED", "elsewhere")), "put over the one of another case");
    let list = read(store, |tx| tx.resource_groups(guid(1)));
    assert_eq!(list, [group(1, "Gr\u{fc}n", "here"), group(1, "RED", "elsewhere")]);
    write(store, |tx| tx.remove_resource_group(guid(1), "Red"));
    assert_eq!(found(1, "red"), None);
    assert_eq!(found(2, "red"), Some(group(2, "red", "there")));
}

pub fn a_resource_group_that_is_not_there_cannot_be_removed(harness: &mut dyn Harness) {
    let store = harness.store();
    write(store, |tx| tx.put_resource_group(&group(1, "red", "here")));
    assert_unexpected(store, |tx| tx.remove_resource_group(guid(1), "blue"));
    assert_unexpected(store, |tx| tx.remove_resource_group(guid(2), "red"));
}

pub fn operation_results_are_kept(harness: &mut dyn Harness) {
    let store = harness.store();
    let make =
        |resource: Option<&str>| OperationResult { id: guid(1), created: NOW, resource: resource.map(str::to_owned) };
    assert_eq!(read(store, |tx| tx.operation_result(guid(1))), None);
    write(store, |tx| tx.put_operation_result(&make(None)));
    assert_eq!(read(store, |tx| tx.operation_result(guid(1))), Some(make(None)));
    write(store, |tx| tx.put_operation_result(&make(Some("/subscriptions/s"))));
    assert_eq!(read(store, |tx| tx.operation_result(guid(1))), Some(make(Some("/subscriptions/s"))));
}

pub fn old_operation_results_are_removed_the_oldest_first(harness: &mut dyn Harness) {
    let store = harness.store();
    let made = |age: i64| UnixTime(NOW.0 - age);
    for (number, age) in [(1, 10), (2, 30), (3, 20), (4, 40)] {
        let result = OperationResult { id: guid(number), created: made(age), resource: None };
        write(store, |tx| tx.put_operation_result(&result));
    }
    let left = || (1..=4).filter(|number| read(store, |tx| tx.operation_result(guid(*number))).is_some());
    assert_eq!(write(store, |tx| tx.remove_operation_results(made(20), 2)), 2);
    assert_eq!(left().collect::<Vec<_>>(), [1, 3]);
    assert_eq!(write(store, |tx| tx.remove_operation_results(made(20), 2)), 1);
    assert_eq!(write(store, |tx| tx.remove_operation_results(made(20), 2)), 0);
    assert_eq!(left().collect::<Vec<_>>(), [1]);
    // One that is put again is as old as it says.
    let again = OperationResult { id: guid(1), created: made(50), resource: None };
    write(store, |tx| tx.put_operation_result(&again));
    assert_eq!(write(store, |tx| tx.remove_operation_results(made(20), 2)), 1);
}

pub fn system_records_of_any_size_are_put_over_each_other(harness: &mut dyn Harness) {
    let store = harness.store();
    assert_eq!(read(store, |tx| tx.system_record("a")), None);
    for length in [5, 0, 60, 61, 100_000, 64, 3] {
        let value = vec![u8::try_from(length % 251).unwrap(); length];
        write(store, |tx| tx.put_system_record("a", &value));
        write(store, |tx| tx.put_system_record("b", b"unchanged"));
        assert_eq!(read(store, |tx| tx.system_record("a")), Some(value));
    }
    assert_eq!(read(store, |tx| tx.system_record("b")), Some(b"unchanged".to_vec()));
    assert_eq!(read(store, |tx| tx.system_record("A")), None, "a fixed name is looked up as it is");
}

pub fn audit_records_page_exactly(harness: &mut dyn Harness) {
    let store = harness.store();
    for count in 0..7_u64 {
        for limit in 1..=8 {
            let all = pages(
                limit,
                |(position, _): &(u64, String)| *position,
                |after, limit| read(store, |tx| tx.audit(after.unwrap_or(0), limit)),
            );
            let expected: Vec<_> = (1..=count).map(|position| (position, audit(position))).collect();
            assert_eq!(all, expected, "{count} records in pages of {limit}");
        }
        assert_eq!(write(store, |tx| tx.append_audit(&audit(count + 1))), count + 1);
    }
    assert_eq!(read(store, |tx| tx.audit(u64::MAX, 9)), []);
}
