//! Making a version whole: its certificate, and the key and the secret of the same version, all or nothing.

use super::{KIND, body_of, course_of, move_on};
use crate::{Engine, Error, OpenContainer, objects::Draft};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use custody::{bundle, x509};
use domain::{
    Attributes, Body, CertificateBody, CertificateContent, CertificateRefusal, IssuedCertificate, Object, ObjectKind,
    Refusal, Secret, SecretBody, UnixTime, Version, notice::VersionEvent,
};
use store::{StoredVersion, Tx};

/// A version of a certificate with its key and its secret.
pub(super) struct Trio {
    pub certificate: Draft,
    key: Draft,
    secret: Draft,
}

impl Engine {
    /// Puts a chain, the certificate first, to a version that was begun.
    ///
    /// # Errors
    /// [`CertificateRefusal::KeyMismatch`] if the certificate is of another key; [`Refusal::CertificateInvalid`].
    pub(super) fn trio(
        &self,
        version: Version,
        material: Secret,
        chain: Vec<Vec<u8>>,
        now: UnixTime,
    ) -> Result<Trio, Error> {
        let body = body_of(&version)?.clone();
        let order = if body.preserve_order { x509::Order::AsGiven } else { x509::Order::LeafFirst };
        let read: Vec<_> = chain.iter().map(|der| x509::Certificate::read(der)).collect::<Result<_, _>>()?;
        if !read.iter().any(|certificate| certificate.has_key(&body.key.public)) {
            return Err(Refusal::from(CertificateRefusal::KeyMismatch).into());
        }
        let mut chain = x509::arrange(chain, &body.key.public, order)?.into_iter();
        let der = chain.next().ok_or(Error::Broken("a chain has no certificate"))?;
        let leaf = x509::Certificate::read(&der)?;
        let attributes = Attributes {
            not_before: Some(leaf.not_before),
            expires: Some(leaf.not_after),
            updated: now,
            ..version.attributes.clone()
        };
        let issued = IssuedCertificate {
            der,
            chain: chain.collect(),
            thumbprint: leaf.thumbprint,
            subject: leaf.subject.clone(),
        };
        let value = self.file_of(&body, &material, &issued, body.content)?;
        let make = |body| Version { attributes: attributes.clone(), body, ..version.clone() };
        let secret = SecretBody { content_type: Some(body.content.as_str().to_owned()), previous: None };
        Ok(Trio {
            key: Draft { version: make(Body::Key(body.key.clone())), material: copy(&material) },
            secret: Draft { version: make(Body::Secret(secret)), material: value },
            certificate: Draft {
                version: make(Body::Certificate(CertificateBody { issued: Some(issued), ..body })),
                material,
            },
        })
    }

    /// A version of a certificate as a file, which is the value of its secret (contract: key-vault §3.7, "Secrets").
    pub(super) fn file_of(
        &self,
        body: &CertificateBody,
        material: &Secret,
        issued: &IssuedCertificate,
        content: CertificateContent,
    ) -> Result<Secret, Error> {
        let chain: Vec<_> = std::iter::once(&issued.der).chain(&issued.chain).cloned().collect();
        let export = || self.provider.export(body.key.spec, &body.key.public, material);
        let private = body.exportable.then(export).transpose()?;
        Ok(match content {
            CertificateContent::Pem => bundle::write_pem(private.as_ref(), &chain),
            CertificateContent::Pkcs12 => {
                let file = bundle::write_pkcs12(private.as_ref(), &chain, &*self.entropy)?;
                Secret::new(STANDARD.encode(file.expose()).into_bytes())
            }
        })
    }

    /// Makes a whole version the current one of its certificate, which has the version already or is given it here.
    pub(super) fn put_trio(
        &self,
        tx: &mut dyn Tx,
        target: &OpenContainer,
        mut object: Object,
        trio: &Trio,
        now: UnixTime,
    ) -> Result<Object, Error> {
        let Trio { certificate, key, secret } = trio;
        let name = object.name.clone();
        tx.save_version(target.id(), KIND, &name, &certificate.version)?;
        object.current = certificate.version.id;
        object.schedule(&certificate.version);
        tx.save_object(target.id(), &object)?;
        self.put_version(tx, target, (ObjectKind::Key, &name), key, true, now)?;
        let before = tx.object(target.id(), ObjectKind::Secret, &name)?.map(|found| found.object.current);
        let mut version = secret.version.clone();
        if let Body::Secret(body) = &mut version.body {
            body.previous = before;
        }
        let secret = Draft { version, material: copy(&secret.material) };
        self.put_version(tx, target, (ObjectKind::Secret, &name), &secret, true, now)?;
        Ok(object)
    }

    /// Ends the pending operation of a trio's version with it. `begun` is the version that the trio was made of.
    pub(super) fn complete(
        &self,
        tx: &mut dyn Tx,
        target: &OpenContainer,
        mut object: Object,
        (begun, trio): (&Version, &Trio),
        now: UnixTime,
    ) -> Result<Object, Error> {
        let pending = course_of(&object)?.pending(None)?;
        let is_as_known = |found: StoredVersion| found.version == *begun;
        if pending.version != begun.id
            || !tx.version(target.id(), KIND, &object.name, begun.id)?.is_some_and(is_as_known)
        {
            // Somebody else has ended it and begun another, or changed the version: disabled it, perhaps.
            return Err(Error::Busy);
        }
        move_on(&mut object, |mut course| {
            course.pending = course.pending.map(domain::CertificateOperation::complete).transpose()?;
            Ok(course)
        })?;
        let object = self.put_trio(tx, target, object, trio, now)?;
        let version = &trio.certificate.version;
        self.publish_version(tx, &target.container, (&object, version), VersionEvent::Created)?;
        Ok(object)
    }
}

fn copy(secret: &Secret) -> Secret {
    Secret::new(secret.expose().to_vec())
}
