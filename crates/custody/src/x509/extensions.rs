//! Extensions of certificates and requests: those of a policy, and what is understood of those that others have made.

use super::alternative;
use crate::Fault;
use der::{
    Decode, Encode,
    asn1::{ObjectIdentifier, OctetString},
    flagset::FlagSet,
    oid::AssociatedOid,
};
use domain::{AlternativeNames, KeyUsage, Refusal, X509Properties};
use x509_cert::ext::{
    Extension, Extensions,
    pkix::{
        AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage as KeyUsageBits, KeyUsages,
        SubjectAltName, SubjectKeyIdentifier,
    },
};

/// What a certificate says about its holder's key, as far as it is understood here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Understood {
    pub(super) is_authority: bool,
    pub(super) key_usage: Vec<KeyUsage>,
    pub(super) ekus: Vec<String>,
    pub(super) names: AlternativeNames,
    pub(super) subject_key: Option<Vec<u8>>,
    pub(super) authority_key: Option<Vec<u8>>,
}

const fn bit(usage: KeyUsage) -> KeyUsages {
    match usage {
        KeyUsage::DigitalSignature => KeyUsages::DigitalSignature,
        KeyUsage::NonRepudiation => KeyUsages::NonRepudiation,
        KeyUsage::KeyEncipherment => KeyUsages::KeyEncipherment,
        KeyUsage::DataEncipherment => KeyUsages::DataEncipherment,
        KeyUsage::KeyAgreement => KeyUsages::KeyAgreement,
        KeyUsage::KeyCertSign => KeyUsages::KeyCertSign,
        KeyUsage::CrlSign => KeyUsages::CRLSign,
        KeyUsage::EncipherOnly => KeyUsages::EncipherOnly,
        KeyUsage::DecipherOnly => KeyUsages::DecipherOnly,
    }
}

fn encoding(_: der::Error) -> Fault {
    Fault::Backend("encoding an extension")
}

fn extension<T: AssociatedOid + Encode>(critical: bool, value: &T) -> Result<Extension, Fault> {
    let extn_value = value.to_der().and_then(OctetString::new).map_err(encoding)?;
    Ok(Extension { extn_id: T::OID, critical, extn_value })
}

/// The object identifiers of extended key usages.
///
/// # Errors
/// [`Refusal::ParameterInvalid`] for one that is none.
pub(super) fn usages(ekus: &[String]) -> Result<ExtendedKeyUsage, Refusal> {
    let invalid = Refusal::ParameterInvalid { parameter: "ekus", reason: "each is an object identifier, with dots" };
    let parsed: Result<Vec<_>, _> = ekus.iter().map(|eku| ObjectIdentifier::new(eku)).collect();
    parsed.map(ExtendedKeyUsage).map_err(|_| invalid)
}

/// What a certificate or a request of these properties has in it, but for the identifiers of keys.
///
/// # Errors
/// [`Refusal::ParameterInvalid`] for names or usages that are none, or a fault.
pub(super) fn of_properties(
    properties: &X509Properties,
    has_subject: bool,
    constraints: &BasicConstraints,
) -> Result<Extensions, crate::Error> {
    let mut extensions = vec![extension(constraints.ca, constraints)?];
    if !properties.key_usage.is_empty() {
        let bits = properties.key_usage.iter().fold(FlagSet::default(), |bits, usage| bits | bit(*usage));
        extensions.push(extension(true, &KeyUsageBits(bits))?);
    }
    if !properties.ekus.is_empty() {
        extensions.push(extension(false, &usages(&properties.ekus)?)?);
    }
    let names = alternative::encode(&properties.names)?;
    if !names.is_empty() {
        // Whoever looks at a certificate without a subject must not look past its names (RFC 5280 §4.2.1.6).
        extensions.push(extension(!has_subject, &SubjectAltName(names))?);
    }
    Ok(extensions)
}

pub(super) fn subject_key(identifier: &[u8]) -> Result<Extension, Fault> {
    extension(false, &SubjectKeyIdentifier(OctetString::new(identifier).map_err(encoding)?))
}

pub(super) fn authority_key(identifier: &[u8]) -> Result<Extension, Fault> {
    let key_identifier = Some(OctetString::new(identifier).map_err(encoding)?);
    extension(false, &AuthorityKeyIdentifier { key_identifier, ..Default::default() })
}

/// Reads the extensions that are understood and looks past the others.
///
/// # Errors
/// [`Refusal::CertificateInvalid`] if one of those that are understood is there twice or does not decode: guessing what
/// it was meant to say would be worse.
pub(super) fn read(extensions: &[Extension]) -> Result<Understood, Refusal> {
    let mut understood = Understood::default();
    if let Some(constraints) = one::<BasicConstraints>(extensions)? {
        understood.is_authority = constraints.ca;
    }
    if let Some(KeyUsageBits(bits)) = one::<KeyUsageBits>(extensions)? {
        understood.key_usage = KeyUsage::ALL.iter().copied().filter(|usage| bits.contains(bit(*usage))).collect();
    }
    if let Some(ExtendedKeyUsage(ekus)) = one::<ExtendedKeyUsage>(extensions)? {
        understood.ekus = ekus.iter().map(ToString::to_string).collect();
    }
    if let Some(value) = value(extensions, &SubjectAltName::OID)? {
        understood.names = alternative::read(value).ok_or(MALFORMED)?;
    }
    // Identifiers of keys only help to find an issuer among several: without one its name is enough.
    let subject = one::<SubjectKeyIdentifier>(extensions).ok().flatten();
    understood.subject_key = subject.map(|SubjectKeyIdentifier(identifier)| identifier.as_bytes().to_vec());
    let authority = one::<AuthorityKeyIdentifier>(extensions).ok().flatten();
    let authority = authority.and_then(|authority| authority.key_identifier);
    understood.authority_key = authority.map(|identifier| identifier.as_bytes().to_vec());
    Ok(understood)
}

const MALFORMED: Refusal = Refusal::CertificateInvalid { reason: "an extension of the certificate is malformed" };

fn value<'e>(extensions: &'e [Extension], oid: &ObjectIdentifier) -> Result<Option<&'e [u8]>, Refusal> {
    let mut found = extensions.iter().filter(|extension| extension.extn_id == *oid);
    match (found.next(), found.next()) {
        (first, None) => Ok(first.map(|extension| extension.extn_value.as_bytes())),
        (_, Some(_)) => Err(Refusal::CertificateInvalid { reason: "the certificate has an extension twice" }),
    }
}

fn one<'e, T: AssociatedOid + Decode<'e>>(extensions: &'e [Extension]) -> Result<Option<T>, Refusal> {
    value(extensions, &T::OID)?.map(T::from_der).transpose().map_err(|_| MALFORMED)
}
