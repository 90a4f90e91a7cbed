//! Deleting, recovering and purging containers.

use super::{
    operations,
    put::{arm_id, check_place, is_live_at, same_location},
};
use crate::{Engine, Error, Subject, locks::check_locks, notices::remove_event_subscriptions};
use domain::{
    Container, ContainerKind, ContainerName, Guid, Refusal, ResourceId, State, UnixTime,
    access::{Caller, Realm, Scope},
    lifecycle::Deleted,
    lock::Act,
};
use store::Tx;

impl Engine {
    /// Deletes a live container. `false` if there is none: deleting what is not there is no error (ARM: 204).
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::ScopeLocked`], [`Refusal::ExtendedToRegions`].
    pub fn delete_container(
        &self,
        caller: &Caller,
        kind: ContainerKind,
        resource: &ResourceId,
        name: &ContainerName,
    ) -> Result<bool, Error> {
        let operation = operations(kind).delete;
        let target = arm_id(kind, resource, name);
        self.authorise_arm(caller, operation, &target)?;
        let deleted = self.change(operation, Some(caller), &Subject::resource(&target), |tx, now| {
            let found = self.take_container(tx, kind, name)?;
            let Some(container) = found.filter(|found| is_live_at(found, &target)) else {
                return Err(Error::Refused(Refusal::ContainerNotFound));
            };
            check_locks(tx, Act::Delete, &target)?;
            delete(tx, container, now)
        });
        if deleted.is_ok() {
            self.open.invalidate(kind, name);
        }
        match self.settle_access(Realm::Arm, deleted) {
            Ok(()) => {
                self.cover(operation)?;
                Ok(true)
            }
            Err(Error::Refused(Refusal::ContainerNotFound)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Brings a deleted container back, with everything in it as it was.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::DeletedContainerNotFound`], [`Refusal::ResourceGroupNotFound`],
    /// [`Refusal::ScopeLocked`].
    pub fn recover_container(
        &self,
        caller: &Caller,
        kind: ContainerKind,
        resource: &ResourceId,
        name: &ContainerName,
    ) -> Result<Container, Error> {
        let operation = operations(kind).recover;
        let target = arm_id(kind, resource, name);
        self.authorise_arm(caller, operation, &target)?;
        let container = self.change(operation, Some(caller), &Subject::resource(&target), |tx, now| {
            check_place(tx, resource, None)?;
            let found = self.take_container(tx, kind, name)?;
            let found = found.filter(|found| found.arm_id().eq_ignore_ascii_case(&target));
            let mut container = found.ok_or(Refusal::DeletedContainerNotFound)?;
            let deletion = container.state.deletion().ok_or(Refusal::DeletedContainerNotFound)?;
            check_locks(tx, Act::Write, &target)?;
            container.state = deletion.recover(now)?;
            container.updated = now;
            tx.save_container(&container)?;
            Ok(container)
        })?;
        self.open.invalidate(kind, name);
        Ok(container)
    }

    /// Destroys a deleted container and everything in it before its scheduled date.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::DeletedContainerNotFound`], [`Refusal::ScopeLocked`],
    /// [`Refusal::PurgeProtected`].
    pub fn purge_container(
        &self,
        caller: &Caller,
        kind: ContainerKind,
        subscription: Guid,
        location: &str,
        name: &ContainerName,
    ) -> Result<(), Error> {
        let operation = operations(kind).purge;
        let target = format!("/subscriptions/{subscription}/providers/Microsoft.KeyVault/locations/{location}");
        self.authorise_arm(caller, operation, &target)?;
        let deleted = format!("{target}/{}/{name}", kind.deleted_collection());
        self.change(operation, Some(caller), &Subject::resource(&deleted), |tx, now| {
            let found = self.take_container(tx, kind, name)?;
            let found = found.filter(|found| {
                found.resource.subscription == subscription && same_location(&found.location, location)
            });
            let container = found.ok_or(Refusal::DeletedContainerNotFound)?;
            let deletion = container.state.deletion().ok_or(Refusal::DeletedContainerNotFound)?;
            check_locks(tx, Act::Write, &deleted)?;
            let proof = deletion.purge(&container.policy, now)?;
            tx.remove_container(container.id, proof)?;
            Ok(())
        })?;
        self.open.invalidate(kind, name);
        self.cover(operation)
    }
}

/// Deletes a live container, as its policy says.
pub(crate) fn delete(tx: &mut dyn Tx, mut container: Container, now: UnixTime) -> Result<(), Error> {
    let target = container.arm_id();
    container.check_deletion()?;
    match container.state.delete(&container.policy, now)? {
        Deleted::Recoverable(deletion) => {
            remove_event_subscriptions(tx, &container)?;
            container.state = State::Deleted(deletion);
            tx.save_container(&container)?;
        }
        Deleted::ForGood(proof) => tx.remove_container(container.id, proof)?,
    }
    remove_assignments_at(tx, &target)
}

/// Role assignments on a deleted container are lost, and recovery does not restore them (contract: key-vault §4.2).
fn remove_assignments_at(tx: &mut dyn Tx, arm_id: &str) -> Result<(), Error> {
    let scope = Scope::new(arm_id);
    for assignment in tx.role_assignments(Realm::Arm)? {
        if scope.covers(assignment.scope.as_str()) {
            tx.remove_role_assignment(Realm::Arm, assignment.name)?;
        }
    }
    Ok(())
}
