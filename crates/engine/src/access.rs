//! The gate's authorisation: one choke point for every operation, and the role assignments it decides by.

use crate::{Engine, Error, OpenContainer, Subject, locks::check_locks_in, posts, principals::directory_id};
use domain::{
    Guid, Operation, PermissionModel, Profile, Refusal, UnixTime,
    access::{self, Assignments, Caller, Model, Realm, RoleAssignment, RoleDefinition, Scope},
    lock::Act,
};
use std::{borrow::Cow, sync::Arc};
use store::{Fault, Tx};

/// A role assignment to make.
#[derive(Clone, Debug)]
pub struct RoleAssignmentRequest {
    pub name: Guid,
    pub scope: Scope,
    pub role: Guid,
    pub principal: Guid,
}

impl OpenContainer {
    /// Whether the container answers the network address the caller comes from. The gate asks this before anything
    /// else; fronts ask it for what never gets to the gate.
    ///
    /// # Errors
    /// [`Refusal::PublicNetworkDisabled`], [`Refusal::NetworkForbidden`].
    pub fn admit(&self, caller: &Caller) -> Result<(), Refusal> {
        self.container.admits(caller.address)
    }
}

impl Engine {
    /// Whether the caller may do this to `path` (`/keys/{name}`, `/keys`, `/`) in a container, from where they are.
    /// Decides by the entry it is given: [`Engine::authorised`] makes sure that it counts, and keeps it so.
    ///
    /// # Errors
    /// Those of [`OpenContainer::admit`], then [`Refusal::Forbidden`] with the action that is missing.
    pub(crate) fn authorise(
        &self,
        caller: &Caller,
        operation: Operation,
        target: &OpenContainer,
        path: &str,
    ) -> Result<(), Error> {
        target.admit(caller)?;
        let kind = target.kind();
        let Some(action) = operation.data_action(kind) else {
            return Err(Refusal::NotSupportedYet { what: operation.name() }.into());
        };
        let (allowed, model, scope) = match (&target.container.profile, kind) {
            (Profile::Vault(vault), _) => {
                let scope: Cow<'_, str> = [target.arm_id(), path].concat().into();
                match vault.permission_model {
                    PermissionModel::Rbac => {
                        let allowed = self.arm_access.ask(
                            || self.load_access(Realm::Arm),
                            |assignments| assignments.data_action(caller, action, &scope).is_some(),
                        )?;
                        (allowed, Model::VaultRbac, scope)
                    }
                    PermissionModel::AccessPolicies => {
                        let allowed = access::allows_policy(&vault.access_policies, caller, operation);
                        (allowed, Model::VaultPolicy, scope)
                    }
                }
            }
            (Profile::ManagedHsm(_), _) => {
                let allowed = target.local_access.ask(
                    || self.load_access(Realm::Hsm(target.id())),
                    |assignments| assignments.data_action(caller, action, path).is_some(),
                )?;
                (allowed, Model::HsmLocal, path.into())
            }
        };
        if allowed && caller.tenant == target.container.tenant {
            return Ok(());
        }
        let action = match model {
            Model::VaultPolicy => operation.policy_permission().map_or(action, |(_, permission)| permission),
            _ => action,
        };
        Err(Refusal::Forbidden { action, scope: scope.into_owned(), model }.into())
    }

    /// Whether the caller may do this to `path` in a container: for fronts that have to refuse a request for another
    /// reason, and must not tell it to whom they owe no answer.
    ///
    /// # Errors
    /// Those of [`OpenContainer::admit`], then [`Refusal::Forbidden`].
    pub fn check_access(
        &self,
        caller: &Caller,
        operation: Operation,
        target: &OpenContainer,
        path: &str,
    ) -> Result<(), Error> {
        self.authorised(caller, operation, target, path, |_| Ok(()))
    }

    /// The control plane's assignments, joined with their roles, as they count now.
    pub(crate) fn arm_assignments(&self) -> Result<Arc<Assignments>, Error> {
        Ok(self.arm_access.get_or_load(|| self.load_access(Realm::Arm))?)
    }

    /// Whether the caller may do this at a scope of the control plane.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] with the action that is missing.
    pub(crate) fn authorise_arm(&self, caller: &Caller, operation: Operation, scope: &str) -> Result<(), Error> {
        let Some(action) = operation.arm_action() else {
            return Err(Refusal::NotSupportedYet { what: operation.name() }.into());
        };
        if self.arm_assignments()?.action(caller, action, scope).is_some() {
            return Ok(());
        }
        Err(Refusal::Forbidden { action, scope: scope.to_owned(), model: Model::ControlPlane }.into())
    }

    /// Leaves of a list what the caller may read, each thing by its operation and its scope in the control plane.
    pub(crate) fn retain_readable<T>(
        &self,
        caller: &Caller,
        list: &mut Vec<T>,
        read: impl Fn(&T) -> (Operation, String),
    ) -> Result<(), Error> {
        let assignments = self.arm_assignments()?;
        list.retain(|each| {
            let (operation, scope) = read(each);
            operation.arm_action().is_some_and(|action| assignments.action(caller, action, &scope).is_some())
        });
        Ok(())
    }

    /// Assignments at an HSM's scope. `/` and `/keys` list the assignments of the whole HSM, never those of single
    /// keys (contract: managed-hsm §1.3).
    ///
    /// # Errors
    /// [`Refusal::Forbidden`].
    pub fn hsm_role_assignments(
        &self,
        caller: &Caller,
        hsm: &OpenContainer,
        scope: &Scope,
    ) -> Result<Vec<RoleAssignment>, Error> {
        let operation = Operation::HsmRoleAssignmentRead;
        let all = self.authorised(caller, operation, hsm, scope.as_str(), |entry| {
            Ok(self.assignments_of(Realm::Hsm(entry.id()))?)
        })?;
        Ok(all.into_iter().filter(|assignment| same_hsm_scope(&assignment.scope, scope)).collect())
    }

    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::RoleDefinitionNotFound`], [`Refusal::RoleAssignmentExists`].
    pub fn put_hsm_role_assignment(
        &self,
        caller: &Caller,
        hsm: &OpenContainer,
        request: &RoleAssignmentRequest,
    ) -> Result<RoleAssignment, Error> {
        let operation = Operation::HsmRoleAssignmentPut;
        self.authorised(caller, operation, hsm, request.scope.as_str(), |entry| {
            self.put_assignment(caller, operation, Realm::Hsm(entry.id()), request)
        })
    }

    /// Removes an assignment and returns it.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::RoleAssignmentNotFound`], [`Refusal::LastAdministrator`].
    pub fn delete_hsm_role_assignment(
        &self,
        caller: &Caller,
        hsm: &OpenContainer,
        scope: &Scope,
        name: Guid,
    ) -> Result<RoleAssignment, Error> {
        let operation = Operation::HsmRoleAssignmentDelete;
        self.authorised(caller, operation, hsm, scope.as_str(), |entry| {
            self.remove_assignment(caller, operation, Realm::Hsm(entry.id()), scope, name, |found| {
                // `/` and `/keys` are one place to ask at, but not one right: the found scope has to be allowed too.
                same_hsm_scope(found, scope) && self.authorise(caller, operation, entry, found.as_str()).is_ok()
            })
        })
    }

    /// Control-plane assignments at, above or below a scope, as far as they concern it.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`].
    pub fn arm_role_assignments(&self, caller: &Caller, scope: &Scope) -> Result<Vec<RoleAssignment>, Error> {
        self.authorise_arm(caller, Operation::RoleAssignmentRead, scope.as_str())?;
        let all = self.assignments_of(Realm::Arm)?;
        Ok(all
            .into_iter()
            .filter(|found| found.scope.covers(scope.as_str()) || scope.covers(found.scope.as_str()))
            .collect())
    }

    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::RoleDefinitionNotFound`], [`Refusal::ScopeLocked`],
    /// [`Refusal::RoleAssignmentExists`].
    pub fn put_arm_role_assignment(
        &self,
        caller: &Caller,
        request: &RoleAssignmentRequest,
    ) -> Result<RoleAssignment, Error> {
        let operation = Operation::RoleAssignmentPut;
        self.authorise_arm(caller, operation, request.scope.as_str())?;
        self.put_assignment(caller, operation, Realm::Arm, request)
    }

    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::RoleAssignmentNotFound`], [`Refusal::ScopeLocked`],
    /// [`Refusal::LastAdministrator`].
    pub fn delete_arm_role_assignment(
        &self,
        caller: &Caller,
        scope: &Scope,
        name: Guid,
    ) -> Result<RoleAssignment, Error> {
        let operation = Operation::RoleAssignmentDelete;
        self.authorise_arm(caller, operation, scope.as_str())?;
        self.remove_assignment(caller, operation, Realm::Arm, scope, name, |found| found == scope)
    }

    pub(crate) fn put_assignment(
        &self,
        caller: &Caller,
        operation: Operation,
        realm: Realm,
        request: &RoleAssignmentRequest,
    ) -> Result<RoleAssignment, Error> {
        let assignment = RoleAssignment {
            realm,
            name: request.name,
            scope: request.scope.clone(),
            role: request.role,
            principal: request.principal,
            created: self.now(),
        };
        let path = assignment_path(realm, &request.scope, request.name);
        self.change_in_realm(operation, caller, realm, &path, |tx, _| {
            check_locks_in(tx, realm, Act::Write, &path)?;
            if !is_assignable(realm, request, &tx.role_definitions(realm)?) {
                return Err(Refusal::RoleDefinitionNotFound.into());
            }
            if realm == Realm::Directory && !is_in_directory(tx, request.principal)? {
                return Err(Refusal::PrincipalNotFound.into());
            }
            let exists = tx.role_assignments(realm)?.into_iter().any(|other| {
                let same_grant = other.principal == assignment.principal
                    && other.role == assignment.role
                    && other.scope == assignment.scope;
                same_grant || other.name == assignment.name
            });
            if exists {
                return Err(Refusal::RoleAssignmentExists.into());
            }
            tx.put_role_assignment(&assignment)?;
            Ok(())
        })?;
        self.cover(operation)?;
        Ok(assignment)
    }

    /// Changes roles, in the transaction that tells of it, and takes the change into use. `path` begins with the scope.
    pub(crate) fn change_in_realm<T>(
        &self,
        operation: Operation,
        caller: &Caller,
        realm: Realm,
        path: &str,
        work: impl FnMut(&mut dyn Tx, UnixTime) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let changed = match realm {
            Realm::Arm => self.change(operation, Some(caller), &Subject::resource(path), work),
            Realm::Hsm(id) => {
                let hsm = self.open_container_by_id(id)?.ok_or(Refusal::ContainerNotFound)?;
                self.change(operation, Some(caller), &Subject::within(&hsm, path), work)
            }
            Realm::Directory => {
                let subject = Subject { container: None, resource: &directory_id(caller.tenant), path };
                self.change(operation, Some(caller), &subject, work)
            }
        };
        self.settle_access(realm, changed)
    }

    /// Removes the assignment of this name if its scope is the one asked for, where the caller has been authorised:
    /// whoever may remove at one scope must not reach another through its path.
    pub(crate) fn remove_assignment(
        &self,
        caller: &Caller,
        operation: Operation,
        realm: Realm,
        asked: &Scope,
        name: Guid,
        at_scope: impl Fn(&Scope) -> bool,
    ) -> Result<RoleAssignment, Error> {
        let path = assignment_path(realm, asked, name);
        let removed = self.change_in_realm(operation, caller, realm, &path, |tx, _| {
            let found = tx.role_assignments(realm)?.into_iter().find(|other| other.name == name);
            let found = found.filter(|found| at_scope(&found.scope)).ok_or(Refusal::RoleAssignmentNotFound)?;
            check_locks_in(tx, realm, Act::Delete, &path)?;
            posts::remove_assignment(tx, &found)?;
            Ok(found)
        })?;
        self.cover(operation)?;
        Ok(removed)
    }

    fn assignments_of(&self, realm: Realm) -> Result<Vec<RoleAssignment>, Fault> {
        self.store.query(|read| read.role_assignments(realm))
    }

    pub(crate) fn load_access(&self, realm: Realm) -> Result<Assignments, Fault> {
        let (assignments, customs) =
            self.store.query(|read| Ok::<_, Fault>((read.role_assignments(realm)?, read.role_definitions(realm)?)))?;
        Ok(Assignments::new(assignments, access::built_in_roles(realm).iter().chain(&customs)))
    }

    /// Takes a change of a realm into use before it is answered.
    pub(crate) fn settle_access<T>(&self, realm: Realm, changed: Result<T, Error>) -> Result<T, Error> {
        let load = || self.load_access(realm);
        match realm {
            Realm::Arm => self.arm_access.settle(changed, load),
            Realm::Hsm(id) => match self.open.find(id) {
                Some(hsm) => hsm.local_access.settle(changed, load),
                None => changed,
            },
            Realm::Directory => self.directory_access.settle(changed, load),
        }
    }
}

/// A role of the directory is given to who is in it; others may be given to anybody an issuer may vouch for.
fn is_in_directory(tx: &mut dyn Tx, principal: Guid) -> Result<bool, Fault> {
    Ok(tx.principal_by_object(principal)?.is_some_and(|found| found.kind.can_be_member()))
}

/// Whether a realm has the role, for this scope: a custom one is found where it is assignable.
fn is_assignable(realm: Realm, request: &RoleAssignmentRequest, customs: &[RoleDefinition]) -> bool {
    let mut all = access::built_in_roles(realm).iter().chain(customs);
    all.any(|role| role.id == request.role && role.is_assignable_at(&request.scope))
}

fn assignment_path(realm: Realm, scope: &Scope, name: Guid) -> String {
    if realm == Realm::Directory {
        return format!("/roleManagement/directory/roleAssignments/{name}");
    }
    let above = if *scope == Scope::root() { "" } else { scope.as_str() };
    format!("{above}/providers/Microsoft.Authorization/roleAssignments/{name}")
}

/// The local role "Managed HSM Administrator".
pub(crate) static HSM_ADMINISTRATOR: Guid = Guid::from_u128(0xa290_e904_7015_4bba_90c8_6054_3313_cdb4);

fn same_hsm_scope(assigned: &Scope, asked: &Scope) -> bool {
    let whole = |scope: &Scope| matches!(scope.as_str().to_ascii_lowercase().as_str(), "/" | "/keys");
    assigned == asked || (whole(assigned) && whole(asked))
}
