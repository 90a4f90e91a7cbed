//! Changing what may be changed of a version: attributes, tags, and what its kind allows.

use super::{ObjectView, check_unmanaged, find_live, find_version, followers_of, path_of};
use crate::{Engine, Error, OpenContainer, certificates::amended};
use domain::{
    Attributes, Body, KeyOperation, ObjectAct, ObjectKind, ObjectName, PolicyRequest, Refusal, Tags, UnixTime, Version,
    VersionId, access::Caller,
};

/// Changes of a version's attributes; `None` leaves one as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct AttributeChanges {
    pub enabled: Option<bool>,
    pub not_before: Option<UnixTime>,
    pub expires: Option<UnixTime>,
}

impl AttributeChanges {
    /// A certificate's dates are its own.
    fn of(self, kind: ObjectKind) -> Self {
        match kind {
            ObjectKind::Certificate => Self { not_before: None, expires: None, ..self },
            ObjectKind::Key | ObjectKind::Secret => self,
        }
    }

    fn apply(&self, attributes: &mut Attributes, now: UnixTime) {
        attributes.enabled = self.enabled.unwrap_or(attributes.enabled);
        attributes.not_before = self.not_before.or(attributes.not_before);
        attributes.expires = self.expires.or(attributes.expires);
        attributes.updated = now;
    }
}

/// Changes of a version; `None` leaves a thing as it is.
#[derive(Clone, Debug, Default)]
pub struct ObjectChanges {
    pub attributes: AttributeChanges,
    /// Replaces the whole map.
    pub tags: Option<Tags>,
    /// Of a key.
    pub key_ops: Option<Vec<KeyOperation>>,
    /// Of a secret.
    pub content_type: Option<String>,
    /// Of a certificate: for the versions after this one.
    pub policy: Option<PolicyRequest>,
}

impl ObjectChanges {
    /// Applies to a version what is asked of an object of a kind: the version's own, or what leads it.
    fn apply(&self, version: &mut Version, asked_of: ObjectKind, now: UnixTime) -> Result<(), Refusal> {
        self.attributes.of(asked_of).apply(&mut version.attributes, now);
        if let Some(tags) = &self.tags {
            version.tags.clone_from(tags);
        }
        self.apply_to_body(&mut version.body)
    }

    fn apply_to_body(&self, body: &mut Body) -> Result<(), Refusal> {
        match body {
            Body::Key(body) => {
                if let Some(key_ops) = &self.key_ops {
                    body.spec.check_operations(key_ops)?;
                    body.key_ops.clone_from(key_ops);
                }
            }
            Body::Secret(body) => {
                if self.content_type.is_some() {
                    body.content_type.clone_from(&self.content_type);
                }
            }
            Body::Certificate(_) => {}
        }
        Ok(())
    }
}

impl Engine {
    /// Changes a version of a live object.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::NotFound`], [`domain::CertificateRefusal::Managed`], and those of the kind.
    pub fn update_object(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        kind: ObjectKind,
        name: &ObjectName,
        version: Option<VersionId>,
        changes: &ObjectChanges,
    ) -> Result<ObjectView, Error> {
        let act = ObjectAct::Update;
        let view = self.change_in(caller, act.on(kind), target, &path_of(kind, name), |tx, now| {
            let container = self.live_container(tx, target)?;
            let mut object = find_live(tx, target.id(), kind, name)?.object;
            check_unmanaged(&object, act)?;
            let mut version = find_version(tx, target.id(), &object, version)?.version;
            changes.apply(&mut version, kind, now)?;
            tx.save_version(target.id(), kind, name, &version)?;
            for follower in followers_of(tx, target.id(), &object)? {
                // A pending version has none yet.
                let found = tx.version(target.id(), follower.object.kind, name, version.id)?;
                if let Some(mut found) = found.map(|found| found.version) {
                    changes.apply(&mut found, kind, now)?;
                    tx.save_version(target.id(), follower.object.kind, name, &found)?;
                }
            }
            let before = object.clone();
            if let (Some(request), Some(course)) = (&changes.policy, &mut object.course) {
                course.policy = amended(&course.policy, request, now)?;
            }
            if object.current == version.id {
                object.schedule(&version);
            } else if changes.policy.is_some() {
                // Whichever version was named: when something is due goes by the current one.
                let current = find_version(tx, target.id(), &object, None)?.version;
                object.schedule(&current);
            }
            if object != before {
                tx.save_object(target.id(), &object)?;
            }
            Ok(ObjectView { object, version, policy: container.policy })
        })?;
        self.close(target, kind, name);
        Ok(view)
    }
}
