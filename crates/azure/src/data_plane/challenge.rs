//! The 401 of a request without a usable token.
//!
//! Clients send their first request without a body and replay it after the challenge, so this comes before the body,
//! the route and the method are looked at. Source: contract key-vault §1.1, az-client §2 ("401 challenge") and §4.7.

use crate::{Addresses, Request, Response, bearer::Unauthenticated, reply};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use domain::{ContainerKind, UnixTime};
use http::{Method, StatusCode, header};
use identity::TokenError;

/// Answers 401 with the challenge that tells a client where to get a token and for what.
pub(super) fn response(
    addresses: &Addresses,
    kind: ContainerKind,
    request: &Request,
    why: &Unauthenticated,
    now: UnixTime,
) -> Response {
    let resource = addresses.resource_url(kind, &request.host);
    let authority = addresses.authority_url(&request.host);
    let mut challenge = format!("Bearer authorization=\"{authority}\", resource=\"{resource}\"");
    if fresh_token_helps(why) {
        challenge.push_str(&claims_challenge(now));
    }
    let mut response = body(kind, request, why, &resource);
    reply::set(&mut response, header::WWW_AUTHENTICATE, &challenge);
    response
}

/// A cached token that outlived the server's key, its issuer or its own time: clients that understand continuous
/// access evaluation drop it and fetch another.
fn fresh_token_helps(why: &Unauthenticated) -> bool {
    match why {
        Unauthenticated::Missing => false,
        Unauthenticated::Rejected(error) => match error {
            TokenError::UnknownKey
            | TokenError::MissingKey
            | TokenError::Expired
            | TokenError::Issuer { .. }
            | TokenError::Gone => true,
            TokenError::Malformed
            | TokenError::NoKeys
            | TokenError::Algorithm
            | TokenError::Audience { .. }
            | TokenError::Tenant
            | TokenError::NotYetValid => false,
        },
    }
}

fn claims_challenge(now: UnixTime) -> String {
    let claims = format!(r#"{{"access_token":{{"nbf":{{"essential":true,"value":"{}"}}}}}}"#, now.0);
    format!(", error=\"insufficient_claims\", claims=\"{}\"", STANDARD.encode(claims))
}

fn body(kind: ContainerKind, request: &Request, why: &Unauthenticated, resource: &str) -> Response {
    let error = |message: String| reply::error(StatusCode::UNAUTHORIZED, "Unauthorized", None, message);
    match (kind, why) {
        (ContainerKind::Vault, Unauthenticated::Missing) => {
            error("AKV10000: Request is missing a Bearer or PoP token.".to_owned())
        }
        (ContainerKind::Vault, Unauthenticated::Rejected(why)) => error(rejection(why, resource)),
        (ContainerKind::ManagedHsm, Unauthenticated::Missing) if request.method == Method::GET => {
            reply::with_type(StatusCode::UNAUTHORIZED, "text/plain; charset=utf-8", Bytes::from_static(b"OK"))
        }
        (ContainerKind::ManagedHsm, Unauthenticated::Missing) => reply::empty(StatusCode::UNAUTHORIZED),
        (ContainerKind::ManagedHsm, Unauthenticated::Rejected(why)) => {
            error(format!("{} (Activity ID: {})", rejection(why, resource), request.id))
        }
    }
}

/// Only the texts with an AKV number, and that of a token not yet valid, are documented.
fn rejection(why: &TokenError, resource: &str) -> String {
    match why {
        TokenError::Audience { found } => {
            format!("AKV10022: Invalid audience. Expected {resource}, found: {found}.")
        }
        TokenError::Issuer { expected, found } => {
            format!("AKV10032: Invalid issuer. Expected one of {expected}, found {found}.")
        }
        TokenError::Tenant => "The token is from another tenant.".to_owned(),
        TokenError::NotYetValid => "Token not yet valid".to_owned(),
        TokenError::Expired => "The token has expired.".to_owned(),
        TokenError::UnknownKey | TokenError::MissingKey => "The token is signed with an unknown key.".to_owned(),
        TokenError::NoKeys => "The keys of the token's issuer can't be had. Try again later.".to_owned(),
        TokenError::Algorithm => "The signature algorithm of the token is not accepted.".to_owned(),
        TokenError::Malformed => "The token is malformed.".to_owned(),
        TokenError::Gone => "The principal of the token was deleted or disabled.".to_owned(),
    }
}

#[cfg(test)]
#[path = "challenge_tests.rs"]
mod tests;
