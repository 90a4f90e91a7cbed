//! What was revoked, or made anew, while somebody held on to it.

use crate::rig::{ADMINISTRATOR, DAY, Rig, SUBSCRIPTION, caller, ec_key, engine_on, key_name, resource};
use domain::{
    AccessPolicy, ContainerKind, ContainerName, Guid, ObjectKind, PermissionModel, Refusal, SignatureAlgorithm,
    UnixTime,
    access::{Scope, hsm_roles},
    lifecycle::PolicyAmendment,
};
use engine::{
    Clock, ContainerPatch, Engine, Error, OpenContainer, PageRequest, Presence, ProfileRequest, RoleAssignmentRequest,
    Swept, VaultSettings,
};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, AtomicUsize, Ordering},
};
use store::{Fault, Read, Store, Tx, Verdict, sqlite::SqliteStore};

const SOMEBODY: Guid = Guid::from_u128(0x50);

fn name() -> ContainerName {
    ContainerName::parse("contoso").unwrap()
}

fn set_policies(rig: &Rig, policies: Vec<AccessPolicy>) {
    let settings = VaultSettings {
        permission_model: Some(PermissionModel::AccessPolicies),
        access_policies: Some(policies),
        ..VaultSettings::default()
    };
    let patch = ContainerPatch { profile: Some(ProfileRequest::Vault(settings)), ..ContainerPatch::default() };
    rig.engine.patch_container(&caller(ADMINISTRATOR), ContainerKind::Vault, &resource(), &name(), &patch).unwrap();
}

fn everything_on_keys() -> AccessPolicy {
    AccessPolicy {
        tenant: crate::rig::TENANT,
        object_id: SOMEBODY.to_string(),
        application_id: None,
        keys: vec!["all".to_owned()],
        secrets: Vec::new(),
        certificates: Vec::new(),
        storage: Vec::new(),
    }
}

fn sign(engine: &Engine, who: Guid, target: &OpenContainer) -> Result<(), Error> {
    engine.sign(&caller(who), target, &key_name("k"), None, SignatureAlgorithm::Es256, &[0; 32]).map(drop)
}

fn is_forbidden<T>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::Refused(Refusal::Forbidden { .. })))
}

fn crypto_user(number: u128) -> RoleAssignmentRequest {
    let role = hsm_roles().iter().find(|role| role.name == "Managed HSM Crypto User").unwrap().id;
    RoleAssignmentRequest { name: Guid::from_u128(number), scope: Scope::root(), role, principal: SOMEBODY }
}

#[test]
fn a_removed_policy_counts_for_whoever_held_the_vault_before() {
    let rig = Rig::new();
    rig.create_ec_key(ContainerKind::Vault, "k");
    set_policies(&rig, vec![everything_on_keys()]);
    let held = rig.open(ContainerKind::Vault);
    assert!(sign(&rig.engine, SOMEBODY, &held).is_ok());
    set_policies(&rig, Vec::new());
    let (who, key) = (caller(SOMEBODY), key_name("k"));
    assert!(is_forbidden(&sign(&rig.engine, SOMEBODY, &held)));
    assert!(is_forbidden(&rig.engine.backup_object(&who, &held, ObjectKind::Key, &key)));
    assert!(is_forbidden(&rig.engine.create_key(&who, &held, &key, &ec_key())));
    assert!(is_forbidden(&rig.engine.rotate_key(&who, &held, &key)));
    assert!(is_forbidden(&rig.engine.delete_object(&who, &held, ObjectKind::Key, &key)));
    assert!(is_forbidden(&rig.engine.purge_object(&who, &held, ObjectKind::Key, &key)));
    assert!(is_forbidden(&rig.engine.list_objects(
        &who,
        &held,
        ObjectKind::Key,
        Presence::Live,
        false,
        &PageRequest { after: None, limit: 5 }
    )));
}

#[test]
fn a_vault_made_anew_is_not_reached_through_its_predecessor() {
    let rig = Rig::new();
    rig.create_ec_key(ContainerKind::Vault, "k");
    set_policies(&rig, vec![everything_on_keys()]);
    let held = rig.open(ContainerKind::Vault);
    let administrator = caller(ADMINISTRATOR);
    rig.engine.delete_container(&administrator, ContainerKind::Vault, &resource(), &name()).unwrap();
    rig.engine.purge_container(&administrator, ContainerKind::Vault, SUBSCRIPTION, "eastus", &name()).unwrap();
    rig.create(ContainerKind::Vault);
    rig.create_ec_key(ContainerKind::Vault, "k");
    let fresh = rig.open(ContainerKind::Vault);
    for _ in ["cold", "warm"] {
        for who in [SOMEBODY, ADMINISTRATOR] {
            let outcome = sign(&rig.engine, who, &held);
            assert!(matches!(outcome, Err(Error::Refused(Refusal::ContainerNotFound))), "{outcome:?}");
        }
        assert!(sign(&rig.engine, ADMINISTRATOR, &fresh).is_ok());
    }
}

#[test]
fn roles_of_a_deleted_managed_hsm_do_not_change() {
    let rig = Rig::new();
    let hsm = rig.open(ContainerKind::ManagedHsm);
    let administrator = caller(ADMINISTRATOR);
    rig.engine.delete_container(&administrator, ContainerKind::ManagedHsm, &resource(), &name()).unwrap();
    let refused = rig.engine.put_hsm_role_assignment(&administrator, &hsm, &crypto_user(7));
    assert!(matches!(refused, Err(Error::Refused(Refusal::ContainerDeleted { .. }))));
    rig.engine.purge_container(&administrator, ContainerKind::ManagedHsm, SUBSCRIPTION, "eastus", &name()).unwrap();
    let refused = rig.engine.put_hsm_role_assignment(&administrator, &hsm, &crypto_user(8));
    assert!(matches!(refused, Err(Error::Refused(Refusal::ContainerNotFound))));
}

/// A store that does something else after its nth read from now.
struct Interrupted {
    inner: SqliteStore,
    reads_until: AtomicUsize,
    interruption: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Store for Interrupted {
    fn write(&self, name: &'static str, work: &mut dyn FnMut(&mut dyn Tx) -> Verdict) -> Result<(), Fault> {
        self.inner.write(name, work)
    }

    fn read(&self, work: &mut dyn FnMut(&mut dyn Read)) -> Result<(), Fault> {
        self.inner.read(work)?;
        if self.reads_until.fetch_sub(1, Ordering::SeqCst) == 1
            && let Some(interruption) = self.interruption.lock().unwrap().take()
        {
            interruption();
        }
        Ok(())
    }

    fn copy_to(&self, path: &std::path::Path) -> Result<(), Fault> {
        self.inner.copy_to(path)
    }
}

/// Opening reads the container, then its roles. A removal that begins between that and the entry's first use must not be
/// lost on it.
#[test]
fn a_role_removed_while_its_hsm_is_being_opened_is_removed() {
    let rig = Rig::new();
    rig.create_ec_key(ContainerKind::ManagedHsm, "k");
    let store = Arc::new(Interrupted {
        inner: SqliteStore::open(&rig.path()).unwrap(),
        reads_until: AtomicUsize::new(usize::MAX),
        interruption: Mutex::new(None),
    });
    let engine = Arc::new(engine_on(Arc::clone(&store) as _, Arc::clone(&rig.clock) as _));
    let held = engine.open_container(ContainerKind::ManagedHsm, "contoso").unwrap();
    engine.put_hsm_role_assignment(&caller(ADMINISTRATOR), &held, &crypto_user(1)).unwrap();
    let removal: Arc<Mutex<Option<std::thread::JoinHandle<()>>>> = Arc::default();
    *store.interruption.lock().unwrap() = Some({
        let (engine, held, removal) = (Arc::clone(&engine), Arc::clone(&held), Arc::clone(&removal));
        Box::new(move || {
            let remover = std::thread::spawn(move || {
                let (who, scope) = (caller(ADMINISTRATOR), Scope::root());
                engine.delete_hsm_role_assignment(&who, &held, &scope, Guid::from_u128(1)).unwrap();
            });
            *removal.lock().unwrap() = Some(remover);
        })
    });
    // Closes the entry without changing anything, so that the next use opens the HSM anew.
    let other = Arc::clone(&engine);
    let nothing = ContainerPatch::default();
    other.patch_container(&caller(ADMINISTRATOR), ContainerKind::ManagedHsm, &resource(), &name(), &nothing).unwrap();
    store.reads_until.store(2, Ordering::SeqCst);
    let opened = engine.open_container(ContainerKind::ManagedHsm, "contoso").unwrap();
    let remover = removal.lock().unwrap().take();
    if let Some(remover) = remover {
        remover.join().unwrap();
        assert!(is_forbidden(&sign(&engine, SOMEBODY, &opened)));
    } else {
        panic!("opening did not read twice");
    }
}

struct Wall(AtomicI64);

impl Clock for Wall {
    fn now(&self) -> UnixTime {
        UnixTime(self.0.load(Ordering::SeqCst))
    }
}

#[test]
fn a_clock_that_falls_back_brings_nothing_forward_and_nothing_back() {
    let rig = Rig::new();
    let now = rig.engine.now().0;
    let wall = Arc::new(Wall(AtomicI64::new(now)));
    let engine = engine_on(Arc::new(SqliteStore::open(&rig.path()).unwrap()), Arc::clone(&wall) as _);
    engine.sweep(10).unwrap();
    let administrator = caller(ADMINISTRATOR);
    let protect = PolicyAmendment { purge_protection: Some(true), ..PolicyAmendment::default() };
    let patch = ContainerPatch { policy: protect, ..ContainerPatch::default() };
    engine.patch_container(&administrator, ContainerKind::Vault, &resource(), &name(), &patch).unwrap();
    let open = engine.open_container(ContainerKind::Vault, "contoso").unwrap();
    for key in ["k", "j"] {
        engine.create_key(&administrator, &open, &key_name(key), &ec_key()).unwrap();
    }
    // The machine has lost its clock, and the process begins again: it is 1970 until somebody tells it better.
    wall.0.store(0, Ordering::SeqCst);
    let engine = engine_on(Arc::new(SqliteStore::open(&rig.path()).unwrap()), Arc::clone(&wall) as _);
    let open = engine.open_container(ContainerKind::Vault, "contoso").unwrap();
    engine.delete_object(&administrator, &open, ObjectKind::Key, &key_name("k")).unwrap();
    wall.0.store(now + 60, Ordering::SeqCst);
    assert_eq!(engine.sweep(10).unwrap(), Swept::default());
    assert!(engine.get_deleted_object(&administrator, &open, ObjectKind::Key, &key_name("k")).is_ok());
    // What was seen purged stays so when the clock steps back over the date.
    engine.delete_object(&administrator, &open, ObjectKind::Key, &key_name("j")).unwrap();
    wall.0.store(now + 60 + 90 * DAY, Ordering::SeqCst);
    assert!(engine.get_deleted_object(&administrator, &open, ObjectKind::Key, &key_name("j")).is_err());
    wall.0.store(now + 59 + 90 * DAY, Ordering::SeqCst);
    assert!(engine.recover_object(&administrator, &open, ObjectKind::Key, &key_name("j")).is_err());
}
