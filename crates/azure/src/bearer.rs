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
    let token = request.headers.get(header::AUTHORIZATION).and_then(|value| bearer_token(value.as_bytes()));
    let token = token.ok_or(Unauthenticated::Missing)?;
    let claims = claims(door, identity, token, audiences).await.map_err(Unauthenticated::Rejected)?;
    let groups = door.ask_directory(|directory| claims.groups_in(directory)).await.map_err(NoCaller::Failed)?;
    let groups = groups.map_err(Unauthenticated::Rejected)?;
    Ok(Caller {
        tenant: claims.tenant,
        object_id: claims.object_id,
        app_id: claims.app_id,
        groups,
        issuer: Arc::clone(&claims.issuer),
        address: Some(request.address),
        correlation_id: request.id,
        origin: Arc::new(request.origin()),
    })
}

/// The token in a header's value, if there is one. Bytes: a token is a kilobyte, and one that is known need not be read.
fn bearer_token(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.trim_ascii().split_at_checked(b"Bearer".len())?;
    let is_bearer = scheme.eq_ignore_ascii_case(b"Bearer") && token.starts_with(b" ");
    Some(token.trim_ascii()).filter(|token| is_bearer && !token.is_empty())
}

/// What the token says. One of a key that is not known yet waits, once, until the external issuer has been asked for its
/// keys; how long that may take is bounded where it is done.
async fn claims(
    door: &Door,
    identity: &Arc<Identity>,
    token: &[u8],
    audiences: &[String],
) -> Result<Arc<Claims>, TokenError> {
    match identity.validate(token, audiences) {
        Err(reason) if identity.may_learn_keys(&reason) => {
            let (identity, token, audiences) = (Arc::clone(identity), token.to_vec(), audiences.to_vec());
            let asked = door.run(Cost::Remote, move |_| Ok(identity.validate_learning(&token, &audiences)));
            // Where too many wait already, the refusal stands, and the client will come again.
            asked.await.unwrap_or(Err(reason))
        }
        known => known,
    }
}

#[cfg(test)]
mod tests {
    use super::bearer_token;

    #[test]
    fn a_token_stands_behind_its_scheme_and_a_space() {
        for (value, token) in [
            (&b"Bearer a.b.c"[..], Some(&b"a.b.c"[..])),
            (b" bEARER   a.b.c ", Some(b"a.b.c")),
            (b"Bearer \xff", Some(b"\xff")),
            (b"Bearer", None),
            (b"Bearer ", None),
            (b"Bearera.b.c", None),
            (b"Basic a.b.c", None),
            (b"B\xc3\xa9arer a", None),
            (b"", None),
        ] {
            assert_eq!(bearer_token(value), token, "{}", value.escape_ascii());
        }
    }
}
