//! Bringing the certificate of a version that was begun: its own key signs it, or an issuer of ours, or one outside that is
//! asked by and by.

use super::{KIND, authority::OrderAnswer, body_of, course_of, find_current};
use crate::{
    Engine, Error, OpenContainer, Subject,
    objects::{find_version, path_of},
};
use custody::x509::{self, Validity};
use domain::{
    CalendarDuration, CertificateOperation, CertificateRefusal, Errand, IssuerChoice, ObjectKind, ObjectName,
    Operation, OperationError, Refusal, UnixTime,
};
use std::collections::HashSet;
use store::{Read, StoredIssuer, StoredObject};

/// How long an issuer that did not answer for one certificate is not asked for others.
const SILENCE_SECONDS: i64 = 60;
const BEYOND_THE_CALENDAR: Refusal =
    Refusal::ParameterInvalid { parameter: "validity_months", reason: "lead beyond the calendar" };

/// Who is to be asked for a certificate.
enum Signer {
    /// Its own key.
    Own,
    /// An issuer of ours, at work in this process.
    Private(StoredIssuer),
    /// Somebody outside.
    Remote(StoredIssuer),
    Nobody(OperationError),
}

impl Engine {
    /// Asks the issuers outside for what is due, for at most `limit` certificates. Takes as long as they take.
    ///
    /// # Errors
    /// [`Error::Store`] if what is due can't be read.
    pub fn ask_issuers(&self, limit: usize) -> Result<usize, Error> {
        let _alone = self.asking.lock();
        let (now, mut silent) = (self.now(), HashSet::new());
        let find = |read: &mut dyn Read, limit| read.due_actions(now, limit);
        self.try_due(&self.asking_retries, limit, find, "an issuer was not asked", |due| {
            if due.kind != ObjectKind::Certificate {
                return Ok(false);
            }
            let Some(target) = self.open_container_by_id(due.container)? else { return Ok(false) };
            self.ask_issuer(&target, &due.name, &mut silent)
        })
    }

    /// Asks an issuer for one certificate. Whoever does not answer is `silent` from then on and not asked again: others
    /// wait meanwhile.
    fn ask_issuer(
        &self,
        target: &OpenContainer,
        name: &ObjectName,
        silent: &mut HashSet<String>,
    ) -> Result<bool, Error> {
        let Some((found, _)) = self.certificate_now(target, name)? else {
            return Ok(false);
        };
        let Ok(pending) = course_of(&found.object)?.pending(None) else {
            return Ok(false);
        };
        if pending.errand(self.now()) != Some(Errand::Ask) {
            return Ok(false);
        }
        let Signer::Remote(issuer) = self.signer_of(target, pending)? else {
            return Ok(false);
        };
        let provider = issuer.issuer.provider.to_ascii_lowercase();
        if silent.contains(&provider) {
            self.move_pending(target, name, pending, |pending, now| pending.defer(now.plus_seconds(SILENCE_SECONDS)))?;
            return Ok(true);
        }
        match self.order(target, &issuer, pending)? {
            OrderAnswer::Issued(chain) => match self.enrol(target, &found, pending, chain) {
                // It would bring the same again.
                Err(Error::Refused(refusal)) => {
                    let error = OperationError { code: "IssuerAnswerInvalid".to_owned(), message: refusal.to_string() };
                    self.move_pending(target, name, pending, |pending, _| pending.fail(error.clone()))?;
                }
                outcome => outcome?,
            },
            OrderAnswer::Waiting { progress, details, again_at } => {
                self.move_pending(target, name, pending, |pending, now| {
                    pending.wait(Some(progress.clone()), details.clone(), again_at, now)
                })?;
            }
            OrderAnswer::Refused(error) => {
                self.move_pending(target, name, pending, |pending, _| pending.fail(error.clone()))?;
            }
            OrderAnswer::Silent(error) => {
                silent.insert(provider);
                self.move_pending(target, name, pending, |pending, now| pending.postpone(error.clone(), now))?;
            }
            OrderAnswer::Unreachable(error) => {
                self.move_pending(target, name, pending, |pending, now| pending.postpone(error.clone(), now))?;
            }
        }
        Ok(true)
    }

    pub(super) fn attempt(
        &self,
        target: &OpenContainer,
        found: &StoredObject,
        pending: &CertificateOperation,
    ) -> Result<bool, Error> {
        let name = &found.object.name;
        if pending.errand(self.now()) == Some(Errand::Cancel) {
            self.move_pending(target, name, pending, |pending, _| pending.cancel())?;
            return Ok(true);
        }
        let signed = match self.signer_of(target, pending)? {
            Signer::Remote(_) => return Ok(false),
            Signer::Nobody(error) => {
                self.move_pending(target, name, pending, |pending, _| pending.fail(error.clone()))?;
                return Ok(true);
            }
            Signer::Own => self.sign_own(target, found, pending),
            Signer::Private(issuer) => self.sign_privately(&issuer, found, pending),
        };
        match signed.and_then(|chain| self.enrol(target, found, pending, chain)) {
            Ok(()) => Ok(true),
            Err(Error::Refused(refusal)) => {
                let error = OperationError { code: "IssuerRefused".to_owned(), message: refusal.to_string() };
                self.move_pending(target, name, pending, |pending, now| pending.postpone(error.clone(), now))?;
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }

    fn signer_of(&self, target: &OpenContainer, pending: &CertificateOperation) -> Result<Signer, Error> {
        let nobody = |code: &str, message: String| Signer::Nobody(OperationError { code: code.to_owned(), message });
        let name = match &pending.issuer.name {
            IssuerChoice::Own => return Ok(Signer::Own),
            IssuerChoice::Unknown => return Err(Error::Broken("a merge is due")),
            IssuerChoice::Named(name) => name,
        };
        let Some(stored) = self.store.query(|read| read.issuer(target.id(), name))? else {
            return Ok(nobody("IssuerNotFound", format!("The issuer {name} is not there any more.")));
        };
        Ok(match (&stored.authority, stored.issuer.enabled) {
            (_, false) => nobody("IssuerDisabled", format!("The issuer {name} is disabled.")),
            (Some(_), true) => Signer::Private(stored),
            (None, true) if self.authority(&stored.issuer.provider).is_some() => Signer::Remote(stored),
            (None, true) => {
                let provider = &stored.issuer.provider;
                nobody("ProviderUnknown", format!("The provider {provider} of the issuer {name} is not set up here."))
            }
        })
    }

    fn sign_own(
        &self,
        target: &OpenContainer,
        found: &StoredObject,
        pending: &CertificateOperation,
    ) -> Result<Vec<Vec<u8>>, Error> {
        let begun = self.store.query(|read| find_version(read, target.id(), &found.object, Some(pending.version)))?;
        let body = body_of(&begun.version)?;
        let material = self.material_of(target, found, &begun)?;
        let handle = self.provider.open(body.key.spec, &body.key.public, &material)?;
        let signer = x509::Signer { key: &*handle, public: &body.key.public };
        let validity = self.validity(found)?;
        let policy = &course_of(&found.object)?.policy;
        Ok(vec![x509::self_signed(&policy.x509, validity, signer, &*self.entropy)?])
    }

    /// How long a certificate that is made now is to be valid.
    pub(super) fn validity(&self, found: &StoredObject) -> Result<Validity, Error> {
        let validity = course_of(&found.object)?.policy.x509.validity(self.now());
        let (not_before, not_after) = validity.ok_or(BEYOND_THE_CALENDAR)?;
        Ok(Validity { not_before, not_after })
    }

    /// Puts a chain to the version that was begun for it.
    fn enrol(
        &self,
        target: &OpenContainer,
        found: &StoredObject,
        pending: &CertificateOperation,
        chain: Vec<Vec<u8>>,
    ) -> Result<(), Error> {
        let name = &found.object.name;
        let begun = self.store.query(|read| find_version(read, target.id(), &found.object, Some(pending.version)))?;
        let material = self.material_of(target, found, &begun)?;
        let trio = self.trio(begun.version.clone(), material, chain, self.now())?;
        if trio.certificate.version.attributes.expires.is_none_or(|end| end <= self.now()) {
            return Err(Refusal::CertificateInvalid { reason: "the issuer's certificate has expired already" }.into());
        }
        let path = path_of(KIND, name);
        self.change(Operation::CertificateEnroll, None, &Subject::within(target, &path), |tx, now| {
            self.live_container(tx, target)?;
            let (found, _) = find_current(tx, target, name)?;
            self.complete(tx, target, found.object, (&begun.version, &trio), now).map(drop)
        })?;
        self.close(target, KIND, name);
        Ok(())
    }
}

/// So many calendar months later.
pub(super) fn lasting(from: UnixTime, months: u32) -> Result<UnixTime, Error> {
    let duration = CalendarDuration::months(months);
    Ok(duration.and_then(|duration| from.plus(&duration)).ok_or(BEYOND_THE_CALENDAR)?)
}

impl From<CertificateRefusal> for Error {
    fn from(refusal: CertificateRefusal) -> Self {
        Refusal::from(refusal).into()
    }
}
