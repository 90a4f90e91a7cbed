//! Certificates: begun, made, completed, renewed; and their key and secret, which go where they go.

use crate::rig::{ADMINISTRATOR, DAY, Rig, caller, key_name};
use custody::x509;
use domain::{
    CertificateRefusal, ContainerKind, Curve, IssuerChanges, IssuerName, IssuerRequest, KeyOperation, KeyRequest,
    KeyType, LifetimeStepKind, LifetimeStepRequest, ObjectKind, OperationStatus, PolicyRequest, Refusal, Secret, Tags,
    UnixTime, VersionId,
};
use engine::{
    AttributeChanges, CertificateFile, Clock, CreateCertificate, Error, ImportCertificate, KeyReference,
    MergeCertificate, NewAttributes, ObjectChanges, ObjectView, PRIVATE_CA, PageRequest, Presence, SetIssuer,
};

const VAULT: ContainerKind = ContainerKind::Vault;
const TRIO: [ObjectKind; 3] = [ObjectKind::Certificate, ObjectKind::Key, ObjectKind::Secret];

fn request(issuer: &str) -> CreateCertificate {
    let policy = PolicyRequest {
        key: KeyRequest { key_type: Some(KeyType::Ec), curve: Some(Curve::P256), ..KeyRequest::default() },
        subject: Some("CN=contoso.com".to_owned()),
        issuer: IssuerRequest { name: Some(issuer.to_owned()), ..IssuerRequest::default() },
        content_type: Some("application/x-pem-file".to_owned()),
        ..PolicyRequest::default()
    };
    CreateCertificate { policy: Some(policy), ..CreateCertificate::default() }
}

pub fn create(rig: &Rig, name: &str, issuer: &str) -> Result<ObjectView, Error> {
    rig.engine.create_certificate(&caller(ADMINISTRATOR), &rig.open(VAULT), &key_name(name), &request(issuer))
}

fn get(rig: &Rig, kind: ObjectKind, name: &str, version: Option<VersionId>) -> Result<ObjectView, Error> {
    rig.engine.get_object(&caller(ADMINISTRATOR), &rig.open(VAULT), kind, &key_name(name), version)
}

fn is_live(rig: &Rig, name: &str) -> [bool; 3] {
    TRIO.map(|kind| get(rig, kind, name, None).is_ok())
}

fn is_deleted(rig: &Rig, name: &str) -> [bool; 3] {
    TRIO.map(|kind| {
        let (who, vault) = (caller(ADMINISTRATOR), rig.open(VAULT));
        rig.engine.get_deleted_object(&who, &vault, kind, &key_name(name)).is_ok()
    })
}

pub fn status(rig: &Rig, name: &str) -> OperationStatus {
    let (who, vault) = (caller(ADMINISTRATOR), rig.open(VAULT));
    rig.engine.pending_certificate(&who, &vault, &key_name(name), None).unwrap().status
}

fn pem(rig: &Rig, name: &str) -> String {
    let secret = rig.engine.get_secret(&caller(ADMINISTRATOR), &rig.open(VAULT), &key_name(name), None).unwrap();
    String::from_utf8(secret.value.expose().to_vec()).unwrap()
}

fn is_certificate_refusal<T>(outcome: &Result<T, Error>, of: impl Fn(&CertificateRefusal) -> bool) -> bool {
    matches!(outcome, Err(Error::Refused(Refusal::Certificate(refusal))) if of(refusal))
}

fn is_managed<T>(outcome: &Result<T, Error>) -> bool {
    is_certificate_refusal(outcome, |refusal| matches!(refusal, CertificateRefusal::Managed { .. }))
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

/// An authority of the tests: its certificate, and what it makes of a signing request.
pub fn signed_outside(now: UnixTime, csr: &[u8]) -> Vec<Vec<u8>> {
    let provider = custody::SoftwareProvider;
    let spec = domain::KeySpec::Ec { curve: Curve::P256 };
    let made = custody::Provider::generate(&provider, spec, &custody::SystemEntropy).unwrap();
    let key = custody::Provider::open(&provider, spec, &made.public, &made.material).unwrap();
    let validity = x509::Validity { not_before: now, not_after: now.plus_days(100) };
    let signer = x509::Signer { key: &*key, public: &made.public };
    let authority = x509::authority("CN=outside", validity, signer, &custody::SystemEntropy).unwrap();
    let leaf = x509::issue(csr, &authority, &*key, validity, &custody::SystemEntropy).unwrap();
    vec![leaf, authority]
}

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
fn an_issuer_of_ours_has_a_name_that_fits_however_long_its_own_is() {
    let rig = Rig::new();
    rig.create_ec_key(VAULT, "ca");
    for (length, expected) in [(4, 4), (53, 53), (54, 53), (127, 53)] {
        let name = "n".repeat(length);
        let key = KeyReference { kind: VAULT, container: "contoso".to_owned(), key: key_name("ca"), version: None };
        issuer_named(&rig, &name, key).unwrap();
        let issued = create(&rig, &format!("c{length}"), &name).unwrap();
        let found = get(&rig, ObjectKind::Certificate, issued.object.name.as_str(), None).unwrap().version;
        let chain = &found.body.as_certificate().unwrap().issued.as_ref().unwrap().chain;
        let subject = x509::Certificate::read(&chain[0]).unwrap().subject;
        assert_eq!(subject, format!("CN={} of contoso", "n".repeat(expected)));
    }
}

fn private_issuer(rig: &Rig, kind: ContainerKind) -> Result<domain::Issuer, Error> {
    let key = KeyReference { kind, container: "contoso".to_owned(), key: key_name("ca"), version: None };
    issuer_of(rig, key)
}

fn issuer_of(rig: &Rig, key: KeyReference) -> Result<domain::Issuer, Error> {
    issuer_named(rig, "ours", key)
}

fn issuer_named(rig: &Rig, name: &str, key: KeyReference) -> Result<domain::Issuer, Error> {
    let changes = IssuerChanges {
        provider: Some(PRIVATE_CA.to_owned()),
        account_id: Some("https://contoso/keys/ca".to_owned()),
        ..IssuerChanges::default()
    };
    let request = SetIssuer { changes, password: None, key: Some(key) };
    let name = IssuerName::parse(name).unwrap();
    rig.engine.set_issuer(&caller(ADMINISTRATOR), &rig.open(VAULT), &name, &request)
}

#[test]
fn an_issuer_of_ours_signs_with_a_key_of_a_vault_or_of_a_managed_hsm() {
    for kind in ContainerKind::ALL {
        let rig = Rig::new();
        rig.create_ec_key(kind, "ca");
        private_issuer(&rig, kind).unwrap();
        create(&rig, "c", "ours").unwrap();
        let body = get(&rig, ObjectKind::Certificate, "c", None).unwrap().version.body;
        let issued = body.as_certificate().unwrap().issued.clone().unwrap();
        let [leaf, authority] = [&issued.der, &issued.chain[0]].map(|der| x509::Certificate::read(der).unwrap());
        assert_eq!(leaf.is_signed_by(&authority), Some(true));
        assert!(authority.is_authority && !leaf.is_authority);
        let public = rig
            .engine
            .get_object(&caller(ADMINISTRATOR), &rig.open(kind), ObjectKind::Key, &key_name("ca"), None)
            .unwrap();
        assert!(authority.has_key(&public.version.body.as_key().unwrap().public));
    }
}

#[test]
fn the_log_of_a_key_s_own_container_tells_what_an_issuer_signs_with_it() {
    let rig = Rig::new();
    let hsm = ContainerKind::ManagedHsm;
    rig.create_ec_key(hsm, "ca");
    private_issuer(&rig, hsm).unwrap();
    create(&rig, "c", "ours").unwrap();
    let id = rig.open(hsm).id().to_string();
    let log = rig.engine.audit_log(0, usize::MAX).unwrap();
    let signed: Vec<_> = log.iter().filter(|(_, leaf)| leaf.contains("KeySign") && leaf.contains(&id)).collect();
    let [(_, bound), (_, issued)] = signed.as_slice() else { panic!("{signed:?}") };
    let who = ADMINISTRATOR.to_string();
    assert!(bound.contains(&who), "whoever names the key signs the authority's certificate: {bound}");
    assert!(!issued.contains(&who), "the service signs by itself: {issued}");
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

#[test]
fn an_issuer_of_ours_needs_a_key_that_is_there_and_is_not_itself_what_is_missing() {
    let rig = Rig::new();
    rig.create_ec_key(VAULT, "ca");
    let there = KeyReference { kind: VAULT, container: "contoso".to_owned(), key: key_name("ca"), version: None };
    let version = VersionId::parse(&"0".repeat(32));
    for missing in [
        KeyReference { container: "nowhere".to_owned(), ..there.clone() },
        KeyReference { key: key_name("none"), ..there.clone() },
        KeyReference { version, ..there },
    ] {
        let outcome = issuer_of(&rig, missing);
        assert!(
            matches!(outcome, Err(Error::Refused(Refusal::ParameterInvalid { parameter: "account_id", .. }))),
            "{outcome:?}"
        );
    }
}

#[test]
fn an_issuer_of_ours_whose_key_is_gone_is_tried_again_until_it_is_back() {
    let rig = Rig::new();
    rig.create_ec_key(VAULT, "ca");
    private_issuer(&rig, VAULT).unwrap();
    let (who, vault) = (caller(ADMINISTRATOR), rig.open(VAULT));
    rig.engine.delete_object(&who, &vault, ObjectKind::Key, &key_name("ca")).unwrap();
    create(&rig, "c", "ours").unwrap();
    let pending = rig.engine.pending_certificate(&who, &vault, &key_name("c"), None).unwrap();
    assert!(pending.is_in_progress() && pending.details.is_some(), "{pending:?}");
    rig.engine.recover_object(&who, &vault, ObjectKind::Key, &key_name("ca")).unwrap();
    rig.clock.advance(3_600);
    assert_eq!(rig.engine.act_on_due(10).unwrap(), 1);
    assert_eq!(is_live(&rig, "c"), [true; 3]);
}

#[test]
fn an_issuer_of_ours_signs_nothing_in_its_last_day_and_renews_nothing_without_end() {
    let rig = Rig::new();
    rig.create_ec_key(VAULT, "ca");
    private_issuer(&rig, VAULT).unwrap();
    // 120 months: what is signed now ends with its issuer.
    rig.clock.advance(10 * 365 * DAY);
    create(&rig, "c", "ours").unwrap();
    let made = get(&rig, ObjectKind::Certificate, "c", None).unwrap().version;
    let end = made.attributes.expires.unwrap();
    rig.clock.advance(end.0 - rig.clock.now().0 - DAY / 2);
    for _ in 0..20 {
        rig.engine.act_on_due(10).unwrap();
        rig.clock.advance(60);
    }
    assert_eq!(get(&rig, ObjectKind::Certificate, "c", None).unwrap().version.id, made.id);
    let (who, vault) = (caller(ADMINISTRATOR), rig.open(VAULT));
    let pending = rig.engine.pending_certificate(&who, &vault, &key_name("c"), None).unwrap();
    assert_eq!(pending.status, OperationStatus::InProgress, "it may be given another issuer");
    assert!(pending.details.unwrap().contains("ends within a day"));
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
