//! The issuers that a vault knows.

use crate::{
    Engine, Error, OpenContainer, Page, PageRequest, objects::find_live, objects::find_version, objects::path_of,
};
use custody::{Context, Purpose};
use domain::{
    CertificateRefusal, ContainerKind, Issuer, IssuerChanges, IssuerName, ObjectKind, ObjectName, Operation,
    PrivateAuthority, Refusal, Sealed, Secret, VersionId, access::Caller,
};
use store::StoredIssuer;

/// The provider of issuers that sign with a key of ours. Written in any case.
pub const PRIVATE_CA: &str = "PrivateCA";

/// A key in a container of this installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyReference {
    pub kind: ContainerKind,
    pub container: String,
    pub key: ObjectName,
    /// `None`: the current one, which the issuer then keeps to.
    pub version: Option<VersionId>,
}

/// What a client says of an issuer.
#[derive(Default)]
pub struct SetIssuer {
    pub changes: IssuerChanges,
    pub password: Option<Secret>,
    /// What the account id names, if it names a key: for [`PRIVATE_CA`].
    pub key: Option<KeyReference>,
}

const COMMON_NAME_LENGTH: usize = 64;
const PATH: &str = "/certificates/issuers";

fn path_of_issuer(name: &IssuerName) -> String {
    format!("{PATH}/{name}")
}

fn not_found(name: &IssuerName) -> Error {
    CertificateRefusal::IssuerNotFound { name: name.to_string() }.into()
}

impl Engine {
    /// # Errors
    /// [`Refusal::Forbidden`].
    pub fn list_issuers(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        page: &PageRequest,
    ) -> Result<Page<Issuer>, Error> {
        let found = self.authorised(caller, Operation::CertificateIssuersList, target, PATH, |entry| {
            let (after, limit) = (page.after.as_deref(), page.limit + 1);
            Ok(self.store.query(|read| read.list_issuers(entry.id(), after, limit))?)
        })?;
        Ok(Page::cut(found, page.limit, |issuer| issuer.name.folded()))
    }

    /// # Errors
    /// [`Refusal::Forbidden`], [`CertificateRefusal::IssuerNotFound`].
    pub fn get_issuer(&self, caller: &Caller, target: &OpenContainer, name: &IssuerName) -> Result<Issuer, Error> {
        let path = path_of_issuer(name);
        self.authorised(caller, Operation::CertificateIssuerGet, target, &path, |entry| {
            let found = self.store.query(|read| read.issuer(entry.id(), name))?;
            Ok(found.ok_or_else(|| not_found(name))?.issuer)
        })
    }

    /// Sets an issuer, whole.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::ParameterInvalid`], and for [`PRIVATE_CA`] those of signing with the key.
    pub fn set_issuer(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        name: &IssuerName,
        request: &SetIssuer,
    ) -> Result<Issuer, Error> {
        self.put_issuer(caller, Operation::CertificateIssuerSet, target, name, request)
    }

    /// Changes what is said of an issuer.
    ///
    /// # Errors
    /// Those of [`Engine::set_issuer`], [`CertificateRefusal::IssuerNotFound`].
    pub fn update_issuer(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        name: &IssuerName,
        request: &SetIssuer,
    ) -> Result<Issuer, Error> {
        self.put_issuer(caller, Operation::CertificateIssuerUpdate, target, name, request)
    }

    /// # Errors
    /// [`Refusal::Forbidden`], [`CertificateRefusal::IssuerNotFound`].
    pub fn delete_issuer(&self, caller: &Caller, target: &OpenContainer, name: &IssuerName) -> Result<Issuer, Error> {
        let path = path_of_issuer(name);
        self.change_in(caller, Operation::CertificateIssuerDelete, target, &path, |tx, _| {
            self.live_container(tx, target)?;
            let found = tx.issuer(target.id(), name)?.ok_or_else(|| not_found(name))?;
            tx.remove_issuer(target.id(), name)?;
            Ok(found.issuer)
        })
    }

    fn put_issuer(
        &self,
        caller: &Caller,
        operation: Operation,
        target: &OpenContainer,
        name: &IssuerName,
        request: &SetIssuer,
    ) -> Result<Issuer, Error> {
        let path = path_of_issuer(name);
        self.check_access(caller, operation, target, &path)?;
        let known = self.store.query(|read| read.issuer(target.id(), name))?;
        let issuer = changed(operation, name, request, known.as_ref(), self.now())?;
        let authority = self.authority_of(caller, target, &issuer, request, known.as_ref())?;
        let fresh = request.password.as_ref().map(|password| self.seal_password(target, name, password)).transpose()?;
        self.change_in(caller, operation, target, &path, |tx, now| {
            self.live_container(tx, target)?;
            if tx.issuer(target.id(), name)? != known {
                // What it signs with was found out for another one.
                return Err(Error::Busy);
            }
            let issuer = changed(operation, name, request, known.as_ref(), now)?;
            let kept = known.as_ref().and_then(|known| known.password.clone()).filter(|_| issuer.has_password);
            let password = fresh.clone().or(kept);
            tx.put_issuer(
                target.id(),
                &StoredIssuer { issuer: issuer.clone(), authority: authority.clone(), password },
            )?;
            Ok(issuer)
        })
    }

    /// What an issuer of ours signs with. The caller has to be one who may sign with the key: from now on the vault's
    /// certificates are signed with it in their name.
    fn authority_of(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        issuer: &Issuer,
        request: &SetIssuer,
        known: Option<&StoredIssuer>,
    ) -> Result<Option<PrivateAuthority>, Error> {
        if !issuer.provider.eq_ignore_ascii_case(PRIVATE_CA) {
            return Ok(None);
        }
        let kept = known.and_then(|known| known.authority.clone());
        let unchanged = known.is_some_and(|known| known.issuer.account_id == issuer.account_id);
        if let Some(kept) = kept.filter(|_| unchanged) {
            return Ok(Some(kept));
        }
        let reason = "names the key that signs: https://{vault or managed HSM}/keys/{name}";
        let key = request.key.as_ref().ok_or(Refusal::ParameterInvalid { parameter: "account_id", reason })?;
        let entry = self.open_container(key.kind, &key.container).map_err(no_such_key)?;
        self.check_access(caller, Operation::KeySign, &entry, &path_of(ObjectKind::Key, &key.key))?;
        let version = self.store.query(|read| {
            let object = find_live(read, entry.id(), ObjectKind::Key, &key.key)?.object;
            Ok::<_, Error>(find_version(read, entry.id(), &object, key.version)?.version.id)
        });
        let version = version.map_err(no_such_key)?;
        let unsigned =
            PrivateAuthority { container: entry.id(), key: key.key.clone(), version, certificate: Vec::new() };
        let certificate = self.authority_certificate(caller, &unsigned, &subject_of(issuer, target))?;
        Ok(Some(PrivateAuthority { certificate, ..unsigned }))
    }

    fn seal_password(&self, target: &OpenContainer, name: &IssuerName, password: &Secret) -> Result<Sealed, Error> {
        let folded = name.folded();
        Ok(target.key.seal(&password_context(target, &folded), password.expose(), &*self.entropy)?)
    }

    pub(super) fn issuer_password(
        &self,
        target: &OpenContainer,
        stored: &StoredIssuer,
    ) -> Result<Option<Secret>, Error> {
        let folded = stored.issuer.name.folded();
        let open = |sealed| target.key.open(&password_context(target, &folded), sealed);
        Ok(stored.password.as_ref().map(open).transpose()?)
    }
}

/// What is missing is named in the request: it is not what the request is about.
fn no_such_key(error: Error) -> Error {
    match error {
        Error::Refused(Refusal::NotFound | Refusal::ContainerNotFound | Refusal::ContainerDeleted { .. }) => {
            let reason = "names a key that is not there";
            Refusal::ParameterInvalid { parameter: "account_id", reason }.into()
        }
        error => error,
    }
}

fn changed(
    operation: Operation,
    name: &IssuerName,
    request: &SetIssuer,
    known: Option<&StoredIssuer>,
    now: domain::UnixTime,
) -> Result<Issuer, Error> {
    let changes = IssuerChanges { has_password: request.password.is_some(), ..request.changes.clone() };
    Ok(match (operation, known) {
        (Operation::CertificateIssuerUpdate, None) => return Err(not_found(name)),
        (Operation::CertificateIssuerUpdate, Some(known)) => known.issuer.clone().change(changes, now)?,
        (_, known) => Issuer::set(name.clone(), changes, known.map(|known| &known.issuer), now)?,
    })
}

/// What an authority of ours is called: the organisation's id if that is a distinguished name, else issuer and vault, the
/// issuer as far as there is room for it in a common name (RFC 5280 appendix A.1).
fn subject_of(issuer: &Issuer, target: &OpenContainer) -> String {
    match &issuer.organization_id {
        Some(id) if id.contains('=') => id.clone(),
        _ => {
            let of_vault = format!(" of {}", target.container.name);
            let room = COMMON_NAME_LENGTH.saturating_sub(of_vault.len());
            let shortened: String = issuer.name.as_str().chars().take(room).collect();
            format!("CN={shortened}{of_vault}")
        }
    }
}

fn password_context<'a>(target: &OpenContainer, folded_name: &'a str) -> Context<'a> {
    Context {
        container: Some(target.id()),
        kind: "issuer",
        name: folded_name,
        version: None,
        purpose: Purpose::Material,
    }
}
