//! Installations from before there were directory roles: nobody who administered the directory is locked out of it.

use crate::rig::{TENANT, caller, engine_on};
use domain::{
    AuditRecord, Guid, Operation, Principal, PrincipalKind, Subscription, UnixTime,
    access::{
        Caller, GLOBAL_ADMINISTRATOR, Realm, RoleAssignment, RoleDefinition, RoleOrigin, RolePermissions, Scope,
        azure_roles,
    },
};
use engine::{Engine, SystemClock};
use std::sync::Arc;
use store::{Store, Tx, sqlite::SqliteStore};
use tempfile::TempDir;

const ONE: Guid = Guid::from_u128(0x5b);
const TWO: Guid = Guid::from_u128(0x5c);
const CUSTOM: Guid = Guid::from_u128(0x60);

fn id(number: u128) -> Guid {
    Guid::from_u128(0x100 + number)
}

fn subscription(of: Guid) -> String {
    format!("/subscriptions/{of}")
}

fn assignment(name: u128, principal: Guid, role: Guid, scope: &str) -> RoleAssignment {
    let (name, scope) = (Guid::from_u128(name), Scope::new(scope));
    RoleAssignment { realm: Realm::Arm, name, scope, role, principal, created: UnixTime(0) }
}

fn role(name: &str) -> Guid {
    azure_roles().iter().find(|role| role.name == name).unwrap().id
}

/// A state as the program before left it: two subscriptions, people 1 to 9, groups 20 to 22, and these assignments.
struct Former {
    folder: TempDir,
    number: u128,
}

impl Former {
    fn new() -> Self {
        let former = Self { folder: TempDir::new().unwrap(), number: 0 };
        former.write(|tx| {
            for of in [ONE, TWO] {
                let subscription =
                    Subscription { id: of, tenant: TENANT, display_name: "s".to_owned(), undeletable: false };
                tx.put_subscription(&subscription).unwrap();
            }
            let foreign = Subscription {
                id: Guid::from_u128(0x5d),
                tenant: Guid::from_u128(9),
                display_name: "foreign".to_owned(),
                undeletable: false,
            };
            tx.put_subscription(&foreign).unwrap();
            for number in 1..10 {
                let user = Principal {
                    user_principal_name: Some(format!("u{number}@contoso.example")),
                    ..Principal::new(id(number), PrincipalKind::User, "u", UnixTime(0))
                };
                tx.put_principal(&user).unwrap();
            }
            for number in 20..23 {
                tx.put_principal(&Principal::new(id(number), PrincipalKind::Group, "g", UnixTime(0))).unwrap();
            }
        });
        former
    }

    fn write(&self, mut work: impl FnMut(&mut dyn Tx)) {
        let store = SqliteStore::open(&self.folder.path().join("db")).unwrap();
        let store: &dyn Store = &store;
        let done = store.transact("former", |tx| {
            work(tx);
            Ok::<_, store::Fault>(())
        });
        done.unwrap();
    }

    fn grant(&mut self, principal: Guid, role: Guid, scope: &str) {
        self.number += 1;
        let given = assignment(self.number, principal, role, scope);
        self.write(|tx| tx.put_role_assignment(&given).unwrap());
    }

    fn start(&self) -> Engine {
        let store = SqliteStore::open(&self.folder.path().join("db")).unwrap();
        engine_on(Arc::new(store), Arc::new(SystemClock))
    }
}

fn global_administrators(engine: &Engine) -> Vec<Guid> {
    let held = engine.directory_role_assignments().unwrap();
    assert!(held.iter().all(|each| each.role == GLOBAL_ADMINISTRATOR && each.scope == Scope::root()));
    let mut holders: Vec<Guid> = held.iter().map(|each| each.principal).collect();
    holders.sort_unstable();
    holders
}

fn may(engine: &Engine, who: Guid) -> bool {
    let groups = engine.directory().unwrap().groups_of(who);
    engine.check_directory_access(&Caller { groups, ..caller(who) }, Operation::DirectoryRoleAssignmentPut).is_ok()
}

#[test]
fn whoever_administered_the_directory_goes_on() {
    let mut former = Former::new();
    let stranger = id(77);
    former.grant(id(1), role("Owner"), "/");
    former.grant(id(2), role("User Access Administrator"), "/");
    former.grant(id(3), role("Owner"), &subscription(ONE));
    former.grant(id(3), role("User Access Administrator"), &subscription(TWO));
    former.grant(id(4), role("Owner"), &subscription(ONE));
    former.grant(id(5), role("Contributor"), "/");
    former.grant(id(20), role("Owner"), "/");
    former.grant(id(21), role("Owner"), &subscription(ONE));
    former.grant(id(22), role("Owner"), &subscription(TWO));
    former.grant(stranger, role("Owner"), "/");
    former.grant(id(9), CUSTOM, &subscription(ONE));
    former.grant(id(9), CUSTOM, &subscription(TWO));
    former.write(|tx| {
        // Six is in the group of owners; seven is one by two groups, of which neither is alone.
        for (group, member) in [(20, 6), (21, 7), (22, 7), (21, 8)] {
            tx.insert_membership(id(group), id(member)).unwrap();
        }
        let permissions =
            RolePermissions { actions: vec!["Microsoft.Authorization/*".to_owned()], ..RolePermissions::default() };
        let custom = RoleDefinition {
            id: CUSTOM,
            name: "gives rights".to_owned(),
            description: String::new(),
            permissions,
            assignable_scopes: vec![Scope::new(&subscription(ONE)), Scope::new(&subscription(TWO))],
            origin: RoleOrigin::Custom { created: UnixTime(0), updated: UnixTime(0) },
        };
        tx.put_role_definition(Realm::Arm, &custom).unwrap();
    });
    let engine = former.start();
    let expected = [id(1), id(2), id(3), id(7), id(9), id(20), stranger];
    let mut sorted = expected.to_vec();
    sorted.sort_unstable();
    assert_eq!(global_administrators(&engine), sorted);
    assert_eq!(
        (1..10).map(|number| may(&engine, id(number))).collect::<Vec<_>>(),
        [true, true, true, false, false, true, true, false, true]
    );
    assert!(may(&engine, stranger), "whom an issuer vouches for");
    let records = engine.audit_log(0, 100).unwrap();
    let records: Vec<_> = records.iter().map(|(_, leaf)| AuditRecord::read(leaf).unwrap()).collect();
    assert_eq!(records.len(), expected.len(), "each of them is told of");
    assert!(records.iter().all(|record| record.operation() == Some(Operation::DirectoryRoleAssignmentPut)));
}

#[test]
fn it_happens_once() {
    let mut former = Former::new();
    former.grant(id(1), role("Owner"), "/");
    former.grant(id(2), role("Owner"), "/");
    let engine = former.start();
    assert_eq!(global_administrators(&engine), [id(1), id(2)]);
    let held = engine.directory_role_assignments().unwrap();
    let of_one = held.iter().find(|each| each.principal == id(1)).unwrap().name;
    engine.delete_directory_role_assignment(&caller(id(2)), of_one).unwrap();
    drop(engine);
    former.grant(id(3), role("Owner"), "/");
    let engine = former.start();
    assert_eq!(global_administrators(&engine), [id(2)], "an Owner from now on is no more than that");
    assert!(!may(&engine, id(1)) && !may(&engine, id(3)));
}

#[test]
fn a_new_installation_has_nobody_to_succeed() {
    let folder = TempDir::new().unwrap();
    let open = || engine_on(Arc::new(SqliteStore::open(&folder.path().join("db")).unwrap()), Arc::new(SystemClock));
    let engine = open();
    assert_eq!(engine.audit_log(0, 100).unwrap(), []);
    let foundation = engine::Foundation {
        subscriptions: vec![Subscription { id: ONE, tenant: TENANT, display_name: "s".to_owned(), undeletable: false }],
        grants: vec![(id(1), role("Owner"), Scope::root())],
        directory_grants: vec![(id(2), GLOBAL_ADMINISTRATOR)],
        ..engine::Foundation::default()
    };
    engine.lay_foundation(&foundation).unwrap();
    assert!(may(&engine, id(2)) && !may(&engine, id(1)));
    engine.lay_foundation(&foundation).unwrap();
    drop(engine);
    assert_eq!(global_administrators(&open()), [id(2)]);
}
