//! Certificates: begun, made, completed, renewed; and their key and secret, which go where they go.

mod pending;
mod private_ca;
mod renewal;
mod trio;

use crate::rig::{ADMINISTRATOR, Rig, caller, key_name};
use custody::x509;
use domain::{
    CertificateRefusal, ContainerKind, Curve, IssuerChanges, IssuerName, IssuerRequest, KeyRequest, KeyType,
    ObjectKind, OperationStatus, PolicyRequest, Refusal, UnixTime, VersionId,
};
use engine::{CreateCertificate, Error, KeyReference, ObjectView, PRIVATE_CA, SetIssuer};

const VAULT: ContainerKind = ContainerKind::Vault;
const TRIO: [ObjectKind; 3] = [ObjectKind::Certificate, ObjectKind::Key, ObjectKind::Secret];

fn request(issuer: &str) -> CreateCertificate {
    let policy = PolicyRequest {
        key: KeyRequest { key_type: Some(KeyType::Ec), curve: Some(Curve::P256), ..KeyRequest::default() },
        subject: Some("CN=contoso.com".to_owned()),
        issuer: IssuerRequest { name: Some(issuer.to_owned()), ..IssuerRequest::default() },
        content_type: Some("application/x-pem-file".to_owned()),
        ..PolicyRequest::default()
    };
    CreateCertificate { policy: Some(policy), ..CreateCertificate::default() }
}

pub fn create(rig: &Rig, name: &str, issuer: &str) -> Result<ObjectView, Error> {
    rig.engine.create_certificate(&caller(ADMINISTRATOR), &rig.open(VAULT), &key_name(name), &request(issuer))
}

fn get(rig: &Rig, kind: ObjectKind, name: &str, version: Option<VersionId>) -> Result<ObjectView, Error> {
    rig.engine.get_object(&caller(ADMINISTRATOR), &rig.open(VAULT), kind, &key_name(name), version)
}

fn is_live(rig: &Rig, name: &str) -> [bool; 3] {
    TRIO.map(|kind| get(rig, kind, name, None).is_ok())
}

pub fn status(rig: &Rig, name: &str) -> OperationStatus {
    let (who, vault) = (caller(ADMINISTRATOR), rig.open(VAULT));
    rig.engine.pending_certificate(&who, &vault, &key_name(name), None).unwrap().status
}

fn pem(rig: &Rig, name: &str) -> String {
    let secret = rig.engine.get_secret(&caller(ADMINISTRATOR), &rig.open(VAULT), &key_name(name), None).unwrap();
    String::from_utf8(secret.value.expose().to_vec()).unwrap()
}

fn is_certificate_refusal<T>(outcome: &Result<T, Error>, of: impl Fn(&CertificateRefusal) -> bool) -> bool {
    matches!(outcome, Err(Error::Refused(Refusal::Certificate(refusal))) if of(refusal))
}

fn is_managed<T>(outcome: &Result<T, Error>) -> bool {
    is_certificate_refusal(outcome, |refusal| matches!(refusal, CertificateRefusal::Managed { .. }))
}

/// An authority of the tests: its certificate, and what it makes of a signing request.
pub fn signed_outside(now: UnixTime, csr: &[u8]) -> Vec<Vec<u8>> {
    let provider = custody::SoftwareProvider;
    let spec = domain::KeySpec::Ec { curve: Curve::P256 };
    let made = custody::Provider::generate(&provider, spec, &custody::SystemEntropy).unwrap();
    let key = custody::Provider::open(&provider, spec, &made.public, &made.material).unwrap();
    let validity = x509::Validity { not_before: now, not_after: now.plus_days(100) };
    let signer = x509::Signer { key: &*key, public: &made.public };
    let authority = x509::authority("CN=outside", validity, signer, &custody::SystemEntropy).unwrap();
    let leaf = x509::issue(csr, &authority, &*key, validity, &custody::SystemEntropy).unwrap();
    vec![leaf, authority]
}

fn private_issuer(rig: &Rig, kind: ContainerKind) -> Result<domain::Issuer, Error> {
    let key = KeyReference { kind, container: "contoso".to_owned(), key: key_name("ca"), version: None };
    issuer_of(rig, key)
}

fn issuer_of(rig: &Rig, key: KeyReference) -> Result<domain::Issuer, Error> {
    issuer_named(rig, "ours", key)
}

fn issuer_named(rig: &Rig, name: &str, key: KeyReference) -> Result<domain::Issuer, Error> {
    let changes = IssuerChanges {
        provider: Some(PRIVATE_CA.to_owned()),
        account_id: Some("https://contoso/keys/ca".to_owned()),
        ..IssuerChanges::default()
    };
    let request = SetIssuer { changes, password: None, key: Some(key) };
    let name = IssuerName::parse(name).unwrap();
    rig.engine.set_issuer(&caller(ADMINISTRATOR), &rig.open(VAULT), &name, &request)
}
