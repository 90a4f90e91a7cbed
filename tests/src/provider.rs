//! An OpenID Connect provider in a process of its own: the program `provider` of this crate, started, asked for tokens
//! of any kind, and told to change its keys.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a harness of tests fails by panicking")]

use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};
use tempfile::TempDir;
use ureq::{
    Agent,
    tls::{Certificate, RootCerts, TlsConfig, TlsProvider},
};

/// A running provider. It is killed when this is dropped.
pub struct Provider {
    folder: TempDir,
    child: Child,
    agent: Agent,
    pub issuer: String,
}

impl Provider {
    /// `program` is `env!("CARGO_BIN_EXE_provider")`, which only tests know.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start(program: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let mut command = Command::new(program);
        command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let issuer = said.trim().strip_prefix("ready ").expect("the provider says where it is").to_owned();
        let agent = agent(&folder.path().join("ca.pem"));
        Self { folder, child, agent, issuer }
    }

    /// Whom to trust that it is who it is.
    #[must_use]
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn post(&self, path: &str, body: &Value) -> String {
        self.post_text(path, &body.to_string())
    }

    fn post_text(&self, path: &str, body: &str) -> String {
        let mut answer = self.agent.post(&format!("{}{path}", self.issuer)).send(body).unwrap();
        assert_eq!(answer.status(), 200);
        answer.body_mut().read_to_string().unwrap()
    }

    /// A token of an audience, signed by the current RSA key, with these claims beside the usual ones. `null` removes
    /// one.
    #[must_use]
    pub fn token(&self, audience: &str, claims: &Value) -> String {
        self.token_of("rsa", audience, claims)
    }

    /// The same, signed by another key: `ec`, `previous`, `stranger`, or `none` for no signature.
    #[must_use]
    pub fn token_of(&self, key: &str, audience: &str, claims: &Value) -> String {
        self.post("/token", &json!({ "key": key, "audience": audience, "claims": claims }))
    }

    /// Publishes new keys instead of the old ones.
    pub fn rotate(&self) {
        self.post("/rotate", &json!({}));
    }

    /// Publishes its keys in a wrong way: `huge`, `moved`, `secret`, `text`, or under another `name`.
    pub fn fail(&self, fault: &str) {
        self.post_text("/fault", fault);
    }

    /// How often its keys have been asked for.
    ///
    /// # Panics
    /// If it does not say.
    #[must_use]
    pub fn fetches(&self) -> u64 {
        self.post("/fetches", &json!({})).parse().unwrap()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        // An error means that it has ended by itself, and the tests will say so.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn agent(ca_file: &Path) -> Agent {
    let authority = Certificate::from_pem(&fs::read(ca_file).unwrap()).unwrap();
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(RootCerts::from(vec![authority]))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .build();
    let config = Agent::config_builder()
        .https_only(true)
        .http_status_as_error(false)
        .proxy(None)
        .timeout_global(Some(Duration::from_secs(30)))
        .tls_config(tls);
    config.build().new_agent()
}
