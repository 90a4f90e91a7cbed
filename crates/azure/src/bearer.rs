//! From the `Authorization` header to a caller.

use crate::Request;
use domain::access::Caller;
use http::header;
use identity::{Identity, TokenError};
use std::sync::Arc;

/// Why a request has no caller.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unauthenticated {
    /// No bearer token at all.
    Missing,
    Rejected(TokenError),
}

/// The caller of a request whose token is meant for one of these audiences.
pub(crate) fn caller(identity: &Identity, request: &Request, audiences: &[String]) -> Result<Caller, Unauthenticated> {
    let value = request.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = value.and_then(|value| {
        let (scheme, token) = value.trim().split_once(' ')?;
        scheme.eq_ignore_ascii_case("Bearer").then_some(token.trim())
    });
    let token = token.filter(|token| !token.is_empty()).ok_or(Unauthenticated::Missing)?;
    let claims = identity.validate(token, audiences).map_err(Unauthenticated::Rejected)?;
    Ok(Caller {
        tenant: claims.tenant,
        object_id: claims.object_id,
        app_id: claims.app_id,
        groups: claims.groups.clone(),
        issuer: claims.issuer.clone(),
        address: Some(request.address),
        correlation_id: request.id,
        origin: Arc::new(request.origin()),
    })
}
