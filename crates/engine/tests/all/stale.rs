//! What becomes of rights in memory when a change is durable and can't be loaded anew: nobody goes on by the old ones.

use crate::rig::{ADMINISTRATOR, Rig, SUBSCRIPTION, caller, engine_on, key_name, resource};
use domain::{
    ContainerKind, Guid, Operation, PrincipalChanges, Refusal, SignatureAlgorithm, Standing,
    access::{Caller, RoleDefinitionRequest, RolePermissions, Scope, directory_roles},
};
use engine::{ContainerListing, Engine, Error, NewGroup, NewUser, PageRequest, RoleAssignmentRequest};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use store::{Fault, Read, Store, Tx, Verdict, sqlite::SqliteStore};

const ADA: Guid = Guid::from_u128(0xada);
const ROLE: Guid = Guid::from_u128(0x60);
const ASSIGNMENT: Guid = Guid::from_u128(0x61);
const KINDS: [ContainerKind; 2] = [ContainerKind::Vault, ContainerKind::ManagedHsm];

/// A store that can't be read any more once a transaction of this name is durable.
struct Severed {
    inner: SqliteStore,
    after: &'static str,
    /// Whether that transaction seems to have failed, too.
    is_untold: bool,
    is_severed: AtomicBool,
}

impl Store for Severed {
    fn write(&self, name: &'static str, work: &mut dyn FnMut(&mut dyn Tx) -> Verdict) -> Result<(), Fault> {
        self.inner.write(name, work)?;
        if name == self.after {
            self.is_severed.store(true, Ordering::SeqCst);
            if self.is_untold {
                return Err(Fault::CorruptRecord { what: "the connection is lost" });
            }
        }
        Ok(())
    }

    fn read(&self, work: &mut dyn FnMut(&mut dyn Read)) -> Result<(), Fault> {
        if self.is_severed.load(Ordering::SeqCst) {
            return Err(Fault::CorruptRecord { what: "the disk is gone" });
        }
        self.inner.read(work)
    }

    fn copy_to(&self, path: &std::path::Path) -> Result<(), Fault> {
        self.inner.copy_to(path)
    }
}

/// A change that takes Ada's rights, all of them or those in one container.
struct Taking {
    operation: Operation,
    change: fn(&Engine, group: Guid) -> Result<(), Error>,
    from: &'static [ContainerKind],
}

fn arm_scope() -> Scope {
    Scope::new(&format!("/subscriptions/{SUBSCRIPTION}"))
}

fn definition(kind: ContainerKind, data_actions: &[&str]) -> RoleDefinitionRequest {
    let assignable_scopes = if kind == ContainerKind::Vault { vec![arm_scope()] } else { Vec::new() };
    let data_actions = data_actions.iter().map(|action| (*action).to_owned()).collect();
    let permissions = RolePermissions { data_actions, ..RolePermissions::default() };
    RoleDefinitionRequest {
        id: ROLE,
        name: "Signer".to_owned(),
        description: String::new(),
        permissions,
        assignable_scopes,
    }
}

fn put_definition(engine: &Engine, kind: ContainerKind, data_actions: &[&str]) -> Result<(), Error> {
    let (who, request) = (caller(ADMINISTRATOR), definition(kind, data_actions));
    match kind {
        ContainerKind::Vault => engine.put_arm_role_definition(&who, &arm_scope(), &request),
        ContainerKind::ManagedHsm => {
            engine.put_hsm_role_definition(&who, &*engine.open_container(kind, "contoso")?, &request)
        }
    }
    .map(drop)
}

/// Ada is in a group that may sign in both containers.
fn prepared(rig: &Rig) -> Guid {
    let (engine, who) = (&rig.engine, caller(ADMINISTRATOR));
    let ada = NewUser {
        object_id: Some(ADA),
        display_name: "Ada".to_owned(),
        user_principal_name: "ada@contoso.example".to_owned(),
        mail_nickname: None,
        enabled: true,
    };
    engine.create_user(&who, &ada).unwrap();
    let group = NewGroup { display_name: "Signers".to_owned(), mail_nickname: None, description: None };
    let group = engine.create_group(&who, &group).unwrap().object_id;
    engine.add_group_member(&who, group, ADA).unwrap();
    for kind in KINDS {
        rig.create_ec_key(kind, "k");
        let sign = Operation::KeySign.data_action(kind).unwrap();
        put_definition(engine, kind, &[sign]).unwrap();
    }
    let grant = |scope| RoleAssignmentRequest { name: ASSIGNMENT, scope, role: ROLE, principal: group };
    engine.put_arm_role_assignment(&who, &grant(arm_scope())).unwrap();
    engine.put_hsm_role_assignment(&who, &rig.open(ContainerKind::ManagedHsm), &grant(Scope::root())).unwrap();
    group
}

/// Signs as Ada, let in as a front lets her in.
fn sign(engine: &Engine, kind: ContainerKind) -> Result<(), Error> {
    let directory = engine.directory()?;
    let Standing::Enabled { groups, .. } = directory.standing(ADA) else {
        return Err(Refusal::PrincipalNotFound.into());
    };
    let who = Caller { groups: groups.to_vec(), ..caller(ADA) };
    let open = engine.opened_container(kind, "contoso").unwrap();
    engine.sign(&who, &open, &key_name("k"), None, SignatureAlgorithm::Es256, &[0; 32]).map(drop)
}

const TAKING: [Taking; 8] = [
    Taking {
        operation: Operation::RoleAssignmentDelete,
        change: |engine, _| {
            engine.delete_arm_role_assignment(&caller(ADMINISTRATOR), &arm_scope(), ASSIGNMENT).map(drop)
        },
        from: &[ContainerKind::Vault],
    },
    Taking {
        operation: Operation::HsmRoleAssignmentDelete,
        change: |engine, _| {
            let hsm = engine.open_container(ContainerKind::ManagedHsm, "contoso")?;
            engine.delete_hsm_role_assignment(&caller(ADMINISTRATOR), &hsm, &Scope::root(), ASSIGNMENT).map(drop)
        },
        from: &[ContainerKind::ManagedHsm],
    },
    Taking {
        operation: Operation::RoleDefinitionPut,
        change: |engine, _| put_definition(engine, ContainerKind::Vault, &[]),
        from: &[ContainerKind::Vault],
    },
    Taking {
        operation: Operation::HsmRoleDefinitionPut,
        change: |engine, _| put_definition(engine, ContainerKind::ManagedHsm, &[]),
        from: &[ContainerKind::ManagedHsm],
    },
    Taking {
        operation: Operation::UserUpdate,
        change: |engine, _| {
            let disable = PrincipalChanges { enabled: Some(false), ..PrincipalChanges::default() };
            engine.update_user(&caller(ADMINISTRATOR), ADA, &disable)
        },
        from: &KINDS,
    },
    Taking {
        operation: Operation::UserDelete,
        change: |engine, _| engine.delete_user(&caller(ADMINISTRATOR), ADA),
        from: &KINDS,
    },
    Taking {
        operation: Operation::GroupMemberRemove,
        change: |engine, group| engine.remove_group_member(&caller(ADMINISTRATOR), group, ADA),
        from: &KINDS,
    },
    Taking {
        operation: Operation::GroupDelete,
        change: |engine, group| engine.delete_group(&caller(ADMINISTRATOR), group),
        from: &KINDS,
    },
];

/// An engine whose store can't be read after an operation, with both containers and Ada's keys open.
fn severed_after(rig: &Rig, operation: Operation, is_untold: bool) -> (Arc<Severed>, Engine) {
    let inner = SqliteStore::open(&rig.path()).unwrap();
    let store = Arc::new(Severed { inner, after: operation.name(), is_untold, is_severed: AtomicBool::new(false) });
    let engine = engine_on(Arc::clone(&store) as _, Arc::clone(&rig.clock) as _);
    for kind in KINDS {
        engine.open_container(kind, "contoso").unwrap();
        sign(&engine, kind).unwrap();
    }
    (store, engine)
}

#[test]
fn who_was_revoked_does_not_go_on_while_the_change_can_not_be_loaded() {
    for Taking { operation, change, from } in TAKING {
        for is_untold in [false, true] {
            let rig = Rig::new();
            let group = prepared(&rig);
            let (store, engine) = severed_after(&rig, operation, is_untold);
            let changed = change(&engine, group);
            assert!(matches!(changed, Err(Error::Store(_))), "{operation:?}: {changed:?}");
            for kind in from {
                for _ in 0..2 {
                    let signed = sign(&engine, *kind);
                    assert!(matches!(signed, Err(Error::Store(_))), "{operation:?} in a {kind:?}: {signed:?}");
                }
            }
            store.is_severed.store(false, Ordering::SeqCst);
            for kind in from {
                let signed = sign(&engine, *kind);
                assert!(matches!(signed, Err(Error::Refused(_))), "{operation:?} in a {kind:?}: {signed:?}");
            }
            for kind in KINDS.iter().filter(|kind| !from.contains(kind)) {
                sign(&engine, *kind).unwrap();
            }
        }
    }
}

#[test]
fn the_control_plane_shows_nothing_by_roles_that_may_have_changed() {
    let rig = Rig::new();
    prepared(&rig);
    let (store, engine) = severed_after(&rig, Operation::RoleAssignmentDelete, false);
    let who = caller(ADMINISTRATOR);
    engine.delete_arm_role_assignment(&who, &arm_scope(), ASSIGNMENT).unwrap_err();
    let listing = ContainerListing { kind: None, subscription: SUBSCRIPTION, resource_group: None };
    let page = PageRequest { after: None, limit: 10 };
    let asked = || {
        [
            engine.subscriptions(&who).map(|found| found.len()),
            engine.resource_groups(&who, SUBSCRIPTION).map(|found| found.len()),
            engine.list_containers(&who, &listing, &page).map(|found| found.items.len()),
            engine.resource_group(&who, SUBSCRIPTION, &resource().resource_group).map(|_| 1),
        ]
    };
    for answer in asked() {
        assert!(matches!(answer, Err(Error::Store(_))), "{answer:?}");
    }
    store.is_severed.store(false, Ordering::SeqCst);
    assert_eq!(asked().map(Result::unwrap), [1, 1, 2, 1]);
}

#[test]
fn what_was_refused_leaves_the_rights_in_memory_as_they_are() {
    let rig = Rig::new();
    prepared(&rig);
    let (store, engine) = severed_after(&rig, Operation::GroupCreate, false);
    let unknown = Guid::from_u128(0x77);
    let refused = [
        engine.delete_arm_role_assignment(&caller(ADMINISTRATOR), &arm_scope(), unknown).map(drop),
        engine.delete_user(&caller(ADMINISTRATOR), unknown),
    ];
    assert!(refused.iter().all(|each| matches!(each, Err(Error::Refused(_)))), "{refused:?}");
    store.is_severed.store(true, Ordering::SeqCst);
    for kind in KINDS {
        sign(&engine, kind).unwrap();
    }
}

#[test]
fn who_lost_a_directory_role_does_not_go_on_while_that_can_not_be_loaded() {
    let rig = Rig::new();
    let group = prepared(&rig);
    let role = directory_roles().iter().find(|role| role.name == "Groups Administrator").unwrap().id;
    let who = caller(ADMINISTRATOR);
    let given = rig.engine.put_directory_role_assignment(&who, role, ADA).unwrap().name;
    let (store, engine) = severed_after(&rig, Operation::DirectoryRoleAssignmentDelete, false);
    let create = || engine.check_directory_access(&caller(ADA), Operation::GroupCreate);
    create().unwrap();
    engine.delete_directory_role_assignment(&who, given).unwrap_err();
    assert!(matches!(create(), Err(Error::Store(_))));
    let added = engine.add_group_member(&caller(ADA), group, ADMINISTRATOR);
    assert!(matches!(added, Err(Error::Store(_))), "{added:?}");
    store.is_severed.store(false, Ordering::SeqCst);
    assert!(matches!(create(), Err(Error::Refused(Refusal::Forbidden { .. }))));
}
