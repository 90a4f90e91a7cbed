//! Custom role definitions.

use super::{Harness, fixtures::*};
use domain::access::{Realm, RoleDefinition, RoleOrigin, RolePermissions, Scope};

fn definition(id: u128, name: &str) -> RoleDefinition {
    RoleDefinition {
        id: guid(id),
        name: name.to_owned(),
        description: "what for".to_owned(),
        permissions: RolePermissions {
            actions: vec!["a/read".to_owned()],
            not_actions: vec!["b/read".to_owned()],
            data_actions: vec!["c/read".to_owned()],
            not_data_actions: vec!["d/read".to_owned()],
        },
        assignable_scopes: vec![Scope::new("/subscriptions/S")],
        origin: RoleOrigin::Custom { created: NOW, updated: NOW },
    }
}

pub fn role_definitions_are_kept_by_realm(harness: &mut dyn Harness) {
    let realms = [Realm::Arm, Realm::Hsm(container_id(0)), Realm::Hsm(container_id(1)), Realm::Directory];
    for realm in realms {
        write(harness.store(), |tx| {
            tx.put_role_definition(realm, &definition(2, "second"))?;
            tx.put_role_definition(realm, &definition(1, "first"))
        });
    }
    write(harness.store(), |tx| tx.put_role_definition(Realm::Arm, &definition(1, "changed")));
    write(harness.store(), |tx| tx.remove_role_definition(realms[2], guid(2)));
    harness.reopen();
    let list = |realm| {
        let mut list = read(harness.store(), |tx| tx.role_definitions(realm));
        list.sort_by_key(|definition| definition.id);
        list
    };
    assert_eq!(list(realms[0]), [definition(1, "changed"), definition(2, "second")]);
    assert_eq!(list(realms[1]), [definition(1, "first"), definition(2, "second")]);
    assert_eq!(list(realms[2]), [definition(1, "first")]);
    assert_eq!(list(realms[3]), [definition(1, "first"), definition(2, "second")]);
    assert_eq!(list(Realm::Hsm(container_id(7))), []);
}

pub fn a_role_definition_that_is_not_there_cannot_be_removed(harness: &mut dyn Harness) {
    let store = harness.store();
    write(store, |tx| tx.put_role_definition(Realm::Arm, &definition(1, "first")));
    assert_unexpected(store, |tx| tx.remove_role_definition(Realm::Arm, guid(2)));
    assert_unexpected(store, |tx| tx.remove_role_definition(Realm::Hsm(container_id(1)), guid(1)));
    assert_eq!(read(store, |tx| tx.role_definitions(Realm::Arm)).len(), 1);
}

pub fn a_removed_container_takes_its_role_definitions_and_no_others(harness: &mut dyn Harness) {
    let store = harness.store();
    for number in [1, 2] {
        write(store, |tx| {
            tx.insert_container(&hsm(number, &format!("hsm{number}")), &sealed("k"))?;
            tx.put_role_definition(Realm::Hsm(container_id(number)), &definition(1, "local"))
        });
    }
    write(store, |tx| tx.put_role_definition(Realm::Arm, &definition(1, "of the whole")));
    write(store, |tx| tx.remove_container(container_id(1), proof()));
    let count = |realm| read(store, |tx| tx.role_definitions(realm)).len();
    assert_eq!(count(Realm::Hsm(container_id(1))), 0);
    assert_eq!(count(Realm::Hsm(container_id(2))), 1);
    assert_eq!(count(Realm::Arm), 1);
}

pub fn an_aborted_role_definition_is_not_there(harness: &mut dyn Harness) {
    let store = harness.store();
    write(store, |tx| tx.put_role_definition(Realm::Arm, &definition(1, "first")));
    let aborted = store.transact("test", |tx| {
        tx.put_role_definition(Realm::Arm, &definition(2, "second"))?;
        tx.remove_role_definition(Realm::Arm, guid(1))?;
        Err::<(), _>(crate::Fault::UnexpectedRow { what: "enough" })
    });
    assert!(aborted.is_err());
    assert_eq!(read(store, |tx| tx.role_definitions(Realm::Arm)), [definition(1, "first")]);
}
