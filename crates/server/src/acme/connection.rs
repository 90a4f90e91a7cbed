//! Talking to one ACME server: its directory, nonces, signed requests, and what it answers (RFC 8555 §6).
//!
//! Whatever the server names lies at its own origin: it can't make us ask anybody else. How much is asked at once is
//! bounded, and so is how long and how large each answer is.

use super::{
    jws::{self, Signer},
    problem::{Problem, Trouble, plain},
};
use crate::{Failure, config::AcmeServer, https};
use http::Uri;
use jiff::fmt::rfc2822;
use parking_lot::Mutex;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use std::time::Duration;
use ureq::{Agent, http::HeaderMap};

/// One request takes no longer.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// How much is asked in one go: with the timeout, that bounds how long other issuers wait.
const CALLS: u32 = 32;
/// More than any chain or order has.
const LARGEST_ANSWER: u64 = 256 << 10;
/// How often a request is made again because its nonce was not accepted.
const NONCES: u32 = 3;
/// Whatever a server says, nobody waits for longer.
pub(super) const LONGEST_WAIT_SECONDS: i64 = 30 * 86_400;

/// What is kept of a server between conversations.
pub struct Connection {
    pub name: String,
    pub directory_url: String,
    agent: Agent,
    origin: (String, u16),
    /// The last one that the server gave and nobody has used.
    nonce: Mutex<Option<String>>,
}

impl Connection {
    /// Prepares a connection; nothing is asked yet.
    ///
    /// # Errors
    /// There is nobody to vouch for the server.
    pub fn new(server: &AcmeServer) -> Result<Self, Failure> {
        let directory_url = server.directory.as_str().to_owned();
        Ok(Self {
            name: server.name.as_str().to_owned(),
            agent: https::agent(
                &format!("ca_file of the ACME server {}", server.name.as_str()),
                server.ca_file.as_deref(),
                CALL_TIMEOUT,
            )?,
            origin: origin(&directory_url).ok_or("acme.directory: not an https URL")?,
            directory_url,
            nonce: Mutex::default(),
        })
    }

    /// Begins a conversation.
    pub fn talk(&self) -> Talk<'_> {
        Talk { connection: self, calls_left: CALLS, directory: None }
    }
}

pub(super) fn origin(url: &str) -> Option<(String, u16)> {
    let uri: Uri = url.parse().ok()?;
    let host = uri.host().filter(|_| uri.scheme_str() == Some("https") && !url.contains('@'))?;
    Some((host.to_ascii_lowercase(), uri.port_u16().unwrap_or(443)))
}

/// What a server says of itself (RFC 8555 §7.1.1).
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Directory {
    new_nonce: String,
    pub new_account: String,
    pub new_order: String,
    #[serde(default)]
    pub meta: Meta,
}

#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Meta {
    pub terms_of_service: Option<String>,
    pub external_account_required: bool,
}

/// What came back.
#[derive(Default)]
pub struct Answer {
    pub status: u16,
    pub location: Option<String>,
    pub again_after_seconds: Option<i64>,
    pub body: Vec<u8>,
}

/// One conversation with a server.
pub struct Talk<'a> {
    connection: &'a Connection,
    calls_left: u32,
    directory: Option<Directory>,
}

impl Talk<'_> {
    /// The directory, asked for once a conversation.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn directory(&mut self) -> Result<Directory, Trouble> {
        if let Some(known) = &self.directory {
            return Ok(known.clone());
        }
        let url = self.connection.directory_url.clone();
        let answer = self.send(&url, |agent| agent.get(&url).header("accept", "application/json").call())?;
        if answer.status != 200 {
            return Err(self.strange(&format!("the answer of the directory is {}", answer.status)));
        }
        let directory: Directory = self.read(&answer)?;
        self.directory = Some(directory.clone());
        Ok(directory)
    }

    /// Makes a signed request, again if its nonce was not accepted. Without a payload it asks for what is there.
    ///
    /// # Errors
    /// [`Trouble`]: [`Trouble::Problem`] for every answer that is no success.
    pub fn post(&mut self, signer: Signer<'_>, url: &str, payload: Option<&Value>) -> Result<Answer, Trouble> {
        let mut tries = NONCES;
        loop {
            let nonce = self.nonce()?;
            let body = jws::request(signer, &nonce, url, payload)?;
            let answer = self.send(url, |agent| {
                agent.post(url).header("content-type", "application/jose+json").send(body.as_str())
            })?;
            if (200..300).contains(&answer.status) {
                return Ok(answer);
            }
            let problem = Problem::of(&answer);
            tries -= 1;
            if problem.kind() != "badNonce" || tries == 0 {
                return Err(Trouble::Problem(problem));
            }
        }
    }

    /// Reads a document.
    ///
    /// # Errors
    /// [`Trouble::Unreachable`] if it is none.
    pub fn read<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T, Trouble> {
        serde_json::from_slice(&answer.body).map_err(|error| self.strange(&format!("an answer can't be read: {error}")))
    }

    /// What the server did is not as it should be.
    pub fn strange(&self, what: &str) -> Trouble {
        Trouble::unreachable(format!("{}: {}", self.connection.name, plain(what)))
    }

    fn nonce(&mut self) -> Result<String, Trouble> {
        if let Some(kept) = self.connection.nonce.lock().take() {
            return Ok(kept);
        }
        let url = self.directory()?.new_nonce;
        self.send(&url, |agent| agent.head(&url).call())?;
        self.connection.nonce.lock().take().ok_or_else(|| self.strange("it gives no nonce"))
    }

    fn send(
        &mut self,
        url: &str,
        call: impl FnOnce(&Agent) -> Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<Answer, Trouble> {
        if origin(url).as_ref() != Some(&self.connection.origin) {
            return Err(self.strange(&format!("it names an address that is not its own: {url}")));
        }
        self.calls_left = self.calls_left.checked_sub(1).ok_or(Trouble::Spent)?;
        let failed =
            |error: ureq::Error| Trouble::silent(format!("{}: {}", self.connection.name, plain(&error.to_string())));
        let (parts, mut body) = call(&self.connection.agent).map_err(failed)?.into_parts();
        let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        if let Some(nonce) = text("replay-nonce") {
            *self.connection.nonce.lock() = Some(nonce);
        }
        Ok(Answer {
            status: parts.status.as_u16(),
            location: text("location"),
            again_after_seconds: again_after_seconds(&parts.headers),
            body: body.with_config().limit(LARGEST_ANSWER).read_to_vec().map_err(failed)?,
        })
    }
}

impl From<engine::Error> for Trouble {
    fn from(error: engine::Error) -> Self {
        Self::unreachable(format!("the key of the account can't be used: {error}"))
    }
}

/// `Retry-After` (RFC 9110 §10.2.3). A date is taken by the server's own clock.
pub(super) fn again_after_seconds(headers: &HeaderMap) -> Option<i64> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let date = |text: &str| Some(rfc2822::parse(text).ok()?.timestamp().as_second());
    let again = text("retry-after")?.trim();
    let seconds = match again.parse::<u32>() {
        Ok(seconds) => i64::from(seconds),
        Err(_) => date(again)? - date(text("date")?)?,
    };
    Some(seconds.clamp(0, LONGEST_WAIT_SECONDS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let own = origin("https://acme.example/directory");
        assert!(own.is_some());
        for same in ["https://acme.example/acct/1", "https://ACME.example:443/", "https://acme.example?x"] {
            assert_eq!(origin(same), own, "{same}");
        }
        for other in [
            "http://acme.example/",
            "https://acme.example:8443/",
            "https://acme.example@evil.example/",
            "/x",
            "https:///",
        ] {
            assert_ne!(origin(other), own, "{other}");
        }
    }

    #[test]
    fn when_to_come_again_is_seconds_or_a_date() {
        let found = |again: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("retry-after", again.parse().unwrap());
            headers.insert("date", "Fri, 31 Dec 1999 23:58:59 GMT".parse().unwrap());
            again_after_seconds(&headers)
        };
        assert_eq!(found("120"), Some(120));
        assert_eq!(found("Fri, 31 Dec 1999 23:59:59 GMT"), Some(60));
        assert_eq!(found("Fri, 31 Dec 1999 23:00:00 GMT"), Some(0));
        assert_eq!(found("4000000000"), Some(LONGEST_WAIT_SECONDS));
        assert_eq!(found("soon"), None);
        assert_eq!(again_after_seconds(&HeaderMap::new()), None);
    }
}
