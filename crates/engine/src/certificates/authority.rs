//! Issuers that are asked: outside, through a provider, and ours, whose key is in a vault or managed HSM.

use super::enrol::lasting;
use crate::{Engine, Error, OpenContainer, Subject, keys::key_body, objects::path_of};
use custody::x509::{self, Validity};
use domain::{
    CertificateOperation, Issuer, KeyUse, ObjectKind, Operation, OperationError, PrivateAuthority, Refusal, Secret,
    UnixTime, access::Caller, permits,
};
use store::{StoredIssuer, StoredObject};

/// Who knows how to ask a kind of issuer. Called without any lock or transaction; may block.
pub trait CertificateAuthority: Send + Sync {
    /// What issuers call it: the `provider` of [`Issuer`]. Compared without case.
    fn provider(&self) -> &str;

    /// Takes an order as far as it goes now.
    fn ask(&self, order: &Order<'_>) -> OrderAnswer;
}

/// A certificate to be made.
pub struct Order<'a> {
    pub issuer: &'a Issuer,
    pub password: Option<&'a Secret>,
    /// PKCS#10 in DER.
    pub request: &'a [u8],
    /// What the provider said of it the last time ([`OrderAnswer::Waiting`]).
    pub progress: Option<&'a str>,
    pub now: UnixTime,
    /// For a key of the provider's own: [`Engine::system_key`].
    pub engine: &'a Engine,
}

pub enum OrderAnswer {
    /// The chain in DER, the certificate first.
    Issued(Vec<Vec<u8>>),
    Waiting {
        progress: String,
        details: Option<String>,
        again_at: UnixTime,
    },
    /// For good.
    Refused(OperationError),
    /// It may work another time.
    Unreachable(OperationError),
    /// Nobody answered, and others need not wait for that now.
    Silent(OperationError),
}

/// How long an authority of ours lasts. What it signs lasts no longer.
const AUTHORITY_MONTHS: u32 = 120;
/// In which it signs no more: it would have to be asked again at once.
const LAST_DAY_SECONDS: i64 = UnixTime::DAY_SECONDS;

impl Engine {
    /// Gives the engine issuers to ask.
    #[must_use]
    pub fn with_authorities(mut self, authorities: Vec<Box<dyn CertificateAuthority>>) -> Self {
        self.authorities = authorities;
        self
    }

    pub(super) fn authority(&self, provider: &str) -> Option<&dyn CertificateAuthority> {
        let found = self.authorities.iter().find(|authority| authority.provider().eq_ignore_ascii_case(provider));
        found.map(AsRef::as_ref)
    }

    pub(super) fn order(
        &self,
        target: &OpenContainer,
        stored: &StoredIssuer,
        pending: &CertificateOperation,
    ) -> Result<OrderAnswer, Error> {
        let authority = self.authority(&stored.issuer.provider).ok_or(Error::Broken("a provider has gone"))?;
        let password = self.issuer_password(target, stored)?;
        Ok(authority.ask(&Order {
            issuer: &stored.issuer,
            password: password.as_ref(),
            request: &pending.csr,
            progress: pending.progress.as_deref(),
            now: self.now(),
            engine: self,
        }))
    }

    /// The chain of a certificate that an issuer of ours signs.
    pub(super) fn sign_privately(
        &self,
        stored: &StoredIssuer,
        found: &StoredObject,
        pending: &CertificateOperation,
    ) -> Result<Vec<Vec<u8>>, Error> {
        let authority = stored.authority.as_ref().ok_or(Error::Broken("an issuer has no key"))?;
        let end = x509::Certificate::read(&authority.certificate)?.not_after;
        if end < self.now().plus_seconds(LAST_DAY_SECONDS) {
            return Err(Refusal::CertificateInvalid { reason: "the issuer's own certificate ends within a day" }.into());
        }
        let validity = self.validity(found)?;
        let leaf = self.with_authority_key(None, authority, |key, _| {
            Ok(x509::issue(&pending.csr, &authority.certificate, key, validity, &*self.entropy)?)
        })?;
        Ok(vec![leaf, authority.certificate.clone()])
    }

    /// The certificate of an authority, made by its own key in a caller's name.
    pub(super) fn authority_certificate(
        &self,
        caller: &Caller,
        authority: &PrivateAuthority,
        subject: &str,
    ) -> Result<Vec<u8>, Error> {
        let now = self.now();
        let validity = Validity { not_before: now, not_after: lasting(now, AUTHORITY_MONTHS)? };
        self.with_authority_key(Some(caller), authority, |key, public| {
            Ok(x509::authority(subject, validity, x509::Signer { key, public }, &*self.entropy)?)
        })
    }

    /// Works with an authority's key, if it may sign now. The log of the key's own container tells of it, for its owners
    /// may have no part in the vault that has the certificate made.
    fn with_authority_key<T>(
        &self,
        caller: Option<&Caller>,
        authority: &PrivateAuthority,
        work: impl Fn(&dyn custody::KeyHandle, &domain::PublicKey) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let entry = self.open_container_by_id(authority.container)?.ok_or(Refusal::ContainerNotFound)?;
        let key = (ObjectKind::Key, &authority.key);
        let done = self.with_open(&entry, key, Some(authority.version), |entry, open| {
            let body = key_body(&open.version)?;
            permits(&open.version.attributes, &body.key_ops, KeyUse::Sign, self.now())?;
            let done = work(self.handle(entry, open)?, &body.public)?;
            self.note_use(entry, open);
            Ok(done)
        })?;
        let path = path_of(ObjectKind::Key, &authority.key);
        self.change(Operation::KeySign, caller, &Subject::within(&entry, &path), |_, _| Ok(()))?;
        Ok(done)
    }
}
