//! Network rules: who comes from elsewhere is refused before rights are looked at, from the change of the rules on.

use crate::rig::{ADMINISTRATOR, Rig, caller, key_name, resource};
use domain::{
    ContainerKind, ContainerName, DefaultAction, Guid, IpRange, NetworkRules, PublicNetworkAccess, Refusal,
    SignatureAlgorithm, access::Caller,
};
use engine::{ContainerPatch, Error, HsmSettings, OpenContainer, ProfileRequest, VaultSettings};
use std::net::IpAddr;

fn from(object_id: Guid, address: &str) -> Caller {
    Caller { address: Some(address.parse().unwrap()), ..caller(object_id) }
}

fn allowing(rules: &[&str]) -> NetworkRules {
    NetworkRules {
        default_action: DefaultAction::Deny,
        ip_rules: rules.iter().map(|rule| IpRange::parse(rule).unwrap()).collect::<Vec<_>>().into(),
        ..NetworkRules::default()
    }
}

/// Changes the settings, as somebody from an address that no rule ever names.
fn set(rig: &Rig, kind: ContainerKind, access: Option<PublicNetworkAccess>, rules: Option<NetworkRules>) {
    let profile = match kind {
        ContainerKind::Vault => ProfileRequest::Vault(VaultSettings {
            public_network_access: access,
            network_rules: rules,
            ..VaultSettings::default()
        }),
        ContainerKind::ManagedHsm => ProfileRequest::ManagedHsm(HsmSettings {
            public_network_access: access,
            network_rules: rules,
            ..HsmSettings::default()
        }),
    };
    let patch = ContainerPatch { profile: Some(profile), ..ContainerPatch::default() };
    let (who, name) = (from(ADMINISTRATOR, "203.0.113.9"), ContainerName::parse("contoso").unwrap());
    rig.engine.patch_container(&who, kind, &resource(), &name, &patch).unwrap();
}

fn sign_in(rig: &Rig, open: &OpenContainer, who: &Caller) -> Result<(), Refusal> {
    let signed = rig.engine.sign(who, open, &key_name("k"), None, SignatureAlgorithm::Es256, &[0; 32]);
    signed.map(drop).map_err(|error| refusal(error).unwrap())
}

fn refusal(error: Error) -> Option<Refusal> {
    match error {
        Error::Refused(refusal) => Some(refusal),
        Error::Busy | Error::Store(_) | Error::Custody(_) | Error::Broken(_) => None,
    }
}

fn sign(rig: &Rig, kind: ContainerKind, who: &Caller) -> Result<(), Refusal> {
    sign_in(rig, &rig.open(kind), who)
}

fn forbidden(address: &str) -> Result<(), Refusal> {
    Err(Refusal::NetworkForbidden { address: address.parse::<IpAddr>().unwrap() })
}

#[test]
fn rules_count_from_their_change_on() {
    let rig = Rig::new();
    for kind in ContainerKind::ALL {
        rig.create_ec_key(kind, "k");
        let near = from(ADMINISTRATOR, "10.1.2.3");
        assert_eq!(sign(&rig, kind, &near), Ok(()));
        set(&rig, kind, None, Some(allowing(&["192.0.2.7"])));
        assert_eq!(sign(&rig, kind, &near), forbidden("10.1.2.3"));
        assert_eq!(sign(&rig, kind, &from(ADMINISTRATOR, "192.0.2.7")), Ok(()));
        set(&rig, kind, None, Some(allowing(&["10.0.0.0/8"])));
        assert_eq!(sign(&rig, kind, &near), Ok(()));
        set(&rig, kind, Some(PublicNetworkAccess::Disabled), None);
        assert_eq!(sign(&rig, kind, &near), Err(Refusal::PublicNetworkDisabled));
        // The rules are still there when the container is opened again.
        set(&rig, kind, Some(PublicNetworkAccess::Enabled), None);
        assert_eq!(sign(&rig, kind, &near), Ok(()));
        assert_eq!(sign(&rig, kind, &from(ADMINISTRATOR, "11.0.0.1")), forbidden("11.0.0.1"));
    }
}

#[test]
fn a_container_taken_before_the_change_is_closed_too() {
    let rig = Rig::new();
    for kind in ContainerKind::ALL {
        rig.create_ec_key(kind, "k");
        let (before, near) = (rig.open(kind), from(ADMINISTRATOR, "10.1.2.3"));
        assert_eq!(sign_in(&rig, &before, &near), Ok(()));
        set(&rig, kind, None, Some(allowing(&[])));
        assert_eq!(sign_in(&rig, &before, &near), forbidden("10.1.2.3"));
        set(&rig, kind, None, Some(allowing(&["10.1.2.3"])));
        assert_eq!(sign_in(&rig, &before, &near), Ok(()));
    }
}

#[test]
fn this_machine_is_an_address_like_any_other() {
    let rig = Rig::new();
    let kind = ContainerKind::Vault;
    rig.create_ec_key(kind, "k");
    set(&rig, kind, None, Some(allowing(&["127.0.0.1"])));
    assert_eq!(sign(&rig, kind, &from(ADMINISTRATOR, "127.0.0.1")), Ok(()));
    assert_eq!(sign(&rig, kind, &from(ADMINISTRATOR, "::ffff:127.0.0.1")), Ok(()));
    assert_eq!(sign(&rig, kind, &from(ADMINISTRATOR, "::1")), forbidden("::1"));
    assert_eq!(sign(&rig, kind, &caller(ADMINISTRATOR)), Ok(()), "the service itself comes from no network");
}

#[test]
fn the_network_is_looked_at_before_rights() {
    let rig = Rig::new();
    for kind in ContainerKind::ALL {
        set(&rig, kind, None, Some(allowing(&["192.0.2.7"])));
        let nobody = Guid::from_u128(0x50);
        assert_eq!(sign(&rig, kind, &from(nobody, "10.1.2.3")), forbidden("10.1.2.3"));
        assert!(matches!(sign(&rig, kind, &from(nobody, "192.0.2.7")), Err(Refusal::Forbidden { .. })));
    }
}

#[test]
fn the_control_plane_answers_from_everywhere() {
    let rig = Rig::new();
    let kind = ContainerKind::Vault;
    set(&rig, kind, Some(PublicNetworkAccess::Disabled), Some(allowing(&[])));
    let who = from(ADMINISTRATOR, "203.0.113.9");
    let found = rig.engine.get_container(&who, kind, &resource(), &ContainerName::parse("contoso").unwrap());
    assert!(found.is_ok());
}
