//! Role definitions: the built-in ones, and the custom ones of each realm.
//!
//! What a definition may say is the domain's. Here is who may write one: in a managed HSM whoever may at its root, as a
//! definition counts everywhere in it; in the control plane whoever may at each of its assignable scopes.

use crate::{Engine, Error, OpenContainer, locks::check_locks_in};
use domain::{
    Guid, Operation,
    access::{Caller, Realm, RoleDefinition, RoleDefinitionRequest, Scope, built_in_roles, define_role, retire_role},
    lock::Act,
};
use store::Fault;

impl Engine {
    /// Role definitions of the control plane. Whoever signed in may read them.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn arm_role_definitions(&self) -> Result<Vec<RoleDefinition>, Error> {
        Ok(self.definitions_of(Realm::Arm)?)
    }

    /// Role definitions of a managed HSM, as one who may read them at a scope sees them: the same at every scope.
    ///
    /// # Errors
    /// [`domain::Refusal::Forbidden`].
    pub fn hsm_role_definitions(
        &self,
        caller: &Caller,
        hsm: &OpenContainer,
        scope: &Scope,
    ) -> Result<Vec<RoleDefinition>, Error> {
        let operation = Operation::HsmRoleDefinitionRead;
        self.authorised(
            caller,
            operation,
            hsm,
            scope.as_str(),
            |entry| Ok(self.definitions_of(Realm::Hsm(entry.id()))?),
        )
    }

    /// Makes or changes a custom definition of a managed HSM.
    ///
    /// # Errors
    /// [`domain::Refusal::Forbidden`], and those of [`define_role`].
    pub fn put_hsm_role_definition(
        &self,
        caller: &Caller,
        hsm: &OpenContainer,
        request: &RoleDefinitionRequest,
    ) -> Result<RoleDefinition, Error> {
        let (operation, root) = (Operation::HsmRoleDefinitionPut, Scope::root());
        self.authorised(caller, operation, hsm, root.as_str(), |entry| {
            self.put_definition(caller, operation, Realm::Hsm(entry.id()), &root, request)
        })
    }

    /// Removes a custom definition of a managed HSM and returns it. Its assignments stay, and grant nothing.
    ///
    /// # Errors
    /// [`domain::Refusal::Forbidden`], and those of [`retire_role`].
    pub fn delete_hsm_role_definition(
        &self,
        caller: &Caller,
        hsm: &OpenContainer,
        id: Guid,
    ) -> Result<RoleDefinition, Error> {
        let (operation, root) = (Operation::HsmRoleDefinitionDelete, Scope::root());
        self.authorised(caller, operation, hsm, root.as_str(), |entry| {
            self.remove_definition(caller, operation, Realm::Hsm(entry.id()), &root, id)
        })
    }

    /// Makes or changes a custom definition of the control plane, asked for at a scope. The caller must be allowed there,
    /// and wherever it is or was assignable.
    ///
    /// # Errors
    /// [`domain::Refusal::Forbidden`], and those of [`define_role`].
    pub fn put_arm_role_definition(
        &self,
        caller: &Caller,
        scope: &Scope,
        request: &RoleDefinitionRequest,
    ) -> Result<RoleDefinition, Error> {
        let operation = Operation::RoleDefinitionPut;
        self.authorise_arm_at(caller, operation, std::iter::once(scope).chain(&request.assignable_scopes))?;
        self.put_definition(caller, operation, Realm::Arm, scope, request)
    }

    /// Removes a custom definition of the control plane and returns it.
    ///
    /// # Errors
    /// [`domain::Refusal::Forbidden`], and those of [`retire_role`].
    pub fn delete_arm_role_definition(
        &self,
        caller: &Caller,
        scope: &Scope,
        id: Guid,
    ) -> Result<RoleDefinition, Error> {
        let operation = Operation::RoleDefinitionDelete;
        self.authorise_arm(caller, operation, scope.as_str())?;
        self.remove_definition(caller, operation, Realm::Arm, scope, id)
    }

    fn put_definition(
        &self,
        caller: &Caller,
        operation: Operation,
        realm: Realm,
        scope: &Scope,
        request: &RoleDefinitionRequest,
    ) -> Result<RoleDefinition, Error> {
        let path = definition_path(scope, request.id);
        let made = self.change_in_realm(operation, caller, realm, &path, |tx, now| {
            check_locks_in(tx, realm, Act::Write, &path)?;
            let customs = tx.role_definitions(realm)?;
            if let Some(known) = customs.iter().find(|role| role.id == request.id) {
                self.authorise_definition(caller, operation, realm, known)?;
            }
            let made = define_role(realm, request, &customs, &tx.role_assignments(realm)?, now)?;
            tx.put_role_definition(realm, &made)?;
            Ok(made)
        })?;
        self.cover(operation)?;
        Ok(made)
    }

    fn remove_definition(
        &self,
        caller: &Caller,
        operation: Operation,
        realm: Realm,
        scope: &Scope,
        id: Guid,
    ) -> Result<RoleDefinition, Error> {
        let path = definition_path(scope, id);
        let removed = self.change_in_realm(operation, caller, realm, &path, |tx, _| {
            let customs = tx.role_definitions(realm)?;
            if let Some(known) = customs.iter().find(|role| role.id == id) {
                self.authorise_definition(caller, operation, realm, known)?;
            }
            check_locks_in(tx, realm, Act::Delete, &path)?;
            let removed = retire_role(realm, id, customs, &tx.role_assignments(realm)?)?;
            tx.remove_role_definition(realm, id)?;
            Ok(removed)
        })?;
        self.cover(operation)?;
        Ok(removed)
    }

    /// Whether the caller may change a definition that is there. In a managed HSM the root has been asked for already.
    fn authorise_definition(
        &self,
        caller: &Caller,
        operation: Operation,
        realm: Realm,
        known: &RoleDefinition,
    ) -> Result<(), Error> {
        match realm {
            Realm::Arm => self.authorise_arm_at(caller, operation, &known.assignable_scopes),
            // Nor are there definitions to change in the directory.
            Realm::Hsm(_) | Realm::Directory => Ok(()),
        }
    }

    fn authorise_arm_at<'a>(
        &self,
        caller: &Caller,
        operation: Operation,
        scopes: impl IntoIterator<Item = &'a Scope>,
    ) -> Result<(), Error> {
        scopes.into_iter().try_for_each(|scope| self.authorise_arm(caller, operation, scope.as_str()))
    }

    fn definitions_of(&self, realm: Realm) -> Result<Vec<RoleDefinition>, Fault> {
        let customs = self.store.query(|read| read.role_definitions(realm))?;
        Ok(built_in_roles(realm).iter().cloned().chain(customs).collect())
    }
}

fn definition_path(scope: &Scope, id: Guid) -> String {
    let above = if *scope == Scope::root() { "" } else { scope.as_str() };
    format!("{above}/providers/Microsoft.Authorization/roleDefinitions/{id}")
}
