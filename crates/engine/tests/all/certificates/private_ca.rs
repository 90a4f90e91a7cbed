//! Issuers of ours: they sign with a key of a vault or of a managed HSM, as long as it is there and they last.

use super::{VAULT, create, get, is_live, issuer_named, issuer_of, private_issuer};
use crate::rig::{ADMINISTRATOR, DAY, Rig, caller, key_name};
use custody::x509;
use domain::{ContainerKind, ObjectKind, OperationStatus, Refusal, VersionId};
use engine::{Clock, Error, KeyReference};

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
