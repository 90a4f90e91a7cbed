//! What every kind of object shares: lookup, lists, deletion, recovery, purge.

use crate::{Engine, Error, OpenContainer, Page, PageRequest};
use domain::{
    Container, ContainerId, Object, ObjectKind, ObjectName, Operation, Refusal, State, Version, VersionId,
    access::Caller,
    lifecycle::{Deleted, DeletionPolicy},
};
use store::{Presence, Read, StoredObject, StoredVersion, Tx};

/// An object as seen in one version, with the deletion policy that speaks in its recovery level.
#[derive(Clone, Debug)]
pub struct ObjectView {
    pub object: Object,
    pub version: Version,
    pub policy: DeletionPolicy,
}

/// The operations by which a kind of object is deleted, recovered and so on: their names and rights differ, the
/// rules don't.
pub(crate) struct ObjectOperations {
    pub kind: ObjectKind,
    /// The path segment of the kind: `keys`.
    pub collection: &'static str,
    pub list: Operation,
    pub list_versions: Operation,
    pub delete: Operation,
    pub get_deleted: Operation,
    pub list_deleted: Operation,
    pub recover: Operation,
    pub purge: Operation,
}

impl ObjectOperations {
    pub(crate) fn path(&self, name: &ObjectName) -> String {
        format!("/{}/{name}", self.collection)
    }

    pub(crate) fn collection_path(&self) -> String {
        format!("/{}", self.collection)
    }
}

/// An object with its deletion state as of now: what is past its scheduled purge counts as gone.
pub(crate) fn find_object(
    read: &mut (impl Read + ?Sized),
    container: ContainerId,
    kind: ObjectKind,
    name: &ObjectName,
    now: domain::UnixTime,
) -> Result<Option<StoredObject>, Error> {
    let found = read.object(container, kind, name)?;
    Ok(found.filter(|found| found.object.state.as_of(now).is_some()))
}

pub(crate) fn find_live(
    read: &mut (impl Read + ?Sized),
    container: ContainerId,
    kind: ObjectKind,
    name: &ObjectName,
) -> Result<StoredObject, Error> {
    let found = read.object(container, kind, name)?;
    Ok(found.filter(|found| found.object.state.is_live()).ok_or(Refusal::NotFound)?)
}

/// The version asked for, or the current one.
pub(crate) fn find_version(
    read: &mut (impl Read + ?Sized),
    container: ContainerId,
    object: &Object,
    version: Option<VersionId>,
) -> Result<StoredVersion, Error> {
    let id = version.unwrap_or(object.current);
    let found = read.version(container, object.kind, &object.name, id)?;
    Ok(found.ok_or(Refusal::NotFound)?)
}

impl Engine {
    /// Reads a container inside a transaction: it must be there and live, whatever an open entry says.
    pub(crate) fn live_container(&self, tx: &mut dyn Tx, target: &OpenContainer) -> Result<Container, Error> {
        let stored = tx.container_by_id(target.id())?.ok_or(Refusal::ContainerNotFound)?;
        match stored.container.state {
            State::Live => Ok(stored.container),
            State::Deleted(deletion) => {
                Err(Refusal::ContainerDeleted { scheduled_purge_at: deletion.scheduled_purge_at }.into())
            }
        }
    }

    /// Looks an object up for a change. One past its scheduled purge is purged here and now, as the scheduler would:
    /// its name is free from that second on.
    pub(crate) fn take_object(
        &self,
        tx: &mut dyn Tx,
        container: ContainerId,
        operations: &ObjectOperations,
        name: &ObjectName,
    ) -> Result<Option<StoredObject>, Error> {
        let now = self.now();
        let Some(found) = tx.object(container, operations.kind, name)? else {
            return Ok(None);
        };
        let due = found.object.state.deletion().and_then(|deletion| deletion.expire(now));
        let Some(proof) = due else {
            return Ok(Some(found));
        };
        tx.remove_object(container, operations.kind, name, proof)?;
        let target = operations.path(&found.object.name);
        let container = tx.container_by_id(container)?.ok_or(Refusal::ContainerNotFound)?.container;
        self.append_expiry(tx, operations.purge, &container, &target, now)?;
        Ok(None)
    }

    pub(crate) fn list_objects(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        operations: &ObjectOperations,
        presence: Presence,
        page: &PageRequest,
    ) -> Result<Page<ObjectView>, Error> {
        let operation = match presence {
            Presence::Live => operations.list,
            Presence::Deleted => operations.list_deleted,
        };
        let now = self.now();
        let path = operations.collection_path();
        let (found, policy) = self.authorised(caller, operation, target, &path, |entry| {
            let (after, limit) = (page.after.as_deref(), page.limit + 1);
            let found =
                self.store.query(|read| read.list_objects(entry.id(), operations.kind, presence, after, limit))?;
            Ok((found, entry.container.policy))
        })?;
        let view = |(object, version)| ObjectView { object, version, policy };
        let mut listed = Page::cut(found, page.limit, |(object, _)| object.name.folded()).map(view);
        // What is due may still be stored; it is not shown. A page may be short (contract: key-vault §3.7).
        listed.items.retain(|view| view.object.state.as_of(now).is_some());
        Ok(listed)
    }

    pub(crate) fn list_object_versions(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        operations: &ObjectOperations,
        name: &ObjectName,
        page: &PageRequest,
    ) -> Result<Page<ObjectView>, Error> {
        let after = match &page.after {
            None => 0,
            Some(marker) => marker
                .parse::<u64>()
                .map_err(|_| Refusal::ParameterInvalid { parameter: "$skiptoken", reason: "is not one of ours" })?,
        };
        let path = operations.path(name);
        let (object, found, policy) = self.authorised(caller, operations.list_versions, target, &path, |entry| {
            self.store.query(|read| {
                let object = find_live(read, entry.id(), operations.kind, name)?.object;
                let versions = read.list_versions(entry.id(), operations.kind, name, after, page.limit + 1)?;
                Ok::<_, Error>((object, versions, entry.container.policy))
            })
        })?;
        let page = Page::cut(found, page.limit, |stored| stored.sequence.to_string());
        Ok(page.map(|stored| ObjectView { object: object.clone(), version: stored.version, policy }))
    }

    pub(crate) fn delete_object(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        operations: &ObjectOperations,
        name: &ObjectName,
    ) -> Result<ObjectView, Error> {
        let path = operations.path(name);
        let view = self.change_in(caller, operations.delete, target, &path, |tx, now| {
            let container = self.live_container(tx, target)?;
            let mut object = find_live(tx, target.id(), operations.kind, name)?.object;
            let version = find_version(tx, target.id(), &object, None)?.version;
            match object.state.delete(&container.policy, now)? {
                Deleted::Recoverable(deletion) => {
                    object.state = State::Deleted(deletion);
                    tx.save_object(target.id(), &object)?;
                }
                Deleted::ForGood(proof) => tx.remove_object(target.id(), operations.kind, name, proof)?,
            }
            Ok(ObjectView { object, version, policy: container.policy })
        })?;
        self.close(target, name);
        if view.object.state.is_live() {
            // Without soft delete there is no deleted state: this was a purge.
            self.cover(operations.purge)?;
        }
        Ok(view)
    }

    pub(crate) fn get_deleted_object(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        operations: &ObjectOperations,
        name: &ObjectName,
    ) -> Result<ObjectView, Error> {
        let now = self.now();
        self.authorised(caller, operations.get_deleted, target, &operations.path(name), |entry| {
            self.store.query(|read| {
                let found = find_object(read, entry.id(), operations.kind, name, now)?;
                let object = found.map(|found| found.object).filter(|object| !object.state.is_live());
                let object = object.ok_or(Refusal::DeletedNotFound)?;
                let version = find_version(read, entry.id(), &object, None)?.version;
                Ok(ObjectView { object, version, policy: entry.container.policy })
            })
        })
    }

    pub(crate) fn recover_object(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        operations: &ObjectOperations,
        name: &ObjectName,
    ) -> Result<ObjectView, Error> {
        let path = operations.path(name);
        self.change_in(caller, operations.recover, target, &path, |tx, now| {
            let container = self.live_container(tx, target)?;
            let found = tx.object(target.id(), operations.kind, name)?;
            let mut object = found.ok_or(Refusal::DeletedNotFound)?.object;
            let deletion = object.state.deletion().ok_or(Refusal::DeletedNotFound)?;
            object.state = deletion.recover(now)?;
            tx.save_object(target.id(), &object)?;
            let version = find_version(tx, target.id(), &object, None)?.version;
            Ok(ObjectView { object, version, policy: container.policy })
        })
    }

    pub(crate) fn purge_object(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        operations: &ObjectOperations,
        name: &ObjectName,
    ) -> Result<(), Error> {
        let path = operations.path(name);
        self.change_in(caller, operations.purge, target, &path, |tx, now| {
            let container = self.live_container(tx, target)?;
            if container.policy.soft_delete.is_none() {
                return Err(Refusal::SoftDeleteDisabled.into());
            }
            let found = find_object(tx, target.id(), operations.kind, name, now)?;
            let deletion = found.and_then(|found| found.object.state.deletion()).ok_or(Refusal::DeletedNotFound)?;
            let proof = deletion.purge(&container.policy, now)?;
            tx.remove_object(target.id(), operations.kind, name, proof)?;
            Ok(())
        })?;
        self.cover(operations.purge)
    }

    /// Closes an object everywhere in this process, once nobody uses it any more.
    pub(crate) fn close(&self, target: &OpenContainer, name: &ObjectName) {
        target.invalidate_key(name);
        // The entry may have been replaced since the caller took it.
        if let Some(open) = self.open.find(target.id()) {
            open.invalidate_key(name);
        }
    }
}
