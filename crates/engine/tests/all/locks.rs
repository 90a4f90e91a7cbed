//! Locks: what they keep from whom, and that none is missed.

use crate::rig::{ADMINISTRATOR, DAY, Rig, SUBSCRIPTION, caller, engine_on, key_name, resource};
use domain::{
    AuditRecord, ContainerKind, ContainerName, Guid, ObjectKind, Operation, Refusal, SignatureAlgorithm, Tags,
    access::{Scope, azure_roles},
    lock::{Act, Level, Lock, LockName},
};
use engine::{ContainerPatch, Engine, Error, RoleAssignmentRequest};
use std::{
    path::Path,
    sync::{Arc, Barrier, Mutex},
};
use store::{Fault, Read, Store, Tx, Verdict, sqlite::SqliteStore};

const SOMEBODY: Guid = Guid::from_u128(0x50);
const KINDS: [ContainerKind; 2] = ContainerKind::ALL;

fn name() -> ContainerName {
    ContainerName::parse("contoso").unwrap()
}

fn subscription() -> Scope {
    Scope::new(&format!("/subscriptions/{SUBSCRIPTION}"))
}

fn group() -> Scope {
    Scope::new(&format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"))
}

fn container(kind: ContainerKind) -> Scope {
    Scope::new(&format!("{}/providers/Microsoft.KeyVault/{}/contoso", group().as_str(), kind.resource_type()))
}

fn lock_name() -> LockName {
    LockName::parse("keep").unwrap()
}

fn lock(scope: &Scope, level: Level) -> Lock {
    Lock { scope: scope.clone(), name: lock_name(), level, notes: None, owners: Vec::new() }
}

fn put(engine: &Engine, scope: &Scope, level: Level) {
    engine.put_lock(&caller(ADMINISTRATOR), &lock(scope, level)).unwrap();
}

fn unlock(engine: &Engine, scope: &Scope) {
    engine.delete_lock(&caller(ADMINISTRATOR), scope, &lock_name()).unwrap();
}

fn delete(engine: &Engine, kind: ContainerKind) -> Result<bool, Error> {
    engine.delete_container(&caller(ADMINISTRATOR), kind, &resource(), &name())
}

fn delete_group(engine: &Engine) -> Result<(), Error> {
    engine.delete_resource_group(&caller(ADMINISTRATOR), SUBSCRIPTION, "rg")
}

fn recover(engine: &Engine, kind: ContainerKind) -> Result<(), Error> {
    engine.recover_container(&caller(ADMINISTRATOR), kind, &resource(), &name()).map(drop)
}

fn purge(engine: &Engine, kind: ContainerKind) -> Result<(), Error> {
    engine.purge_container(&caller(ADMINISTRATOR), kind, SUBSCRIPTION, "eastus", &name())
}

fn patch(engine: &Engine, kind: ContainerKind) -> Result<(), Error> {
    let patch = ContainerPatch { tags: Some(Tags::new()), ..ContainerPatch::default() };
    engine.patch_container(&caller(ADMINISTRATOR), kind, &resource(), &name(), &patch).map(drop)
}

/// The scopes that a refusal names, if locks are why.
fn locked_by<T: std::fmt::Debug>(result: Result<T, Error>, asked: Act) -> Vec<Scope> {
    let locked = match &result {
        Err(Error::Refused(Refusal::ScopeLocked { act, locked, .. })) if *act == asked => Some(locked),
        _ => None,
    };
    assert!(locked.is_some(), "not refused for a lock: {result:?}");
    locked.into_iter().flatten().map(|scope| Scope::new(scope)).collect()
}

fn is_refused<T>(result: &Result<T, Error>, with: &Refusal) -> bool {
    matches!(result, Err(Error::Refused(refusal)) if refusal == with)
}

fn grant(number: u128, scope: &Scope, role: &str) -> RoleAssignmentRequest {
    let role = azure_roles().iter().find(|each| each.name == role).unwrap().id;
    RoleAssignmentRequest { name: Guid::from_u128(number), scope: scope.clone(), role, principal: SOMEBODY }
}

#[test]
fn either_level_anywhere_at_or_above_keeps_a_container_from_deletion() {
    let rig = Rig::new();
    for kind in KINDS {
        for scope in [container(kind), group(), subscription()] {
            for level in Level::ALL {
                put(&rig.engine, &scope, level);
                assert_eq!(locked_by(delete(&rig.engine, kind), Act::Delete), std::slice::from_ref(&scope));
                assert!(rig.engine.get_container(&caller(ADMINISTRATOR), kind, &resource(), &name()).is_ok());
                unlock(&rig.engine, &scope);
            }
        }
        assert!(delete(&rig.engine, kind).unwrap(), "{kind:?}");
    }
}

#[test]
fn a_container_is_written_unless_it_is_read_only() {
    let rig = Rig::new();
    let administrator = caller(ADMINISTRATOR);
    for scope in [container(ContainerKind::Vault), group(), subscription()] {
        put(&rig.engine, &scope, Level::CanNotDelete);
        patch(&rig.engine, ContainerKind::Vault).unwrap();
        put(&rig.engine, &scope, Level::ReadOnly);
        let write = Act::Write;
        assert_eq!(locked_by(patch(&rig.engine, ContainerKind::Vault), write), std::slice::from_ref(&scope));
        let policies = rig.engine.change_access_policies(&administrator, &resource(), &name(), |held| held);
        assert_eq!(locked_by(policies, write), std::slice::from_ref(&scope));
        let role = grant(1, &container(ContainerKind::Vault), "Reader");
        let granted = rig.engine.put_arm_role_assignment(&administrator, &role);
        assert_eq!(locked_by(granted, write), std::slice::from_ref(&scope));
        unlock(&rig.engine, &scope);
    }
    patch(&rig.engine, ContainerKind::Vault).unwrap();
}

#[test]
fn nothing_is_created_or_brought_back_in_a_read_only_group() {
    let rig = Rig::new();
    delete(&rig.engine, ContainerKind::Vault).unwrap();
    put(&rig.engine, &group(), Level::ReadOnly);
    assert_eq!(locked_by(recover(&rig.engine, ContainerKind::Vault), Act::Write), [group()]);
    let request = rig.request(ContainerKind::Vault, "another");
    assert_eq!(locked_by(rig.engine.put_container(&caller(ADMINISTRATOR), &request), Act::Write), [group()]);
    let tags = Tags::from([("a".to_owned(), "b".to_owned())]);
    let tagged = rig.engine.put_resource_group(&caller(ADMINISTRATOR), SUBSCRIPTION, "RG", "eastus", &tags);
    assert_eq!(locked_by(tagged, Act::Write), [group()]);
    // What is deleted is in the group no more.
    purge(&rig.engine, ContainerKind::Vault).unwrap();
    unlock(&rig.engine, &group());
    rig.engine.put_container(&caller(ADMINISTRATOR), &request).unwrap();
}

#[test]
fn in_a_read_only_subscription_nobody_purges_and_the_scheduler_does() {
    let rig = Rig::new();
    for kind in KINDS {
        delete(&rig.engine, kind).unwrap();
    }
    put(&rig.engine, &subscription(), Level::ReadOnly);
    for kind in KINDS {
        assert_eq!(locked_by(purge(&rig.engine, kind), Act::Write), [subscription()]);
    }
    let made = rig.engine.put_resource_group(&caller(ADMINISTRATOR), SUBSCRIPTION, "new", "eastus", &Tags::new());
    assert_eq!(locked_by(made, Act::Write), [subscription()]);
    rig.clock.advance(90 * DAY);
    assert_eq!(rig.engine.sweep(10).unwrap().containers, 2);
}

#[test]
fn a_subscription_that_is_kept_from_deletion_lets_purge() {
    let rig = Rig::new();
    delete(&rig.engine, ContainerKind::Vault).unwrap();
    put(&rig.engine, &subscription(), Level::CanNotDelete);
    purge(&rig.engine, ContainerKind::Vault).unwrap();
}

#[test]
fn locks_do_not_touch_what_is_in_a_container() {
    let rig = Rig::new();
    put(&rig.engine, &subscription(), Level::ReadOnly);
    for kind in KINDS {
        put(&rig.engine, &container(kind), Level::ReadOnly);
        rig.create_ec_key(kind, "k");
        let (who, open, key) = (caller(ADMINISTRATOR), rig.open(kind), key_name("k"));
        rig.engine.sign(&who, &open, &key, None, SignatureAlgorithm::Es256, &[0; 32]).unwrap();
        rig.engine.delete_object(&who, &open, ObjectKind::Key, &key).unwrap();
        rig.engine.purge_object(&who, &open, ObjectKind::Key, &key).unwrap();
    }
    let hsm = rig.open(ContainerKind::ManagedHsm);
    let local = domain::access::hsm_roles().iter().find(|role| role.name == "Managed HSM Crypto User").unwrap();
    let request = RoleAssignmentRequest { role: local.id, ..grant(1, &Scope::root(), "Reader") };
    rig.engine.put_hsm_role_assignment(&caller(ADMINISTRATOR), &hsm, &request).unwrap();
    rig.engine.delete_hsm_role_assignment(&caller(ADMINISTRATOR), &hsm, &request.scope, request.name).unwrap();
}

#[test]
fn role_assignments_below_a_lock_are_not_taken_away() {
    let rig = Rig::new();
    let who = caller(ADMINISTRATOR);
    let at = container(ContainerKind::Vault);
    let (below, above) = (grant(1, &at, "Reader"), grant(2, &subscription(), "Reader"));
    rig.engine.put_arm_role_assignment(&who, &below).unwrap();
    rig.engine.put_arm_role_assignment(&who, &above).unwrap();
    put(&rig.engine, &at, Level::CanNotDelete);
    let removed = rig.engine.delete_arm_role_assignment(&who, &below.scope, below.name);
    assert_eq!(locked_by(removed, Act::Delete), std::slice::from_ref(&at));
    rig.engine.delete_arm_role_assignment(&who, &above.scope, above.name).unwrap();
    let gone = rig.engine.delete_arm_role_assignment(&who, &at, above.name);
    assert!(is_refused(&gone, &Refusal::RoleAssignmentNotFound), "what is not there is not locked");
    unlock(&rig.engine, &at);
    rig.engine.delete_arm_role_assignment(&who, &below.scope, below.name).unwrap();
}

#[test]
fn a_group_goes_with_everything_in_it_or_not_at_all() {
    let rig = Rig::new();
    for scope in [container(ContainerKind::Vault), container(ContainerKind::ManagedHsm), group(), subscription()] {
        put(&rig.engine, &scope, Level::CanNotDelete);
        let refused = delete_group(&rig.engine);
        assert_eq!(locked_by(refused, Act::Delete), std::slice::from_ref(&scope));
        for kind in KINDS {
            rig.open(kind);
        }
        unlock(&rig.engine, &scope);
    }
    delete_group(&rig.engine).unwrap();
    let told: Vec<_> = rig.engine.audit_log(0, usize::MAX).unwrap();
    let told: Vec<_> = told.iter().filter_map(|(_, leaf)| AuditRecord::read(leaf).unwrap().operation()).collect();
    let (_, last) = told.split_at(told.len() - 3);
    assert!(last.contains(&Operation::ManagedHsmDelete) && last.contains(&Operation::VaultDelete), "{last:?}");
    assert_eq!(last[2], Operation::ResourceGroupDelete);
    for kind in KINDS {
        let opened = rig.engine.open_container(kind, "contoso");
        assert!(matches!(opened, Err(Error::Refused(Refusal::ContainerDeleted { .. }))), "{kind:?}");
    }
}

#[test]
fn what_comes_back_or_is_made_anew_has_no_locks() {
    let rig = Rig::new();
    let (kind, who) = (ContainerKind::Vault, caller(ADMINISTRATOR));
    put(&rig.engine, &container(kind), Level::ReadOnly);
    locked_by(delete(&rig.engine, kind), Act::Delete);
    unlock(&rig.engine, &container(kind));
    delete(&rig.engine, kind).unwrap();
    let on_deleted = rig.engine.put_lock(&who, &lock(&container(kind), Level::ReadOnly));
    assert!(is_refused(&on_deleted, &Refusal::ContainerNotFound));
    recover(&rig.engine, kind).unwrap();
    assert_eq!(rig.engine.locks(&who, &container(kind)).unwrap(), []);
    delete(&rig.engine, kind).unwrap();
    purge(&rig.engine, kind).unwrap();
    rig.create(kind);
    patch(&rig.engine, kind).unwrap();
    delete_group(&rig.engine).unwrap();
    let on_group = rig.engine.put_lock(&who, &lock(&group(), Level::ReadOnly));
    assert!(is_refused(&on_group, &Refusal::ResourceGroupNotFound));
}

#[test]
fn a_lock_is_made_changed_found_and_removed_whatever_the_case() {
    let rig = Rig::new();
    let who = caller(ADMINISTRATOR);
    let upper = Scope::new(&group().as_str().to_uppercase());
    let (made, created) = rig.engine.put_lock(&who, &lock(&upper, Level::CanNotDelete)).unwrap();
    assert!(created);
    assert_eq!(made.scope.as_str(), group().as_str(), "as what is there spells it");
    let notes = Some("for the auditors".to_owned());
    let again = Lock { name: LockName::parse("KEEP").unwrap(), notes, ..lock(&group(), Level::ReadOnly) };
    let (changed, created) = rig.engine.put_lock(&who, &again).unwrap();
    assert_eq!((changed.name.as_str(), changed.level, created), ("keep", Level::ReadOnly, false));
    assert_eq!(rig.engine.lock(&who, &upper, &again.name).unwrap(), changed);
    put(&rig.engine, &container(ContainerKind::Vault), Level::ReadOnly);
    put(&rig.engine, &subscription(), Level::ReadOnly);
    let scopes =
        |at: &Scope| -> Vec<Scope> { rig.engine.locks(&who, at).unwrap().into_iter().map(|lock| lock.scope).collect() };
    let all = [subscription(), group(), container(ContainerKind::Vault)];
    assert_eq!(scopes(&subscription()), all);
    assert_eq!(scopes(&upper), all);
    assert_eq!(scopes(&container(ContainerKind::Vault)), all);
    assert_eq!(scopes(&container(ContainerKind::ManagedHsm)), all[..2]);
    unlock(&rig.engine, &upper);
    let twice = rig.engine.delete_lock(&who, &group(), &lock_name());
    assert!(is_refused(&twice, &Refusal::LockNotFound { name: "keep".to_owned() }));
}

#[test]
fn a_lock_is_on_something_that_is_there() {
    let rig = Rig::new();
    let refuses = |path: &str, with: Refusal| {
        let result = rig.engine.put_lock(&caller(ADMINISTRATOR), &lock(&Scope::new(path), Level::ReadOnly));
        assert!(is_refused(&result, &with), "{path}: {result:?}");
    };
    refuses(&format!("/subscriptions/{SOMEBODY}"), Refusal::SubscriptionNotFound);
    refuses(&format!("{}/resourceGroups/gone", subscription().as_str()), Refusal::ResourceGroupNotFound);
    let nothing = format!("{}/providers/Microsoft.KeyVault/vaults/nothing", group().as_str());
    refuses(&nothing, Refusal::ContainerNotFound);
    let listed = rig.engine.locks(&caller(ADMINISTRATOR), &Scope::new(&nothing));
    assert!(is_refused(&listed, &Refusal::ContainerNotFound));
    let reason = "a lock is on a subscription, a resource group, a vault or a managed HSM";
    for path in ["/".to_owned(), format!("{}/keys/k", container(ContainerKind::Vault).as_str())] {
        refuses(&path, Refusal::ParameterInvalid { parameter: "scope", reason });
    }
}

#[test]
fn only_who_says_who_may_do_what_locks_and_unlocks() {
    let rig = Rig::new();
    let administrator = caller(ADMINISTRATOR);
    for (number, role, may) in [(1, "Contributor", false), (2, "User Access Administrator", true), (3, "Owner", true)] {
        let who = caller(SOMEBODY);
        let request = grant(number, &group(), role);
        let forbidden = rig.engine.locks(&who, &group()).unwrap_err();
        assert!(matches!(forbidden, Error::Refused(Refusal::Forbidden { .. })), "{forbidden:?}");
        rig.engine.put_arm_role_assignment(&administrator, &request).unwrap();
        rig.engine.locks(&who, &group()).unwrap();
        assert_eq!(rig.engine.put_lock(&who, &lock(&group(), Level::CanNotDelete)).is_ok(), may, "{role}");
        let above = rig.engine.put_lock(&who, &lock(&subscription(), Level::CanNotDelete));
        assert!(matches!(above, Err(Error::Refused(Refusal::Forbidden { .. }))));
        if may {
            rig.engine.delete_lock(&who, &group(), &lock_name()).unwrap();
        } else {
            put(&rig.engine, &group(), Level::CanNotDelete);
            let unlocked = rig.engine.delete_lock(&who, &group(), &lock_name());
            assert!(matches!(unlocked, Err(Error::Refused(Refusal::Forbidden { .. }))));
            unlock(&rig.engine, &group());
        }
        rig.engine.delete_arm_role_assignment(&administrator, &request.scope, request.name).unwrap();
    }
}

#[test]
fn who_has_no_right_is_not_told_of_locks() {
    let rig = Rig::new();
    put(&rig.engine, &group(), Level::ReadOnly);
    let deleted = rig.engine.delete_container(&caller(SOMEBODY), ContainerKind::Vault, &resource(), &name());
    assert!(matches!(deleted, Err(Error::Refused(Refusal::Forbidden { .. }))));
}

/// What happens then.
type Interruption = Box<dyn FnOnce(&dyn Store) + Send>;

/// A store in which something happens just before one transaction: the latest moment at which another can come first.
struct Interrupted {
    store: SqliteStore,
    before: &'static str,
    interruption: Mutex<Option<Interruption>>,
}

impl Store for Interrupted {
    fn write(&self, name: &'static str, work: &mut dyn FnMut(&mut dyn Tx) -> Verdict) -> Result<(), Fault> {
        if name == self.before
            && let Some(interruption) = self.interruption.lock().unwrap().take()
        {
            interruption(&self.store);
        }
        self.store.write(name, work)
    }

    fn read(&self, work: &mut dyn FnMut(&mut dyn Read)) -> Result<(), Fault> {
        self.store.read(work)
    }

    fn copy_to(&self, path: &Path) -> Result<(), Fault> {
        self.store.copy_to(path)
    }
}

/// An engine in whose way a lock comes just before a transaction.
fn locked_just_before(rig: &Rig, before: Operation, locked: Lock) -> Engine {
    let interruption = move |store: &dyn Store| store.transact("lock", |tx| tx.put_lock(&locked)).unwrap();
    let store = SqliteStore::open(&rig.path()).unwrap();
    let interruption = Mutex::new(Some(Box::new(interruption) as _));
    engine_on(Arc::new(Interrupted { store, before: before.name(), interruption }), Arc::clone(&rig.clock) as _)
}

#[test]
fn a_lock_made_at_the_last_moment_is_not_missed() {
    let rig = Rig::new();
    let kind = ContainerKind::Vault;
    let engine = locked_just_before(&rig, Operation::VaultDelete, lock(&container(kind), Level::CanNotDelete));
    assert_eq!(locked_by(delete(&engine, kind), Act::Delete), [container(kind)]);
    let engine = locked_just_before(&rig, Operation::VaultPut, lock(&subscription(), Level::ReadOnly));
    assert_eq!(locked_by(patch(&engine, kind), Act::Write), [subscription()]);
}

#[test]
fn a_lock_made_at_the_last_moment_keeps_the_whole_group() {
    let rig = Rig::new();
    let locked = container(ContainerKind::Vault);
    let engine = locked_just_before(&rig, Operation::ResourceGroupDelete, lock(&locked, Level::CanNotDelete));
    assert_eq!(locked_by(delete_group(&engine), Act::Delete), [locked]);
    for kind in KINDS {
        assert!(engine.get_container(&caller(ADMINISTRATOR), kind, &resource(), &name()).is_ok(), "{kind:?}");
    }
}

#[test]
fn of_a_lock_and_a_deletion_that_meet_one_comes_first() {
    let rig = Rig::new();
    let kind = ContainerKind::Vault;
    for _ in 0..60 {
        let barrier = Barrier::new(2);
        let (made, deleted) = std::thread::scope(|scope| {
            let locking = scope.spawn(|| {
                barrier.wait();
                rig.engine.put_lock(&caller(ADMINISTRATOR), &lock(&container(kind), Level::CanNotDelete))
            });
            barrier.wait();
            let deleted = delete(&rig.engine, kind);
            (locking.join().unwrap(), deleted)
        });
        if made.is_ok() {
            assert_eq!(locked_by(deleted, Act::Delete), [container(kind)]);
            unlock(&rig.engine, &container(kind));
        } else {
            assert!(is_refused(&made, &Refusal::ContainerNotFound), "{made:?}");
            assert!(deleted.unwrap());
            recover(&rig.engine, kind).unwrap();
        }
    }
}
