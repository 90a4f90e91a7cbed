//! What operations on secrets and certificates begin from, and their bodies.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use custody::{Provider as _, SoftwareProvider, SystemEntropy, x509};
use domain::{Curve, KeySpec, Operation, UnixTime};
use e2e::client::Target;
use serde_json::{Value, json};

/// Everything is ready for an operation to succeed on the secret of this name, and this is its body.
pub fn of_secret(data: &Target, right: Operation, name: &str) -> Option<Value> {
    use Operation as Op;
    let value = json!({ "value": "correct horse" });
    if right == Op::SecretSet {
        return Some(value);
    }
    let path = format!("/secrets/{name}");
    data.call("PUT", &path, Some(&value)).expect("a secret");
    match right {
        Op::SecretUpdate => Some(json!({ "tags": { "a": "b" } })),
        Op::SecretRestore => Some(backed_up(data, "secrets", name)),
        Op::SecretGetDeleted | Op::SecretListDeleted | Op::SecretRecover | Op::SecretPurge => {
            data.call("DELETE", &path, None).expect("deleting");
            None
        }
        _ => None,
    }
}

/// The backup of an object that is not there any more.
fn backed_up(data: &Target, collection: &str, name: &str) -> Value {
    let blob = data.call("POST", &format!("/{collection}/{name}/backup"), None).expect("a backup");
    data.call("DELETE", &format!("/{collection}/{name}"), None).expect("deleting");
    data.call("DELETE", &format!("/deleted{collection}/{name}"), None).expect("purging");
    json!({ "value": blob.get("value").cloned() })
}

fn policy(issuer: &str) -> Value {
    json!({ "policy": {
        "key_props": { "kty": "EC", "crv": "P-256" },
        "secret_props": { "contentType": "application/x-pem-file" },
        "x509_props": { "subject": "CN=contoso.com" },
        "issuer": { "name": issuer },
    } })
}

/// The same for certificates, and what a vault has beside them.
pub fn of_certificate(data: &Target, right: Operation, name: &str) -> Option<Value> {
    use Operation as Op;
    let path = format!("/certificates/{name}");
    let create =
        |issuer: &str| data.call("POST", &format!("{path}/create"), Some(&policy(issuer))).expect("a certificate");
    match right {
        Op::CertificateCreate => Some(policy("Self")),
        Op::CertificateImport => {
            create("Self");
            let file = data.call("GET", &format!("/secrets/{name}"), None).expect("its secret");
            data.call("DELETE", &path, None).expect("deleting");
            data.call("DELETE", &format!("/deletedcertificates/{name}"), None).expect("purging");
            Some(json!({ "value": file.get("value").cloned() }))
        }
        Op::CertificatePendingMerge => {
            let begun = create("Unknown");
            let csr = STANDARD.decode(begun.get("csr").and_then(Value::as_str).unwrap()).unwrap();
            Some(json!({ "x5c": signed_outside(&csr).map(|der| STANDARD.encode(der)) }))
        }
        Op::CertificatePendingGet | Op::CertificatePendingUpdate | Op::CertificatePendingDelete => {
            create("Unknown");
            (right == Op::CertificatePendingUpdate).then(|| json!({ "cancellation_requested": true }))
        }
        Op::CertificateContactsGet | Op::CertificateContactsDelete | Op::CertificateContactsSet => {
            let contacts = json!({ "contacts": [{ "email": "a@contoso.com" }] });
            data.call("PUT", "/certificates/contacts", Some(&contacts)).expect("contacts");
            (right == Op::CertificateContactsSet).then_some(contacts)
        }
        Op::CertificateIssuersList
        | Op::CertificateIssuerGet
        | Op::CertificateIssuerSet
        | Op::CertificateIssuerUpdate
        | Op::CertificateIssuerDelete => {
            let issuer = json!({ "provider": "Test" });
            data.call("PUT", &format!("/certificates/issuers/{name}"), Some(&issuer)).expect("an issuer");
            matches!(right, Op::CertificateIssuerSet | Op::CertificateIssuerUpdate).then_some(issuer)
        }
        _ => {
            create("Self");
            of_made_certificate(data, right, name)
        }
    }
}

fn of_made_certificate(data: &Target, right: Operation, name: &str) -> Option<Value> {
    use Operation as Op;
    match right {
        Op::CertificateUpdate => Some(json!({ "tags": { "a": "b" } })),
        Op::CertificatePolicyUpdate => Some(json!({ "x509_props": { "validity_months": 6 } })),
        Op::CertificateRestore => Some(backed_up(data, "certificates", name)),
        Op::CertificateGetDeleted | Op::CertificateListDeleted | Op::CertificateRecover | Op::CertificatePurge => {
            data.call("DELETE", &format!("/certificates/{name}"), None).expect("deleting");
            None
        }
        _ => None,
    }
}

/// What an authority outside makes of a signing request.
pub fn signed_outside(csr: &[u8]) -> [Vec<u8>; 2] {
    let spec = KeySpec::Ec { curve: Curve::P256 };
    let made = SoftwareProvider.generate(spec, &SystemEntropy).unwrap();
    let key = SoftwareProvider.open(spec, &made.public, &made.material).unwrap();
    let validity = x509::Validity { not_before: UnixTime(1_700_000_000), not_after: UnixTime(4_000_000_000) };
    let signer = x509::Signer { key: &*key, public: &made.public };
    let authority = x509::authority("CN=outside", validity, signer, &SystemEntropy).unwrap();
    [x509::issue(csr, &authority, &*key, validity, &SystemEntropy).unwrap(), authority]
}
