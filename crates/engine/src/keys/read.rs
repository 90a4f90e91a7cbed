//! Reading and changing keys, and their deletion lifecycle.

use super::KEYS;
use crate::{
    Engine, Error, ObjectView, OpenContainer, Page, PageRequest,
    objects::{find_live, find_version},
    open::OpenKey,
};
use domain::{Body, KeyOperation, ObjectKind, ObjectName, Operation, Tags, UnixTime, VersionId, access::Caller};
use store::Presence;

/// Changes of a version's attributes; `None` leaves one as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct AttributeChanges {
    pub enabled: Option<bool>,
    pub not_before: Option<UnixTime>,
    pub expires: Option<UnixTime>,
}

#[derive(Clone, Debug, Default)]
pub struct KeyChanges {
    pub key_ops: Option<Vec<KeyOperation>>,
    pub attributes: AttributeChanges,
    /// Replaces the whole map.
    pub tags: Option<Tags>,
}

impl Engine {
    /// # Errors
    /// [`domain::Refusal::Forbidden`], [`domain::Refusal::NotFound`].
    pub fn get_key(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        name: &ObjectName,
        version: Option<VersionId>,
    ) -> Result<ObjectView, Error> {
        self.use_key(caller, Operation::KeyGet, target, name, version, |entry, key| {
            let policy = entry.container.policy;
            Ok(ObjectView { object: key.object.clone(), version: key.version.clone(), policy })
        })
    }

    /// # Errors
    /// [`domain::Refusal::Forbidden`].
    pub fn list_keys(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        page: &PageRequest,
    ) -> Result<Page<ObjectView>, Error> {
        self.list_objects(caller, target, &KEYS, Presence::Live, page)
    }

    /// # Errors
    /// [`domain::Refusal::Forbidden`], [`domain::Refusal::NotFound`].
    pub fn list_key_versions(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        name: &ObjectName,
        page: &PageRequest,
    ) -> Result<Page<ObjectView>, Error> {
        self.list_object_versions(caller, target, &KEYS, name, page)
    }

    /// # Errors
    /// [`domain::Refusal::Forbidden`], [`domain::Refusal::NotFound`].
    pub fn update_key(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        name: &ObjectName,
        version: Option<VersionId>,
        changes: &KeyChanges,
    ) -> Result<ObjectView, Error> {
        let path = KEYS.path(name);
        let view = self.change_in(caller, Operation::KeyUpdate, target, &path, |tx, now| {
            let container = self.live_container(tx, target)?;
            let mut object = find_live(tx, target.id(), ObjectKind::Key, name)?.object;
            let mut version = find_version(tx, target.id(), &object, version)?.version;
            let attributes = &mut version.attributes;
            attributes.enabled = changes.attributes.enabled.unwrap_or(attributes.enabled);
            attributes.not_before = changes.attributes.not_before.or(attributes.not_before);
            attributes.expires = changes.attributes.expires.or(attributes.expires);
            attributes.updated = now;
            if let Some(tags) = &changes.tags {
                version.tags.clone_from(tags);
            }
            if let Some(key_ops) = &changes.key_ops {
                let Body::Key(body) = &mut version.body;
                body.spec.check_operations(key_ops)?;
                body.key_ops.clone_from(key_ops);
            }
            tx.save_version(target.id(), ObjectKind::Key, name, &version)?;
            if object.current == version.id && object.rotation.is_some() {
                object.schedule_rotation(&version);
                tx.save_object(target.id(), &object)?;
            }
            Ok(ObjectView { object, version, policy: container.policy })
        })?;
        self.close(target, name);
        Ok(view)
    }

    /// Deletes a key with all its versions.
    ///
    /// # Errors
    /// [`domain::Refusal::Forbidden`], [`domain::Refusal::NotFound`].
    pub fn delete_key(&self, caller: &Caller, target: &OpenContainer, name: &ObjectName) -> Result<ObjectView, Error> {
        self.delete_object(caller, target, &KEYS, name)
    }

    /// # Errors
    /// [`domain::Refusal::Forbidden`], [`domain::Refusal::DeletedNotFound`].
    pub fn get_deleted_key(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        name: &ObjectName,
    ) -> Result<ObjectView, Error> {
        self.get_deleted_object(caller, target, &KEYS, name)
    }

    /// # Errors
    /// [`domain::Refusal::Forbidden`].
    pub fn list_deleted_keys(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        page: &PageRequest,
    ) -> Result<Page<ObjectView>, Error> {
        self.list_objects(caller, target, &KEYS, Presence::Deleted, page)
    }

    /// # Errors
    /// [`domain::Refusal::Forbidden`], [`domain::Refusal::DeletedNotFound`].
    pub fn recover_key(&self, caller: &Caller, target: &OpenContainer, name: &ObjectName) -> Result<ObjectView, Error> {
        self.recover_object(caller, target, &KEYS, name)
    }

    /// Destroys a deleted key before its scheduled date.
    ///
    /// # Errors
    /// [`domain::Refusal::Forbidden`], [`domain::Refusal::DeletedNotFound`], [`domain::Refusal::PurgeProtected`],
    /// [`domain::Refusal::SoftDeleteDisabled`].
    pub fn purge_key(&self, caller: &Caller, target: &OpenContainer, name: &ObjectName) -> Result<(), Error> {
        self.purge_object(caller, target, &KEYS, name)
    }

    /// Works on a version of a live key for a caller who may do `operation` now; see [`OpenContainer::with_key`].
    pub(crate) fn use_key<T>(
        &self,
        caller: &Caller,
        operation: Operation,
        target: &OpenContainer,
        name: &ObjectName,
        version: Option<VersionId>,
        work: impl Fn(&OpenContainer, &OpenKey) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.authorised(caller, operation, target, &KEYS.path(name), |entry| {
            let load = || self.load_key(entry, name, version);
            entry.with_key(name, version, load, |key| work(entry, key)).unwrap_or(Err(Error::Busy))
        })
    }

    fn load_key(
        &self,
        target: &OpenContainer,
        name: &ObjectName,
        version: Option<VersionId>,
    ) -> Result<OpenKey, Error> {
        self.store.query(|read| {
            let stored = find_live(read, target.id(), ObjectKind::Key, name)?;
            let found = find_version(read, target.id(), &stored.object, version)?;
            Ok(OpenKey {
                object: stored.object,
                version: found.version,
                object_key: stored.sealed_key,
                material: found.material,
                handle: std::sync::OnceLock::new(),
                noted: std::sync::atomic::AtomicI64::new(i64::MIN),
            })
        })
    }
}
