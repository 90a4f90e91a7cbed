//! Tokens whose signature has been checked, and revocations.
//!
//! Invariant: what is remembered was signed by a trusted key and issued for our tenant. Everything that can change with
//! time (expiry, revocation, trust in an external issuer's key) or with the question (audience) is decided at each use.

use crate::{Claims, TokenError, external::TrustedKey, jwt::Payload};
use domain::{Guid, UnixTime};
use parking_lot::RwLock;
use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, DefaultHasher, Hasher},
    sync::Arc,
};

/// At about 1 KiB each.
const MOST_REMEMBERED: usize = 16_384;
/// How far a token's beginning may lie in the future, if it is ours. There is no leeway at its end.
const LEEWAY_SECONDS: i64 = 300;
/// How long a revocation is remembered: longer than tokens live, those of external issuers too.
const REVOCATIONS_KEPT_SECONDS: i64 = 48 * 3600;

/// A token whose signature held.
pub(crate) struct Verified {
    /// Without slashes at their ends.
    pub audiences: Vec<String>,
    /// One of them is taken wherever tokens are.
    pub is_for_all: bool,
    pub issued: UnixTime,
    pub usable_from: UnixTime,
    pub usable_until: UnixTime,
    pub claims: Arc<Claims>,
    /// The external issuer's key; `None`: it is our own.
    pub key: Option<Arc<TrustedKey>>,
}

/// An audience without slashes at its end, which mean nothing (contract: key-vault §1.1).
pub(crate) fn bare(audience: &str) -> &str {
    audience.trim_end_matches('/')
}

impl Verified {
    /// Reads claims of the embedded issuer's whose signature holds.
    pub(crate) fn read(payload: Payload, tenant: Guid, issuer: &str) -> Result<Self, TokenError> {
        if payload.iss != issuer || payload.tid != tenant {
            return Err(TokenError::Issuer { expected: issuer.to_owned(), found: payload.iss });
        }
        Ok(Self {
            audiences: vec![bare(&payload.aud).to_owned()],
            is_for_all: false,
            issued: payload.iat,
            usable_from: payload.nbf.plus_seconds(-LEEWAY_SECONDS),
            usable_until: payload.exp,
            claims: Arc::new(Claims {
                tenant: payload.tid,
                object_id: payload.oid,
                app_id: payload.appid,
                groups: payload.groups,
                issuer: payload.iss.into(),
                embedded: true,
            }),
            key: None,
        })
    }

    /// Whether it may be used now, for one of these audiences.
    pub(crate) fn check(&self, audiences: &[String], now: UnixTime) -> Result<(), TokenError> {
        let is_meant = |accepted: &String| self.audiences.iter().any(|audience| audience == bare(accepted));
        if !self.is_for_all && !audiences.iter().any(is_meant) {
            return Err(TokenError::Audience { found: self.audiences.join(", ") });
        }
        if now >= self.usable_until {
            return Err(TokenError::Expired);
        }
        if now < self.usable_from {
            return Err(TokenError::NotYetValid);
        }
        self.key.as_ref().map_or(Ok(()), |key| key.check(now))
    }
}

/// Hashes the end of a token only: the end of its signature, which differs between any two that are remembered. A token is
/// a kilobyte, and is looked up with every request.
#[derive(Default)]
struct TailHasher(DefaultHasher);

impl Hasher for TailHasher {
    fn write(&mut self, bytes: &[u8]) {
        const TAIL: usize = 32;
        self.0.write(bytes.get(bytes.len().saturating_sub(TAIL)..).unwrap_or(bytes));
    }

    fn finish(&self) -> u64 {
        self.0.finish()
    }
}

#[derive(Default)]
struct State {
    verified: HashMap<Box<[u8]>, Arc<Verified>, BuildHasherDefault<TailHasher>>,
    /// Principals, and the second up to which their tokens are void.
    revoked: HashMap<Guid, UnixTime>,
}

#[derive(Default)]
pub(crate) struct Tokens(RwLock<State>);

impl State {
    fn unless_revoked(&self, verified: &Verified) -> Result<Arc<Claims>, TokenError> {
        match self.revoked.get(&verified.claims.object_id) {
            Some(until) if verified.issued <= *until => Err(TokenError::Expired),
            _ => Ok(Arc::clone(&verified.claims)),
        }
    }
}

impl Tokens {
    /// What a remembered token is worth now, for one of these audiences; `None` if it is not remembered. In one look: it
    /// is asked for every request, by all threads.
    pub(crate) fn worth(
        &self,
        token: &[u8],
        audiences: &[String],
        now: UnixTime,
    ) -> Option<Result<Arc<Claims>, TokenError>> {
        let state = self.0.read();
        let known = state.verified.get(token)?;
        Some(known.check(audiences, now).and_then(|()| state.unless_revoked(known)))
    }

    #[cfg(test)]
    pub(crate) fn find(&self, token: &[u8]) -> Option<Arc<Verified>> {
        self.0.read().verified.get(token).cloned()
    }

    pub(crate) fn remember(&self, token: &[u8], verified: Arc<Verified>, now: UnixTime) {
        let mut state = self.0.write();
        if state.verified.len() >= MOST_REMEMBERED {
            state.verified.retain(|_, each| each.usable_until > now);
        }
        if state.verified.len() >= MOST_REMEMBERED {
            // Half at once, so that a full memory is not searched at every new token.
            let mut expiries: Vec<UnixTime> = state.verified.values().map(|each| each.usable_until).collect();
            let middle = expiries.len() / 2;
            let (_, median, _) = expiries.select_nth_unstable(middle);
            let median = *median;
            state.verified.retain(|_, each| each.usable_until > median);
        }
        state.verified.insert(token.into(), verified);
    }

    /// The claims, unless the principal's tokens of that time are void. This is asked at every use, so a token that
    /// was checked while it was being revoked does not slip through.
    pub(crate) fn unless_revoked(&self, verified: &Verified) -> Result<Arc<Claims>, TokenError> {
        self.0.read().unless_revoked(verified)
    }

    pub(crate) fn revoke(&self, object_id: Guid, now: UnixTime) {
        let mut state = self.0.write();
        // What was revoked so long ago has expired by itself.
        state.revoked.retain(|_, until| until.plus_seconds(REVOCATIONS_KEPT_SECONDS) >= now);
        // Tokens issued since an earlier revocation in this second are dated after it: they are meant too.
        let until = state.revoked.get(&object_id).map_or(now, |earlier| now.max(earlier.plus_seconds(1)));
        state.revoked.insert(object_id, until);
        state.verified.retain(|_, each| each.claims.object_id != object_id);
    }

    /// Drops the tokens of keys that are no longer trusted. Each use checks its key anyway; this is for the memory.
    pub(crate) fn forget_withdrawn(&self) {
        self.0.write().verified.retain(|_, each| each.key.as_ref().is_none_or(|key| !key.is_withdrawn()));
    }

    /// When to say that a new token is issued: now, or right after a revocation in this same second.
    pub(crate) fn issue_time(&self, object_id: Guid, now: UnixTime) -> UnixTime {
        self.0.read().revoked.get(&object_id).map_or(now, |until| now.max(until.plus_seconds(1)))
    }
}
