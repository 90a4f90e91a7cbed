//! One entry per parser of outside bytes, for fuzzers: none may panic, whatever the bytes. Not part of the interface.

use super::{filter, handlers, paging, route, version, wire};
use domain::{ContainerKind, Guid, ResourceId, access::Scope};

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// A path becomes a route or a named refusal; ids made of it are paths again.
pub fn route(bytes: &[u8]) {
    let path: Vec<&str> = text(bytes).split('/').filter(|segment| !segment.is_empty()).collect();
    match route::resolve(&path) {
        Ok(route::Route::Container(place)) => {
            assert_eq!(route::place_of(&super::ids::container(&place)), Some(place), "an id names its own place");
        }
        Ok(route) => assert!(!route.methods().is_empty(), "a route answers some method"),
        Err(none) => drop(none.problem(None)),
    }
}

/// `$filter`, and the months that one on usage asks for.
pub fn filter(bytes: &[u8]) {
    drop(filter::of(Some(text(bytes))));
    drop(handlers::usage::wanted(text(bytes)));
}

/// `api-version`, `$top`, `$skiptoken`.
pub fn query(bytes: &[u8]) {
    let text = text(bytes);
    drop(version::ApiVersion::of(&route::Route::KeyVaultOperations, Some(text)));
    drop(version::ApiVersion::of(&route::Route::Tenants, Some(text)));
    drop(paging::page_of(Some(text), None, None));
    drop(paging::page_of(None, Some(text), None));
}

fn container(kind: ContainerKind, bytes: &[u8]) {
    let resource = ResourceId { subscription: Guid::from_u128(1), resource_group: "rg".to_owned() };
    let place = route::Place { kind, resource, name: "kv-1".to_owned() };
    if let Ok(body) = wire::read::ContainerBody::read(bytes) {
        drop(body.recovers());
        drop(body.into_request(&place, engine::CreationTerms::default()));
    }
    if let Ok(body) = wire::read::ContainerBody::read(bytes) {
        drop(body.into_patch(kind));
    }
    drop(wire::read::name_to_check(kind, bytes));
}

/// Bodies of PUT and PATCH of a vault.
pub fn vault_body(bytes: &[u8]) {
    container(ContainerKind::Vault, bytes);
}

/// Bodies of PUT and PATCH of a managed HSM.
pub fn hsm_body(bytes: &[u8]) {
    container(ContainerKind::ManagedHsm, bytes);
}

/// Bodies of access-policy changes, role assignments, role definitions, locks, event subscriptions and resource groups.
pub fn other_body(bytes: &[u8]) {
    drop(wire::read::policies_of(bytes));
    drop(wire::roles::assignment_of(bytes));
    drop(wire::definitions::read(bytes));
    drop(wire::locks::read(&Scope::root(), "l", bytes));
    drop(wire::notices::read("events", bytes, false));
    drop(wire::notices::read("events", bytes, true));
    drop(wire::directory::GroupBody::read(bytes));
}

/// A scope in its canonical case stays as it is when it is read again.
pub fn scope(bytes: &[u8]) {
    let path: Vec<&str> = text(bytes).split('/').filter(|segment| !segment.is_empty()).collect();
    if let Some(scope) = super::ids::scope(&path) {
        let again: Vec<&str> = scope.as_str().split('/').filter(|segment| !segment.is_empty()).collect();
        let again = super::ids::scope(&again);
        assert_eq!(again.as_ref().map(Scope::as_str), Some(scope.as_str()), "a scope has one form");
    }
}
