//! The form of names, one by one.

use super::*;
use crate::certificate::{
    PolicyRequest,
    testkit::{NOW, named, parameter},
};
use proptest::prelude::*;

fn names(set: impl FnOnce(&mut AlternativeNames)) -> PolicyRequest {
    let mut names = AlternativeNames::default();
    set(&mut names);
    PolicyRequest { names: Some(names), ..PolicyRequest::default() }
}

fn one(text: &str) -> Vec<String> {
    vec![text.to_owned()]
}

#[test]
fn alternative_names_do_without_a_subject() {
    for request in [
        names(|names| names.emails = one("a@contoso.com")),
        names(|names| names.dns_names = one("*.contoso.com")),
        names(|names| names.upns = one("grün@contoso.com")),
        names(|names| names.uris = one("spiffe://contoso/web")),
        names(|names| names.ip_addresses = vec!["10.0.0.1".to_owned(), "2001:db8::1".to_owned()]),
    ] {
        let policy = CertificatePolicy::filled(&request, NOW).unwrap();
        assert_eq!((policy.x509.subject.as_str(), Some(policy.x509.names)), ("", request.names));
    }
}

#[test]
fn what_signs_itself_has_a_name_that_fits() {
    let long = format!("{}.contoso.com", "n".repeat(60));
    let several = |names: &mut AlternativeNames| {
        names.dns_names = one(&long);
        names.emails = one("a@contoso.com");
        names.uris = one("spiffe://contoso/web");
    };
    let policy = CertificatePolicy::filled(&names(several), NOW).unwrap();
    assert_eq!(policy.x509.names.common_name(), Some("a@contoso.com"));
    let mut nameless = names(|names| names.dns_names = one(&long));
    assert_eq!(parameter(CertificatePolicy::filled(&nameless, NOW)), "subject");
    // Whoever else signs has a name of their own.
    for issuer in ["Unknown", "our-ca"] {
        nameless.issuer.name = Some(issuer.to_owned());
        let policy = CertificatePolicy::filled(&nameless, NOW).unwrap();
        let mut own = PolicyRequest::default();
        own.issuer.name = Some("Self".to_owned());
        assert_eq!(parameter(policy.amended(&own, NOW)), "subject");
    }
    nameless.issuer.name = None;
    nameless.subject = Some("  ".to_owned());
    assert_eq!(parameter(CertificatePolicy::filled(&nameless, NOW)), "subject");
}

#[test]
fn each_kind_of_name_has_its_form() {
    for (request, wrong) in [
        (names(|names| names.emails = one("contoso.com")), "emails"),
        (names(|names| names.emails = one("a@b@c")), "emails"),
        (names(|names| names.emails = one("@contoso.com")), "emails"),
        (names(|names| names.dns_names = one("")), "dns_names"),
        (names(|names| names.dns_names = one("grün.contoso.com")), "dns_names"),
        (names(|names| names.dns_names = one("a b")), "dns_names"),
        (names(|names| names.dns_names = one(&"n".repeat(256))), "dns_names"),
        (names(|names| names.upns = one("a\nb")), "upns"),
        (names(|names| names.upns = one(&"n".repeat(256))), "upns"),
        (names(|names| names.uris = one("contoso.com")), "uris"),
        (names(|names| names.uris = one(":opaque")), "uris"),
        (names(|names| names.uris = one(&format!("u:{}", "n".repeat(2047)))), "uris"),
        (names(|names| names.ip_addresses = one("10.0.0.0/8")), "ipAddresses"),
        (names(|names| names.ip_addresses = one("10.0.0")), "ipAddresses"),
        (names(|names| names.dns_names = vec!["a".to_owned(); 257]), "sans"),
        (names(|_| {}), "x509_props"),
        (named(""), "x509_props"),
        (named("CN=a\0"), "subject"),
        (named(&"n".repeat(1025)), "subject"),
    ] {
        assert_eq!(parameter(CertificatePolicy::filled(&request, NOW)), wrong, "{request:?}");
    }
    let most = names(|names| names.dns_names = vec!["a".to_owned(); 256]);
    assert!(CertificatePolicy::filled(&most, NOW).is_ok());
}

#[test]
fn extended_key_usages_are_object_identifiers() {
    for good in ["1.3.6.1.5.5.7.3.1", "2.5.29.37.0", "0.0", "2.999", "2.25.329800735698586629295641978511506172918"] {
        assert!(is_object_identifier(good), "{good}");
    }
    for bad in
        ["", "1", "1.", ".1", "1..2", "1.40", "3.1", "1.03", "01.3", "1.3.a", "serverAuth", "1.3 ", "1.-3", "1.+3"]
    {
        assert!(!is_object_identifier(bad), "{bad}");
    }
    let with = |ekus| CertificatePolicy::filled(&PolicyRequest { ekus: Some(ekus), ..named("CN=a") }, NOW);
    assert!(with(Vec::new()).is_ok());
    assert_eq!(parameter(with(one("serverAuth"))), "ekus");
    assert_eq!(parameter(with(vec!["1.3".to_owned(); 65])), "ekus");
    assert_eq!(parameter(with(one(&format!("1.3.{}", "1".repeat(128))))), "ekus");
}

#[test]
fn there_is_one_action_of_each_kind_at_most() {
    use crate::{
        LifetimeStepKind::{AutoRenew, EmailContacts},
        LifetimeStepRequest,
    };
    let with = |kinds: &[crate::LifetimeStepKind]| {
        let action = |kind: &crate::LifetimeStepKind| LifetimeStepRequest {
            action: Some(*kind),
            percentage: Some(50),
            days_before_expiry: None,
        };
        let lifetime_actions = Some(kinds.iter().map(action).collect());
        CertificatePolicy::filled(&PolicyRequest { lifetime_actions, ..named("CN=a") }, NOW)
    };
    assert!(with(&[AutoRenew, EmailContacts]).is_ok());
    assert_eq!(parameter(with(&[AutoRenew, AutoRenew])), "lifetime_actions");
    assert_eq!(parameter(with(&[EmailContacts, AutoRenew, EmailContacts])), "lifetime_actions");
}

proptest! {
    #[test]
    fn numbers_with_dots_between_are_object_identifiers(arcs in proptest::collection::vec(any::<u64>(), 0..5)) {
        let text = arcs.iter().fold("1.3".to_owned(), |text, arc| format!("{text}.{arc}"));
        prop_assert!(is_object_identifier(&text));
        prop_assert!(!is_object_identifier(&(text + ".")));
    }

    #[test]
    fn no_text_upsets_the_rules(text: String) {
        prop_assert!(!is_email(&text) || text.matches('@').count() == 1);
        prop_assert!(!is_object_identifier(&text) || text.starts_with(['0', '1', '2']));
        prop_assert_eq!(is_text(&text, 4), !text.is_empty() && text.chars().count() <= 4 && !text.contains(char::is_control));
    }
}
