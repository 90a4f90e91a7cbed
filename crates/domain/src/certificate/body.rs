//! What a version of a certificate is, beside its attributes.
//!
//! It holds all that the version's key and secret are made of, so that the three can be made together, and made again from
//! a backup, whatever has become of the policy. The private key is elsewhere, sealed.

use super::CertificateContent;
use crate::KeyBody;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateBody {
    /// Of the key that the certificate is about, as the version's key shows it.
    pub key: KeyBody,
    /// Whether the version's secret has the private key in it: as the policy said when the key was made.
    pub exportable: bool,
    pub content: CertificateContent,
    /// Whether the chain stays in the order in which it came.
    pub preserve_order: bool,
    /// `None` while it is pending.
    pub issued: Option<IssuedCertificate>,
}

/// A certificate as its issuer made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedCertificate {
    #[serde(with = "crate::base64url")]
    pub der: Vec<u8>,
    /// Its issuers' certificates, without its own.
    #[serde(with = "crate::base64url::list")]
    pub chain: Vec<Vec<u8>>,
    /// SHA-1 of `der`: what the wire calls `x5t`.
    #[serde(with = "crate::base64url::array")]
    pub thumbprint: [u8; 20],
    pub subject: String,
}

#[cfg(test)]
#[path = "body_tests.rs"]
mod tests;
