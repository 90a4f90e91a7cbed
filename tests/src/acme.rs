//! An ACME server in a process of its own: the program `acme` of this crate, started, told how to behave, stopped, and
//! started again under the same address, having forgotten everything.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a harness of tests fails by panicking")]

use crate::{process::free_port, provider::agent};
use serde_json::Value;
use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;

/// The server. It is killed when this is dropped.
pub struct AcmeServer {
    program: &'static str,
    folder: TempDir,
    port: u16,
    child: Option<Child>,
}

impl AcmeServer {
    /// `program` is `env!("CARGO_BIN_EXE_acme")`, which only tests know.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start(program: &'static str) -> Self {
        let mut server = Self { program, folder: TempDir::new().unwrap(), port: free_port(), child: None };
        server.restart();
        server
    }

    /// Ends the server, if it runs.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // An error means that it has ended by itself, and the tests will say so.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Another one in its place.
    ///
    /// # Panics
    /// If it does not start.
    pub fn restart(&mut self) {
        self.stop();
        let mut command = Command::new(self.program);
        command.arg(self.port.to_string()).current_dir(self.folder.path());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
        self.child = Some(child);
        let directory = said.trim().strip_prefix("ready ").expect("the server says where it is");
        assert_eq!(directory, self.directory());
    }

    /// Where it describes itself.
    #[must_use]
    pub fn directory(&self) -> String {
        format!("https://127.0.0.1:{}/directory", self.port)
    }

    /// Whom to trust that it is who it is.
    #[must_use]
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// The root of what it issues.
    #[must_use]
    pub fn root_file(&self) -> PathBuf {
        self.folder.path().join("root.pem")
    }

    /// Writes what `strongroom dev --acme` reads: this server under a name, and more lines about it.
    ///
    /// # Panics
    /// If the file can't be written.
    #[must_use]
    pub fn configuration(&self, name: &str, challenge_port: u16, more: &str) -> PathBuf {
        let path = self.folder.path().join("acme.toml");
        let (directory, ca_file) = (self.directory(), self.ca_file());
        let text = format!(
            "http_challenges = \"127.0.0.1:{challenge_port}\"\n[[acme]]\nname = \"{name}\"\n\
             directory = \"{directory}\"\nca_file = \"{}\"\n{more}",
            ca_file.display()
        );
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Changes how it behaves: see the program's settings.
    ///
    /// # Panics
    /// If it does not listen.
    pub fn tell(&self, settings: &Value) {
        let url = format!("https://127.0.0.1:{}/control", self.port);
        let answer = agent(&self.ca_file()).post(&url).send(settings.to_string()).unwrap();
        assert_eq!(answer.status().as_u16(), 204, "{settings}");
    }

    /// What it has: `accounts` (their contacts), the number of `orders`.
    ///
    /// # Panics
    /// If it does not say.
    #[must_use]
    pub fn counts(&self) -> Value {
        let url = format!("https://127.0.0.1:{}/control", self.port);
        let mut answer = agent(&self.ca_file()).get(&url).call().unwrap();
        serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
    }
}

impl Drop for AcmeServer {
    fn drop(&mut self) {
        self.stop();
    }
}
