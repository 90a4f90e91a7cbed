//! Local roles of a managed HSM (contract: managed-hsm §1.3).

use crate::{
    data_plane::{
        Answer, Call, DataPlane,
        body::bad,
        error::Problem,
        roles::{self, Filter, ListResult, RoleAssignment, RoleDefinition},
        route::Route,
    },
    reply,
};
use domain::{
    Guid, ObjectName, Refusal,
    access::{RoleDefinitionRequest, Scope},
};
use engine::{Cost, RoleAssignmentRequest};
use http::StatusCode;
use std::sync::Arc;

/// The scope of a path, and a key's name in it checked.
fn scope(route: &Route<'_>) -> Result<Scope, Problem> {
    let scope = route.scope.clone().unwrap_or_else(Scope::root);
    let name = scope.as_str().split('/').nth(2);
    match name.filter(|name| ObjectName::parse(name).is_none()) {
        Some(name) => Err(Refusal::NameInvalid { name: name.to_owned() }.into()),
        None => Ok(scope),
    }
}

fn assignment_name(route: &Route<'_>) -> Result<Guid, Problem> {
    Guid::parse(route.name.unwrap_or_default()).ok_or_else(|| bad("roleAssignmentName", "is not a GUID"))
}

/// The id of a definition to write. Definitions live at the root (contract: managed-hsm §1.3, "Scopes").
fn definition_id(route: &Route<'_>) -> Result<Guid, Problem> {
    if route.scope.as_ref().is_some_and(|scope| *scope != Scope::root()) {
        return Err(bad("scope", "of a role definition is '/'"));
    }
    let id = Guid::parse(route.name.unwrap_or_default());
    id.ok_or_else(|| Problem::BadParameter("Role definition name must be a GUID".to_owned()))
}

impl DataPlane {
    pub(in crate::data_plane) async fn list_role_definitions(&self, call: &Arc<Call>, route: &Route<'_>) -> Answer {
        let filter = roles::filter(call.request.query("$filter"))?;
        let scope = scope(route)?;
        let list = self.run(call, Cost::Durable, move |engine, call| {
            engine.hsm_role_definitions(&call.caller, &call.container, &scope)
        });
        let found = list.await?;
        let wanted = found.iter().filter(|role| match &filter {
            Filter::All => true,
            Filter::RoleName(name) => role.name.eq_ignore_ascii_case(name),
            Filter::Principal(_) => false,
        });
        let value = wanted.map(RoleDefinition::new).collect();
        Ok(reply::json(StatusCode::OK, &ListResult { value }))
    }

    pub(in crate::data_plane) async fn get_role_definition(&self, call: &Arc<Call>, route: &Route<'_>) -> Answer {
        let scope = scope(route)?;
        let list = self.run(call, Cost::Durable, move |engine, call| {
            engine.hsm_role_definitions(&call.caller, &call.container, &scope)
        });
        let id = Guid::parse(route.name.unwrap_or_default());
        let found = list.await?.into_iter().find(|role| Some(role.id) == id).ok_or(Refusal::RoleDefinitionNotFound)?;
        Ok(reply::json(StatusCode::OK, &RoleDefinition::new(&found)))
    }

    /// Making and changing are one call, and one answer.
    pub(in crate::data_plane) async fn put_role_definition(&self, call: &Arc<Call>, route: &Route<'_>) -> Answer {
        let id = definition_id(route)?;
        let request = RoleDefinitionRequest { id, ..roles::read_definition(&call.request.body)? };
        let put = self.run(call, Cost::Durable, move |engine, call| {
            engine.put_hsm_role_definition(&call.caller, &call.container, &request)
        });
        Ok(reply::json(StatusCode::CREATED, &RoleDefinition::new(&put.await?)))
    }

    pub(in crate::data_plane) async fn delete_role_definition(&self, call: &Arc<Call>, route: &Route<'_>) -> Answer {
        let id = definition_id(route)?;
        let delete = self.run(call, Cost::Durable, move |engine, call| {
            engine.delete_hsm_role_definition(&call.caller, &call.container, id)
        });
        Ok(reply::json(StatusCode::OK, &RoleDefinition::new(&delete.await?)))
    }

    pub(in crate::data_plane) async fn list_role_assignments(&self, call: &Arc<Call>, route: &Route<'_>) -> Answer {
        let filter = roles::filter(call.request.query("$filter"))?;
        let scope = scope(route)?;
        let list = self.run(call, Cost::Durable, move |engine, call| {
            engine.hsm_role_assignments(&call.caller, &call.container, &scope)
        });
        let found = list.await?;
        let wanted = found.iter().filter(|assignment| match filter {
            Filter::All => true,
            Filter::Principal(principal) => assignment.principal == principal,
            Filter::RoleName(_) => false,
        });
        let value = wanted.map(RoleAssignment::new).collect();
        Ok(reply::json(StatusCode::OK, &ListResult { value }))
    }

    pub(in crate::data_plane) async fn get_role_assignment(&self, call: &Arc<Call>, route: &Route<'_>) -> Answer {
        let (scope, name) = (scope(route)?, assignment_name(route)?);
        let list = self.run(call, Cost::Durable, move |engine, call| {
            engine.hsm_role_assignments(&call.caller, &call.container, &scope)
        });
        let found = list.await?.into_iter().find(|assignment| assignment.name == name);
        let found = found.ok_or(Refusal::RoleAssignmentNotFound)?;
        Ok(reply::json(StatusCode::OK, &RoleAssignment::new(&found)))
    }

    pub(in crate::data_plane) async fn put_role_assignment(&self, call: &Arc<Call>, route: &Route<'_>) -> Answer {
        let (scope, name) = (scope(route)?, assignment_name(route)?);
        let (role, principal) = roles::read_assignment(&call.request.body)?;
        let request = RoleAssignmentRequest { name, scope, role, principal };
        let put = self.run(call, Cost::Durable, move |engine, call| {
            engine.put_hsm_role_assignment(&call.caller, &call.container, &request)
        });
        Ok(reply::json(StatusCode::CREATED, &RoleAssignment::new(&put.await?)))
    }

    pub(in crate::data_plane) async fn delete_role_assignment(&self, call: &Arc<Call>, route: &Route<'_>) -> Answer {
        let (scope, name) = (scope(route)?, assignment_name(route)?);
        let delete = self.run(call, Cost::Durable, move |engine, call| {
            engine.delete_hsm_role_assignment(&call.caller, &call.container, &scope, name)
        });
        Ok(reply::json(StatusCode::OK, &RoleAssignment::new(&delete.await?)))
    }
}
