//! Secrets: setting one and reading its value. All else they share with other objects ([`crate::objects`]).

use crate::{
    Engine, Error, ObjectView, OpenContainer,
    objects::{Draft, NewAttributes},
    open::{OpenVersion, Opened},
};
use domain::{
    Body, ObjectKind, ObjectName, Operation, Refusal, Secret, SecretBody, Tags, Version, VersionId, access::Caller,
};

pub struct SetSecret {
    pub value: Secret,
    pub content_type: Option<String>,
    pub attributes: NewAttributes,
    pub tags: Tags,
}

/// A secret with its value.
pub struct SecretView {
    pub view: ObjectView,
    pub value: Secret,
}

/// Most bytes of a secret's value (contract: key-vault §3.7, "Secrets").
const MAX_BYTES: usize = 25_600;

impl Engine {
    /// Sets a secret: a new one, or the next version of a live one of that name.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::ParameterInvalid`], [`Refusal::NameHeldByDeleted`],
    /// [`domain::CertificateRefusal::Managed`].
    pub fn set_secret(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        name: &ObjectName,
        request: SetSecret,
    ) -> Result<SecretView, Error> {
        let secret = (ObjectKind::Secret, name);
        self.check_access(caller, Operation::SecretSet, target, &crate::objects::path_of(secret.0, name))?;
        if request.value.expose().len() > MAX_BYTES {
            return Err(Refusal::ParameterInvalid { parameter: "value", reason: "is longer than 25600 bytes" }.into());
        }
        let body = Body::Secret(SecretBody { content_type: request.content_type, previous: None });
        let attributes = request.attributes.at(self.now());
        let version = Version { id: self.new_version_id(), attributes, tags: request.tags, body };
        let draft = Draft { version, material: request.value };
        let view = self.save_new_version(caller, Operation::SecretSet, target, secret, &draft)?;
        Ok(SecretView { view, value: draft.material })
    }

    /// A version of a live secret with its value. One that has expired, or is not yet valid, is readable all the same
    /// (contract: key-vault §3.7, "Time window").
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::NotFound`], [`Refusal::SecretDisabled`].
    pub fn get_secret(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        name: &ObjectName,
        version: Option<VersionId>,
    ) -> Result<SecretView, Error> {
        let secret = (ObjectKind::Secret, name);
        self.use_version(caller, Operation::SecretGet, target, secret, version, |entry, open| {
            self.value_of(entry, open)
        })
    }

    pub(crate) fn value_of(&self, entry: &OpenContainer, open: &OpenVersion) -> Result<SecretView, Error> {
        if !open.version.attributes.enabled {
            return Err(Refusal::SecretDisabled.into());
        }
        match self.opened(entry, open, |value| Ok(Opened::Secret(value)))? {
            Opened::Secret(value) => {
                Ok(SecretView { view: open.view(entry), value: Secret::new(value.expose().to_vec()) })
            }
            Opened::Key(_) => Err(Error::Broken("a version of a secret is something else")),
        }
    }
}
