//! The pending operation and the policy, as their owner sees and changes them.

use super::{KIND, amended, course_of, find_current, move_on};
use crate::{Engine, Error, NewAttributes, ObjectView, OpenContainer, objects::path_of};
use domain::{
    CertificateCourse, CertificateOperation, ObjectName, Operation, PolicyRequest, Refusal, Tags, access::Caller,
};

/// A certificate that its owner brings for the pending request.
#[derive(Clone, Debug, Default)]
pub struct MergeCertificate {
    /// In DER.
    pub chain: Vec<Vec<u8>>,
    pub attributes: NewAttributes,
    pub tags: Option<Tags>,
}

impl Engine {
    /// A live certificate as its policy and pending operation show it: the object with its current version.
    fn view_certificate(
        &self,
        caller: &Caller,
        operation: Operation,
        target: &OpenContainer,
        name: &ObjectName,
    ) -> Result<ObjectView, Error> {
        self.authorised(caller, operation, target, &path_of(KIND, name), |entry| {
            self.store.query(|read| {
                let (found, current) = find_current(read, entry, name)?;
                Ok(ObjectView { object: found.object, version: current.version, policy: entry.container.policy })
            })
        })
    }

    /// Changes a live certificate, not its versions.
    fn change_certificate<T>(
        &self,
        caller: &Caller,
        operation: Operation,
        target: &OpenContainer,
        name: &ObjectName,
        mut step: impl FnMut(CertificateCourse, domain::UnixTime) -> Result<(CertificateCourse, T), Error>,
    ) -> Result<(ObjectView, T), Error> {
        let changed = self.change_in(caller, operation, target, &path_of(KIND, name), |tx, now| {
            let container = self.live_container(tx, target)?;
            let (found, current) = find_current(tx, target, name)?;
            let mut object = found.object;
            let (course, told) = step(course_of(&object)?.clone(), now)?;
            object.course = Some(Box::new(course));
            object.schedule(&current.version);
            tx.save_object(target.id(), &object)?;
            Ok((ObjectView { object, version: current.version, policy: container.policy }, told))
        })?;
        self.close(target, KIND, name);
        Ok(changed)
    }

    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::NotFound`].
    pub fn certificate_policy(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        name: &ObjectName,
    ) -> Result<ObjectView, Error> {
        self.view_certificate(caller, Operation::CertificatePolicyGet, target, name)
    }

    /// Changes what the next versions are made like.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::NotFound`], [`Refusal::ParameterInvalid`] and the like.
    pub fn update_certificate_policy(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        name: &ObjectName,
        request: &PolicyRequest,
    ) -> Result<ObjectView, Error> {
        let operation = Operation::CertificatePolicyUpdate;
        let changed = self.change_certificate(caller, operation, target, name, |course, now| {
            let policy = amended(&course.policy, request, now)?;
            Ok((CertificateCourse { policy, ..course }, ()))
        })?;
        Ok(changed.0)
    }

    /// The pending operation: in progress, or as it ended.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::NotFound`], [`domain::CertificateRefusal::PendingNotFound`].
    pub fn pending_certificate(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        name: &ObjectName,
        request_id: Option<&str>,
    ) -> Result<CertificateOperation, Error> {
        let view = self.view_certificate(caller, Operation::CertificatePendingGet, target, name)?;
        Ok(course_of(&view.object)?.pending(request_id)?.clone())
    }

    /// Asks for the pending operation to end without a certificate.
    ///
    /// # Errors
    /// Those of [`Engine::pending_certificate`], [`domain::CertificateRefusal::NotInProgress`].
    pub fn cancel_pending_certificate(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        name: &ObjectName,
    ) -> Result<CertificateOperation, Error> {
        let operation = Operation::CertificatePendingUpdate;
        let (_, pending) = self.change_certificate(caller, operation, target, name, |mut course, now| {
            let pending = course.pending(None)?.clone().request_cancellation(now)?;
            course.pending = Some(pending.clone());
            Ok((course, pending))
        })?;
        self.advance_at_once(target, name);
        Ok(pending)
    }

    /// Takes the pending operation away, however far it is.
    ///
    /// # Errors
    /// Those of [`Engine::pending_certificate`].
    pub fn delete_pending_certificate(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        name: &ObjectName,
    ) -> Result<CertificateOperation, Error> {
        let operation = Operation::CertificatePendingDelete;
        let changed =
            self.change_certificate(caller, operation, target, name, |course, _| Ok(course.abandon(None)?))?;
        Ok(changed.1)
    }

    /// Completes a pending certificate with what its owner's issuer made.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::NotFound`], [`domain::CertificateRefusal::PendingNotFound`],
    /// [`domain::CertificateRefusal::IssuerDriven`], [`domain::CertificateRefusal::NotInProgress`],
    /// [`domain::CertificateRefusal::KeyMismatch`], [`Refusal::CertificateInvalid`].
    pub fn merge_certificate(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        name: &ObjectName,
        request: &MergeCertificate,
    ) -> Result<ObjectView, Error> {
        let (operation, path) = (Operation::CertificatePendingMerge, path_of(KIND, name));
        self.check_access(caller, operation, target, &path)?;
        let (found, _) = self.certificate_now(target, name)?.ok_or(Refusal::NotFound)?;
        let pending = course_of(&found.object)?.pending(None)?;
        pending.mergeable()?;
        let begun = self
            .store
            .query(|read| crate::objects::find_version(read, target.id(), &found.object, Some(pending.version)))?;
        let material = self.material_of(target, &found, &begun)?;
        let mut version = begun.version.clone();
        if let Some(tags) = &request.tags {
            version.tags.clone_from(tags);
        }
        version.attributes.enabled = request.attributes.enabled.unwrap_or(version.attributes.enabled);
        let trio = self.trio(version, material, request.chain.clone(), self.now())?;
        let view = self.change_in(caller, operation, target, &path, |tx, now| {
            let container = self.live_container(tx, target)?;
            let (found, _) = find_current(tx, target, name)?;
            course_of(&found.object)?.pending(None)?.mergeable()?;
            let object = self.complete(tx, target, found.object, (&begun.version, &trio), now)?;
            Ok(ObjectView { object, version: trio.certificate.version.clone(), policy: container.policy })
        })?;
        self.close(target, KIND, name);
        Ok(view)
    }

    /// Moves a live certificate's pending operation on, for the service itself. `step` says where to, or that the
    /// operation is not the one that it knew.
    pub(super) fn move_pending(
        &self,
        target: &OpenContainer,
        name: &ObjectName,
        known: &CertificateOperation,
        mut step: impl FnMut(CertificateOperation, domain::UnixTime) -> Result<CertificateOperation, Refusal>,
    ) -> Result<(), Error> {
        let path = path_of(KIND, name);
        let subject = crate::Subject::within(target, &path);
        self.change(Operation::CertificatePendingUpdate, None, &subject, |tx, now| {
            self.live_container(tx, target)?;
            let (found, current) = find_current(tx, target, name)?;
            let mut object = found.object;
            move_on(&mut object, |mut course| {
                let pending = course.pending.take().filter(|pending| pending.request_id == known.request_id);
                course.pending = Some(step(pending.ok_or(domain::CertificateRefusal::PendingNotFound)?, now)?);
                Ok(course)
            })?;
            object.schedule(&current.version);
            Ok(tx.save_object(target.id(), &object)?)
        })?;
        self.close(target, KIND, name);
        Ok(())
    }
}
