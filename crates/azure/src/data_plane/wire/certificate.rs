//! What is particular to certificates: policies, pending operations, issuers, contacts (contract: key-vault §3.6, §3.9).

use super::{Audience, Base64Url, Identifier};
use crate::data_plane::version::ApiVersion;
use base64::{display::Base64Display, engine::general_purpose::STANDARD};
use domain::{
    CertificateOperation, CertificatePolicy, Contacts, Issuer, IssuerChoice, IssuerReference, KeySpec, KeyUsage,
    LifetimeTrigger, ObjectKind, ObjectName, OperationStatus, UnixTime, X509Properties,
};
use serde::{Serialize, Serializer};

/// Bytes as base64 with padding: what is X.509 (contract: key-vault §1, "Encodings").
pub(super) struct Base64<'bytes>(pub &'bytes [u8]);

impl Serialize for Base64<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Base64Display::new(self.0, &STANDARD))
    }
}

/// What only versions that are made have.
pub(super) fn thumbprint(bytes: &[u8; 20]) -> Base64Url<'_> {
    Base64Url(bytes)
}

#[derive(Serialize)]
pub(in crate::data_plane) struct Policy<'a> {
    attributes: PolicyAttributes,
    id: String,
    issuer: IssuerParameters<'a>,
    key_props: KeyProperties,
    lifetime_actions: Vec<LifetimeAction>,
    secret_props: SecretProperties,
    x509_props: X509<'a>,
}

#[derive(Serialize)]
struct PolicyAttributes {
    created: UnixTime,
    enabled: bool,
    updated: UnixTime,
}

#[derive(Serialize)]
struct IssuerParameters<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    cert_transparency: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cty: Option<&'a str>,
    name: &'a str,
}

impl<'a> IssuerParameters<'a> {
    fn new(issuer: &'a IssuerReference) -> Self {
        Self {
            cert_transparency: issuer.transparency,
            cty: issuer.certificate_type.as_deref(),
            name: issuer.name.as_str(),
        }
    }
}

#[derive(Serialize)]
struct KeyProperties {
    #[serde(skip_serializing_if = "Option::is_none")]
    crv: Option<&'static str>,
    exportable: bool,
    key_size: u32,
    kty: &'static str,
    reuse_key: bool,
}

#[derive(Serialize)]
struct LifetimeAction {
    action: Action,
    trigger: Trigger,
}

#[derive(Serialize)]
struct Action {
    action_type: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Trigger {
    DaysBeforeExpiry(u32),
    LifetimePercentage(u8),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SecretProperties {
    content_type: &'static str,
}

#[derive(Serialize)]
struct X509<'a> {
    basic_constraints: BasicConstraints,
    ekus: &'a [String],
    /// In the order of the alphabet, as recorded, whatever order they were asked for in.
    key_usage: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sans: Option<Names<'a>>,
    subject: &'a str,
    validity_months: u32,
}

/// Shown though it is in no document. Only what is imported may be an authority's.
#[derive(Serialize)]
struct BasicConstraints {
    ca: bool,
}

#[derive(Serialize)]
struct Names<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    dns_names: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    emails: &'a [String],
    #[serde(rename = "ipAddresses", skip_serializing_if = "<[_]>::is_empty")]
    ip_addresses: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    upns: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    uris: &'a [String],
}

impl<'a> X509<'a> {
    fn new(properties: &'a X509Properties, audience: Audience<'_>) -> Self {
        let names = &properties.names;
        // Older clients do not know them.
        let newer = |names: &'a [String]| if audience.version >= ApiVersion::SHOWS_ALL_NAMES { names } else { &[] };
        let shown = Names {
            dns_names: &names.dns_names,
            emails: &names.emails,
            ip_addresses: newer(&names.ip_addresses),
            upns: &names.upns,
            uris: newer(&names.uris),
        };
        let lists = [shown.dns_names, shown.emails, shown.ip_addresses, shown.upns, shown.uris];
        let mut key_usage: Vec<_> = properties.key_usage.iter().copied().map(KeyUsage::as_str).collect();
        key_usage.sort_unstable();
        Self {
            basic_constraints: BasicConstraints { ca: properties.is_authority },
            ekus: &properties.ekus,
            key_usage,
            sans: lists.iter().any(|list| !list.is_empty()).then_some(shown),
            subject: &properties.subject,
            validity_months: properties.validity_months,
        }
    }
}

impl<'a> Policy<'a> {
    pub(in crate::data_plane) fn new(name: &ObjectName, policy: &'a CertificatePolicy, audience: Audience<'_>) -> Self {
        let (crv, key_size) = match policy.key.spec {
            KeySpec::Ec { curve } => (Some(curve.as_str()), curve.bits()),
            KeySpec::Rsa { bits } | KeySpec::Oct { bits } => (None, bits),
        };
        let action = |step: &domain::LifetimeStep| LifetimeAction {
            action: Action { action_type: step.action.as_str() },
            trigger: match step.trigger {
                LifetimeTrigger::Percentage(percentage) => Trigger::LifetimePercentage(percentage),
                LifetimeTrigger::DaysBeforeExpiry(days) => Trigger::DaysBeforeExpiry(days),
            },
        };
        Self {
            attributes: PolicyAttributes { created: policy.created, enabled: policy.enabled, updated: policy.updated },
            id: format!("{}/policy", audience.id(ObjectKind::Certificate, name, None)),
            issuer: IssuerParameters::new(&policy.issuer),
            key_props: KeyProperties {
                crv,
                exportable: policy.key.exportable,
                key_size,
                kty: super::key::key_type(policy.key.spec, policy.key.hsm),
                reuse_key: policy.key.reuse_key,
            },
            lifetime_actions: policy.lifetime_actions.iter().map(action).collect(),
            secret_props: SecretProperties { content_type: policy.content.as_str() },
            x509_props: X509::new(&policy.x509, audience),
        }
    }
}

/// `CertificateOperation`.
#[derive(Serialize)]
pub(in crate::data_plane) struct Pending<'a> {
    cancellation_requested: bool,
    csr: Base64<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<PendingError<'a>>,
    id: String,
    /// Without what it is told about transparency, as recorded.
    issuer: IssuerParameters<'a>,
    #[serde(rename = "preserveCertOrder", skip_serializing_if = "Option::is_none")]
    preserve_order: Option<bool>,
    request_id: String,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_details: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<Identifier<'a>>,
}

#[derive(Serialize)]
struct PendingError<'a> {
    code: &'a str,
    message: &'a str,
}

/// Where the pending operation of a certificate is. Shown with the certificate though it is in no document.
#[derive(Serialize)]
pub(in crate::data_plane) struct PendingReference {
    id: String,
}

impl PendingReference {
    pub(super) fn new(name: &ObjectName, audience: Audience<'_>) -> Self {
        Self { id: pending_id(&audience.id(ObjectKind::Certificate, name, None)) }
    }
}

fn pending_id(certificate: &Identifier<'_>) -> String {
    format!("{certificate}/pending")
}

const IN_PROGRESS: &str = "Pending certificate created. Certificate request is in progress. This may take some time based \
                           on the issuer provider. Please check again later.";
const WAITS_FOR_MERGE: &str = "Pending certificate created. Please Perform Merge to complete the request.";

impl<'a> Pending<'a> {
    pub(in crate::data_plane) fn new(
        name: &'a ObjectName,
        pending: &'a CertificateOperation,
        audience: Audience<'a>,
    ) -> Self {
        let certificate = audience.id(ObjectKind::Certificate, name, None);
        let standard = match (&pending.status, &pending.issuer.name) {
            (OperationStatus::InProgress, IssuerChoice::Unknown) => Some(WAITS_FOR_MERGE),
            (OperationStatus::InProgress, _) => Some(IN_PROGRESS),
            _ => None,
        };
        let error = match &pending.status {
            OperationStatus::Failed(error) => Some(PendingError { code: &error.code, message: &error.message }),
            _ => None,
        };
        let shows_order = audience.version >= ApiVersion::SHOWS_CERTIFICATE_ORDER;
        Self {
            cancellation_requested: pending.cancellation_requested,
            csr: Base64(&pending.csr),
            error,
            id: pending_id(&certificate),
            issuer: IssuerParameters { cert_transparency: None, ..IssuerParameters::new(&pending.issuer) },
            preserve_order: shows_order.then_some(pending.preserve_order),
            request_id: pending.request_id.to_string(),
            status: pending.status.as_str(),
            status_details: pending.details.as_deref().or(standard),
            target: (pending.status == OperationStatus::Completed).then_some(certificate),
        }
    }
}

/// `IssuerBundle`. A password is never told. Of what was never set nothing is shown, as recorded.
#[derive(Serialize)]
pub(in crate::data_plane) struct IssuerBundle<'a> {
    attributes: PolicyAttributes,
    #[serde(skip_serializing_if = "Option::is_none")]
    credentials: Option<Credentials<'a>>,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    org_details: Option<Organization<'a>>,
    provider: &'a str,
}

#[derive(Serialize)]
struct Credentials<'a> {
    account_id: &'a str,
}

#[derive(Serialize)]
struct Organization<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    admin_details: Vec<Administrator<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
}

#[derive(Serialize)]
struct Administrator<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<&'a str>,
}

fn issuer_id(issuer: &Issuer, audience: Audience<'_>) -> String {
    format!("https://{}/certificates/issuers/{}", audience.host, issuer.name)
}

impl<'a> IssuerBundle<'a> {
    pub(in crate::data_plane) fn new(issuer: &'a Issuer, audience: Audience<'_>) -> Self {
        let administrator = |details: &'a domain::Administrator| Administrator {
            email: details.email.as_deref(),
            first_name: details.first_name.as_deref(),
            last_name: details.last_name.as_deref(),
            phone: details.phone.as_deref(),
        };
        let has_organization = issuer.organization_id.is_some() || !issuer.administrators.is_empty();
        Self {
            attributes: PolicyAttributes { created: issuer.created, enabled: issuer.enabled, updated: issuer.updated },
            credentials: issuer.account_id.as_deref().map(|account_id| Credentials { account_id }),
            id: issuer_id(issuer, audience),
            org_details: has_organization.then(|| Organization {
                admin_details: issuer.administrators.iter().map(administrator).collect(),
                id: issuer.organization_id.as_deref(),
            }),
            provider: &issuer.provider,
        }
    }
}

/// `CertificateIssuerItem`.
#[derive(Serialize)]
pub(in crate::data_plane) struct IssuerItem<'a> {
    id: String,
    provider: &'a str,
}

impl<'a> IssuerItem<'a> {
    pub(in crate::data_plane) fn new(issuer: &'a Issuer, audience: Audience<'_>) -> Self {
        Self { id: issuer_id(issuer, audience), provider: &issuer.provider }
    }
}

/// `Contacts`.
#[derive(Serialize)]
pub(in crate::data_plane) struct ContactList<'a> {
    contacts: Vec<Contact<'a>>,
    id: String,
}

#[derive(Serialize)]
struct Contact<'a> {
    email: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<&'a str>,
}

impl<'a> ContactList<'a> {
    pub(in crate::data_plane) fn new(contacts: &'a Contacts, audience: Audience<'_>) -> Self {
        let contact = |contact: &'a domain::Contact| Contact {
            email: &contact.email,
            name: contact.name.as_deref(),
            phone: contact.phone.as_deref(),
        };
        Self {
            contacts: contacts.as_slice().iter().map(contact).collect(),
            id: format!("https://{}/certificates/contacts", audience.host),
        }
    }
}

#[cfg(test)]
#[path = "certificate_tests.rs"]
mod tests;
