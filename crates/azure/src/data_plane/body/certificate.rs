//! Bodies about certificates: creation, import, merge, policies, the pending operation.

use super::{Attributes, Object, bad, checked_tags, parse, required, secret::Text};
use crate::data_plane::{error::Problem, version::ApiVersion};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{
    AlternativeNames, IssuerRequest, KeyRequest, KeyUsage, LifetimeStepKind, LifetimeStepRequest, ObjectKind,
    PolicyRequest, Secret, Tags,
};
use engine::{CertificateFile, CreateCertificate, ImportCertificate, MergeCertificate, ObjectChanges};
use serde::{Deserialize, de::IgnoredAny};

/// `CertificatePolicy` (contract: key-vault §3.6).
#[derive(Default, Deserialize)]
struct Policy {
    key_props: Option<Object<KeyProperties>>,
    secret_props: Option<Object<SecretProperties>>,
    x509_props: Option<Object<X509Properties>>,
    lifetime_actions: Option<Vec<Object<LifetimeAction>>>,
    issuer: Option<Object<IssuerParameters>>,
    attributes: Option<Object<Attributes>>,
    #[serde(rename = "platformManaged")]
    platform_managed: Option<IgnoredAny>,
}

#[derive(Default, Deserialize)]
struct KeyProperties {
    exportable: Option<bool>,
    kty: Option<String>,
    key_size: Option<i64>,
    reuse_key: Option<bool>,
    crv: Option<String>,
}

#[derive(Default, Deserialize)]
struct SecretProperties {
    #[serde(rename = "contentType")]
    content_type: Option<String>,
}

#[derive(Default, Deserialize)]
struct X509Properties {
    subject: Option<String>,
    ekus: Option<Vec<String>>,
    sans: Option<Object<SubjectAlternativeNames>>,
    key_usage: Option<Vec<String>>,
    validity_months: Option<i64>,
}

/// The casing is mixed (contract: key-vault §7.11).
#[derive(Default, Deserialize)]
struct SubjectAlternativeNames {
    emails: Option<Vec<String>>,
    dns_names: Option<Vec<String>>,
    upns: Option<Vec<String>>,
    uris: Option<Vec<String>>,
    #[serde(rename = "ipAddresses")]
    ip_addresses: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct LifetimeAction {
    trigger: Option<Object<Trigger>>,
    action: Option<Object<Action>>,
}

#[derive(Default, Deserialize)]
struct Trigger {
    lifetime_percentage: Option<i64>,
    days_before_expiry: Option<i64>,
}

#[derive(Default, Deserialize)]
struct Action {
    action_type: Option<String>,
}

#[derive(Default, Deserialize)]
struct IssuerParameters {
    name: Option<String>,
    cty: Option<String>,
    cert_transparency: Option<bool>,
}

impl Policy {
    fn request(self) -> Result<PolicyRequest, Problem> {
        if self.platform_managed.is_some() {
            return Err(Problem::NotSupported("Platform-managed certificates"));
        }
        let Object(key) = self.key_props.unwrap_or_default();
        let Object(x509) = self.x509_props.unwrap_or_default();
        let Object(issuer) = self.issuer.unwrap_or_default();
        let Object(secret) = self.secret_props.unwrap_or_default();
        let steps =
            self.lifetime_actions.map(|actions| actions.into_iter().map(|Object(action)| step(action)).collect());
        Ok(PolicyRequest {
            key: key_request(key)?,
            content_type: secret.content_type,
            subject: x509.subject,
            names: x509.sans.map(|Object(names)| alternative_names(names)),
            keeps_newer_names: false,
            ekus: x509.ekus,
            key_usage: x509.key_usage.map(|words| words.iter().map(|word| key_usage(word)).collect()).transpose()?,
            validity_months: x509.validity_months,
            lifetime_actions: steps.transpose()?,
            issuer: IssuerRequest {
                name: issuer.name,
                certificate_type: issuer.cty,
                transparency: issuer.cert_transparency,
            },
            enabled: self.attributes.and_then(|Object(attributes)| attributes.enabled),
        })
    }
}

fn key_request(key: KeyProperties) -> Result<KeyRequest, Problem> {
    let kty = key.kty.as_deref().map(super::key_type).transpose()?;
    Ok(KeyRequest {
        key_type: kty.map(|(key_type, _)| key_type),
        hsm: kty.is_some_and(|(_, hsm)| hsm),
        bits: key.key_size,
        curve: key.crv.as_deref().map(super::curve).transpose()?,
        exportable: key.exportable,
        reuse_key: key.reuse_key,
    })
}

fn alternative_names(names: SubjectAlternativeNames) -> AlternativeNames {
    AlternativeNames {
        emails: names.emails.unwrap_or_default(),
        dns_names: names.dns_names.unwrap_or_default(),
        upns: names.upns.unwrap_or_default(),
        uris: names.uris.unwrap_or_default(),
        ip_addresses: names.ip_addresses.unwrap_or_default(),
    }
}

fn key_usage(word: &str) -> Result<KeyUsage, Problem> {
    let found = KeyUsage::ALL.iter().find(|usage| usage.as_str().eq_ignore_ascii_case(word));
    found.copied().ok_or_else(|| bad("key_usage", "has an unknown usage"))
}

fn step(action: LifetimeAction) -> Result<LifetimeStepRequest, Problem> {
    let Object(trigger) = action.trigger.unwrap_or_default();
    let Object(kind) = action.action.unwrap_or_default();
    let kind = kind.action_type.map(|word| {
        let found = LifetimeStepKind::ALL.iter().find(|kind| kind.as_str().eq_ignore_ascii_case(&word));
        found.copied().ok_or_else(|| bad("action_type", "must be AutoRenew or EmailContacts"))
    });
    Ok(LifetimeStepRequest {
        action: kind.transpose()?,
        percentage: trigger.lifetime_percentage,
        days_before_expiry: trigger.days_before_expiry,
    })
}

/// A change of a policy. Versions that do not show some names to their clients can't have them taken away.
pub(in crate::data_plane) fn policy(body: &[u8], version: ApiVersion) -> Result<PolicyRequest, Problem> {
    change(parse(body)?, version)
}

fn change(policy: Policy, version: ApiVersion) -> Result<PolicyRequest, Problem> {
    Ok(PolicyRequest { keeps_newer_names: version < ApiVersion::SHOWS_ALL_NAMES, ..policy.request()? })
}

/// `CertificateCreateParameters`.
#[derive(Deserialize)]
struct CertificateCreateParameters {
    policy: Option<Object<Policy>>,
    attributes: Option<Object<Attributes>>,
    tags: Option<Tags>,
    #[serde(rename = "preserveCertOrder")]
    preserve_order: Option<bool>,
}

pub(in crate::data_plane) fn create_certificate(body: &[u8]) -> Result<CreateCertificate, Problem> {
    let body: CertificateCreateParameters = parse(body)?;
    let Object(attributes) = body.attributes.unwrap_or_default();
    Ok(CreateCertificate {
        policy: body.policy.map(|Object(policy)| policy.request()).transpose()?,
        attributes: attributes.into_new()?,
        tags: checked_tags(ObjectKind::Certificate, body.tags)?.unwrap_or_default(),
        preserve_order: body.preserve_order.unwrap_or(false),
    })
}

/// `CertificateImportParameters`.
#[derive(Deserialize)]
struct CertificateImportParameters {
    value: Option<Text>,
    pwd: Option<Text>,
    policy: Option<Object<Policy>>,
    attributes: Option<Object<Attributes>>,
    tags: Option<Tags>,
    #[serde(rename = "preserveCertOrder")]
    preserve_order: Option<bool>,
}

pub(in crate::data_plane) fn import_certificate(body: &[u8]) -> Result<ImportCertificate, Problem> {
    let body: CertificateImportParameters = parse(body)?;
    let Text(value) = required(body.value, "value")?;
    let Object(attributes) = body.attributes.unwrap_or_default();
    let Object(policy) = body.policy.unwrap_or_default();
    Ok(ImportCertificate {
        file: file(value, body.pwd.map(|Text(password)| password))?,
        policy: policy.request()?,
        attributes: attributes.into_new()?,
        tags: checked_tags(ObjectKind::Certificate, body.tags)?.unwrap_or_default(),
        preserve_order: body.preserve_order.unwrap_or(false),
    })
}

/// PEM as it is, or PKCS#12 in base64 with padding (contract: key-vault §1, "Encodings"). Only the one has dashes. `az`
/// sends PEM in base64 too.
fn file(value: Secret, password: Option<Secret>) -> Result<CertificateFile, Problem> {
    // An empty password is none: PKCS#12 can't tell them apart for its readers.
    let password = password.filter(|password| !password.expose().is_empty());
    if is_pem(&value) {
        return Ok(CertificateFile::Pem { text: value, password });
    }
    // Some clients break lines.
    let text = Secret::new(value.expose().iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect());
    let bytes = STANDARD.decode(text.expose()).map_err(|_| bad("value", "is neither PEM nor PKCS#12 in base64"))?;
    let bytes = Secret::new(bytes);
    if is_pem(&bytes) {
        return Ok(CertificateFile::Pem { text: bytes, password });
    }
    Ok(CertificateFile::Pkcs12 { bytes, password })
}

fn is_pem(value: &Secret) -> bool {
    const BEGINNING: &[u8] = b"-----BEGIN";
    value.expose().windows(BEGINNING.len()).any(|window| window == BEGINNING)
}

/// `CertificateMergeParameters`.
#[derive(Deserialize)]
struct CertificateMergeParameters {
    x5c: Option<Vec<String>>,
    attributes: Option<Object<Attributes>>,
    tags: Option<Tags>,
}

pub(in crate::data_plane) fn merge_certificate(body: &[u8]) -> Result<MergeCertificate, Problem> {
    let body: CertificateMergeParameters = parse(body)?;
    let x5c = required(body.x5c, "x5c")?;
    let Object(attributes) = body.attributes.unwrap_or_default();
    Ok(MergeCertificate {
        chain: x5c.iter().map(|text| certificate(text)).collect::<Result<_, _>>()?,
        attributes: attributes.into_new()?,
        tags: checked_tags(ObjectKind::Certificate, body.tags)?,
    })
}

/// DER in base64, or in base64 twice: users hand SDKs the text of a certificate, which those encode once more, and the
/// service was recorded to take it. DER is no base64 itself: the length of a certificate is no character.
fn certificate(text: &str) -> Result<Vec<u8>, Problem> {
    let bytes = STANDARD.decode(text).map_err(|_| bad("x5c", "is not valid base64"))?;
    Ok(STANDARD.decode(&bytes).unwrap_or(bytes))
}

/// `CertificateUpdateParameters`.
#[derive(Deserialize)]
struct CertificateUpdateParameters {
    policy: Option<Object<Policy>>,
    attributes: Option<Object<Attributes>>,
    tags: Option<Tags>,
}

pub(super) fn update_certificate(body: &[u8], version: ApiVersion) -> Result<ObjectChanges, Problem> {
    let body: CertificateUpdateParameters = parse(body)?;
    let Object(attributes) = body.attributes.unwrap_or_default();
    Ok(ObjectChanges {
        attributes: attributes.into_changes()?,
        tags: checked_tags(ObjectKind::Certificate, body.tags)?,
        policy: body.policy.map(|Object(policy)| change(policy, version)).transpose()?,
        ..ObjectChanges::default()
    })
}

#[derive(Deserialize)]
struct CertificateOperationUpdateParameter {
    cancellation_requested: Option<bool>,
}

/// Whether the pending operation is to be cancelled. Nothing else can be asked of it.
pub(in crate::data_plane) fn update_pending(body: &[u8]) -> Result<(), Problem> {
    let body: CertificateOperationUpdateParameter = parse(body)?;
    match required(body.cancellation_requested, "cancellation_requested")? {
        true => Ok(()),
        false => Err(bad("cancellation_requested", "can only be true")),
    }
}

#[cfg(test)]
#[path = "certificate_tests.rs"]
mod tests;
