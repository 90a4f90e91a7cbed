//! The notary: who is answered with a checkpoint, and what is not signed any further.

use crate::rig::{ADMINISTRATOR, DAY, Rig, caller, key_name, resource, root, start};
use custody::note::Checkpoint;
use domain::{
    AuditRecord, ContainerKind, ContainerName, Guid, ObjectKind, Operation, UnixTime,
    access::{Scope, azure_roles, hsm_roles},
};
use engine::{
    Error, RoleAssignmentRequest,
    audit::{self, Report, Standing},
};
use std::sync::Arc;
use store::{Store, StoredCheckpoint, sqlite::SqliteStore};

/// The store that an engine runs on, opened once more.
fn store(rig: &Rig) -> SqliteStore {
    SqliteStore::open(&rig.path()).unwrap()
}

fn verified(rig: &Rig) -> Report {
    let store = store(rig);
    let store: &dyn Store = &store;
    store.query(|read| audit::verify(read, rig.engine.audit_verifier(), &[])).unwrap()
}

fn last_checkpoint(rig: &Rig) -> (Checkpoint, StoredCheckpoint) {
    let stored = rig.engine.last_audit_checkpoint().unwrap().unwrap();
    let signed = rig.engine.audit_verifier().open_checkpoint(&stored.note).unwrap();
    assert_eq!(signed.size, stored.size);
    (signed, stored)
}

fn last_record(rig: &Rig) -> (u64, AuditRecord<'static>) {
    let (position, leaf) = rig.engine.audit_log(0, usize::MAX).unwrap().pop().unwrap();
    (position, AuditRecord::read(&leaf).unwrap())
}

fn contoso() -> ContainerName {
    ContainerName::parse("contoso").unwrap()
}

fn assignment(roles: &[domain::access::RoleDefinition], scope: &str) -> RoleAssignmentRequest {
    let role = roles.first().unwrap().id;
    RoleAssignmentRequest { name: Guid::from_u128(77), scope: Scope::new(scope), role, principal: Guid::from_u128(5) }
}

/// The purge of a deleted object of a kind.
fn object_purge(rig: &Rig, kind: ObjectKind) -> impl Fn() -> Result<(), Error> + '_ {
    match kind {
        ObjectKind::Key => rig.create_ec_key(ContainerKind::Vault, "n"),
        ObjectKind::Secret => drop(rig.set_secret("n", "a")),
        ObjectKind::Certificate => drop(crate::certificates::create(rig, "n", "Unknown").unwrap()),
    }
    let (who, vault, name) = (caller(ADMINISTRATOR), rig.open(ContainerKind::Vault), key_name("n"));
    rig.engine.delete_object(&who, &vault, kind, &name).unwrap();
    move || rig.engine.purge_object(&who, &vault, kind, &name)
}

/// Does what has to be done before an operation, and gives the operation itself.
#[expect(clippy::panic, reason = "an operation that nobody has thought of fails the test")]
fn prepared(rig: &Rig, operation: Operation) -> Box<dyn Fn() -> Result<(), Error> + '_> {
    let engine = &rig.engine;
    let purge = move |kind| {
        engine.delete_container(&caller(ADMINISTRATOR), kind, &resource(), &contoso()).unwrap();
        let subscription = resource().subscription;
        move || engine.purge_container(&caller(ADMINISTRATOR), kind, subscription, "eastus", &contoso())
    };
    let hsm = || rig.open(ContainerKind::ManagedHsm);
    let local = assignment(hsm_roles(), "/keys");
    let arm = assignment(azure_roles(), "/subscriptions/s");
    match operation {
        Operation::KeyPurge => Box::new(object_purge(rig, ObjectKind::Key)),
        Operation::SecretPurge => Box::new(object_purge(rig, ObjectKind::Secret)),
        Operation::CertificatePurge => Box::new(object_purge(rig, ObjectKind::Certificate)),
        Operation::VaultPurge => Box::new(purge(ContainerKind::Vault)),
        Operation::ManagedHsmPurge => Box::new(purge(ContainerKind::ManagedHsm)),
        Operation::VaultDelete | Operation::ManagedHsmDelete => {
            let is_vault = operation == Operation::VaultDelete;
            let kind = if is_vault { ContainerKind::Vault } else { ContainerKind::ManagedHsm };
            Box::new(move || engine.delete_container(&caller(ADMINISTRATOR), kind, &resource(), &contoso()).map(drop))
        }
        Operation::HsmRoleAssignmentPut => {
            Box::new(move || engine.put_hsm_role_assignment(&caller(ADMINISTRATOR), &hsm(), &local).map(drop))
        }
        Operation::HsmRoleAssignmentDelete => {
            engine.put_hsm_role_assignment(&caller(ADMINISTRATOR), &hsm(), &local).unwrap();
            Box::new(move || {
                let removed =
                    engine.delete_hsm_role_assignment(&caller(ADMINISTRATOR), &hsm(), &local.scope, local.name);
                removed.map(drop)
            })
        }
        Operation::RoleAssignmentPut => {
            Box::new(move || engine.put_arm_role_assignment(&caller(ADMINISTRATOR), &arm).map(drop))
        }
        Operation::RoleAssignmentDelete => {
            engine.put_arm_role_assignment(&caller(ADMINISTRATOR), &arm).unwrap();
            Box::new(move || engine.delete_arm_role_assignment(&caller(ADMINISTRATOR), &arm.scope, arm.name).map(drop))
        }
        Operation::VaultAccessPolicyPut => Box::new(move || {
            let changed = engine.change_access_policies(&caller(ADMINISTRATOR), &resource(), &contoso(), |all| all);
            changed.map(drop)
        }),
        Operation::VaultPut | Operation::ManagedHsmPut => {
            let kind = if operation == Operation::VaultPut { ContainerKind::Vault } else { ContainerKind::ManagedHsm };
            Box::new(move || {
                let patch = engine::ContainerPatch::default();
                engine.patch_container(&caller(ADMINISTRATOR), kind, &resource(), &contoso(), &patch).map(drop)
            })
        }
        other => crate::roles::prepared(rig, other)
            .or_else(|| crate::directory::prepared(rig, other))
            .unwrap_or_else(|| panic!("{other:?} needs a checkpoint: do it here")),
    }
}

#[test]
fn every_operation_that_needs_a_checkpoint_is_answered_after_it() {
    for operation in Operation::ALL.iter().copied().filter(|operation| operation.needs_checkpoint()) {
        let rig = Rig::new();
        prepared(&rig, operation)().unwrap();
        let (position, record) = last_record(&rig);
        assert_eq!(record.operation(), Some(operation));
        assert_eq!(last_checkpoint(&rig).0.size, position, "{operation:?}");
        assert_eq!(verified(&rig).findings, []);
    }
}

#[test]
fn other_operations_do_not_wait_for_a_checkpoint() {
    let rig = Rig::new();
    let before = last_checkpoint(&rig).0.size;
    rig.create_ec_key(ContainerKind::Vault, "k");
    assert_eq!(last_checkpoint(&rig).0.size, before);
    rig.engine.sign_audit().unwrap();
    assert_eq!(last_checkpoint(&rig).0.size, before + 1);
}

#[test]
fn a_change_stands_though_its_record_cannot_be_signed_and_is_not_answered_as_done() {
    for operation in Operation::ALL.iter().copied().filter(|operation| operation.needs_checkpoint()) {
        let rig = Rig::new();
        let perform = prepared(&rig, operation);
        // As if records had been cut away: one is signed for more of them.
        let far = StoredCheckpoint { size: 1 << 20, time: UnixTime(0), note: String::new() };
        let other: &dyn Store = &store(&rig);
        other.transact("test", |tx| tx.insert_audit_checkpoint(&far)).unwrap();
        let refused = perform();
        assert!(matches!(refused, Err(Error::Broken(why)) if why.contains("shorter")), "{operation:?}: {refused:?}");
        assert_eq!(last_record(&rig).1.operation(), Some(operation), "the change and its record are there");
    }
    let rig = Rig::new();
    let purge = prepared(&rig, Operation::VaultPurge);
    let far = StoredCheckpoint { size: 1 << 20, time: UnixTime(0), note: String::new() };
    let other: &dyn Store = &store(&rig);
    other.transact("test", |tx| tx.insert_audit_checkpoint(&far)).unwrap();
    assert!(purge().is_err());
    assert!(rig.engine.opened_container(ContainerKind::Vault, "contoso").is_none(), "and nothing is used from memory");
}

#[test]
fn what_is_signed_already_is_not_signed_again() {
    let rig = Rig::new();
    rig.create_ec_key(ContainerKind::Vault, "k");
    rig.engine.sign_audit().unwrap();
    let before = last_checkpoint(&rig).1;
    rig.engine.sign_audit().unwrap();
    assert_eq!(last_checkpoint(&rig).1, before);
    let report = verified(&rig);
    assert_eq!((report.last, report.signed, report.unsigned()), (before.size, before.size, 0));
}

#[test]
fn those_who_wait_at_once_are_all_covered() {
    let rig = Rig::new();
    let vault = rig.open(ContainerKind::Vault);
    for number in 0..16 {
        rig.create_ec_key(ContainerKind::Vault, &format!("k{number}"));
        rig.engine
            .delete_object(&caller(ADMINISTRATOR), &vault, ObjectKind::Key, &key_name(&format!("k{number}")))
            .unwrap();
    }
    std::thread::scope(|scope| {
        for number in 0..16 {
            let (rig, vault) = (&rig, &vault);
            scope.spawn(move || {
                let name = key_name(&format!("k{number}"));
                rig.engine.purge_object(&caller(ADMINISTRATOR), vault, ObjectKind::Key, &name).unwrap();
                let covered = last_checkpoint(rig).0.size;
                let log = rig.engine.audit_log(0, usize::MAX).unwrap();
                let of_purge = log.iter().find(|(_, leaf)| {
                    let record = AuditRecord::read(leaf).unwrap();
                    record.operation() == Some(Operation::KeyPurge)
                        && record.properties.id.ends_with(&format!("/{name}"))
                });
                assert!(of_purge.unwrap().0 <= covered);
            });
        }
    });
    assert_eq!(verified(&rig).findings, []);
}

#[test]
fn the_next_process_signs_what_the_last_one_left_with_the_same_key() {
    let rig = Rig::new();
    let key = rig.engine.audit_verifier().to_string();
    rig.create_ec_key(ContainerKind::Vault, "k");
    assert!(verified(&rig).unsigned() > 0);
    let again = start(&rig.path(), &rig.clock, &root(128)).unwrap();
    assert_eq!(again.audit_verifier().to_string(), key);
    again.sign_audit().unwrap();
    let report = verified(&rig);
    assert_eq!((report.unsigned(), report.findings), (0, Vec::new()));
}

#[test]
fn a_log_of_many_tiles_is_signed_in_portions_and_verifies() {
    let rig = Rig::new();
    let other: &dyn Store = &store(&rig);
    let append = |count: u64| {
        other.transact("test", |tx| {
            for number in 0..count {
                tx.append_audit(&format!("{{\"record\":{number}}}"))?;
            }
            Ok::<_, store::Fault>(())
        })
    };
    for count in [1, 300, 70_000, 255, 1] {
        append(count).unwrap();
        rig.engine.sign_audit().unwrap();
        let report = verified(&rig);
        assert_eq!((report.unsigned(), report.findings), (0, Vec::new()), "{count}");
    }
    let sizes: Vec<u64> = {
        let all = other.query(|read| read.audit_checkpoints(0, 99)).unwrap();
        all.iter().map(|checkpoint| checkpoint.size).collect()
    };
    assert!(sizes.windows(2).all(|pair| pair[1] - pair[0] <= 16_384), "{sizes:?}");
}

#[test]
fn a_log_that_was_cut_is_not_signed_any_further() {
    let rig = Rig::new();
    rig.create_ec_key(ContainerKind::Vault, "k");
    rig.engine.sign_audit().unwrap();
    let size = last_checkpoint(&rig).0.size;
    // The checkpoint goes too, but this process remembers.
    let other: &dyn Store = &store(&rig);
    other.transact("test", |tx| tx.remove_audit_checkpoint(size)).unwrap();
    rig.create_ec_key(ContainerKind::Vault, "j");
    let refused = rig.engine.sign_audit();
    assert!(matches!(refused, Err(Error::Broken(why)) if why.contains("shorter")), "{refused:?}");
}

#[test]
fn hashes_that_were_changed_are_not_signed_any_further() {
    let rig = Rig::new();
    rig.engine.sign_audit().unwrap();
    let other: &dyn Store = &store(&rig);
    let tile = other.query(|read| read.audit_tile(0, 0)).unwrap().unwrap();
    let mut changed = tile.clone();
    changed[5] ^= 1;
    for wrong in [changed.as_slice(), &tile[..tile.len() - 32], &tile[..7]] {
        other.transact("test", |tx| tx.put_audit_tile(0, 0, wrong)).unwrap();
        rig.create_ec_key(ContainerKind::Vault, "k");
        assert!(matches!(rig.engine.sign_audit(), Err(Error::Broken(_))));
    }
    other.transact("test", |tx| tx.put_audit_tile(0, 0, &tile)).unwrap();
    rig.engine.sign_audit().unwrap();
    assert_eq!(verified(&rig).findings, []);
}

#[test]
fn another_root_key_has_no_notary_and_a_swapped_verifier_no_engine() {
    let rig = Rig::new();
    assert!(start(&rig.path(), &rig.clock, &root(129)).is_err());
    let other: &dyn Store = &store(&rig);
    let record = other.query(|read| read.system_record("audit-key")).unwrap().unwrap();
    let text = String::from_utf8(record).unwrap();
    let own = rig.engine.audit_verifier().to_string();
    let foreign = Rig::new().engine.audit_verifier().to_string();
    other.transact("test", |tx| tx.put_system_record("audit-key", text.replace(&own, &foreign).as_bytes())).unwrap();
    assert!(matches!(start(&rig.path(), &rig.clock, &root(128)).err(), Some(Error::Broken("audit-key"))));
}

#[test]
fn a_kept_checkpoint_tells_a_log_that_goes_on_from_one_that_came_back() {
    let rig = Rig::new();
    rig.engine.sign_audit().unwrap();
    let copy = rig.path().with_extension("copy");
    store(&rig).copy_to(&copy).unwrap();
    let early = last_checkpoint(&rig).1;
    rig.create_ec_key(ContainerKind::Vault, "k");
    rig.engine.sign_audit().unwrap();
    let late = last_checkpoint(&rig).1;
    for note in [&early.note, &late.note] {
        assert_eq!(rig.engine.audit_standing(note).unwrap(), Standing::Continued);
    }
    let restored = Arc::new(start(&copy, &rig.clock, &root(128)).unwrap());
    assert_eq!(restored.audit_standing(&early.note).unwrap(), Standing::Continued);
    let behind = Standing::Behind { signed: late.size, has: early.size };
    assert_eq!(restored.audit_standing(&late.note).unwrap(), behind);
    // It goes its own way, past where it was.
    let vault = restored.open_container(ContainerKind::Vault, "contoso").unwrap();
    restored.create_key(&caller(ADMINISTRATOR), &vault, &key_name("other"), &crate::rig::ec_key()).unwrap();
    restored.sign_audit().unwrap();
    assert_eq!(restored.audit_standing(&late.note).unwrap(), Standing::Parted { signed: late.size });
    let foreign = last_checkpoint(&Rig::new()).1;
    assert!(matches!(rig.engine.audit_standing(&foreign.note).unwrap(), Standing::Foreign(_)));
}

/// Records made a day apart, the last of them a day and a half ago.
fn aged(rig: &Rig, count: usize) {
    for number in 0..count {
        rig.create_ec_key(ContainerKind::Vault, &format!("aged-{number}"));
        rig.clock.advance(DAY);
    }
    rig.clock.advance(DAY / 2);
    rig.engine.sign_audit().unwrap();
}

fn prune(rig: &Rig, days: u32, exported: u64) {
    while rig.engine.prune_audit(days, exported).unwrap() {}
}

#[test]
fn records_are_dropped_when_they_are_old_and_the_rest_still_verifies() {
    let rig = Rig::new();
    aged(&rig, 10);
    let whole = verified(&rig);
    prune(&rig, 30, u64::MAX);
    assert_eq!(verified(&rig), whole, "nothing is old enough");
    prune(&rig, 5, u64::MAX);
    let report = verified(&rig);
    assert_eq!(report.findings, []);
    // The rig's own two, and those of the days before the last five.
    assert_eq!(report.first, 2 + 6 + 1);
    let (position, record) = last_record(&rig);
    assert_eq!(record.operation(), Some(Operation::AuditPrune));
    assert_eq!((record.properties.id.as_ref(), record.identity), ("/audit/8", domain::Identity::default()));
    assert!(report.signed >= position, "it is signed before anything goes");
    assert_eq!(rig.engine.audit_log(0, 1).unwrap()[0].0, report.first);
}

#[test]
fn dropping_waits_for_an_hour_of_records_and_for_the_export() {
    let rig = Rig::new();
    aged(&rig, 4);
    rig.clock.advance(DAY);
    prune(&rig, 3, 1);
    assert_eq!(verified(&rig).first, 2, "what is not exported stays");
    prune(&rig, 3, u64::MAX);
    let first = verified(&rig).first;
    assert_eq!(first, 6);
    let last = last_record(&rig).0;
    prune(&rig, 3, u64::MAX);
    assert_eq!(last_record(&rig).0, last, "nothing to do leaves no record");
    rig.clock.advance(DAY / 2 + 1_800);
    prune(&rig, 3, u64::MAX);
    assert_eq!(verified(&rig).first, first, "half an hour's records wait for more");
    rig.clock.advance(2_400);
    prune(&rig, 3, u64::MAX);
    assert_eq!(verified(&rig).first, first + 1);
}

#[test]
fn dropping_goes_on_after_a_crash_in_the_middle() {
    let rig = Rig::new();
    aged(&rig, 6);
    rig.clock.advance(100 * DAY);
    assert!(rig.engine.prune_audit(30, u64::MAX).unwrap(), "announced");
    assert_eq!(verified(&rig).findings, [], "nothing is gone yet");
    let again = start(&rig.path(), &rig.clock, &root(128)).unwrap();
    while again.prune_audit(30, u64::MAX).unwrap() {}
    let report = verified(&rig);
    assert_eq!((report.findings.as_slice(), report.first), (&[][..], 9));
}

#[test]
fn a_missing_head_without_a_signed_record_is_found() {
    let rig = Rig::new();
    aged(&rig, 6);
    let other: &dyn Store = &store(&rig);
    other.transact("test", |tx| tx.drop_audit(3, 99)).unwrap();
    let found: Vec<String> = verified(&rig).findings.iter().map(ToString::to_string).collect();
    assert_eq!(found, ["records 1 to 3 are missing, and no signed record says that the service dropped them"]);
    // A record that says so does not count before it is signed, nor for more than it says.
    let mut record = last_record(&rig).1;
    record.event = domain::Event::Operation(Operation::AuditPrune);
    for (through, missing) in [("/audit/2", true), ("/audit/3", false)] {
        record.properties.id = through.into();
        other.transact("test", |tx| tx.append_audit(&record.leaf())).unwrap();
        assert_eq!(verified(&rig).findings.len(), 1, "{through}");
        rig.engine.sign_audit().unwrap();
        assert_eq!(!verified(&rig).findings.is_empty(), missing, "{through}");
    }
}

#[test]
fn of_old_checkpoints_one_an_hour_stays() {
    let rig = Rig::new();
    // A whole hour begins, so that a few minutes do not leave it.
    let now = rig.engine.now().0;
    rig.clock.advance(3_600 - now.rem_euclid(3_600));
    for number in 0..12 {
        rig.create_ec_key(ContainerKind::Vault, &format!("k{number}"));
        rig.engine.sign_audit().unwrap();
        rig.clock.advance(20 * 60);
    }
    let sizes = || {
        let other: &dyn Store = &store(&rig);
        let all = other.query(|read| read.audit_checkpoints(0, 99)).unwrap();
        all.iter().map(|checkpoint| checkpoint.size).collect::<Vec<_>>()
    };
    // The rig's own two come first.
    assert_eq!(sizes().len(), 14);
    rig.engine.thin_audit_checkpoints().unwrap();
    assert_eq!(sizes().len(), 14, "none is a day old");
    rig.clock.advance(DAY - 2 * 3_600);
    rig.engine.thin_audit_checkpoints().unwrap();
    assert_eq!(sizes(), [2, 5, 8, 9, 10, 11, 12, 13, 14]);
    rig.clock.advance(DAY);
    rig.engine.thin_audit_checkpoints().unwrap();
    assert_eq!(sizes(), [2, 5, 8, 11, 14]);
    assert_eq!(verified(&rig).findings, []);
}
