//! A server process under measurement.

use crate::{
    Failure,
    load::{Answer, Call, Connection, one},
};
use std::{
    ffi::OsStr,
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

/// A child process that is killed when dropped.
pub struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    /// User and system time spent so far, in seconds; the kernel counts in ticks of 10 ms (proc(5)).
    pub fn cpu_seconds(&self) -> Result<f64, Failure> {
        const TICKS_PER_SECOND: f64 = 100.0;
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        let after_name = stat.rsplit_once(')').ok_or("no process name in /proc")?.1;
        let fields: Vec<&str> = after_name.split_whitespace().collect();
        let ticks =
            |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).ok_or("no CPU time in /proc");
        Ok((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND)
    }

    pub fn resident_mib(&self) -> Result<f64, Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).ok_or("no VmRSS in /proc")?;
        let kib: f64 = line.split_whitespace().nth(1).ok_or("no VmRSS in /proc")?.parse()?;
        Ok(kib / 1024.0)
    }
}

/// CPU that this thread has had (proc(5), `schedstat`).
pub fn thread_nanoseconds() -> Result<f64, Failure> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(text.split_whitespace().next().ok_or("no CPU time in /proc")?.parse()?)
}

/// One of the seeded containers.
#[derive(Clone, Copy)]
pub enum Place {
    ManagedHsm,
    Vault,
}

/// Where a container answers, and whom.
#[derive(Default)]
pub struct Site {
    pub host: String,
    pub token: String,
}

/// A running server and what it takes to call it.
pub struct Strongroom {
    pub process: Process,
    pub first_answer: Duration,
    pub port: u16,
    hsm: Site,
    vault: Site,
    pub tls: Arc<rustls::ClientConfig>,
    _folder: Option<tempfile::TempDir>,
}

impl Strongroom {
    /// A development server on a state of its own.
    pub fn start(binary: &OsStr) -> Result<Self, Failure> {
        let folder = tempfile::TempDir::new()?;
        let mut server = Self::start_in(binary, folder.path())?;
        server._folder = Some(folder);
        let facts = server_facts(&server)?;
        server.hsm.token = server.sign_in(&facts, "managedhsm")?;
        server.vault.token = server.sign_in(&facts, "vault")?;
        Ok(server)
    }

    /// A development server on a given state, up to its first answer, without a token.
    pub fn start_in(binary: &OsStr, folder: &Path) -> Result<Self, Failure> {
        let began = Instant::now();
        let mut command = Command::new(binary);
        command.args(["dev", "--port", "0", "--dir"]).arg(folder);
        let process = spawn(command)?;
        let facts = fs::read_to_string(folder.join("dev.env"))?;
        let fact = |name: &str| fact(&facts, name);
        let port = port_of(&fact("BASE_URL")?)?;
        let tls = trusting(Path::new(&fact("CA_FILE")?))?;
        let site = |host: String| Site { host, token: String::new() };
        let hsm = site(format!("devhsm{}", fact("HSM_SUFFIX")?));
        let vault = site(format!("devvault{}", fact("VAULT_SUFFIX")?));
        let mut server = Self { process, first_answer: Duration::ZERO, port, hsm, vault, tls, _folder: None };
        let health = server.connect(&format!("localhost:{port}"))?.exchange("GET", "/health", "", "")?;
        if health.status != 200 {
            return Err(format!("the server's health is {}", health.status).into());
        }
        server.first_answer = began.elapsed();
        Ok(server)
    }

    /// The server of `bench --bare`: as the managed HSM it is asked without a token, as the vault with the one given.
    pub fn start_bare(token: &str) -> Result<Self, Failure> {
        let folder = tempfile::TempDir::new()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--bare").current_dir(folder.path());
        let process = spawn(command)?;
        let facts = fs::read_to_string(folder.path().join("bare.env"))?;
        let port: u16 = fact(&facts, "PORT")?.parse()?;
        let tls = trusting(&folder.path().join("bare.pem"))?;
        let site = |token: &str| Site { host: format!("localhost:{port}"), token: token.to_owned() };
        let (hsm, vault, first_answer) = (site(""), site(token), Duration::ZERO);
        Ok(Self { process, first_answer, port, hsm, vault, tls, _folder: Some(folder) })
    }

    pub fn connect(&self, host: &str) -> Result<Connection, Failure> {
        Connection::open(self.port, host, &self.tls)
    }

    /// One call to the seeded managed HSM; anything but 200 is a failure.
    pub fn call(&self, method: &str, path: &str, body: &str) -> Result<Answer, Failure> {
        let site = &self.hsm;
        let answer = self.connect(&site.host)?.exchange(method, &versioned(path), &site.token, body)?;
        if answer.status == 200 { Ok(answer) } else { Err(format!("{method} {path}: {answer}").into()) }
    }

    pub fn site(&self, place: Place) -> &Site {
        match place {
            Place::ManagedHsm => &self.hsm,
            Place::Vault => &self.vault,
        }
    }

    /// One call; anything but 200 is a failure.
    pub fn once(&self, call: &Call) -> Result<(), Failure> {
        one(&mut self.connect(&self.site(call.place()).host)?, self, call)
    }

    /// A token for containers of a kind, by the word in their audience.
    fn sign_in(&self, facts: &str, kind: &str) -> Result<String, Failure> {
        let fact = |name: &str| fact(facts, name);
        let body = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}&scope=https://{kind}.azure.net/.default",
            fact("APP_ID")?,
            fact("APP_SECRET")?
        );
        let path = format!("/{}/oauth2/v2.0/token", fact("TENANT")?);
        let answer = self.connect(&format!("localhost:{}", self.port))?.post_form(&path, &body)?;
        let body: serde_json::Value = serde_json::from_slice(&answer.body)?;
        Ok(body["access_token"].as_str().ok_or_else(|| format!("no token: {answer}"))?.to_owned())
    }
}

/// Adds the API version that the measured calls use.
pub fn versioned(path: &str) -> String {
    format!("{path}?api-version=7.5")
}

fn server_facts(server: &Strongroom) -> Result<String, Failure> {
    let folder = server._folder.as_ref().ok_or("the server has no folder of its own")?;
    Ok(fs::read_to_string(folder.path().join("dev.env"))?)
}

/// Starts a server and waits for the line by which it says that it listens.
fn spawn(mut command: Command) -> Result<Process, Failure> {
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let stdout = child.stdout.take().ok_or("no output")?;
    let process = Process(child);
    let mut line = String::new();
    let mut lines = BufReader::new(stdout);
    lines.read_line(&mut line)?;
    if !line.contains("ready") {
        return Err(format!("the server did not start: {line}").into());
    }
    // Whatever else it says must not fill the pipe.
    std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
    Ok(process)
}

fn fact(facts: &str, name: &str) -> Result<String, Failure> {
    let line = facts.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    Ok(line.ok_or_else(|| format!("{name} is not among the facts"))?.trim_matches('\'').to_owned())
}

fn port_of(url: &str) -> Result<u16, Failure> {
    Ok(url.rsplit(':').next().ok_or("no port")?.parse()?)
}

fn trusting(ca: &Path) -> Result<Arc<rustls::ClientConfig>, Failure> {
    use rustls::pki_types::{CertificateDer, pem::PemObject as _};
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca)? {
        roots.add(certificate?)?;
    }
    Ok(Arc::new(rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
}
