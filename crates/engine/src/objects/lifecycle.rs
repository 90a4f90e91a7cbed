//! Deletion, recovery and purge: the one machine that all kinds go through.

use super::{ObjectView, check_unmanaged, find_live, find_object, find_version, followers_of, path_of};
use crate::{Engine, Error, OpenContainer};
use domain::{
    ContainerId, Object, ObjectAct, ObjectKind, ObjectName, Refusal, State,
    access::Caller,
    lifecycle::{Deleted, Purged},
};
use store::{StoredObject, Tx};

/// Puts an object and its followers into a state.
fn move_to(tx: &mut dyn Tx, container: ContainerId, leader: &mut Object, state: State) -> Result<(), Error> {
    for found in followers_of(tx, container, leader)? {
        tx.save_object(container, &Object { state, ..found.object })?;
    }
    leader.state = state;
    Ok(tx.save_object(container, leader)?)
}

/// Destroys an object and its followers.
fn remove(tx: &mut dyn Tx, container: ContainerId, leader: &Object, proof: &Purged) -> Result<(), Error> {
    for found in followers_of(tx, container, leader)? {
        tx.remove_object(container, found.object.kind, &found.object.name, proof)?;
    }
    Ok(tx.remove_object(container, leader.kind, &leader.name, proof)?)
}

impl Engine {
    /// Looks an object up for a change. One past its scheduled purge is purged here and now, as the scheduler would:
    /// its name is free from that second on.
    pub(crate) fn take_object(
        &self,
        tx: &mut dyn Tx,
        container: ContainerId,
        kind: ObjectKind,
        name: &ObjectName,
    ) -> Result<Option<StoredObject>, Error> {
        let now = self.now();
        let Some(found) = tx.object(container, kind, name)? else {
            return Ok(None);
        };
        let due = found.object.state.deletion().and_then(|deletion| deletion.expire(now));
        let Some(proof) = due else {
            return Ok(Some(found));
        };
        let leader = match found.object.leader() {
            leader if leader == kind => found.object,
            leader => {
                tx.object(container, leader, name)?.ok_or(Error::Broken("a managed object has no leader"))?.object
            }
        };
        remove(tx, container, &leader, &proof)?;
        let container = tx.container_by_id(container)?.ok_or(Refusal::ContainerNotFound)?.container;
        let purge = ObjectAct::Purge.on(leader.kind);
        self.append_expiry(tx, purge, &container, &path_of(leader.kind, &leader.name), now)?;
        Ok(None)
    }

    /// Deletes an object with all its versions.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::NotFound`], [`domain::CertificateRefusal::Managed`].
    pub fn delete_object(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        kind: ObjectKind,
        name: &ObjectName,
    ) -> Result<ObjectView, Error> {
        let act = ObjectAct::Delete;
        let view = self.change_in(caller, act.on(kind), target, &path_of(kind, name), |tx, now| {
            let container = self.live_container(tx, target)?;
            let mut object = find_live(tx, target.id(), kind, name)?.object;
            check_unmanaged(&object, act)?;
            let version = find_version(tx, target.id(), &object, None)?.version;
            match object.state.delete(&container.policy, now)? {
                Deleted::Recoverable(deletion) => {
                    move_to(tx, target.id(), &mut object, State::Deleted(deletion))?;
                }
                Deleted::ForGood(proof) => remove(tx, target.id(), &object, &proof)?,
            }
            Ok(ObjectView { object, version, policy: container.policy })
        })?;
        self.close(target, kind, name);
        if view.object.state.is_live() {
            // Without soft delete there is no deleted state: this was a purge.
            self.cover(ObjectAct::Purge.on(kind))?;
        }
        Ok(view)
    }

    /// Brings a deleted object back as it was.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::NotFound`], [`Refusal::DeletedNotFound`] for a live one,
    /// [`domain::CertificateRefusal::Managed`].
    pub fn recover_object(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        kind: ObjectKind,
        name: &ObjectName,
    ) -> Result<ObjectView, Error> {
        let act = ObjectAct::Recover;
        self.change_in(caller, act.on(kind), target, &path_of(kind, name), |tx, now| {
            let container = self.live_container(tx, target)?;
            let found = tx.object(target.id(), kind, name)?;
            let mut object = found.ok_or(Refusal::NotFound)?.object;
            let deletion = object.state.deletion().ok_or(Refusal::DeletedNotFound)?;
            let state = deletion.recover(now).map_err(|_| Refusal::NotFound)?;
            check_unmanaged(&object, act)?;
            move_to(tx, target.id(), &mut object, state)?;
            let version = find_version(tx, target.id(), &object, None)?.version;
            Ok(ObjectView { object, version, policy: container.policy })
        })
    }

    /// Destroys a deleted object before its scheduled date.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::DeletedNotFound`], [`Refusal::PurgeProtected`],
    /// [`Refusal::SoftDeleteDisabled`], [`domain::CertificateRefusal::Managed`].
    pub fn purge_object(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        kind: ObjectKind,
        name: &ObjectName,
    ) -> Result<(), Error> {
        let operation = ObjectAct::Purge.on(kind);
        self.change_in(caller, operation, target, &path_of(kind, name), |tx, now| {
            let container = self.live_container(tx, target)?;
            if container.policy.soft_delete.is_none() {
                return Err(Refusal::SoftDeleteDisabled.into());
            }
            let found = find_object(tx, target.id(), kind, name, now)?;
            let object = found.map(|found| found.object).ok_or(Refusal::DeletedNotFound)?;
            let deletion = object.state.deletion().ok_or(Refusal::DeletedNotFound)?;
            check_unmanaged(&object, ObjectAct::Purge)?;
            let proof = deletion.purge(&container.policy, now)?;
            remove(tx, target.id(), &object, &proof)
        })?;
        self.cover(operation)
    }
}
