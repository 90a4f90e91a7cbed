//! Custom role definitions: what may become one, and when one may go.
//!
//! Pure: is given the definitions and assignments of the realm, and knows no transaction. Built-in definitions are never
//! among the given ones; they are known here. Contract: managed-hsm §1.3, key-vault §4 ("Neighbouring calls").

use super::{
    Realm, RoleAssignment, RoleDefinition, RoleOrigin, RolePermissions, Scope,
    builtin::{built_in_roles, is_hsm_action, is_hsm_data_action},
};
use crate::{Guid, Refusal, UnixTime};

/// Documented for a managed HSM (contract: managed-hsm §1.3, "Custom roles").
const HSM_LIMIT: usize = 50;
/// Documented for a tenant of Azure.
const ARM_LIMIT: usize = 5000;
/// The directory has the built-in ones.
const DIRECTORY_LIMIT: usize = 0;
/// Actions, data actions and scopes in one definition: every request of its holders looks through them.
const ENTRIES: usize = 2000;
/// Characters of a name or of an action.
const LENGTH: usize = 512;
const LONGEST_DESCRIPTION: usize = 2048;
/// Bytes of all actions and scopes together: every change of a realm's roles loads all of its definitions.
const LONGEST: usize = 64 << 10;

/// Why a role definition is not made, changed or removed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoleRefusal {
    #[error("another role definition has the name")]
    NameTaken,
    #[error("a built-in role definition has the id or the name")]
    Reserved,
    #[error("built-in role definitions stay")]
    BuiltIn,
    #[error("the role definition is assigned")]
    Assigned,
    #[error("there are as many custom role definitions as there can be")]
    TooMany { limit: usize },
    #[error("there is no such action")]
    ActionUnknown { action: String },
}

/// A custom role definition to make or to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleDefinitionRequest {
    pub id: Guid,
    pub name: String,
    pub description: String,
    pub permissions: RolePermissions,
    pub assignable_scopes: Vec<Scope>,
}

/// The definition that a request makes, or what it makes of the definition of its id. `customs` are the custom
/// definitions of the realm, `assignments` its assignments.
///
/// # Errors
/// [`RoleRefusal::Reserved`], [`Refusal::ParameterInvalid`], [`RoleRefusal::ActionUnknown`], [`RoleRefusal::NameTaken`],
/// [`RoleRefusal::Assigned`] if it is assigned where it would no longer be assignable, [`RoleRefusal::TooMany`].
pub fn define_role(
    realm: Realm,
    request: &RoleDefinitionRequest,
    customs: &[RoleDefinition],
    assignments: &[RoleAssignment],
    now: UnixTime,
) -> Result<RoleDefinition, Refusal> {
    let built_in = built_in_roles(realm);
    if built_in.iter().any(|role| role.id == request.id) {
        return Err(RoleRefusal::Reserved.into());
    }
    check_name(realm, request, customs)?;
    check_length(request)?;
    check_actions(realm, &request.permissions)?;
    let assignable_scopes = scopes(realm, &request.assignable_scopes)?;
    let known = customs.iter().find(|role| role.id == request.id);
    let limit = match realm {
        Realm::Arm => ARM_LIMIT,
        Realm::Hsm(_) => HSM_LIMIT,
        Realm::Directory => DIRECTORY_LIMIT,
    };
    if known.is_none() && customs.len() >= limit {
        return Err(RoleRefusal::TooMany { limit }.into());
    }
    let created = known.map_or(now, |known| known.created().unwrap_or(now));
    let definition = RoleDefinition {
        id: request.id,
        name: request.name.clone(),
        description: request.description.clone(),
        permissions: request.permissions.clone(),
        assignable_scopes,
        origin: RoleOrigin::Custom { created, updated: now },
    };
    let stays = |each: &RoleAssignment| each.role != definition.id || definition.is_assignable_at(&each.scope);
    if known.is_some() && !assignments.iter().all(stays) {
        return Err(RoleRefusal::Assigned.into());
    }
    Ok(definition)
}

/// The custom definition of an id, if it may be removed. In a managed HSM its assignments stay and grant nothing; the
/// resource manager keeps a definition that is assigned.
///
/// # Errors
/// [`RoleRefusal::BuiltIn`], [`Refusal::RoleDefinitionNotFound`], [`RoleRefusal::Assigned`].
pub fn retire_role(
    realm: Realm,
    id: Guid,
    customs: Vec<RoleDefinition>,
    assignments: &[RoleAssignment],
) -> Result<RoleDefinition, Refusal> {
    if built_in_roles(realm).iter().any(|role| role.id == id) {
        return Err(RoleRefusal::BuiltIn.into());
    }
    let found = customs.into_iter().find(|role| role.id == id).ok_or(Refusal::RoleDefinitionNotFound)?;
    if realm == Realm::Arm && assignments.iter().any(|each| each.role == id) {
        return Err(RoleRefusal::Assigned.into());
    }
    Ok(found)
}

impl RoleDefinition {
    fn created(&self) -> Option<UnixTime> {
        match self.origin {
            RoleOrigin::BuiltIn => None,
            RoleOrigin::Custom { created, .. } => Some(created),
        }
    }
}

/// A name is unique in a tenant of Azure. In a managed HSM it has to be told from built-in ones only: clients look roles
/// up by their name.
fn check_name(realm: Realm, request: &RoleDefinitionRequest, customs: &[RoleDefinition]) -> Result<(), Refusal> {
    let invalid = |reason| Err(Refusal::ParameterInvalid { parameter: "roleName", reason });
    let name = &request.name;
    if name.chars().count() > LENGTH || name.chars().any(char::is_control) {
        return invalid("it is longer than 512 characters, or has control characters");
    }
    let same = |role: &RoleDefinition| role.id != request.id && role.name.eq_ignore_ascii_case(name);
    let built_in = built_in_roles(realm).iter().any(same);
    match realm {
        Realm::Arm if name.trim().is_empty() => invalid("it is missing"),
        Realm::Arm if built_in || customs.iter().any(same) => Err(RoleRefusal::NameTaken.into()),
        Realm::Hsm(_) if built_in => Err(RoleRefusal::Reserved.into()),
        _ => Ok(()),
    }
}

fn check_length(request: &RoleDefinitionRequest) -> Result<(), Refusal> {
    let invalid = |parameter, reason| Err(Refusal::ParameterInvalid { parameter, reason });
    if request.description.chars().count() > LONGEST_DESCRIPTION {
        return invalid("description", "it is longer than 2048 characters");
    }
    let RolePermissions { actions, not_actions, data_actions, not_data_actions } = &request.permissions;
    let actions = [actions, not_actions, data_actions, not_data_actions].into_iter().flatten().map(String::len);
    let scopes = request.assignable_scopes.iter().map(|scope| scope.as_str().len());
    if actions.chain(scopes).sum::<usize>() > LONGEST {
        return invalid("permissions", "actions and scopes are longer than 65536 bytes together");
    }
    Ok(())
}

/// A managed HSM names all the actions it has. Azure's are those of every provider there is: what this installation does
/// not know grants nothing here.
fn check_actions(realm: Realm, permissions: &RolePermissions) -> Result<(), Refusal> {
    let RolePermissions { actions, not_actions, data_actions, not_data_actions } = permissions;
    if [actions, not_actions, data_actions, not_data_actions].into_iter().map(Vec::len).sum::<usize>() > ENTRIES {
        return Err(Refusal::ParameterInvalid { parameter: "permissions", reason: "there are more than 2000 actions" });
    }
    let is_word = |action: &str| {
        (1..=LENGTH).contains(&action.len())
            && action.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"./*-_".contains(&byte))
    };
    let known = |action: &&String, of_data: bool| match (realm, of_data) {
        (Realm::Arm | Realm::Directory, _) => is_word(action),
        (Realm::Hsm(_), true) => is_hsm_data_action(action),
        (Realm::Hsm(_), false) => is_hsm_action(action),
    };
    let control = actions.iter().chain(not_actions).find(|action| !known(action, false));
    let data = data_actions.iter().chain(not_data_actions).find(|action| !known(action, true));
    match control.or(data) {
        Some(action) => Err(RoleRefusal::ActionUnknown { action: action.chars().take(LENGTH).collect() }.into()),
        None => Ok(()),
    }
}

/// Definitions of a managed HSM live at its root, whichever of its two names for the whole was given (contract:
/// managed-hsm §1.3, "Scopes"). Those of Azure name where they may be assigned, which is never everywhere.
fn scopes(realm: Realm, given: &[Scope]) -> Result<Vec<Scope>, Refusal> {
    let invalid = |reason| Err(Refusal::ParameterInvalid { parameter: "assignableScopes", reason });
    let keys = Scope::new("/keys");
    match realm {
        Realm::Hsm(_) if given.iter().all(|scope| *scope == Scope::root() || *scope == keys) => Ok(vec![Scope::root()]),
        Realm::Hsm(_) => invalid("only '/' and '/keys' are assignable scopes"),
        Realm::Directory => Ok(vec![Scope::root()]),
        Realm::Arm if given.is_empty() => invalid("there are none"),
        Realm::Arm if given.len() > ENTRIES => invalid("there are more than 2000"),
        Realm::Arm if given.contains(&Scope::root()) => invalid("a custom role cannot be assignable at the root"),
        Realm::Arm => Ok(given.to_vec()),
    }
}

#[cfg(test)]
#[path = "custom_tests.rs"]
mod tests;
