//! Role definitions of Azure RBAC, built in and custom.

use crate::{
    arm::{
        Answer, Arm, Ask,
        error::Failure,
        filter::{self, Condition},
        ok,
        paging::List,
        wire::definitions,
    },
    reply,
};
use domain::{
    Refusal,
    access::{RoleDefinition, RoleDefinitionRequest, Scope},
};
use engine::Error;
use http::StatusCode;

/// Which definitions a filter lets through.
#[derive(Default)]
struct Wanted {
    name: Option<String>,
    built_in: Option<bool>,
    /// `atScopeAndBelow()`: also what is assignable only below the scope.
    below: bool,
}

fn wanted(text: &str) -> Result<Wanted, Failure> {
    let mut wanted = Wanted::default();
    for condition in filter::of(Some(text))? {
        match condition {
            Condition::Equals { field, value } if field == "rolename" => wanted.name = Some(value),
            Condition::Equals { field, value } if field == "type" && value.eq_ignore_ascii_case("BuiltInRole") => {
                wanted.built_in = Some(true);
            }
            Condition::Equals { field, value } if field == "type" && value.eq_ignore_ascii_case("CustomRole") => {
                wanted.built_in = Some(false);
            }
            Condition::Call { name, .. } if name == "atscopeandbelow" => wanted.below = true,
            Condition::Call { name, .. } if name == "atscope" => {}
            _ => return Err(filter::bad(text).into()),
        }
    }
    Ok(wanted)
}

impl Wanted {
    fn lets(&self, role: &RoleDefinition, scope: &Scope) -> bool {
        let is_below = || role.assignable_scopes.iter().any(|assignable| scope.covers(assignable.as_str()));
        self.name.as_ref().is_none_or(|name| role.name.eq_ignore_ascii_case(name))
            && self.built_in.is_none_or(|built_in| built_in == role.is_built_in())
            && (role.is_assignable_at(scope) || (self.below && is_below()))
    }
}

/// Lists what may be assigned at a scope.
pub(super) async fn list(arm: &Arm, ask: &Ask, scope: &Scope) -> Answer {
    let wanted = wanted(ask.request.query("$filter").unwrap_or_default())?;
    let mut found = arm.engine(ask, |engine, _| engine.arm_role_definitions()).await?;
    found.retain(|role| wanted.lets(role, scope));
    ok(&List::whole(found.iter().map(|role| definitions::show(role, scope)).collect()))
}

/// One definition, seen from whatever scope.
pub(super) async fn show(arm: &Arm, ask: &Ask, scope: &Scope, name: &str) -> Answer {
    let id = definitions::id_of(name)?;
    let all = arm.engine(ask, |engine, _| engine.arm_role_definitions()).await?;
    let found = all.iter().find(|role| role.id == id).ok_or(Refusal::RoleDefinitionNotFound)?;
    ok(&definitions::show(found, scope))
}

/// Making and changing are one call, and one answer.
pub(super) async fn put(arm: &Arm, ask: &Ask, scope: &Scope, name: &str) -> Answer {
    let id = definitions::id_of(name)?;
    let request = RoleDefinitionRequest { id, ..definitions::read(&ask.request.body)? };
    let at = scope.clone();
    let made = arm.engine(ask, move |engine, caller| engine.put_arm_role_definition(caller, &at, &request)).await?;
    Ok(reply::json(StatusCode::CREATED, &definitions::show(&made, scope)))
}

/// 200 with what was removed; 204 where there was nothing to remove.
pub(super) async fn delete(arm: &Arm, ask: &Ask, scope: &Scope, name: &str) -> Answer {
    let (id, at) = (definitions::id_of(name)?, scope.clone());
    let removed = arm.engine(ask, move |engine, caller| match engine.delete_arm_role_definition(caller, &at, id) {
        Ok(removed) => Ok(Some(removed)),
        Err(Error::Refused(Refusal::RoleDefinitionNotFound)) => Ok(None),
        Err(error) => Err(error),
    });
    match removed.await? {
        Some(removed) => ok(&definitions::show(&removed, scope)),
        None => Ok(reply::empty(StatusCode::NO_CONTENT)),
    }
}
