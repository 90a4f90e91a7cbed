//! Principals and their groups.

use super::{Harness, fixtures::*};
use crate::Store;
use domain::{ClientSecret, Guid, Principal, PrincipalKind};

fn principal(object_id: u128, app_id: Option<u128>, name: &str) -> Principal {
    let named = Principal::new(guid(object_id), PrincipalKind::ServicePrincipal, name, NOW);
    let secret = ClientSecret {
        id: guid(100),
        display_name: Some("rbac".to_owned()),
        hash: [7; 32],
        starts: NOW,
        expires: Some(NOW.plus_days(1)),
    };
    let application = Some(guid(object_id + 1000));
    Principal { app_id: app_id.map(guid), application, secrets: vec![secret], ..named }
}

fn user(object_id: u128, name: &str) -> Principal {
    let named = Principal::new(guid(object_id), PrincipalKind::User, "Somebody", NOW);
    Principal { user_principal_name: Some(name.to_owned()), enabled: false, ..named }
}

fn group(object_id: u128) -> Principal {
    let named = Principal::new(guid(object_id), PrincipalKind::Group, "Group", NOW);
    Principal { description: Some("of many".to_owned()), mail_nickname: Some("group".to_owned()), ..named }
}

fn all(store: &dyn Store) -> Vec<Principal> {
    let mut list = read(store, |tx| tx.principals());
    list.sort_by_key(|principal| principal.object_id);
    list
}

pub fn principals_are_found_by_application_by_object_and_by_user_name(harness: &mut dyn Harness) {
    let store = harness.store();
    write(store, |tx| {
        tx.put_principal(&principal(1, Some(11), "one"))?;
        tx.put_principal(&user(2, "Ädä@Contoso.example"))?;
        tx.put_principal(&group(3))
    });
    assert_eq!(read(store, |tx| tx.principal_by_app(guid(11))), Some(principal(1, Some(11), "one")));
    assert_eq!(read(store, |tx| tx.principal_by_app(guid(1))), None);
    assert_eq!(read(store, |tx| tx.principal_by_object(guid(3))), Some(group(3)));
    assert_eq!(read(store, |tx| tx.principal_by_object(guid(11))), None);
    let by_name = |name: &str| read(store, |tx| tx.principal_by_user_name(name));
    assert_eq!(by_name("äDÄ@contoso.EXAMPLE"), Some(user(2, "Ädä@Contoso.example")));
    assert_eq!((by_name("one"), by_name("")), (None, None));
    write(store, |tx| tx.put_principal(&principal(1, Some(12), "first")));
    write(store, |tx| tx.put_principal(&user(2, "ada@x")));
    assert_eq!(read(store, |tx| tx.principal_by_app(guid(11))), None, "the application id has changed");
    assert_eq!(read(store, |tx| tx.principal_by_app(guid(12))), Some(principal(1, Some(12), "first")));
    assert_eq!(by_name("ädä@contoso.example"), None, "the user name has changed");
    assert_eq!(by_name("ada@x"), Some(user(2, "ada@x")));
    assert_eq!(all(store), [principal(1, Some(12), "first"), user(2, "ada@x"), group(3)]);
}

pub fn an_application_signs_in_as_one_principal(harness: &mut dyn Harness) {
    let store = harness.store();
    write(store, |tx| tx.put_principal(&principal(1, Some(11), "one")));
    assert_unexpected(store, |tx| tx.put_principal(&principal(2, Some(11), "two")));
    assert_eq!(all(store), [principal(1, Some(11), "one")]);
}

pub fn a_user_name_belongs_to_one_user(harness: &mut dyn Harness) {
    let store = harness.store();
    write(store, |tx| {
        tx.put_principal(&user(1, "ada@x"))?;
        tx.put_principal(&group(3))?;
        tx.put_principal(&group(4))
    });
    assert_unexpected(store, |tx| tx.put_principal(&user(2, "ADA@X")));
    assert_eq!(all(store), [user(1, "ada@x"), group(3), group(4)]);
}

pub fn a_removed_principal_frees_its_names(harness: &mut dyn Harness) {
    let store = harness.store();
    write(store, |tx| {
        tx.put_principal(&principal(1, Some(11), "one"))?;
        tx.put_principal(&user(2, "ada@x"))
    });
    write(store, |tx| {
        tx.remove_principal(guid(1))?;
        tx.put_principal(&principal(5, Some(11), "again"))
    });
    write(store, |tx| tx.remove_principal(guid(2)));
    assert_eq!(read(store, |tx| tx.principal_by_object(guid(1))), None);
    write(store, |tx| tx.put_principal(&user(6, "ada@x")));
    assert_eq!(all(store), [principal(5, Some(11), "again"), user(6, "ada@x")]);
}

pub fn a_principal_that_is_not_there_cannot_be_removed(harness: &mut dyn Harness) {
    let store = harness.store();
    write(store, |tx| tx.put_principal(&group(1)));
    assert_unexpected(store, |tx| tx.remove_principal(guid(2)));
    assert_eq!(all(store), [group(1)]);
}

/// Groups 1 and 2, users 3 and 4.
fn with_principals(harness: &dyn Harness) -> &dyn Store {
    let store = harness.store();
    write(store, |tx| {
        tx.put_principal(&group(1))?;
        tx.put_principal(&group(2))?;
        tx.put_principal(&user(3, "c@x"))?;
        tx.put_principal(&user(4, "d@x"))
    });
    store
}

fn memberships(store: &dyn Store) -> Vec<(Guid, Guid)> {
    let mut list = read(store, |tx| tx.memberships());
    list.sort();
    list
}

fn pairs(pairs: &[(u128, u128)]) -> Vec<(Guid, Guid)> {
    pairs.iter().map(|(group, member)| (guid(*group), guid(*member))).collect()
}

pub fn memberships_are_read_from_both_sides(harness: &mut dyn Harness) {
    with_principals(harness);
    write(harness.store(), |tx| {
        tx.insert_membership(guid(1), guid(4))?;
        tx.insert_membership(guid(1), guid(2))?;
        tx.insert_membership(guid(2), guid(4))
    });
    harness.reopen();
    let store = harness.store();
    assert_eq!(memberships(store), pairs(&[(1, 2), (1, 4), (2, 4)]));
    let sorted = |mut list: Vec<Guid>| {
        list.sort();
        list
    };
    let members = |group| sorted(read(store, |tx| tx.members_of(guid(group))));
    let groups = |member| sorted(read(store, |tx| tx.groups_of(guid(member))));
    assert_eq!((members(1), members(2), members(4)), (vec![guid(2), guid(4)], vec![guid(4)], vec![]));
    assert_eq!((groups(4), groups(2), groups(1)), (vec![guid(1), guid(2)], vec![guid(1)], vec![]));
    write(store, |tx| tx.remove_membership(guid(1), guid(4)));
    assert_eq!(memberships(store), pairs(&[(1, 2), (2, 4)]));
    write(store, |tx| tx.put_principal(&Principal { display_name: "other".to_owned(), ..group(1) }));
    assert_eq!(members(1), [guid(2)], "a changed group keeps its members");
}

pub fn a_membership_needs_both_its_principals(harness: &mut dyn Harness) {
    let store = with_principals(harness);
    assert_unexpected(store, |tx| tx.insert_membership(guid(1), guid(9)));
    assert_unexpected(store, |tx| tx.insert_membership(guid(9), guid(3)));
    assert_eq!(memberships(store), []);
}

pub fn a_membership_that_is_there_cannot_be_inserted(harness: &mut dyn Harness) {
    let store = with_principals(harness);
    write(store, |tx| tx.insert_membership(guid(1), guid(3)));
    assert_unexpected(store, |tx| tx.insert_membership(guid(1), guid(3)));
    assert_eq!(memberships(store), pairs(&[(1, 3)]));
}

pub fn a_membership_that_is_not_there_cannot_be_removed(harness: &mut dyn Harness) {
    let store = with_principals(harness);
    write(store, |tx| tx.insert_membership(guid(1), guid(3)));
    assert_unexpected(store, |tx| tx.remove_membership(guid(3), guid(1)));
    assert_unexpected(store, |tx| tx.remove_membership(guid(1), guid(4)));
    assert_eq!(memberships(store), pairs(&[(1, 3)]));
}

pub fn a_removed_principal_takes_its_memberships(harness: &mut dyn Harness) {
    let store = with_principals(harness);
    write(store, |tx| {
        for (group, member) in [(1, 2), (1, 3), (2, 3), (2, 4)] {
            tx.insert_membership(guid(group), guid(member))?;
        }
        Ok(())
    });
    write(store, |tx| tx.remove_principal(guid(3)));
    assert_eq!(memberships(store), pairs(&[(1, 2), (2, 4)]));
    write(store, |tx| tx.remove_principal(guid(2)));
    assert_eq!(memberships(store), []);
    write(store, |tx| tx.put_principal(&group(2)));
    assert_eq!(memberships(store), [], "who comes back under an old id comes back alone");
}
