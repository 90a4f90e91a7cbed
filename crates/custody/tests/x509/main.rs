//! Certificates and requests: made and read back, judged by a verifier that is not ours, and compared with OpenSSL's.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, wherever in it")]

mod chains;
mod issuing;
mod names;
mod reading;
mod self_signing;
mod subjects;

use custody::{
    SoftwareProvider,
    conformance::{
        SeededEntropy,
        keys::{Key, ec_keys, rsa_keys},
    },
    x509::{Certificate, Signer, Validity, authority, certification_request, check_properties, self_signed},
};
use domain::{AlternativeNames, KeyUsage, Refusal, UnixTime, X509Properties};

/// 2026-01-01, and 90 days later.
const VALIDITY: Validity = Validity { not_before: UnixTime(1_767_225_600), not_after: UnixTime(1_775_001_600) };
const DECADE: Validity = Validity { not_before: UnixTime(1_735_689_600), not_after: UnixTime(2_051_222_400) };

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../certificates/", $name))
    };
}
use fixture;

fn entropy() -> SeededEntropy {
    SeededEntropy::new(40)
}

/// RSA-2048 and -3072, and one key on each curve.
fn keys() -> Vec<Key> {
    let mut keys = rsa_keys(&SoftwareProvider);
    keys.truncate(2);
    keys.extend(ec_keys(&SoftwareProvider));
    keys
}

fn signer(key: &Key) -> Signer<'_> {
    Signer { key: &*key.handle, public: &key.generated.public }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn properties() -> X509Properties {
    X509Properties {
        subject: "CN=www.contoso.com, O=\"Contoso, Ltd\", C=US".to_owned(),
        names: AlternativeNames {
            emails: texts(&["admin@contoso.com"]),
            dns_names: texts(&["www.contoso.com", "*.contoso.net"]),
            upns: texts(&["grüße@contoso.com"]),
            uris: texts(&["https://contoso.com/a?b=c"]),
            ip_addresses: texts(&["10.0.0.1", "2001:db8::1"]),
        },
        ekus: texts(&["1.3.6.1.5.5.7.3.1", "1.3.6.1.4.1.311.10.3.4"]),
        key_usage: vec![KeyUsage::DigitalSignature, KeyUsage::KeyEncipherment, KeyUsage::DecipherOnly],
        validity_months: 3,
        is_authority: false,
    }
}

fn with_subject(subject: &str) -> X509Properties {
    X509Properties { subject: subject.to_owned(), ..properties() }
}

fn of_authority(key: &Key, subject: &str) -> Vec<u8> {
    authority(subject, DECADE, signer(key), &entropy()).unwrap()
}

fn request(key: &Key, properties: &X509Properties) -> Vec<u8> {
    certification_request(properties, signer(key), &entropy()).unwrap()
}

/// The parameter that was refused.
fn refused(properties: &X509Properties) -> Option<&'static str> {
    match check_properties(properties) {
        Err(Refusal::ParameterInvalid { parameter, .. }) => Some(parameter),
        Err(other) => unreachable!("another refusal: {other}"),
        Ok(()) => None,
    }
}

/// How a subject comes back from a certificate, and its encoding.
fn written(subject: &str) -> (String, Vec<u8>) {
    let key = &ec_keys(&SoftwareProvider)[0];
    let der = self_signed(&with_subject(subject), VALIDITY, signer(key), &entropy()).unwrap();
    (Certificate::read(&der).unwrap().subject, der)
}
