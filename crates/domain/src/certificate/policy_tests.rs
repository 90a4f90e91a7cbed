//! What a policy becomes, member by member.

use super::*;
use crate::certificate::testkit::{LATER, NOW, issued_by, named, parameter, reread};
use LifetimeStepKind::{AutoRenew, EmailContacts};
use proptest::{prelude::*, sample::select};

fn filled(request: &PolicyRequest) -> Result<CertificatePolicy, Refusal> {
    CertificatePolicy::filled(request, NOW)
}

fn with_key(key: KeyRequest) -> PolicyRequest {
    PolicyRequest { key, ..named("CN=a") }
}

fn of_type(key_type: KeyType) -> KeyRequest {
    KeyRequest { key_type: Some(key_type), ..KeyRequest::default() }
}

#[test]
fn a_subject_is_enough_for_the_documented_defaults() {
    let policy = filled(&named("CN=contoso.com")).unwrap();
    let key = KeyProperties { spec: KeySpec::DEFAULT_RSA, hsm: false, exportable: true, reuse_key: false };
    assert_eq!(policy.key, key);
    assert_eq!(policy.content.as_str(), "application/x-pkcs12");
    assert_eq!(policy.x509.key_usage, [KeyUsage::DigitalSignature, KeyUsage::KeyEncipherment]);
    assert_eq!(policy.x509.ekus, ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
    assert_eq!(policy.x509.validity_months, 12);
    assert_eq!(policy.issuer.name, IssuerChoice::Own);
    let step = LifetimeStep { trigger: LifetimeTrigger::Percentage(80), action: AutoRenew };
    assert_eq!(policy.lifetime_actions, [step]);
    assert_eq!((policy.enabled, policy.created, policy.updated), (true, NOW, NOW));
}

#[test]
fn an_ec_key_signs_and_enciphers_nothing_by_default() {
    let policy = filled(&with_key(of_type(KeyType::Ec))).unwrap();
    assert_eq!(policy.key.spec, KeySpec::DEFAULT_EC);
    assert_eq!(policy.x509.key_usage, [KeyUsage::DigitalSignature]);
}

#[test]
fn who_signs_decides_what_happens_at_80_percent() {
    for (issuer, action) in [
        ("Self", AutoRenew),
        ("SELF", AutoRenew),
        ("our-ca", AutoRenew),
        ("Unknown", EmailContacts),
        ("unknown", EmailContacts),
    ] {
        let steps = issued_by(issuer).lifetime_actions;
        assert_eq!(steps, [LifetimeStep { trigger: LifetimeTrigger::DEFAULT, action }], "{issuer}");
    }
    assert_eq!(String::from(issued_by("SELF").issuer.name), "Self", "reserved names have one spelling");
}

#[test]
fn an_empty_list_of_actions_is_an_answer() {
    let request = PolicyRequest { lifetime_actions: Some(Vec::new()), ..named("CN=a") };
    assert_eq!(filled(&request).unwrap().lifetime_actions, []);
}

#[test]
fn keys_are_asked_for_by_type_size_and_curve() {
    use KeyType::{Ec, Oct, Rsa};
    let ec = |curve| Ok(KeySpec::Ec { curve });
    let rsa = |bits| Ok(KeySpec::Rsa { bits });
    for (key_type, bits, curve, spec) in [
        (None, None, None, rsa(2048)),
        (None, Some(4096), None, rsa(4096)),
        (Some(Rsa), Some(3072), None, rsa(3072)),
        (Some(Ec), None, None, ec(Curve::P256)),
        (Some(Ec), None, Some(Curve::P521), ec(Curve::P521)),
        (Some(Ec), Some(384), None, ec(Curve::P384)),
        (Some(Ec), Some(256), Some(Curve::P256K), ec(Curve::P256K)),
        (None, None, Some(Curve::P384), ec(Curve::P384)),
        (Some(Ec), Some(2048), None, Err("key_size")),
        (Some(Ec), Some(384), Some(Curve::P256), Err("key_size")),
        (Some(Rsa), None, Some(Curve::P256), Err("crv")),
        (Some(Rsa), Some(1024), None, Err("(key size)")),
        (Some(Rsa), Some(-1), None, Err("key_size")),
        (Some(Oct), None, None, Err("kty")),
    ] {
        let result = filled(&with_key(KeyRequest { key_type, bits, curve, ..KeyRequest::default() }));
        match spec {
            Ok(spec) => assert_eq!(result.unwrap().key.spec, spec, "{key_type:?} {bits:?} {curve:?}"),
            Err(wrong) => assert_eq!(parameter(result), wrong, "{key_type:?} {bits:?} {curve:?}"),
        }
    }
}

#[test]
fn a_key_that_an_hsm_protects_is_not_exportable() {
    let in_hsm = |exportable| with_key(KeyRequest { hsm: true, exportable, ..of_type(KeyType::Rsa) });
    let key = filled(&in_hsm(None)).unwrap().key;
    assert!(key.hsm && !key.exportable);
    assert!(filled(&in_hsm(Some(false))).is_ok());
    assert_eq!(parameter(filled(&in_hsm(Some(true)))), "exportable");
    let untyped = filled(&with_key(KeyRequest { hsm: true, ..KeyRequest::default() })).unwrap().key;
    assert!(!untyped.hsm && untyped.exportable, "the protection is a part of the type");
    let moved = issued_by("Self").amended(&in_hsm(None), LATER).unwrap().key;
    assert!(moved.hsm && !moved.exportable, "a key that moves into an HSM is not exportable any more");
}

#[test]
fn each_invalid_member_is_named() {
    let action = |percentage, days_before_expiry| PolicyRequest {
        lifetime_actions: Some(vec![LifetimeStepRequest { action: Some(AutoRenew), percentage, days_before_expiry }]),
        ..named("CN=a")
    };
    let issuer = |name: &str| {
        let issuer = IssuerRequest { name: Some(name.to_owned()), ..IssuerRequest::default() };
        PolicyRequest { issuer, ..named("CN=a") }
    };
    let months = |months| PolicyRequest { validity_months: Some(months), ..named("CN=a") };
    let content = |text: &str| PolicyRequest { content_type: Some(text.to_owned()), ..named("CN=a") };
    let unsaid = LifetimeStepRequest { percentage: Some(80), ..LifetimeStepRequest::default() };
    for (request, wrong) in [
        (action(Some(0), None), "lifetime_percentage"),
        (action(Some(100), None), "lifetime_percentage"),
        (action(Some(i64::MAX), None), "lifetime_percentage"),
        (action(None, Some(-1)), "days_before_expiry"),
        (action(None, Some(0)), "days_before_expiry"),
        (action(None, Some(12 * 27 + 1)), "days_before_expiry"),
        (action(None, None), "lifetime_actions"),
        (action(Some(80), Some(30)), "lifetime_actions"),
        (PolicyRequest { lifetime_actions: Some(vec![unsaid]), ..named("CN=a") }, "lifetime_actions"),
        (issuer(""), "issuer"),
        (issuer("our ca"), "issuer"),
        (issuer(&"n".repeat(128)), "issuer"),
        (months(0), "validity_months"),
        (months(-12), "validity_months"),
        (months(1201), "validity_months"),
        (content(""), "contentType"),
        (content("text/plain"), "contentType"),
        (PolicyRequest::default(), "x509_props"),
    ] {
        assert_eq!(parameter(filled(&request)), wrong, "{request:?}");
        if wrong != "x509_props" {
            assert_eq!(parameter(issued_by("Self").amended(&request, LATER)), wrong, "{request:?}");
        }
    }
    for request in [
        action(Some(1), None),
        action(Some(99), None),
        action(None, Some(1)),
        action(None, Some(12 * 27)),
        months(1),
        months(1200),
        content("application/x-pem-file"),
    ] {
        assert!(filled(&request).is_ok(), "{request:?}");
    }
}

#[test]
fn a_shorter_validity_is_measured_against_the_actions_that_stay() {
    let days = LifetimeStepRequest { days_before_expiry: Some(90), action: Some(AutoRenew), percentage: None };
    let policy = filled(&PolicyRequest { lifetime_actions: Some(vec![days]), ..named("CN=a") }).unwrap();
    let months = |months| PolicyRequest { validity_months: Some(months), ..PolicyRequest::default() };
    assert_eq!(parameter(policy.amended(&months(3), LATER)), "days_before_expiry");
    assert!(policy.amended(&months(4), LATER).is_ok());
}

#[test]
fn what_an_amendment_does_not_speak_of_stays() {
    let before = issued_by("our-ca");
    let request = PolicyRequest {
        key: KeyRequest { bits: Some(3072), ..KeyRequest::default() },
        content_type: Some("application/x-pem-file".to_owned()),
        issuer: IssuerRequest { certificate_type: Some("OV-SSL".to_owned()), ..IssuerRequest::default() },
        ..PolicyRequest::default()
    };
    let after = before.amended(&request, LATER).unwrap();
    assert_eq!(after.key, KeyProperties { spec: KeySpec::Rsa { bits: 3072 }, ..before.key.clone() });
    assert_eq!(after.content, CertificateContent::Pem);
    assert_eq!(after.issuer.certificate_type.as_deref(), Some("OV-SSL"));
    assert_eq!((&after.issuer.name, &after.x509), (&before.issuer.name, &before.x509));
    assert_eq!(after.lifetime_actions, before.lifetime_actions);
    assert_eq!((after.created, after.updated), (NOW, LATER));
}

#[test]
fn an_amended_key_keeps_its_size_and_curve_as_long_as_they_fit() {
    let kept = |spec| KeyProperties { spec, hsm: false, exportable: true, reuse_key: true };
    let (rsa, ec) = (KeySpec::Rsa { bits: 4096 }, KeySpec::Ec { curve: Curve::P256K });
    let sized = |bits| KeyRequest { bits: Some(bits), ..KeyRequest::default() };
    for (before, request, after) in [
        (rsa, KeyRequest::default(), rsa),
        (rsa, of_type(KeyType::Rsa), rsa),
        (rsa, of_type(KeyType::Ec), KeySpec::DEFAULT_EC),
        (ec, of_type(KeyType::Ec), ec),
        (ec, of_type(KeyType::Rsa), KeySpec::DEFAULT_RSA),
        (ec, sized(256), ec),
        (ec, sized(384), KeySpec::Ec { curve: Curve::P384 }),
    ] {
        let amended = request.amend(&kept(before)).unwrap();
        assert_eq!(amended, kept(after), "{before:?} {request:?}");
    }
}

#[test]
fn an_imported_certificate_is_as_it_is_and_of_an_unknown_issuer() {
    let contents = X509Properties {
        subject: String::new(),
        names: AlternativeNames { dns_names: vec!["n".repeat(300)], ..AlternativeNames::default() },
        ekus: Vec::new(),
        key_usage: Vec::new(),
        validity_months: 9999,
        is_authority: false,
    };
    let imported = |request: &PolicyRequest| {
        CertificatePolicy::imported(request, KeySpec::Rsa { bits: 3072 }, contents.clone(), NOW)
    };
    let asked = PolicyRequest { validity_months: Some(1), ..with_key(of_type(KeyType::Ec)) };
    let policy = imported(&asked).unwrap();
    assert_eq!((&policy.x509, policy.key.spec), (&contents, KeySpec::Rsa { bits: 3072 }));
    assert_eq!(policy.issuer.name, IssuerChoice::Unknown);
    assert_eq!(policy.lifetime_actions[0].action, EmailContacts);
    let key = KeyRequest { hsm: true, exportable: Some(true), ..of_type(KeyType::Rsa) };
    assert_eq!(parameter(imported(&PolicyRequest { key, ..PolicyRequest::default() })), "exportable");
}

#[test]
fn actions_meant_for_longer_lives_are_no_reason_to_refuse_an_import() {
    let action =
        |days| LifetimeStepRequest { percentage: None, days_before_expiry: Some(days), action: Some(EmailContacts) };
    let asked = |days| PolicyRequest { lifetime_actions: Some(vec![action(days)]), ..PolicyRequest::default() };
    let contents = X509Properties { validity_months: 3, ..filled(&named("CN=a")).unwrap().x509 };
    let imported = |days| CertificatePolicy::imported(&asked(days), KeySpec::Rsa { bits: 2048 }, contents.clone(), NOW);
    assert_eq!(parameter(imported(0)), "days_before_expiry");
    let policy = imported(90).unwrap();
    assert_eq!(policy.lifetime_actions[0].trigger, LifetimeTrigger::DaysBeforeExpiry(90));
    // They stay as long as nobody asks for others, also where a client sends back what it has read.
    let disabled = PolicyRequest { enabled: Some(false), ..PolicyRequest::default() };
    let repeated = PolicyRequest { validity_months: Some(3), enabled: Some(false), ..asked(90) };
    for request in [disabled, asked(90), repeated] {
        assert_eq!(policy.amended(&request, LATER).unwrap().lifetime_actions, policy.lifetime_actions);
    }
    let shorter = PolicyRequest { validity_months: Some(2), ..asked(90) };
    for request in [asked(91), shorter] {
        assert_eq!(parameter(policy.amended(&request, LATER)), "days_before_expiry");
    }
}

#[test]
fn only_what_is_changed_of_an_imported_policy_is_judged() {
    let contents = X509Properties {
        subject: String::new(),
        names: AlternativeNames::default(),
        ekus: vec!["1".to_owned()],
        key_usage: Vec::new(),
        validity_months: 1201,
        is_authority: false,
    };
    let spec = KeySpec::Rsa { bits: 1024 };
    let policy = CertificatePolicy::imported(&PolicyRequest::default(), spec, contents.clone(), NOW).unwrap();
    let step = LifetimeStepRequest { percentage: Some(50), days_before_expiry: None, action: Some(EmailContacts) };
    let request = PolicyRequest {
        // What a client reads, it sends back.
        subject: Some(String::new()),
        names: Some(AlternativeNames::default()),
        ekus: Some(contents.ekus.clone()),
        validity_months: Some(1201),
        key: KeyRequest { bits: Some(1024), reuse_key: Some(true), ..of_type(KeyType::Rsa) },
        lifetime_actions: Some(vec![step]),
        ..PolicyRequest::default()
    };
    let amended = policy.amended(&request, LATER).unwrap();
    assert_eq!((&amended.x509, amended.key.reuse_key), (&contents, true));
    assert_eq!(amended.lifetime_actions[0].trigger, LifetimeTrigger::Percentage(50));
    let months = PolicyRequest { validity_months: Some(1202), ..PolicyRequest::default() };
    let ekus = PolicyRequest { ekus: Some(vec!["2".to_owned()]), ..PolicyRequest::default() };
    let size =
        PolicyRequest { key: KeyRequest { bits: Some(1025), ..KeyRequest::default() }, ..PolicyRequest::default() };
    let mut issuer = PolicyRequest::default();
    issuer.issuer.name = Some("Self".to_owned());
    for (request, wrong) in [(months, "validity_months"), (ekus, "ekus"), (size, "(key size)"), (issuer, "x509_props")]
    {
        assert_eq!(parameter(policy.amended(&request, LATER)), wrong, "{request:?}");
    }
}

#[test]
fn who_does_not_know_of_a_kind_of_name_does_not_take_it_away() {
    let names = |uris: &[&str], dns: &str| AlternativeNames {
        uris: uris.iter().map(|uri| (*uri).to_owned()).collect(),
        dns_names: vec![dns.to_owned()],
        ..AlternativeNames::default()
    };
    let with = |names, keeps_newer_names| PolicyRequest { names, keeps_newer_names, ..PolicyRequest::default() };
    let mut before = filled(&with(Some(names(&["spiffe://a"], "a")), false)).unwrap();
    before.x509.names.ip_addresses = vec!["192.0.2.1".to_owned()];
    let after = |request| before.amended(&request, LATER).unwrap().x509.names;
    assert_eq!(after(with(Some(names(&[], "b")), false)), names(&[], "b"));
    let kept = AlternativeNames { ip_addresses: before.x509.names.ip_addresses.clone(), ..names(&["spiffe://a"], "b") };
    assert_eq!(after(with(Some(names(&[], "b")), true)), kept);
    assert_eq!(after(with(Some(names(&["spiffe://b"], "b")), true)).uris, ["spiffe://b"]);
    assert_eq!(after(with(None, true)), before.x509.names);
}

fn request() -> impl Strategy<Value = PolicyRequest> {
    let key_type = select(vec![None, Some(KeyType::Rsa), Some(KeyType::Ec), Some(KeyType::Oct)]);
    let bits = select(vec![None, Some(256), Some(2048), Some(4096), Some(521), Some(7)]);
    let key = (key_type, bits, any::<(bool, Option<bool>, Option<bool>)>()).prop_map(
        |(key_type, bits, (hsm, exportable, reuse_key))| KeyRequest {
            key_type,
            hsm,
            bits,
            curve: None,
            exportable,
            reuse_key,
        },
    );
    let action = (select(LifetimeStepKind::ALL), proptest::option::of(-1..120_i64), proptest::option::of(-1..400_i64))
        .prop_map(|(action, percentage, days_before_expiry)| LifetimeStepRequest {
            action: Some(action),
            percentage,
            days_before_expiry,
        });
    let actions = proptest::option::of(proptest::collection::vec(action, 0..3));
    let usage = proptest::option::of(proptest::collection::vec(select(KeyUsage::ALL), 0..4));
    let rest = (
        proptest::option::of(-1..1300_i64),
        select(vec![None, Some("Self"), Some("Unknown"), Some("ca"), Some("c a")]),
    );
    let subject = select(vec![None, Some("CN=a"), Some("")]);
    (key, actions, usage, rest, subject, any::<Option<bool>>()).prop_map(
        |(key, lifetime_actions, key_usage, (validity_months, issuer), subject, enabled)| PolicyRequest {
            key,
            subject: subject.map(str::to_owned),
            key_usage,
            validity_months,
            lifetime_actions,
            issuer: IssuerRequest { name: issuer.map(str::to_owned), ..IssuerRequest::default() },
            enabled,
            ..PolicyRequest::default()
        },
    )
}

proptest! {
    #[test]
    fn whatever_is_asked_for_a_policy_is_valid_stable_and_reads_back(
        first in request().prop_map(|request| PolicyRequest { subject: Some("CN=a".to_owned()), ..request }),
        then in request(),
    ) {
        let Ok(policy) = filled(&first) else { return Ok(()) };
        prop_assert_eq!(policy.check(), Ok(()));
        prop_assert_eq!(&reread(&policy), &policy);
        // Nothing said, nothing changed.
        let untouched = policy.amended(&PolicyRequest::default(), LATER).unwrap();
        prop_assert_eq!(untouched, CertificatePolicy { updated: LATER, ..policy.clone() });
        // Said twice is said once.
        if let Ok(amended) = policy.amended(&then, LATER) {
            prop_assert_eq!(amended.check(), Ok(()));
            prop_assert_eq!(amended.amended(&then, LATER), Ok(amended.clone()));
            prop_assert_eq!(amended.created, NOW);
        }
    }
}

#[test]
fn a_certificate_is_valid_from_a_little_before_it_is_made_and_for_whole_months_after() {
    let x509 = |validity_months| X509Properties { validity_months, ..issued_by("Self").x509 };
    // A year from the 1st of January 2026.
    let begun = UnixTime(NOW.0 - 600);
    assert_eq!(x509(12).validity(NOW), Some((begun, NOW.plus_days(365))));
    assert_eq!(x509(1).validity(NOW), Some((begun, NOW.plus_days(31))));
    for months in [120_000, u32::MAX] {
        assert_eq!(x509(months).validity(NOW), None, "{months}");
    }
}

#[test]
fn only_what_is_imported_may_be_an_authoritys() {
    let authority = X509Properties { is_authority: true, ..issued_by("Self").x509 };
    let rsa = KeySpec::Rsa { bits: 2048 };
    let imported = CertificatePolicy::imported(&PolicyRequest::default(), rsa, authority, NOW).unwrap();
    let amended = imported.amended(&named("CN=other"), LATER).unwrap();
    assert!(amended.x509.is_authority, "what an amendment does not speak of stays");
    let stored = serde_json::to_value(&amended.x509).unwrap();
    assert_eq!(reread(&amended.x509), amended.x509);
    let mut older = stored;
    older.as_object_mut().unwrap().remove("is_authority").unwrap();
    assert!(!serde_json::from_value::<X509Properties>(older).unwrap().is_authority, "as older versions stored it");
    assert!(!issued_by("Self").x509.is_authority);
}
