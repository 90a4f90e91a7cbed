//! The transaction port.

use domain::{
    Contacts, Container, ContainerId, ContainerKind, ContainerName, EventSubscriptionName, Guid, Issuer, IssuerName,
    Object, ObjectKind, ObjectName, OperationResult, Principal, PrivateAuthority, ResourceGroup, Sealed, Subscription,
    UnixTime, Version, VersionId,
    access::{Realm, RoleAssignment, RoleDefinition, Scope},
    lifecycle::Purged,
    lock::{Lock, LockName},
    metering::{KeyVersionUse, Lifetime, Month, OperationCount},
    notice::{Delivery, EventSubscription, Listener},
};
use std::{
    ops::{ControlFlow, Range},
    path::Path,
};

/// The machinery failed: the transaction did not happen.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("the database failed")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the database's schema is version {found}; this program knows version {known}")]
    UnknownSchema { found: i64, known: i64 },
    #[error("a stored record can't be read: {what}")]
    CorruptRecord { what: &'static str },
    /// A row that was to be inserted is there, or one that was to be changed is not: a defect of the caller.
    #[error("a row was not as expected: {what}")]
    UnexpectedRow { what: &'static str },
}

/// What a transaction's work decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Commit,
    /// Undo what this transaction did; others that share its commit are not touched.
    Abort,
}

/// An engine. Cheap to share; all methods may block and are called from threads that may.
pub trait Store: Send + Sync {
    /// Runs `work` in a transaction of its own, isolated from all others. When this returns `Ok` after
    /// [`Verdict::Commit`], the change is durable: it survives a crash of the process and of the machine.
    /// If anything was removed with a [`Purged`], its bytes are also gone from the engine's files and journals.
    ///
    /// `work` may be run again if the engine has to retry; only the last run's effects count. A transaction in which
    /// a change failed can't commit, even if `work` asks for it: the change may be half done. Inside `work` the store
    /// may be read, but not written: that would wait for itself.
    ///
    /// # Errors
    /// [`Fault`] if the transaction could not be begun or made durable.
    fn write(&self, name: &'static str, work: &mut dyn FnMut(&mut dyn Tx) -> Verdict) -> Result<(), Fault>;

    /// Runs `work` on one consistent, committed state.
    ///
    /// # Errors
    /// [`Fault`] if the state can't be read.
    fn read(&self, work: &mut dyn FnMut(&mut dyn Read)) -> Result<(), Fault>;

    /// Writes a consistent copy of the whole store to a new file while it is in use.
    ///
    /// # Errors
    /// [`Fault`] if the copy can't be written.
    fn copy_to(&self, path: &Path) -> Result<(), Fault>;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredContainer {
    pub container: Container,
    /// The container's key, sealed under the root key.
    pub sealed_key: Sealed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredObject {
    pub object: Object,
    /// The object's own key, sealed under the container's key. Its destruction is the object's destruction.
    pub sealed_key: Sealed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredVersion {
    pub version: Version,
    /// Position in the object's history, from 1.
    pub sequence: u64,
    /// The material, sealed under the object's key.
    pub material: Sealed,
}

/// Who signs certificates for a vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredIssuer {
    pub issuer: Issuer,
    /// Of an issuer of ours: what it signs with.
    pub authority: Option<PrivateAuthority>,
    /// What the issuer is asked with, sealed under the container's key.
    pub password: Option<Sealed>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEventSubscription {
    pub subscription: EventSubscription,
    /// The receiver's whole URL, sealed under the container's key.
    pub endpoint: Sealed,
}

/// One event subscription, by its place.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Receiver {
    pub container: ContainerId,
    pub name: EventSubscriptionName,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDelivery {
    /// Rises with each that is inserted, and is never given twice.
    pub position: u64,
    pub delivery: Delivery,
}

/// A signed head of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCheckpoint {
    /// How many records it covers: all up to the position of this number.
    pub size: u64,
    pub time: UnixTime,
    pub note: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    Live,
    Deleted,
}

/// Which containers to list. `None` leaves a criterion open.
#[derive(Clone, Debug, Default)]
pub struct ContainerFilter {
    pub kind: Option<ContainerKind>,
    pub presence: Option<Presence>,
    pub subscription: Option<Guid>,
    /// Compared without case.
    pub resource_group: Option<String>,
}

/// Which containers' lives to list: those in a subscription that had not ended before a moment. `None` leaves a
/// criterion open.
#[derive(Clone, Debug)]
pub struct LifetimeFilter {
    pub subscription: Guid,
    /// Compared without case.
    pub resource_group: Option<String>,
    pub kind: Option<ContainerKind>,
    pub name: Option<ContainerName>,
    pub alive_since: UnixTime,
}

/// An object whose time has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueObject {
    pub container: ContainerId,
    pub kind: ObjectKind,
    pub name: ObjectName,
}

type Outcome<T> = Result<T, Fault>;

/// What can be asked. Names are looked up without case. Lists come in the order of folded names
/// ([`ObjectName::folded`]) and begin after the given one.
pub trait Read {
    /// Kind and name identify at most one container, live or deleted.
    fn container(&mut self, kind: ContainerKind, name: &ContainerName) -> Outcome<Option<StoredContainer>>;
    fn container_by_id(&mut self, id: ContainerId) -> Outcome<Option<StoredContainer>>;
    /// Without [`ContainerFilter::kind`] a vault and a managed HSM may share a name; who pages must page by kind, as a
    /// page that ends between the two would skip the second.
    fn list_containers(
        &mut self,
        filter: &ContainerFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Outcome<Vec<StoredContainer>>;
    /// Deleted containers whose scheduled purge is at or before `now`, the longest due first.
    fn due_containers(&mut self, now: UnixTime, limit: usize) -> Outcome<Vec<ContainerId>>;

    fn object(&mut self, container: ContainerId, kind: ObjectKind, name: &ObjectName) -> Outcome<Option<StoredObject>>;
    /// Objects with their current version.
    fn list_objects(
        &mut self,
        container: ContainerId,
        kind: ObjectKind,
        presence: Presence,
        after: Option<&str>,
        limit: usize,
    ) -> Outcome<Vec<(Object, Version)>>;
    fn version(
        &mut self,
        container: ContainerId,
        kind: ObjectKind,
        name: &ObjectName,
        id: VersionId,
    ) -> Outcome<Option<StoredVersion>>;
    /// Versions in the order of their making, after the given [`StoredVersion::sequence`].
    fn list_versions(
        &mut self,
        container: ContainerId,
        kind: ObjectKind,
        name: &ObjectName,
        after: u64,
        limit: usize,
    ) -> Outcome<Vec<StoredVersion>>;
    fn count_versions(&mut self, container: ContainerId, kind: ObjectKind, name: &ObjectName) -> Outcome<usize>;
    /// Deleted objects in live containers whose scheduled purge is at or before `now`, the longest due first. Those that
    /// a certificate manages are not among them: they go with it.
    fn due_objects(&mut self, now: UnixTime, limit: usize) -> Outcome<Vec<DueObject>>;
    /// Live objects in live containers whose `next_action` is at or before `now`, the longest due first.
    fn due_actions(&mut self, now: UnixTime, limit: usize) -> Outcome<Vec<DueObject>>;
    /// Live objects in live containers whose `next_notice` is at or before `now`, the longest due first.
    fn due_notices(&mut self, now: UnixTime, limit: usize) -> Outcome<Vec<DueObject>>;

    /// Looked up without case.
    fn issuer(&mut self, container: ContainerId, name: &IssuerName) -> Outcome<Option<StoredIssuer>>;
    fn list_issuers(&mut self, container: ContainerId, after: Option<&str>, limit: usize) -> Outcome<Vec<Issuer>>;
    fn contacts(&mut self, container: ContainerId) -> Outcome<Option<Contacts>>;

    fn role_assignments(&mut self, realm: Realm) -> Outcome<Vec<RoleAssignment>>;
    /// Custom ones: built-in ones are not stored.
    fn role_definitions(&mut self, realm: Realm) -> Outcome<Vec<RoleDefinition>>;

    /// Locks at exactly this scope. Scopes and names of locks are looked up without case, Unicode's too, and lists of
    /// locks come in the order of their folded scopes, then of their folded names.
    fn locks_at(&mut self, scope: &Scope) -> Outcome<Vec<Lock>>;
    /// Locks below a scope, whatever lies between, and none at it.
    fn locks_below(&mut self, scope: &Scope) -> Outcome<Vec<Lock>>;

    fn event_subscription(&mut self, receiver: &Receiver) -> Outcome<Option<StoredEventSubscription>>;
    /// In the order of folded names.
    fn event_subscriptions(&mut self, container: ContainerId) -> Outcome<Vec<StoredEventSubscription>>;
    /// What of them each change of a container asks for, in the same order.
    fn listeners(&mut self, container: ContainerId) -> Outcome<Vec<Listener>>;
    /// Those with a delivery that is due at or before `now`.
    fn due_receivers(&mut self, now: UnixTime) -> Outcome<Vec<Receiver>>;
    /// Deliveries of an event subscription that are due at or before `now`, the longest due first.
    fn due_deliveries(&mut self, receiver: &Receiver, now: UnixTime, limit: usize) -> Outcome<Vec<StoredDelivery>>;
    fn delivery(&mut self, position: u64) -> Outcome<Option<Delivery>>;
    /// How many deliveries wait for an event subscription, due or not.
    fn count_deliveries(&mut self, receiver: &Receiver) -> Outcome<usize>;

    fn subscriptions(&mut self) -> Outcome<Vec<Subscription>>;
    /// Looked up without case.
    fn resource_group(&mut self, subscription: Guid, name: &str) -> Outcome<Option<ResourceGroup>>;
    fn resource_groups(&mut self, subscription: Guid) -> Outcome<Vec<ResourceGroup>>;
    fn principal_by_app(&mut self, app_id: Guid) -> Outcome<Option<Principal>>;
    fn principal_by_object(&mut self, object_id: Guid) -> Outcome<Option<Principal>>;
    /// Looked up without case.
    fn principal_by_user_name(&mut self, name: &str) -> Outcome<Option<Principal>>;
    fn principals(&mut self) -> Outcome<Vec<Principal>>;
    /// Every group with every principal in it.
    fn memberships(&mut self) -> Outcome<Vec<(Guid, Guid)>>;
    /// The groups that a principal was put into: not the groups that those are in.
    fn groups_of(&mut self, member: Guid) -> Outcome<Vec<Guid>>;
    /// What was put into a group: not what is in groups in it.
    fn members_of(&mut self, group: Guid) -> Outcome<Vec<Guid>>;

    fn operation_result(&mut self, id: Guid) -> Outcome<Option<OperationResult>>;
    /// Containers that are or were, in the order of their ids, from the given one on.
    fn lifetimes(&mut self, filter: &LifetimeFilter, from: Option<ContainerId>, limit: usize)
    -> Outcome<Vec<Lifetime>>;
    /// What was counted of a container in a month, in the order of [`domain::Operation`].
    fn operation_counts(&mut self, container: ContainerId, month: Month) -> Outcome<Vec<OperationCount>>;
    /// How many key versions of a container have a latest use in some month within the given time.
    fn key_versions_used(&mut self, container: ContainerId, within: &Range<UnixTime>) -> Outcome<u64>;

    /// A record of the service itself under a fixed name: sealed keys, the root key's check, the dev clock.
    fn system_record(&mut self, name: &str) -> Outcome<Option<Vec<u8>>>;
    /// Hands the leaves of the audit log after the given position to `visit`, each with its position, until it breaks off. A
    /// fault may come after some of them.
    fn visit_audit(&mut self, after: u64, visit: &mut dyn FnMut(u64, &str) -> ControlFlow<()>) -> Outcome<()>;
    /// Leaves of the audit log with their positions, after the given position.
    fn audit(&mut self, after: u64, limit: usize) -> Outcome<Vec<(u64, String)>> {
        let mut leaves = Vec::new();
        if limit > 0 {
            self.visit_audit(after, &mut |position, leaf| {
                leaves.push((position, leaf.to_owned()));
                if leaves.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?;
        }
        Ok(leaves)
    }
    /// The first and the last position in the audit log.
    fn audit_bounds(&mut self) -> Outcome<Option<(u64, u64)>>;
    /// The bytes of one tile of the audit log's tree.
    fn audit_tile(&mut self, level: u8, number: u64) -> Outcome<Option<Vec<u8>>>;
    /// The checkpoint of the largest size.
    fn last_audit_checkpoint(&mut self) -> Outcome<Option<StoredCheckpoint>>;
    /// Checkpoints in the order of their sizes, after the given size.
    fn audit_checkpoints(&mut self, after: u64, limit: usize) -> Outcome<Vec<StoredCheckpoint>>;
}

/// What can be changed. `insert_` demands that the row is new, `save_` and `remove_` that it is there
/// ([`Fault::UnexpectedRow`]); `put_` does either.
pub trait Tx: Read {
    /// Its [`Lifetime`] begins. Its id has to be new for ever.
    fn insert_container(&mut self, container: &Container, sealed_key: &Sealed) -> Outcome<()>;
    fn save_container(&mut self, container: &Container) -> Outcome<()>;
    /// Destroys the container with everything in it: its issuers, contacts, local role definitions and assignments, its event
    /// subscriptions and their deliveries. Its [`Lifetime`] stays, and ends at [`Purged::at`]. Nothing in it is found any more,
    /// and nothing could open it, as its key is destroyed; but of very many objects some are left behind for
    /// [`Tx::remove_remains`], so that other writers need not wait for them all.
    fn remove_container(&mut self, id: ContainerId, proof: Purged) -> Outcome<()>;
    /// Destroys some more of what purged containers have left behind. Returns whether there was any.
    fn remove_remains(&mut self) -> Outcome<bool>;

    /// A new object with its first version.
    fn insert_object(
        &mut self,
        container: ContainerId,
        object: &StoredObject,
        version: &Version,
        material: &Sealed,
    ) -> Outcome<()>;
    fn save_object(&mut self, container: ContainerId, object: &Object) -> Outcome<()>;
    /// Destroys the object with all its versions.
    fn remove_object(
        &mut self,
        container: ContainerId,
        kind: ObjectKind,
        name: &ObjectName,
        proof: &Purged,
    ) -> Outcome<()>;
    /// The next version of an object. [`Object::current`] is saved separately.
    fn insert_version(
        &mut self,
        container: ContainerId,
        kind: ObjectKind,
        name: &ObjectName,
        version: &Version,
        material: &Sealed,
    ) -> Outcome<()>;
    /// Attributes, tags and body of a version; its material never changes.
    fn save_version(
        &mut self,
        container: ContainerId,
        kind: ObjectKind,
        name: &ObjectName,
        version: &Version,
    ) -> Outcome<()>;

    /// Takes the place of the issuer that has the name. The bytes of a password that it replaces are gone, as after a
    /// removal with a [`Purged`]; those of one that is removed too.
    fn put_issuer(&mut self, container: ContainerId, issuer: &StoredIssuer) -> Outcome<()>;
    fn remove_issuer(&mut self, container: ContainerId, name: &IssuerName) -> Outcome<()>;
    fn put_contacts(&mut self, container: ContainerId, contacts: &Contacts) -> Outcome<()>;
    fn remove_contacts(&mut self, container: ContainerId) -> Outcome<()>;

    fn put_role_assignment(&mut self, assignment: &RoleAssignment) -> Outcome<()>;
    fn remove_role_assignment(&mut self, realm: Realm, name: Guid) -> Outcome<()>;
    fn put_role_definition(&mut self, realm: Realm, definition: &RoleDefinition) -> Outcome<()>;
    fn remove_role_definition(&mut self, realm: Realm, id: Guid) -> Outcome<()>;

    fn put_lock(&mut self, lock: &Lock) -> Outcome<()>;
    fn remove_lock(&mut self, scope: &Scope, name: &LockName) -> Outcome<()>;

    /// The container has to be there.
    fn put_event_subscription(
        &mut self,
        container: ContainerId,
        subscription: &EventSubscription,
        endpoint: &Sealed,
    ) -> Outcome<()>;
    /// With the deliveries that wait for it.
    fn remove_event_subscription(&mut self, receiver: &Receiver) -> Outcome<()>;
    /// Returns its position.
    fn insert_delivery(&mut self, receiver: &Receiver, delivery: &Delivery) -> Outcome<u64>;
    fn save_delivery(&mut self, position: u64, delivery: &Delivery) -> Outcome<()>;
    fn remove_delivery(&mut self, position: u64) -> Outcome<()>;
    /// Removes those of an event subscription that were inserted first. Returns how many there were.
    fn drop_oldest_deliveries(&mut self, receiver: &Receiver, limit: usize) -> Outcome<usize>;

    fn put_subscription(&mut self, subscription: &Subscription) -> Outcome<()>;
    fn put_resource_group(&mut self, group: &ResourceGroup) -> Outcome<()>;
    fn remove_resource_group(&mut self, subscription: Guid, name: &str) -> Outcome<()>;
    /// No two principals have the same application id, no two users the same name.
    fn put_principal(&mut self, principal: &Principal) -> Outcome<()>;
    /// Takes it out of every group, and every principal out of it.
    fn remove_principal(&mut self, object_id: Guid) -> Outcome<()>;
    /// Both have to be there.
    fn insert_membership(&mut self, group: Guid, member: Guid) -> Outcome<()>;
    fn remove_membership(&mut self, group: Guid, member: Guid) -> Outcome<()>;

    /// Adds to what was counted of a container in a month.
    fn add_operations(&mut self, container: ContainerId, month: Month, counted: &OperationCount) -> Outcome<()>;
    /// Keeps the use if it is the version's latest in its month.
    fn note_key_use(&mut self, used: &KeyVersionUse) -> Outcome<()>;

    fn put_operation_result(&mut self, result: &OperationResult) -> Outcome<()>;
    /// Removes some of those made up to a time, the oldest first. Returns how many.
    fn remove_operation_results(&mut self, until: UnixTime, limit: usize) -> Outcome<usize>;
    fn put_system_record(&mut self, name: &str, value: &[u8]) -> Outcome<()>;
    /// Keeps the text of an audit record, a leaf of the log, byte for byte. Returns its position, from 1 without gaps.
    fn append_audit(&mut self, leaf: &str) -> Outcome<u64>;
    /// The same for many, in their order.
    fn append_audit_all(&mut self, leaves: &[&str]) -> Outcome<()>;
    /// Takes records from the log's beginning, up to and with a position, but never the last of all: positions go on
    /// from it. Returns how many it took.
    fn drop_audit(&mut self, through: u64, limit: usize) -> Outcome<usize>;
    fn put_audit_tile(&mut self, level: u8, number: u64, hashes: &[u8]) -> Outcome<()>;
    fn insert_audit_checkpoint(&mut self, checkpoint: &StoredCheckpoint) -> Outcome<()>;
    fn remove_audit_checkpoint(&mut self, size: u64) -> Outcome<()>;
}

impl dyn Store + '_ {
    /// [`Store::write`] with a value: commits on `Ok`, aborts on `Err`.
    ///
    /// # Errors
    /// What `work` returned, or the engine's [`Fault`].
    pub fn transact<T, E: From<Fault>>(
        &self,
        name: &'static str,
        mut work: impl FnMut(&mut dyn Tx) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut result = None;
        self.write(name, &mut |tx| {
            let value = work(tx);
            let verdict = if value.is_ok() { Verdict::Commit } else { Verdict::Abort };
            result = Some(value);
            verdict
        })?;
        result.unwrap_or(Err(Fault::UnexpectedRow { what: "the transaction was not run" }.into()))
    }

    /// [`Store::read`] with a value.
    ///
    /// # Errors
    /// What `work` returned, or the engine's [`Fault`].
    pub fn query<T, E: From<Fault>>(&self, mut work: impl FnMut(&mut dyn Read) -> Result<T, E>) -> Result<T, E> {
        let mut result = None;
        self.read(&mut |tx| result = Some(work(tx)))?;
        result.unwrap_or(Err(Fault::UnexpectedRow { what: "the query was not run" }.into()))
    }
}
