//! Making keys: generated or imported, as a new key or as the next version of one.

use super::KEYS;
use crate::{Engine, Error, ObjectView, OpenContainer, Subject, objects::find_version};
use custody::{Context, Generated, Purpose, WrappingKey};
use domain::{
    Attributes, Body, Container, ContainerId, ContainerKind, KeyBody, KeyOperation, KeySpec, KeyType, Object,
    ObjectKind, ObjectName, Operation, PrivateJwk, Refusal, Sealed, Secret, State, Tags, UnixTime, Version, VersionId,
    access::Caller,
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

#[derive(Clone, Debug)]
pub struct CreateKey {
    pub spec: KeySpec,
    /// Asked to be HSM-protected. In a managed HSM every key is.
    pub hsm: bool,
    /// Default: what the type can do.
    pub key_ops: Option<Vec<KeyOperation>>,
    pub attributes: NewAttributes,
    pub tags: Tags,
}

pub struct ImportKey {
    pub jwk: PrivateJwk,
    pub hsm: bool,
    pub key_ops: Option<Vec<KeyOperation>>,
    pub attributes: NewAttributes,
    pub tags: Tags,
}

/// A version ready to be stored, but for the sealing that needs the object's key.
struct Draft {
    version: Version,
    material: Secret,
}

/// Most versions of a key in a managed HSM (contract: managed-hsm §3.2).
const MAX_HSM_VERSIONS: usize = 100;

impl Engine {
    /// Generates a key: a new one, or the next version of a live one of that name.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::NotActivated`], [`Refusal::KeyTypeUnsupported`],
    /// [`Refusal::KeySizeUnsupported`], [`Refusal::ParameterInvalid`], [`Refusal::NameHeldByDeleted`],
    /// [`Refusal::TooManyVersions`].
    pub fn create_key(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        name: &ObjectName,
        request: &CreateKey,
    ) -> Result<ObjectView, Error> {
        self.check_access(caller, Operation::KeyCreate, target, &KEYS.path(name))?;
        target.check_active()?;
        request.spec.check_generated()?;
        request.spec.check_operations(request.key_ops.as_deref().unwrap_or_default())?;
        let hsm = protection(&target.container, request.spec.key_type(), request.hsm)?;
        // Before the transaction: generating an RSA key takes up to seconds, and would hold up every other change.
        let generated = self.provider.generate(request.spec, &*self.entropy)?;
        let body = body(request.spec, hsm, request.key_ops.clone(), &generated);
        let draft = self.draft(body, request.attributes, request.tags.clone(), generated);
        self.save_new_version(caller, Operation::KeyCreate, target, name, draft)
    }

    /// Imports a private key: as a new key, or as the next version of a live one of that name.
    ///
    /// # Errors
    /// As [`Engine::create_key`], and [`Refusal::KeyPairInvalid`] if the parts do not belong together.
    pub fn import_key(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        name: &ObjectName,
        request: &ImportKey,
    ) -> Result<ObjectView, Error> {
        self.check_access(caller, Operation::KeyImport, target, &KEYS.path(name))?;
        target.check_active()?;
        let spec = request.jwk.spec();
        spec.check_operations(request.key_ops.as_deref().unwrap_or_default())?;
        let hsm = protection(&target.container, spec.key_type(), request.hsm)?;
        let imported = self.provider.import(&request.jwk)?;
        let body = body(spec, hsm, request.key_ops.clone(), &imported);
        let draft = self.draft(body, request.attributes, request.tags.clone(), imported);
        self.save_new_version(caller, Operation::KeyImport, target, name, draft)
    }

    fn draft(&self, body: KeyBody, attributes: NewAttributes, tags: Tags, generated: Generated) -> Draft {
        let version =
            Version { id: self.new_version_id(), attributes: attributes.at(self.now()), tags, body: Body::Key(body) };
        Draft { version, material: generated.material }
    }

    /// Stores a drafted version as the current one of its key, which is made if there is none.
    fn save_new_version(
        &self,
        caller: &Caller,
        operation: Operation,
        target: &OpenContainer,
        name: &ObjectName,
        draft: Draft,
    ) -> Result<ObjectView, Error> {
        let path = KEYS.path(name);
        let view = self.change_in(caller, operation, target, &path, |tx, now| {
            let container = self.live_container(tx, target)?;
            let object = match self.take_object(tx, target.id(), &KEYS, name)? {
                None => self.insert_key(tx, target, name, &draft, now)?,
                Some(found) if found.object.state.is_live() => self.append_version(tx, target, found, &draft)?,
                Some(_) => return Err(Refusal::NameHeldByDeleted.into()),
            };
            Ok(ObjectView { object, version: draft.version.clone(), policy: container.policy })
        })?;
        self.close(target, name);
        Ok(view)
    }

    fn insert_key(
        &self,
        tx: &mut dyn Tx,
        target: &OpenContainer,
        name: &ObjectName,
        draft: &Draft,
        now: UnixTime,
    ) -> Result<Object, Error> {
        let object_key = WrappingKey::generate(&*self.entropy)?;
        let sealed_key = self.seal_object_key(target, name, &object_key)?;
        let object = Object {
            kind: ObjectKind::Key,
            name: name.clone(),
            state: State::Live,
            created: now,
            current: draft.version.id,
            rotation: None,
            next_rotation: None,
        };
        let material = self.seal_material(target.id(), name, draft.version.id, &object_key, &draft.material)?;
        let stored = StoredObject { object, sealed_key };
        tx.insert_object(target.id(), &stored, &draft.version, &material)?;
        Ok(stored.object)
    }

    fn append_version(
        &self,
        tx: &mut dyn Tx,
        target: &OpenContainer,
        found: StoredObject,
        draft: &Draft,
    ) -> Result<Object, Error> {
        let StoredObject { mut object, sealed_key } = found;
        if target.kind() == ContainerKind::ManagedHsm
            && tx.count_versions(target.id(), ObjectKind::Key, &object.name)? >= MAX_HSM_VERSIONS
        {
            return Err(Refusal::TooManyVersions { limit: MAX_HSM_VERSIONS }.into());
        }
        let object_key = self.open_object_key(target, &object.name, &sealed_key)?;
        let material = self.seal_material(target.id(), &object.name, draft.version.id, &object_key, &draft.material)?;
        tx.insert_version(target.id(), ObjectKind::Key, &object.name, &draft.version, &material)?;
        object.current = draft.version.id;
        object.schedule_rotation(&draft.version);
        tx.save_object(target.id(), &object)?;
        Ok(object)
    }

    /// Makes the next version of a live key after the pattern of its current one. The caller has been authorised, or
    /// is the service itself (`None`).
    pub(crate) fn save_rotated(
        &self,
        caller: Option<&Caller>,
        target: &OpenContainer,
        name: &ObjectName,
        due_only: bool,
    ) -> Result<ObjectView, Error> {
        let spec = self.store.query(|read| {
            let object = crate::objects::find_live(read, target.id(), ObjectKind::Key, name)?.object;
            let Body::Key(body) = find_version(read, target.id(), &object, None)?.version.body;
            Ok::<_, Error>(body.spec)
        })?;
        let generated = self.provider.generate(spec, &*self.entropy)?;
        let id = self.new_version_id();
        let path = KEYS.path(name);
        let mut work = |tx: &mut dyn Tx, now| {
            let container = self.live_container(tx, target)?;
            let found = crate::objects::find_live(tx, target.id(), ObjectKind::Key, name)?;
            let current = find_version(tx, target.id(), &found.object, None)?.version;
            let Body::Key(mut body) = current.body;
            let is_early = due_only && found.object.next_rotation.is_none_or(|due| now < due);
            if body.spec != spec || is_early {
                return Err(Error::Busy);
            }
            body.public = generated.public.clone();
            let expires = found.object.rotation.as_ref().and_then(|policy| policy.expires(now));
            // A key that somebody disabled stays disabled.
            let enabled = Some(current.attributes.enabled);
            let attributes = NewAttributes { enabled, not_before: None, expires }.at(now);
            let version = Version { id, attributes, tags: current.tags, body: Body::Key(body) };
            let draft = Draft { version, material: Secret::new(generated.material.expose().to_vec()) };
            let object = self.append_version(tx, target, found, &draft)?;
            Ok(ObjectView { object, version: draft.version, policy: container.policy })
        };
        let operation = Operation::KeyRotate;
        let view = match caller {
            Some(caller) => self.change_in(caller, operation, target, &path, work)?,
            None => self.change(operation, None, &Subject::within(target, &path), &mut work)?,
        };
        self.close(target, name);
        Ok(view)
    }

    pub(crate) fn seal_object_key(
        &self,
        target: &OpenContainer,
        name: &ObjectName,
        object_key: &WrappingKey,
    ) -> Result<Sealed, Error> {
        let folded = name.folded();
        Ok(target.key.seal_key(&object_key_context(target.id(), &folded), object_key, &*self.entropy)?)
    }

    pub(crate) fn open_object_key(
        &self,
        target: &OpenContainer,
        name: &ObjectName,
        sealed: &Sealed,
    ) -> Result<WrappingKey, Error> {
        Ok(target.key.open_key(&object_key_context(target.id(), &name.folded()), sealed)?)
    }

    pub(crate) fn seal_material(
        &self,
        container: ContainerId,
        name: &ObjectName,
        version: VersionId,
        object_key: &WrappingKey,
        material: &Secret,
    ) -> Result<Sealed, Error> {
        let folded = name.folded();
        Ok(object_key.seal(&material_context(container, &folded, version), material.expose(), &*self.entropy)?)
    }

    pub(crate) fn open_material(
        &self,
        container: ContainerId,
        name: &ObjectName,
        version: VersionId,
        object_key: &WrappingKey,
        sealed: &Sealed,
    ) -> Result<Secret, Error> {
        Ok(object_key.open(&material_context(container, &name.folded(), version), sealed)?)
    }
}

fn object_key_context(container: ContainerId, folded_name: &str) -> Context<'_> {
    Context {
        container: Some(container),
        kind: ObjectKind::Key.as_str(),
        name: folded_name,
        version: None,
        purpose: Purpose::ObjectKey,
    }
}

fn material_context(container: ContainerId, folded_name: &str, version: VersionId) -> Context<'_> {
    Context {
        container: Some(container),
        kind: ObjectKind::Key.as_str(),
        name: folded_name,
        version: Some(version),
        purpose: Purpose::Material,
    }
}

fn body(spec: KeySpec, hsm: bool, key_ops: Option<Vec<KeyOperation>>, generated: &Generated) -> KeyBody {
    let key_ops = key_ops.unwrap_or_else(|| spec.default_operations());
    KeyBody { spec, hsm, key_ops, public: generated.public.clone() }
}

/// Whether the key is HSM-protected. A managed HSM makes every key so, whatever was asked; a standard vault has no
/// HSM; symmetric keys exist in HSMs only (contract: key-vault §3.8, table of key types).
pub(super) fn protection(container: &Container, key_type: KeyType, asked: bool) -> Result<bool, Refusal> {
    if container.kind() == ContainerKind::ManagedHsm {
        return Ok(true);
    }
    let premium = container.sku.name.eq_ignore_ascii_case("premium");
    if (asked && !premium) || (key_type == KeyType::Oct && !asked) {
        return Err(Refusal::KeyTypeUnsupported { key_type, hsm: asked });
    }
    Ok(asked)
}
