//! The secret of a certificate in another content than it is kept in (contract: key-vault §3.7, `outContentType`).

use super::{KIND, body_of};
use crate::{
    Engine, Error, OpenContainer, SecretView,
    objects::{find_live, find_version},
};
use domain::{Body, CertificateContent, ObjectKind, ObjectName, Operation, Refusal, Secret, VersionId, access::Caller};

impl Engine {
    /// [`Engine::get_secret`], with the value as a file of the given content if a certificate manages the secret. Any
    /// other secret is read as it is.
    ///
    /// # Errors
    /// Those of [`Engine::get_secret`].
    pub fn get_secret_as(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        name: &ObjectName,
        version: Option<VersionId>,
        content: CertificateContent,
    ) -> Result<SecretView, Error> {
        let secret = (ObjectKind::Secret, name);
        // All of it where a deletion waits for it: what has been answered as deleted is not handed out any more.
        self.use_version(caller, Operation::SecretGet, target, secret, version, |entry, open| {
            let mut secret = self.value_of(entry, open)?;
            let Body::Secret(body) = &mut secret.view.version.body else { return Ok(secret) };
            if secret.view.object.managed && body.content_type.as_deref() != Some(content.as_str()) {
                body.content_type = Some(content.as_str().to_owned());
                secret.value = self.as_content(entry, name, open.version.id, content)?;
            }
            Ok(secret)
        })
    }

    /// A version of a live certificate as a file.
    fn as_content(
        &self,
        entry: &OpenContainer,
        name: &ObjectName,
        version: VersionId,
        content: CertificateContent,
    ) -> Result<Secret, Error> {
        let (found, stored) = self.store.query(|read| {
            let found = find_live(read, entry.id(), KIND, name)?;
            let stored = find_version(read, entry.id(), &found.object, Some(version))?;
            Ok::<_, Error>((found, stored))
        })?;
        let body = body_of(&stored.version)?;
        let issued = body.issued.as_ref().ok_or(Refusal::NotFound)?;
        let material = self.material_of(entry, &found, &stored)?;
        self.file_of(body, &material, issued, content)
    }
}
