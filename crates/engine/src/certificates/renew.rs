//! What becomes of certificates by themselves: pending ones are made, lives are renewed, contacts are told.

use super::{CreateCertificate, KIND, body_of, course_of, find_current, move_on};
use crate::{Engine, Error, NewAttributes, OpenContainer, Subject, objects::path_of};
use domain::{CertificateCourse, LifetimeStepKind, NextAction, ObjectName, Operation, UnixTime};
use store::{StoredObject, StoredVersion};

impl Engine {
    /// [`Engine::advance_certificate`] for a certificate that was just begun. If it does not succeed the loop tries again.
    pub(super) fn advance_at_once(&self, target: &OpenContainer, name: &ObjectName) {
        if let Err(error) = self.advance_certificate(target, name) {
            tracing::warn!(container = %target.container.name, certificate = %name, %error, "a certificate waits");
        }
    }

    /// Does what is due of a certificate and can be done in this process. Returns whether anything was.
    pub(crate) fn advance_certificate(&self, target: &OpenContainer, name: &ObjectName) -> Result<bool, Error> {
        let Some((found, current)) = self.certificate_now(target, name)? else {
            return Ok(false);
        };
        let course = course_of(&found.object)?;
        let due = course.next_action(current.version.life().as_ref()).filter(|(at, _)| *at <= self.now());
        match due.map(|(_, action)| action) {
            None => Ok(false),
            Some(NextAction::Attempt) => self.attempt(target, &found, course.pending(None)?),
            Some(NextAction::Lifetime(LifetimeStepKind::AutoRenew)) => match self.renew(target, &found, &current) {
                // It can't be begun, and would be due at once again.
                Err(Error::Refused(refusal)) => {
                    tracing::warn!(container = %target.container.name, certificate = %name, %refusal, "no renewal");
                    let version = current.version.id;
                    self.note_step(target, &current, name, |course, now| course.record_unbegun(version, now))
                }
                outcome => outcome,
            },
            Some(NextAction::Lifetime(step @ LifetimeStepKind::EmailContacts)) => {
                self.note_step(target, &current, name, |course, _| course.record(current.version.id, step))
            }
        }
    }

    /// Begins the next version of a certificate because it is time. Whether it was.
    fn renew(&self, target: &OpenContainer, found: &StoredObject, old: &StoredVersion) -> Result<bool, Error> {
        let name = &found.object.name;
        let policy = course_of(&found.object)?.policy.clone();
        let request = CreateCertificate {
            attributes: NewAttributes { enabled: Some(old.version.attributes.enabled), ..NewAttributes::default() },
            tags: old.version.tags.clone(),
            preserve_order: body_of(&old.version)?.preserve_order,
            policy: None,
        };
        let beginning = self.beginning(target, Some(&(found.clone(), old.clone())), policy.clone(), &request)?;
        let path = path_of(KIND, name);
        let operation = Operation::CertificateRenew;
        self.change(operation, None, &Subject::within(target, &path), |tx, now| {
            let (found, current) = find_current(tx, target, name)?;
            // Somebody has changed meanwhile what it is made like, or disabled the version before it.
            if current.version != old.version || course_of(&found.object)?.policy != policy {
                return Err(Error::Busy);
            }
            let mut object = self.begin(tx, target, name, &beginning, now)?.object;
            move_on(&mut object, |course| Ok(course.record(old.version.id, LifetimeStepKind::AutoRenew)))?;
            object.schedule(&old.version);
            Ok(tx.save_object(target.id(), &object)?)
        })?;
        self.close(target, KIND, name);
        self.advance_at_once(target, name);
        Ok(true)
    }

    /// Notes what became of a lifetime action of a version.
    fn note_step(
        &self,
        target: &OpenContainer,
        current: &StoredVersion,
        name: &ObjectName,
        mut note: impl FnMut(CertificateCourse, UnixTime) -> CertificateCourse,
    ) -> Result<bool, Error> {
        let path = path_of(KIND, name);
        self.change(Operation::CertificateNotify, None, &Subject::within(target, &path), |tx, now| {
            self.live_container(tx, target)?;
            let (found, now_current) = find_current(tx, target, name)?;
            if now_current.version.id != current.version.id {
                return Err(Error::Busy);
            }
            let mut object = found.object;
            move_on(&mut object, |course| Ok(note(course, now)))?;
            object.schedule(&now_current.version);
            Ok(tx.save_object(target.id(), &object)?)
        })?;
        self.close(target, KIND, name);
        Ok(true)
    }
}
