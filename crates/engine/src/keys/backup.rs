//! Backup and restore of one key with all its versions.
//!
//! The blob opens in any vault of the same subscription, or in the same managed HSM (contract: key-vault §3.7,
//! "Backup/restore"). A vault's is sealed under a key that belongs to the installation and the subscription, so it
//! outlives its vault; an HSM's is sealed under the HSM's own key, so it dies with it.

use super::{KEYS, create::protection};
use crate::{
    Engine, Error, ObjectView, OpenContainer, Subject,
    objects::{find_live, find_version},
};
use custody::WrappingKey;
use domain::{
    Body, ContainerKind, Object, ObjectKind, ObjectName, Operation, Refusal, RotationPolicy, Secret, State, UnixTime,
    Version, access::Caller,
};
use serde::{Deserialize, Serialize};
use store::{StoredObject, Tx};

/// The plaintext of a backup. Format 1.
#[derive(Serialize, Deserialize)]
struct Payload {
    format: u32,
    kind: ObjectKind,
    name: ObjectName,
    created: UnixTime,
    rotation: Option<RotationPolicy>,
    /// In the order of their making; the last is the current one.
    versions: Vec<PayloadVersion>,
}

#[derive(Serialize, Deserialize)]
struct PayloadVersion {
    version: Version,
    material: Vec<u8>,
}

impl Drop for PayloadVersion {
    fn drop(&mut self) {
        // Moving it into a Secret wipes it.
        drop(Secret::new(std::mem::take(&mut self.material)));
    }
}

const FORMAT: u32 = 1;
/// More versions than any container lets a key have in practice; a backup is all or nothing.
const ALL_VERSIONS: usize = 100_000;

impl Engine {
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::NotFound`].
    pub fn backup_key(&self, caller: &Caller, target: &OpenContainer, name: &ObjectName) -> Result<Vec<u8>, Error> {
        let path = KEYS.path(name);
        let payload = self.change_in(caller, Operation::KeyBackup, target, &path, |tx, _| {
            self.live_container(tx, target)?;
            let stored = find_live(tx, target.id(), ObjectKind::Key, name)?;
            let object_key = self.open_object_key(target, &stored.object.name, &stored.sealed_key)?;
            let mut versions = Vec::new();
            for found in tx.list_versions(target.id(), ObjectKind::Key, name, 0, ALL_VERSIONS)? {
                let id = found.version.id;
                let material =
                    self.open_material(target.id(), &stored.object.name, id, &object_key, &found.material)?;
                versions.push(PayloadVersion { version: found.version, material: material.expose().to_vec() });
            }
            let Object { kind, name, created, rotation, .. } = stored.object;
            Ok(Payload { format: FORMAT, kind, name, created, rotation, versions })
        })?;
        let text = serde_json::to_vec(&payload).map_err(|_| Error::Broken("a backup could not be written"))?;
        let scope = backup_scope(target);
        let text = Secret::new(text);
        self.with_backup_key(target, |key| Ok(custody::seal_backup(key, &scope, &text, &*self.entropy)?))
    }

    /// Restores a key under the name it was backed up with.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::BackupInvalid`], [`Refusal::RestoreConflict`] if the name is held by a key,
    /// live or deleted.
    pub fn restore_key(&self, caller: &Caller, target: &OpenContainer, blob: &[u8]) -> Result<ObjectView, Error> {
        self.check_access(caller, Operation::KeyRestore, target, &KEYS.collection_path())?;
        target.check_active()?;
        let scope = backup_scope(target);
        let text = self.with_backup_key(target, |key| Ok(custody::open_backup(key, &scope, blob)?))?;
        let payload: Payload = serde_json::from_slice(text.expose()).map_err(|_| Refusal::BackupInvalid)?;
        if payload.format != FORMAT || payload.kind != ObjectKind::Key || payload.versions.is_empty() {
            return Err(Refusal::BackupInvalid.into());
        }
        let path = KEYS.path(&payload.name);
        self.authorised(caller, Operation::KeyRestore, target, &KEYS.collection_path(), |entry| {
            self.change(Operation::KeyRestore, Some(caller), &Subject::within(entry, &path), |tx, _| {
                let container = self.live_container(tx, target)?;
                for saved in &payload.versions {
                    let Body::Key(body) = &saved.version.body;
                    protection(&container, body.spec.key_type(), body.hsm)?;
                }
                if self.take_object(tx, target.id(), &KEYS, &payload.name)?.is_some() {
                    return Err(Refusal::RestoreConflict { name: payload.name.clone() }.into());
                }
                let object = self.insert_restored(tx, target, &payload)?;
                let version = find_version(tx, target.id(), &object, None)?.version;
                Ok(ObjectView { object, version, policy: container.policy })
            })
        })
    }

    fn insert_restored(&self, tx: &mut dyn Tx, target: &OpenContainer, payload: &Payload) -> Result<Object, Error> {
        let (Some(first), Some(last)) = (payload.versions.first(), payload.versions.last()) else {
            return Err(Refusal::BackupInvalid.into());
        };
        let object_key = WrappingKey::generate(&*self.entropy)?;
        let mut object = Object {
            kind: payload.kind,
            name: payload.name.clone(),
            state: State::Live,
            created: payload.created,
            current: last.version.id,
            rotation: payload.rotation.clone(),
            next_rotation: None,
        };
        object.schedule_rotation(&last.version);
        let seal = |saved: &PayloadVersion| {
            let material = Secret::new(saved.material.clone());
            self.seal_material(target.id(), &payload.name, saved.version.id, &object_key, &material)
        };
        let sealed_key = self.seal_object_key(target, &payload.name, &object_key)?;
        let stored = StoredObject { object, sealed_key };
        tx.insert_object(target.id(), &stored, &first.version, &seal(first)?)?;
        for saved in payload.versions.iter().skip(1) {
            tx.insert_version(target.id(), payload.kind, &payload.name, &saved.version, &seal(saved)?)?;
        }
        Ok(stored.object)
    }

    fn with_backup_key<T>(
        &self,
        target: &OpenContainer,
        work: impl FnOnce(&WrappingKey) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match target.kind() {
            ContainerKind::Vault => work(&self.root.backup_key(&backup_scope(target))?),
            ContainerKind::ManagedHsm => work(&target.key),
        }
    }
}

fn backup_scope(target: &OpenContainer) -> String {
    match target.kind() {
        ContainerKind::Vault => format!("vault:{}", target.container.resource.subscription),
        ContainerKind::ManagedHsm => format!("managedHsm:{}", target.id()),
    }
}
