//! Importing a certificate with its private key.

use super::{KIND, begin::new_certificate, course_of, move_on};
use crate::{
    Engine, Error, NewAttributes, ObjectView, OpenContainer,
    keys::protection,
    objects::{Draft, path_of},
};
use custody::{bundle, x509};
use domain::{
    Body, CertificateBody, CertificateContent, CertificateCourse, CertificatePolicy, KeyBody, ObjectName, Operation,
    PolicyRequest, Refusal, Secret, Tags, UnixTime, Version, access::Caller, key_operations,
};
use store::Tx;

/// What a certificate is imported from.
pub enum CertificateFile {
    Pkcs12 {
        bytes: Secret,
        password: Option<Secret>,
    },
    /// The password is of the key, which may be encrypted.
    Pem {
        text: Secret,
        password: Option<Secret>,
    },
}

pub struct ImportCertificate {
    pub file: CertificateFile,
    pub policy: PolicyRequest,
    /// Of these only whether it is enabled: the dates are those of the certificate.
    pub attributes: NewAttributes,
    pub tags: Tags,
    pub preserve_order: bool,
}

impl Engine {
    /// Imports a certificate: a new one, or the next version of a live one of that name.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::CertificateInvalid`], [`domain::CertificateRefusal::InProgress`],
    /// [`domain::CertificateRefusal::NameHeld`], [`Refusal::NameHeldByDeleted`], and those of
    /// [`CertificatePolicy::imported`].
    pub fn import_certificate(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        name: &ObjectName,
        request: &ImportCertificate,
    ) -> Result<ObjectView, Error> {
        let (operation, path) = (Operation::CertificateImport, path_of(KIND, name));
        self.check_access(caller, operation, target, &path)?;
        let now = self.now();
        let order = if request.preserve_order { x509::Order::AsGiven } else { x509::Order::LeafFirst };
        let (read, content) = read(&request.file)?;
        let credential = read.with_key(order)?;
        let imported = self.provider.import(&credential.private)?;
        let spec = credential.private.spec();
        let leaf = credential.certificates.first().ok_or(Error::Broken("a chain has no certificate"))?;
        let properties = x509::Certificate::read(leaf)?.properties();
        let mut asked = request.policy.clone();
        asked.content_type.get_or_insert_with(|| content.as_str().to_owned());
        let policy = CertificatePolicy::imported(&asked, spec, properties, now)?;
        protection(&target.container, spec.key_type(), policy.key.hsm)?;
        let key = KeyBody {
            spec,
            hsm: policy.key.hsm,
            key_ops: key_operations(&policy.x509.key_usage, spec.key_type()),
            public: imported.public,
        };
        let body = CertificateBody {
            key,
            exportable: policy.key.exportable,
            content: policy.content,
            preserve_order: request.preserve_order,
            issued: None,
        };
        let enabled = NewAttributes { enabled: request.attributes.enabled, ..NewAttributes::default() };
        let version = Version {
            id: self.new_version_id(),
            attributes: enabled.at(now),
            tags: request.tags.clone(),
            body: Body::Certificate(body),
        };
        let trio = self.trio(version, imported.material, credential.certificates, now)?;
        let view = self.change_in(caller, operation, target, &path, |tx, now| {
            let container = self.live_container(tx, target)?;
            self.check_name(tx, target, KIND, name, now)?;
            let object = self.put_imported(tx, target, name, &policy, &trio.certificate, now)?;
            let object = self.put_trio(tx, target, object, &trio, now)?;
            Ok(ObjectView { object, version: trio.certificate.version.clone(), policy: container.policy })
        })?;
        self.close(target, KIND, name);
        Ok(view)
    }

    /// Stores the certificate's own version.
    fn put_imported(
        &self,
        tx: &mut dyn Tx,
        target: &OpenContainer,
        name: &ObjectName,
        policy: &CertificatePolicy,
        draft: &Draft,
        now: UnixTime,
    ) -> Result<domain::Object, Error> {
        let Some(mut found) = self.take_object(tx, target.id(), KIND, name)? else {
            let course = CertificateCourse::new(policy.clone());
            let object = new_certificate(name, draft.version.id, course, now);
            return self.insert_object(tx, target, object, std::iter::once(draft));
        };
        if !found.object.state.is_live() {
            return Err(Refusal::NameHeldByDeleted.into());
        }
        course_of(&found.object)?.check_free()?;
        // What ended before is over: the newest version is not its doing.
        move_on(&mut found.object, |course| Ok(CertificateCourse { policy: policy.clone(), pending: None, ..course }))?;
        self.append_version(tx, target, found, draft)
    }
}

fn read(file: &CertificateFile) -> Result<(bundle::Bundle, CertificateContent), Refusal> {
    let text = |secret| str::from_utf8(secret).map_err(|_| Refusal::CertificateInvalid { reason: "it is not text" });
    Ok(match file {
        CertificateFile::Pkcs12 { bytes, password } => {
            let password = password.as_ref().map(Secret::expose).map(text).transpose()?;
            (bundle::read_pkcs12(bytes.expose(), password)?, CertificateContent::Pkcs12)
        }
        CertificateFile::Pem { text: pem, password } => {
            let password = password.as_ref().map(Secret::expose).map(text).transpose()?;
            (bundle::read_pem(text(pem.expose())?, password)?, CertificateContent::Pem)
        }
    })
}
