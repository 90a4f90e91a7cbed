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
    Directory, Guid, Refusal,
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
    /// `assignedTo()`: those of the principal's groups too.
    through_groups: bool,
}

fn wanted(text: &str) -> Result<Wanted, Failure> {
    let mut wanted = Wanted::default();
    let id = |text: &str| Guid::parse(text).ok_or_else(|| filter::bad(text));
    for condition in filter::of(Some(text))? {
        match condition {
            Condition::Call { name, .. } if name == "atscope" => wanted.not_below = true,
            Condition::Call { name, argument } if name == "assignedto" => {
                wanted.principal = Some(id(&argument)?);
                wanted.through_groups = true;
            }
            Condition::Equals { field, value } if field == "principalid" => wanted.principal = Some(id(&value)?),
            _ => return Err(filter::bad(text).into()),
        }
    }
    Ok(wanted)
}

impl Wanted {
    /// Whose assignments are wanted; `None`: everybody's.
    fn principals(&self, directory: &Directory) -> Option<Vec<Guid>> {
        let groups = |of| if self.through_groups { directory.groups_of(of) } else { Vec::new() };
        self.principal.map(|principal| groups(principal).into_iter().chain([principal]).collect())
    }

    fn reaches(&self, assignment: &RoleAssignment, scope: &Scope) -> bool {
        !self.not_below || assignment.scope.covers(scope.as_str())
    }
}

pub(super) async fn assignments(arm: &Arm, ask: &Ask, scope: &Scope) -> Answer {
    let wanted = wanted(ask.request.query("$filter").unwrap_or_default())?;
    let (scope, directory) = (scope.clone(), arm.door.directory().await?);
    let whose = wanted.principals(&directory);
    let work = move |engine: &Engine, caller: &Caller| {
        let mut found = engine.arm_role_assignments(caller, &scope)?;
        found.retain(|assignment| {
            wanted.reaches(assignment, &scope)
                && whose.as_ref().is_none_or(|whose| whose.contains(&assignment.principal))
        });
        Ok(found)
    };
    let found = arm.engine(ask, work).await?;
    ok(&List::whole(found.iter().map(|assignment| shown(&directory, assignment)).collect()))
}

/// An assignment on the wire. What is not in the directory, or not any more, is of an unknown type.
fn shown(directory: &Directory, assignment: &RoleAssignment) -> AssignmentOut {
    roles::show_assignment(assignment, directory.principal(assignment.principal).map(|found| found.kind))
}

pub(super) async fn assignment(arm: &Arm, ask: &Ask, scope: &Scope, name: &str) -> Answer {
    let (scope, name) = (scope.clone(), roles::name_of(name)?);
    let work = move |engine: &Engine, caller: &Caller| {
        let all = engine.arm_role_assignments(caller, &scope)?;
        Ok(all.into_iter().find(|found| found.name == name).ok_or(Refusal::RoleAssignmentNotFound)?)
    };
    let directory = arm.door.directory().await?;
    let found = arm.engine(ask, work).await?;
    ok(&shown(&directory, &found))
}

pub(super) async fn put_assignment(arm: &Arm, ask: &Ask, scope: &Scope, name: &str) -> Answer {
    let (role, holder) = roles::assignment_of(&ask.request.body)?;
    let request = RoleAssignmentRequest { name: roles::name_of(name)?, scope: scope.clone(), role, principal: holder };
    let work = move |engine: &Engine, caller: &Caller| engine.put_arm_role_assignment(caller, &request);
    let directory = arm.door.directory().await?;
    let made = arm.engine(ask, work).await?;
    Ok(reply::json(StatusCode::CREATED, &shown(&directory, &made)))
}

/// 200 with what was removed; 204 where there was nothing to remove.
pub(super) async fn delete_assignment(arm: &Arm, ask: &Ask, scope: &Scope, name: &str) -> Answer {
    let (scope, name) = (scope.clone(), roles::name_of(name)?);
    let work = move |engine: &Engine, caller: &Caller| match engine.delete_arm_role_assignment(caller, &scope, name) {
        Ok(removed) => Ok(Some(removed)),
        Err(Error::Refused(Refusal::RoleAssignmentNotFound)) => Ok(None),
        Err(error) => Err(error),
    };
    let directory = arm.door.directory().await?;
    match arm.engine(ask, work).await? {
        Some(removed) => ok(&shown(&directory, &removed)),
        None => Ok(reply::empty(StatusCode::NO_CONTENT)),
    }
}
