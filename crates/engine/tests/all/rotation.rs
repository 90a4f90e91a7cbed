//! Rotation by policy, when the clock says so.

use crate::rig::{ADMINISTRATOR, DAY, Rig, caller, ec_key, key_name};
use domain::{CalendarDuration, ContainerKind, ObjectKind, Refusal, RotationPolicy, RotationTrigger};
use engine::{AttributeChanges, Error, ObjectChanges, PageRequest};

fn policy(rotate_after: &str, expiry: &str) -> RotationPolicy {
    RotationPolicy {
        rotate: Some(RotationTrigger::AfterCreate(CalendarDuration::parse(rotate_after).unwrap())),
        expiry: Some(CalendarDuration::parse(expiry).unwrap()),
        ..RotationPolicy::default()
    }
}

fn versions(rig: &Rig, kind: ContainerKind) -> usize {
    let page = PageRequest { after: None, limit: 200 };
    let found =
        rig.engine.list_versions(&caller(ADMINISTRATOR), &rig.open(kind), ObjectKind::Key, &key_name("k"), &page);
    found.unwrap().items.len()
}

#[test]
fn the_loop_rotates_when_due_and_not_before() {
    for kind in ContainerKind::ALL {
        let rig = Rig::new();
        let who = caller(ADMINISTRATOR);
        rig.create_ec_key(kind, "k");
        let first =
            rig.engine.get_object(&who, &rig.open(kind), ObjectKind::Key, &key_name("k"), None).unwrap().version.id;
        rig.engine.set_rotation_policy(&who, &rig.open(kind), &key_name("k"), &policy("P30D", "P90D")).unwrap();
        rig.clock.advance(30 * DAY - 60);
        assert_eq!(rig.engine.act_on_due(10).unwrap(), 0);
        rig.clock.advance(120);
        assert_eq!(rig.engine.act_on_due(10).unwrap(), 1);
        assert_eq!(rig.engine.act_on_due(10).unwrap(), 0, "once");
        let now = rig.engine.get_object(&who, &rig.open(kind), ObjectKind::Key, &key_name("k"), None).unwrap().version;
        assert_ne!(now.id, first);
        let lives = now.attributes.expires.unwrap().0 - now.attributes.created.0;
        assert_eq!(lives, 90 * DAY);
        assert_eq!(versions(&rig, kind), 2);
        assert!(
            rig.engine.get_object(&who, &rig.open(kind), ObjectKind::Key, &key_name("k"), Some(first)).is_ok(),
            "the old one stays"
        );
    }
}

#[test]
fn a_vault_that_does_not_open_keeps_no_other_from_its_turn() {
    let rig = Rig::new();
    let (who, kind) = (caller(ADMINISTRATOR), ContainerKind::Vault);
    for name in ["a", "k"] {
        rig.create_ec_key(kind, name);
        rig.engine.set_rotation_policy(&who, &rig.open(kind), &key_name(name), &policy("P30D", "P90D")).unwrap();
        rig.clock.advance(1);
    }
    rig.add_broken_vault(ObjectKind::Key, "a");
    rig.clock.advance(30 * DAY);
    assert_eq!(rig.engine.act_on_due(10).unwrap(), 2);
    assert_eq!(versions(&rig, kind), 2);
}

#[test]
fn a_deleted_key_is_not_rotated() {
    let rig = Rig::new();
    let who = caller(ADMINISTRATOR);
    let kind = ContainerKind::Vault;
    rig.create_ec_key(kind, "k");
    rig.engine.set_rotation_policy(&who, &rig.open(kind), &key_name("k"), &policy("P7D", "P90D")).unwrap();
    rig.engine.delete_object(&who, &rig.open(kind), ObjectKind::Key, &key_name("k")).unwrap();
    rig.clock.advance(8 * DAY);
    assert_eq!(rig.engine.act_on_due(10).unwrap(), 0);
    rig.engine.recover_object(&who, &rig.open(kind), ObjectKind::Key, &key_name("k")).unwrap();
    assert_eq!(rig.engine.act_on_due(10).unwrap(), 1, "its time has come when it is back");
}

#[test]
fn a_managed_hsm_rotates_only_keys_that_have_a_policy() {
    let rig = Rig::new();
    let who = caller(ADMINISTRATOR);
    rig.create_ec_key(ContainerKind::Vault, "k");
    rig.create_ec_key(ContainerKind::ManagedHsm, "k");
    assert!(rig.engine.rotate_key(&who, &rig.open(ContainerKind::Vault), &key_name("k")).is_ok());
    let refused = rig.engine.rotate_key(&who, &rig.open(ContainerKind::ManagedHsm), &key_name("k"));
    assert!(matches!(refused, Err(Error::Refused(Refusal::RotationPolicyMissing))));
}

#[test]
fn a_key_at_its_limit_is_taken_off_the_schedule() {
    let rig = Rig::new();
    let who = caller(ADMINISTRATOR);
    let kind = ContainerKind::ManagedHsm;
    for _ in 0..100 {
        rig.create_ec_key(kind, "k");
    }
    let refused = rig.engine.create_key(&who, &rig.open(kind), &key_name("k"), &ec_key());
    assert!(matches!(refused, Err(Error::Refused(Refusal::TooManyVersions { limit: 100 }))));
    rig.engine.set_rotation_policy(&who, &rig.open(kind), &key_name("k"), &policy("P28D", "P90D")).unwrap();
    rig.clock.advance(29 * DAY);
    assert_eq!(rig.engine.act_on_due(10).unwrap(), 0);
    assert_eq!(versions(&rig, kind), 100);
}

#[test]
fn a_disabled_key_is_not_rotated_into_an_enabled_one() {
    let rig = Rig::new();
    let (who, kind) = (caller(ADMINISTRATOR), ContainerKind::Vault);
    rig.create_ec_key(kind, "k");
    rig.engine.set_rotation_policy(&who, &rig.open(kind), &key_name("k"), &policy("P7D", "P90D")).unwrap();
    let enable = |enabled| {
        let attributes = AttributeChanges { enabled: Some(enabled), ..AttributeChanges::default() };
        let changes = ObjectChanges { attributes, ..ObjectChanges::default() };
        rig.engine.update_object(&who, &rig.open(kind), ObjectKind::Key, &key_name("k"), None, &changes).unwrap();
    };
    enable(false);
    rig.clock.advance(8 * DAY);
    assert_eq!(rig.engine.act_on_due(10).unwrap(), 0);
    let rotated = rig.engine.rotate_key(&who, &rig.open(kind), &key_name("k")).unwrap();
    assert!(!rotated.version.attributes.enabled);
    enable(true);
    rig.clock.advance(8 * DAY);
    assert_eq!(rig.engine.act_on_due(10).unwrap(), 1);
}
