//! What each call to the directory does: read, ask the engine, write.

mod changes;
mod members;
mod reads;
mod roles;
mod secrets;

use super::{
    Ask, Outcome,
    error::Refused,
    route::{About, Collection, Route},
};
use http::Method;

pub(super) async fn dispatch(ask: &Ask<'_>, route: Route<'_>) -> Outcome {
    let method = &ask.request.method;
    match (method, route) {
        (_, Route::Me) => Err(reads::no_user()),
        (_, Route::Unknown(segment)) => Err(Refused::no_segment(segment)),
        (&Method::GET, Route::All(collection)) => reads::list(ask, collection),
        (&Method::POST, Route::All(Collection::Users)) => changes::create_user(ask).await,
        (&Method::POST, Route::All(Collection::Groups)) => changes::create_group(ask).await,
        (&Method::POST, Route::All(Collection::Applications)) => changes::create_application(ask).await,
        (&Method::POST, Route::All(Collection::ServicePrincipals)) => changes::create_service_principal(ask).await,
        (&Method::POST, Route::GetByIds) => reads::by_ids(ask),
        (_, Route::Roles(about)) => roles::dispatch(ask, about).await,
        (_, Route::One(collection, id, about)) => of_one(ask, collection, id, about).await,
        _ => Err(Refused::method(method.as_str())),
    }
}

async fn of_one(ask: &Ask<'_>, collection: Collection, id: &str, about: About<'_>) -> Outcome {
    let method = &ask.request.method;
    match (method, about) {
        (&Method::GET, About::Itself) => reads::one(ask, collection, id),
        (&Method::PATCH, About::Itself) => changes::update(ask, collection, id).await,
        (&Method::DELETE, About::Itself) => changes::delete(ask, collection, id).await,
        (&Method::GET, About::Owners) => reads::owners(ask, collection, id),
        (&Method::GET, About::Members { transitive }) => members::list(ask, id, transitive),
        (&Method::POST, About::MemberReferences) => members::add(ask, id).await,
        (&Method::DELETE, About::MemberReference(member)) => members::remove(ask, id, member).await,
        (&Method::GET, About::MemberOf { transitive }) => members::groups(ask, collection, id, transitive),
        (&Method::POST, About::GetMemberGroups) => members::all_group_ids(ask, collection, id),
        (&Method::POST, About::CheckMemberGroups) => members::check(ask, collection, id),
        (&Method::POST, About::AddPassword) => secrets::add(ask, collection, id).await,
        (&Method::POST, About::RemovePassword) => secrets::remove(ask, collection, id).await,
        _ => Err(Refused::method(method.as_str())),
    }
}
