//! An installation as in production: made by `strongroom init`, run by `strongroom serve` on a configuration file.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a harness of tests fails by panicking")]

use crate::{
    client::{Client, Facts},
    process::{self, free_port},
    tls::Certificates,
};
use std::{
    fs::{self, OpenOptions},
    io::{BufRead as _, BufReader, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};
use tempfile::TempDir;

pub const DOMAIN: &str = "keys.example";
pub const TENANT: &str = "11111111-2222-3333-4444-555555555555";
/// Much longer than anything takes even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A configuration with its files, and the server while it runs. It is killed when this is dropped.
pub struct Installation {
    folder: TempDir,
    port: u16,
    child: Option<Child>,
    /// What the server says, line by line, as far as nobody has looked at it.
    said: Option<Receiver<String>>,
}

impl Installation {
    /// Files and configuration; nothing runs yet. What is given stands at the end of the configuration.
    ///
    /// # Panics
    /// If they can't be written.
    #[must_use]
    pub fn configured(more: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let installation = Self { folder, port: free_port(), child: None, said: None };
        let certificates = Certificates::of(&[
            DOMAIN,
            &format!("*.{DOMAIN}"),
            &format!("*.vault.{DOMAIN}"),
            &format!("*.managedhsm.{DOMAIN}"),
        ]);
        installation.write("ca.pem", &certificates.authority);
        installation.write("tls.pem", &certificates.certificate);
        installation.write("tls.key", &certificates.key);
        let port = installation.port;
        let configuration = format!(
            "domain = \"{DOMAIN}\"\ntenant = \"{TENANT}\"\nstate = \"state\"\nlisten = [\"127.0.0.1:{port}\"]\n\
             root.key_file = \"root.key\"\ntls.certificate = \"tls.pem\"\ntls.key = \"tls.key\"\n{more}"
        );
        installation.write("strongroom.toml", &configuration);
        installation
    }

    /// Writes a file beside the configuration, for its owner only.
    ///
    /// # Panics
    /// If it can't be written.
    pub fn write(&self, name: &str, contents: &str) {
        let path = self.path(name);
        fs::write(&path, contents).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(process::binary());
        command.arg(verb).arg("--config").arg(self.path("strongroom.toml")).stdin(Stdio::null());
        process::without_proxies(&mut command);
        command
    }

    /// Runs `strongroom init`.
    ///
    /// # Panics
    /// If it can't be run.
    #[must_use]
    pub fn init(&self, arguments: &[&str]) -> Output {
        self.command("init").args(arguments).output().unwrap()
    }

    /// Runs `strongroom serve` until it is ready.
    pub fn serve(&mut self) {
        self.serve_until(&[]);
    }

    /// Runs `strongroom serve` until it is ready and has said these things too, in any order.
    ///
    /// # Panics
    /// If it does not get there.
    pub fn serve_until(&mut self, parts: &[&str]) {
        let mut child = self.command("serve").stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = child.stderr.take().unwrap();
        self.child = Some(child);
        let mut log = OpenOptions::new().create(true).append(true).open(self.path("log")).unwrap();
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                // Nobody may be waiting any more, and the folder may be gone.
                let _ = writeln!(log, "{line}");
                let _ = sender.send(line);
            }
        });
        self.said = Some(receiver);
        self.await_log(&[&[": ready "], parts].concat());
    }

    /// Waits until the server has said these things. What it said before somebody waited for others does not count.
    ///
    /// # Panics
    /// If it never says them.
    pub fn await_log(&self, parts: &[&str]) {
        let said = self.said.as_ref().unwrap();
        let mut missing = parts.to_vec();
        while !missing.is_empty() {
            let Ok(line) = said.recv_timeout(PATIENCE) else {
                panic!("the server did not say {missing:?}: {}", self.log());
            };
            missing.retain(|part| !line.contains(part));
        }
    }

    /// Ends the server, if it runs.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // An error means that it has ended by itself, and the tests will say so.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// What the server has said so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// `https://keys.example:8443`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("https://{DOMAIN}:{}", self.port)
    }

    /// A client that knows the addresses, and these facts beside.
    #[must_use]
    pub fn client(&self, more: &str) -> Client {
        let (base, port, ca) = (self.base_url(), self.port, self.path("ca.pem"));
        Client::new(Facts::parse(&format!(
            "BASE_URL='{base}'\nAUTHORITY='{base}'\nVAULT_SUFFIX='.vault.{DOMAIN}:{port}'\n\
             HSM_SUFFIX='.managedhsm.{DOMAIN}:{port}'\nCA_FILE='{}'\n{more}",
            ca.display()
        )))
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        self.stop();
    }
}
