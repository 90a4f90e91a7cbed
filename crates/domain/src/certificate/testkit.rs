//! What the tests of certificates begin with.

use super::{CertificateOperation, CertificatePolicy, IssuerChoice, IssuerReference, PolicyRequest, RequestId};
use crate::{Refusal, UnixTime, VersionId};
use serde::{Serialize, de::DeserializeOwned};

/// 2026-01-01T00:00:00Z.
pub(crate) const NOW: UnixTime = UnixTime(1_767_225_600);
pub(crate) const LATER: UnixTime = UnixTime(NOW.0 + 100);

pub(crate) fn named(subject: &str) -> PolicyRequest {
    PolicyRequest { subject: Some(subject.to_owned()), ..PolicyRequest::default() }
}

pub(crate) fn issued_by(issuer: &str) -> CertificatePolicy {
    let mut request = named("CN=contoso.com");
    request.issuer.name = Some(issuer.to_owned());
    CertificatePolicy::filled(&request, NOW).unwrap()
}

pub(crate) fn version(number: u8) -> VersionId {
    VersionId::from_bytes([number; 16])
}

pub(crate) fn begun(issuer: &str) -> CertificateOperation {
    let name = IssuerChoice::parse(issuer).unwrap();
    let issuer = IssuerReference { name, certificate_type: None, transparency: None };
    CertificateOperation::begin(RequestId::from_random([0xab; 16]), version(1), vec![0x30, 0], issuer, true, NOW)
}

/// The parameter that a refusal is about.
pub(crate) fn parameter<T: std::fmt::Debug>(result: Result<T, Refusal>) -> &'static str {
    match result {
        Err(Refusal::ParameterInvalid { parameter, .. }) => parameter,
        Err(Refusal::KeySizeUnsupported { .. }) => "(key size)",
        other => panic!("{other:?}"),
    }
}

/// What is read back from what was stored, also when a later version has stored more.
pub(crate) fn reread<T: Serialize + DeserializeOwned>(value: &T) -> T {
    let mut stored = serde_json::to_value(value).unwrap();
    if let Some(members) = stored.as_object_mut() {
        members.insert("of a later version".to_owned(), serde_json::Value::Bool(true));
    }
    serde_json::from_value(stored).unwrap()
}
