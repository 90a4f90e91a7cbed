//! Operations under way: completed, cancelled, deleted or failed, and certificates that have no version yet.

use super::{VAULT, create, get, is_certificate_refusal, is_live, is_managed, pem, signed_outside, status};
use crate::rig::{ADMINISTRATOR, Rig, caller, key_name};
use domain::{
    CertificateRefusal, IssuerChanges, IssuerName, ObjectKind, OperationStatus, PolicyRequest, Refusal, Secret, Tags,
};
use engine::{
    CertificateFile, Clock, Error, ImportCertificate, MergeCertificate, NewAttributes, PageRequest, Presence, SetIssuer,
};

#[test]
fn a_certificate_of_an_unknown_issuer_waits_for_its_merge() {
    let rig = Rig::new();
    let (who, vault, name) = (caller(ADMINISTRATOR), rig.open(VAULT), key_name("c"));
    create(&rig, "c", "Unknown").unwrap();
    assert_eq!(status(&rig, "c"), OperationStatus::InProgress);
    assert!(get(&rig, ObjectKind::Key, "c", None).is_err(), "there is no key before there is a certificate");
    let list = |pending| {
        let page = PageRequest { after: None, limit: 9 };
        rig.engine
            .list_objects(&who, &vault, ObjectKind::Certificate, Presence::Live, pending, &page)
            .unwrap()
            .items
            .len()
    };
    assert_eq!((list(false), list(true)), (0, 1));
    let again = create(&rig, "c", "Self");
    assert!(is_certificate_refusal(&again, |refusal| *refusal == CertificateRefusal::InProgress));
    assert!(is_managed(&rig.engine.create_key(&who, &vault, &name, &crate::rig::ec_key())), "its name is its own");

    let csr = rig.engine.pending_certificate(&who, &vault, &name, None).unwrap().csr;
    let other = create(&rig, "other", "Unknown").unwrap().object.course.unwrap().pending.unwrap().csr;
    let merge = |chain| {
        let request = MergeCertificate { chain, ..MergeCertificate::default() };
        rig.engine.merge_certificate(&who, &vault, &name, &request)
    };
    let mismatch = merge(signed_outside(rig.clock.now(), &other));
    assert!(is_certificate_refusal(&mismatch, |refusal| *refusal == CertificateRefusal::KeyMismatch));
    let merged = merge(signed_outside(rig.clock.now(), &csr)).unwrap();
    assert_eq!(merged.version.body.as_certificate().unwrap().issued.as_ref().unwrap().chain.len(), 1);
    assert_eq!((is_live(&rig, "c"), status(&rig, "c")), ([true; 3], OperationStatus::Completed));
    let twice = merge(signed_outside(rig.clock.now(), &csr));
    assert!(is_certificate_refusal(&twice, |refusal| matches!(refusal, CertificateRefusal::NotInProgress { .. })));
}

#[test]
fn a_pending_certificate_can_be_cancelled_and_deleted_and_begun_again() {
    let rig = Rig::new();
    let (who, vault, name) = (caller(ADMINISTRATOR), rig.open(VAULT), key_name("c"));
    create(&rig, "c", "Unknown").unwrap();
    rig.engine.cancel_pending_certificate(&who, &vault, &name).unwrap();
    assert_eq!(status(&rig, "c"), OperationStatus::Cancelled);
    let nothing = rig.engine.backup_object(&who, &vault, ObjectKind::Certificate, &name);
    assert!(is_certificate_refusal(&nothing, |refusal| *refusal == CertificateRefusal::NoVersion));
    rig.engine.delete_pending_certificate(&who, &vault, &name).unwrap();
    let gone = rig.engine.pending_certificate(&who, &vault, &name, None);
    assert!(is_certificate_refusal(&gone, |refusal| *refusal == CertificateRefusal::PendingNotFound));
    create(&rig, "c", "Self").unwrap();
    assert_eq!(is_live(&rig, "c"), [true; 3]);
    let page = PageRequest { after: None, limit: 9 };
    let versions = rig.engine.list_versions(&who, &vault, ObjectKind::Certificate, &name, &page).unwrap();
    assert_eq!(versions.items.len(), 1, "what was cancelled is no version");
}

#[test]
fn what_is_imported_is_no_doing_of_the_operation_before_it() {
    let rig = Rig::new();
    let (who, vault, name) = (caller(ADMINISTRATOR), rig.open(VAULT), key_name("c"));
    create(&rig, "c", "Self").unwrap();
    assert_eq!(status(&rig, "c"), OperationStatus::Completed);
    let import = ImportCertificate {
        file: CertificateFile::Pem { text: Secret::new(pem(&rig, "c").into_bytes()), password: None },
        policy: PolicyRequest::default(),
        attributes: NewAttributes::default(),
        tags: Tags::new(),
        preserve_order: false,
    };
    rig.engine.import_certificate(&who, &vault, &name, &import).unwrap();
    let gone = rig.engine.pending_certificate(&who, &vault, &name, None);
    assert!(is_certificate_refusal(&gone, |refusal| *refusal == CertificateRefusal::PendingNotFound));
}

#[test]
fn a_certificate_without_any_version_can_be_deleted() {
    let rig = Rig::new();
    let (who, vault, name) = (caller(ADMINISTRATOR), rig.open(VAULT), key_name("c"));
    create(&rig, "c", "Unknown").unwrap();
    rig.engine.delete_object(&who, &vault, ObjectKind::Certificate, &name).unwrap();
    let outcome = rig.engine.create_key(&who, &vault, &name, &crate::rig::ec_key());
    assert!(matches!(outcome, Err(Error::Refused(Refusal::NameHeldByDeleted))));
    rig.engine.purge_object(&who, &vault, ObjectKind::Certificate, &name).unwrap();
    rig.create_ec_key(VAULT, "c");
}

#[test]
fn an_issuer_whose_provider_nobody_knows_fails_in_the_pending_operation() {
    let rig = Rig::new();
    let changes = IssuerChanges { provider: Some("Elsewhere".to_owned()), ..IssuerChanges::default() };
    let request = SetIssuer { changes, ..SetIssuer::default() };
    let name = IssuerName::parse("theirs").unwrap();
    rig.engine.set_issuer(&caller(ADMINISTRATOR), &rig.open(VAULT), &name, &request).unwrap();
    create(&rig, "c", "theirs").unwrap();
    let OperationStatus::Failed(error) = status(&rig, "c") else { unreachable!("it cannot succeed") };
    assert_eq!(error.code, "ProviderUnknown");
    let unknown = create(&rig, "d", "nobody");
    assert!(is_certificate_refusal(&unknown, |refusal| matches!(refusal, CertificateRefusal::IssuerNotFound { .. })));
}
