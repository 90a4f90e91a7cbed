//! Beginning a version: its policy, its key, and the signing request.

use super::{KIND, body_of, course_of, move_on};
use crate::{
    Engine, Error, NewAttributes, ObjectView, OpenContainer,
    keys::protection,
    objects::{Draft, Place, find_object, path_of},
};
use custody::{Generated, x509};
use domain::{
    Body, CertificateBody, CertificateCourse, CertificateOperation, CertificatePolicy, CertificateRefusal,
    IssuerChoice, KeyBody, Object, ObjectName, Operation, PolicyRequest, Refusal, RequestId, Secret, State, Tags,
    UnixTime, Version, VersionId, access::Caller, key_operations,
};
use store::{StoredObject, StoredVersion, Tx};

/// A certificate to make.
#[derive(Clone, Debug, Default)]
pub struct CreateCertificate {
    /// `None`: as the certificate's policy says, or the default policy.
    pub policy: Option<PolicyRequest>,
    /// Of these only whether it is enabled: the dates are those of the certificate.
    pub attributes: NewAttributes,
    pub tags: Tags,
    pub preserve_order: bool,
}

/// What a version is begun with.
pub(super) struct Beginning {
    policy: CertificatePolicy,
    /// The version whose key it goes on with.
    reuses: Option<VersionId>,
    draft: Draft,
    operation: CertificateOperation,
}

impl Engine {
    /// Begins a certificate: a new one, or the next version of a live one of that name. Its own key, or an issuer of
    /// ours, signs it at once; any other issuer is asked by and by. The answer has the pending operation as it was begun.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`CertificateRefusal::InProgress`], [`CertificateRefusal::IssuerNotFound`],
    /// [`CertificateRefusal::NameHeld`], [`Refusal::NameHeldByDeleted`], [`Refusal::ParameterInvalid`] and the like for the
    /// policy.
    pub fn create_certificate(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        name: &ObjectName,
        request: &CreateCertificate,
    ) -> Result<ObjectView, Error> {
        let operation = Operation::CertificateCreate;
        self.check_access(caller, operation, target, &path_of(KIND, name))?;
        let known = self.certificate_now(target, name)?;
        let policy = match (&request.policy, &known) {
            (None, Some((found, _))) => course_of(&found.object)?.policy.clone(),
            // Its policy is there, but not to be used: that is what is wrong, not that none was sent.
            (None, None) if self.is_deleted(target, name)? => return Err(Refusal::NameHeldByDeleted.into()),
            (asked, _) => CertificatePolicy::filled(&asked.clone().unwrap_or_default(), self.now())?,
        };
        let beginning = self.beginning(target, known.as_ref(), policy, request)?;
        let known_policy = known.as_ref().filter(|_| request.policy.is_none()).map(|_| &beginning.policy);
        let view = self.change_in(caller, operation, target, &path_of(KIND, name), |tx, now| {
            if let Some(known) = known_policy
                && policy_of(tx, target, name)?.as_ref() != Some(known)
            {
                return Err(Error::Busy);
            }
            if let IssuerChoice::Named(issuer) = &beginning.policy.issuer.name
                && tx.issuer(target.id(), issuer)?.is_none()
            {
                return Err(CertificateRefusal::IssuerNotFound { name: issuer.to_string() }.into());
            }
            self.begin(tx, target, name, &beginning, now)
        })?;
        self.close(target, KIND, name);
        self.advance_at_once(target, name);
        Ok(view)
    }

    fn is_deleted(&self, target: &OpenContainer, name: &ObjectName) -> Result<bool, Error> {
        let now = self.now();
        let found = self.store.query(|read| find_object(read, target.id(), KIND, name, now))?;
        Ok(found.is_some_and(|found| !found.object.state.is_live()))
    }

    /// Everything that takes long: before the transaction.
    pub(super) fn beginning(
        &self,
        target: &OpenContainer,
        known: Option<&(StoredObject, StoredVersion)>,
        policy: CertificatePolicy,
        request: &CreateCertificate,
    ) -> Result<Beginning, Error> {
        x509::check_properties(&policy.x509)?;
        protection(&target.container, policy.key.spec.key_type(), policy.key.hsm)?;
        let reused = known.filter(|_| policy.key.reuse_key);
        let reused = reused.map(|(found, old)| self.key_of(target, found, old, &policy)).transpose()?.flatten();
        let reuses = reused.as_ref().and(known).map(|(_, old)| old.version.id);
        let (public, material) = match reused {
            Some((public, material)) => (public, material),
            None => {
                let Generated { public, material } = self.provider.generate(policy.key.spec, &*self.entropy)?;
                (public, material)
            }
        };
        let handle = self.provider.open(policy.key.spec, &public, &material)?;
        let signer = x509::Signer { key: &*handle, public: &public };
        let csr = x509::certification_request(&policy.x509, signer, &*self.entropy)?;
        let key = KeyBody {
            spec: policy.key.spec,
            hsm: policy.key.hsm,
            key_ops: key_operations(&policy.x509.key_usage, policy.key.spec.key_type()),
            public,
        };
        let body = CertificateBody {
            key,
            exportable: policy.key.exportable,
            content: policy.content,
            preserve_order: request.preserve_order,
            issued: None,
        };
        let (id, now) = (self.new_version_id(), self.now());
        let enabled = NewAttributes { enabled: request.attributes.enabled, ..NewAttributes::default() };
        let version =
            Version { id, attributes: enabled.at(now), tags: request.tags.clone(), body: Body::Certificate(body) };
        let request_id = RequestId::from_random(*self.new_version_id().as_bytes());
        let issuer = policy.issuer.clone();
        let operation = CertificateOperation::begin(request_id, id, csr, issuer, request.preserve_order, now);
        Ok(Beginning { policy, reuses, draft: Draft { version, material }, operation })
    }

    /// The key of a certificate's version, if the policy can go on with it: one that was not to leave does not leave with
    /// a version that may.
    fn key_of(
        &self,
        target: &OpenContainer,
        found: &StoredObject,
        old: &StoredVersion,
        policy: &CertificatePolicy,
    ) -> Result<Option<(domain::PublicKey, Secret)>, Error> {
        let body = body_of(&old.version)?;
        let is_alike = body.key.spec == policy.key.spec && body.key.hsm == policy.key.hsm;
        let would_leave = policy.key.exportable && !body.exportable;
        if body.issued.is_none() || !is_alike || would_leave {
            return Ok(None);
        }
        let material = self.material_of(target, found, old)?;
        Ok(Some((body.key.public.clone(), material)))
    }

    pub(super) fn material_of(
        &self,
        target: &OpenContainer,
        found: &StoredObject,
        version: &StoredVersion,
    ) -> Result<Secret, Error> {
        let place = Place::of(target.id(), &found.object);
        let object_key = place.open_object_key(target, &found.sealed_key)?;
        place.open_material(&object_key, version.version.id, &version.material)
    }

    pub(super) fn begin(
        &self,
        tx: &mut dyn Tx,
        target: &OpenContainer,
        name: &ObjectName,
        beginning: &Beginning,
        now: UnixTime,
    ) -> Result<ObjectView, Error> {
        let container = self.live_container(tx, target)?;
        let Beginning { policy, reuses, draft, operation } = beginning;
        self.check_name(tx, target, KIND, name, now)?;
        if let Some(reused) = reuses
            && tx.version(target.id(), KIND, name, *reused)?.is_none()
        {
            // It was purged meanwhile, and its key must not live on.
            return Err(Error::Busy);
        }
        let object = match self.take_object(tx, target.id(), KIND, name)? {
            None => {
                let course = CertificateCourse::new(policy.clone()).begin(operation.clone())?;
                let mut object = new_certificate(name, draft.version.id, course, now);
                object.schedule(&draft.version);
                self.insert_object(tx, target, object, std::iter::once(draft))?
            }
            Some(found) if found.object.state.is_live() => self.begin_next(tx, target, found, beginning)?,
            Some(_) => return Err(Refusal::NameHeldByDeleted.into()),
        };
        Ok(ObjectView { object, version: draft.version.clone(), policy: container.policy })
    }

    /// The version before it stays the current one until there is a certificate, if it has one itself.
    fn begin_next(
        &self,
        tx: &mut dyn Tx,
        target: &OpenContainer,
        mut found: StoredObject,
        beginning: &Beginning,
    ) -> Result<Object, Error> {
        let Beginning { policy, draft, operation, .. } = beginning;
        let place = Place::of(target.id(), &found.object);
        let current = crate::objects::find_version(tx, target.id(), &found.object, None)?.version;
        move_on(&mut found.object, |course| {
            CertificateCourse { policy: policy.clone(), ..course }.begin(operation.clone())
        })?;
        let object_key = place.open_object_key(target, &found.sealed_key)?;
        let material = place.seal_material(self, &object_key, draft)?;
        tx.insert_version(target.id(), KIND, &found.object.name, &draft.version, &material)?;
        let current = if current.is_complete() { &current } else { &draft.version };
        found.object.current = current.id;
        found.object.schedule(current);
        tx.save_object(target.id(), &found.object)?;
        Ok(found.object)
    }
}

/// The policy of a certificate, live or deleted.
fn policy_of(tx: &mut dyn Tx, target: &OpenContainer, name: &ObjectName) -> Result<Option<CertificatePolicy>, Error> {
    let found = tx.object(target.id(), KIND, name)?;
    found.map(|found| Ok(course_of(&found.object)?.policy.clone())).transpose()
}

pub(super) fn new_certificate(
    name: &ObjectName,
    current: domain::VersionId,
    course: CertificateCourse,
    now: UnixTime,
) -> Object {
    Object {
        kind: KIND,
        name: name.clone(),
        state: State::Live,
        created: now,
        current,
        rotation: None,
        next_action: None,
        next_notice: None,
        expiry_told: None,
        managed: false,
        course: Some(Box::new(course)),
    }
}
