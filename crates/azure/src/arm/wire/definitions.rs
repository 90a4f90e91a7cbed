//! Role definitions of Azure RBAC.
//!
//! Schemas of `arm-authorization-roles-2022-04-01.json`; contract: key-vault §4, "Neighbouring calls".

use crate::{
    arm::{
        error::{Failure, Problem},
        ids,
    },
    json::{self, Object},
    permission::PermissionIn,
};
use domain::{
    Guid,
    access::{RoleDefinition, RoleDefinitionRequest, RoleOrigin, RolePermissions, RoleRefusal, Scope},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
pub(crate) struct DefinitionOut<'a> {
    id: String,
    name: String,
    r#type: &'static str,
    properties: DefinitionProperties<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DefinitionProperties<'a> {
    role_name: &'a str,
    r#type: &'static str,
    description: &'a str,
    assignable_scopes: Vec<&'a str>,
    permissions: [&'a RolePermissions; 1],
    // Of custom ones: the documents don't say when the others were made.
    #[serde(skip_serializing_if = "Option::is_none")]
    created_on: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_on: Option<String>,
}

/// The id of a definition as seen from a scope: below the scope's subscription, if it has one.
pub(super) fn path_of(scope: &Scope, role: Guid) -> String {
    let mut segments = scope.as_str().split('/').skip(1);
    let subscription = match (segments.next(), segments.next().and_then(Guid::parse)) {
        (Some("subscriptions"), Some(id)) => ids::subscription(id),
        _ => String::new(),
    };
    format!("{subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}")
}

/// A definition as seen from a scope.
pub(crate) fn show<'a>(role: &'a RoleDefinition, scope: &Scope) -> DefinitionOut<'a> {
    let (kind, created, updated) = match role.origin {
        RoleOrigin::BuiltIn => ("BuiltInRole", None, None),
        RoleOrigin::Custom { created, updated } => ("CustomRole", Some(created), Some(updated)),
    };
    DefinitionOut {
        id: path_of(scope, role.id),
        name: role.id.to_string(),
        r#type: "Microsoft.Authorization/roleDefinitions",
        properties: DefinitionProperties {
            role_name: &role.name,
            r#type: kind,
            description: &role.description,
            assignable_scopes: role.assignable_scopes.iter().map(Scope::as_str).collect(),
            permissions: [&role.permissions],
            created_on: created.map(|time| time.to_string()),
            updated_on: updated.map(|time| time.to_string()),
        },
    }
}

#[derive(Deserialize)]
struct DefinitionBody {
    properties: Option<Object<DefinitionIn>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DefinitionIn {
    role_name: Option<String>,
    description: Option<String>,
    r#type: Option<String>,
    permissions: Option<Vec<Object<PermissionIn>>>,
    assignable_scopes: Option<Vec<String>>,
}

/// Reads a definition to make; its id is in the path.
pub(crate) fn read(body: &[u8]) -> Result<RoleDefinitionRequest, Failure> {
    let body: DefinitionBody = json::parse(body)?;
    let Object(properties) = body.properties.ok_or_else(|| Problem::bad_request("The properties are missing."))?;
    if properties.r#type.is_some_and(|kind| !kind.eq_ignore_ascii_case("CustomRole")) {
        return Err(Problem::bad_request("Only a role definition of type 'CustomRole' can be made.").into());
    }
    let permissions = properties.permissions.unwrap_or_default();
    if permissions.iter().any(|Object(each)| each.is_conditional()) {
        return Err(Problem::not_supported("conditions of role definitions").into());
    }
    let scopes = properties.assignable_scopes.unwrap_or_default();
    Ok(RoleDefinitionRequest {
        id: Guid::from_u128(0),
        name: properties.role_name.unwrap_or_default(),
        description: properties.description.unwrap_or_default(),
        permissions: PermissionIn::together(permissions),
        assignable_scopes: scopes.iter().map(|scope| scope_of(scope)).collect::<Result<_, _>>()?,
    })
}

/// Of what a client wrote, in characters.
const LONGEST_SHOWN: usize = 256;

fn scope_of(text: &str) -> Result<Scope, Problem> {
    let path: Vec<&str> = text.split('/').filter(|segment| !segment.is_empty()).collect();
    let scope = ids::scope(&path).filter(|_| text.starts_with('/') && !text.contains(char::is_control));
    scope.ok_or_else(|| {
        let shown: String = text.chars().take(LONGEST_SHOWN).collect();
        Problem::bad_request(format!("The assignable scope '{shown}' is not a valid scope."))
    })
}

/// The name of a definition, a GUID.
pub(crate) fn id_of(text: &str) -> Result<Guid, Problem> {
    Guid::parse(text).ok_or_else(|| {
        let message = format!("The role definition id '{text}' is not a valid GUID.");
        Problem::new(StatusCode::BAD_REQUEST, "InvalidRoleDefinitionId", message)
    })
}

/// Why a custom role definition is not made, changed or removed. No document gives the built-in ones' refusal.
pub(crate) fn refused(refusal: &RoleRefusal) -> Problem {
    let (status, code, message) = match refusal {
        RoleRefusal::NameTaken => (
            StatusCode::CONFLICT,
            "RoleDefinitionWithSameNameExists",
            "A role definition cannot be updated with a name that already exists.".to_owned(),
        ),
        RoleRefusal::Assigned => (
            StatusCode::BAD_REQUEST,
            "RoleDefinitionHasAssignments",
            "There are existing role assignments referencing role.".to_owned(),
        ),
        RoleRefusal::TooMany { .. } => (
            StatusCode::BAD_REQUEST,
            "RoleDefinitionLimitExceeded",
            "Role definition limit exceeded. No more role definitions can be created.".to_owned(),
        ),
        RoleRefusal::ActionUnknown { action } => (
            StatusCode::BAD_REQUEST,
            "InvalidActionOrNotAction",
            format!("'{action}' does not match any of the actions supported by the providers."),
        ),
        RoleRefusal::BuiltIn | RoleRefusal::Reserved => {
            return Problem::bad_request("The role definition is built in: it can be neither changed nor deleted.");
        }
    };
    Problem::new(status, code, message)
}
