//! Directory roles: who may change the directory, and who has a role in it.
//!
//! They are independent of the roles of the control plane and of managed HSMs: neither gives a right here, nor these one
//! there. Source: Microsoft Graph "Use Microsoft Entra role-based access control"; what is privileged: "Who can perform
//! sensitive actions".

use crate::{Engine, Error, RoleAssignmentRequest};
use domain::{
    Guid, Operation, Refusal,
    access::{Assignments, Caller, Model, Realm, RoleAssignment, Scope},
    closure,
};
use std::sync::Arc;
use store::{Fault, Tx};

impl Engine {
    /// Whether the caller may do this to the directory.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] with the action that is missing.
    pub fn check_directory_access(&self, caller: &Caller, operation: Operation) -> Result<(), Error> {
        let Some(action) = operation.directory_action() else {
            return Err(Refusal::NotSupportedYet { what: operation.name() }.into());
        };
        let root = "/";
        if self.directory_assignments()?.action(caller, action, root).is_some() {
            return Ok(());
        }
        Err(Refusal::Forbidden { action, scope: root.to_owned(), model: Model::Directory }.into())
    }

    /// The assignments of directory roles, joined with their roles, as they count now.
    pub(crate) fn directory_assignments(&self) -> Result<Arc<Assignments>, Error> {
        Ok(self.directory_access.get_or_load(|| self.load_access(Realm::Directory))?)
    }

    /// Who has which directory role, in the order of the assignments' names. Whoever signed in may read it.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn directory_role_assignments(&self) -> Result<Vec<RoleAssignment>, Error> {
        let mut all = self.store.query(|read| read.role_assignments(Realm::Directory))?;
        all.sort_unstable_by_key(|assignment| assignment.name);
        Ok(all)
    }

    /// Gives a principal of the directory a role in it.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::RoleDefinitionNotFound`], [`Refusal::PrincipalNotFound`],
    /// [`Refusal::RoleAssignmentExists`].
    pub fn put_directory_role_assignment(
        &self,
        caller: &Caller,
        role: Guid,
        principal: Guid,
    ) -> Result<RoleAssignment, Error> {
        let operation = Operation::DirectoryRoleAssignmentPut;
        self.check_directory_access(caller, operation)?;
        let request = RoleAssignmentRequest { name: self.new_guid(), scope: Scope::root(), role, principal };
        self.put_assignment(caller, operation, Realm::Directory, &request)
    }

    /// Takes a directory role from whoever it was given to.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::RoleAssignmentNotFound`], [`Refusal::LastAdministrator`].
    pub fn delete_directory_role_assignment(&self, caller: &Caller, name: Guid) -> Result<RoleAssignment, Error> {
        let operation = Operation::DirectoryRoleAssignmentDelete;
        self.check_directory_access(caller, operation)?;
        self.remove_assignment(caller, operation, Realm::Directory, &Scope::root(), name, |_| true)
    }

    /// Whoever becomes somebody with a directory role, by a secret or by a membership, has that role. So those are changed
    /// only by who may give it. `object_id` is who or what a change is about.
    pub(super) fn check_privilege(&self, tx: &mut dyn Tx, caller: &Caller, object_id: Guid) -> Result<(), Error> {
        let holders = tx.role_assignments(Realm::Directory)?;
        let is_holder = |id: &Guid| holders.iter().any(|assignment| assignment.principal == *id);
        if is_holder(&object_id) || closure(object_id, |member| tx.groups_of(member))?.iter().any(is_holder) {
            self.check_directory_access(caller, Operation::DirectoryRoleAssignmentPut)?;
        }
        Ok(())
    }
}

/// Removes a principal with its directory roles. Other assignments stay, and mean nobody.
pub(super) fn remove_principal(tx: &mut dyn Tx, object_id: Guid) -> Result<(), Fault> {
    for assignment in tx.role_assignments(Realm::Directory)? {
        if assignment.principal == object_id {
            tx.remove_role_assignment(Realm::Directory, assignment.name)?;
        }
    }
    tx.remove_principal(object_id)
}
