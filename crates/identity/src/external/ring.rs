//! The keys of an external issuer: which are trusted, until when, and when to ask for them again.
//!
//! Invariant: a key that a refresh does not find again is not trusted from then on, whoever still holds it. Time is an
//! argument; nothing is fetched here.

use super::{Algorithm, published::Key};
use crate::TokenError;
use domain::UnixTime;
use parking_lot::RwLock;
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

/// Between refreshes on schedule, when the provider does not say; also the longest, whatever it says, so that a key that
/// it withdraws is not trusted for longer.
const REFRESH_SECONDS: i64 = 3600;
/// The shortest, whatever the provider says.
const SHORTEST_REFRESH_SECONDS: i64 = 60;
/// After a refresh on schedule that failed.
const RETRY_SECONDS: i64 = 30;
/// Between refreshes that tokens of unknown keys ask for: whoever makes up keys can't make us a burden to the provider.
const DEMAND_SECONDS: i64 = 10;
/// How long keys are good for when the provider can't be reached. After that no token of its is taken.
const USABLE_SECONDS: i64 = 24 * 3600;
/// Of a key that is no longer trusted.
const WITHDRAWN: i64 = i64::MIN;

/// Why the keys are asked for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// They have been kept long enough.
    Schedule,
    /// A token names one that is not known.
    Demand,
}

/// A key as it was published.
pub(crate) struct TrustedKey {
    key: Key,
    /// Moves on with each refresh that finds the key again; [`WITHDRAWN`] after the first that does not.
    usable_until: AtomicI64,
}

impl TrustedKey {
    /// Whether what it signed is to be believed now.
    pub(crate) fn check(&self, now: UnixTime) -> Result<(), TokenError> {
        match self.usable_until.load(Ordering::Acquire) {
            WITHDRAWN => Err(TokenError::MissingKey),
            until if now.0 >= until => Err(TokenError::NoKeys),
            _ => Ok(()),
        }
    }

    pub(crate) fn is_withdrawn(&self) -> bool {
        self.usable_until.load(Ordering::Acquire) == WITHDRAWN
    }

    pub(super) fn holds(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        self.key.verifying.verify_message(algorithm.signature(), message, signature).unwrap_or(false)
    }

    fn is_for(&self, algorithm: Algorithm) -> bool {
        self.key.algorithm.is_none_or(|only| only == algorithm) && algorithm.fits(&self.key.public)
    }

    fn is_same(&self, key: &Key) -> bool {
        let own = &self.key;
        own.id == key.id && own.algorithm == key.algorithm && own.public == key.public
    }
}

struct State {
    keys: Vec<Arc<TrustedKey>>,
    /// `None`: there has never been a refresh.
    usable_until: Option<UnixTime>,
    refresh_at: UnixTime,
    demanded: Option<UnixTime>,
    is_fetching: bool,
}

pub(super) struct KeyRing(RwLock<State>);

impl Default for KeyRing {
    fn default() -> Self {
        let (keys, usable_until, demanded) = Default::default();
        Self(RwLock::new(State { keys, usable_until, refresh_at: UnixTime(i64::MIN), demanded, is_fetching: false }))
    }
}

/// What a refresh changed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub keys: usize,
    pub new: usize,
    pub withdrawn: usize,
}

/// The right to fetch, which one at a time has.
pub(super) struct Fetching<'ring>(&'ring KeyRing);

impl Drop for Fetching<'_> {
    fn drop(&mut self) {
        self.0.0.write().is_fetching = false;
    }
}

impl KeyRing {
    /// The one key that a token of this key id and algorithm must be signed with. Where several could be meant, none is:
    /// a token does not get as many tries as there are keys.
    pub(super) fn find(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
        now: UnixTime,
    ) -> Result<Arc<TrustedKey>, TokenError> {
        let state = self.0.read();
        if state.usable_until.is_none_or(|until| now >= until) {
            return Err(TokenError::NoKeys);
        }
        let is_named = |key: &&Arc<TrustedKey>| id.is_none() || key.key.id.as_deref() == id;
        let mut fitting = state.keys.iter().filter(is_named).filter(|key| key.is_for(algorithm));
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => Ok(Arc::clone(only)),
            (Some(_), Some(_)) => Err(TokenError::UnknownKey),
            (None, _) if id.is_some() && state.keys.iter().any(|key| is_named(&key)) => Err(TokenError::Algorithm),
            (None, _) => Err(TokenError::MissingKey),
        }
    }

    /// Whether a refresh may begin, or is under way, for a demand is answered by that too.
    pub(super) fn may_refresh(&self, occasion: Occasion, now: UnixTime) -> bool {
        let state = self.0.read();
        match occasion {
            Occasion::Schedule => !state.is_fetching && state.allows(occasion, now),
            Occasion::Demand => state.is_fetching || state.allows(occasion, now),
        }
    }

    pub(super) fn begin(&self, occasion: Occasion, now: UnixTime) -> Option<Fetching<'_>> {
        let mut state = self.0.write();
        if state.is_fetching || !state.allows(occasion, now) {
            return None;
        }
        state.is_fetching = true;
        match occasion {
            // Should the fetch end in a way that nobody thought of, this keeps it from being repeated at once.
            Occasion::Schedule => state.refresh_at = now.plus_seconds(RETRY_SECONDS),
            Occasion::Demand => state.demanded = Some(now),
        }
        Some(Fetching(self))
    }
}

impl State {
    fn allows(&self, occasion: Occasion, now: UnixTime) -> bool {
        match occasion {
            Occasion::Schedule => now >= self.refresh_at,
            // A clock that was set back does not lock demands out.
            Occasion::Demand => {
                self.demanded.is_none_or(|last| !(0..DEMAND_SECONDS).contains(&now.0.saturating_sub(last.0)))
            }
        }
    }
}

impl Fetching<'_> {
    /// The keys are now these, and they are as old as the moment at which the fetch began.
    pub(super) fn succeed(self, published: Vec<Key>, max_age_seconds: Option<i64>, began: UnixTime) -> Change {
        let mut state = self.0.0.write();
        let refresh = max_age_seconds.unwrap_or(REFRESH_SECONDS).clamp(SHORTEST_REFRESH_SECONDS, REFRESH_SECONDS);
        let usable_until = began.plus_seconds(USABLE_SECONDS);
        state.refresh_at = began.plus_seconds(refresh);
        state.usable_until = Some(usable_until);
        let before = std::mem::take(&mut state.keys);
        for key in published {
            if state.keys.iter().any(|each| each.is_same(&key)) {
                continue;
            }
            let known = before.iter().find(|each| each.is_same(&key)).cloned();
            let trusted = known.unwrap_or_else(|| Arc::new(TrustedKey { key, usable_until: AtomicI64::new(0) }));
            trusted.usable_until.store(usable_until.0, Ordering::Release);
            state.keys.push(trusted);
        }
        let is_kept = |key: &Arc<TrustedKey>| state.keys.iter().any(|each| Arc::ptr_eq(each, key));
        let withdrawn: Vec<&Arc<TrustedKey>> = before.iter().filter(|key| !is_kept(key)).collect();
        withdrawn.iter().for_each(|key| key.usable_until.store(WITHDRAWN, Ordering::Release));
        let keys = state.keys.len();
        Change { keys, new: (keys + withdrawn.len()).saturating_sub(before.len()), withdrawn: withdrawn.len() }
    }

    /// The keys stay what they are. Gives until when they may be used.
    pub(super) fn fail(self) -> Option<UnixTime> {
        self.0.0.read().usable_until
    }
}
