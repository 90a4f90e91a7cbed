//! Rotation: on demand, by policy, and the policy itself.

use super::KEYS;
use crate::{
    Engine, Error, ObjectView, OpenContainer, Subject,
    objects::{find_live, find_version},
};
use domain::{ContainerKind, ObjectKind, ObjectName, Operation, Refusal, RotationPolicy, UnixTime, access::Caller};

impl Engine {
    /// Makes a new version of the same type, size, operations and tags. Its expiry comes from the rotation policy.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::NotFound`], [`Refusal::RotationPolicyMissing`] in a managed HSM,
    /// [`Refusal::TooManyVersions`].
    pub fn rotate_key(&self, caller: &Caller, target: &OpenContainer, name: &ObjectName) -> Result<ObjectView, Error> {
        self.check_access(caller, Operation::KeyRotate, target, &KEYS.path(name))?;
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
        self.authorised(caller, operation, target, &KEYS.path(name), |entry| self.rotation_policy_of(entry, name))
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
        let path = KEYS.path(name);
        let operation = Operation::KeyRotationPolicySet;
        self.check_access(caller, operation, target, &path)?;
        policy.check(target.kind(), self.now())?;
        let stored = self.change_in(caller, operation, target, &path, |tx, now| {
            self.live_container(tx, target)?;
            let mut object = find_live(tx, target.id(), ObjectKind::Key, name)?.object;
            let current = find_version(tx, target.id(), &object, None)?.version;
            let created = object.rotation.as_ref().and_then(|old| old.created).unwrap_or(now);
            let stamped = RotationPolicy { created: Some(created), updated: Some(now), ..policy.clone() };
            object.rotation = (!policy.is_blank()).then(|| stamped.clone());
            object.schedule_rotation(&current);
            tx.save_object(target.id(), &object)?;
            Ok(stamped)
        })?;
        self.close(target, name);
        Ok(stored)
    }

    fn rotation_policy_of(&self, target: &OpenContainer, name: &ObjectName) -> Result<Option<RotationPolicy>, Error> {
        self.store.query(|read| Ok::<_, Error>(find_live(read, target.id(), ObjectKind::Key, name)?.object.rotation))
    }

    /// Rotates the keys whose policy says it is time, at most `limit` of them. Returns how many were rotated.
    ///
    /// # Errors
    /// [`Error::Store`] if what is due can't be read.
    pub fn rotate_due(&self, limit: usize) -> Result<usize, Error> {
        let now: UnixTime = self.now();
        let due = self.store.query(|read| read.due_rotations(now, limit))?;
        let mut rotated = 0;
        for key in due {
            let Some(target) = self.open_container_by_id(key.container)? else { continue };
            match self.save_rotated(None, &target, &key.name, true) {
                Ok(_) => rotated += 1,
                // Somebody else has just changed it: the next round looks again.
                Err(Error::Busy) => {}
                // Deleted, or at its limit, in the meantime: nothing to rotate any more.
                Err(Error::Refused(refusal)) => self.stop_rotation(&target, &key.name, &refusal)?,
                // One that can't be rotated must not keep the others from it.
                Err(error) => {
                    tracing::error!(container = %target.container.name, key = %key.name, %error, "a due rotation failed");
                }
            }
        }
        Ok(rotated)
    }

    /// A key that can't be rotated would be due for ever: note why and take it off the schedule.
    fn stop_rotation(&self, target: &OpenContainer, name: &ObjectName, refusal: &Refusal) -> Result<(), Error> {
        tracing::warn!(container = %target.container.name, key = %name, %refusal, "a due rotation was refused");
        let path = KEYS.path(name);
        self.change(Operation::KeyRotationPolicySet, None, &Subject::within(target, &path), |tx, _| {
            match find_live(tx, target.id(), ObjectKind::Key, name) {
                Ok(found) => {
                    let mut object = found.object;
                    object.next_rotation = None;
                    Ok(tx.save_object(target.id(), &object)?)
                }
                Err(Error::Refused(_)) => Ok(()),
                Err(error) => Err(error),
            }
        })
    }
}
