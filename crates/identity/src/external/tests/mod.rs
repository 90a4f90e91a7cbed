//! An external issuer, with real keys and signatures, a provider that is a list of documents, and time as an argument.

mod claims;
mod published;
mod rotation;
mod signatures;

use super::{ClaimNames, Document, Documents, External, ExternalSettings, News};
use crate::{Algorithm, TokenError, jwt::Parts, tokens::Verified};
use domain::{Guid, UnixTime};
use parking_lot::Mutex;
use std::sync::Arc;

pub(super) const ISSUER: &str = "https://login.example.com/realms/keys";
pub(super) const JWKS_URI: &str = "https://keys.example.com/jwks";
pub(super) const NOW: UnixTime = UnixTime(1_700_000_000);
pub(super) const TENANT: Guid = Guid::from_u128(1);
pub(super) const VAULT: &str = "https://vault.example.com";

/// A key or a token of `tokens.txt`.
pub(super) fn fixture(name: &str) -> &'static str {
    let mut lines = include_str!("tokens.txt").lines();
    lines.find(|line| *line == name).unwrap_or_else(|| panic!("there is no {name}"));
    lines.next().unwrap()
}

pub(super) fn key_set(names: &[&str]) -> String {
    let keys: Vec<&str> = names.iter().map(|name| fixture(&format!("key {name}"))).collect();
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}

pub(super) fn settings() -> ExternalSettings {
    ExternalSettings {
        issuer: ISSUER.to_owned(),
        audiences: Vec::new(),
        algorithms: Algorithm::USUAL.to_vec(),
        clock_skew_seconds: 300,
        claims: ClaimNames::default(),
    }
}

/// What a provider answers, what it was asked, and what was told of it.
pub(super) struct Provider {
    pub discovery: Mutex<Result<String, String>>,
    pub jwks: Mutex<Result<String, String>>,
    pub max_age_seconds: Mutex<Option<i64>>,
    pub asked: Mutex<Vec<String>>,
    pub told: Mutex<Vec<String>>,
}

impl Provider {
    pub(super) fn with(names: &[&str]) -> Arc<Self> {
        let discovery = format!(r#"{{"issuer":"{ISSUER}","jwks_uri":"{JWKS_URI}","scopes_supported":["openid"]}}"#);
        Arc::new(Self {
            discovery: Mutex::new(Ok(discovery)),
            jwks: Mutex::new(Ok(key_set(names))),
            max_age_seconds: Mutex::default(),
            asked: Mutex::default(),
            told: Mutex::default(),
        })
    }

    pub(super) fn publish(&self, names: &[&str]) {
        *self.jwks.lock() = Ok(key_set(names));
    }

    pub(super) fn go_down(&self) {
        *self.jwks.lock() = Err("connection refused".to_owned());
    }

    pub(super) fn issuer(self: &Arc<Self>) -> External {
        External::new(settings(), Arc::clone(self) as Arc<dyn Documents>)
    }

    /// How often its keys were asked for since the last time somebody asked this.
    pub(super) fn fetches(&self) -> usize {
        std::mem::take(&mut *self.asked.lock()).iter().filter(|url| *url == JWKS_URI).count()
    }

    pub(super) fn last_news(&self) -> String {
        self.told.lock().last().cloned().unwrap_or_default()
    }
}

impl Documents for Provider {
    fn fetch(&self, url: &str) -> Result<Document, String> {
        self.asked.lock().push(url.to_owned());
        let body = match url {
            JWKS_URI => self.jwks.lock().clone()?,
            "https://login.example.com/realms/keys/.well-known/openid-configuration" => {
                self.discovery.lock().clone()?
            }
            other => return Err(format!("nobody should ask for {other}")),
        };
        Ok(Document { body: body.into_bytes(), max_age_seconds: *self.max_age_seconds.lock() })
    }

    fn tell(&self, news: &News<'_>) {
        self.told.lock().push(format!("{news:?}"));
    }
}

/// What becomes of a token at a moment, by its name in the fixtures.
pub(super) fn judged(issuer: &External, token: &str, now: UnixTime) -> Result<Verified, TokenError> {
    issuer.verified(&Parts::read(fixture(&format!("token {token}")))?, TENANT, now)
}

pub(super) fn refused(issuer: &External, token: &str, now: UnixTime) -> Option<TokenError> {
    judged(issuer, token, now).err()
}
