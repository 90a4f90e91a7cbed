//! Certificates: begun, made by their issuers, imported, renewed. What they share with other objects is in
//! [`crate::objects`]; their key and secret are made here and follow them ever after.
//!
//! A version is begun with its key and a signing request, and waits without a certificate. Whoever brings the
//! certificate (its own key, an issuer, its owner by a merge), it is put to the version, and the key and the secret of the
//! same version are made, in one transaction.

mod authority;
mod begin;
mod complete;
mod contacts;
mod convert;
mod enrol;
mod import;
mod issuers;
mod pending;
mod renew;

pub use authority::{CertificateAuthority, Order, OrderAnswer};
pub use begin::CreateCertificate;
pub use import::{CertificateFile, ImportCertificate};
pub use issuers::{KeyReference, PRIVATE_CA, SetIssuer};
pub use pending::MergeCertificate;

use crate::{
    Engine, Error, OpenContainer,
    objects::{find_live, find_version},
};
use domain::{
    CertificateBody, CertificateCourse, CertificatePolicy, Object, ObjectKind, ObjectName, PolicyRequest, Refusal,
    UnixTime, Version,
};
use store::{Read, StoredObject, StoredVersion};

/// The kind, where the neighbours have a variable.
const KIND: ObjectKind = ObjectKind::Certificate;

/// What a version of a certificate has beside attributes and tags.
fn body_of(version: &Version) -> Result<&CertificateBody, Error> {
    version.body.as_certificate().ok_or(Error::Broken("a version of a certificate is something else"))
}

fn course_of(object: &Object) -> Result<&CertificateCourse, Error> {
    object.course.as_deref().ok_or(Error::Broken("a certificate has no policy"))
}

/// Moves a certificate's course on.
fn move_on(
    object: &mut Object,
    step: impl FnOnce(CertificateCourse) -> Result<CertificateCourse, Refusal>,
) -> Result<(), Error> {
    let course = object.course.take().ok_or(Error::Broken("a certificate has no policy"))?;
    object.course = Some(Box::new(step(*course)?));
    Ok(())
}

/// A policy with what is asked to be different, if certificates can be made like that.
pub(crate) fn amended(
    policy: &CertificatePolicy,
    request: &PolicyRequest,
    now: UnixTime,
) -> Result<CertificatePolicy, Refusal> {
    let amended = policy.amended(request, now)?;
    custody::x509::check_changes(&policy.x509, &amended.x509)?;
    Ok(amended)
}

/// A live certificate with its current version.
fn find_current(
    read: &mut (impl Read + ?Sized),
    target: &OpenContainer,
    name: &ObjectName,
) -> Result<(StoredObject, StoredVersion), Error> {
    let found = find_live(read, target.id(), KIND, name)?;
    let current = find_version(read, target.id(), &found.object, None)?;
    Ok((found, current))
}

impl Engine {
    /// A certificate that is live, with its current version; `None` if there is none.
    fn certificate_now(
        &self,
        target: &OpenContainer,
        name: &ObjectName,
    ) -> Result<Option<(StoredObject, StoredVersion)>, Error> {
        match self.store.query(|read| find_current(read, target, name)) {
            Ok(found) => Ok(Some(found)),
            Err(Error::Refused(Refusal::NotFound)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
