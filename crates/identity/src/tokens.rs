//! Tokens whose signature has been checked, and revocations.
//!
//! Invariant: what is remembered was signed by our key and issued by us for our tenant. Everything that can change
//! with time (expiry, revocation) or with the question (audience) is decided at each use.

use crate::{Claims, Issued, TokenError, jwt::Payload};
use domain::{Guid, UnixTime};
use parking_lot::RwLock;
use std::{collections::HashMap, sync::Arc};

/// At about 1 KiB each.
const MOST_REMEMBERED: usize = 16_384;
/// How far a token's beginning may lie in the future. There is no leeway at its end.
const LEEWAY_SECONDS: i64 = 300;

/// A token of ours.
#[derive(Debug)]
pub(crate) struct Verified {
    /// Without a slash at its end.
    audience: String,
    issued: UnixTime,
    not_before: UnixTime,
    expires: UnixTime,
    claims: Arc<Claims>,
}

fn bare(audience: &str) -> &str {
    audience.trim_end_matches('/')
}

impl Verified {
    /// Reads claims whose signature holds.
    pub(crate) fn read(payload: Payload, tenant: Guid, issuer: &str) -> Result<Self, TokenError> {
        if payload.iss != issuer || payload.tid != tenant {
            return Err(TokenError::Issuer { found: payload.iss });
        }
        Ok(Self {
            audience: bare(&payload.aud).to_owned(),
            issued: payload.iat,
            not_before: payload.nbf,
            expires: payload.exp,
            claims: Arc::new(Claims {
                tenant: payload.tid,
                object_id: payload.oid,
                app_id: payload.appid,
                groups: payload.groups,
                issuer: payload.iss,
            }),
        })
    }

    /// Whether it may be used now, for one of these audiences.
    pub(crate) fn check(&self, audiences: &[String], now: UnixTime) -> Result<(), TokenError> {
        if !audiences.iter().any(|accepted| bare(accepted) == self.audience) {
            return Err(TokenError::Audience { found: self.audience.clone() });
        }
        if now >= self.expires {
            return Err(TokenError::Expired);
        }
        if now.plus_seconds(LEEWAY_SECONDS) < self.not_before {
            return Err(TokenError::NotYetValid);
        }
        Ok(())
    }
}

#[derive(Default)]
struct State {
    verified: HashMap<Box<str>, Arc<Verified>>,
    /// Principals, and the second up to which their tokens are void.
    revoked: HashMap<Guid, UnixTime>,
}

#[derive(Default)]
pub(crate) struct Tokens(RwLock<State>);

impl Tokens {
    pub(crate) fn find(&self, token: &str) -> Option<Arc<Verified>> {
        self.0.read().verified.get(token).cloned()
    }

    pub(crate) fn remember(&self, token: &str, verified: Arc<Verified>, now: UnixTime) {
        let mut state = self.0.write();
        if state.verified.len() >= MOST_REMEMBERED {
            state.verified.retain(|_, each| each.expires > now);
        }
        if state.verified.len() >= MOST_REMEMBERED {
            // Half at once, so that a full memory is not searched at every new token.
            let mut expiries: Vec<UnixTime> = state.verified.values().map(|each| each.expires).collect();
            let middle = expiries.len() / 2;
            let (_, median, _) = expiries.select_nth_unstable(middle);
            let median = *median;
            state.verified.retain(|_, each| each.expires > median);
        }
        state.verified.insert(token.into(), verified);
    }

    /// The claims, unless the principal's tokens of that time are void. This is asked at every use, so a token that
    /// was checked while it was being revoked does not slip through.
    pub(crate) fn unless_revoked(&self, verified: &Verified) -> Result<Arc<Claims>, TokenError> {
        let state = self.0.read();
        match state.revoked.get(&verified.claims.object_id) {
            Some(until) if verified.issued <= *until => Err(TokenError::Expired),
            _ => Ok(Arc::clone(&verified.claims)),
        }
    }

    pub(crate) fn revoke(&self, object_id: Guid, now: UnixTime) {
        let mut state = self.0.write();
        // What was revoked a lifetime ago has expired by itself.
        state.revoked.retain(|_, until| until.plus_seconds(Issued::LIFETIME_SECONDS) >= now);
        // Tokens issued since an earlier revocation in this second are dated after it: they are meant too.
        let until = state.revoked.get(&object_id).map_or(now, |earlier| now.max(earlier.plus_seconds(1)));
        state.revoked.insert(object_id, until);
        state.verified.retain(|_, each| each.claims.object_id != object_id);
    }

    /// When to say that a new token is issued: now, or right after a revocation in this same second.
    pub(crate) fn issue_time(&self, object_id: Guid, now: UnixTime) -> UnixTime {
        self.0.read().revoked.get(&object_id).map_or(now, |until| now.max(until.plus_seconds(1)))
    }
}
