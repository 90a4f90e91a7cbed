//! Reading objects: one, a page of them, a page of versions, and what is deleted.

use super::{ObjectView, find_live, find_object, find_version, path_of, path_of_all};
use crate::{
    Engine, Error, OpenContainer, Page, PageRequest,
    open::{OpenVersion, Opened},
};
use domain::{ObjectAct, ObjectKind, ObjectName, Operation, Refusal, VersionId, access::Caller};
use std::sync::{OnceLock, atomic::AtomicI64};
use store::Presence;

impl Engine {
    /// A version of a live object. Of a secret, what is told beside its value: see [`Engine::get_secret`].
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::NotFound`].
    pub fn get_object(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        kind: ObjectKind,
        name: &ObjectName,
        version: Option<VersionId>,
    ) -> Result<ObjectView, Error> {
        self.use_version(caller, ObjectAct::Get.on(kind), target, (kind, name), version, |entry, open| {
            Ok(open.view(entry))
        })
    }

    /// A page of the objects of a kind, live or deleted, with their current versions; of certificates those that have
    /// none yet only if `pending` asks for them.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`].
    pub fn list_objects(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        kind: ObjectKind,
        presence: Presence,
        pending: bool,
        page: &PageRequest,
    ) -> Result<Page<ObjectView>, Error> {
        let act = match presence {
            Presence::Live => ObjectAct::List,
            Presence::Deleted => ObjectAct::ListDeleted,
        };
        let now = self.now();
        let (found, policy) = self.authorised(caller, act.on(kind), target, &path_of_all(kind), |entry| {
            let (after, limit) = (page.after.as_deref(), page.limit + 1);
            let found = self.store.query(|read| read.list_objects(entry.id(), kind, presence, after, limit))?;
            Ok((found, entry.container.policy))
        })?;
        let view = |(object, version)| ObjectView { object, version, policy };
        let mut listed = Page::cut(found, page.limit, |(object, _)| object.name.folded()).map(view);
        // What is due may still be stored; it is not shown. A page may be short (contract: key-vault §3.7).
        let is_shown = |view: &ObjectView| pending || view.version.is_complete();
        listed.items.retain(|view| view.object.state.as_of(now).is_some() && is_shown(view));
        Ok(listed)
    }

    /// A page of the versions of a live object. What is not there has none: as recorded, that is no error.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`].
    pub fn list_versions(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        kind: ObjectKind,
        name: &ObjectName,
        page: &PageRequest,
    ) -> Result<Page<ObjectView>, Error> {
        let after = match &page.after {
            None => 0,
            Some(marker) => marker
                .parse::<u64>()
                .map_err(|_| Refusal::ParameterInvalid { parameter: "$skiptoken", reason: "is not one of ours" })?,
        };
        let operation = ObjectAct::ListVersions.on(kind);
        let live = self.authorised(caller, operation, target, &path_of(kind, name), |entry| {
            self.store.query(|read| {
                let Some(found) = read.object(entry.id(), kind, name)?.filter(|found| found.object.state.is_live())
                else {
                    return Ok::<_, Error>(None);
                };
                let versions = read.list_versions(entry.id(), kind, name, after, page.limit + 1)?;
                Ok(Some((found.object, versions, entry.container.policy)))
            })
        })?;
        let Some((object, found, policy)) = live else {
            return Ok(Page { items: Vec::new(), next: None });
        };
        let mut page = Page::cut(found, page.limit, |stored| stored.sequence.to_string());
        page.items.retain(|stored| stored.version.is_complete());
        Ok(page.map(|stored| ObjectView { object: object.clone(), version: stored.version, policy }))
    }

    /// A deleted object with its current version.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::DeletedNotFound`].
    pub fn get_deleted_object(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        kind: ObjectKind,
        name: &ObjectName,
    ) -> Result<ObjectView, Error> {
        let now = self.now();
        self.authorised(caller, ObjectAct::GetDeleted.on(kind), target, &path_of(kind, name), |entry| {
            self.store.query(|read| {
                let found = find_object(read, entry.id(), kind, name, now)?;
                let object = found.map(|found| found.object).filter(|object| !object.state.is_live());
                let object = object.ok_or(Refusal::DeletedNotFound)?;
                let version = find_version(read, entry.id(), &object, None)?.version;
                Ok(ObjectView { object, version, policy: entry.container.policy })
            })
        })
    }

    /// Works on a version of a live object for a caller who may do `operation` now; see
    /// [`OpenContainer::with_version`].
    pub(crate) fn use_version<T>(
        &self,
        caller: &Caller,
        operation: Operation,
        target: &OpenContainer,
        (kind, name): (ObjectKind, &ObjectName),
        version: Option<VersionId>,
        work: impl Fn(&OpenContainer, &OpenVersion) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.authorised(caller, operation, target, &path_of(kind, name), |entry| {
            self.with_open(entry, (kind, name), version, &work)
        })
    }

    /// Works on a version of a live object, whoever asks.
    pub(crate) fn with_open<T>(
        &self,
        entry: &OpenContainer,
        (kind, name): (ObjectKind, &ObjectName),
        version: Option<VersionId>,
        work: impl Fn(&OpenContainer, &OpenVersion) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let load = || self.load(entry, kind, name, version);
        entry.with_version((kind, name), version, load, |open| work(entry, open)).unwrap_or(Err(Error::Busy))
    }

    fn load(
        &self,
        target: &OpenContainer,
        kind: ObjectKind,
        name: &ObjectName,
        version: Option<VersionId>,
    ) -> Result<OpenVersion, Error> {
        self.store.query(|read| {
            let stored = find_live(read, target.id(), kind, name)?;
            let found = find_version(read, target.id(), &stored.object, version)?;
            Ok(OpenVersion {
                object: stored.object,
                version: found.version,
                object_key: stored.sealed_key,
                material: found.material,
                opened: OnceLock::new(),
                noted: AtomicI64::new(i64::MIN),
            })
        })
    }

    /// What is sealed in a version, opened at its first use.
    pub(crate) fn opened<'open>(
        &self,
        target: &OpenContainer,
        open: &'open OpenVersion,
        parse: impl FnOnce(domain::Secret) -> Result<Opened, Error>,
    ) -> Result<&'open Opened, Error> {
        if let Some(opened) = open.opened.get() {
            return Ok(opened);
        }
        let place = super::Place::of(target.id(), &open.object);
        let object_key = place.open_object_key(target, &open.object_key)?;
        let opened = parse(place.open_material(&object_key, open.version.id, &open.material)?)?;
        Ok(open.opened.get_or_init(|| opened))
    }
}
