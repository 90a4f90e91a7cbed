//! Lists, objects, and what is asked about several at once.

use crate::sign_in::graph::{Answer, Ask, Outcome, body, error::Refused, face::Face, page, route::Collection};
use domain::Guid;
use http::StatusCode;
use std::collections::HashSet;

/// Whoever has a token here is an application.
pub(super) fn no_user() -> Refused {
    let message = "/me request is only valid with delegated authentication flow.";
    Refused::new(StatusCode::BAD_REQUEST, "BadRequest", message)
}

pub(super) fn list(ask: &Ask<'_>, collection: Collection) -> Outcome {
    page::of_collection(ask, &ask.directory, collection).map(Answer::Found)
}

pub(super) fn one(ask: &Ask<'_>, collection: Collection, id: &str) -> Outcome {
    let directory = &ask.directory;
    let found = Face::find(directory, collection, id).ok_or_else(|| Refused::not_found(id))?;
    Ok(Answer::Found(ask.entity(found, collection)))
}

/// Nobody owns anything: who changes what is said by directory roles.
pub(super) fn owners(ask: &Ask<'_>, collection: Collection, id: &str) -> Outcome {
    let directory = &ask.directory;
    Face::find(directory, collection, id).ok_or_else(|| Refused::not_found(id))?;
    Ok(Answer::Found(ask.list(Collection::DirectoryObjects.name(), Vec::new())))
}

/// Those of some ids that there are, and that are of the types asked for. A type that is not known fits nobody.
pub(super) fn by_ids(ask: &Ask<'_>) -> Outcome {
    let (ids, types) = body::ids_and_types(&ask.request.body)?;
    let is_wanted = |face: &Face<'_>| {
        let is_type = |wanted: &String| wanted.eq_ignore_ascii_case(face.type_name()) || wanted == "directoryObject";
        types.is_empty() || types.iter().any(is_type)
    };
    let directory = &ask.directory;
    let mut seen = HashSet::new();
    let ids = ids.iter().filter(|id| Guid::parse(id).is_some_and(|id| seen.insert(id)));
    let found = ids.filter_map(|id| Face::find(directory, Collection::DirectoryObjects, id)).filter(is_wanted);
    let shown = found.map(|face| face.typed(ask.front.addresses.tenant)).collect();
    Ok(Answer::Found(ask.list(Collection::DirectoryObjects.name(), shown)))
}
