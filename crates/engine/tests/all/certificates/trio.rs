//! A certificate, its key and its secret: made, deleted, brought back and purged together, under one name.

use super::{TRIO, VAULT, create, get, is_certificate_refusal, is_live, is_managed, pem, request, status};
use crate::rig::{ADMINISTRATOR, DAY, Rig, caller, key_name};
use custody::x509;
use domain::{CertificateRefusal, ObjectKind, OperationStatus, Refusal};
use engine::{AttributeChanges, CreateCertificate, Error, ObjectChanges, PageRequest};

fn is_deleted(rig: &Rig, name: &str) -> [bool; 3] {
    TRIO.map(|kind| {
        let (who, vault) = (caller(ADMINISTRATOR), rig.open(VAULT));
        rig.engine.get_deleted_object(&who, &vault, kind, &key_name(name)).is_ok()
    })
}

#[test]
fn a_certificate_of_its_own_has_its_key_and_its_secret_at_once() {
    let rig = Rig::new();
    let begun = create(&rig, "c", "Self").unwrap();
    assert!(begun.object.course.unwrap().pending.unwrap().is_in_progress(), "it is answered as begun");
    assert_eq!(status(&rig, "c"), OperationStatus::Completed);
    let [certificate, key, secret] = TRIO.map(|kind| get(&rig, kind, "c", None).unwrap());
    assert_eq!([key.version.id, secret.version.id], [certificate.version.id; 2]);
    assert!(key.object.managed && secret.object.managed && !certificate.object.managed);
    let issued = certificate.version.body.as_certificate().unwrap().issued.clone().unwrap();
    let read = x509::Certificate::read(&issued.der).unwrap();
    assert!(read.has_key(&key.version.body.as_key().unwrap().public));
    assert_eq!(certificate.version.attributes.expires, Some(read.not_after));
    let course = certificate.object.course.as_ref().unwrap();
    let validity = course.policy.x509.validity(certificate.version.attributes.created);
    assert_eq!(validity, Some((read.not_before, read.not_after)), "its months count from when it was made");
    assert_eq!(key.version.attributes, certificate.version.attributes);
    let file = pem(&rig, "c");
    assert!(file.contains("PRIVATE KEY") && file.contains("BEGIN CERTIFICATE"), "{}", file.len());
}

#[test]
fn the_three_are_deleted_recovered_and_purged_together() {
    let rig = Rig::new();
    create(&rig, "c", "Self").unwrap();
    let (who, vault, name) = (caller(ADMINISTRATOR), rig.open(VAULT), key_name("c"));
    rig.engine.delete_object(&who, &vault, ObjectKind::Certificate, &name).unwrap();
    assert_eq!((is_live(&rig, "c"), is_deleted(&rig, "c")), ([false; 3], [true; 3]));
    for kind in [ObjectKind::Key, ObjectKind::Secret] {
        assert!(is_managed(&rig.engine.recover_object(&who, &vault, kind, &name)));
        assert!(is_managed(&rig.engine.purge_object(&who, &vault, kind, &name)));
    }
    rig.engine.recover_object(&who, &vault, ObjectKind::Certificate, &name).unwrap();
    assert_eq!((is_live(&rig, "c"), is_deleted(&rig, "c")), ([true; 3], [false; 3]));
    rig.engine.delete_object(&who, &vault, ObjectKind::Certificate, &name).unwrap();
    rig.engine.purge_object(&who, &vault, ObjectKind::Certificate, &name).unwrap();
    assert_eq!((is_live(&rig, "c"), is_deleted(&rig, "c")), ([false; 3], [false; 3]));
    rig.create_ec_key(VAULT, "c");
    rig.set_secret("c", "free again");
}

#[test]
fn the_scheduler_purges_the_three_at_once_and_counts_one() {
    let rig = Rig::new();
    create(&rig, "c", "Self").unwrap();
    let (who, vault, name) = (caller(ADMINISTRATOR), rig.open(VAULT), key_name("c"));
    rig.engine.delete_object(&who, &vault, ObjectKind::Certificate, &name).unwrap();
    rig.clock.advance(91 * DAY);
    assert_eq!(rig.engine.sweep(10).unwrap().objects, 1);
    assert_eq!(rig.engine.sweep(10).unwrap().objects, 0);
    assert_eq!((is_live(&rig, "c"), is_deleted(&rig, "c")), ([false; 3], [false; 3]));
}

#[test]
fn a_name_that_is_due_is_freed_for_all_three_by_whoever_comes_first() {
    for kind in [ObjectKind::Key, ObjectKind::Secret] {
        let rig = Rig::new();
        create(&rig, "c", "Self").unwrap();
        let (who, vault, name) = (caller(ADMINISTRATOR), rig.open(VAULT), key_name("c"));
        rig.engine.delete_object(&who, &vault, ObjectKind::Certificate, &name).unwrap();
        rig.clock.advance(91 * DAY);
        match kind {
            ObjectKind::Key => rig.create_ec_key(VAULT, "c"),
            _ => drop(rig.set_secret("c", "mine")),
        }
        let vault = rig.open(VAULT);
        assert!(rig.engine.get_deleted_object(&who, &vault, ObjectKind::Certificate, &name).is_err());
        assert!(!get(&rig, kind, "c", None).unwrap().object.managed);
        assert_eq!(rig.engine.sweep(10).unwrap().objects, 0);
    }
}

#[test]
fn what_a_certificate_manages_cannot_be_changed_by_itself() {
    let rig = Rig::new();
    create(&rig, "c", "Self").unwrap();
    let (who, vault, name) = (caller(ADMINISTRATOR), rig.open(VAULT), key_name("c"));
    for kind in [ObjectKind::Key, ObjectKind::Secret] {
        assert!(is_managed(&rig.engine.delete_object(&who, &vault, kind, &name)));
        assert!(is_managed(&rig.engine.backup_object(&who, &vault, kind, &name)));
        let changes = ObjectChanges::default();
        assert!(is_managed(&rig.engine.update_object(&who, &vault, kind, &name, None, &changes)));
    }
    assert!(is_managed(&rig.engine.create_key(&who, &vault, &name, &crate::rig::ec_key())));
    assert!(is_managed(&rig.engine.rotate_key(&who, &vault, &name)));
}

#[test]
fn a_certificate_does_not_take_a_name_that_a_key_or_secret_has() {
    let rig = Rig::new();
    rig.create_ec_key(VAULT, "k");
    rig.set_secret("s", "one");
    for name in ["k", "s"] {
        let outcome = create(&rig, name, "Self");
        assert!(is_certificate_refusal(&outcome, |refusal| matches!(refusal, CertificateRefusal::NameHeld { .. })));
    }
    assert!(create(&rig, "free", "Self").is_ok());
    let (who, vault) = (caller(ADMINISTRATOR), rig.open(VAULT));
    for (name, kind) in [("k", ObjectKind::Key), ("s", ObjectKind::Secret)] {
        rig.engine.delete_object(&who, &vault, kind, &key_name(name)).unwrap();
        let held = CertificateRefusal::NameHeldByDeleted { kind };
        assert!(is_certificate_refusal(&create(&rig, name, "Self"), |refusal| *refusal == held));
    }
}

#[test]
fn a_deleted_name_is_what_is_wrong_even_if_nothing_is_said_of_the_certificate() {
    let rig = Rig::new();
    create(&rig, "c", "Self").unwrap();
    let (who, vault, name) = (caller(ADMINISTRATOR), rig.open(VAULT), key_name("c"));
    rig.engine.delete_object(&who, &vault, ObjectKind::Certificate, &name).unwrap();
    let unsaid = |name| rig.engine.create_certificate(&who, &vault, &key_name(name), &CreateCertificate::default());
    assert!(matches!(unsaid("c"), Err(Error::Refused(Refusal::NameHeldByDeleted))));
    assert!(matches!(unsaid("new"), Err(Error::Refused(Refusal::ParameterInvalid { .. }))));
    rig.clock.advance(91 * DAY);
    assert!(matches!(unsaid("c"), Err(Error::Refused(Refusal::ParameterInvalid { .. }))), "it counts as purged");
}

#[test]
fn disabling_a_certificate_disables_its_key_and_secret() {
    let rig = Rig::new();
    create(&rig, "c", "Self").unwrap();
    let attributes = AttributeChanges { enabled: Some(false), ..AttributeChanges::default() };
    let changes = ObjectChanges { attributes, ..ObjectChanges::default() };
    let (who, vault, name) = (caller(ADMINISTRATOR), rig.open(VAULT), key_name("c"));
    rig.engine.update_object(&who, &vault, ObjectKind::Certificate, &name, None, &changes).unwrap();
    let outcome = rig.engine.get_secret(&who, &vault, &name, None);
    assert!(matches!(outcome, Err(Error::Refused(Refusal::SecretDisabled))));
    assert!(!get(&rig, ObjectKind::Key, "c", None).unwrap().version.attributes.enabled);
}

#[test]
fn what_is_not_there_has_no_versions_and_nothing_to_recover() {
    let rig = Rig::new();
    let (who, vault, name) = (caller(ADMINISTRATOR), rig.open(VAULT), key_name("c"));
    let page = PageRequest { after: None, limit: 9 };
    let versions = |kind| rig.engine.list_versions(&who, &vault, kind, &name, &page).unwrap().items.len();
    let recover = |kind| match rig.engine.recover_object(&who, &vault, kind, &name) {
        Err(Error::Refused(refusal)) => Some(refusal),
        _ => None,
    };
    for kind in TRIO {
        assert_eq!((versions(kind), recover(kind)), (0, Some(Refusal::NotFound)));
    }
    create(&rig, "c", "Self").unwrap();
    assert_eq!(TRIO.map(versions), [1; 3]);
    assert_eq!(recover(ObjectKind::Certificate), Some(Refusal::DeletedNotFound), "a live one");
    rig.engine.delete_object(&who, &vault, ObjectKind::Certificate, &name).unwrap();
    assert_eq!(TRIO.map(versions), [0; 3]);
    rig.clock.advance(91 * DAY);
    assert_eq!(recover(ObjectKind::Certificate), Some(Refusal::NotFound), "due, though not purged yet");
}

#[test]
fn a_backup_brings_the_three_back() {
    let rig = Rig::new();
    create(&rig, "c", "Self").unwrap();
    let before = pem(&rig, "c");
    let (who, vault, name) = (caller(ADMINISTRATOR), rig.open(VAULT), key_name("c"));
    let blob = rig.engine.backup_object(&who, &vault, ObjectKind::Certificate, &name).unwrap();
    let restore = || rig.engine.restore_object(&who, &vault, ObjectKind::Certificate, &blob);
    assert!(matches!(restore(), Err(Error::Refused(Refusal::RestoreConflict { .. }))));
    rig.engine.delete_object(&who, &vault, ObjectKind::Certificate, &name).unwrap();
    rig.engine.purge_object(&who, &vault, ObjectKind::Certificate, &name).unwrap();
    restore().unwrap();
    assert_eq!((is_live(&rig, "c"), pem(&rig, "c")), ([true; 3], before));
    rig.clock.advance(293 * DAY);
    assert_eq!(rig.engine.act_on_due(10).unwrap(), 1, "it is renewed as before");
}

#[test]
fn a_key_that_was_not_to_leave_is_not_reused_in_a_version_that_may() {
    let rig = Rig::new();
    let make = |exportable| {
        let mut request = request("Self");
        let policy = request.policy.as_mut().unwrap();
        policy.key.reuse_key = Some(true);
        policy.key.exportable = Some(exportable);
        let (who, vault) = (caller(ADMINISTRATOR), rig.open(VAULT));
        rig.engine.create_certificate(&who, &vault, &key_name("c"), &request).unwrap();
        get(&rig, ObjectKind::Key, "c", None).unwrap().version.body.as_key().unwrap().public.clone()
    };
    let kept = make(false);
    assert_eq!(make(false), kept);
    assert!(!pem(&rig, "c").contains("PRIVATE KEY"));
    let other = make(true);
    assert_ne!(other, kept);
    assert!(pem(&rig, "c").contains("PRIVATE KEY"));
    assert_eq!(make(false), other, "what may leave can be held back");
}
