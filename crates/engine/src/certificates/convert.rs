//! The secret of a certificate in another content than it is kept in (contract: key-vault §3.7, `outContentType`).

use super::{KIND, body_of};
use crate::{Engine, Error, OpenContainer, SecretView, objects::find_version};
use domain::{Body, CertificateContent, ObjectName, Refusal, VersionId, access::Caller};

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
        let mut secret = self.get_secret(caller, target, name, version)?;
        let Body::Secret(body) = &mut secret.view.version.body else { return Ok(secret) };
        if !secret.view.object.managed || body.content_type.as_deref() == Some(content.as_str()) {
            return Ok(secret);
        }
        body.content_type = Some(content.as_str().to_owned());
        let id = secret.view.version.id;
        let (found, stored) = self.store.query(|read| {
            let found = read.object(target.id(), KIND, name)?.ok_or(Refusal::NotFound)?;
            let stored = find_version(read, target.id(), &found.object, Some(id))?;
            Ok::<_, Error>((found, stored))
        })?;
        let body = body_of(&stored.version)?;
        let issued = body.issued.as_ref().ok_or(Refusal::NotFound)?;
        let material = self.material_of(target, &found, &stored)?;
        secret.value = self.file_of(body, &material, issued, content)?;
        Ok(secret)
    }
}
