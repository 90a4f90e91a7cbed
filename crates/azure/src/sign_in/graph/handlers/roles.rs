//! Directory roles: what there is, who has one, and giving and taking them.

use crate::sign_in::graph::{
    Answer, Ask, Outcome, body,
    error::{self, Refused},
    page,
    roles::{self, ASSIGNMENTS, DEFINITIONS, ROLES, TEMPLATES},
    route::Roles,
};
use domain::{
    DirectoryRefusal, Guid, Operation, Refusal,
    access::{Caller, RoleAssignment},
};
use engine::{Cost, Engine, Error};
use http::Method;

pub(super) async fn dispatch(ask: &Ask<'_>, about: Roles<'_>) -> Outcome {
    let method = &ask.request.method;
    let found = |shown, list| Ok(Answer::Found(ask.single(shown, list)));
    match (method, about) {
        (&Method::GET, Roles::All) => list(ask, ROLES, roles::role),
        (&Method::GET, Roles::One(id)) => found(roles::role(roles::find(id)?), ROLES),
        (&Method::GET, Roles::Members(id)) => members(ask, id).await,
        (&Method::POST, Roles::MemberReferences(id)) => add_member(ask, id).await,
        (&Method::DELETE, Roles::MemberReference(id, member)) => remove_member(ask, id, member).await,
        (&Method::GET, Roles::Templates) => list(ask, TEMPLATES, roles::template),
        (&Method::GET, Roles::Template(id)) => found(roles::template(roles::find(id)?), TEMPLATES),
        (&Method::GET, Roles::Definitions) => list(ask, DEFINITIONS, roles::definition),
        (&Method::GET, Roles::Definition(id)) => found(roles::definition(roles::find(id)?), DEFINITIONS),
        (&Method::GET, Roles::Assignments) => assignments(ask).await,
        (&Method::POST, Roles::Assignments) => assign(ask).await,
        (&Method::GET, Roles::Assignment(id)) => assignment(ask, id).await,
        (&Method::DELETE, Roles::Assignment(id)) => unassign(ask, id).await,
        _ => Err(Refused::method(method.as_str())),
    }
}

fn list(ask: &Ask<'_>, name: &str, show: fn(&domain::access::RoleDefinition) -> serde_json::Value) -> Outcome {
    page::of_things(ask, roles::all().into_iter(), name, |role| show(role)).map(Answer::Found)
}

/// Everybody's roles, from the store.
async fn held(ask: &Ask<'_>) -> Result<Vec<RoleAssignment>, Refused> {
    let read = ask.front.door.run(Cost::Durable, Engine::directory_role_assignments).await;
    read.map_err(|error| error::of_engine(&error, ""))
}

async fn assignments(ask: &Ask<'_>) -> Outcome {
    page::of_things(ask, held(ask).await?.into_iter(), ASSIGNMENTS, roles::assignment).map(Answer::Found)
}

async fn assignment(ask: &Ask<'_>, id: &str) -> Outcome {
    let wanted = Guid::parse(id);
    let found = held(ask).await?.into_iter().find(|each| Some(each.name) == wanted);
    let found = found.ok_or_else(|| Refused::not_found(id))?;
    Ok(Answer::Found(ask.single(roles::assignment(&found), ASSIGNMENTS)))
}

async fn assign(ask: &Ask<'_>) -> Outcome {
    let asked = body::role_assignment(&ask.request.body);
    let principal = asked.as_ref().map(|(_, principal)| principal.to_string()).unwrap_or_default();
    let work = |engine: &Engine, caller: &Caller, (role, principal)| {
        engine.put_directory_role_assignment(caller, role, principal)
    };
    let made = ask.change(Operation::DirectoryRoleAssignmentPut, &principal, asked, work).await?;
    Ok(Answer::Created(ask.single(roles::assignment(&made), ASSIGNMENTS)))
}

async fn unassign(ask: &Ask<'_>, id: &str) -> Outcome {
    let asked = Guid::parse(id).ok_or_else(|| Refused::not_found(id));
    let work = |engine: &Engine, caller: &Caller, name| engine.delete_directory_role_assignment(caller, name);
    ask.change(Operation::DirectoryRoleAssignmentDelete, id, asked, work).await?;
    Ok(Answer::Done)
}

async fn members(ask: &Ask<'_>, id: &str) -> Outcome {
    let role = roles::find(id)?.id;
    let members = held(ask).await?.into_iter().filter(|each| each.role == role).map(|each| each.principal);
    page::of_principals(ask, &ask.directory, members.collect()).map(Answer::Found)
}

async fn add_member(ask: &Ask<'_>, id: &str) -> Outcome {
    let asked = roles::find(id).and_then(|role| Ok((role.id, body::reference(&ask.request.body)?)));
    let member = asked.as_ref().map(|(_, member)| member.to_string()).unwrap_or_default();
    let work = |engine: &Engine, caller: &Caller, (role, member)| {
        let made = engine.put_directory_role_assignment(caller, role, member);
        made.map_err(|error| match error {
            Error::Refused(Refusal::RoleAssignmentExists) => Refusal::from(DirectoryRefusal::MemberExists).into(),
            other => other,
        })
    };
    ask.change(Operation::DirectoryRoleAssignmentPut, &member, asked, work).await?;
    Ok(Answer::Done)
}

async fn remove_member(ask: &Ask<'_>, id: &str, member: &str) -> Outcome {
    let operation = Operation::DirectoryRoleAssignmentDelete;
    let asked =
        roles::find(id).and_then(|role| Ok((role.id, Guid::parse(member).ok_or_else(|| Refused::not_found(member))?)));
    let work = move |engine: &Engine, caller: &Caller, (role, member)| {
        engine.check_directory_access(caller, operation)?;
        let held = engine.directory_role_assignments()?;
        let found = held.iter().find(|each| each.role == role && each.principal == member);
        let found = found.ok_or(Refusal::RoleAssignmentNotFound)?;
        engine.delete_directory_role_assignment(caller, found.name)
    };
    ask.change(operation, member, asked, work).await?;
    Ok(Answer::Done)
}
