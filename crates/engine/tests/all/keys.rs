//! Custody and store together: what is sealed belongs to its row and its root.

use crate::rig::{ADMINISTRATOR, DAY, Rig, caller, ec_key, key_name, resource, root, start};
use domain::{ContainerKind, ContainerName, ObjectKind, Refusal, SignatureAlgorithm};
use engine::{Error, Swept};
use std::sync::Arc;
use store::{Store, sqlite::SqliteStore};

#[test]
fn another_root_key_is_refused_before_it_can_do_harm() {
    let rig = Rig::new();
    let refused = start(&rig.path(), &rig.clock, &root(129));
    assert!(matches!(refused.err(), Some(Error::Custody(custody::Fault::WrongRoot))));
    assert!(start(&rig.path(), &rig.clock, &root(128)).is_ok());
}

#[test]
fn material_moved_to_another_row_does_not_open() {
    let rig = Rig::new();
    let (who, kind) = (caller(ADMINISTRATOR), ContainerKind::Vault);
    rig.create_ec_key(kind, "mine");
    rig.create_ec_key(kind, "yours");
    let vault = rig.open(kind).id();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&rig.path()).unwrap());
    // Somebody with the database moves a row's sealed bytes to another name.
    store
        .transact("Tamper", |tx| {
            let (mine, yours) = (key_name("mine"), key_name("yours"));
            let stolen = tx.object(vault, ObjectKind::Key, &mine)?.unwrap();
            let version = tx.version(vault, ObjectKind::Key, &mine, stolen.object.current)?.unwrap();
            let target = tx.object(vault, ObjectKind::Key, &yours)?.unwrap().object;
            tx.insert_version(vault, ObjectKind::Key, &yours, &version.version, &version.material)?;
            tx.save_object(vault, &domain::Object { current: stolen.object.current, ..target })
        })
        .unwrap();
    let outcome = rig.engine.sign(&who, &rig.open(kind), &key_name("yours"), None, SignatureAlgorithm::Es256, &[0; 32]);
    assert!(matches!(outcome.err(), Some(Error::Custody(custody::Fault::SealBroken))));
}

#[test]
fn a_sweep_purges_what_is_due_once_and_nothing_early() {
    let rig = Rig::new();
    let (who, kind) = (caller(ADMINISTRATOR), ContainerKind::Vault);
    for name in ["a", "b"] {
        rig.create_ec_key(kind, name);
    }
    rig.engine.delete_object(&who, &rig.open(kind), ObjectKind::Key, &key_name("a")).unwrap();
    rig.clock.advance(90 * DAY - 60);
    assert_eq!(rig.engine.sweep(10).unwrap(), Swept::default());
    rig.clock.advance(120);
    assert_eq!(rig.engine.sweep(10).unwrap(), Swept { objects: 1, ..Swept::default() });
    assert_eq!(rig.engine.sweep(10).unwrap(), Swept::default());
    assert!(rig.engine.get_object(&who, &rig.open(kind), ObjectKind::Key, &key_name("b"), None).is_ok());
}

#[test]
fn a_sweep_forgets_results_that_nobody_polls_for() {
    let rig = Rig::new();
    let id = rig.engine.record_result(None).unwrap();
    rig.clock.advance(DAY - 1);
    assert_eq!(rig.engine.sweep(10).unwrap(), Swept::default());
    assert_eq!(rig.engine.operation_result(id).unwrap().id, id);
    rig.clock.advance(1);
    assert_eq!(rig.engine.sweep(10).unwrap(), Swept { results: 1, ..Swept::default() });
    assert!(matches!(rig.engine.operation_result(id), Err(Error::Refused(Refusal::OperationNotFound))));
}

#[test]
fn a_sweep_clears_up_after_a_large_vault() {
    const KEYS: usize = 1_100;
    let rig = Rig::new();
    let (who, kind) = (caller(ADMINISTRATOR), ContainerKind::Vault);
    for number in 0..KEYS {
        rig.create_ec_key(kind, &format!("k{number}"));
    }
    let vault = rig.open(kind);
    rig.engine.delete_container(&who, kind, &resource(), &ContainerName::parse("contoso").unwrap()).unwrap();
    rig.clock.advance(90 * DAY);
    assert_eq!(rig.engine.sweep(10).unwrap(), Swept { containers: 1, remains: 1, ..Swept::default() });
    assert_eq!(rig.engine.sweep(10).unwrap(), Swept::default());
    let left = rig.engine.get_object(&who, &vault, ObjectKind::Key, &key_name("k1"), None);
    assert!(matches!(left, Err(Error::Refused(Refusal::ContainerNotFound))), "{left:?}");
}

#[test]
fn a_name_is_free_the_second_its_retention_ends_even_if_the_scheduler_is_late() {
    let rig = Rig::new();
    let (who, kind) = (caller(ADMINISTRATOR), ContainerKind::ManagedHsm);
    rig.create_ec_key(kind, "k");
    rig.engine.delete_object(&who, &rig.open(kind), ObjectKind::Key, &key_name("k")).unwrap();
    let held = rig.engine.create_key(&who, &rig.open(kind), &key_name("k"), &ec_key());
    assert!(matches!(held, Err(Error::Refused(Refusal::NameHeldByDeleted))));
    rig.clock.advance(90 * DAY + 1);
    rig.create_ec_key(kind, "K");
    assert_eq!(rig.engine.sweep(10).unwrap(), Swept::default(), "the creation has done the scheduler's work");
    let found = rig.engine.get_object(&who, &rig.open(kind), ObjectKind::Key, &key_name("k"), None).unwrap();
    assert_eq!(found.object.name.to_string(), "K", "the case of the creation");
}
