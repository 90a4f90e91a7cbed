//! What happens to a certificate, or to a key that is due, while somebody else makes, between looking and writing.

use crate::{
    certificates::signed_outside,
    rig::{ADMINISTRATOR, DAY, Rig, caller, key_name, resource},
};
use custody::x509;
use domain::{
    CalendarDuration, ContainerKind, Curve, IssuerChanges, IssuerName, IssuerRequest, KeyRequest, KeyType, ObjectKind,
    Operation, PolicyRequest, RotationPolicy, RotationTrigger, UnixTime,
};
use engine::{
    AttributeChanges, CertificateAuthority, CreateCertificate, Engine, Error, KeyReference, MergeCertificate,
    ObjectChanges, ObjectView, OpenContainer, Order, OrderAnswer, PRIVATE_CA, SetIssuer,
};
use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use store::{Fault, Read, Store, Tx, Verdict};

const CERTIFICATE: ObjectKind = ObjectKind::Certificate;

type Meddling = Box<dyn FnOnce() + Send>;

/// A store before one of whose transactions somebody comes in between.
struct Crossing {
    inner: Arc<dyn Store>,
    before: Mutex<Option<(Operation, Meddling)>>,
}

impl Store for Crossing {
    fn write(&self, name: &'static str, work: &mut dyn FnMut(&mut dyn Tx) -> Verdict) -> Result<(), Fault> {
        let meddling = self.before.lock().unwrap().take_if(|(operation, _)| operation.name() == name);
        if let Some((_, meddling)) = meddling {
            meddling();
        }
        self.inner.write(name, work)
    }

    fn read(&self, work: &mut dyn FnMut(&mut dyn Read)) -> Result<(), Fault> {
        self.inner.read(work)
    }

    fn copy_to(&self, path: &Path) -> Result<(), Fault> {
        self.inner.copy_to(path)
    }
}

struct Scene {
    rig: Rig,
    store: Arc<Crossing>,
}

impl Scene {
    fn new() -> Self {
        Self::with(Vec::new())
    }

    /// With issuers to ask.
    fn with(authorities: Vec<Box<dyn CertificateAuthority>>) -> Self {
        let mut store = None;
        let around = |inner| {
            let crossing = Arc::new(Crossing { inner, before: Mutex::default() });
            store = Some(Arc::clone(&crossing));
            crossing as _
        };
        let rig = Rig::made(around, authorities);
        Self { rig, store: store.unwrap() }
    }

    /// Does something once, before the next transaction of an operation.
    fn before(&self, operation: Operation, meddling: impl FnOnce(&Engine, &OpenContainer) + Send + 'static) {
        let (engine, vault) = (Arc::clone(&self.rig.engine), self.rig.open(ContainerKind::Vault));
        *self.store.before.lock().unwrap() = Some((operation, Box::new(move || meddling(&engine, &vault))));
    }

    fn create(&self, policy: Option<PolicyRequest>) -> Result<ObjectView, Error> {
        let request = CreateCertificate { policy, ..CreateCertificate::default() };
        let vault = self.rig.open(ContainerKind::Vault);
        self.rig.engine.create_certificate(&caller(ADMINISTRATOR), &vault, &key_name("c"), &request)
    }

    fn assert_met(&self) {
        assert!(self.store.before.lock().unwrap().is_none(), "nobody came in between");
    }
}

fn policy(issuer: &str) -> PolicyRequest {
    PolicyRequest {
        key: KeyRequest {
            key_type: Some(KeyType::Ec),
            curve: Some(Curve::P256),
            reuse_key: Some(true),
            ..KeyRequest::default()
        },
        subject: Some("CN=contoso.com".to_owned()),
        issuer: IssuerRequest { name: Some(issuer.to_owned()), ..IssuerRequest::default() },
        ..PolicyRequest::default()
    }
}

#[test]
fn a_key_that_is_purged_while_its_next_certificate_is_made_does_not_live_on() {
    let scene = Scene::new();
    scene.create(Some(policy("Self"))).unwrap();
    scene.before(Operation::CertificateCreate, |engine, vault| {
        let (who, name) = (caller(ADMINISTRATOR), key_name("c"));
        engine.delete_object(&who, vault, CERTIFICATE, &name).unwrap();
        engine.purge_object(&who, vault, CERTIFICATE, &name).unwrap();
    });
    assert!(matches!(scene.create(Some(policy("Self"))), Err(Error::Busy)));
    scene.assert_met();
    scene.create(Some(policy("Self"))).unwrap();
}

/// An issuer that makes every certificate at once.
struct Elsewhere;

impl CertificateAuthority for Elsewhere {
    fn provider(&self) -> &'static str {
        "Elsewhere"
    }

    fn ask(&self, order: &Order<'_>) -> OrderAnswer {
        OrderAnswer::Issued(signed_outside(order.now, order.request))
    }
}

/// Counts what is logged as an error.
struct Errors(Arc<AtomicUsize>);

impl tracing::Subscriber for Errors {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn event(&self, event: &tracing::Event<'_>) {
        let is_error = *event.metadata().level() == tracing::Level::ERROR;
        self.0.fetch_add(usize::from(is_error), Ordering::Relaxed);
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[test]
fn what_is_deleted_when_its_turn_has_come_is_no_error() {
    let scene = Scene::new();
    scene.create(Some(policy("Self"))).unwrap();
    scene.rig.clock.advance(330 * DAY);
    scene.before(Operation::CertificateRenew, |engine, vault| {
        engine.delete_object(&caller(ADMINISTRATOR), vault, CERTIFICATE, &key_name("c")).unwrap();
    });
    let errors = Arc::new(AtomicUsize::new(0));
    tracing::subscriber::with_default(Errors(Arc::clone(&errors)), || {
        assert_eq!(scene.rig.engine.act_on_due(10).unwrap(), 0);
        scene.assert_met();
        assert_eq!(errors.load(Ordering::Relaxed), 0);
        tracing::error!("this one counts");
    });
    assert_eq!(errors.load(Ordering::Relaxed), 1);
}

#[test]
fn a_key_whose_vault_is_deleted_when_its_turn_has_come_rotates_when_it_is_back() {
    let scene = Scene::new();
    let (who, vault, name) = (caller(ADMINISTRATOR), scene.rig.open(ContainerKind::Vault), key_name("k"));
    scene.rig.create_ec_key(ContainerKind::Vault, "k");
    let after = RotationTrigger::AfterCreate(CalendarDuration::parse("P30D").unwrap());
    let policy = RotationPolicy { rotate: Some(after), ..RotationPolicy::default() };
    scene.rig.engine.set_rotation_policy(&who, &vault, &name, &policy).unwrap();
    scene.rig.clock.advance(31 * DAY);
    scene.before(Operation::KeyRotate, |engine, vault| {
        let name = &vault.container.name;
        engine.delete_container(&caller(ADMINISTRATOR), ContainerKind::Vault, &resource(), name).unwrap();
    });
    assert_eq!(scene.rig.engine.act_on_due(10).unwrap(), 0);
    scene.assert_met();
    let container = &vault.container.name;
    scene.rig.engine.recover_container(&who, ContainerKind::Vault, &resource(), container).unwrap();
    assert_eq!(scene.rig.engine.act_on_due(10).unwrap(), 1);
}

#[test]
fn a_policy_that_is_changed_while_a_version_is_made_by_it_stays_changed() {
    let scene = Scene::new();
    scene.create(Some(policy("Self"))).unwrap();
    scene.before(Operation::CertificateCreate, |engine, vault| {
        let changed = PolicyRequest { validity_months: Some(7), ..PolicyRequest::default() };
        engine.update_certificate_policy(&caller(ADMINISTRATOR), vault, &key_name("c"), &changed).unwrap();
    });
    assert!(matches!(scene.create(None), Err(Error::Busy)));
    scene.assert_met();
    let again = scene.create(None).unwrap();
    assert_eq!(again.object.course.unwrap().policy.x509.validity_months, 7);
}

#[test]
fn a_renewal_is_made_by_what_holds_when_it_is_written() {
    let scene = Scene::new();
    let first = scene.create(Some(policy("Self"))).unwrap().version.id;
    scene.rig.clock.advance(330 * DAY);
    scene.before(Operation::CertificateRenew, |engine, vault| {
        let changed = PolicyRequest { validity_months: Some(7), ..PolicyRequest::default() };
        engine.update_certificate_policy(&caller(ADMINISTRATOR), vault, &key_name("c"), &changed).unwrap();
    });
    let (who, vault) = (caller(ADMINISTRATOR), scene.rig.open(ContainerKind::Vault));
    let found = || scene.rig.engine.get_object(&who, &vault, CERTIFICATE, &key_name("c"), None).unwrap();
    assert_eq!(scene.rig.engine.act_on_due(10).unwrap(), 0);
    scene.assert_met();
    assert_eq!(found().object.course.unwrap().policy.x509.validity_months, 7, "nobody takes the change back");
    scene.before(Operation::CertificateRenew, |engine, vault| {
        let attributes = AttributeChanges { enabled: Some(false), ..AttributeChanges::default() };
        let changes = ObjectChanges { attributes, ..ObjectChanges::default() };
        engine.update_object(&caller(ADMINISTRATOR), vault, CERTIFICATE, &key_name("c"), None, &changes).unwrap();
    });
    scene.rig.engine.act_on_due(10).unwrap();
    scene.assert_met();
    assert_eq!((found().version.id, found().version.attributes.enabled), (first, false), "what is disabled waits");
}

#[test]
fn a_pending_operation_that_is_ended_while_its_issuer_answers_is_no_error() {
    let ends: [fn(&Engine, &OpenContainer); 2] = [
        |engine, vault| {
            engine.delete_pending_certificate(&caller(ADMINISTRATOR), vault, &key_name("c")).unwrap();
        },
        |engine, vault| {
            engine.cancel_pending_certificate(&caller(ADMINISTRATOR), vault, &key_name("c")).unwrap();
        },
    ];
    for end in ends {
        let scene = Scene::with(vec![Box::new(Elsewhere)]);
        let (who, vault) = (caller(ADMINISTRATOR), scene.rig.open(ContainerKind::Vault));
        let changes = IssuerChanges { provider: Some("Elsewhere".to_owned()), ..IssuerChanges::default() };
        let request = SetIssuer { changes, ..SetIssuer::default() };
        scene.rig.engine.set_issuer(&who, &vault, &IssuerName::parse("theirs").unwrap(), &request).unwrap();
        scene.create(Some(policy("theirs"))).unwrap();
        scene.before(Operation::CertificateEnroll, end);
        let errors = Arc::new(AtomicUsize::new(0));
        tracing::subscriber::with_default(Errors(Arc::clone(&errors)), || {
            scene.rig.engine.ask_issuers(10).unwrap();
        });
        scene.assert_met();
        assert_eq!(errors.load(Ordering::Relaxed), 0);
        assert!(scene.rig.engine.get_object(&who, &vault, ObjectKind::Key, &key_name("c"), None).is_err());
    }
}

#[test]
fn a_version_that_is_disabled_while_it_is_merged_stays_disabled() {
    let scene = Scene::new();
    let begun = scene.create(Some(policy("Unknown"))).unwrap();
    let chain = signed_outside(UnixTime(1_700_000_000), &begun.object.course.unwrap().pending.unwrap().csr);
    scene.before(Operation::CertificatePendingMerge, |engine, vault| {
        let attributes = AttributeChanges { enabled: Some(false), ..AttributeChanges::default() };
        let changes = ObjectChanges { attributes, ..ObjectChanges::default() };
        engine.update_object(&caller(ADMINISTRATOR), vault, CERTIFICATE, &key_name("c"), None, &changes).unwrap();
    });
    let (who, vault) = (caller(ADMINISTRATOR), scene.rig.open(ContainerKind::Vault));
    let request = MergeCertificate { chain, ..MergeCertificate::default() };
    let merge = || scene.rig.engine.merge_certificate(&who, &vault, &key_name("c"), &request);
    assert!(matches!(merge(), Err(Error::Busy)));
    scene.assert_met();
    assert!(!merge().unwrap().version.attributes.enabled);
    let key = scene.rig.engine.get_object(&who, &vault, ObjectKind::Key, &key_name("c"), None).unwrap();
    assert!(!key.version.attributes.enabled);
}

#[test]
fn an_issuer_that_is_changed_while_its_key_is_looked_up_signs_with_the_key_that_it_shows() {
    let scene = Scene::new();
    for name in ["old", "new"] {
        scene.rig.create_ec_key(ContainerKind::Vault, name);
    }
    let issuer = |key: &str| {
        let account_id = Some(format!("https://contoso/keys/{key}"));
        let key = KeyReference {
            kind: ContainerKind::Vault,
            container: "contoso".to_owned(),
            key: key_name(key),
            version: None,
        };
        let changes = IssuerChanges { provider: Some(PRIVATE_CA.to_owned()), account_id, ..IssuerChanges::default() };
        SetIssuer { changes, password: None, key: Some(key) }
    };
    let (who, vault) = (caller(ADMINISTRATOR), scene.rig.open(ContainerKind::Vault));
    let name = IssuerName::parse("ours").unwrap();
    scene.rig.engine.set_issuer(&who, &vault, &name, &issuer("old")).unwrap();
    let replacement = issuer("new");
    scene.before(Operation::CertificateIssuerUpdate, move |engine, vault| {
        let name = IssuerName::parse("ours").unwrap();
        engine.set_issuer(&caller(ADMINISTRATOR), vault, &name, &replacement).unwrap();
    });
    // Says nothing of the key: it would have kept the one that it found.
    let enabled = IssuerChanges { enabled: Some(true), ..IssuerChanges::default() };
    let update = || {
        let request = SetIssuer { changes: enabled.clone(), ..SetIssuer::default() };
        scene.rig.engine.update_issuer(&who, &vault, &name, &request)
    };
    assert!(matches!(update(), Err(Error::Busy)));
    scene.assert_met();
    assert_eq!(update().unwrap().account_id.as_deref(), Some("https://contoso/keys/new"));
    scene.create(Some(policy("ours"))).unwrap();
    let made = scene.rig.engine.get_object(&who, &vault, CERTIFICATE, &key_name("c"), None).unwrap();
    let issued = made.version.body.as_certificate().unwrap().issued.clone().unwrap();
    let key = scene.rig.engine.get_object(&who, &vault, ObjectKind::Key, &key_name("new"), None).unwrap();
    let authority = x509::Certificate::read(&issued.chain[0]).unwrap();
    assert!(authority.has_key(&key.version.body.as_key().unwrap().public));
}
