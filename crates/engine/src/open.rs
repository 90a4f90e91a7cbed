//! Opened containers and objects: what the hot path works on without touching the disk.
//!
//! Everything cached hangs below its container's entry, and every entry has a lease. Work on an entry holds the
//! lease; invalidation waits for that work to end, then revokes it. A change is acknowledged only after the
//! invalidation, so after the answer to a deletion nothing uses the object. A reader takes the lease *before* it loads,
//! so a load that began before the change cannot leave a stale entry behind.

use crate::{Error, ObjectView, in_force::InForce};
use custody::{KeyHandle, WrappingKey};
use domain::{
    Container, ContainerId, ContainerKind, ContainerName, Object, ObjectKind, ObjectName, Sealed, Secret, Version,
    VersionId, access::Assignments,
};
use foldhash::HashMap;
use parking_lot::{Mutex, RwLock};
use std::sync::{Arc, OnceLock, atomic::AtomicI64};

/// Guards the use of something cached: revoked once, for good.
#[derive(Default)]
struct Lease(RwLock<bool>);

impl Lease {
    /// Runs `work` unless the lease is revoked. Revocation waits for it.
    fn hold<T>(&self, work: impl FnOnce() -> T) -> Option<T> {
        // Recursive: a nested hold must not wait behind a revocation that waits for the outer one.
        let revoked = self.0.read_recursive();
        (!*revoked).then(work)
    }

    fn revoke(&self) {
        *self.0.write() = true;
    }
}

/// A live container, ready for use.
pub struct OpenContainer {
    pub container: Container,
    arm_id: String,
    pub(crate) key: WrappingKey,
    /// Who may do what by the HSM's local roles; empty for a vault, whose roles are in the control plane.
    pub(crate) local_access: InForce<Assignments>,
    objects: [Slots; ObjectKind::ALL.len()],
    lease: Lease,
}

/// The opened objects of one kind.
type Slots = RwLock<HashMap<ObjectName, Arc<Slot>>>;

/// All opened versions of one object.
#[derive(Default)]
struct Slot {
    lease: Lease,
    versions: RwLock<HashMap<VersionId, Arc<OpenVersion>>>,
    current: OnceLock<Arc<OpenVersion>>,
}

/// What was sealed in a version, ready for use.
pub(crate) enum Opened {
    Key(Box<dyn KeyHandle>),
    Secret(Secret),
}

/// One version of an object with what is needed to use it.
pub struct OpenVersion {
    pub object: Object,
    pub version: Version,
    pub(crate) object_key: Sealed,
    pub(crate) material: Sealed,
    pub(crate) opened: OnceLock<Opened>,
    /// The latest second in which a use that has to be paid for was noted.
    pub(crate) noted: AtomicI64,
}

impl OpenContainer {
    /// How many objects of a kind a container keeps open. Beyond it an arbitrary one is closed for each one opened.
    const MAX_OPEN_OBJECTS: usize = 4096;

    pub(crate) fn new(container: Container, key: WrappingKey, local_access: Assignments) -> Self {
        Self {
            arm_id: container.arm_id(),
            container,
            key,
            local_access: InForce::of(local_access),
            objects: Default::default(),
            lease: Lease::default(),
        }
    }

    #[must_use]
    pub fn id(&self) -> ContainerId {
        self.container.id
    }

    /// [`Container::arm_id`], put together once.
    #[must_use]
    pub fn arm_id(&self) -> &str {
        &self.arm_id
    }

    #[must_use]
    pub fn kind(&self) -> ContainerKind {
        self.container.kind()
    }

    /// Whether a use of this version would find it open: then it costs no disk read.
    #[must_use]
    pub fn is_open(&self, kind: ObjectKind, name: &ObjectName, version: Option<VersionId>) -> bool {
        self.slots(kind).read().get(name).is_some_and(|slot| match version {
            None => slot.current.get().is_some(),
            Some(id) => slot.versions.read().contains_key(&id),
        })
    }

    /// Runs `work` on a version of an object, loading it if it is not open. While `work` runs neither the object nor the
    /// container can be deleted, changed or disabled to the end: such a change is answered after it.
    /// `None` if this entry has been revoked: the container has to be opened anew.
    pub(crate) fn with_version<T>(
        &self,
        (kind, name): (ObjectKind, &ObjectName),
        version: Option<VersionId>,
        load: impl Fn() -> Result<OpenVersion, Error>,
        work: impl Fn(&OpenVersion) -> Result<T, Error>,
    ) -> Option<Result<T, Error>> {
        self.lease.hold(|| {
            loop {
                let slot = self.slot(kind, name);
                // A revoked slot has been replaced: try the new one.
                if let Some(outcome) = slot.lease.hold(|| work(&*slot.get_or_load(version, &load)?)) {
                    if outcome.is_err() && slot.is_empty() {
                        self.forget_empty(kind, name, &slot);
                    }
                    return outcome;
                }
            }
        })
    }

    /// Runs `work` unless this entry has been revoked; a revocation waits for it.
    pub(crate) fn hold<T>(&self, work: impl FnOnce() -> T) -> Option<T> {
        self.lease.hold(work)
    }

    fn slots(&self, kind: ObjectKind) -> &Slots {
        let [keys, secrets, certificates] = &self.objects;
        match kind {
            ObjectKind::Key => keys,
            ObjectKind::Secret => secrets,
            ObjectKind::Certificate => certificates,
        }
    }

    fn slot(&self, kind: ObjectKind, name: &ObjectName) -> Arc<Slot> {
        let slots = self.slots(kind);
        if let Some(slot) = slots.read().get(name) {
            return Arc::clone(slot);
        }
        let mut slots = slots.write();
        if slots.len() >= Self::MAX_OPEN_OBJECTS {
            Self::close_one(&mut slots);
        }
        Arc::clone(slots.entry(name.clone()).or_default())
    }

    /// An object that could not be loaded keeps no place: names that nobody has must not drive out those that are used.
    fn forget_empty(&self, kind: ObjectKind, name: &ObjectName, slot: &Arc<Slot>) {
        let mut slots = self.slots(kind).write();
        if slots.get(name).is_some_and(|known| Arc::ptr_eq(known, slot))
            && let Some(mut revoked) = slot.lease.0.try_write()
            && slot.is_empty()
        {
            *revoked = true;
            slots.remove(name);
        }
    }

    /// Closes an object that nobody is using at the moment; if all are in use the cache grows for a while.
    fn close_one(slots: &mut HashMap<ObjectName, Arc<Slot>>) {
        let idle = slots.iter().find_map(|(name, slot)| {
            let mut revoked = slot.lease.0.try_write()?;
            *revoked = true;
            Some(name.clone())
        });
        if let Some(name) = idle {
            slots.remove(&name);
        }
    }

    /// Forgets an object, once nobody uses it any more. Call after the change is durable and before it is answered.
    pub(crate) fn invalidate(&self, kind: ObjectKind, name: &ObjectName) {
        let slot = self.slots(kind).write().remove(name);
        if let Some(slot) = slot {
            slot.lease.revoke();
        }
    }
}

impl OpenVersion {
    pub(crate) fn view(&self, entry: &OpenContainer) -> ObjectView {
        ObjectView { object: self.object.clone(), version: self.version.clone(), policy: entry.container.policy }
    }
}

impl Slot {
    /// How many versions of one object are kept open. Beyond it others are opened for one use.
    const MAX_OPEN_VERSIONS: usize = 128;

    fn is_empty(&self) -> bool {
        self.versions.read().is_empty()
    }

    fn get_or_load(
        &self,
        version: Option<VersionId>,
        load: impl Fn() -> Result<OpenVersion, Error>,
    ) -> Result<Arc<OpenVersion>, Error> {
        let known = match version {
            None => self.current.get().cloned(),
            Some(id) => self.versions.read().get(&id).cloned(),
        };
        if let Some(open) = known {
            return Ok(open);
        }
        let open = Arc::new(load()?);
        let mut versions = self.versions.write();
        if versions.len() >= Self::MAX_OPEN_VERSIONS && version.is_some() {
            return Ok(open);
        }
        let open = Arc::clone(versions.entry(open.version.id).or_insert(open));
        drop(versions);
        if version.is_none() {
            return Ok(Arc::clone(self.current.get_or_init(|| open)));
        }
        Ok(open)
    }
}

/// The live containers that are open, by kind and folded name.
#[derive(Default)]
pub(crate) struct OpenContainers {
    entries: RwLock<HashMap<(ContainerKind, String), Arc<OpenContainer>>>,
    /// Serialises opening with invalidation, so that what was loaded before a change is not entered after it.
    opening: Mutex<()>,
}

impl OpenContainers {
    /// How many containers are kept open. Beyond it an arbitrary idle one is closed for each one opened.
    const MAX_OPEN: usize = 1024;

    /// By name, in any case. Whether the name could be a container's does not matter here: then none has it.
    pub(crate) fn get(&self, kind: ContainerKind, name: &str) -> Option<Arc<OpenContainer>> {
        self.entries.read().get(&(kind, name.to_ascii_uppercase())).cloned()
    }

    pub(crate) fn get_or_open(
        &self,
        kind: ContainerKind,
        name: &ContainerName,
        open: impl FnOnce() -> Result<OpenContainer, Error>,
    ) -> Result<Arc<OpenContainer>, Error> {
        let id = (kind, name.folded());
        let _opening = self.opening.lock();
        if let Some(entry) = self.entries.read().get(&id) {
            return Ok(Arc::clone(entry));
        }
        let entry = Arc::new(open()?);
        let mut entries = self.entries.write();
        if entries.len() >= Self::MAX_OPEN {
            Self::close_one(&mut entries);
        }
        entries.insert(id, Arc::clone(&entry));
        Ok(entry)
    }

    /// Closes a container that nobody is using at the moment.
    fn close_one(entries: &mut HashMap<(ContainerKind, String), Arc<OpenContainer>>) {
        let idle = entries.iter().find_map(|(id, entry)| {
            let mut revoked = entry.lease.0.try_write()?;
            *revoked = true;
            Some(id.clone())
        });
        if let Some(id) = idle {
            entries.remove(&id);
        }
    }

    /// Forgets a container and all that is open in it, once nobody uses it any more. Call after the change is
    /// durable and before it is answered.
    pub(crate) fn invalidate(&self, kind: ContainerKind, name: &ContainerName) {
        let removed = {
            let _opening = self.opening.lock();
            self.entries.write().remove(&(kind, name.folded()))
        };
        if let Some(container) = removed {
            container.lease.revoke();
        }
    }

    /// How many containers are open, and how many keys in all of them.
    pub(crate) fn sizes(&self) -> (usize, usize) {
        let entries = self.entries.read();
        (entries.len(), entries.values().map(|entry| entry.slots(ObjectKind::Key).read().len()).sum())
    }

    pub(crate) fn find(&self, id: ContainerId) -> Option<Arc<OpenContainer>> {
        // One that is being opened has perhaps read what the caller has since changed: wait until it is entered.
        let _opening = self.opening.lock();
        self.entries.read().values().find(|entry| entry.id() == id).cloned()
    }
}
