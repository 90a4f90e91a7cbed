//! Bodies about certificates, as clients send them.

use super::*;
use domain::{CertificatePolicy, KeyType, UnixTime};
use serde_json::{Value, json};

const NEWEST: ApiVersion = ApiVersion::SHOWS_ALL_NAMES;

fn bytes(body: &Value) -> Vec<u8> {
    serde_json::to_vec(body).unwrap()
}

fn reason<T>(read: Result<T, Problem>) -> String {
    match read {
        Err(Problem::BadParameter(reason)) => reason,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was taken"),
    }
}

/// What `az keyvault certificate create` sends of its default policy.
#[test]
fn the_policy_that_az_proposes_is_read_whole() {
    let body = json!({
        "policy": {
            "key_props": { "exportable": true, "kty": "RSA", "key_size": 2048, "reuse_key": true, "crv": null },
            "secret_props": { "contentType": "application/x-pkcs12" },
            "x509_props": {
                "subject": "CN=CLIGetDefaultPolicy", "ekus": null, "sans": { "dns_names": ["a.example"] },
                "key_usage": ["cRLSign", "digitalSignature"], "validity_months": 12
            },
            "lifetime_actions": [{ "trigger": { "days_before_expiry": 90 }, "action": { "action_type": "AutoRenew" } }],
            "issuer": { "name": "Self", "cty": null, "cert_transparency": null },
            "attributes": { "enabled": true }
        },
        "attributes": { "enabled": false },
        "tags": { "a": "b" },
        "preserveCertOrder": true
    });
    let read = create_certificate(&bytes(&body)).unwrap();
    assert_eq!((read.attributes.enabled, read.tags.len(), read.preserve_order), (Some(false), 1, true));
    let policy = CertificatePolicy::filled(&read.policy.unwrap(), UnixTime(0)).unwrap();
    assert_eq!(policy.x509.names.dns_names, ["a.example"]);
    assert_eq!(policy.key.spec.key_type(), KeyType::Rsa);
    assert!(policy.key.reuse_key && policy.key.exportable);
    assert_eq!(policy.x509.key_usage, [KeyUsage::CrlSign, KeyUsage::DigitalSignature]);
}

#[test]
fn an_import_is_pem_or_pkcs12_however_it_is_wrapped() {
    let of = |value: &str, pwd: Option<&str>| import_certificate(&bytes(&json!({ "value": value, "pwd": pwd })));
    let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (value, pwd) in [(pem.to_owned(), None), (STANDARD.encode(pem), None), (pem.to_owned(), Some("hush"))] {
        let CertificateFile::Pem { text, password } = of(&value, pwd).unwrap().file else { panic!("it has dashes") };
        assert_eq!(text.expose(), pem.as_bytes());
        assert_eq!(password.as_ref().map(Secret::expose), pwd.map(str::as_bytes));
    }
    let CertificateFile::Pkcs12 { bytes, password } = of("MAAA\r\nMAAA", Some("")).unwrap().file else {
        panic!("it has no dashes");
    };
    assert_eq!((bytes.expose().len(), password.is_none()), (6, true));
    let refused = reason(of("not base64!", Some("hush")));
    assert!(refused.contains("'value'") && !refused.contains("base64!") && !refused.contains("hush"), "{refused}");
}

#[test]
fn a_certificate_is_merged_from_base64_and_from_base64_of_that() {
    let der = [0x30, 0x82, 0x03, 0x6b];
    let once = STANDARD.encode(der);
    let read = merge_certificate(&bytes(&json!({ "x5c": [once, STANDARD.encode(&once)] }))).unwrap();
    assert_eq!(read.chain, [der, der]);
}

#[test]
fn unknown_words_and_wrong_encodings_are_refused() {
    let policy = |members: Value| reason(super::policy(&bytes(&members), NEWEST));
    assert!(policy(json!({ "key_props": { "kty": "XYZ" } })).contains("'kty'"));
    assert!(policy(json!({ "key_props": { "kty": "EC", "crv": "P-1" } })).contains("'crv'"));
    assert!(policy(json!({ "x509_props": { "key_usage": ["fly"] } })).contains("'key_usage'"));
    let action = json!({ "lifetime_actions": [{ "action": { "action_type": "Fly" } }] });
    assert!(policy(action).contains("'action_type'"));
    assert!(reason(merge_certificate(b"{}")).contains("'x5c'"));
    assert!(reason(merge_certificate(br#"{"x5c":["%"]}"#)).contains("'x5c'"));
    assert!(reason(update_pending(b"{}")).contains("'cancellation_requested'"));
    assert!(reason(update_pending(br#"{"cancellation_requested":false}"#)).contains("'cancellation_requested'"));
    update_pending(br#"{"cancellation_requested":true}"#).unwrap();
}

#[test]
fn a_certificate_managed_by_the_platform_is_refused_wherever_a_policy_is_read() {
    let managed = json!({ "platformManaged": { "certificateUsage": "tls" } });
    let refused = |read: Result<(), Problem>| matches!(read, Err(Problem::NotSupported(_)));
    assert!(refused(super::policy(&bytes(&managed), NEWEST).map(drop)));
    assert!(refused(create_certificate(&bytes(&json!({ "policy": managed }))).map(drop)));
    assert!(refused(import_certificate(&bytes(&json!({ "value": "MAAA", "policy": managed }))).map(drop)));
    assert!(refused(update_certificate(&bytes(&json!({ "policy": managed })), NEWEST).map(drop)));
    super::policy(br#"{"platformManaged":null}"#, NEWEST).unwrap();
}

#[test]
fn a_client_of_an_older_version_takes_no_names_away_that_it_is_not_shown() {
    let body = json!({ "x509_props": { "sans": { "dns_names": ["b.example"] } } });
    for (version, keeps) in [("7.6", true), ("2025-06-01-preview", false), ("2026-04-01", false)] {
        let version = ApiVersion::parse(version).unwrap();
        assert_eq!(super::policy(&bytes(&body), version).unwrap().keeps_newer_names, keeps, "{version:?}");
        let update = update_certificate(&bytes(&json!({ "policy": body })), version).unwrap();
        assert_eq!(update.policy.unwrap().keeps_newer_names, keeps, "{version:?}");
    }
}
