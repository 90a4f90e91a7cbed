//! Entries for random input: none of these may panic.

use super::{
    body::{self, Changing},
    face::Face,
    route::{Collection, Route},
};
use domain::{Directory, Guid, Principal, PrincipalKind, UnixTime};

/// A path, and the look-up of what it names.
pub(crate) fn route(path: &[&str]) {
    let Some(Route::One(collection, id, _)) = Route::of(path) else { return };
    let application = Principal::application(Guid::from_u128(1), Guid::from_u128(2), "a", UnixTime(0));
    let user = Principal {
        user_principal_name: Some("u@x".to_owned()),
        ..Principal::new(Guid::from_u128(3), PrincipalKind::User, "u", UnixTime(0))
    };
    let directory = Directory::new(vec![application, user], &[]);
    for collection in [collection, Collection::DirectoryObjects] {
        let _ = Face::find(&directory, collection, id).map(|face| face.typed(Guid::from_u128(4)));
    }
}

/// A body, as each call that has one reads it. What is accepted keeps the rules of the domain or is refused by them.
pub(crate) fn bodies(bytes: &[u8]) {
    let _ = body::group(bytes).map(drop);
    let _ = body::application(bytes).map(drop);
    let _ = body::service_principal(bytes);
    let _ = body::secret(bytes).map(drop);
    let _ = body::key_id(bytes);
    let _ = body::role_assignment(bytes);
    let _ = body::reference(bytes);
    let _ = body::group_ids(bytes);
    let _ = body::ids_and_types(bytes);
    let _ = body::user(bytes).map(drop);
    for kind in [Changing::User, Changing::Group, Changing::ServicePrincipal, Changing::Application] {
        if let Ok(changes) = body::changes(bytes, kind) {
            let _ = Principal::new(Guid::from_u128(1), PrincipalKind::Group, "g", UnixTime(0)).change(&changes);
        }
    }
}
