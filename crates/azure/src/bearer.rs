//! From the `Authorization` header to a caller.

use crate::Request;
use domain::access::Caller;
use engine::{Cost, Door, Error};
use http::header;
use identity::{Claims, Identity, TokenError};
use std::sync::Arc;

/// Why a request has no caller.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unauthenticated {
    /// No bearer token at all.
    Missing,
    Rejected(TokenError),
}

/// Why nobody can be let in with a request.
#[derive(Debug)]
pub(crate) enum NoCaller {
    Unauthenticated(Unauthenticated),
    /// Who there is now can't be had.
    Failed(Error),
}

impl From<Unauthenticated> for NoCaller {
    fn from(why: Unauthenticated) -> Self {
        Self::Unauthenticated(why)
    }
}

/// The caller of a request whose token is meant for one of these audiences.
pub(crate) async fn caller(
    door: &Door,
    identity: &Arc<Identity>,
    request: &Request,
    audiences: &[String],
) -> Result<Caller, NoCaller> {
    // Not `to_str`: it looks at each of a thousand characters by itself, and a token with others in it is refused anyway.
    let value = request.headers.get(header::AUTHORIZATION).and_then(|value| str::from_utf8(value.as_bytes()).ok());
    let token = value.and_then(|value| {
        let (scheme, token) = value.trim().split_once(' ')?;
        scheme.eq_ignore_ascii_case("Bearer").then_some(token.trim())
    });
    let token = token.filter(|token| !token.is_empty()).ok_or(Unauthenticated::Missing)?;
    let claims = claims(door, identity, token, audiences).await.map_err(Unauthenticated::Rejected)?;
    let groups = door.ask_directory(|directory| claims.groups_in(directory)).await.map_err(NoCaller::Failed)?;
    let groups = groups.map_err(Unauthenticated::Rejected)?;
    Ok(Caller {
        tenant: claims.tenant,
        object_id: claims.object_id,
        app_id: claims.app_id,
        groups,
        issuer: claims.issuer.clone(),
        address: Some(request.address),
        correlation_id: request.id,
        origin: Arc::new(request.origin()),
    })
}

/// What the token says. One of a key that is not known yet waits, once, until the external issuer has been asked for its
/// keys; how long that may take is bounded where it is done.
async fn claims(
    door: &Door,
    identity: &Arc<Identity>,
    token: &str,
    audiences: &[String],
) -> Result<Arc<Claims>, TokenError> {
    match identity.validate(token, audiences) {
        Err(reason) if identity.may_learn_keys(&reason) => {
            let (identity, token, audiences) = (Arc::clone(identity), token.to_owned(), audiences.to_vec());
            let asked = door.run(Cost::Remote, move |_| Ok(identity.validate_learning(&token, &audiences)));
            // Where too many wait already, the refusal stands, and the client will come again.
            asked.await.unwrap_or(Err(reason))
        }
        known => known,
    }
}
