//! Backup and restore of one object with all its versions, and of what goes with it.
//!
//! The blob opens in any vault of the same subscription, or in the same managed HSM (contract: key-vault §3.7,
//! "Backup/restore"). A vault's is sealed under a key that belongs to the installation and the subscription, so it
//! outlives its vault; an HSM's is sealed under the HSM's own key, so it dies with it.

use super::{Draft, ObjectView, Place, check_unmanaged, find_live, find_version, followers_of, path_of, path_of_all};
use crate::{Engine, Error, OpenContainer, Subject, keys::protection};
use custody::WrappingKey;
use domain::{
    Body, CertificateCourse, CertificatePolicy, CertificateRefusal, Container, ContainerKind, Object, ObjectAct,
    ObjectKind, ObjectName, Refusal, RotationPolicy, Secret, State, UnixTime, Version, access::Caller,
};
use serde::{Deserialize, Serialize};
use std::{io, ops::RangeInclusive};
use store::{StoredObject, Tx};

/// The plaintext of a backup. Format 2; format 1 had material in JSON's arrays of numbers, and is read as well.
#[derive(Serialize, Deserialize)]
struct Payload {
    format: u32,
    #[serde(flatten)]
    leader: PayloadObject,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    followers: Vec<PayloadObject>,
}

#[derive(Serialize, Deserialize)]
struct PayloadObject {
    kind: ObjectKind,
    name: ObjectName,
    created: UnixTime,
    rotation: Option<RotationPolicy>,
    /// Of a certificate. What is pending does not go along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    policy: Option<CertificatePolicy>,
    /// In the order of their making; the last is the current one.
    versions: Vec<PayloadVersion>,
}

#[derive(Serialize, Deserialize)]
struct PayloadVersion {
    version: Version,
    #[serde(with = "material")]
    material: Vec<u8>,
}

impl PayloadVersion {
    fn draft(&self) -> Draft {
        Draft { version: self.version.clone(), material: Secret::new(self.material.clone()) }
    }
}

impl Drop for PayloadVersion {
    fn drop(&mut self) {
        // Moving it into a Secret wipes it.
        drop(Secret::new(std::mem::take(&mut self.material)));
    }
}

const FORMATS: RangeInclusive<u32> = 1..=2;
/// A larger one would not come back: it is base64url in a body of at most 16 MiB.
const MAX_BYTES: usize = (12 << 20) - (1 << 10);
/// How many versions are read at once.
const PAGE: usize = 100;

impl Payload {
    fn objects(&self) -> impl Iterator<Item = &PayloadObject> {
        std::iter::once(&self.leader).chain(&self.followers)
    }

    /// What another program could have written does not go into the store.
    fn check(&self, kind: ObjectKind) -> Result<(), Refusal> {
        let follows =
            |object: &PayloadObject| kind.followers().contains(&object.kind) && object.name == self.leader.name;
        let belongs = FORMATS.contains(&self.format) && self.leader.kind == kind && self.followers.iter().all(follows);
        let is_whole = |object: &PayloadObject| {
            let fits = |saved: &PayloadVersion| saved.version.body.kind() == object.kind;
            let has_policy = object.policy.is_some() == (object.kind == ObjectKind::Certificate);
            has_policy && !object.versions.is_empty() && object.versions.iter().all(fits)
        };
        if belongs && self.objects().all(is_whole) { Ok(()) } else { Err(Refusal::BackupInvalid) }
    }
}

impl Engine {
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::NotFound`], [`Refusal::BackupTooLarge`], [`CertificateRefusal::Managed`],
    /// [`CertificateRefusal::NoVersion`].
    pub fn backup_object(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        kind: ObjectKind,
        name: &ObjectName,
    ) -> Result<Vec<u8>, Error> {
        let act = ObjectAct::Backup;
        let payload = self.change_in(caller, act.on(kind), target, &path_of(kind, name), |tx, _| {
            self.live_container(tx, target)?;
            let stored = find_live(tx, target.id(), kind, name)?;
            check_unmanaged(&stored.object, act)?;
            let followers = followers_of(tx, target.id(), &stored.object)?;
            let mut room = MAX_BYTES;
            let leader = self.unseal(tx, target, stored, &mut room)?;
            let followers = followers.into_iter().map(|found| self.unseal(tx, target, found, &mut room));
            Ok(Payload { format: *FORMATS.end(), leader, followers: followers.collect::<Result<_, _>>()? })
        })?;
        let text = Secret::new(written(&payload)?);
        let scope = backup_scope(target);
        let blob = self.with_backup_key(target, |key| Ok(custody::seal_backup(key, &scope, &text, &*self.entropy)?))?;
        if blob.len() > MAX_BYTES { Err(Refusal::BackupTooLarge.into()) } else { Ok(blob) }
    }

    /// An object as a backup has it. What has no room in one is not read: there may be any number of versions.
    fn unseal(
        &self,
        tx: &mut dyn Tx,
        target: &OpenContainer,
        stored: StoredObject,
        room: &mut usize,
    ) -> Result<PayloadObject, Error> {
        let place = Place::of(target.id(), &stored.object);
        let object_key = place.open_object_key(target, &stored.sealed_key)?;
        let Object { kind, name, created, rotation, course, .. } = stored.object;
        let policy = course.map(|course| course.policy);
        let mut versions = Vec::new();
        let mut after = 0;
        loop {
            let page = tx.list_versions(target.id(), kind, &name, after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = last.sequence;
            for found in page.into_iter().filter(|found| found.version.is_complete()) {
                let material = place.open_material(&object_key, found.version.id, &found.material)?;
                let saved = PayloadVersion { version: found.version, material: material.expose().to_vec() };
                *room = room.checked_sub(length_of(&saved)?).ok_or(Refusal::BackupTooLarge)?;
                versions.push(saved);
            }
        }
        if versions.is_empty() {
            return Err(CertificateRefusal::NoVersion.into());
        }
        Ok(PayloadObject { kind, name, created, rotation, policy, versions })
    }

    /// Restores an object under the name it was backed up with.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::BackupInvalid`], [`Refusal::RestoreConflict`] if the name is held, live or
    /// deleted.
    pub fn restore_object(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        kind: ObjectKind,
        blob: &[u8],
    ) -> Result<ObjectView, Error> {
        let (operation, all) = (ObjectAct::Restore.on(kind), path_of_all(kind));
        self.check_access(caller, operation, target, &all)?;
        target.check_active()?;
        let scope = backup_scope(target);
        let text = self.with_backup_key(target, |key| Ok(custody::open_backup(key, &scope, blob)?))?;
        let payload: Payload = serde_json::from_slice(text.expose()).map_err(|_| Refusal::BackupInvalid)?;
        payload.check(kind)?;
        let path = path_of(kind, &payload.leader.name);
        self.authorised(caller, operation, target, &all, |entry| {
            self.change(operation, Some(caller), &Subject::within(entry, &path), |tx, now| {
                let container = self.live_container(tx, target)?;
                self.check_restored(tx, target, &container, &payload, now)?;
                let object = self.insert_restored(tx, target, &payload.leader, false)?;
                for follower in &payload.followers {
                    self.insert_restored(tx, target, follower, true)?;
                }
                let version = find_version(tx, target.id(), &object, None)?.version;
                Ok(ObjectView { object, version, policy: container.policy })
            })
        })
    }

    /// Whether the container takes what was backed up: it may have been in a container of another tier.
    fn check_restored(
        &self,
        tx: &mut dyn Tx,
        target: &OpenContainer,
        container: &Container,
        payload: &Payload,
        now: UnixTime,
    ) -> Result<(), Error> {
        for object in payload.objects() {
            for saved in &object.versions {
                if let Body::Key(body) = &saved.version.body {
                    protection(container, body.spec.key_type(), body.hsm)?;
                }
            }
            if self.take_object(tx, target.id(), object.kind, &object.name)?.is_some() {
                return Err(Refusal::RestoreConflict { kind: object.kind, name: object.name.clone() }.into());
            }
        }
        self.check_name(tx, target, payload.leader.kind, &payload.leader.name, now)
    }

    fn insert_restored(
        &self,
        tx: &mut dyn Tx,
        target: &OpenContainer,
        saved: &PayloadObject,
        managed: bool,
    ) -> Result<Object, Error> {
        let last = saved.versions.last().ok_or(Refusal::BackupInvalid)?;
        let mut object = Object {
            kind: saved.kind,
            name: saved.name.clone(),
            state: State::Live,
            created: saved.created,
            current: last.version.id,
            rotation: saved.rotation.clone(),
            next_action: None,
            next_notice: None,
            expiry_told: None,
            managed,
            course: saved.policy.clone().map(|policy| Box::new(CertificateCourse::new(policy))),
        };
        object.schedule(&last.version);
        let drafts: Vec<_> = saved.versions.iter().map(PayloadVersion::draft).collect();
        self.insert_object(tx, target, object, drafts.iter())
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

/// A value in JSON. Sized at once: growing would leave copies behind that nobody wipes.
fn written(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    let mut text = Vec::with_capacity(length_of(value)?);
    serde_json::to_writer(&mut text, value).map_err(|_| UNWRITABLE)?;
    Ok(text)
}

/// How long a value is in JSON.
fn length_of(value: &impl Serialize) -> Result<usize, Error> {
    let mut length = Length(0);
    serde_json::to_writer(&mut length, value).map_err(|_| UNWRITABLE)?;
    Ok(length.0)
}

const UNWRITABLE: Error = Error::Broken("a backup could not be written");

/// Counts what is written, and keeps nothing.
struct Length(usize);

impl io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Material in a backup's plaintext: base64url, without a copy that nobody wipes.
mod material {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde::{Deserializer, Serializer, de};
    use std::fmt;
    use zeroize::Zeroizing;

    pub(super) fn serialize<S: Serializer>(material: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Zeroizing::new(URL_SAFE_NO_PAD.encode(material)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        deserializer.deserialize_any(Material)
    }

    struct Material;

    impl<'de> de::Visitor<'de> for Material {
        type Value = Vec<u8>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("base64url, or the bytes of format 1")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<u8>, E> {
            URL_SAFE_NO_PAD.decode(text).map_err(|_| E::custom("not base64url"))
        }

        fn visit_seq<A: de::SeqAccess<'de>>(self, mut bytes: A) -> Result<Vec<u8>, A::Error> {
            let mut material = Vec::with_capacity(bytes.size_hint().unwrap_or_default());
            while let Some(byte) = bytes.next_element()? {
                material.push(byte);
            }
            Ok(material)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_written_into_as_much_memory_as_it_takes() {
        let values = vec!["a value, several times"; 1_000];
        let text = written(&values).unwrap();
        assert_eq!((text.capacity(), &text), (text.len(), &serde_json::to_vec(&values).unwrap()));
    }

    #[test]
    fn material_of_both_formats_is_read() {
        #[derive(Serialize, Deserialize)]
        struct Saved(#[serde(with = "material")] Vec<u8>);
        assert_eq!(serde_json::to_string(&Saved(vec![0, 255, 1])).unwrap(), r#""AP8B""#);
        for text in [r#""AP8B""#, "[0,255,1]"] {
            assert_eq!(serde_json::from_str::<Saved>(text).unwrap().0, [0, 255, 1], "{text}");
        }
        for text in [r#""AP8=""#, "[256]", "7", r#""+/==""#] {
            assert!(serde_json::from_str::<Saved>(text).is_err(), "{text}");
        }
    }
}
