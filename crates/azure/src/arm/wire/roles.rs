//! Role assignments of Azure RBAC.
//!
//! Schemas of `arm-authorization-roles-2022-04-01.json`; contract: key-vault §4, "Neighbouring calls".

use super::definitions;
use crate::{
    arm::error::{Failure, Problem},
    json::{self, Object},
};
use domain::{Guid, PrincipalKind, access::RoleAssignment};
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
pub(crate) struct AssignmentOut {
    id: String,
    name: String,
    r#type: &'static str,
    properties: AssignmentProperties,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AssignmentProperties {
    role_definition_id: String,
    principal_id: String,
    principal_type: &'static str,
    scope: String,
    created_on: String,
    updated_on: String,
}

pub(crate) fn show_assignment(assignment: &RoleAssignment, principal: Option<PrincipalKind>) -> AssignmentOut {
    let scope = &assignment.scope;
    let below = if scope.as_str() == "/" { "" } else { scope.as_str() };
    AssignmentOut {
        id: format!("{below}/providers/Microsoft.Authorization/roleAssignments/{}", assignment.name),
        name: assignment.name.to_string(),
        r#type: "Microsoft.Authorization/roleAssignments",
        properties: AssignmentProperties {
            role_definition_id: definitions::path_of(scope, assignment.role),
            principal_id: assignment.principal.to_string(),
            principal_type: match principal {
                Some(PrincipalKind::User) => "User",
                Some(PrincipalKind::ServicePrincipal) => "ServicePrincipal",
                Some(PrincipalKind::Group) => "Group",
                Some(PrincipalKind::Application) | None => "Unknown",
            },
            scope: scope.as_str().to_owned(),
            created_on: assignment.created.to_string(),
            updated_on: assignment.created.to_string(),
        },
    }
}

#[derive(Deserialize)]
struct AssignmentBody {
    properties: Option<Object<AssignmentIn>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AssignmentIn {
    role_definition_id: Option<String>,
    principal_id: Option<String>,
    condition: Option<String>,
}

/// The role and the principal in the body of an assignment.
pub(crate) fn assignment_of(body: &[u8]) -> Result<(Guid, Guid), Failure> {
    let body: AssignmentBody = json::parse(body)?;
    let Object(properties) = body.properties.ok_or_else(|| invalid("The properties are missing."))?;
    // Kept without its condition, an assignment would grant more than was meant.
    if properties.condition.is_some_and(|condition| !condition.trim().is_empty()) {
        return Err(Problem::not_supported("conditions of role assignments").into());
    }
    let role = properties.role_definition_id.as_deref().and_then(|id| Guid::parse(id.rsplit('/').next()?));
    let principal = properties.principal_id.as_deref().and_then(Guid::parse);
    match (role, principal) {
        (Some(role), Some(principal)) => Ok((role, principal)),
        (None, _) => Err(invalid("The role definition id is missing or is not a valid id.").into()),
        (_, None) => Err(invalid("The principal id is missing or is not a valid GUID.").into()),
    }
}

fn invalid(what: &str) -> Problem {
    Problem::new(http::StatusCode::BAD_REQUEST, "InvalidCreateRoleAssignmentRequest", what)
}

/// The name of an assignment, a GUID.
pub(crate) fn name_of(text: &str) -> Result<Guid, Problem> {
    Guid::parse(text).ok_or_else(|| {
        let message = format!("The name '{text}' is not a valid GUID.");
        Problem::new(http::StatusCode::BAD_REQUEST, "InvalidRoleAssignmentId", message)
    })
}
