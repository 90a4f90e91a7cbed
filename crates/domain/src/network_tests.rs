//! Which rules are rules, and whom they let in.

use super::*;
use crate::{
    Activation, ContainerId, ContainerName, Guid, HsmProfile, PermissionModel, ResourceId, Sku, State, Tags, UnixTime,
    VaultProfile, lifecycle::DeletionPolicy,
};
use proptest::{collection::vec, prelude::*};
use std::net::{Ipv4Addr, Ipv6Addr};

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn denying(rules: &[&str]) -> NetworkRules {
    NetworkRules {
        default_action: DefaultAction::Deny,
        ip_rules: rules.iter().map(|rule| IpRange::parse(rule).unwrap()).collect::<Vec<_>>().into(),
        ..NetworkRules::default()
    }
}

#[test]
fn a_rule_is_an_address_or_a_range_from_its_first_address_on() {
    for (given, shown) in [
        ("10.0.0.1", "10.0.0.1"),
        ("10.0.0.1/32", "10.0.0.1/32"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("255.255.255.254/31", "255.255.255.254/31"),
        ("::1", "::1"),
        ("::/0", "::/0"),
        ("2001:DB8:0::/48", "2001:db8::/48"),
        ("fe80::1/128", "fe80::1/128"),
    ] {
        assert_eq!(IpRange::parse(given).map(String::from).as_deref(), Some(shown), "{given}");
    }
}

#[test]
fn what_is_no_rule_is_refused() {
    for given in [
        "",
        "/",
        "/8",
        "localhost",
        "10.0.0",
        "10.0.0.256",
        "010.0.0.1",
        "0x0a000001",
        "167772161",
        " 10.0.0.1",
        "10.0.0.1 ",
        "10.0.0.1:443",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/+8",
        "10.0.0.0/08",
        "10.0.0.0/-1",
        "10.0.0.0/8/8",
        "10.0.0.0/255.0.0.0",
        "10.0.0.0-10.0.0.9",
        "10.0.0.1/8",
        "10.0.0.1/0",
        "[::1]",
        "::/129",
        "::1/64",
        "2001:db8::1/48",
        "fe80::1%eth0",
        "::ffff:10.0.0.1",
        "::ffff:10.0.0.0/104",
    ] {
        assert_eq!(IpRange::parse(given), None, "{given}");
    }
}

#[test]
fn under_deny_only_listed_addresses_come_in() {
    for (rules, from, admitted) in [
        (&["10.0.0.1"][..], "10.0.0.1", true),
        (&["10.0.0.1"], "10.0.0.2", false),
        (&["10.0.0.1/32"], "10.0.0.1", true),
        (&["10.0.0.1/32"], "10.0.0.0", false),
        (&["10.0.0.0/8"], "10.255.255.255", true),
        (&["10.0.0.0/8"], "11.0.0.0", false),
        (&["10.0.0.0/8"], "9.255.255.255", false),
        (&["10.0.0.128/25"], "10.0.0.127", false),
        (&["10.0.0.128/25"], "10.0.0.128", true),
        (&["0.0.0.0/0"], "203.0.113.9", true),
        (&["0.0.0.0/0"], "::1", false),
        (&["::/0"], "::1", true),
        (&["::/0"], "127.0.0.1", false),
        (&["::/0"], "::ffff:127.0.0.1", false),
        (&["2001:db8::/48"], "2001:db8:0:ffff::", true),
        (&["2001:db8::/48"], "2001:db8:1::", false),
        (&["::1"], "::1", true),
        (&["::1"], "127.0.0.1", false),
        (&["10.0.0.1", "192.0.2.0/24"], "192.0.2.7", true),
        (&["10.1.0.0/16", "10.0.0.0/8", "10.0.0.0"], "10.200.0.1", true),
        (&["10.1.0.0/16", "10.0.0.0", "192.0.2.7"], "10.200.0.1", false),
        (&["10.0.0.1", "192.0.2.0/24"], "::ffff:192.0.2.7", true),
        // Nobody is let in by being close.
        (&[], "127.0.0.1", false),
        (&[], "::1", false),
    ] {
        let refused = Err(Refusal::NetworkForbidden { address: address(from).to_canonical() });
        let expected = if admitted { Ok(()) } else { refused };
        assert_eq!(denying(rules).admits(address(from)), expected, "{from} under {rules:?}");
    }
}

proptest! {
    /// Few bits, so that ranges meet and addresses hit them.
    #[test]
    fn looked_up_or_compared_one_by_one_is_the_same(
        ranges in vec((any::<bool>(), 0..16u32, 28..=32u8), 0..20),
        (v4, host) in (any::<bool>(), 0..16u32),
    ) {
        let at = |v4, bits: u32| -> IpAddr {
            if v4 { Ipv4Addr::from_bits(bits).into() } else { Ipv6Addr::from_bits(bits.into()).into() }
        };
        let range = |(v4, bits, prefix): (bool, u32, u8)| {
            let first = at(v4, bits & u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0));
            IpRange::parse(&format!("{first}/{}", if v4 { prefix } else { prefix + 96 })).unwrap()
        };
        let ranges: Vec<IpRange> = ranges.into_iter().map(range).collect();
        let address = at(v4, host);
        let one_by_one = ranges.iter().any(|range| range.contains(address));
        let rules = IpRules::from(ranges.clone());
        prop_assert_eq!(rules.contain(address), one_by_one);
        prop_assert_eq!(rules.iter().collect::<Vec<_>>(), ranges);
    }
}

#[test]
fn without_deny_everybody_comes_in() {
    let open = NetworkRules { default_action: DefaultAction::Allow, ..denying(&["10.0.0.1"]) };
    assert_eq!(open.admits(address("203.0.113.9")), Ok(()));
    assert_eq!(NetworkRules::default().admits(address("203.0.113.9")), Ok(()));
}

#[test]
fn what_can_not_be_matched_admits_nobody() {
    let rules = NetworkRules {
        bypass: Bypass::AzureServices,
        virtual_network_rules: vec![VirtualNetworkRule { id: "/v".to_owned(), ignore_missing_endpoint: None }],
        service_tags: vec!["AzureCloud".to_owned()],
        ..denying(&[])
    };
    let from = address("10.0.0.1");
    assert_eq!(rules.admits(from), Err(Refusal::NetworkForbidden { address: from }));
}

#[test]
fn rules_are_kept_as_text() {
    let rules = denying(&["10.0.0.0/8", "::1"]);
    let text = serde_json::to_string(&rules).unwrap();
    assert!(text.contains(r#""ip_rules":["10.0.0.0/8","::1"]"#), "{text}");
    assert_eq!(serde_json::from_str::<NetworkRules>(&text).unwrap(), rules);
    assert!(serde_json::from_str::<NetworkRules>(&text.replace("::1", "::1/0")).is_err());
}

fn container(profile: Profile) -> Container {
    Container {
        id: ContainerId(Guid::from_u128(1)),
        name: ContainerName::parse("contoso").unwrap(),
        resource: ResourceId { subscription: Guid::from_u128(2), resource_group: "rg".to_owned() },
        location: "eastus".to_owned(),
        tenant: Guid::from_u128(3),
        tags: Tags::new(),
        sku: Sku { family: "A".to_owned(), name: "standard".to_owned() },
        policy: DeletionPolicy { soft_delete: None, purge_protection: false, undeletable_subscription: false },
        state: State::Live,
        created: UnixTime(0),
        updated: UnixTime(0),
        profile,
    }
}

fn both(public_network_access: PublicNetworkAccess, network_rules: Option<NetworkRules>) -> [Container; 2] {
    let vault = VaultProfile {
        permission_model: PermissionModel::Rbac,
        access_policies: Vec::new(),
        enabled_for_deployment: false,
        enabled_for_disk_encryption: false,
        enabled_for_template_deployment: false,
        public_network_access,
        network_rules: network_rules.clone(),
    };
    let hsm = HsmProfile {
        activation: Activation::Active,
        initial_admins: Vec::new(),
        public_network_access,
        network_rules,
        regions: Vec::new(),
    };
    [container(Profile::Vault(vault)), container(Profile::ManagedHsm(hsm))]
}

#[test]
fn disabled_public_access_beats_the_rules_and_the_service_comes_from_no_network() {
    let (listed, stranger) = (address("10.0.0.1"), address("10.0.0.2"));
    let forbidden = Refusal::NetworkForbidden { address: stranger };
    let rules = Some(denying(&["10.0.0.1"]));
    for (access, rules, from, expected) in [
        (PublicNetworkAccess::Enabled, None, Some(stranger), Ok(())),
        (PublicNetworkAccess::Enabled, rules.clone(), Some(listed), Ok(())),
        (PublicNetworkAccess::Enabled, rules.clone(), Some(stranger), Err(forbidden)),
        (PublicNetworkAccess::Enabled, rules.clone(), None, Ok(())),
        (PublicNetworkAccess::Disabled, None, Some(listed), Err(Refusal::PublicNetworkDisabled)),
        (PublicNetworkAccess::Disabled, rules.clone(), Some(listed), Err(Refusal::PublicNetworkDisabled)),
        (PublicNetworkAccess::Disabled, rules, None, Ok(())),
    ] {
        for container in both(access, rules.clone()) {
            assert_eq!(container.admits(from), expected, "{from:?}, {access:?}, {rules:?}");
        }
    }
}
