//! A server process of its own: started, killed, started again on the same state.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a harness of tests fails by panicking")]

use crate::client::{Client, Facts};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, Ipv6Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU16, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};
use tempfile::TempDir;

/// Much longer than a start takes even on a busy machine: only a server that never comes up gets there.
const START_TIMEOUT: Duration = Duration::from_secs(60);
const READY: &str = "Strongroom is ready";

/// A running `strongroom dev`. It is killed when this is dropped.
pub struct Server {
    /// What the tests put beside the server: its state, facts and complaints.
    folder: TempDir,
    /// The port that a kept server comes back on; `None` for one that passes.
    port: Option<u16>,
    /// For every start.
    arguments: Vec<String>,
    child: Option<Child>,
    client: Option<Client>,
}

impl Server {
    /// A server that keeps nothing.
    #[must_use]
    pub fn ephemeral() -> Self {
        Self::ephemeral_with(&[])
    }

    /// A server that keeps nothing, with more arguments.
    #[must_use]
    pub fn ephemeral_with(arguments: &[&str]) -> Self {
        Self::started(None, arguments).expect("an ephemeral server takes any free port")
    }

    /// A server on a folder, that can be killed and started again: under the same addresses, as a production server
    /// would be.
    #[must_use]
    pub fn kept() -> Self {
        Self::kept_with(&[])
    }

    /// A server on a folder, with more arguments.
    #[must_use]
    pub fn kept_with(arguments: &[&str]) -> Self {
        // Somebody else may take the port between our look and the server's.
        let started = |_| Self::started(Some(free_port()), arguments).ok();
        (0..8).find_map(started).expect("one of eight ports that were free stays so")
    }

    fn started(port: Option<u16>, arguments: &[&str]) -> Result<Self, String> {
        let folder = TempDir::new().unwrap();
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let mut server = Self { folder, port, arguments, child: None, client: None };
        server.start()?;
        Ok(server)
    }

    fn start(&mut self) -> Result<(), String> {
        let env_file = self.env_file();
        let mut command = Command::new(binary());
        command.arg("dev").arg("--env-file").arg(&env_file).args(&self.arguments);
        without_proxies(&mut command);
        match self.port {
            // What a killed server can't remove goes with the folder.
            None => command.args(["--ephemeral", "--port", "0"]).env("TMPDIR", self.folder.path()),
            Some(port) => command.arg("--dir").arg(self.state_folder()).arg("--port").arg(port.to_string()),
        };
        let complaints = OpenOptions::new().create(true).append(true).open(self.complaints_file()).unwrap();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(complaints).spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let is_ready = wait_until_ready(stdout);
        self.child = Some(child);
        if !is_ready {
            self.kill_9();
            return Err(format!("the server did not start: {}", self.complaints()));
        }
        let facts = Facts::parse(&fs::read_to_string(&env_file).unwrap());
        self.client = Some(match &self.client {
            // The addresses are the same, so the tokens have to be good still.
            Some(before) if self.port.is_some() => before.reconnected(facts),
            _ => Client::new(facts),
        });
        Ok(())
    }

    /// The end that no process can prepare for. Does nothing to a server that has ended.
    pub fn kill_9(&mut self) {
        if let Some(mut child) = self.child.take() {
            // An error means that it has ended by itself, and the tests will say so.
            let _ = child.kill();
            child.wait().unwrap();
        }
    }

    /// Kills the server if it runs, and starts another on the same state and port.
    pub fn restart(&mut self) {
        assert!(self.port.is_some(), "an ephemeral server has nothing to come back to");
        self.kill_9();
        self.start().unwrap_or_else(|error| panic!("{error}"));
    }

    /// A client of the running server. Clones share connections and tokens.
    ///
    /// # Panics
    /// Never on a server that was started.
    #[must_use]
    pub fn client(&self) -> &Client {
        self.client.as_ref().expect("a server has a client from its first start on")
    }

    /// What the command line prints for these words, asked of this server.
    ///
    /// # Panics
    /// If the command fails.
    #[must_use]
    pub fn printed(&self, words: &[&str]) -> String {
        let mut command = Command::new(binary());
        let output = command.args(words).arg("--env-file").arg(self.env_file()).output().unwrap();
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {complaints}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn env_file(&self) -> PathBuf {
        self.folder.path().join("facts.env")
    }

    /// Whether the process runs.
    pub fn is_running(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// The folder that the server keeps its state in.
    #[must_use]
    pub fn state_folder(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// The database of a kept server.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.state_folder().join("strongroom.db")
    }

    /// A folder for whatever a test wants to put somewhere.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn complaints_file(&self) -> PathBuf {
        self.folder.path().join("stderr.txt")
    }

    /// What this server, and those before it on the same state, wrote to the standard error stream.
    #[must_use]
    pub fn complaints(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.complaints_file()).unwrap_or_default()).into_owned()
    }

    /// A panic is caught at the door and answered with 500; here it counts as what it is.
    ///
    /// # Panics
    /// If the server did.
    pub fn assert_no_panic(&self) {
        let complaints = self.complaints();
        assert!(!complaints.contains("panicked"), "the server panicked:\n{complaints}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if thread::panicking() {
            let ended = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
            let complaints = self.complaints();
            // Beside the failed assertion. If it can't be written, the assertion still is.
            let _ = writeln!(io::stderr(), "the server: ended {ended:?}, complaints: {complaints}");
        }
        self.kill_9();
    }
}

/// Reads what the server says until it says that it is ready. Goes on reading to its end, as nobody else would.
fn wait_until_ready(stdout: ChildStdout) -> bool {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if line.starts_with(READY) {
                // Nobody may be waiting any more.
                let _ = sender.send(());
            }
        }
    });
    receiver.recv_timeout(START_TIMEOUT).is_ok()
}

/// What the machine's proxies are for is not on this machine.
pub(crate) fn without_proxies(command: &mut Command) {
    for name in ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
}

/// A port that nobody listens on, below those that the system gives to outgoing connections: it stays free while its
/// server is down.
///
/// # Panics
/// If there is none.
pub fn free_port() -> u16 {
    const FIRST: u16 = 15_000;
    const COUNT: u16 = 15_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let own = u16::try_from(std::process::id() % u32::from(COUNT)).unwrap();
    (0..COUNT)
        .map(|_| FIRST + own.wrapping_mul(31).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT)
        .find(|port| {
            TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok()
                && TcpListener::bind((Ipv6Addr::LOCALHOST, *port)).is_ok()
        })
        .expect("some port is free")
}

/// The program: `STRONGROOM_BIN`, or the one that cargo builds beside these tests.
pub(crate) fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| std::env::var_os("STRONGROOM_BIN").map_or_else(build, PathBuf::from))
}

/// The program, to be run with other arguments than a server's.
#[must_use]
pub fn program() -> Command {
    Command::new(binary())
}

/// Cargo builds the binaries of a package only for that package's own tests.
fn build() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile_folder = test.parent().and_then(Path::parent).expect("a test lies in {target}/{profile}/deps");
    let profile = profile_folder.file_name().and_then(|name| name.to_str()).unwrap();
    let target = profile_folder.parent().unwrap();
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--quiet", "--package", "strongroom", "--bin", "strongroom", "--profile"])
        .arg(if profile == "debug" { "dev" } else { profile })
        .arg("--target-dir")
        .arg(target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .unwrap();
    assert!(status.success(), "cargo could not build the server");
    let binary = profile_folder.join(format!("strongroom{}", std::env::consts::EXE_SUFFIX));
    // Better here than in the first of many tests.
    drop(File::open(&binary).unwrap());
    binary
}
