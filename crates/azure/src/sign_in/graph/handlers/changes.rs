//! Users, groups, applications and service principals: made, changed, deleted.

use crate::sign_in::graph::{
    Answer, Ask, Outcome,
    body::{self, Changing},
    error::Refused,
    face::Face,
    route::Collection,
};
use domain::{Guid, Operation};

pub(super) async fn create_user(ask: &Ask<'_>) -> Outcome {
    let new = body::user(&ask.request.body);
    let work = |engine: &engine::Engine, caller: &_, new| engine.create_user(caller, &new);
    let made = ask.change(Operation::UserCreate, "", new, work).await?;
    Ok(Answer::Created(ask.entity(Face::Principal(&made), Collection::Users)))
}

pub(super) async fn create_group(ask: &Ask<'_>) -> Outcome {
    let new = body::group(&ask.request.body);
    let work = |engine: &engine::Engine, caller: &_, new| engine.create_group(caller, &new);
    let made = ask.change(Operation::GroupCreate, "", new, work).await?;
    Ok(Answer::Created(ask.entity(Face::Principal(&made), Collection::Groups)))
}

pub(super) async fn create_application(ask: &Ask<'_>) -> Outcome {
    let new = body::application(&ask.request.body);
    let work = |engine: &engine::Engine, caller: &_, new| engine.create_application(caller, &new);
    let made = ask.change(Operation::ApplicationCreate, "", new, work).await?;
    Ok(Answer::Created(ask.entity(Face::Application(&made), Collection::Applications)))
}

pub(super) async fn create_service_principal(ask: &Ask<'_>) -> Outcome {
    let new = body::service_principal(&ask.request.body);
    let app_id = new.as_ref().map(|(app_id, _)| app_id.to_string()).unwrap_or_default();
    let work = |engine: &engine::Engine, caller: &_, (app_id, enabled)| {
        engine.create_service_principal(caller, app_id, enabled)
    };
    let made = ask.change(Operation::ServicePrincipalCreate, &app_id, new, work).await?;
    Ok(Answer::Created(ask.entity(Face::Principal(&made), Collection::ServicePrincipals)))
}

/// What a change of a collection's objects is called, and what it may hold.
fn changing(collection: Collection) -> Option<(Operation, Operation, Changing)> {
    match collection {
        Collection::Users => Some((Operation::UserUpdate, Operation::UserDelete, Changing::User)),
        Collection::Groups => Some((Operation::GroupUpdate, Operation::GroupDelete, Changing::Group)),
        Collection::Applications => {
            Some((Operation::ApplicationUpdate, Operation::ApplicationDelete, Changing::Application))
        }
        Collection::ServicePrincipals => {
            Some((Operation::ServicePrincipalUpdate, Operation::ServicePrincipalDelete, Changing::ServicePrincipal))
        }
        // An object is changed as what it is.
        Collection::DirectoryObjects => None,
    }
}

pub(super) async fn update(ask: &Ask<'_>, collection: Collection, id: &str) -> Outcome {
    let Some((operation, _, what)) = changing(collection) else {
        return Err(Refused::method(ask.request.method.as_str()));
    };
    let asked = found(ask, collection, id).and_then(|id| Ok((id, body::changes(&ask.request.body, what)?)));
    let work = move |engine: &engine::Engine, caller: &_, (id, changes)| match what {
        Changing::User => engine.update_user(caller, id, &changes),
        Changing::Group => engine.update_group(caller, id, &changes),
        Changing::Application => engine.update_application(caller, id, &changes),
        Changing::ServicePrincipal => engine.update_service_principal(caller, id, &changes),
    };
    ask.change(operation, id, asked, work).await?;
    Ok(Answer::Done)
}

pub(super) async fn delete(ask: &Ask<'_>, collection: Collection, id: &str) -> Outcome {
    let Some((_, operation, what)) = changing(collection) else {
        return Err(Refused::method(ask.request.method.as_str()));
    };
    let work = move |engine: &engine::Engine, caller: &_, id| match what {
        Changing::User => engine.delete_user(caller, id),
        Changing::Group => engine.delete_group(caller, id),
        Changing::Application => engine.delete_application(caller, id),
        Changing::ServicePrincipal => engine.delete_service_principal(caller, id),
    };
    ask.change(operation, id, found(ask, collection, id), work).await?;
    Ok(Answer::Done)
}

/// The object id that a path means.
pub(super) fn found(ask: &Ask<'_>, collection: Collection, id: &str) -> Result<Guid, Refused> {
    let directory = &ask.directory;
    Face::find(directory, collection, id).map(Face::id).ok_or_else(|| Refused::not_found(id))
}
