//! Policies: how they are changed, when they renew a certificate, and what becomes of a renewal that fails.

use super::{TRIO, VAULT, create, get, private_issuer, signed_outside, status};
use crate::rig::{ADMINISTRATOR, DAY, Rig, caller, key_name};
use domain::{
    ContainerKind, IssuerName, KeyOperation, KeyRequest, KeyType, LifetimeStepKind, LifetimeStepRequest, ObjectKind,
    OperationStatus, PolicyRequest, Secret, Tags,
};
use engine::{CertificateFile, Clock, ImportCertificate, MergeCertificate, NewAttributes, ObjectChanges};

#[test]
fn at_80_percent_of_its_life_a_certificate_is_renewed_and_the_old_version_still_works() {
    let rig = Rig::new();
    create(&rig, "c", "Self").unwrap();
    let first = get(&rig, ObjectKind::Certificate, "c", None).unwrap().version;
    rig.clock.advance(290 * DAY);
    assert_eq!(rig.engine.act_on_due(10).unwrap(), 0, "not yet");
    rig.clock.advance(3 * DAY);
    assert_eq!(rig.engine.act_on_due(10).unwrap(), 1);
    assert_eq!(rig.engine.act_on_due(10).unwrap(), 0, "once");
    let [certificate, key, secret] = TRIO.map(|kind| get(&rig, kind, "c", None).unwrap().version);
    assert_ne!(certificate.id, first.id);
    assert_eq!([key.id, secret.id], [certificate.id; 2]);
    assert!(certificate.attributes.expires > first.attributes.expires);
    for kind in TRIO {
        assert!(get(&rig, kind, "c", Some(first.id)).is_ok(), "the old one stays");
    }
    let domain::Body::Secret(body) = &secret.body else { unreachable!("it is a secret") };
    assert_eq!(body.previous, Some(first.id));
}

#[test]
fn a_policy_counts_from_when_it_is_changed_through_whichever_version() {
    let rig = Rig::new();
    let first = create(&rig, "c", "Self").unwrap().version.id;
    create(&rig, "c", "Self").unwrap();
    let action = Some(LifetimeStepKind::AutoRenew);
    let early = LifetimeStepRequest { action, percentage: Some(10), days_before_expiry: None };
    let policy = Some(PolicyRequest { lifetime_actions: Some(vec![early]), ..PolicyRequest::default() });
    let changes = ObjectChanges { policy, ..ObjectChanges::default() };
    let (who, vault, name) = (caller(ADMINISTRATOR), rig.open(VAULT), key_name("c"));
    rig.engine.update_object(&who, &vault, ObjectKind::Certificate, &name, Some(first), &changes).unwrap();
    rig.clock.advance(40 * DAY);
    assert_eq!(rig.engine.act_on_due(10).unwrap(), 1, "a tenth of its life is over");
}

/// Its subject is no distinguished name that could be written, and none is asked for.
#[test]
fn a_policy_is_changed_whatever_else_is_in_it() {
    let rig = Rig::new();
    let (who, vault, name) = (caller(ADMINISTRATOR), rig.open(VAULT), key_name("c"));
    let pem = include_str!("odd.pem");
    let import = ImportCertificate {
        file: CertificateFile::Pem { text: Secret::new(pem.as_bytes().to_vec()), password: None },
        policy: PolicyRequest::default(),
        attributes: NewAttributes::default(),
        tags: Tags::new(),
        preserve_order: false,
    };
    let imported = rig.engine.import_certificate(&who, &vault, &name, &import).unwrap();
    let key = get(&rig, ObjectKind::Key, "c", None).unwrap().version.body.as_key().unwrap().key_ops.clone();
    assert_eq!(key, [KeyOperation::Sign, KeyOperation::Verify], "its certificate restricts no use");
    let properties = imported.object.course.unwrap().policy.x509;
    assert!(properties.subject.is_empty() && properties.validity_months > 1200, "{properties:?}");
    let step = LifetimeStepRequest {
        percentage: Some(50),
        action: Some(LifetimeStepKind::EmailContacts),
        ..LifetimeStepRequest::default()
    };
    let request = PolicyRequest { lifetime_actions: Some(vec![step]), ..PolicyRequest::default() };
    rig.engine.update_certificate_policy(&who, &vault, &name, &request).unwrap();
    let changes = ObjectChanges { policy: Some(request), ..ObjectChanges::default() };
    let changed = rig.engine.update_object(&who, &vault, ObjectKind::Certificate, &name, None, &changes).unwrap();
    assert_eq!(changed.object.course.unwrap().policy.x509, properties);
}

#[test]
fn contacts_are_due_once_for_what_nobody_here_can_renew() {
    let rig = Rig::new();
    let (who, vault, name) = (caller(ADMINISTRATOR), rig.open(VAULT), key_name("c"));
    let csr = create(&rig, "c", "Unknown").unwrap().object.course.unwrap().pending.unwrap().csr;
    let request = MergeCertificate { chain: signed_outside(rig.clock.now(), &csr), ..MergeCertificate::default() };
    rig.engine.merge_certificate(&who, &vault, &name, &request).unwrap();
    rig.clock.advance(85 * DAY);
    assert_eq!(rig.engine.act_on_due(10).unwrap(), 1);
    assert_eq!(rig.engine.act_on_due(10).unwrap(), 0);
    let done = get(&rig, ObjectKind::Certificate, "c", None).unwrap().object.course.unwrap().done.unwrap();
    assert_eq!(done.steps, [LifetimeStepKind::EmailContacts]);
}

#[test]
fn a_renewal_that_fails_shows_why_and_is_tried_once_a_day() {
    let rig = Rig::new();
    rig.create_ec_key(VAULT, "ca");
    private_issuer(&rig, VAULT).unwrap();
    create(&rig, "c", "ours").unwrap();
    let (who, issuer) = (caller(ADMINISTRATOR), IssuerName::parse("ours").unwrap());
    rig.engine.delete_issuer(&who, &rig.open(VAULT), &issuer).unwrap();
    rig.clock.advance(293 * DAY);
    for _ in 0..2 {
        assert_eq!(rig.engine.act_on_due(10).unwrap(), 1);
        assert_eq!(rig.engine.act_on_due(10).unwrap(), 0, "not again at once");
        let OperationStatus::Failed(error) = status(&rig, "c") else { unreachable!("it cannot succeed") };
        assert_eq!(error.code, "IssuerNotFound");
        rig.clock.advance(DAY);
    }
    private_issuer(&rig, VAULT).unwrap();
    let old = get(&rig, ObjectKind::Certificate, "c", None).unwrap().version.id;
    assert_eq!(rig.engine.act_on_due(10).unwrap(), 1);
    assert_ne!(get(&rig, ObjectKind::Certificate, "c", None).unwrap().version.id, old);
}

#[test]
fn a_renewal_that_can_not_be_begun_after_one_that_failed_is_not_due_for_ever() {
    let rig = Rig::new();
    let mut standard = rig.request(VAULT, "contoso");
    standard.sku.name = "standard".to_owned();
    rig.engine.put_container(&caller(ADMINISTRATOR), &standard).unwrap();
    rig.create_ec_key(ContainerKind::ManagedHsm, "ca");
    private_issuer(&rig, ContainerKind::ManagedHsm).unwrap();
    create(&rig, "c", "ours").unwrap();
    let (who, vault, name) = (caller(ADMINISTRATOR), rig.open(VAULT), key_name("c"));
    rig.engine.delete_issuer(&who, &vault, &IssuerName::parse("ours").unwrap()).unwrap();
    rig.clock.advance(293 * DAY);
    assert_eq!(rig.engine.act_on_due(10).unwrap(), 1);
    assert!(matches!(status(&rig, "c"), OperationStatus::Failed(_)));
    // A key that the vault has no HSM for.
    let key = KeyRequest { key_type: Some(KeyType::Ec), hsm: true, exportable: Some(false), ..KeyRequest::default() };
    let request = PolicyRequest { key, ..PolicyRequest::default() };
    rig.engine.update_certificate_policy(&who, &vault, &name, &request).unwrap();
    rig.clock.advance(DAY);
    let acted: Vec<_> = (0..3).map(|_| rig.engine.act_on_due(10).unwrap()).collect();
    assert_eq!(acted, [1, 0, 0], "it is noted, and waits");
    let key = KeyRequest { key_type: Some(KeyType::Ec), ..KeyRequest::default() };
    let request = PolicyRequest { key, ..PolicyRequest::default() };
    rig.engine.update_certificate_policy(&who, &vault, &name, &request).unwrap();
    private_issuer(&rig, ContainerKind::ManagedHsm).unwrap();
    rig.clock.advance(DAY);
    assert_eq!(rig.engine.act_on_due(10).unwrap(), 1);
    assert_eq!(status(&rig, "c"), OperationStatus::Completed);
}
