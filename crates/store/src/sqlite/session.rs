//! What can be asked of the database, by a reader and inside a transaction.

use super::row::{
    Outcome, after_position, decode, deleted_column, fold_text, guid_key, guid_of, limit_of, many, one, position_of,
};
use super::{audit, slots, sql};
use crate::{
    ContainerFilter, DueObject, Fault, LifetimeFilter, Presence, Read, Receiver, StoredCheckpoint, StoredContainer,
    StoredDelivery, StoredEventSubscription, StoredIssuer, StoredObject, StoredVersion,
};
use domain::{
    Contacts, ContainerId, ContainerKind, ContainerName, Guid, Issuer, IssuerName, Object, ObjectKind, ObjectName,
    OperationResult, Principal, ResourceGroup, Sealed, Subscription, UnixTime, Version, VersionId,
    access::{Realm, RoleAssignment, RoleDefinition, Scope},
    lock::{self, Lock},
    metering::{Lifetime, Month, OperationCount},
    notice::{Delivery, Listener},
};
use rusqlite::{Connection, Row};
use std::ops::{ControlFlow, Range};

/// One transaction's hold on a connection.
pub(super) struct Session<'c> {
    pub(super) connection: &'c Connection,
    /// Something was destroyed for good.
    pub(super) purged: bool,
    /// A change did not succeed: what is there is perhaps half of what was meant.
    pub(super) failed: bool,
}

impl<'c> Session<'c> {
    pub(super) fn new(connection: &'c Connection) -> Self {
        Self { connection, purged: false, failed: false }
    }

    pub(super) fn purged(&self) -> bool {
        self.purged
    }

    pub(super) fn failed(&self) -> bool {
        self.failed
    }

    /// The row number of an object.
    pub(super) fn object_number(
        &self,
        container: ContainerId,
        kind: ObjectKind,
        name: &ObjectName,
    ) -> Outcome<Option<i64>> {
        let key = (guid_key(container.0), kind.as_str(), name.folded());
        one(self.connection, sql::OBJECT_NUMBER, key, |row| Ok(row.get(0)?))
    }

    /// A page of one kind in one presence: the lists that indexes are made for.
    fn containers_of(
        &self,
        kind: ContainerKind,
        presence: Presence,
        filter: &ContainerFilter,
        after: &str,
        limit: usize,
    ) -> Outcome<Vec<StoredContainer>> {
        let (kind, deleted, limit) = (kind.as_str(), deleted_column(presence), limit_of(limit));
        let subscription = filter.subscription.map(guid_key);
        let group = filter.resource_group.as_deref().map(fold_text);
        match (subscription, group) {
            (None, None) => many(self.connection, sql::CONTAINERS, (kind, deleted, after, limit), stored_container),
            (Some(subscription), None) => {
                let key = (kind, deleted, subscription, after, limit);
                many(self.connection, sql::CONTAINERS_OF_SUBSCRIPTION, key, stored_container)
            }
            (Some(subscription), Some(group)) => {
                let key = (kind, deleted, subscription, group, after, limit);
                many(self.connection, sql::CONTAINERS_OF_GROUP, key, stored_container)
            }
            (None, Some(group)) => {
                let key = (kind, deleted, group, after, limit);
                many(self.connection, sql::CONTAINERS_OF_ANY_GROUP, key, stored_container)
            }
        }
    }

    fn due(&self, sql: &str, now: UnixTime, limit: usize) -> Outcome<Vec<DueObject>> {
        many(self.connection, sql, (now.0, limit_of(limit)), |row| {
            let object: Object = decode(row, 1, "object")?;
            Ok(DueObject { container: ContainerId(guid_of(row, 0)?), kind: object.kind, name: object.name })
        })
    }
}

fn stored_container(row: &Row<'_>) -> Outcome<StoredContainer> {
    Ok(StoredContainer { container: decode(row, 0, "container")?, sealed_key: sealed(row, 1)? })
}

fn stored_version(row: &Row<'_>) -> Outcome<StoredVersion> {
    Ok(StoredVersion { version: decode(row, 0, "version")?, sequence: position_of(row, 1)?, material: sealed(row, 2)? })
}

/// The content of a slot that was joined to its row.
pub(super) fn sealed(row: &Row<'_>, column: usize) -> Outcome<Sealed> {
    let Ok(slot) = row.get_ref(column)?.as_blob() else { return Err(Fault::CorruptRecord { what: "slot" }) };
    Ok(Sealed(slots::content(slot)?))
}

impl Read for Session<'_> {
    fn container(&mut self, kind: ContainerKind, name: &ContainerName) -> Outcome<Option<StoredContainer>> {
        one(self.connection, sql::CONTAINER, (kind.as_str(), name.folded()), stored_container)
    }

    fn container_by_id(&mut self, id: ContainerId) -> Outcome<Option<StoredContainer>> {
        one(self.connection, sql::CONTAINER_BY_ID, [guid_key(id.0)], stored_container)
    }

    fn list_containers(
        &mut self,
        filter: &ContainerFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Outcome<Vec<StoredContainer>> {
        let after = after.unwrap_or_default();
        let mut list = Vec::new();
        for kind in ContainerKind::ALL.into_iter().filter(|kind| filter.kind.is_none_or(|wanted| wanted == *kind)) {
            for presence in [Presence::Live, Presence::Deleted] {
                if filter.presence.is_none_or(|wanted| wanted == presence) {
                    list.extend(self.containers_of(kind, presence, filter, after, limit)?);
                }
            }
        }
        list.sort_by(|one, other| {
            one.container
                .name
                .cmp(&other.container.name)
                .then_with(|| one.container.kind().cmp(&other.container.kind()))
        });
        list.truncate(limit);
        Ok(list)
    }

    fn due_containers(&mut self, now: UnixTime, limit: usize) -> Outcome<Vec<ContainerId>> {
        many(self.connection, sql::DUE_CONTAINERS, (now.0, limit_of(limit)), |row| Ok(ContainerId(guid_of(row, 0)?)))
    }

    fn object(&mut self, container: ContainerId, kind: ObjectKind, name: &ObjectName) -> Outcome<Option<StoredObject>> {
        let key = (guid_key(container.0), kind.as_str(), name.folded());
        one(self.connection, sql::OBJECT, key, |row| {
            Ok(StoredObject { object: decode(row, 0, "object")?, sealed_key: sealed(row, 1)? })
        })
    }

    fn list_objects(
        &mut self,
        container: ContainerId,
        kind: ObjectKind,
        presence: Presence,
        after: Option<&str>,
        limit: usize,
    ) -> Outcome<Vec<(Object, Version)>> {
        let after = after.unwrap_or_default();
        let key = (guid_key(container.0), kind.as_str(), deleted_column(presence), after, limit_of(limit));
        many(self.connection, sql::OBJECTS, key, |row| {
            Ok((decode(row, 0, "object")?, decode(row, 1, "an object's current version")?))
        })
    }

    fn version(
        &mut self,
        container: ContainerId,
        kind: ObjectKind,
        name: &ObjectName,
        id: VersionId,
    ) -> Outcome<Option<StoredVersion>> {
        let key = (guid_key(container.0), kind.as_str(), name.folded(), id.as_bytes());
        one(self.connection, sql::VERSION, key, stored_version)
    }

    fn list_versions(
        &mut self,
        container: ContainerId,
        kind: ObjectKind,
        name: &ObjectName,
        after: u64,
        limit: usize,
    ) -> Outcome<Vec<StoredVersion>> {
        let Some(object) = self.object_number(container, kind, name)? else { return Ok(Vec::new()) };
        many(self.connection, sql::VERSIONS, (object, after_position(after), limit_of(limit)), stored_version)
    }

    fn count_versions(&mut self, container: ContainerId, kind: ObjectKind, name: &ObjectName) -> Outcome<usize> {
        let Some(object) = self.object_number(container, kind, name)? else { return Ok(0) };
        let count = one(self.connection, sql::VERSION_COUNT, [object], |row| position_of(row, 0))?.unwrap_or_default();
        usize::try_from(count).map_err(|_| Fault::CorruptRecord { what: "count" })
    }

    fn due_objects(&mut self, now: UnixTime, limit: usize) -> Outcome<Vec<DueObject>> {
        self.due(sql::DUE_OBJECTS, now, limit)
    }

    fn due_actions(&mut self, now: UnixTime, limit: usize) -> Outcome<Vec<DueObject>> {
        self.due(sql::DUE_ACTIONS, now, limit)
    }

    fn issuer(&mut self, container: ContainerId, name: &IssuerName) -> Outcome<Option<StoredIssuer>> {
        self.issuer_of(container, name)
    }

    fn list_issuers(&mut self, container: ContainerId, after: Option<&str>, limit: usize) -> Outcome<Vec<Issuer>> {
        self.issuers_of(container, after, limit)
    }

    fn contacts(&mut self, container: ContainerId) -> Outcome<Option<Contacts>> {
        self.contacts_of(container)
    }

    fn due_notices(&mut self, now: UnixTime, limit: usize) -> Outcome<Vec<DueObject>> {
        self.due(sql::DUE_NOTICES, now, limit)
    }

    fn role_assignments(&mut self, realm: Realm) -> Outcome<Vec<RoleAssignment>> {
        many(self.connection, sql::ROLE_ASSIGNMENTS, [realm_key(realm)], |row| decode(row, 0, "role assignment"))
    }

    fn role_definitions(&mut self, realm: Realm) -> Outcome<Vec<RoleDefinition>> {
        many(self.connection, sql::ROLE_DEFINITIONS, [realm_key(realm)], |row| decode(row, 0, "role definition"))
    }

    fn locks_at(&mut self, scope: &Scope) -> Outcome<Vec<Lock>> {
        many(self.connection, sql::LOCKS_AT, [lock::folded(scope.as_str())], |row| decode(row, 0, "lock"))
    }

    fn locks_below(&mut self, scope: &Scope) -> Outcome<Vec<Lock>> {
        // What begins with the scope and a slash; '0' is the character after the slash. The root ends in one already.
        let scope = lock::folded(scope.as_str().trim_end_matches('/'));
        let range = (format!("{scope}/"), format!("{scope}0"));
        many(self.connection, sql::LOCKS_BELOW, range, |row| decode(row, 0, "lock"))
    }

    fn event_subscription(&mut self, receiver: &Receiver) -> Outcome<Option<StoredEventSubscription>> {
        self.event_subscription_of(receiver)
    }

    fn event_subscriptions(&mut self, container: ContainerId) -> Outcome<Vec<StoredEventSubscription>> {
        self.event_subscriptions_of(container)
    }

    fn listeners(&mut self, container: ContainerId) -> Outcome<Vec<Listener>> {
        self.listeners_of(container)
    }

    fn due_receivers(&mut self, now: UnixTime) -> Outcome<Vec<Receiver>> {
        self.receivers_due(now)
    }

    fn due_deliveries(&mut self, receiver: &Receiver, now: UnixTime, limit: usize) -> Outcome<Vec<StoredDelivery>> {
        self.deliveries_due(receiver, now, limit)
    }

    fn delivery(&mut self, position: u64) -> Outcome<Option<Delivery>> {
        self.delivery_at(position)
    }

    fn count_deliveries(&mut self, receiver: &Receiver) -> Outcome<usize> {
        self.deliveries_waiting(receiver)
    }

    fn subscriptions(&mut self) -> Outcome<Vec<Subscription>> {
        many(self.connection, sql::SUBSCRIPTIONS, [], |row| decode(row, 0, "subscription"))
    }

    fn resource_group(&mut self, subscription: Guid, name: &str) -> Outcome<Option<ResourceGroup>> {
        let key = (guid_key(subscription), fold_text(name));
        one(self.connection, sql::RESOURCE_GROUP, key, |row| decode(row, 0, "resource group"))
    }

    fn resource_groups(&mut self, subscription: Guid) -> Outcome<Vec<ResourceGroup>> {
        many(self.connection, sql::RESOURCE_GROUPS, [guid_key(subscription)], |row| decode(row, 0, "resource group"))
    }

    fn principal_by_app(&mut self, app_id: Guid) -> Outcome<Option<Principal>> {
        one(self.connection, sql::PRINCIPAL_BY_APP, [guid_key(app_id)], |row| decode(row, 0, "principal"))
    }

    fn principal_by_object(&mut self, object_id: Guid) -> Outcome<Option<Principal>> {
        one(self.connection, sql::PRINCIPAL_BY_OBJECT, [guid_key(object_id)], |row| decode(row, 0, "principal"))
    }

    fn principal_by_user_name(&mut self, name: &str) -> Outcome<Option<Principal>> {
        one(self.connection, sql::PRINCIPAL_BY_USER_NAME, [fold_text(name)], |row| decode(row, 0, "principal"))
    }

    fn principals(&mut self) -> Outcome<Vec<Principal>> {
        many(self.connection, sql::PRINCIPALS, [], |row| decode(row, 0, "principal"))
    }

    fn memberships(&mut self) -> Outcome<Vec<(Guid, Guid)>> {
        many(self.connection, sql::MEMBERSHIPS, [], |row| Ok((guid_of(row, 0)?, guid_of(row, 1)?)))
    }

    fn groups_of(&mut self, member: Guid) -> Outcome<Vec<Guid>> {
        many(self.connection, sql::GROUPS_OF, [guid_key(member)], |row| guid_of(row, 0))
    }

    fn members_of(&mut self, group: Guid) -> Outcome<Vec<Guid>> {
        many(self.connection, sql::MEMBERS_OF, [guid_key(group)], |row| guid_of(row, 0))
    }

    fn operation_result(&mut self, id: Guid) -> Outcome<Option<OperationResult>> {
        one(self.connection, sql::OPERATION_RESULT, [guid_key(id)], |row| decode(row, 0, "operation result"))
    }

    fn lifetimes(
        &mut self,
        filter: &LifetimeFilter,
        from: Option<ContainerId>,
        limit: usize,
    ) -> Outcome<Vec<Lifetime>> {
        self.lifetimes_of(filter, from, limit)
    }

    fn operation_counts(&mut self, container: ContainerId, month: Month) -> Outcome<Vec<OperationCount>> {
        self.counts_of(container, month)
    }

    fn key_versions_used(&mut self, container: ContainerId, within: &Range<UnixTime>) -> Outcome<u64> {
        self.versions_used(container, within)
    }

    fn system_record(&mut self, name: &str) -> Outcome<Option<Vec<u8>>> {
        one(self.connection, sql::SYSTEM_RECORD, [name], |row| sealed(row, 0).map(|value| value.0))
    }

    fn visit_audit(&mut self, after: u64, visit: &mut dyn FnMut(u64, &str) -> ControlFlow<()>) -> Outcome<()> {
        audit::visit(self.connection, after, visit)
    }

    fn audit_bounds(&mut self) -> Outcome<Option<(u64, u64)>> {
        audit::bounds(self.connection)
    }

    fn audit_tile(&mut self, level: u8, number: u64) -> Outcome<Option<Vec<u8>>> {
        audit::tile(self.connection, level, number)
    }

    fn last_audit_checkpoint(&mut self) -> Outcome<Option<StoredCheckpoint>> {
        audit::last_checkpoint(self.connection)
    }

    fn audit_checkpoints(&mut self, after: u64, limit: usize) -> Outcome<Vec<StoredCheckpoint>> {
        audit::checkpoints(self.connection, after, limit)
    }
}

/// Empty for Azure RBAC, else the managed HSM, by 16 bytes; a word for the directory.
pub(super) fn realm_key(realm: Realm) -> Vec<u8> {
    match realm {
        Realm::Arm => Vec::new(),
        Realm::Hsm(container) => guid_key(container.0).to_vec(),
        Realm::Directory => b"directory".to_vec(),
    }
}
