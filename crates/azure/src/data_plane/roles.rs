//! Local roles of a managed HSM on the wire (contract: managed-hsm §1.1, §1.3; key-vault §3.6, "Administration").

use super::{
    body::{bad, parse, required},
    error::Problem,
};
use crate::{json::Object, permission::PermissionIn};
use domain::{
    Guid,
    access::{
        RoleAssignment as Assignment, RoleDefinition as Definition, RoleDefinitionRequest, RolePermissions, Scope,
    },
};
use serde::{Deserialize, Serialize};

/// Where definitions are said to live, without a slash before it (contract: managed-hsm §1.1).
const DEFINITIONS: &str = "Microsoft.KeyVault/providers/Microsoft.Authorization/roleDefinitions";
/// The id of an assignment carries no scope (contract: managed-hsm §1.3).
const ASSIGNMENTS: &str = "/providers/Microsoft.Authorization/roleAssignments";

#[derive(Serialize)]
pub(super) struct RoleDefinition<'a> {
    id: String,
    name: String,
    properties: RoleDefinitionProperties<'a>,
    r#type: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RoleDefinitionProperties<'a> {
    assignable_scopes: Vec<&'a str>,
    description: &'a str,
    permissions: [Permission<'a>; 1],
    role_name: &'a str,
    r#type: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Permission<'a> {
    actions: &'a [String],
    data_actions: &'a [String],
    not_actions: &'a [String],
    not_data_actions: &'a [String],
}

impl<'a> Permission<'a> {
    fn new(permissions: &'a RolePermissions) -> Self {
        Self {
            actions: &permissions.actions,
            data_actions: &permissions.data_actions,
            not_actions: &permissions.not_actions,
            not_data_actions: &permissions.not_data_actions,
        }
    }
}

impl<'a> RoleDefinition<'a> {
    pub(super) fn new(definition: &'a Definition) -> Self {
        // What the documents tell of built-in roles is ours to know: the wire has no word of it.
        let (kind, description) = match definition.is_built_in() {
            true => ("AKVBuiltInRole", ""),
            false => ("CustomRole", definition.description.as_str()),
        };
        Self {
            id: format!("{DEFINITIONS}/{}", definition.id),
            name: definition.id.to_string(),
            properties: RoleDefinitionProperties {
                assignable_scopes: definition.assignable_scopes.iter().map(Scope::as_str).collect(),
                description,
                permissions: [Permission::new(&definition.permissions)],
                role_name: &definition.name,
                r#type: kind,
            },
            r#type: "Microsoft.Authorization/roleDefinitions",
        }
    }
}

#[derive(Serialize)]
pub(super) struct RoleAssignment {
    id: String,
    name: String,
    properties: RoleAssignmentPropertiesWithScope,
    r#type: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RoleAssignmentPropertiesWithScope {
    principal_id: String,
    role_definition_id: String,
    scope: String,
}

impl RoleAssignment {
    pub(super) fn new(assignment: &Assignment) -> Self {
        Self {
            id: format!("{ASSIGNMENTS}/{}", assignment.name),
            name: assignment.name.to_string(),
            properties: RoleAssignmentPropertiesWithScope {
                principal_id: assignment.principal.to_string(),
                role_definition_id: format!("{DEFINITIONS}/{}", assignment.role),
                scope: assignment.scope.as_str().to_owned(),
            },
            r#type: "Microsoft.Authorization/roleAssignments",
        }
    }
}

/// All at once: there is no `nextLink`, as recorded.
#[derive(Serialize)]
pub(super) struct ListResult<T> {
    pub value: Vec<T>,
}

#[derive(Deserialize)]
struct RoleAssignmentCreateParameters {
    properties: Option<Object<RoleAssignmentProperties>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RoleAssignmentProperties {
    role_definition_id: Option<String>,
    principal_id: Option<String>,
}

/// Reads role and principal of an assignment to make.
pub(super) fn read_assignment(body: &[u8]) -> Result<(Guid, Guid), Problem> {
    let body: RoleAssignmentCreateParameters = parse(body)?;
    let Object(properties) = required(body.properties, "properties")?;
    let role = required(properties.role_definition_id, "roleDefinitionId")?;
    // The id may be long or bare: the last segment tells which role it is.
    let role = role.rsplit('/').next().and_then(Guid::parse);
    let role = role.ok_or_else(|| bad("roleDefinitionId", "does not end in a GUID"))?;
    let principal = Guid::parse(&required(properties.principal_id, "principalId")?);
    Ok((role, principal.ok_or_else(|| bad("principalId", "is not a GUID"))?))
}

#[derive(Deserialize)]
struct RoleDefinitionCreateParameters {
    properties: Option<Object<RoleDefinitionIn>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RoleDefinitionIn {
    role_name: Option<String>,
    description: Option<String>,
    r#type: Option<String>,
    permissions: Option<Vec<Object<PermissionIn>>>,
    assignable_scopes: Option<Vec<String>>,
}

/// Reads a definition to make; its id is in the path.
pub(super) fn read_definition(body: &[u8]) -> Result<RoleDefinitionRequest, Problem> {
    let body: RoleDefinitionCreateParameters = parse(body)?;
    let Object(properties) = required(body.properties, "properties")?;
    if properties.r#type.is_some_and(|kind| !kind.eq_ignore_ascii_case("CustomRole")) {
        return Err(bad("type", "can only be 'CustomRole'"));
    }
    let scopes = properties.assignable_scopes.unwrap_or_default();
    Ok(RoleDefinitionRequest {
        id: Guid::from_u128(0),
        name: properties.role_name.unwrap_or_default(),
        description: properties.description.unwrap_or_default(),
        permissions: PermissionIn::together(properties.permissions.unwrap_or_default()),
        assignable_scopes: scopes.iter().map(|scope| Scope::new(scope)).collect(),
    })
}

/// A `$filter` that the lists of roles understand.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Filter<'a> {
    /// None, or one by scope: a list is of its scope anyway.
    All,
    Principal(Guid),
    RoleName(&'a str),
}

/// Reads `principalId eq '{id}'` (quotes may be missing), `roleName eq '{name}'`, `atScope()` and
/// `atScopeAndBelow()` (contract: managed-hsm §1.3, "GET lists").
pub(super) fn filter(text: Option<&str>) -> Result<Filter<'_>, Problem> {
    let unknown = || Problem::BadParameter("'$filter' is not one that this list understands".to_owned());
    let text = text.unwrap_or_default().trim();
    if text.is_empty() || ["atScope()", "atScopeAndBelow()"].iter().any(|scope| text.eq_ignore_ascii_case(scope)) {
        return Ok(Filter::All);
    }
    let mut words = text.splitn(3, ' ');
    let (Some(member), Some(operator), Some(value)) = (words.next(), words.next(), words.next()) else {
        return Err(unknown());
    };
    let value = value.trim().trim_matches('\'');
    match member.to_ascii_lowercase().as_str() {
        _ if !operator.eq_ignore_ascii_case("eq") => Err(unknown()),
        "principalid" => Guid::parse(value).map(Filter::Principal).ok_or_else(unknown),
        "rolename" => Ok(Filter::RoleName(value)),
        _ => Err(unknown()),
    }
}

#[cfg(test)]
#[path = "roles_tests.rs"]
mod tests;
