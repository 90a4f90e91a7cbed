//! Issuers as they are set, changed and named.

use super::*;
use crate::certificate::testkit::{LATER, NOW, parameter, reread};
use proptest::prelude::*;

fn name(text: &str) -> IssuerName {
    IssuerName::parse(text).unwrap()
}

fn asked(provider: &str) -> IssuerChanges {
    IssuerChanges { provider: Some(provider.to_owned()), ..IssuerChanges::default() }
}

fn administrator(email: &str) -> Administrator {
    Administrator { email: Some(email.to_owned()), ..Administrator::default() }
}

fn full() -> Issuer {
    let changes = IssuerChanges {
        account_id: Some("account".to_owned()),
        has_password: true,
        organization_id: Some("contoso".to_owned()),
        administrators: Some(vec![administrator("a@contoso.com")]),
        enabled: Some(false),
        ..asked("DigiCert")
    };
    Issuer::set(name("our-ca"), changes, None, NOW).unwrap()
}

#[test]
fn names_are_those_of_objects_without_the_reserved_ones() {
    for good in ["our-ca", "DigiCert", "self1", "Unknown-", &"n".repeat(127)] {
        assert!(IssuerName::parse(good).is_some(), "{good}");
    }
    for bad in ["", "Self", "self", "SELF", "Unknown", "uNKNOWN", "our ca", "our_ca", "ü", &"n".repeat(128)] {
        assert!(IssuerName::parse(bad).is_none(), "{bad}");
    }
    assert_eq!(name("Our-CA"), name("our-ca"));
}

#[test]
fn only_the_provider_has_to_be_given() {
    let issuer = Issuer::set(name("our-ca"), asked("Test"), None, NOW).unwrap();
    assert!(issuer.enabled && !issuer.has_password && issuer.administrators.is_empty());
    assert_eq!(parameter(Issuer::set(name("our-ca"), IssuerChanges::default(), None, NOW)), "provider");
}

#[test]
fn setting_replaces_everything_but_the_date_of_its_making() {
    let issuer = Issuer::set(name("our-ca"), asked("Test"), Some(&full()), LATER).unwrap();
    let anew = Issuer::set(name("our-ca"), asked("Test"), None, LATER).unwrap();
    assert_eq!(issuer, Issuer { created: NOW, ..anew });
}

#[test]
fn changing_leaves_what_it_does_not_speak_of() {
    let untouched = full().change(IssuerChanges::default(), LATER).unwrap();
    assert_eq!(untouched, Issuer { updated: LATER, ..full() });
    let changes = IssuerChanges { enabled: Some(true), administrators: Some(Vec::new()), ..asked("GlobalSign") };
    let changed = full().change(changes, LATER).unwrap();
    let due = Issuer {
        provider: "GlobalSign".to_owned(),
        administrators: Vec::new(),
        enabled: true,
        updated: LATER,
        ..full()
    };
    assert_eq!(changed, due);
    assert!(changed.has_password, "a password stays until another comes");
}

#[test]
fn each_invalid_member_is_named() {
    let long = || Some("n".repeat(256));
    let administrators = |one| IssuerChanges { administrators: Some(vec![one]), ..IssuerChanges::default() };
    for (changes, wrong) in [
        (asked(""), "provider"),
        (asked("a\nb"), "provider"),
        (IssuerChanges { provider: long(), ..IssuerChanges::default() }, "provider"),
        (IssuerChanges { account_id: Some("n".repeat(2049)), ..IssuerChanges::default() }, "account_id"),
        (IssuerChanges { organization_id: long(), ..IssuerChanges::default() }, "org_details"),
        (administrators(administrator("contoso.com")), "admin_details"),
        (administrators(Administrator { first_name: long(), ..Administrator::default() }), "admin_details"),
        (administrators(Administrator { phone: Some("\0".to_owned()), ..Administrator::default() }), "admin_details"),
        (
            IssuerChanges {
                administrators: Some(vec![administrator("a@contoso.com"); 101]),
                ..IssuerChanges::default()
            },
            "admin_details",
        ),
    ] {
        assert_eq!(parameter(full().change(changes.clone(), LATER)), wrong, "{changes:?}");
    }
    let empty = IssuerChanges { account_id: Some(String::new()), ..administrators(administrator("")) };
    assert!(full().change(empty, LATER).is_ok(), "clients send empty strings for what they do not set");
}

#[test]
fn an_issuer_reads_back_as_stored_and_has_no_password_in_it() {
    assert_eq!(reread(&full()), full());
    let stored = serde_json::to_value(full()).unwrap();
    assert!(!stored.as_object().unwrap().keys().any(|member| member == "password" || member == "pwd"));
}

proptest! {
    #[test]
    fn a_policy_names_every_issuer_and_no_issuer_is_reserved(text in "[A-Za-z0-9-]{1,12}") {
        use crate::IssuerChoice;
        let reserved = ["self", "unknown"].contains(&text.to_lowercase().as_str());
        prop_assert_eq!(IssuerName::parse(&text).is_none(), reserved);
        let choice = IssuerChoice::parse(&text).unwrap();
        prop_assert_eq!(matches!(choice, IssuerChoice::Named(_)), !reserved);
        prop_assert_eq!(serde_json::from_str::<IssuerChoice>(&serde_json::to_string(&choice).unwrap()).unwrap(), choice);
    }
}
