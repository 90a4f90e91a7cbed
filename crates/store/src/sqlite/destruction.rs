//! Destroying objects and whole containers.

use super::{
    certificates, notices,
    row::{Outcome, guid_key, limit_of, many, one},
    session::Session,
    slots,
};
use domain::{ContainerId, lifecycle::Purged};

const REMOVE_VERSIONS: &str = "DELETE FROM versions WHERE object = ?1";
const REMOVE_OBJECT: &str = "DELETE FROM objects WHERE number = ?1";
const REMOVE_LOCAL_ROLES: &str = "DELETE FROM role_assignments WHERE realm = ?1";
const REMOVE_LOCAL_DEFINITIONS: &str = "DELETE FROM role_definitions WHERE realm = ?1";
const REMOVE_CONTAINER: &str = "DELETE FROM containers WHERE id = ?1";
/// Turns the row of a purged container into one that only holds what is left of it. No container has the kind.
const LEAVE_REMAINS: &str = "UPDATE containers SET
     kind = 'remains', name = hex(id), deleted = 1, purge_at = NULL, sealed_key = 0, record = '' WHERE id = ?1";
const REMAINS: &str = "SELECT id FROM containers WHERE kind = 'remains' LIMIT 1";
const SOME_OBJECTS: &str = "SELECT number FROM objects WHERE container = ?1 LIMIT ?2";

/// Versions that are destroyed in one transaction when a whole container is: all other writers wait for it.
const DESTROYED_AT_ONCE: usize = 1024;

/// Named for the test of their plans.
#[cfg(test)]
pub(super) const SEARCHES: [&str; 8] = [
    REMOVE_VERSIONS,
    REMOVE_OBJECT,
    REMOVE_LOCAL_ROLES,
    REMOVE_LOCAL_DEFINITIONS,
    REMOVE_CONTAINER,
    LEAVE_REMAINS,
    REMAINS,
    SOME_OBJECTS,
];

impl Session<'_> {
    /// Returns how many versions there were.
    pub(super) fn destroy_object(&self, number: i64) -> Outcome<usize> {
        slots::erase(self.connection, slots::ERASE_OF_OBJECT, number)?;
        let versions = self.execute(REMOVE_VERSIONS, [number], "version")?;
        self.execute_one(REMOVE_OBJECT, [number], "object is not there")?;
        Ok(versions)
    }

    pub(super) fn destroy_container(&self, id: ContainerId, proof: &Purged) -> Outcome<()> {
        let key = guid_key(id.0);
        slots::erase(self.connection, slots::ERASE_OF_CONTAINER, key)?;
        for sql in certificates::REMOVE_OF_CONTAINER {
            self.execute(sql, [key], "issuers and contacts")?;
        }
        for sql in notices::REMOVE_OF_CONTAINER {
            self.execute(sql, [key], "event subscription")?;
        }
        self.execute(REMOVE_LOCAL_ROLES, [key], "role assignment")?;
        self.execute(REMOVE_LOCAL_DEFINITIONS, [key], "role definition")?;
        self.execute_one(LEAVE_REMAINS, [key], "container is not there")?;
        self.destroy_objects(key)?;
        self.end_lifetime(id, proof)
    }

    /// Returns whether there were any. Nothing needs to be shredded: what could open this was, with the container.
    pub(super) fn destroy_remains(&self) -> Outcome<bool> {
        let found = one(self.connection, REMAINS, [], |row| Ok(row.get::<_, [u8; 16]>(0)?))?;
        found.map_or(Ok(false), |key| self.destroy_objects(key).map(|()| true))
    }

    /// Destroys as much of what a container has left behind as may be destroyed at once, and with the last of it the
    /// container's row.
    fn destroy_objects(&self, container: [u8; 16]) -> Outcome<()> {
        let some = (container, limit_of(DESTROYED_AT_ONCE));
        let numbers = many(self.connection, SOME_OBJECTS, some, |row| Ok(row.get::<_, i64>(0)?))?;
        let (is_all, mut destroyed) = (numbers.len() < DESTROYED_AT_ONCE, 0);
        for number in numbers {
            if destroyed >= DESTROYED_AT_ONCE {
                return Ok(());
            }
            destroyed += self.destroy_object(number)?;
        }
        if is_all {
            self.execute_one(REMOVE_CONTAINER, [container], "container is not there")?;
        }
        Ok(())
    }
}
