//! What can be changed inside a transaction.

use super::row::{Outcome, after_position, encode, fold_text, guid_key, is_deleted, limit_of, one, purge_at, seconds};
use super::session::{Session, realm_key};
use super::{audit, slots, sql};
use crate::{Fault, Receiver, StoredCheckpoint, StoredIssuer, StoredObject, Tx};
use domain::{
    Contacts, Container, ContainerId, Guid, IssuerName, Object, ObjectKind, ObjectName, OperationResult, Principal,
    ResourceGroup, Sealed, Subscription, UnixTime, Version,
    access::{Realm, RoleAssignment, RoleDefinition, Scope},
    lifecycle::Purged,
    lock::{self, Lock, LockName},
    metering::{KeyVersionUse, Month, OperationCount},
    notice::{Delivery, EventSubscription},
};
use rusqlite::{ErrorCode, Params};

const INSERT_CONTAINER: &str = "INSERT INTO containers
     (id, kind, name, subscription, resource_group, deleted, purge_at, sealed_key, record)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
const SAVE_CONTAINER: &str = "UPDATE containers SET
     kind = ?2, name = ?3, subscription = ?4, resource_group = ?5, deleted = ?6, purge_at = ?7, record = ?8
     WHERE id = ?1";
const INSERT_OBJECT: &str = "INSERT INTO objects
     (container, kind, name, deleted, purge_at, next_action, next_notice, current, sealed_key, record)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
const SAVE_OBJECT: &str = "UPDATE objects SET
     deleted = ?4, purge_at = ?5, next_action = ?6, next_notice = ?7, current = ?8, record = ?9
     WHERE container = ?1 AND kind = ?2 AND name = ?3";
const INSERT_VERSION: &str =
    "INSERT INTO versions (object, sequence, id, material, record) VALUES (?1, ?2, ?3, ?4, ?5)";
const SAVE_VERSION: &str = "UPDATE versions SET record = ?3 WHERE object = ?1 AND id = ?2";
const PUT_ROLE_ASSIGNMENT: &str = "INSERT INTO role_assignments (realm, name, record) VALUES (?1, ?2, ?3)
     ON CONFLICT (realm, name) DO UPDATE SET record = excluded.record";
const REMOVE_ROLE_ASSIGNMENT: &str = "DELETE FROM role_assignments WHERE realm = ?1 AND name = ?2";
const PUT_LOCK: &str = "INSERT INTO locks (scope, name, record) VALUES (?1, ?2, ?3)
     ON CONFLICT (scope, name) DO UPDATE SET record = excluded.record";
const REMOVE_LOCK: &str = "DELETE FROM locks WHERE scope = ?1 AND name = ?2";
const PUT_ROLE_DEFINITION: &str = "INSERT INTO role_definitions (realm, id, record) VALUES (?1, ?2, ?3)
     ON CONFLICT (realm, id) DO UPDATE SET record = excluded.record";
const REMOVE_ROLE_DEFINITION: &str = "DELETE FROM role_definitions WHERE realm = ?1 AND id = ?2";
const PUT_SUBSCRIPTION: &str = "INSERT INTO subscriptions (id, record) VALUES (?1, ?2)
     ON CONFLICT (id) DO UPDATE SET record = excluded.record";
const PUT_RESOURCE_GROUP: &str = "INSERT INTO resource_groups (subscription, name, record) VALUES (?1, ?2, ?3)
     ON CONFLICT (subscription, name) DO UPDATE SET record = excluded.record";
const REMOVE_RESOURCE_GROUP: &str = "DELETE FROM resource_groups WHERE subscription = ?1 AND name = ?2";
const PUT_PRINCIPAL: &str = "INSERT INTO principals (object_id, app_id, user_name, record) VALUES (?1, ?2, ?3, ?4)
     ON CONFLICT (object_id) DO UPDATE SET app_id = excluded.app_id, user_name = excluded.user_name,
     record = excluded.record";
const REMOVE_MEMBERSHIPS: [&str; 2] =
    ["DELETE FROM memberships WHERE team = ?1", "DELETE FROM memberships WHERE member = ?1"];
const REMOVE_PRINCIPAL: &str = "DELETE FROM principals WHERE object_id = ?1";
const INSERT_MEMBERSHIP: &str = "INSERT INTO memberships (team, member) VALUES (?1, ?2)";
const REMOVE_MEMBERSHIP: &str = "DELETE FROM memberships WHERE team = ?1 AND member = ?2";
const PUT_OPERATION_RESULT: &str = "INSERT INTO operation_results (id, created, record) VALUES (?1, ?2, ?3)
     ON CONFLICT (id) DO UPDATE SET created = excluded.created, record = excluded.record";
const REMOVE_OPERATION_RESULTS: &str = "DELETE FROM operation_results WHERE id IN
     (SELECT id FROM operation_results WHERE created <= ?1 ORDER BY created LIMIT ?2)";
const PUT_SYSTEM_RECORD: &str = "INSERT INTO system_records (name, value) VALUES (?1, ?2)
     ON CONFLICT (name) DO UPDATE SET value = excluded.value";

/// Named for the test of their plans.
#[cfg(test)]
pub(super) const REMOVALS: [&str; 4] =
    [REMOVE_MEMBERSHIPS[0], REMOVE_MEMBERSHIPS[1], REMOVE_PRINCIPAL, REMOVE_OPERATION_RESULTS];

impl Session<'_> {
    /// Runs one change and remembers if it failed, for a change may have done its first half.
    fn attempt<T>(&mut self, change: impl FnOnce(&Self) -> Outcome<T>) -> Outcome<T> {
        let outcome = change(self);
        self.failed |= outcome.is_err();
        outcome
    }

    /// Executes a statement; a broken constraint means that the caller was mistaken about a row.
    pub(super) fn execute(&self, sql: &str, parameters: impl Params, what: &'static str) -> Outcome<usize> {
        match self.connection.prepare_cached(sql)?.execute(parameters) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                Err(Fault::UnexpectedRow { what })
            }
            result => Ok(result?),
        }
    }

    /// Executes a statement that must change exactly one row.
    pub(super) fn execute_one(&self, sql: &str, parameters: impl Params, what: &'static str) -> Outcome<()> {
        match self.execute(sql, parameters, what)? {
            1 => Ok(()),
            _ => Err(Fault::UnexpectedRow { what }),
        }
    }

    /// The row number of an object that has to be there.
    fn known_object(&self, container: ContainerId, kind: ObjectKind, name: &ObjectName) -> Outcome<i64> {
        self.object_number(container, kind, name)?.ok_or(Fault::UnexpectedRow { what: "object is not there" })
    }

    fn add_version(&self, object: i64, version: &Version, material: &Sealed) -> Outcome<()> {
        let last = one(self.connection, sql::LAST_SEQUENCE, [object], |row| Ok(row.get::<_, Option<i64>>(0)?))?;
        let sequence = last.flatten().unwrap_or(0) + 1;
        let slot = slots::store(self.connection, &material.0)?;
        let row = (object, sequence, version.id.as_bytes(), slot, encode(version)?);
        self.execute_one(INSERT_VERSION, row, "version is there")
    }
}

/// When the loops have to act on an object that is live, or tell of it; a deleted one waits.
fn while_live(object: &Object, time: Option<UnixTime>) -> Option<i64> {
    seconds(time).filter(|_| object.state.is_live())
}

/// Scheduled purge of an object that is not purged with another.
fn purges_at(object: &Object) -> Option<i64> {
    purge_at(object.state).filter(|_| !object.managed)
}

impl Tx for Session<'_> {
    fn insert_container(&mut self, container: &Container, sealed_key: &Sealed) -> Outcome<()> {
        self.attempt(|this| {
            let row = (
                guid_key(container.id.0),
                container.kind().as_str(),
                container.name.folded(),
                guid_key(container.resource.subscription),
                fold_text(&container.resource.resource_group),
                is_deleted(container.state),
                purge_at(container.state),
                slots::store(this.connection, &sealed_key.0)?,
                encode(container)?,
            );
            this.execute_one(INSERT_CONTAINER, row, "container is there")?;
            this.begin_lifetime(container)
        })
    }

    fn save_container(&mut self, container: &Container) -> Outcome<()> {
        self.attempt(|this| {
            let row = (
                guid_key(container.id.0),
                container.kind().as_str(),
                container.name.folded(),
                guid_key(container.resource.subscription),
                fold_text(&container.resource.resource_group),
                is_deleted(container.state),
                purge_at(container.state),
                encode(container)?,
            );
            this.execute_one(SAVE_CONTAINER, row, "container is not there")
        })
    }

    fn remove_container(&mut self, id: ContainerId, proof: Purged) -> Outcome<()> {
        self.purged = true;
        self.attempt(|this| this.destroy_container(id, &proof))
    }

    fn remove_remains(&mut self) -> Outcome<bool> {
        self.attempt(Self::destroy_remains)
    }

    fn insert_object(
        &mut self,
        container: ContainerId,
        object: &StoredObject,
        version: &Version,
        material: &Sealed,
    ) -> Outcome<()> {
        self.attempt(|this| {
            let StoredObject { object, sealed_key } = object;
            let row = (
                guid_key(container.0),
                object.kind.as_str(),
                object.name.folded(),
                is_deleted(object.state),
                purges_at(object),
                while_live(object, object.next_action),
                while_live(object, object.next_notice),
                object.current.as_bytes(),
                slots::store(this.connection, &sealed_key.0)?,
                encode(object)?,
            );
            this.execute_one(INSERT_OBJECT, row, "object is there, or its container is not")?;
            this.add_version(this.connection.last_insert_rowid(), version, material)
        })
    }

    fn save_object(&mut self, container: ContainerId, object: &Object) -> Outcome<()> {
        self.attempt(|this| {
            let row = (
                guid_key(container.0),
                object.kind.as_str(),
                object.name.folded(),
                is_deleted(object.state),
                purges_at(object),
                while_live(object, object.next_action),
                while_live(object, object.next_notice),
                object.current.as_bytes(),
                encode(object)?,
            );
            this.execute_one(SAVE_OBJECT, row, "object is not there")
        })
    }

    fn remove_object(
        &mut self,
        container: ContainerId,
        kind: ObjectKind,
        name: &ObjectName,
        _proof: &Purged,
    ) -> Outcome<()> {
        self.purged = true;
        self.attempt(|this| {
            let number = this.known_object(container, kind, name)?;
            this.destroy_object(number).map(drop)
        })
    }

    fn insert_version(
        &mut self,
        container: ContainerId,
        kind: ObjectKind,
        name: &ObjectName,
        version: &Version,
        material: &Sealed,
    ) -> Outcome<()> {
        self.attempt(|this| this.add_version(this.known_object(container, kind, name)?, version, material))
    }

    fn save_version(
        &mut self,
        container: ContainerId,
        kind: ObjectKind,
        name: &ObjectName,
        version: &Version,
    ) -> Outcome<()> {
        self.attempt(|this| {
            let row = (this.known_object(container, kind, name)?, version.id.as_bytes(), encode(version)?);
            this.execute_one(SAVE_VERSION, row, "version is not there")
        })
    }

    fn put_issuer(&mut self, container: ContainerId, issuer: &StoredIssuer) -> Outcome<()> {
        self.purged |= self.has_password(container, &issuer.issuer.name)?;
        self.attempt(|this| this.write_issuer(container, issuer))
    }

    fn remove_issuer(&mut self, container: ContainerId, name: &IssuerName) -> Outcome<()> {
        self.purged |= self.has_password(container, name)?;
        self.attempt(|this| this.drop_issuer(container, name))
    }

    fn put_contacts(&mut self, container: ContainerId, contacts: &Contacts) -> Outcome<()> {
        self.attempt(|this| this.write_contacts(container, contacts))
    }

    fn remove_contacts(&mut self, container: ContainerId) -> Outcome<()> {
        self.attempt(|this| this.drop_contacts(container))
    }

    fn put_role_assignment(&mut self, assignment: &RoleAssignment) -> Outcome<()> {
        self.attempt(|this| {
            let row = (realm_key(assignment.realm), guid_key(assignment.name), encode(assignment)?);
            this.execute_one(PUT_ROLE_ASSIGNMENT, row, "role assignment")
        })
    }

    fn remove_role_assignment(&mut self, realm: Realm, name: Guid) -> Outcome<()> {
        self.attempt(|this| {
            let key = (realm_key(realm), guid_key(name));
            this.execute_one(REMOVE_ROLE_ASSIGNMENT, key, "role assignment is not there")
        })
    }

    fn put_role_definition(&mut self, realm: Realm, definition: &RoleDefinition) -> Outcome<()> {
        self.attempt(|this| {
            let row = (realm_key(realm), guid_key(definition.id), encode(definition)?);
            this.execute_one(PUT_ROLE_DEFINITION, row, "role definition")
        })
    }

    fn remove_role_definition(&mut self, realm: Realm, id: Guid) -> Outcome<()> {
        self.attempt(|this| {
            let key = (realm_key(realm), guid_key(id));
            this.execute_one(REMOVE_ROLE_DEFINITION, key, "role definition is not there")
        })
    }

    fn put_lock(&mut self, lock: &Lock) -> Outcome<()> {
        self.attempt(|this| {
            let row = (lock::folded(lock.scope.as_str()), lock.name.folded(), encode(lock)?);
            this.execute_one(PUT_LOCK, row, "lock")
        })
    }

    fn remove_lock(&mut self, scope: &Scope, name: &LockName) -> Outcome<()> {
        self.attempt(|this| {
            let key = (lock::folded(scope.as_str()), name.folded());
            this.execute_one(REMOVE_LOCK, key, "lock is not there")
        })
    }

    fn put_event_subscription(
        &mut self,
        container: ContainerId,
        subscription: &EventSubscription,
        endpoint: &Sealed,
    ) -> Outcome<()> {
        self.attempt(|this| this.upsert_event_subscription(container, subscription, endpoint))
    }

    fn remove_event_subscription(&mut self, receiver: &Receiver) -> Outcome<()> {
        self.attempt(|this| this.delete_event_subscription(receiver))
    }

    fn insert_delivery(&mut self, receiver: &Receiver, delivery: &Delivery) -> Outcome<u64> {
        self.attempt(|this| this.append_delivery(receiver, delivery))
    }

    fn save_delivery(&mut self, position: u64, delivery: &Delivery) -> Outcome<()> {
        self.attempt(|this| this.update_delivery(position, delivery))
    }

    fn remove_delivery(&mut self, position: u64) -> Outcome<()> {
        self.attempt(|this| this.delete_delivery(position))
    }

    fn drop_oldest_deliveries(&mut self, receiver: &Receiver, limit: usize) -> Outcome<usize> {
        self.attempt(|this| this.delete_oldest_deliveries(receiver, limit))
    }

    fn put_subscription(&mut self, subscription: &Subscription) -> Outcome<()> {
        self.attempt(|this| {
            let row = (guid_key(subscription.id), encode(subscription)?);
            this.execute_one(PUT_SUBSCRIPTION, row, "subscription")
        })
    }

    fn put_resource_group(&mut self, group: &ResourceGroup) -> Outcome<()> {
        self.attempt(|this| {
            let row = (guid_key(group.subscription), fold_text(&group.name), encode(group)?);
            this.execute_one(PUT_RESOURCE_GROUP, row, "resource group")
        })
    }

    fn remove_resource_group(&mut self, subscription: Guid, name: &str) -> Outcome<()> {
        self.attempt(|this| {
            let key = (guid_key(subscription), fold_text(name));
            this.execute_one(REMOVE_RESOURCE_GROUP, key, "resource group is not there")
        })
    }

    fn put_principal(&mut self, principal: &Principal) -> Outcome<()> {
        self.attempt(|this| {
            let user_name = principal.user_principal_name.as_deref().map(fold_text);
            let row = (guid_key(principal.object_id), principal.app_id.map(guid_key), user_name, encode(principal)?);
            this.execute_one(PUT_PRINCIPAL, row, "another principal has the application id or the user name")
        })
    }

    fn remove_principal(&mut self, object_id: Guid) -> Outcome<()> {
        self.attempt(|this| {
            let key = guid_key(object_id);
            for sql in REMOVE_MEMBERSHIPS {
                this.execute(sql, [key], "membership")?;
            }
            this.execute_one(REMOVE_PRINCIPAL, [key], "principal is not there")
        })
    }

    fn insert_membership(&mut self, group: Guid, member: Guid) -> Outcome<()> {
        self.attempt(|this| {
            let row = (guid_key(group), guid_key(member));
            this.execute_one(INSERT_MEMBERSHIP, row, "membership is there, or one of the two is not")
        })
    }

    fn remove_membership(&mut self, group: Guid, member: Guid) -> Outcome<()> {
        self.attempt(|this| {
            let key = (guid_key(group), guid_key(member));
            this.execute_one(REMOVE_MEMBERSHIP, key, "membership is not there")
        })
    }

    fn add_operations(&mut self, container: ContainerId, month: Month, counted: &OperationCount) -> Outcome<()> {
        self.attempt(|this| this.upsert_operations(container, month, counted))
    }

    fn note_key_use(&mut self, used: &KeyVersionUse) -> Outcome<()> {
        self.attempt(|this| this.upsert_key_use(used))
    }

    fn put_operation_result(&mut self, result: &OperationResult) -> Outcome<()> {
        self.attempt(|this| {
            let row = (guid_key(result.id), result.created.0, encode(result)?);
            this.execute_one(PUT_OPERATION_RESULT, row, "operation result")
        })
    }

    fn remove_operation_results(&mut self, until: UnixTime, limit: usize) -> Outcome<usize> {
        self.attempt(|this| this.execute(REMOVE_OPERATION_RESULTS, (until.0, limit_of(limit)), "operation result"))
    }

    fn put_system_record(&mut self, name: &str, value: &[u8]) -> Outcome<()> {
        self.attempt(|this| {
            slots::erase(this.connection, slots::ERASE_OF_RECORD, name)?;
            let slot = slots::store(this.connection, value)?;
            this.execute_one(PUT_SYSTEM_RECORD, (name, slot), "system record")
        })
    }

    fn append_audit(&mut self, leaf: &str) -> Outcome<u64> {
        self.attempt(|this| audit::append(this.connection, leaf))
    }

    fn append_audit_all(&mut self, leaves: &[&str]) -> Outcome<()> {
        self.attempt(|this| audit::append_all(this.connection, leaves))
    }

    fn drop_audit(&mut self, through: u64, limit: usize) -> Outcome<usize> {
        self.attempt(|this| audit::drop_records(this.connection, through, limit))
    }

    fn put_audit_tile(&mut self, level: u8, number: u64, hashes: &[u8]) -> Outcome<()> {
        self.attempt(|this| this.execute_one(audit::PUT_TILE, (level, after_position(number), hashes), "audit tile"))
    }

    fn insert_audit_checkpoint(&mut self, checkpoint: &StoredCheckpoint) -> Outcome<()> {
        self.attempt(|this| {
            let row = (after_position(checkpoint.size), checkpoint.time.0, &checkpoint.note);
            this.execute_one(audit::INSERT_CHECKPOINT, row, "audit checkpoint is there")
        })
    }

    fn remove_audit_checkpoint(&mut self, size: u64) -> Outcome<()> {
        self.attempt(|this| {
            this.execute_one(audit::REMOVE_CHECKPOINT, [after_position(size)], "audit checkpoint is not there")
        })
    }
}
