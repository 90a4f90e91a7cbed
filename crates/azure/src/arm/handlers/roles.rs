//! Role assignments of Azure RBAC.

use crate::{
    arm::{
        Answer, Arm, Ask,
        error::Failure,
        filter::{self, Condition},
        ok,
        paging::List,
        wire::roles::{self, AssignmentOut},
    },
    reply,
};
use domain::{
    Guid, Principal, Refusal,
    access::{Caller, RoleAssignment, Scope},
};
use engine::{Engine, Error, RoleAssignmentRequest};
use http::StatusCode;

/// Which assignments a filter lets through.
#[derive(Default)]
struct Wanted {
    /// `atScope()`: none from below the scope.
    not_below: bool,
    principal: Option<Guid>,
}

fn wanted(text: &str) -> Result<Wanted, Failure> {
    let mut wanted = Wanted::default();
    let id = |text: &str| Guid::parse(text).ok_or_else(|| filter::bad(text));
    for condition in filter::of(Some(text))? {
        match condition {
            Condition::Call { name, .. } if name == "atscope" => wanted.not_below = true,
            Condition::Call { name, argument } if name == "assignedto" => wanted.principal = Some(id(&argument)?),
            Condition::Equals { field, value } if field == "principalid" => wanted.principal = Some(id(&value)?),
            _ => return Err(filter::bad(text).into()),
        }
    }
    Ok(wanted)
}

impl Wanted {
    fn lets(&self, assignment: &RoleAssignment, scope: &Scope) -> bool {
        self.principal.is_none_or(|principal| principal == assignment.principal)
            && (!self.not_below || assignment.scope.covers(scope.as_str()))
    }
}

pub(super) async fn assignments(arm: &Arm, ask: &Ask, scope: &Scope) -> Answer {
    let wanted = wanted(ask.request.query("$filter").unwrap_or_default())?;
    let scope = scope.clone();
    let work = move |engine: &Engine, caller: &Caller| {
        let mut found = engine.arm_role_assignments(caller, &scope)?;
        found.retain(|assignment| wanted.lets(assignment, &scope));
        Ok((found, engine.principals()?))
    };
    let (found, principals) = arm.engine(ask, work).await?;
    ok(&List::whole(found.iter().map(|assignment| shown(assignment, &principals)).collect()))
}

fn shown(assignment: &RoleAssignment, principals: &[Principal]) -> AssignmentOut {
    let principal = principals.iter().find(|principal| principal.object_id == assignment.principal);
    roles::show_assignment(assignment, principal.map(|principal| principal.kind))
}

/// One principal, as a list, for [`shown`].
fn principal(engine: &Engine, id: Guid) -> Result<Vec<Principal>, Error> {
    match engine.principal_by_object(id) {
        Ok(found) => Ok(vec![found]),
        Err(Error::Refused(Refusal::PrincipalNotFound)) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

pub(super) async fn assignment(arm: &Arm, ask: &Ask, scope: &Scope, name: &str) -> Answer {
    let (scope, name) = (scope.clone(), roles::name_of(name)?);
    let work = move |engine: &Engine, caller: &Caller| {
        let all = engine.arm_role_assignments(caller, &scope)?;
        let found = all.into_iter().find(|found| found.name == name).ok_or(Refusal::RoleAssignmentNotFound)?;
        let principal = principal(engine, found.principal)?;
        Ok((found, principal))
    };
    let (found, principal) = arm.engine(ask, work).await?;
    ok(&shown(&found, &principal))
}

pub(super) async fn put_assignment(arm: &Arm, ask: &Ask, scope: &Scope, name: &str) -> Answer {
    let (role, holder) = roles::assignment_of(&ask.request.body)?;
    let request = RoleAssignmentRequest { name: roles::name_of(name)?, scope: scope.clone(), role, principal: holder };
    let work = move |engine: &Engine, caller: &Caller| {
        let made = engine.put_arm_role_assignment(caller, &request)?;
        let principal = principal(engine, made.principal)?;
        Ok((made, principal))
    };
    let (made, principal) = arm.engine(ask, work).await?;
    Ok(reply::json(StatusCode::CREATED, &shown(&made, &principal)))
}

/// 200 with what was removed; 204 where there was nothing to remove.
pub(super) async fn delete_assignment(arm: &Arm, ask: &Ask, scope: &Scope, name: &str) -> Answer {
    let (scope, name) = (scope.clone(), roles::name_of(name)?);
    let work = move |engine: &Engine, caller: &Caller| match engine.delete_arm_role_assignment(caller, &scope, name) {
        Ok(removed) => {
            let principal = principal(engine, removed.principal)?;
            Ok(Some((removed, principal)))
        }
        Err(Error::Refused(Refusal::RoleAssignmentNotFound)) => Ok(None),
        Err(error) => Err(error),
    };
    match arm.engine(ask, work).await? {
        Some((removed, principal)) => ok(&shown(&removed, &principal)),
        None => Ok(reply::empty(StatusCode::NO_CONTENT)),
    }
}
