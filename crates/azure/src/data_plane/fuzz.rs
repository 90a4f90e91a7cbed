//! Entries for fuzzing: one for each parser of what comes from outside. None may panic, whatever the bytes.

use super::{body, page, roles, rotation, route, version::ApiVersion};
use crate::{Addresses, Request};
use bytes::Bytes;
use domain::{ContainerKind, Guid, ObjectKind, ObjectName};
use engine::Presence;
use std::net::IpAddr;

/// A method, a space, and a path with a query.
pub fn target(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let (method, uri) = text.split_once(' ').unwrap_or(("GET", text));
    let built = http::Request::builder().method(method).uri(uri).header("host", "kv.vault.localhost:8443");
    let Ok(built) = built.body(Bytes::new()) else { return };
    let Some(request) = Request::read(built, IpAddr::from([127, 0, 0, 1]), Guid::from_u128(0)) else { return };
    for kind in ContainerKind::ALL {
        if let Ok(route) = route::resolve(kind, request.method.as_str(), &request.segments()) {
            drop(route.object());
        }
    }
    let _ = request.api_version().and_then(ApiVersion::parse);
    every_list(|list| drop(page::read(&request, list)));
    drop(roles::filter(request.query("$filter")));
}

fn every_list(check: impl Fn(page::List<'_>)) {
    let Some(name) = ObjectName::parse("k") else { return };
    for kind in ObjectKind::ALL {
        check(page::List::Objects(*kind, Presence::Live));
        check(page::List::Objects(*kind, Presence::Deleted));
        check(page::List::Versions(*kind, &name));
    }
    check(page::List::Issuers);
}

/// The body of a creation.
pub fn create_body(input: &[u8]) {
    drop(body::create_key(input));
}

/// The body of setting a secret.
pub fn secret_body(input: &[u8]) {
    drop(body::set_secret(input));
}

/// The body of making, importing or completing a certificate, or of a policy.
pub fn certificate_body(input: &[u8]) {
    drop(body::create_certificate(input));
    drop(body::import_certificate(input));
    drop(body::merge_certificate(input));
    drop(body::policy(input, ApiVersion::SHOWS_ALL_NAMES));
    drop(body::update_pending(input));
}

/// The body of an issuer, or of contacts.
pub fn issuer_body(input: &[u8]) {
    drop(body::issuer(input, &Addresses::new("localhost".to_owned(), None, Guid::from_u128(0))));
    drop(body::contacts(input));
}

/// The body of an import.
pub fn import_body(input: &[u8]) {
    drop(body::import_key(input));
}

/// The body of an update.
pub fn update_body(input: &[u8]) {
    for kind in ObjectKind::ALL {
        drop(body::update(*kind, input, ApiVersion::SHOWS_ALL_NAMES));
    }
}

/// The body of encrypt, decrypt, wrapkey or unwrapkey.
pub fn operation_body(input: &[u8]) {
    drop(body::encrypt(input));
    drop(body::decrypt(input));
}

/// The body of sign or verify.
pub fn signature_body(input: &[u8]) {
    drop(body::sign(input));
    drop(body::verify(input));
}

/// The body of restore or of a request for random bytes.
pub fn other_body(input: &[u8]) {
    drop(body::restore(input));
    drop(body::random_count(input));
}

/// The body of a rotation policy.
pub fn rotation_policy_body(input: &[u8]) {
    drop(rotation::read(input));
}

/// The body of a role assignment or a role definition.
pub fn role_assignment_body(input: &[u8]) {
    drop(roles::read_assignment(input));
    drop(roles::read_definition(input));
}

/// A skip token, for each kind of list.
pub fn skip_token(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    every_list(|list| drop(page::marker(text, list)));
}
