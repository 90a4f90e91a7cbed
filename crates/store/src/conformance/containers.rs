//! Containers.

use super::{Harness, fixtures::*};
use crate::{ContainerFilter, Presence, Store, StoredContainer};
use domain::{
    ContainerKind, ResourceId, UnixTime, VersionId,
    access::{Realm, RoleAssignment, Scope},
};

const VAULT: ContainerKind = ContainerKind::Vault;
const HSM: ContainerKind = ContainerKind::ManagedHsm;

pub fn a_container_is_found_by_its_name_without_case_and_by_its_id(harness: &mut dyn Harness) {
    let store = harness.store();
    let expected = StoredContainer { container: vault(1, "One-a"), sealed_key: sealed("key") };
    write(store, |tx| tx.insert_container(&expected.container, &expected.sealed_key));
    let found = read(store, |tx| tx.container(VAULT, &container_name("oNE-A"))).unwrap();
    assert_eq!(found, expected);
    assert_eq!(found.container.name.as_str(), "One-a", "the case of its creation is kept");
    assert_eq!(read(store, |tx| tx.container_by_id(container_id(1))), Some(expected));
    assert_eq!(read(store, |tx| tx.container(VAULT, &container_name("two"))), None);
    assert_eq!(read(store, |tx| tx.container_by_id(container_id(2))), None);
}

pub fn a_vault_and_a_managed_hsm_may_share_a_name(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    write(store, |tx| tx.insert_container(&hsm(2, "ONE"), &sealed("key of hsm")));
    let id = |kind| read(store, |tx| tx.container(kind, &container_name("one"))).unwrap().container.id;
    assert_eq!((id(VAULT), id(HSM)), (container_id(1), container_id(2)));
    let both = read(store, |tx| tx.list_containers(&ContainerFilter::default(), None, 10));
    assert_eq!(both.iter().map(|stored| stored.container.kind()).collect::<Vec<_>>(), [VAULT, HSM]);
}

pub fn a_container_that_is_there_cannot_be_inserted(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    assert_unexpected(store, |tx| tx.insert_container(&vault(1, "other"), &sealed("x")));
    assert_unexpected(store, |tx| tx.insert_container(&vault(2, "ONE"), &sealed("x")));
    assert_eq!(read(store, |tx| tx.container_by_id(container_id(1))).unwrap().sealed_key, sealed("key of one"));
    assert_eq!(names(store, &ContainerFilter::default()), ["one"]);
}

pub fn a_container_that_is_not_there_cannot_be_saved_or_removed(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    assert_unexpected(store, |tx| tx.save_container(&vault(2, "two")));
    assert_unexpected(store, |tx| tx.remove_container(container_id(2), proof()));
    assert_eq!(names(store, &ContainerFilter::default()), ["one"]);
}

pub fn saving_a_container_leaves_its_key(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    let mut changed = vault(1, "one");
    changed.state = deleted_until(UnixTime(5));
    changed.location = "there".to_owned();
    write(store, |tx| tx.save_container(&changed));
    let expected = StoredContainer { container: changed, sealed_key: sealed("key of one") };
    assert_eq!(read(store, |tx| tx.container_by_id(container_id(1))), Some(expected.clone()));
    assert_eq!(read(store, |tx| tx.container(VAULT, &container_name("one"))), Some(expected), "deleted keeps its name");
}

fn names(store: &dyn Store, filter: &ContainerFilter) -> Vec<String> {
    let list = read(store, |tx| tx.list_containers(filter, None, 100));
    list.into_iter().map(|stored| stored.container.name.to_string()).collect()
}

pub fn a_list_of_containers_keeps_to_its_filter(harness: &mut dyn Harness) {
    let store = harness.store();
    let mut number = 0;
    for kind in ContainerKind::ALL {
        for state in [domain::State::Live, deleted_until(NOW)] {
            for subscription in [1, 2] {
                for group in ["Red", "bl\u{fc}e"] {
                    number += 1;
                    let mut new = container(kind, number, &format!("n{number:02}"));
                    new.state = state;
                    new.resource = ResourceId { subscription: guid(subscription), resource_group: group.to_owned() };
                    write(store, |tx| tx.insert_container(&new, &sealed("k")));
                }
            }
        }
    }
    let everything = read(store, |tx| tx.list_containers(&ContainerFilter::default(), None, 100));
    assert_eq!(everything.len(), 16);
    for kind in [None, Some(VAULT), Some(HSM)] {
        for presence in [None, Some(Presence::Live), Some(Presence::Deleted)] {
            for subscription in [None, Some(guid(1)), Some(guid(3))] {
                for group in [None, Some("RED"), Some("BL\u{dc}E"), Some("green")] {
                    let resource_group = group.map(str::to_owned);
                    let filter = ContainerFilter { kind, presence, subscription, resource_group };
                    let expected: Vec<_> =
                        everything.iter().filter(|stored| fits(stored, &filter)).map(StoredContainer::clone).collect();
                    assert_eq!(read(store, |tx| tx.list_containers(&filter, None, 100)), expected, "{filter:?}");
                }
            }
        }
    }
}

fn fits(stored: &StoredContainer, filter: &ContainerFilter) -> bool {
    let container = &stored.container;
    let presence = if container.state.is_live() { Presence::Live } else { Presence::Deleted };
    let group = container.resource.resource_group.to_lowercase();
    filter.kind.is_none_or(|kind| kind == container.kind())
        && filter.presence.is_none_or(|wanted| wanted == presence)
        && filter.subscription.is_none_or(|subscription| subscription == container.resource.subscription)
        && filter.resource_group.as_ref().is_none_or(|wanted| wanted.to_lowercase() == group)
}

pub fn containers_page_exactly(harness: &mut dyn Harness) {
    let store = harness.store();
    // Names are made in an order that is not theirs, with cases that would sort otherwise.
    let mut expected = Vec::new();
    for number in 0..13_u128 {
        let name =
            if number % 2 == 0 { format!("N{:02}", number * 5 % 13) } else { format!("n{:02}", number * 5 % 13) };
        let mut new = container(ContainerKind::ALL[usize::from(number % 3 == 0)], number, &name);
        new.state = if number % 4 == 0 { deleted_until(NOW) } else { domain::State::Live };
        write(store, |tx| tx.insert_container(&new, &sealed("k")));
        expected.push(new);
    }
    expected.sort_by_key(|container| container.name.folded());
    for limit in 1..=14 {
        let all = pages(
            limit,
            |stored: &StoredContainer| stored.container.name.folded(),
            |after, limit| read(store, |tx| tx.list_containers(&ContainerFilter::default(), after.as_deref(), limit)),
        );
        assert_eq!(all.into_iter().map(|stored| stored.container).collect::<Vec<_>>(), expected, "limit {limit}");
    }
    assert!(read(store, |tx| tx.list_containers(&ContainerFilter::default(), None, 0)).is_empty());
}

fn role(realm: Realm, name: u128) -> RoleAssignment {
    RoleAssignment { realm, name: guid(name), scope: Scope::root(), role: guid(1), principal: guid(2), created: NOW }
}

fn two_full_containers(store: &dyn Store) {
    for number in [1, 2] {
        write(store, |tx| {
            tx.insert_container(&hsm(number, &format!("hsm{number}")), &sealed("k"))?;
            insert(tx, number, "a", number * 100)?;
            insert(tx, number, "b", number * 100 + 1)?;
            let next = version_id(number * 100 + 2);
            tx.insert_version(container_id(number), KEY, &object_name("b"), &version(next), &sealed("m"))?;
            tx.put_role_assignment(&role(Realm::Hsm(container_id(number)), 1))?;
            tx.put_role_assignment(&role(Realm::Arm, number))
        });
    }
}

/// Whether anything of the container filled as above is left, and whether all of it is.
fn remains(store: &dyn Store, number: u128) -> (bool, bool) {
    let id = container_id(number);
    let versions: [(&str, VersionId); 3] =
        [("a", version_id(number * 100)), ("b", version_id(number * 100 + 1)), ("b", version_id(number * 100 + 2))];
    let signs = read(store, |tx| {
        let mut signs = vec![
            tx.container_by_id(id)?.is_some(),
            !tx.list_objects(id, KEY, Presence::Live, None, 10)?.is_empty(),
            !tx.role_assignments(Realm::Hsm(id))?.is_empty(),
        ];
        for (name, version) in versions {
            signs.push(tx.object(id, KEY, &object_name(name))?.is_some());
            signs.push(tx.version(id, KEY, &object_name(name), version)?.is_some());
            signs.push(tx.count_versions(id, KEY, &object_name(name))? > 0);
        }
        Ok(signs)
    });
    (signs.contains(&true), !signs.contains(&false))
}

pub fn a_removed_container_takes_everything_in_it(harness: &mut dyn Harness) {
    let store = harness.store();
    two_full_containers(store);
    assert_eq!(remains(store, 1), (true, true));
    write(store, |tx| tx.remove_container(container_id(1), proof()));
    assert_eq!(remains(store, 1), (false, false));
    // Its name is free again; its id names it for ever, in figures that outlive it.
    assert_unexpected(store, |tx| tx.insert_container(&hsm(1, "HSM1"), &sealed("new key")));
    write(store, |tx| tx.insert_container(&hsm(3, "HSM1"), &sealed("new key")));
    assert!(read(store, |tx| tx.list_objects(container_id(3), KEY, Presence::Live, None, 10)).is_empty());
}

pub fn a_removed_container_leaves_its_neighbours(harness: &mut dyn Harness) {
    let store = harness.store();
    two_full_containers(store);
    write(store, |tx| tx.remove_container(container_id(1), proof()));
    assert_eq!(remains(store, 2), (true, true));
    let material = read(store, |tx| tx.version(container_id(2), KEY, &object_name("b"), version_id(201))).unwrap();
    assert_eq!(material.material, sealed("material of b"));
    assert_eq!(read(store, |tx| tx.role_assignments(Realm::Arm)).len(), 2);
}
