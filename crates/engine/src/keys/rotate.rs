//! Rotation: on demand, by policy, and the policy itself.

use crate::{
    Engine, Error, ObjectView, OpenContainer, Subject,
    objects::{check_unmanaged, find_live, find_version, path_of},
};
use domain::{ContainerKind, ObjectAct, ObjectKind, ObjectName, Operation, Refusal, RotationPolicy, access::Caller};

impl Engine {
    /// Makes a new version of the same type, size, operations and tags. Its expiry comes from the rotation policy.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::NotFound`], [`Refusal::RotationPolicyMissing`] in a managed HSM,
    /// [`Refusal::TooManyVersions`].
    pub fn rotate_key(&self, caller: &Caller, target: &OpenContainer, name: &ObjectName) -> Result<ObjectView, Error> {
        self.check_access(caller, Operation::KeyRotate, target, &path_of(ObjectKind::Key, name))?;
        target.check_active()?;
        if target.kind() == ContainerKind::ManagedHsm && self.rotation_policy_of(target, name)?.is_none() {
            return Err(Refusal::RotationPolicyMissing.into());
        }
        self.save_rotated(Some(caller), target, name, false)
    }

    /// The rotation policy of a live key; `None` if none was set.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::NotFound`].
    pub fn rotation_policy(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        name: &ObjectName,
    ) -> Result<Option<RotationPolicy>, Error> {
        let operation = Operation::KeyRotationPolicyGet;
        self.authorised(caller, operation, target, &path_of(ObjectKind::Key, name), |entry| {
            self.rotation_policy_of(entry, name)
        })
    }

    /// Replaces the rotation policy; a blank one removes it. Returns what is stored.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::NotFound`], [`Refusal::RotationPolicyInvalid`].
    pub fn set_rotation_policy(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        name: &ObjectName,
        policy: &RotationPolicy,
    ) -> Result<RotationPolicy, Error> {
        let path = path_of(ObjectKind::Key, name);
        let operation = Operation::KeyRotationPolicySet;
        self.check_access(caller, operation, target, &path)?;
        policy.check(target.kind(), self.now())?;
        let stored = self.change_in(caller, operation, target, &path, |tx, now| {
            self.live_container(tx, target)?;
            let mut object = find_live(tx, target.id(), ObjectKind::Key, name)?.object;
            check_unmanaged(&object, ObjectAct::Update)?;
            let current = find_version(tx, target.id(), &object, None)?.version;
            let created = object.rotation.as_ref().and_then(|old| old.created).unwrap_or(now);
            let stamped = RotationPolicy { created: Some(created), updated: Some(now), ..policy.clone() };
            object.rotation = (!policy.is_blank()).then(|| stamped.clone());
            object.schedule(&current);
            tx.save_object(target.id(), &object)?;
            Ok(stamped)
        })?;
        self.close(target, ObjectKind::Key, name);
        Ok(stored)
    }

    fn rotation_policy_of(&self, target: &OpenContainer, name: &ObjectName) -> Result<Option<RotationPolicy>, Error> {
        self.store.query(|read| Ok::<_, Error>(find_live(read, target.id(), ObjectKind::Key, name)?.object.rotation))
    }

    /// Rotates a key whose policy says that it is time. Returns whether it was rotated.
    pub(crate) fn rotate_if_due(&self, target: &OpenContainer, name: &ObjectName) -> Result<bool, Error> {
        match self.save_rotated(None, target, name, true) {
            Ok(_) => Ok(true),
            // Deleted, or at its limit, in the meantime: nothing to rotate any more.
            Err(Error::Refused(refusal)) => self.stop_rotation(target, name, &refusal).map(|()| false),
            Err(error) => Err(error),
        }
    }

    /// A key that can't be rotated would be due for ever: note why and take it off the schedule.
    fn stop_rotation(&self, target: &OpenContainer, name: &ObjectName, refusal: &Refusal) -> Result<(), Error> {
        tracing::warn!(container = %target.container.name, key = %name, %refusal, "a due rotation was refused");
        let path = path_of(ObjectKind::Key, name);
        self.change(Operation::KeyRotationPolicySet, None, &Subject::within(target, &path), |tx, _| {
            // What is in a deleted container waits for its recovery.
            self.live_container(tx, target)?;
            match find_live(tx, target.id(), ObjectKind::Key, name) {
                Ok(found) => {
                    let mut object = found.object;
                    object.next_action = None;
                    Ok(tx.save_object(target.id(), &object)?)
                }
                Err(Error::Refused(_)) => Ok(()),
                Err(error) => Err(error),
            }
        })
    }
}
