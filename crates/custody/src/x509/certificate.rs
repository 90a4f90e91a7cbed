//! One certificate, read: what a vault needs to know of it.

use super::{Parsed, Period, distinguished_name, extensions, public_key, signature::Signed};
use crate::software::integer;
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use der::{
    Decode, Encode, Sequence,
    asn1::{BitString, Int},
};
use domain::{AlternativeNames, CalendarDuration, PublicKey, Refusal, UnixTime, X509Properties};
use x509_cert::{
    Version,
    ext::Extensions,
    name::Name,
    spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned},
};

/// What is signed in a certificate (RFC 5280 §4.1.2).
#[derive(Sequence)]
pub(super) struct Contents {
    #[asn1(context_specific = "0", default = "Default::default")]
    pub(super) version: Version,
    pub(super) serial: Int,
    pub(super) algorithm: AlgorithmIdentifierOwned,
    pub(super) issuer: Name,
    pub(super) validity: Period,
    pub(super) subject: Name,
    pub(super) public_key: SubjectPublicKeyInfoOwned,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    pub(super) issuer_id: Option<BitString>,
    #[asn1(context_specific = "2", tag_mode = "IMPLICIT", optional = "true")]
    pub(super) subject_id: Option<BitString>,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT", optional = "true")]
    pub(super) extensions: Option<Extensions>,
}

/// A certificate that was read. That it was says nothing about who signed it, or whether it is valid now.
pub struct Certificate {
    /// As text, the innermost part first: `CN=www.contoso.com, O=Contoso, C=US`.
    pub subject: String,
    pub issuer: String,
    /// Big-endian, without leading zeros.
    pub serial: Vec<u8>,
    pub not_before: UnixTime,
    pub not_after: UnixTime,
    /// SHA-1 of the encoded certificate: the `x5t` of the wire. It names a certificate and protects nothing.
    pub thumbprint: [u8; 20],
    /// Whether it may sign other certificates.
    pub is_authority: bool,
    signed: Signed,
    contents: Contents,
    understood: extensions::Understood,
}

impl Certificate {
    /// Reads one certificate in DER. Its key may be of any kind, since a chain may have any in it.
    ///
    /// # Errors
    /// [`Refusal::CertificateInvalid`].
    pub fn read(der: &[u8]) -> Result<Self, Refusal> {
        let malformed = "it is not a certificate in DER";
        let signed = Signed::read(der, malformed)?;
        let contents: Contents = signed
            .content
            .to_der()
            .and_then(|content| Contents::from_der(&content))
            .map_err(|_| Refusal::CertificateInvalid { reason: malformed })?;
        let understood = extensions::read(contents.extensions.as_deref().unwrap_or_default())?;
        let mut thumbprint = [0; 20];
        thumbprint.copy_from_slice(digest(&SHA1_FOR_LEGACY_USE_ONLY, der).as_ref());
        Ok(Self {
            subject: distinguished_name::text(&contents.subject),
            issuer: distinguished_name::text(&contents.issuer),
            serial: integer::strip(contents.serial.as_bytes()).to_vec(),
            not_before: contents.validity.not_before.unix(),
            not_after: contents.validity.not_after.unix(),
            thumbprint,
            is_authority: understood.is_authority,
            signed,
            contents,
            understood,
        })
    }

    /// # Errors
    /// [`Refusal::CertificateInvalid`] for a key that a vault can't hold: of another type or curve, or malformed.
    pub fn public_key(&self) -> Result<PublicKey, Refusal> {
        public_key::decode(&self.contents.public_key)
    }

    /// Whether it is of this key.
    #[must_use]
    pub fn has_key(&self, public: &PublicKey) -> bool {
        self.public_key().is_ok_and(|own| public_key::are_same(&own, public))
    }

    /// What the policy of a certificate like this one says. Its life counts in calendar months, each that has begun, as
    /// recorded.
    #[must_use]
    pub fn properties(&self) -> X509Properties {
        X509Properties {
            subject: self.subject.clone(),
            names: self.understood.names.clone(),
            ekus: self.understood.ekus.clone(),
            key_usage: self.understood.key_usage.clone(),
            validity_months: CalendarDuration::months_begun(self.not_before, self.not_after),
            is_authority: self.is_authority,
        }
    }

    /// Whether `issuer` says that it signed this: by its name and, where both have one, the identifier of its key.
    /// Names are compared as they are encoded: an issuer copies its own.
    pub(super) fn names_issuer(&self, issuer: &Self) -> bool {
        let keys = self.understood.authority_key.as_ref().zip(issuer.understood.subject_key.as_ref());
        self.contents.issuer == issuer.contents.subject && keys.is_none_or(|(wanted, has)| wanted == has)
    }

    /// Whether the key of `issuer` signed this. `None` if that can't be told here: the key or the algorithm is of a
    /// kind that only others use.
    #[must_use]
    pub fn is_signed_by(&self, issuer: &Self) -> Option<bool> {
        self.signed.is_of(&issuer.public_key().ok()?)
    }

    pub(super) fn subject_name(&self) -> &Name {
        &self.contents.subject
    }

    pub(super) fn subject_key(&self) -> Option<&[u8]> {
        self.understood.subject_key.as_deref()
    }
}

/// What somebody wants to be certified as.
pub struct Requested {
    /// The common names of the subject, as they are written.
    pub common_names: Vec<String>,
    pub names: AlternativeNames,
}

/// Reads what a PKCS#10 request in DER asks for.
///
/// # Errors
/// [`Refusal::CertificateInvalid`].
pub fn requested(request: &[u8]) -> Result<Requested, Refusal> {
    let request = Request::read(request)?;
    let common_names = distinguished_name::common_names(&request.subject);
    Ok(Requested { common_names, names: request.understood.names })
}

/// A request that was read, and whose signature is that of its own key.
pub(super) struct Request {
    pub(super) subject: Name,
    pub(super) public: PublicKey,
    pub(super) understood: extensions::Understood,
}

impl Request {
    /// # Errors
    /// [`Refusal::CertificateInvalid`].
    pub(super) fn read(der: &[u8]) -> Parsed<Self> {
        use x509_cert::request::{CertReqInfo, ExtensionReq};
        let invalid = |reason| Refusal::CertificateInvalid { reason };
        let malformed = "it is not a certification request in DER";
        let signed = Signed::read(der, malformed)?;
        let content = signed.content.to_der().map_err(|_| invalid(malformed))?;
        let info = CertReqInfo::from_der(&content).map_err(|_| invalid(malformed))?;
        let public = public_key::decode(&info.public_key)?;
        if signed.is_of(&public) != Some(true) {
            return Err(invalid("the request is not signed by its own key"));
        }
        let oid = <ExtensionReq as der::oid::AssociatedOid>::OID;
        let values =
            info.attributes.iter().filter(|attribute| attribute.oid == oid).flat_map(|found| found.values.iter());
        let mut extensions = Vec::new();
        for value in values {
            let ExtensionReq(asked) = value.decode_as().map_err(|_| invalid(malformed))?;
            extensions.extend(asked);
        }
        Ok(Self { subject: info.subject, public, understood: extensions::read(&extensions)? })
    }
}
