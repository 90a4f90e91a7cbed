//! Certificates as data: what one is to be made like, and what is to happen to it in time.
//!
//! Source: contract key-vault §3.3, §3.6 (certificates) and §3.9. How a certificate is encoded, signed or read is for
//! custody; this module knows its contents only as the words of a policy.

mod body;
mod check;
mod contacts;
mod course;
mod issuer;
mod lifetime;
mod operation;
mod policy;
mod refusal;
#[cfg(test)]
mod testkit;
mod usage;

pub use body::{CertificateBody, IssuedCertificate};
pub use contacts::{Contact, Contacts};
pub use course::{CertificateCourse, CertificateLife, NextAction, StepsDone};
pub use issuer::{Administrator, Issuer, IssuerChanges, PrivateAuthority};
pub use operation::{CertificateOperation, Errand, OperationError, OperationStatus, RequestId};
pub use policy::{IssuerRequest, KeyRequest, LifetimeStepRequest, PolicyRequest};
pub use refusal::CertificateRefusal;
pub use usage::key_operations;

use crate::{CalendarDuration, IssuerName, KeySpec, UnixTime, key::spelled};
use serde::{Deserialize, Serialize};

/// What the versions of a certificate are made like. It belongs to the certificate and not to a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificatePolicy {
    pub key: KeyProperties,
    pub content: CertificateContent,
    pub x509: X509Properties,
    /// At most one of each kind.
    pub lifetime_actions: Vec<LifetimeStep>,
    pub issuer: IssuerReference,
    pub enabled: bool,
    pub created: UnixTime,
    pub updated: UnixTime,
}

/// The key of a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyProperties {
    pub spec: KeySpec,
    pub hsm: bool,
    /// Whether the secret of the certificate has the private key in it.
    pub exportable: bool,
    /// Whether a renewal keeps the key.
    pub reuse_key: bool,
}

spelled! {
    /// What the secret of a certificate holds.
    CertificateContent {
        /// Base64 of a PKCS#12 file without a password.
        Pkcs12 = "application/x-pkcs12",
        /// PEM: the private key (PKCS#8), then the chain, the leaf first.
        Pem = "application/x-pem-file",
    }
}

spelled! {
    /// Bits of the key usage extension (RFC 5280 §4.2.1.3).
    KeyUsage {
        DigitalSignature = "digitalSignature", NonRepudiation = "nonRepudiation",
        KeyEncipherment = "keyEncipherment", DataEncipherment = "dataEncipherment", KeyAgreement = "keyAgreement",
        KeyCertSign = "keyCertSign", CrlSign = "cRLSign", EncipherOnly = "encipherOnly", DecipherOnly = "decipherOnly",
    }
}

/// The contents of a certificate that its owner chooses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct X509Properties {
    /// A distinguished name as text: `CN=contoso.com, O=Contoso`. May be empty if there are alternative names.
    pub subject: String,
    pub names: AlternativeNames,
    /// Object identifiers, dotted: extended key usages.
    pub ekus: Vec<String>,
    pub key_usage: Vec<KeyUsage>,
    pub validity_months: u32,
    /// Whether it is an authority's. Only what is imported may be; what is made here never is.
    #[serde(default)]
    pub is_authority: bool,
}

/// A certificate is valid from a little before it is made: clocks differ.
const BACKDATED_SECONDS: i64 = 600;

impl X509Properties {
    /// From when and until when a certificate that is made at `made` is valid. Its months count from `made`, as recorded.
    /// `None` if they lead beyond the calendar.
    #[must_use]
    pub fn validity(&self, made: UnixTime) -> Option<(UnixTime, UnixTime)> {
        let months = CalendarDuration::months(self.validity_months)?;
        Some((made.plus_seconds(-BACKDATED_SECONDS), made.plus(&months)?))
    }
}

/// The subject's alternative names (RFC 5280 §4.2.1.6), as text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlternativeNames {
    pub emails: Vec<String>,
    pub dns_names: Vec<String>,
    /// User principal names: an other name of Microsoft's (1.3.6.1.4.1.311.20.2.3).
    pub upns: Vec<String>,
    pub uris: Vec<String>,
    pub ip_addresses: Vec<String>,
}

/// Something that is to happen at a point of a certificate's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifetimeStep {
    pub trigger: LifetimeTrigger,
    pub action: LifetimeStepKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LifetimeTrigger {
    /// Of the time between not-before and not-after: 1 to 99.
    Percentage(u8),
    DaysBeforeExpiry(u32),
}

spelled! {
    LifetimeStepKind { AutoRenew = "AutoRenew", EmailContacts = "EmailContacts" }
}

/// Who signs a certificate, and what they are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuerReference {
    pub name: IssuerChoice,
    /// What the issuer calls the type of certificate.
    pub certificate_type: Option<String>,
    pub transparency: Option<bool>,
}

/// Who signs a certificate. The first two have reserved names, in any case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum IssuerChoice {
    /// `Self`: its own key.
    Own,
    /// Somebody outside: the owner takes the signing request there, and merges what comes back.
    Unknown,
    /// An issuer of the vault.
    Named(IssuerName),
}

impl IssuerChoice {
    /// `None` for what is neither a reserved name nor the name of an issuer.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let reserved = [Self::Own, Self::Unknown].into_iter().find(|word| word.as_str().eq_ignore_ascii_case(text));
        reserved.or_else(|| IssuerName::parse(text).map(Self::Named))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Own => "Self",
            Self::Unknown => "Unknown",
            Self::Named(name) => name.as_str(),
        }
    }
}

impl TryFrom<String> for IssuerChoice {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not the name of an issuer")
    }
}

impl From<IssuerChoice> for String {
    fn from(choice: IssuerChoice) -> Self {
        choice.as_str().to_owned()
    }
}
