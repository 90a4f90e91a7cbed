//! What locks let happen, as a table.

use super::*;

const SUBSCRIPTION: &str = "/subscriptions/00000000-0000-0000-0000-000000000001";
const OTHER: &str = "/subscriptions/00000000-0000-0000-0000-000000000002";
const GROUP: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/Grün";
const SIBLING: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/Grün2";

fn vault(group: &str) -> String {
    format!("{group}/providers/Microsoft.KeyVault/vaults/kv1")
}

fn lock(scope: &str, level: Level) -> Lock {
    let name = LockName::parse("l").unwrap();
    Lock { scope: Scope::new(scope), name, level, notes: None, owners: Vec::new() }
}

#[test]
fn what_each_lock_keeps_from_happening() {
    use Act::{Delete, Write};
    use Level::{CanNotDelete, ReadOnly};
    let (vault, longer) = (vault(GROUP), vault(SIBLING));
    let hsm = format!("{GROUP}/providers/Microsoft.KeyVault/managedHSMs/kv1");
    let assignment = format!("{vault}/providers/Microsoft.Authorization/roleAssignments/a");
    let deleted = format!("{SUBSCRIPTION}/providers/Microsoft.KeyVault/locations/l/deletedVaults/kv1");
    let upper = vault.to_uppercase();
    for (lock_at, level, act, path, allowed) in [
        // At the thing itself.
        (vault.as_str(), CanNotDelete, Delete, vault.as_str(), false),
        (&vault, CanNotDelete, Write, &vault, true),
        (&vault, ReadOnly, Delete, &vault, false),
        (&vault, ReadOnly, Write, &vault, false),
        (&vault, ReadOnly, Write, &upper, false),
        (&upper, CanNotDelete, Delete, &vault, false),
        // Above it.
        (GROUP, CanNotDelete, Delete, &vault, false),
        (GROUP, CanNotDelete, Write, &vault, true),
        (GROUP, ReadOnly, Write, &vault, false),
        (SUBSCRIPTION, CanNotDelete, Delete, &vault, false),
        (SUBSCRIPTION, ReadOnly, Write, &vault, false),
        (SUBSCRIPTION, CanNotDelete, Delete, GROUP, false),
        (SUBSCRIPTION, ReadOnly, Write, GROUP, false),
        // Below it: only what a deletion would take along.
        (&vault, CanNotDelete, Delete, GROUP, false),
        (&vault, ReadOnly, Delete, GROUP, false),
        (&vault, ReadOnly, Write, GROUP, true),
        (GROUP, ReadOnly, Write, SUBSCRIPTION, true),
        // Role assignments are below what they are on.
        (&vault, ReadOnly, Write, &assignment, false),
        (&vault, CanNotDelete, Write, &assignment, true),
        (&vault, CanNotDelete, Delete, &assignment, false),
        // A deleted container is in its subscription, no more in its group.
        (SUBSCRIPTION, ReadOnly, Write, &deleted, false),
        (SUBSCRIPTION, CanNotDelete, Write, &deleted, true),
        (GROUP, ReadOnly, Write, &deleted, true),
        // Beside it.
        (&hsm, ReadOnly, Delete, &vault, true),
        (SIBLING, ReadOnly, Delete, &vault, true),
        (GROUP, ReadOnly, Delete, &longer, true),
        (GROUP, ReadOnly, Delete, SIBLING, true),
        (OTHER, ReadOnly, Write, &vault, true),
        (OTHER, ReadOnly, Delete, SUBSCRIPTION, true),
    ] {
        let result = check(act, path, &[lock(lock_at, level)]);
        let refusal = Refusal::ScopeLocked { act, scope: path.to_owned(), locked: vec![lock_at.to_owned()] };
        assert_eq!(result, if allowed { Ok(()) } else { Err(refusal) }, "{level:?} at {lock_at}: {act:?} {path}");
    }
    assert_eq!(check(Delete, SUBSCRIPTION, &[]), Ok(()));
}

#[test]
fn a_refusal_names_each_locked_scope_once_and_no_other() {
    let locks = [
        lock(SUBSCRIPTION, Level::ReadOnly),
        lock(GROUP, Level::CanNotDelete),
        lock(&GROUP.to_uppercase(), Level::ReadOnly),
        lock(SIBLING, Level::ReadOnly),
    ];
    let locked = |act| match check(act, &vault(GROUP), &locks) {
        Err(Refusal::ScopeLocked { locked, .. }) => locked,
        other => panic!("{other:?}"),
    };
    assert_eq!(locked(Act::Delete), [SUBSCRIPTION, GROUP]);
    assert_eq!(locked(Act::Write), [SUBSCRIPTION, &GROUP.to_uppercase()]);
}

#[test]
fn locks_are_on_subscriptions_groups_and_containers_only() {
    let resource = ResourceId { subscription: Guid::from_u128(1), resource_group: "Grün".to_owned() };
    let place = |path: &str| Place::of(&Scope::new(path));
    assert_eq!(place(SUBSCRIPTION), Some(Place::Subscription(Guid::from_u128(1))));
    assert_eq!(place(GROUP), Some(Place::ResourceGroup(resource.clone())));
    for kind in ContainerKind::ALL {
        let path = format!("{GROUP}/PROVIDERS/microsoft.keyvault/{}/kv1", kind.resource_type());
        let name = ContainerName::parse("kv1").unwrap();
        assert_eq!(place(&path), Some(Place::Container { kind, resource: resource.clone(), name }));
    }
    for nothing in [
        "/".to_owned(),
        "/subscriptions".to_owned(),
        "/subscriptions/s".to_owned(),
        format!("{SUBSCRIPTION}/resourceGroups"),
        format!("{SUBSCRIPTION}/providers/Microsoft.KeyVault"),
        format!("{GROUP}/providers/Microsoft.KeyVault/vaults"),
        format!("{GROUP}/providers/Microsoft.KeyVault/vaults/a_b"),
        format!("{GROUP}/providers/Microsoft.Storage/vaults/kv1"),
        format!("{}/keys/k", vault(GROUP)),
    ] {
        assert_eq!(place(&nothing), None, "{nothing}");
    }
}

#[test]
fn a_path_is_below_the_places_on_its_way() {
    let path = format!("{}/providers/Microsoft.Authorization/roleAssignments/a", vault(GROUP));
    let above = [Scope::new(SUBSCRIPTION), Scope::new(GROUP), Scope::new(&vault(GROUP))];
    assert_eq!(scopes_at_and_above(&path), above);
    assert_eq!(scopes_at_and_above(GROUP), above[..2]);
    assert_eq!(scopes_at_and_above("/"), []);
    assert_eq!(scopes_at_and_above("/providers/Microsoft.Authorization/roleAssignments/a"), []);
}

#[test]
fn names_and_notes_have_their_limits() {
    for name in ["a", "Keep this (for ever).", "ü", &"n".repeat(260)] {
        assert!(LockName::parse(name).is_some(), "{name}");
    }
    for name in ["", "a/b", "a%b", "a<b", "a>b", "a&b", "a:b", "a\\b", "a?b", "a\nb", &"n".repeat(261)] {
        assert!(LockName::parse(name).is_none(), "{name}");
    }
    assert_eq!(LockName::parse("KEEP"), LockName::parse("keep"));
    let with = |notes: String| Lock { notes: Some(notes), ..lock(GROUP, Level::ReadOnly) }.check();
    assert_eq!(with("ü".repeat(512)), Ok(()));
    assert!(matches!(with("n".repeat(513)), Err(Refusal::ParameterInvalid { parameter: "notes", .. })));
    assert_eq!(lock(GROUP, Level::ReadOnly).check(), Ok(()));
}

#[test]
fn levels_are_read_without_case_and_no_others() {
    assert_eq!(Level::parse("cannotdelete"), Some(Level::CanNotDelete));
    assert_eq!(Level::parse("ReadOnly"), Some(Level::ReadOnly));
    assert_eq!(Level::parse("NotSpecified"), None);
}
