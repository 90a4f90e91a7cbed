//! Roles of the directory on the wire. Each is shown three ways, always under its template's id: as a role that has
//! members, as the template of that, and as a definition that is assigned.
//!
//! Source: Microsoft Graph REST API v1.0 reference, `directoryRole`, `directoryRoleTemplate`, `unifiedRoleDefinition`,
//! `unifiedRoleAssignment`.

use super::{
    error::Refused,
    filter::{Filtered, Property},
    page::Listed,
};
use domain::{
    Guid,
    access::{RoleAssignment, RoleDefinition, directory_roles},
};
use serde_json::{Value, json};

pub(super) const ROLES: &str = "directoryRoles";
pub(super) const TEMPLATES: &str = "directoryRoleTemplates";
pub(super) const DEFINITIONS: &str = "roleManagement/directory/roleDefinitions";
pub(super) const ASSIGNMENTS: &str = "roleManagement/directory/roleAssignments";

/// All of them, in the order of their ids.
pub(super) fn all() -> Vec<&'static RoleDefinition> {
    let mut all: Vec<_> = directory_roles().iter().collect();
    all.sort_unstable_by_key(|role| role.id);
    all
}

/// The role that a path names, by its id or by that of its template, which is the same.
pub(super) fn find(id: &str) -> Result<&'static RoleDefinition, Refused> {
    let bare = id.strip_prefix("roleTemplateId=").map_or(id, |id| id.trim_matches('\''));
    let wanted = Guid::parse(bare);
    directory_roles().iter().find(|role| Some(role.id) == wanted).ok_or_else(|| Refused::not_found(id))
}

pub(super) fn role(role: &RoleDefinition) -> Value {
    json!({
        "id": role.id,
        "deletedDateTime": null,
        "description": role.description,
        "displayName": role.name,
        "roleTemplateId": role.id,
    })
}

pub(super) fn template(role: &RoleDefinition) -> Value {
    json!({
        "id": role.id,
        "deletedDateTime": null,
        "description": role.description,
        "displayName": role.name,
    })
}

pub(super) fn definition(role: &RoleDefinition) -> Value {
    json!({
        "id": role.id,
        "description": role.description,
        "displayName": role.name,
        "isBuiltIn": true,
        "isEnabled": true,
        "resourceScopes": ["/"],
        "rolePermissions": [{ "allowedResourceActions": role.permissions.actions, "condition": null }],
        "templateId": role.id,
        "version": "1",
    })
}

pub(super) fn assignment(assignment: &RoleAssignment) -> Value {
    json!({
        "id": assignment.name,
        "directoryScopeId": assignment.scope.as_str(),
        "principalId": assignment.principal,
        "roleDefinitionId": assignment.role,
    })
}

impl Filtered for &RoleDefinition {
    const PROPERTIES: &'static [Property] = &[Property::Id, Property::DisplayName, Property::TemplateId];

    fn value(&self, property: Property) -> Option<String> {
        match property {
            Property::Id | Property::TemplateId => Some(self.id.to_string()),
            Property::DisplayName => Some(self.name.clone()),
            _ => None,
        }
    }
}

impl Listed for &RoleDefinition {
    fn key(&self) -> Guid {
        self.id
    }
}

impl Filtered for RoleAssignment {
    const PROPERTIES: &'static [Property] = &[Property::Id, Property::PrincipalId, Property::RoleDefinitionId];

    fn value(&self, property: Property) -> Option<String> {
        match property {
            Property::Id => Some(self.name.to_string()),
            Property::PrincipalId => Some(self.principal.to_string()),
            Property::RoleDefinitionId => Some(self.role.to_string()),
            _ => None,
        }
    }
}

impl Listed for RoleAssignment {
    fn key(&self) -> Guid {
        self.name
    }
}
