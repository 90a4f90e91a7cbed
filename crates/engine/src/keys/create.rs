//! Making keys: generated or imported, as a new key or as the next version of one.

use super::key_body;
use crate::{
    Engine, Error, ObjectView, OpenContainer, Subject,
    objects::{Draft, NewAttributes, check_unmanaged, find_live, find_version, path_of},
};
use custody::Generated;
use domain::{
    Body, Container, ContainerKind, KeyBody, KeyOperation, KeySpec, KeyType, ObjectAct, ObjectKind, ObjectName,
    Operation, PrivateJwk, Refusal, Secret, Tags, Version, access::Caller,
};
use store::Tx;

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
        self.check_access(caller, Operation::KeyCreate, target, &path_of(ObjectKind::Key, name))?;
        target.check_active()?;
        request.spec.check_generated()?;
        request.spec.check_operations(request.key_ops.as_deref().unwrap_or_default())?;
        let hsm = protection(&target.container, request.spec.key_type(), request.hsm)?;
        // Before the transaction: generating an RSA key takes up to seconds, and would hold up every other change.
        let generated = self.provider.generate(request.spec, &*self.entropy)?;
        let body = body(request.spec, hsm, request.key_ops.clone(), &generated);
        let draft = self.draft(body, request.attributes, request.tags.clone(), generated);
        self.save_new_version(caller, Operation::KeyCreate, target, (ObjectKind::Key, name), &draft)
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
        self.check_access(caller, Operation::KeyImport, target, &path_of(ObjectKind::Key, name))?;
        target.check_active()?;
        let spec = request.jwk.spec();
        spec.check_operations(request.key_ops.as_deref().unwrap_or_default())?;
        let hsm = protection(&target.container, spec.key_type(), request.hsm)?;
        let imported = self.provider.import(&request.jwk)?;
        let body = body(spec, hsm, request.key_ops.clone(), &imported);
        let draft = self.draft(body, request.attributes, request.tags.clone(), imported);
        self.save_new_version(caller, Operation::KeyImport, target, (ObjectKind::Key, name), &draft)
    }

    fn draft(&self, body: KeyBody, attributes: NewAttributes, tags: Tags, generated: Generated) -> Draft {
        let version =
            Version { id: self.new_version_id(), attributes: attributes.at(self.now()), tags, body: Body::Key(body) };
        Draft { version, material: generated.material }
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
            let object = find_live(read, target.id(), ObjectKind::Key, name)?.object;
            check_unmanaged(&object, ObjectAct::Update)?;
            let current = find_version(read, target.id(), &object, None)?.version;
            Ok::<_, Error>(key_body(&current)?.spec)
        })?;
        let generated = self.provider.generate(spec, &*self.entropy)?;
        let id = self.new_version_id();
        let path = path_of(ObjectKind::Key, name);
        let mut work = |tx: &mut dyn Tx, now| {
            let container = self.live_container(tx, target)?;
            let found = find_live(tx, target.id(), ObjectKind::Key, name)?;
            let current = find_version(tx, target.id(), &found.object, None)?.version;
            let mut body = key_body(&current)?.clone();
            let is_early = due_only && found.object.next_action.is_none_or(|due| now < due);
            if body.spec != spec || is_early || found.object.managed {
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
        self.close(target, ObjectKind::Key, name);
        Ok(view)
    }
}

fn body(spec: KeySpec, hsm: bool, key_ops: Option<Vec<KeyOperation>>, generated: &Generated) -> KeyBody {
    let key_ops = key_ops.unwrap_or_else(|| spec.default_operations());
    KeyBody { spec, hsm, key_ops, public: generated.public.clone() }
}

/// Whether the key is HSM-protected. A managed HSM makes every key so, whatever was asked; a standard vault has no
/// HSM; symmetric keys exist in HSMs only (contract: key-vault §3.8, table of key types).
pub(crate) fn protection(container: &Container, key_type: KeyType, asked: bool) -> Result<bool, Refusal> {
    if container.kind() == ContainerKind::ManagedHsm {
        return Ok(true);
    }
    let premium = container.sku.name.eq_ignore_ascii_case("premium");
    if (asked && !premium) || (key_type == KeyType::Oct && !asked) {
        return Err(Refusal::KeyTypeUnsupported { key_type, hsm: asked });
    }
    Ok(asked)
}
