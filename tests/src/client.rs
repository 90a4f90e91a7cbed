//! An HTTP client as the tests need it: any call, as any principal, and the answer whatever it is.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a harness of tests fails by panicking")]

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    fs,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};
use ureq::{
    Agent,
    config::Config,
    http::{HeaderMap, Request, Uri},
    tls::{PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem},
    unversioned::{
        resolver::{ResolvedSocketAddrs, Resolver},
        transport::{DefaultConnector, NextTimeout},
    },
};

/// Longer than any answer takes; an answer that takes longer is a hang.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
const DATA_PLANE_VERSION: &str = "2026-04-01";
const KEY_VAULT_VERSION: &str = "2026-05-15";
const AUTHORIZATION_VERSION: &str = "2022-04-01";
pub const SECONDS_PER_DAY: i64 = 86_400;

/// What `--env-file` says.
#[derive(Clone, Debug)]
pub struct Facts(BTreeMap<String, String>);

impl Facts {
    /// Reads lines of `NAME='value'`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let assignment = |line: &str| {
            let (name, value) = line.split_once('=')?;
            Some((name.to_owned(), value.trim_matches('\'').to_owned()))
        };
        Self(text.lines().filter_map(assignment).collect())
    }

    /// # Panics
    /// If there is no such fact.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).unwrap_or_else(|| panic!("the env file has no {name}"))
    }

    /// The port that everything is served on.
    ///
    /// # Panics
    /// If the facts are not a server's.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.get("BASE_URL").rsplit_once(':').unwrap().1.parse().unwrap()
    }
}

/// Who calls: the administrator, or one of the principals of `strongroom dev` by the name that its facts begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Principal {
    Administrator,
    Named(&'static str),
}

impl Principal {
    fn fact(self, facts: &Facts, what: &str) -> String {
        match self {
            Self::Administrator => facts.get(what).to_owned(),
            Self::Named(name) => facts.get(&format!("{name}_{what}")).to_owned(),
        }
    }
}

/// A client of one server. Clones share connections and tokens.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    facts: Facts,
    agent: Agent,
    tokens: Mutex<HashMap<(Principal, String), String>>,
}

/// A call that got no answer: the server is gone.
#[derive(Debug)]
pub struct NoAnswer(pub String);

/// An answer, whatever its status.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// `Null` if there is none, or if it is not JSON.
    pub body: Value,
}

impl Answer {
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// # Panics
    /// If the answer is a failure.
    pub fn expect(self, what: &str) -> Value {
        assert!(self.is_success(), "{what}: {} {}", self.status, self.body);
        self.body
    }

    fn error(&self, member: &str) -> &str {
        self.body.pointer(&format!("/error{member}")).and_then(Value::as_str).unwrap_or_default()
    }

    #[must_use]
    pub fn code(&self) -> &str {
        self.error("/code")
    }

    #[must_use]
    pub fn inner_code(&self) -> &str {
        self.error("/innererror/code")
    }

    #[must_use]
    pub fn message(&self) -> &str {
        self.error("/message")
    }
}

impl Client {
    #[must_use]
    pub fn new(facts: Facts) -> Self {
        let agent = agent(&facts);
        Self(Arc::new(Inner { facts, agent, tokens: Mutex::default() }))
    }

    /// A client with new connections and the old tokens.
    ///
    /// # Panics
    /// If the facts are another server's.
    #[must_use]
    pub fn reconnected(&self, facts: Facts) -> Self {
        assert_eq!(self.0.facts.get("BASE_URL"), facts.get("BASE_URL"));
        let agent = agent(&facts);
        let tokens = self.0.tokens.lock().unwrap().clone();
        Self(Arc::new(Inner { facts, agent, tokens: Mutex::new(tokens) }))
    }

    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.0.facts
    }

    /// The data plane of a vault.
    #[must_use]
    pub fn vault(&self, name: &str) -> Target {
        self.data_plane(name, "VAULT_SUFFIX")
    }

    /// The data plane of a managed HSM.
    #[must_use]
    pub fn hsm(&self, name: &str) -> Target {
        self.data_plane(name, "HSM_SUFFIX")
    }

    fn data_plane(&self, name: &str, suffix: &str) -> Target {
        let suffix = self.facts().get(suffix);
        Target {
            client: self.clone(),
            base: format!("https://{name}{suffix}"),
            resource: format!("https://{}", suffix.trim_start_matches('.')),
            principal: Principal::Administrator,
            version: DATA_PLANE_VERSION,
        }
    }

    /// `Microsoft.KeyVault` in the resource manager.
    #[must_use]
    pub fn arm(&self) -> Target {
        let base = self.facts().get("BASE_URL").to_owned();
        Target {
            client: self.clone(),
            resource: base.clone(),
            base,
            principal: Principal::Administrator,
            version: KEY_VAULT_VERSION,
        }
    }

    /// `Microsoft.Authorization` in the resource manager.
    #[must_use]
    pub fn arm_authorization(&self) -> Target {
        Target { version: AUTHORIZATION_VERSION, ..self.arm() }
    }

    /// The development clock: where it stands, and how far ahead of the real one.
    ///
    /// # Panics
    /// If it does not answer.
    #[must_use]
    pub fn clock(&self) -> (i64, i64) {
        let told = self.plain("GET", "/dev/clock", None).unwrap().expect("the clock");
        let number = |name: &str| told.get(name).and_then(Value::as_i64).unwrap();
        (number("now"), number("aheadSeconds"))
    }

    /// Moves the development clock, and forgets the tokens, which have expired by it.
    ///
    /// # Errors
    /// [`NoAnswer`]: it may have moved or not.
    pub fn try_advance_days(&self, days: i64) -> Result<Answer, NoAnswer> {
        self.try_advance(days * SECONDS_PER_DAY)
    }

    fn try_advance(&self, seconds: i64) -> Result<Answer, NoAnswer> {
        self.0.tokens.lock().unwrap().clear();
        self.plain("POST", "/dev/clock/advance", Some(&json!({ "seconds": seconds })))
    }

    /// Moves the development clock forward to a time, to the second but for those that pass meanwhile.
    ///
    /// # Panics
    /// If the clock does not move, or is past that time already.
    pub fn advance_to(&self, time: i64) {
        let (now, _) = self.clock();
        assert!(time > now, "the clock does not run back");
        self.try_advance(time - now).unwrap().expect("moving the clock");
    }

    /// # Panics
    /// If the clock does not move.
    pub fn advance_seconds(&self, seconds: i64) {
        self.try_advance(seconds).unwrap().expect("moving the clock");
    }

    /// # Panics
    /// If the clock does not move.
    pub fn advance_days(&self, days: i64) {
        self.try_advance_days(days).unwrap().expect("moving the clock");
    }

    /// The text at a path of the bare host.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn plain_text(&self, path: &str) -> String {
        let url = format!("{}{path}", self.facts().get("BASE_URL"));
        let mut answer = self.0.agent.get(&url).call().unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{path}");
        answer.body_mut().read_to_string().unwrap()
    }

    /// A call to the bare host without a token.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub fn plain(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer, NoAnswer> {
        self.send(method, &format!("{}{path}", self.facts().get("BASE_URL")), None, body)
    }

    /// A token for a resource, from the cache or from the token endpoint.
    ///
    /// # Errors
    /// [`NoAnswer`].
    ///
    /// # Panics
    /// If the token endpoint refuses.
    pub fn try_token(&self, principal: Principal, resource: &str) -> Result<String, NoAnswer> {
        let key = (principal, resource.to_owned());
        if let Some(token) = self.0.tokens.lock().unwrap().get(&key) {
            return Ok(token.clone());
        }
        let (id, secret) = (principal.fact(self.facts(), "APP_ID"), principal.fact(self.facts(), "APP_SECRET"));
        let told = self.sign_in(&id, &secret, resource)?.expect("a token");
        let token = told.get("access_token").and_then(Value::as_str).expect("an access_token").to_owned();
        self.0.tokens.lock().unwrap().insert(key, token.clone());
        Ok(token)
    }

    /// What the token endpoint says to an application and its secret.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub fn sign_in(&self, id: &str, secret: &str, resource: &str) -> Result<Answer, NoAnswer> {
        let url = format!("{}/{}/oauth2/v2.0/token", self.facts().get("AUTHORITY"), self.facts().get("TENANT"));
        let scope = format!("{resource}/.default");
        let form =
            [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret), ("scope", &scope)];
        read(self.0.agent.post(&url).send_form(form).map_err(no_answer)?)
    }

    fn send(&self, method: &str, url: &str, token: Option<&str>, body: Option<&Value>) -> Result<Answer, NoAnswer> {
        let mut request = Request::builder().method(method).uri(url);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let bytes = body.map(|body| serde_json::to_vec(body).unwrap());
        let answer = match (bytes, method) {
            (Some(bytes), _) => {
                let request = request.header("content-type", "application/json").body(bytes).unwrap();
                self.0.agent.run(request)
            }
            (None, "POST" | "PUT" | "PATCH") => self.0.agent.run(request.body(Vec::new()).unwrap()),
            (None, _) => self.0.agent.run(request.body(()).unwrap()),
        };
        read(answer.map_err(no_answer)?)
    }
}

fn no_answer(error: ureq::Error) -> NoAnswer {
    assert!(!matches!(error, ureq::Error::Timeout(_)), "the server hangs: {error}");
    NoAnswer(error.to_string())
}

fn read(answer: ureq::http::Response<ureq::Body>) -> Result<Answer, NoAnswer> {
    let (parts, mut body) = answer.into_parts();
    let bytes = body.read_to_vec().map_err(no_answer)?;
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body })
}

fn agent(facts: &Facts) -> Agent {
    let pem = fs::read(facts.get("CA_FILE")).unwrap();
    let roots = parse_pem(&pem).filter_map(|item| match item.unwrap() {
        PemItem::Certificate(certificate) => Some(certificate),
        _ => None,
    });
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(RootCerts::from(roots.collect::<Vec<_>>()))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .build();
    let config = Agent::config_builder()
        .https_only(true)
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .max_idle_connections_per_host(16)
        .timeout_global(Some(CALL_TIMEOUT))
        .tls_config(tls)
        .build();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, facts.port()));
    Agent::with_parts(config, DefaultConnector::default(), ToServer(address))
}

/// Finds every name at the server: `*.vault.localhost` is in no DNS.
#[derive(Debug)]
struct ToServer(SocketAddr);

impl Resolver for ToServer {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut found = self.empty();
        found.push(self.0);
        Ok(found)
    }
}

/// Something with an address, an audience and an API version.
#[derive(Clone)]
pub struct Target {
    client: Client,
    base: String,
    resource: String,
    principal: Principal,
    version: &'static str,
}

impl Target {
    /// The same for somebody else.
    #[must_use]
    pub fn by(&self, principal: Principal) -> Self {
        Self { principal, ..self.clone() }
    }

    /// The audience of its tokens.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// The host, with its port.
    #[must_use]
    pub fn host(&self) -> &str {
        self.base.trim_start_matches("https://")
    }

    /// Calls with the version of this target. The path may have a query.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub fn try_call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer, NoAnswer> {
        let token = self.client.try_token(self.principal, &self.resource)?;
        self.try_call_with(&token, method, path, body)
    }

    /// Calls with a certain token.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub fn try_call_with(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, NoAnswer> {
        let joint = if path.contains('?') { '&' } else { '?' };
        let url = format!("{}{path}{joint}api-version={}", self.base, self.version);
        self.client.send(method, &url, Some(token), body)
    }

    /// # Panics
    /// If there is no answer.
    #[must_use]
    pub fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.try_call(method, path, body).unwrap_or_else(|NoAnswer(error)| panic!("{method} {path}: {error}"))
    }

    /// # Panics
    /// If there is no answer.
    #[must_use]
    pub fn get(&self, path: &str) -> Answer {
        self.call("GET", path, None)
    }

    /// Creates an EC key, or its next version.
    ///
    /// # Panics
    /// If the server refuses.
    pub fn create_key(&self, name: &str) -> Value {
        self.call("POST", &format!("/keys/{name}/create"), Some(&json!({ "kty": "EC", "crv": "P-256" }))).expect(name)
    }

    /// Signs a digest with the current version of an EC key.
    ///
    /// # Panics
    /// If there is no answer.
    #[must_use]
    pub fn sign(&self, name: &str, digest: &[u8]) -> Answer {
        self.call("POST", &format!("/keys/{name}/sign"), Some(&es256(digest)))
    }

    /// The names in a list of objects, all pages of it.
    ///
    /// # Errors
    /// The answer that is no list.
    ///
    /// # Panics
    /// If there is no answer.
    pub fn list(&self, path: &str) -> Result<Vec<String>, Box<Answer>> {
        let mut names = Vec::new();
        let mut next = path.to_owned();
        loop {
            let answer = self.get(&next);
            if !answer.is_success() {
                return Err(Box::new(answer));
            }
            let items = answer.body.get("value").and_then(Value::as_array).unwrap();
            names.extend(items.iter().map(|item| {
                let id = item.get("kid").or(item.get("id")).and_then(Value::as_str).unwrap();
                id.rsplit('/').next().unwrap().to_owned()
            }));
            match answer.body.get("nextLink").and_then(Value::as_str) {
                None => return Ok(names),
                // The version comes from us again.
                Some(link) => next = without_version(link),
            }
        }
    }
}

fn without_version(link: &str) -> String {
    let path = link.splitn(4, '/').nth(3).unwrap();
    let (path, query) = path.split_once('?').unwrap();
    let rest: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with("api-version=")).collect();
    format!("/{path}?{}", rest.join("&"))
}

/// The body of a request to sign a digest.
#[must_use]
pub fn es256(digest: &[u8]) -> Value {
    json!({ "alg": "ES256", "value": URL_SAFE_NO_PAD.encode(digest) })
}
