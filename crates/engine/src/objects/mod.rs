//! What every kind of object shares: lookup, lists, versions, changes, deletion, backup.
//!
//! Nothing here is written once per kind: operations are found by [`ObjectAct::on`], and what a kind brings along
//! ([`ObjectKind::followers`]) goes where it goes, in the same transaction.

mod backup;
mod lifecycle;
mod read;
mod update;
mod versions;

pub use update::{AttributeChanges, ObjectChanges};
pub use versions::NewAttributes;
pub(crate) use versions::{Draft, Place};

use crate::{Engine, Error, OpenContainer};
use domain::{
    CertificateRefusal, Container, ContainerId, Object, ObjectAct, ObjectKind, ObjectName, Refusal, State, UnixTime,
    Version, VersionId, lifecycle::DeletionPolicy,
};
use store::{Read, StoredObject, StoredVersion, Tx};

/// An object as seen in one version, with the deletion policy that speaks in its recovery level.
#[derive(Clone, Debug)]
pub struct ObjectView {
    pub object: Object,
    pub version: Version,
    pub policy: DeletionPolicy,
}

/// The path of an object in its container: `/keys/{name}`.
pub(crate) fn path_of(kind: ObjectKind, name: &ObjectName) -> String {
    ["/", kind.collection(), "/", name.as_str()].concat()
}

/// The path of all objects of a kind: `/keys`.
pub(crate) fn path_of_all(kind: ObjectKind) -> String {
    ["/", kind.collection()].concat()
}

/// An object with its deletion state as of now: what is past its scheduled purge counts as gone.
pub(crate) fn find_object(
    read: &mut (impl Read + ?Sized),
    container: ContainerId,
    kind: ObjectKind,
    name: &ObjectName,
    now: UnixTime,
) -> Result<Option<StoredObject>, Error> {
    let found = read.object(container, kind, name)?;
    Ok(found.filter(|found| found.object.state.as_of(now).is_some()))
}

pub(crate) fn find_live(
    read: &mut (impl Read + ?Sized),
    container: ContainerId,
    kind: ObjectKind,
    name: &ObjectName,
) -> Result<StoredObject, Error> {
    let found = read.object(container, kind, name)?;
    Ok(found.filter(|found| found.object.state.is_live()).ok_or(Refusal::NotFound)?)
}

/// The version asked for, or the current one.
pub(crate) fn find_version(
    read: &mut (impl Read + ?Sized),
    container: ContainerId,
    object: &Object,
    version: Option<VersionId>,
) -> Result<StoredVersion, Error> {
    let id = version.unwrap_or(object.current);
    let found = read.version(container, object.kind, &object.name, id)?;
    Ok(found.ok_or(Refusal::NotFound)?)
}

/// Refuses to do to an object what has to be done to the certificate that manages it.
pub(crate) fn check_unmanaged(object: &Object, act: ObjectAct) -> Result<(), Refusal> {
    match object.managed {
        true => Err(CertificateRefusal::Managed { kind: object.kind, operation: act.as_str() }.into()),
        false => Ok(()),
    }
}

/// Those of an object's followers that are there.
pub(crate) fn followers_of(
    read: &mut (impl Read + ?Sized),
    container: ContainerId,
    leader: &Object,
) -> Result<Vec<StoredObject>, Error> {
    let mut followers = Vec::new();
    for kind in leader.kind.followers() {
        followers.extend(read.object(container, *kind, &leader.name)?.filter(|found| found.object.managed));
    }
    Ok(followers)
}

impl Engine {
    /// Reads a container inside a transaction: it must be there and live, whatever an open entry says.
    pub(crate) fn live_container(&self, tx: &mut dyn Tx, target: &OpenContainer) -> Result<Container, Error> {
        let stored = tx.container_by_id(target.id())?.ok_or(Refusal::ContainerNotFound)?;
        match stored.container.state {
            State::Live => Ok(stored.container),
            State::Deleted(deletion) => {
                Err(Refusal::ContainerDeleted { scheduled_purge_at: deletion.scheduled_purge_at }.into())
            }
        }
    }

    /// Closes an object and its followers everywhere in this process, once nobody uses them any more.
    pub(crate) fn close(&self, target: &OpenContainer, kind: ObjectKind, name: &ObjectName) {
        for kind in [&[kind], kind.followers()].concat() {
            target.invalidate(kind, name);
            // The entry may have been replaced since the caller took it.
            if let Some(open) = self.open.find(target.id()) {
                open.invalidate(kind, name);
            }
        }
    }
}
