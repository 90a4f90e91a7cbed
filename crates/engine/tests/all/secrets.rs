//! Secrets: values, versions, states. What all objects share is tested with keys, and by the models.

use crate::rig::{ADMINISTRATOR, DAY, Rig, caller, key_name};
use domain::{ContainerKind, ObjectKind, Refusal, Secret, Tags, UnixTime, Version, VersionId};
use engine::{AttributeChanges, Clock, Error, NewAttributes, ObjectChanges, SetSecret};
use store::{Store, Tx, sqlite::SqliteStore};

const VAULT: ContainerKind = ContainerKind::Vault;

fn value_of(rig: &Rig, name: &str) -> Result<Vec<u8>, Error> {
    let got = rig.engine.get_secret(&caller(ADMINISTRATOR), &rig.open(VAULT), &key_name(name), None)?;
    Ok(got.value.expose().to_vec())
}

fn change(rig: &Rig, name: &str, changes: &ObjectChanges) {
    let (who, vault) = (caller(ADMINISTRATOR), rig.open(VAULT));
    rig.engine.update_object(&who, &vault, ObjectKind::Secret, &key_name(name), None, changes).unwrap();
}

#[test]
fn a_secret_set_again_has_two_versions_and_both_can_be_read() {
    let rig = Rig::new();
    let first = rig.set_secret("s", "one").view.version.id;
    assert_eq!(value_of(&rig, "S").unwrap(), b"one");
    let second = rig.set_secret("s", "two").view.version.id;
    assert_eq!(value_of(&rig, "s").unwrap(), b"two");
    let (who, vault) = (caller(ADMINISTRATOR), rig.open(VAULT));
    for (version, value) in [(first, "one"), (second, "two")] {
        let got = rig.engine.get_secret(&who, &vault, &key_name("s"), Some(version)).unwrap();
        assert_eq!(got.value.expose(), value.as_bytes());
    }
}

#[test]
fn an_expired_secret_stays_readable_and_a_disabled_one_is_not() {
    let rig = Rig::new();
    rig.set_secret("s", "one");
    let expires = Some(UnixTime(rig.clock.now().0 - DAY));
    let expired = AttributeChanges { expires, ..AttributeChanges::default() };
    change(&rig, "s", &ObjectChanges { attributes: expired, ..ObjectChanges::default() });
    assert_eq!(value_of(&rig, "s").unwrap(), b"one");
    let disabled = AttributeChanges { enabled: Some(false), ..AttributeChanges::default() };
    change(&rig, "s", &ObjectChanges { attributes: disabled, ..ObjectChanges::default() });
    assert!(matches!(value_of(&rig, "s"), Err(Error::Refused(Refusal::SecretDisabled))));
}

#[test]
fn a_secret_has_at_most_25600_bytes() {
    let rig = Rig::new();
    let set = |length: usize| {
        let request = SetSecret {
            value: Secret::new(vec![b'a'; length]),
            content_type: None,
            attributes: NewAttributes::default(),
            tags: Tags::new(),
        };
        rig.engine.set_secret(&caller(ADMINISTRATOR), &rig.open(VAULT), &key_name("s"), request).map(drop)
    };
    assert!(matches!(set(25_601), Err(Error::Refused(Refusal::ParameterInvalid { parameter: "value", .. }))));
    set(25_600).unwrap();
    set(0).unwrap();
}

#[test]
fn a_key_and_a_secret_may_share_a_name_and_do_not_share_a_fate() {
    let rig = Rig::new();
    rig.create_ec_key(VAULT, "n");
    rig.set_secret("n", "one");
    let (who, vault, name) = (caller(ADMINISTRATOR), rig.open(VAULT), key_name("n"));
    rig.engine.delete_object(&who, &vault, ObjectKind::Key, &name).unwrap();
    assert_eq!(value_of(&rig, "n").unwrap(), b"one");
    rig.engine.purge_object(&who, &vault, ObjectKind::Key, &name).unwrap();
    assert_eq!(value_of(&rig, "n").unwrap(), b"one");
}

#[test]
fn a_backup_brings_every_version_back_and_only_as_what_it_was() {
    let rig = Rig::new();
    let first = rig.set_secret("s", "one").view.version.id;
    rig.set_secret("s", "two");
    let (who, vault, name) = (caller(ADMINISTRATOR), rig.open(VAULT), key_name("s"));
    let blob = rig.engine.backup_object(&who, &vault, ObjectKind::Secret, &name).unwrap();
    let restore = |kind| rig.engine.restore_object(&who, &vault, kind, &blob).map(drop);
    assert!(matches!(restore(ObjectKind::Secret), Err(Error::Refused(Refusal::RestoreConflict { .. }))));
    rig.engine.delete_object(&who, &vault, ObjectKind::Secret, &name).unwrap();
    rig.engine.purge_object(&who, &vault, ObjectKind::Secret, &name).unwrap();
    assert!(matches!(restore(ObjectKind::Key), Err(Error::Refused(Refusal::BackupInvalid))));
    restore(ObjectKind::Secret).unwrap();
    assert_eq!(value_of(&rig, "s").unwrap(), b"two");
    let old = rig.engine.get_secret(&who, &vault, &name, Some(first)).unwrap();
    assert_eq!(old.value.expose(), b"one");
}

#[test]
fn a_backup_that_would_be_too_large_to_come_back_is_not_given_out() {
    let rig = Rig::new();
    let value = "v".repeat(25_600);
    let (who, vault, name) = (caller(ADMINISTRATOR), rig.open(VAULT), key_name("s"));
    let backup = || rig.engine.backup_object(&who, &vault, ObjectKind::Secret, &name);
    for _ in 0..100 {
        rig.set_secret("s", &value);
    }
    let blob = backup().unwrap();
    assert!(blob.len() < 100 * 25_600 * 3 / 2, "{} bytes", blob.len());
    for _ in 100..400 {
        rig.set_secret("s", &value);
    }
    assert!(matches!(backup(), Err(Error::Refused(Refusal::BackupTooLarge))));
    // What is beyond the limit is not even read: here it could not be.
    let store: Box<dyn Store> = Box::new(SqliteStore::open(&rig.path()).unwrap());
    let damage = |tx: &mut dyn Tx| {
        let mut object = tx.object(vault.id(), ObjectKind::Secret, &name)?.unwrap().object;
        let found = tx.version(vault.id(), ObjectKind::Secret, &name, object.current)?.unwrap();
        object.current = VersionId::from_bytes([9; 16]);
        let version = Version { id: object.current, ..found.version };
        tx.insert_version(vault.id(), ObjectKind::Secret, &name, &version, &found.material)?;
        tx.save_object(vault.id(), &object)
    };
    store.transact("test", damage).unwrap();
    assert!(matches!(backup(), Err(Error::Refused(Refusal::BackupTooLarge))));
}
