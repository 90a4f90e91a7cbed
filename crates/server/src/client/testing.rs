//! What the tests of the client share: a network that answers from a script, and a way to type a command.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::time::Duration;

use clap::Parser;
use serde_json::Value;
use zeroize::Zeroizing;

use super::error::ClientError;
use super::grammar::{Action, Command, KeyCommand};
use super::http::{Request, Response, Wire};
use super::identity::IdentityCommand;
use super::settings::{Credentials, Settings};
use super::target::Suffixes;

/// The binary as far as the client is concerned.
#[derive(Parser)]
#[command(version, propagate_version = true)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

/// Types a command after the name of the binary, words separated by blanks.
pub fn typed(line: &str) -> Result<Action, clap::Error> {
    Ok(match typed_command(line)? {
        Command::Keyvault(group) => group.action,
        Command::Direct(action) => action,
        Command::Identity(_) => panic!("'{line}' is about the directory"),
    })
}

/// Types a command on the directory.
pub fn typed_identity(line: &str) -> Result<IdentityCommand, clap::Error> {
    match typed_command(&format!("identity {line}"))? {
        Command::Identity(command) => Ok(*command),
        _ => panic!("'{line}' is not about the directory"),
    }
}

fn typed_command(line: &str) -> Result<Command, clap::Error> {
    let words = ["strongroom"].into_iter().chain(line.split_whitespace());
    Line::try_parse_from(words).map(|line| line.command)
}

/// Types a command on keys.
pub fn typed_key(line: &str) -> KeyCommand {
    match typed(line) {
        Ok(Action::Key(command)) => *command,
        Ok(_) => panic!("'{line}' is not about keys"),
        Err(error) => panic!("{error}"),
    }
}

/// Suffixes of a server on its default port.
pub fn suffixes() -> Suffixes {
    Suffixes { vault: ".vault.localhost:8443".into(), hsm: ".managedhsm.localhost:8443".into() }
}

/// Settings of a server on its default port.
pub fn settings() -> Settings {
    Settings {
        base: "https://localhost:8443".into(),
        authority: "https://login.localhost:8443".into(),
        ca_file: None,
        suffixes: suffixes(),
        subscription: Some("sub".into()),
        tenant: Some("tenant".into()),
        object_id: Some("me".into()),
        credentials: Some(Credentials { client_id: "app".into(), client_secret: Zeroizing::new("s&cret".into()) }),
    }
}

/// A network that gives one answer after another and remembers what it was asked.
#[derive(Default)]
pub struct Script {
    answers: RefCell<VecDeque<Response>>,
    /// Each request: method and URL, `+` if it had a token, and its body.
    pub asked: RefCell<Vec<String>>,
    /// Each pause.
    pub pauses: RefCell<Vec<Duration>>,
}

impl Script {
    /// A network with these answers.
    pub fn new(answers: impl IntoIterator<Item = Response>) -> Script {
        Script { answers: RefCell::new(answers.into_iter().collect()), ..Script::default() }
    }

    /// A network for the control plane: the token comes first.
    pub fn arm(answers: impl IntoIterator<Item = Response>) -> Script {
        Script::new([token()].into_iter().chain(answers))
    }

    /// What was asked of the directory after the token, without the address.
    pub fn asked_of_graph(&self) -> Vec<String> {
        let short = |line: &String| line.replacen("https://localhost:8443/v1.0", "", 1);
        self.asked.borrow().iter().skip(1).map(short).collect()
    }

    /// What was asked after the token, without the addresses that are always the same.
    pub fn asked_of_arm(&self) -> Vec<String> {
        let short = |line: &String| {
            let line =
                line.replace("https://localhost:8443/subscriptions/sub", "").replace("?api-version=2026-02-01", "");
            line.replace("/providers/Microsoft.KeyVault", "~")
        };
        self.asked.borrow().iter().skip(1).map(short).collect()
    }
}

impl Wire for Script {
    fn exchange(&self, request: &Request) -> Result<Response, ClientError> {
        let token = if request.token.is_some() { "+" } else { "" };
        let body = request.body.as_ref().map(|(_, bytes)| format!(" {}", String::from_utf8_lossy(bytes)));
        self.asked.borrow_mut().push(format!("{}{token} {}{}", request.method, request.url, body.unwrap_or_default()));
        let next = self.answers.borrow_mut().pop_front();
        next.ok_or_else(|| {
            ClientError::Local(format!("the script has no answer to {} {}", request.method, request.url))
        })
    }

    fn pause(&self, time: Duration) {
        self.pauses.borrow_mut().push(time);
    }
}

/// An answer with a JSON body.
pub fn answer(status: u16, body: Value) -> Response {
    Response { status, body: body.to_string().into_bytes(), ..Response::default() }
}

/// An answer of the token endpoint.
pub fn token() -> Response {
    answer(200, serde_json::json!({ "token_type": "Bearer", "access_token": "jwt" }))
}

/// A refusal that names the audience of a token.
pub fn challenge(resource: &str) -> Response {
    let text = format!(r#"Bearer authorization="https://evil.example/tenant", resource="{resource}""#);
    Response { status: 401, challenge: Some(text), ..Response::default() }
}
