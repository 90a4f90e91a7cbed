//! New versions: drafted outside a transaction, sealed and stored inside one.

use super::{ObjectView, find_object, path_of};
use crate::{Engine, Error, OpenContainer};
use custody::{Context, Purpose, WrappingKey};
use domain::{
    Attributes, CertificateRefusal, ContainerId, ContainerKind, Object, ObjectKind, ObjectName, Operation, Refusal,
    Sealed, Secret, State, UnixTime, Version, VersionId, access::Caller, notice::VersionEvent,
};
use store::{StoredObject, Tx};

/// Attributes of a new version, as asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewAttributes {
    /// Default: enabled.
    pub enabled: Option<bool>,
    pub not_before: Option<UnixTime>,
    pub expires: Option<UnixTime>,
}

impl NewAttributes {
    pub(crate) fn at(self, now: UnixTime) -> Attributes {
        Attributes {
            enabled: self.enabled.unwrap_or(true),
            not_before: self.not_before,
            expires: self.expires,
            created: now,
            updated: now,
        }
    }
}

/// A version ready to be stored, but for the sealing that needs the object's key.
pub(crate) struct Draft {
    pub version: Version,
    pub material: Secret,
}

/// Most versions of a key in a managed HSM (contract: managed-hsm §3.2).
const MAX_HSM_VERSIONS: usize = 100;

impl Engine {
    /// Stores a drafted version as the current one of its object, which is made if there is none.
    pub(crate) fn save_new_version(
        &self,
        caller: &Caller,
        operation: Operation,
        target: &OpenContainer,
        (kind, name): (ObjectKind, &ObjectName),
        draft: &Draft,
    ) -> Result<ObjectView, Error> {
        let view = self.change_in(caller, operation, target, &path_of(kind, name), |tx, now| {
            let container = self.live_container(tx, target)?;
            self.check_name(tx, target, kind, name, now)?;
            let object = self.put_version(tx, target, (kind, name), draft, false, now)?;
            Ok(ObjectView { object, version: draft.version.clone(), policy: container.policy })
        })?;
        self.close(target, kind, name);
        Ok(view)
    }

    /// A certificate has its name among keys and secrets too, and cannot take one that is in use there.
    pub(crate) fn check_name(
        &self,
        tx: &mut dyn Tx,
        target: &OpenContainer,
        kind: ObjectKind,
        name: &ObjectName,
        now: UnixTime,
    ) -> Result<(), Error> {
        if target.kind() == ContainerKind::ManagedHsm {
            return Ok(());
        }
        for other in ObjectKind::ALL {
            let (leads, follows) = (other.followers().contains(&kind), kind.followers().contains(other));
            if !leads && !follows {
                continue;
            }
            match find_object(tx, target.id(), *other, name, now)?.map(|found| found.object) {
                Some(leader) if leads && leader.state.is_live() => {
                    return Err(Refusal::from(CertificateRefusal::Managed { kind, operation: "create" }).into());
                }
                Some(_) if leads => return Err(Refusal::NameHeldByDeleted.into()),
                Some(object) if !object.managed => {
                    let kind = *other;
                    let live = CertificateRefusal::NameHeld { kind };
                    let deleted = CertificateRefusal::NameHeldByDeleted { kind };
                    return Err(Refusal::from(if object.state.is_live() { live } else { deleted }).into());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Makes a draft the current version of its object: of a new one, or of a live one that is managed just so.
    pub(crate) fn put_version(
        &self,
        tx: &mut dyn Tx,
        target: &OpenContainer,
        (kind, name): (ObjectKind, &ObjectName),
        draft: &Draft,
        managed: bool,
        now: UnixTime,
    ) -> Result<Object, Error> {
        let Some(found) = self.take_object(tx, target.id(), kind, name)? else {
            let mut object = Object {
                kind,
                name: name.clone(),
                state: State::Live,
                created: now,
                current: draft.version.id,
                rotation: None,
                next_action: None,
                next_notice: None,
                expiry_told: None,
                managed,
                course: None,
            };
            object.schedule(&draft.version);
            return self.insert_object(tx, target, object, std::iter::once(draft));
        };
        if !found.object.state.is_live() {
            return Err(Refusal::NameHeldByDeleted.into());
        }
        if found.object.managed != managed {
            return Err(Error::Broken("an object has changed hands"));
        }
        self.append_version(tx, target, found, draft)
    }

    /// Stores a new object with its versions, in their order.
    pub(crate) fn insert_object<'a>(
        &self,
        tx: &mut dyn Tx,
        target: &OpenContainer,
        object: Object,
        mut versions: impl Iterator<Item = &'a Draft>,
    ) -> Result<Object, Error> {
        let place = Place::of(target.id(), &object);
        let object_key = WrappingKey::generate(&*self.entropy)?;
        let sealed_key = place.seal_object_key(self, target, &object_key)?;
        let first = versions.next().ok_or(Error::Broken("an object needs a version"))?;
        let material = place.seal_material(self, &object_key, first)?;
        let stored = StoredObject { object, sealed_key };
        tx.insert_object(target.id(), &stored, &first.version, &material)?;
        let StoredObject { object, .. } = stored;
        let mut newest = first;
        for draft in versions {
            let material = place.seal_material(self, &object_key, draft)?;
            tx.insert_version(target.id(), object.kind, &object.name, &draft.version, &material)?;
            newest = draft;
        }
        // A version that has no certificate yet is told of when it gets one.
        if newest.version.is_complete() {
            self.publish_version(tx, &target.container, (&object, &newest.version), VersionEvent::Created)?;
        }
        Ok(object)
    }

    /// Adds a draft to an object and makes it the current version.
    pub(crate) fn append_version(
        &self,
        tx: &mut dyn Tx,
        target: &OpenContainer,
        found: StoredObject,
        draft: &Draft,
    ) -> Result<Object, Error> {
        let StoredObject { mut object, sealed_key } = found;
        if target.kind() == ContainerKind::ManagedHsm
            && tx.count_versions(target.id(), object.kind, &object.name)? >= MAX_HSM_VERSIONS
        {
            return Err(Refusal::TooManyVersions { limit: MAX_HSM_VERSIONS }.into());
        }
        let place = Place::of(target.id(), &object);
        let object_key = place.open_object_key(target, &sealed_key)?;
        let material = place.seal_material(self, &object_key, draft)?;
        tx.insert_version(target.id(), object.kind, &object.name, &draft.version, &material)?;
        object.current = draft.version.id;
        object.schedule(&draft.version);
        tx.save_object(target.id(), &object)?;
        self.publish_version(tx, &target.container, (&object, &draft.version), VersionEvent::Created)?;
        Ok(object)
    }
}

/// Where an object's sealed bytes belong.
pub(crate) struct Place {
    container: ContainerId,
    kind: ObjectKind,
    folded: String,
}

impl Place {
    pub(crate) fn of(container: ContainerId, object: &Object) -> Self {
        Self { container, kind: object.kind, folded: object.name.folded() }
    }

    fn context(&self, version: Option<VersionId>) -> Context<'_> {
        let purpose = if version.is_some() { Purpose::Material } else { Purpose::ObjectKey };
        Context { container: Some(self.container), kind: self.kind.as_str(), name: &self.folded, version, purpose }
    }

    fn seal_object_key(
        &self,
        engine: &Engine,
        target: &OpenContainer,
        object_key: &WrappingKey,
    ) -> Result<Sealed, Error> {
        Ok(target.key.seal_key(&self.context(None), object_key, &*engine.entropy)?)
    }

    pub(crate) fn open_object_key(&self, target: &OpenContainer, sealed: &Sealed) -> Result<WrappingKey, Error> {
        Ok(target.key.open_key(&self.context(None), sealed)?)
    }

    pub(crate) fn seal_material(
        &self,
        engine: &Engine,
        object_key: &WrappingKey,
        draft: &Draft,
    ) -> Result<Sealed, Error> {
        let context = self.context(Some(draft.version.id));
        Ok(object_key.seal(&context, draft.material.expose(), &*engine.entropy)?)
    }

    pub(crate) fn open_material(
        &self,
        object_key: &WrappingKey,
        version: VersionId,
        sealed: &Sealed,
    ) -> Result<Secret, Error> {
        Ok(object_key.open(&self.context(Some(version)), sealed)?)
    }
}
