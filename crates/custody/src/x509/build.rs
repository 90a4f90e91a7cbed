//! Certificates and requests, made.

use super::{
    Certificate, Period, Signer, Validity,
    certificate::{Contents, Request},
    distinguished_name, encoding, extensions, public_key, signature,
};
use crate::{Entropy, Error, Fault, entropy::draw, sha256};
use der::{
    Encode,
    asn1::{SetOfVec, Uint},
};
use domain::{AlternativeNames, KeyUsage, PublicKey, Refusal, X509Properties};
use x509_cert::{
    Version,
    attr::Attribute,
    ext::{Extensions, pkix::BasicConstraints},
    name::Name,
    request::{CertReqInfo, ExtensionReq},
};

const HOLDER: BasicConstraints = BasicConstraints { ca: false, path_len_constraint: None };

/// A PKCS#10 request in DER: the properties, the public key, and its key's signature. Never for an authority.
///
/// # Errors
/// Those of [`super::check_properties`] and of [`crate::KeyHandle::sign`], and [`Fault::MaterialInvalid`] if the key is not
/// that of the public key.
pub fn certification_request(
    properties: &X509Properties,
    signer: Signer<'_>,
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, Error> {
    super::check_properties(properties)?;
    let subject = distinguished_name::parse(&properties.subject)?;
    let asked = ExtensionReq(extensions::of_properties(properties, !subject.is_empty(), &HOLDER)?);
    let attribute = Attribute::try_from(asked).map_err(encoding)?;
    let info = CertReqInfo {
        version: x509_cert::request::Version::V1,
        subject,
        public_key: public_key::encode(signer.public)?,
        attributes: SetOfVec::from_iter([attribute]).map_err(encoding)?,
    };
    signature::sign(&info.to_der().map_err(encoding)?, &signer, entropy)
}

/// A certificate that its own key has signed, in DER.
///
/// It is never an authority's, whatever usages the properties have (contract: key-vault §3.9, "CA=false"): the policy that
/// `az` proposes has `keyCertSign`, and servers show such certificates to clients that take no authority's for a server's.
/// Nobody trusts it but by its owner's doing.
///
/// Its issuer is its subject, and an issuer has a name: where there is no subject, an alternative name becomes one.
///
/// # Errors
/// Those of [`certification_request`], [`Refusal::ParameterInvalid`] if there is no subject and no alternative name that
/// could be one, and [`Refusal::ParameterInvalid`] for a validity that can't be written.
pub fn self_signed(
    properties: &X509Properties,
    validity: Validity,
    signer: Signer<'_>,
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, Error> {
    super::check_properties(properties)?;
    let mut subject = distinguished_name::parse(&properties.subject)?;
    if subject.is_empty() {
        let reason = "no alternative name can stand for it, and an issuer has a name (RFC 5280 §4.1.2.4)";
        let name = properties.names.common_name().ok_or(Error::parameter("subject", reason))?;
        subject = distinguished_name::of_common_name(name)?;
    }
    rooted(subject, properties, &HOLDER, validity, signer, entropy)
}

/// The certificate of an authority that signs holders' certificates only, no other authorities'.
///
/// # Errors
/// [`Refusal::ParameterInvalid`] for a subject that is none, or is empty. Those of [`self_signed`].
pub fn authority(
    subject: &str,
    validity: Validity,
    signer: Signer<'_>,
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, Error> {
    if subject.trim().is_empty() {
        return Err(Error::parameter("subject", "an authority has a name (RFC 5280 §4.1.2.4)"));
    }
    let properties = X509Properties {
        subject: subject.to_owned(),
        names: AlternativeNames::default(),
        ekus: Vec::new(),
        key_usage: vec![KeyUsage::KeyCertSign, KeyUsage::CrlSign],
        validity_months: 0,
        is_authority: false,
    };
    let subject = distinguished_name::parse(subject)?;
    rooted(
        subject,
        &properties,
        &BasicConstraints { ca: true, path_len_constraint: Some(0) },
        validity,
        signer,
        entropy,
    )
}

fn rooted(
    subject: Name,
    properties: &X509Properties,
    constraints: &BasicConstraints,
    validity: Validity,
    signer: Signer<'_>,
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, Error> {
    let mut extensions = extensions::of_properties(properties, true, constraints)?;
    let identifier = key_identifier(signer.public)?;
    extensions.push(extensions::subject_key(&identifier)?);
    extensions.push(extensions::authority_key(&identifier)?);
    let plan = Plan { issuer: subject.clone(), subject, public: signer.public, extensions };
    plan.sign(validity, &signer, entropy)
}

/// A holder's certificate for a request, signed by an authority of ours.
///
/// Of what is requested it takes over what is understood: the subject, alternative names, usages of the key. It is never
/// an authority's, so the usages that only authorities have are left out. It is valid no longer than its issuer.
///
/// # Errors
/// [`Refusal::CertificateInvalid`] if the request or the issuer's certificate can't be read, the request is not signed by
/// its own key, the issuer is no authority, or its own validity is over before that of the new certificate begins. Those
/// of [`crate::KeyHandle::sign`], and [`Fault::MaterialInvalid`] if the key is not that of the issuer's certificate.
pub fn issue(
    request: &[u8],
    issuer_certificate: &[u8],
    issuer_key: &dyn crate::KeyHandle,
    validity: Validity,
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, Error> {
    let request = Request::read(request)?;
    let issuer = Certificate::read(issuer_certificate)?;
    if !issuer.is_authority {
        return Err(
            Refusal::CertificateInvalid { reason: "the issuer's certificate is not that of an authority" }.into()
        );
    }
    let not_before = validity.not_before.max(issuer.not_before);
    let not_after = validity.not_after.min(issuer.not_after);
    if not_before >= not_after {
        return Err(Refusal::CertificateInvalid { reason: "the issuer's certificate is not valid at that time" }.into());
    }
    let mut key_usage = request.understood.key_usage;
    key_usage.retain(|usage| !matches!(usage, KeyUsage::KeyCertSign | KeyUsage::CrlSign));
    let properties = X509Properties {
        subject: String::new(),
        names: request.understood.names,
        ekus: request.understood.ekus,
        key_usage,
        validity_months: 0,
        is_authority: false,
    };
    let mut extensions = extensions::of_properties(&properties, !request.subject.is_empty(), &HOLDER)?;
    let public = issuer.public_key()?;
    let issuer_identifier = match issuer.subject_key() {
        Some(identifier) => identifier.to_vec(),
        None => key_identifier(&public)?.to_vec(),
    };
    extensions.push(extensions::subject_key(&key_identifier(&request.public)?)?);
    extensions.push(extensions::authority_key(&issuer_identifier)?);
    let issuer = issuer.subject_name().clone();
    let plan = Plan { subject: request.subject, issuer, public: &request.public, extensions };
    plan.sign(Validity { not_before, not_after }, &Signer { key: issuer_key, public: &public }, entropy)
}

/// What is to be in a certificate.
struct Plan<'a> {
    subject: Name,
    issuer: Name,
    public: &'a PublicKey,
    extensions: Extensions,
}

impl Plan<'_> {
    fn sign(self, validity: Validity, signer: &Signer<'_>, entropy: &dyn Entropy) -> Result<Vec<u8>, Error> {
        let contents = Contents {
            version: Version::V3,
            serial: Uint::new(&serial(entropy)).map_err(encoding)?.into(),
            algorithm: signature::identifier(signer.public)?,
            issuer: self.issuer,
            validity: Period::of(validity)?,
            subject: self.subject,
            public_key: public_key::encode(self.public)?,
            issuer_id: None,
            subject_id: None,
            extensions: Some(self.extensions),
        };
        signature::sign(&contents.to_der().map_err(encoding)?, signer, entropy)
    }
}

/// 126 random bits in 16 bytes: positive, and never shorter.
fn serial(entropy: &dyn Entropy) -> [u8; 16] {
    let [first, rest @ ..] = draw::<16>(entropy);
    let mut serial = [first & 0x3f | 0x40; 16];
    let [_, tail @ ..] = &mut serial;
    *tail = rest;
    serial
}

/// The identifier of a key: 160 bits of SHA-256 over it (RFC 7093 §2, method 1).
fn key_identifier(public: &PublicKey) -> Result<[u8; 20], Fault> {
    let info = public_key::encode(public)?;
    let hash = sha256(info.subject_public_key.raw_bytes());
    let (identifier, _) = hash.split_first_chunk::<20>().ok_or(Fault::Backend("hashing a public key"))?;
    Ok(*identifier)
}
