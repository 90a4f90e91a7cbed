//! Calls to the server with what surrounds each of them: the challenge, the token, patience and pages.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;
use zeroize::Zeroizing;

use super::error::{ClientError, Refused};
use super::http::{Request, Response, Wire};
use super::settings::Settings;
use super::target::{self, segment};

/// One call: what a subcommand comes down to.
// It may hold a private key on its way to be imported: only tests may print it.
#[cfg_attr(test, derive(Debug, PartialEq))]
pub struct Call {
    /// The HTTP method.
    pub method: &'static str,
    /// The whole URL but for the api-version.
    pub url: String,
    /// The JSON body.
    pub body: Option<Value>,
}

/// One run of the client. Tokens live as long as it does: none is written to disk.
pub struct Session<'a> {
    wire: &'a dyn Wire,
    settings: &'a Settings,
    /// By host name and port.
    tokens: HashMap<String, Zeroizing<String>>,
}

const DATA_API: &str = "2026-04-01";
const ARM_API: &str = "2026-02-01";
/// The newest version that tells usage in the shape we read.
const CONSUMPTION_API: &str = "2023-11-01";
/// The newest version of the neighbouring provider whose groups have the location of a new vault.
const GROUPS_API: &str = "2024-11-01";

/// A server that names no time is asked again after this long.
const PATIENCE: Duration = Duration::from_secs(1);
/// No server may make the client wait longer than this at once,
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// or longer than this in all.
const LONGEST_WAIT: Duration = Duration::from_secs(30 * 60);
/// How often a busy server is asked again.
const ATTEMPTS: usize = 4;

impl<'a> Session<'a> {
    /// Starts without a token.
    pub fn new(wire: &'a dyn Wire, settings: &'a Settings) -> Session<'a> {
        Session { wire, settings, tokens: HashMap::new() }
    }

    /// The settings of this run.
    pub fn settings(&self) -> &'a Settings {
        self.settings
    }

    /// Calls a vault or a managed HSM.
    pub fn data(&mut self, call: &Call) -> Result<Value, ClientError> {
        let answer = self.send(call.method, &versioned(&call.url, DATA_API), call.body.as_ref())?;
        json(&accepted(answer)?)
    }

    /// Calls a vault again and again until the answer is one that was waited for.
    pub fn data_until(&mut self, call: &Call, over: &dyn Fn(&Value) -> bool) -> Result<Value, ClientError> {
        let mut waited = Duration::ZERO;
        loop {
            let answer = accepted(self.send(call.method, &versioned(&call.url, DATA_API), call.body.as_ref())?)?;
            let value = json(&answer)?;
            if over(&value) {
                return Ok(value);
            }
            self.wait(answer.retry_after, &mut waited)?;
        }
    }

    /// Calls the control plane at a path.
    pub fn arm(&mut self, method: &'static str, path: &str, body: Option<&Value>) -> Result<Response, ClientError> {
        self.sign_in_to_base()?;
        let group = path.to_ascii_lowercase().starts_with("/subscriptions/") && !path.contains("/providers/");
        let api = match path {
            _ if group => GROUPS_API,
            usage if usage.contains("/providers/Microsoft.Consumption/") => CONSUMPTION_API,
            _ => ARM_API,
        };
        let url = versioned(&format!("{}{path}", self.settings.base), api);
        accepted(self.send(method, &url, body)?)
    }

    /// Calls the directory at a path.
    pub fn graph(&mut self, method: &'static str, path: &str, body: Option<&Value>) -> Result<Value, ClientError> {
        self.sign_in_to_base()?;
        let url = format!("{}/v1.0{path}", self.settings.base);
        json(&accepted(self.send(method, &url, body)?)?)
    }

    /// Reads a list of the directory to its end.
    pub fn graph_list(&mut self, path: &str) -> Result<Vec<Value>, ClientError> {
        let first = self.graph("GET", path, None)?;
        self.rest(first, None, &|_| true)
    }

    /// Gets the token that the control plane and the directory take.
    fn sign_in_to_base(&mut self) -> Result<(), ClientError> {
        let host = target::authority(&self.settings.base)?;
        if !self.tokens.contains_key(&host) {
            // Their audience is the server's own URL with the slash, which every client knows without a challenge.
            let token = self.token(&format!("{}/", self.settings.base))?;
            self.tokens.insert(host, token);
        }
        Ok(())
    }

    /// Reads one resource or list of the control plane.
    pub fn arm_get(&mut self, path: &str) -> Result<Value, ClientError> {
        json(&self.arm("GET", path, None)?)
    }

    /// Reads a list of the control plane to its end.
    pub fn arm_list(&mut self, path: &str) -> Result<Vec<Value>, ClientError> {
        let first = self.arm_get(path)?;
        self.rest(first, None, &|_| true)
    }

    /// Reads a list of a vault or a managed HSM: entries that are wanted, until there are enough.
    pub fn data_list(
        &mut self,
        call: &Call,
        limit: Option<usize>,
        wanted: &dyn Fn(&Value) -> bool,
    ) -> Result<Vec<Value>, ClientError> {
        let first = self.data(call)?;
        self.rest(first, limit, wanted)
    }

    fn rest(
        &mut self,
        mut page: Value,
        limit: Option<usize>,
        wanted: &dyn Fn(&Value) -> bool,
    ) -> Result<Vec<Value>, ClientError> {
        let limit = limit.unwrap_or(usize::MAX);
        let mut found = Vec::new();
        loop {
            if let Some(Value::Array(entries)) = page.get_mut("value").map(Value::take) {
                found.extend(entries.into_iter().filter(|entry| wanted(entry)));
            }
            found.truncate(limit);
            match page["nextLink"].as_str().or(page["@odata.nextLink"].as_str()) {
                // A page may be empty and still not the last one.
                Some(next) if !next.is_empty() && found.len() < limit => {
                    let next = next.to_owned();
                    page = json(&accepted(self.send("GET", &next, None)?)?)?;
                }
                _ => return Ok(found),
            }
        }
    }

    /// Waits until the long operation that an answer began is over. Its result may be empty.
    pub fn finish(&mut self, mut answer: Response) -> Result<Value, ClientError> {
        let mut waited = Duration::ZERO;
        while answer.status == 202 {
            let Some(place) = answer.location.take() else { break };
            self.wait(answer.retry_after, &mut waited)?;
            let next = accepted(self.send("GET", &place, None)?)?;
            // An answer without a new place means: ask here again.
            answer = Response { location: next.location.clone().or(Some(place)), ..next };
        }
        let result = json(&answer)?;
        match result["status"].as_str() {
            Some("Failed" | "Canceled" | "Cancelled") => {
                Err(ClientError::Service(Refused::read(answer.status, &answer.body)))
            }
            _ => Ok(result),
        }
    }

    /// Waits until a resource has settled, and gives its last state.
    pub fn settle(&mut self, path: &str) -> Result<Value, ClientError> {
        let mut waited = Duration::ZERO;
        loop {
            let answer = self.arm("GET", path, None)?;
            let resource = json(&answer)?;
            match resource["properties"]["provisioningState"].as_str() {
                Some("Provisioning" | "Updating" | "RegisteringDns" | "ResolvingDns" | "Restoring") => {
                    self.wait(answer.retry_after, &mut waited)?;
                }
                Some("Failed") => {
                    let why = resource["properties"]["statusMessage"].as_str().unwrap_or("no reason was given");
                    return Err(ClientError::Local(format!("The operation failed: {why}")));
                }
                _ => return Ok(resource),
            }
        }
    }

    fn wait(&self, told: Option<Duration>, waited: &mut Duration) -> Result<(), ClientError> {
        let pause = told.unwrap_or(PATIENCE).min(LONGEST_PAUSE);
        // A pause of nothing still takes part in the sum, so that no server keeps the client for ever.
        *waited += pause.max(Duration::from_millis(10));
        if *waited > LONGEST_WAIT {
            return Err(ClientError::Local("The operation has not ended in half an hour; it may still do so.".into()));
        }
        self.wire.pause(pause);
        Ok(())
    }

    /// Sends a request with a token for its host, asking for one first if need be.
    fn send(&mut self, method: &'static str, url: &str, body: Option<&Value>) -> Result<Response, ClientError> {
        let host = target::authority(url)?;
        if !self.tokens.contains_key(&host) {
            // As the SDKs do: the first request says nothing, and its refusal names the audience.
            let answer = self.attempt(&Request { method, url: url.to_owned(), token: None, body: None })?;
            let Some(resource) = answer.challenge.as_deref().and_then(audience).filter(|_| answer.status == 401) else {
                return Ok(answer);
            };
            self.check_audience(&host, &resource)?;
            let token = self.token(&resource)?;
            self.tokens.insert(host.clone(), token);
        }
        let bytes = match body {
            Some(value) => Some(serde_json::to_vec(value).map_err(|e| ClientError::Local(e.to_string()))?),
            None => None,
        };
        self.attempt(&Request {
            method,
            url: url.to_owned(),
            token: self.tokens.get(&host).cloned(),
            body: bytes.map(|bytes| ("application/json", Zeroizing::new(bytes))),
        })
    }

    /// Sends a request again while the server is too busy for it.
    fn attempt(&self, request: &Request) -> Result<Response, ClientError> {
        let mut left = ATTEMPTS;
        loop {
            let answer = self.wire.exchange(request)?;
            left -= 1;
            if answer.status != 429 || left == 0 {
                return Ok(answer);
            }
            self.wire.pause(answer.retry_after.unwrap_or(PATIENCE).min(LONGEST_PAUSE));
        }
    }

    /// Refuses to get a token for an audience that the host does not belong to: it could use the token elsewhere.
    fn check_audience(&self, host: &str, resource: &str) -> Result<(), ClientError> {
        let owner = target::authority(resource)?;
        let base = target::authority(&self.settings.base)?;
        let under = |name: &str, of: &str| name.strip_suffix(of).is_some_and(|rest| rest.ends_with('.'));
        // On the bare host a default vault or managed HSM answers, whose audience lies below it.
        if under(host, &owner) || (host == base && (owner == base || under(&owner, &base))) {
            return Ok(());
        }
        Err(ClientError::Local(format!("{host} asks for a token that is meant for {resource}. None was sent.")))
    }

    /// Gets a token with the application's credentials. They go to the configured authority alone, whatever a
    /// challenge may name.
    fn token(&self, resource: &str) -> Result<Zeroizing<String>, ClientError> {
        let (Some(tenant), Some(credentials)) = (&self.settings.tenant, &self.settings.credentials) else {
            return Err(ClientError::Local(
                "There are no credentials: set STRONGROOM_TENANT, STRONGROOM_CLIENT_ID and STRONGROOM_CLIENT_SECRET, \
                 or name the file of a dev server with --env-file."
                    .into(),
            ));
        };
        let form = Zeroizing::new(format!(
            "grant_type=client_credentials&client_id={}&client_secret={}&scope={}",
            segment(&credentials.client_id),
            segment(&credentials.client_secret),
            segment(&format!("{resource}/.default")),
        ));
        let answer = self.attempt(&Request {
            method: "POST",
            url: format!("{}/{}/oauth2/v2.0/token", self.settings.authority, segment(tenant)),
            token: None,
            body: Some(("application/x-www-form-urlencoded", Zeroizing::new(form.as_bytes().to_vec()))),
        })?;
        let answer = json(&accepted(answer)?)?;
        let token = answer["access_token"].as_str();
        token
            .map(|token| Zeroizing::new(token.to_owned()))
            .ok_or_else(|| ClientError::Local(format!("{} gave an answer without a token.", self.settings.authority)))
    }
}

/// The audience that a challenge names.
fn audience(challenge: &str) -> Option<String> {
    let parameters = challenge.trim().strip_prefix("Bearer ")?;
    let find = |name: &str| {
        parameters.split(',').find_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            (key.trim() == name).then(|| value.trim().trim_matches('"').to_owned())
        })
    };
    let scope = find("scope").map(|scope| scope.trim_end_matches("/.default").to_owned());
    scope.or_else(|| find("resource"))
}

fn versioned(url: &str, api: &str) -> String {
    let joint = if url.contains('?') { '&' } else { '?' };
    format!("{url}{joint}api-version={api}")
}

fn accepted(answer: Response) -> Result<Response, ClientError> {
    match answer.status {
        200..=299 => Ok(answer),
        status => Err(ClientError::Service(Refused::read(status, &answer.body))),
    }
}

/// Reads the body of an answer; an empty one is null.
pub fn json(answer: &Response) -> Result<Value, ClientError> {
    if answer.body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&answer.body)
        .map_err(|error| ClientError::Local(format!("The server's answer is not JSON: {error}")))
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
