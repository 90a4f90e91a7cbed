//! What is told of objects: each new version that becomes current, and the end of the current one.

use crate::certificates;
use crate::rig::{ADMINISTRATOR, DAY, Rig, caller, ec_key, key_name, resource};
use domain::{
    CalendarDuration, ContainerKind, ContainerName, EventSubscriptionName, ObjectKind, ObjectName, PolicyRequest,
    RotationPolicy, RotationTrigger, Secret, Tags, UnixTime, VersionId,
    notice::{Endpoint, EventSubscriptionChanges, Notice},
};
use engine::{
    AttributeChanges, CertificateFile, CreateKey, Engine, EventSubscriptionPlace, EventSubscriptionRequest,
    ImportCertificate, MergeCertificate, NewAttributes, ObjectChanges, ObjectView, OpenContainer, Receiver, SetSecret,
};
use std::sync::Arc;
use store::{Store, Tx, sqlite::SqliteStore};

const VAULT: ContainerKind = ContainerKind::Vault;

fn events() -> EventSubscriptionName {
    EventSubscriptionName::parse("events").unwrap()
}

/// A vault of whose every notice somebody is told.
fn told() -> (Rig, Arc<OpenContainer>) {
    let rig = Rig::new();
    subscribe(&rig.engine);
    let vault = rig.open(VAULT);
    (rig, vault)
}

fn subscribe(engine: &Engine) {
    let vault = ContainerName::parse("contoso").unwrap();
    let request = EventSubscriptionRequest {
        place: EventSubscriptionPlace { resource: resource(), vault, name: events() },
        endpoint: Endpoint::parse("https://hooks.example.com/"),
        changes: EventSubscriptionChanges::default(),
        is_update: false,
    };
    let prepared = engine.prepare_event_subscription(&caller(ADMINISTRATOR), request).unwrap();
    engine.save_event_subscription(&caller(ADMINISTRATOR), &prepared).unwrap();
}

/// Takes what waits to be told, in the order of its writing.
fn taken(rig: &Rig) -> Vec<Notice> {
    let receiver = Receiver { container: rig.open(VAULT).id(), name: events() };
    let outgoing = rig.engine.due_deliveries(&receiver, 999).unwrap().unwrap();
    let mut found = outgoing.deliveries.clone();
    found.sort_by_key(|stored| stored.position);
    let positions: Vec<u64> = found.iter().map(|stored| stored.position).collect();
    rig.engine.drop_deliveries(&outgoing, &positions).unwrap();
    found.into_iter().map(|stored| stored.delivery.notice).collect()
}

/// The last word of each kind, and of which object.
fn words(notices: &[Notice]) -> Vec<String> {
    let word = |notice: &Notice| {
        let kind = notice.kind.as_str().rsplit('.').next().unwrap();
        format!("{kind} {}", notice.subject())
    };
    notices.iter().map(word).collect()
}

fn create(rig: &Rig, vault: &OpenContainer, name: &str, expires: Option<UnixTime>) -> ObjectView {
    let attributes = NewAttributes { expires, ..NewAttributes::default() };
    let request = CreateKey { attributes, ..ec_key() };
    rig.engine.create_key(&caller(ADMINISTRATOR), vault, &key_name(name), &request).unwrap()
}

fn set(rig: &Rig, vault: &OpenContainer, name: &str, expires: Option<UnixTime>) -> ObjectView {
    let request = SetSecret {
        value: Secret::new(b"value".to_vec()),
        content_type: None,
        attributes: NewAttributes { expires, ..NewAttributes::default() },
        tags: Tags::new(),
    };
    let name = ObjectName::parse(name).unwrap();
    rig.engine.set_secret(&caller(ADMINISTRATOR), vault, &name, request).unwrap().view
}

fn update(rig: &Rig, vault: &OpenContainer, of: &ObjectView, attributes: AttributeChanges) {
    let changes = ObjectChanges { attributes, ..ObjectChanges::default() };
    let (kind, name, version) = (of.object.kind, &of.object.name, Some(of.version.id));
    rig.engine.update_object(&caller(ADMINISTRATOR), vault, kind, name, version, &changes).unwrap();
}

fn in_days(rig: &Rig, days: i64) -> Option<UnixTime> {
    Some(rig.engine.now().plus_seconds(days * DAY))
}

#[test]
fn every_way_to_a_new_version_is_told_of() {
    let (rig, vault) = told();
    let administrator = caller(ADMINISTRATOR);
    let made = create(&rig, &vault, "Signer", in_days(&rig, 400));
    let notices = taken(&rig);
    assert_eq!(words(&notices), ["KeyNewVersionCreated Signer"]);
    let about = notices[0].about.as_ref().unwrap();
    assert_eq!((about.version, about.expires), (made.version.id, made.version.attributes.expires));
    create(&rig, &vault, "signer", None);
    rig.engine.rotate_key(&administrator, &vault, &key_name("signer")).unwrap();
    set(&rig, &vault, "password", None);
    set(&rig, &vault, "password", None);
    let expected = [
        "KeyNewVersionCreated Signer",
        "KeyNewVersionCreated Signer",
        "SecretNewVersionCreated password",
        "SecretNewVersionCreated password",
    ];
    assert_eq!(words(&taken(&rig)), expected);
    update(&rig, &vault, &made, AttributeChanges { enabled: Some(false), ..AttributeChanges::default() });
    let password = ObjectName::parse("password").unwrap();
    let blob = rig.engine.backup_object(&administrator, &vault, ObjectKind::Secret, &password).unwrap();
    rig.engine.delete_object(&administrator, &vault, ObjectKind::Secret, &password).unwrap();
    rig.engine.recover_object(&administrator, &vault, ObjectKind::Secret, &password).unwrap();
    rig.engine.delete_object(&administrator, &vault, ObjectKind::Secret, &password).unwrap();
    rig.engine.purge_object(&administrator, &vault, ObjectKind::Secret, &password).unwrap();
    assert_eq!(words(&taken(&rig)), [""; 0], "nothing of that makes a version");
    let restored = rig.engine.restore_object(&administrator, &vault, ObjectKind::Secret, &blob).unwrap();
    let notices = taken(&rig);
    assert_eq!(words(&notices), ["SecretNewVersionCreated password"], "once, whatever versions came with it");
    assert_eq!(notices[0].about.as_ref().unwrap().version, restored.version.id);
}

#[test]
fn a_key_that_rotates_by_itself_is_told_of() {
    let (rig, vault) = told();
    create(&rig, &vault, "signer", None);
    let after = RotationTrigger::AfterCreate(CalendarDuration::parse("P30D").unwrap());
    let policy = RotationPolicy { rotate: Some(after), ..RotationPolicy::default() };
    rig.engine.set_rotation_policy(&caller(ADMINISTRATOR), &vault, &key_name("signer"), &policy).unwrap();
    taken(&rig);
    rig.clock.advance(30 * DAY);
    assert_eq!(rig.engine.act_on_due(9).unwrap(), 1);
    assert_eq!(words(&taken(&rig)), ["KeyNewVersionCreated signer"]);
}

/// Versions of which something was told.
fn versions(notices: &[Notice]) -> Vec<VersionId> {
    notices.iter().map(|notice| notice.about.as_ref().unwrap().version).collect()
}

#[test]
fn the_end_of_the_current_version_is_told_of_once_each() {
    let (rig, vault) = told();
    create(&rig, &vault, "signer", in_days(&rig, 100));
    set(&rig, &vault, "password", in_days(&rig, 90));
    let current = set(&rig, &vault, "password", in_days(&rig, 100));
    set(&rig, &vault, "endless", None);
    taken(&rig);
    rig.clock.advance(69 * DAY);
    assert_eq!(rig.engine.publish_due(9).unwrap(), 0);
    rig.clock.advance(DAY);
    assert_eq!(rig.engine.publish_due(9).unwrap(), 2);
    let notices = taken(&rig);
    assert_eq!(words(&notices), ["KeyNearExpiry signer", "SecretNearExpiry password"]);
    assert_eq!(versions(&notices)[1], current.version.id);
    assert_eq!(rig.engine.publish_due(9).unwrap(), 0);
    rig.clock.advance(30 * DAY);
    assert_eq!(rig.engine.publish_due(1).unwrap(), 1, "no more than were asked for");
    assert_eq!(rig.engine.publish_due(9).unwrap(), 1);
    assert_eq!(words(&taken(&rig)), ["KeyExpired signer", "SecretExpired password"]);
    rig.clock.advance(1_000 * DAY);
    assert_eq!(rig.engine.publish_due(9).unwrap(), 0);
}

#[test]
fn a_new_date_or_version_is_told_of_anew() {
    let (rig, vault) = told();
    let made = set(&rig, &vault, "password", in_days(&rig, 100));
    rig.clock.advance(70 * DAY);
    rig.engine.publish_due(9).unwrap();
    taken(&rig);
    update(&rig, &vault, &made, AttributeChanges { enabled: Some(false), ..AttributeChanges::default() });
    assert_eq!(rig.engine.publish_due(9).unwrap(), 0);
    let later = AttributeChanges { expires: in_days(&rig, 31), ..AttributeChanges::default() };
    update(&rig, &vault, &made, later);
    assert_eq!(rig.engine.publish_due(9).unwrap(), 0);
    rig.clock.advance(DAY);
    rig.engine.publish_due(9).unwrap();
    assert_eq!(words(&taken(&rig)), ["SecretNearExpiry password"]);
    set(&rig, &vault, "password", None);
    rig.clock.advance(500 * DAY);
    assert_eq!(rig.engine.publish_due(9).unwrap(), 0, "the version before is nobody's current one any more");
    assert_eq!(words(&taken(&rig)), ["SecretNewVersionCreated password"]);
}

#[test]
fn the_end_of_what_is_deleted_is_told_of_after_its_recovery() {
    let (rig, vault) = told();
    let administrator = caller(ADMINISTRATOR);
    let made = set(&rig, &vault, "password", in_days(&rig, 40));
    let (kind, name) = (ObjectKind::Secret, &made.object.name);
    rig.engine.delete_object(&administrator, &vault, kind, name).unwrap();
    taken(&rig);
    rig.clock.advance(20 * DAY);
    assert_eq!(rig.engine.publish_due(9).unwrap(), 0);
    rig.engine.recover_object(&administrator, &vault, kind, name).unwrap();
    assert_eq!(rig.engine.publish_due(9).unwrap(), 1);
    assert_eq!(words(&taken(&rig)), ["SecretNearExpiry password"]);
}

#[test]
fn a_rotation_policy_chooses_when_a_key_is_near_its_end() {
    let (rig, vault) = told();
    create(&rig, &vault, "signer", in_days(&rig, 100));
    let before = RotationTrigger::BeforeExpiry(CalendarDuration::parse("P10D").unwrap());
    let policy = RotationPolicy { notify: Some(before), ..RotationPolicy::default() };
    rig.engine.set_rotation_policy(&caller(ADMINISTRATOR), &vault, &key_name("signer"), &policy).unwrap();
    taken(&rig);
    rig.clock.advance(89 * DAY);
    assert_eq!(rig.engine.publish_due(9).unwrap(), 0);
    rig.clock.advance(DAY);
    rig.engine.publish_due(9).unwrap();
    assert_eq!(words(&taken(&rig)), ["KeyNearExpiry signer"]);
}

#[test]
fn who_comes_later_is_not_told_of_what_was() {
    let rig = Rig::new();
    let vault = rig.open(VAULT);
    set(&rig, &vault, "password", in_days(&rig, 100));
    rig.clock.advance(70 * DAY);
    assert_eq!(rig.engine.publish_due(9).unwrap(), 1, "to nobody");
    subscribe(&rig.engine);
    assert_eq!(rig.engine.publish_due(9).unwrap(), 0);
    rig.clock.advance(30 * DAY);
    rig.engine.publish_due(9).unwrap();
    assert_eq!(words(&taken(&rig)), ["SecretExpired password"], "but of what comes");
}

#[test]
fn managed_hsms_tell_nothing() {
    let (rig, _) = told();
    let hsm = rig.open(ContainerKind::ManagedHsm);
    let expires = in_days(&rig, 10);
    let request = CreateKey { attributes: NewAttributes { expires, ..NewAttributes::default() }, ..ec_key() };
    rig.engine.create_key(&caller(ADMINISTRATOR), &hsm, &key_name("signer"), &request).unwrap();
    rig.engine.publish_due(9).unwrap();
    assert_eq!(rig.engine.due_receivers().unwrap(), []);
}

/// What is told of a certificate with its key and its secret, sorted.
fn trio(event: &str, name: &str) -> [String; 3] {
    ["Certificate", "Key", "Secret"].map(|kind| format!("{kind}{event} {name}"))
}

fn sorted(notices: &[Notice]) -> Vec<String> {
    let mut words = words(notices);
    words.sort();
    words
}

#[test]
fn a_certificate_its_key_and_its_secret_are_each_told_of_and_once() {
    let (rig, vault) = told();
    certificates::create(&rig, "site", "Self").unwrap();
    let notices = taken(&rig);
    assert_eq!(sorted(&notices), trio("NewVersionCreated", "site"));
    let (first, expires) = (versions(&notices), notices[0].about.as_ref().unwrap().expires);
    assert!(expires.is_some() && first.iter().all(|version| *version == first[0]), "of one version, which has an end");

    rig.clock.advance(293 * DAY);
    assert_eq!((rig.engine.act_on_due(9).unwrap(), rig.engine.act_on_due(9).unwrap()), (1, 0));
    let notices = taken(&rig);
    assert_eq!(sorted(&notices), trio("NewVersionCreated", "site"), "its renewal too");
    assert!(versions(&notices).iter().all(|version| *version != first[0]));
    rig.clock.advance(80 * DAY);
    assert_eq!(rig.engine.publish_due(9).unwrap(), 0, "the end of the version before it is nobody's concern");

    let (administrator, name) = (caller(ADMINISTRATOR), ObjectName::parse("site").unwrap());
    for _ in ["new", "next version"] {
        let pem = rig.engine.get_secret(&administrator, &vault, &name, None).unwrap().value;
        let import = ImportCertificate {
            file: CertificateFile::Pem { text: pem, password: None },
            policy: PolicyRequest::default(),
            attributes: NewAttributes::default(),
            tags: Tags::new(),
            preserve_order: false,
        };
        let copy = ObjectName::parse("copy").unwrap();
        rig.engine.import_certificate(&administrator, &vault, &copy, &import).unwrap();
        assert_eq!(sorted(&taken(&rig)), trio("NewVersionCreated", "copy"));
    }
    let blob = rig.engine.backup_object(&administrator, &vault, ObjectKind::Certificate, &name).unwrap();
    rig.engine.delete_object(&administrator, &vault, ObjectKind::Certificate, &name).unwrap();
    rig.engine.purge_object(&administrator, &vault, ObjectKind::Certificate, &name).unwrap();
    assert_eq!(sorted(&taken(&rig)), [""; 0]);
    rig.engine.restore_object(&administrator, &vault, ObjectKind::Certificate, &blob).unwrap();
    assert_eq!(sorted(&taken(&rig)), trio("NewVersionCreated", "site"));
}

#[test]
fn a_certificate_is_told_of_when_it_is_made_and_not_when_it_is_begun() {
    let (rig, vault) = told();
    let administrator = caller(ADMINISTRATOR);
    let name = ObjectName::parse("site").unwrap();
    certificates::create(&rig, "site", "Unknown").unwrap();
    assert_eq!(words(&taken(&rig)), [""; 0]);
    let csr = rig.engine.pending_certificate(&administrator, &vault, &name, None).unwrap().csr;
    let chain = certificates::signed_outside(rig.engine.now(), &csr);
    let request = MergeCertificate { chain, ..MergeCertificate::default() };
    rig.engine.merge_certificate(&administrator, &vault, &name, &request).unwrap();
    assert_eq!(sorted(&taken(&rig)), trio("NewVersionCreated", "site"));

    certificates::create(&rig, "site", "Unknown").unwrap();
    rig.clock.advance(69 * DAY);
    assert_eq!(rig.engine.publish_due(9).unwrap(), 0);
    rig.clock.advance(DAY);
    assert_eq!(rig.engine.publish_due(9).unwrap(), 3);
    assert_eq!(sorted(&taken(&rig)), trio("NearExpiry", "site"), "of the version that is there, not of the next");
    rig.clock.advance(30 * DAY);
    assert_eq!(rig.engine.publish_due(9).unwrap(), 3);
    assert_eq!(sorted(&taken(&rig)), trio("Expired", "site"));
}

/// Takes the current version from a key: nothing can be done with it any more.
fn damage(rig: &Rig, vault: &OpenContainer, name: &str) {
    let store = SqliteStore::open(&rig.path()).unwrap();
    let store: &dyn Store = &store;
    let lose = |tx: &mut dyn Tx| {
        let mut object = tx.object(vault.id(), ObjectKind::Key, &key_name(name))?.unwrap().object;
        object.current = VersionId::from_bytes([9; 16]);
        tx.save_object(vault.id(), &object)
    };
    store.transact("test", lose).unwrap();
}

#[test]
fn what_fails_each_time_keeps_nobody_from_their_turn() {
    let (rig, vault) = told();
    let after = RotationTrigger::AfterCreate(CalendarDuration::parse("P30D").unwrap());
    let policy = RotationPolicy { rotate: Some(after), ..RotationPolicy::default() };
    for name in ["bad", "worse", "good"] {
        create(&rig, &vault, name, in_days(&rig, 100));
        rig.engine.set_rotation_policy(&caller(ADMINISTRATOR), &vault, &key_name(name), &policy).unwrap();
        rig.clock.advance(1);
    }
    for name in ["bad", "worse"] {
        damage(&rig, &vault, name);
    }
    rig.clock.advance(30 * DAY);
    let acted: Vec<_> = (0..3).map(|_| rig.engine.act_on_due(1).unwrap()).collect();
    assert_eq!(acted, [0, 0, 1]);
    create(&rig, &vault, "other", in_days(&rig, 75));
    taken(&rig);
    rig.clock.advance(50 * DAY);
    let told: Vec<_> = (0..3).map(|_| rig.engine.publish_due(1).unwrap()).collect();
    assert_eq!((told, words(&taken(&rig))), (vec![0, 0, 1], vec!["KeyNearExpiry other".to_owned()]));
}
