//! `strongroom dev`: one command, no configuration.
//!
//! State lives in a folder (or nowhere, with `--ephemeral`). The first start makes a CA, a tenant, a subscription, a
//! resource group, an administrator and one principal per built-in role, a vault and a managed HSM; later starts
//! find them again. It is for one developer's machine: it listens on loopback only, keeps the principals' secrets in
//! the folder, and has a clock that anybody on the machine can move.

mod acme;
mod clock;
mod connection;
mod prices;
mod seed;

pub use clock::{ClockArgs, DevControl, clock, seconds};
pub use seed::PLANTED;

use crate::{
    Failure,
    acme::{Challenges, authorities},
    audit::Keeping,
    net::{self, Listen, Listeners, Names, tls},
    notices::{HttpCourier, Sending},
    private_file, telemetry, wiring,
};
use azure::Addresses;
use connection::Connection;
use custody::{RootKey, SystemEntropy};
use domain::{Activation, ContainerKind};
use engine::{Clock as _, HsmDefaults, MovableClock, SystemClock};
use identity::Trust;
use seed::Seed;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use tempfile::TempDir;

/// Options of `strongroom dev`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The port to listen on, on 127.0.0.1 and ::1; 0 takes any free one
    #[arg(long, default_value_t = 8443)]
    port: u16,
    /// Where the state is kept
    #[arg(long, default_value = ".strongroom")]
    dir: PathBuf,
    /// Keep nothing: the state goes with the process
    #[arg(long, conflicts_with = "dir")]
    ephemeral: bool,
    /// Write the connection facts to this file as shell assignments, once the server is ready to answer
    #[arg(long, value_name = "PATH")]
    env_file: Option<PathBuf>,
    /// TOML file with prices for `strongroom usage`, as in the table [prices] of strongroom.toml; samples if omitted
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
    /// TOML file with the ACME servers that vaults may order certificates from, as in [[acme]] and http_challenges of
    /// strongroom.toml; none if omitted
    #[arg(long, value_name = "FILE")]
    acme: Option<PathBuf>,
    /// PEM file with certificate authorities that receivers of notices may have their certificate from, beside those of
    /// the system and the server's own
    #[arg(long, value_name = "FILE")]
    notices_ca_file: Option<PathBuf>,
    /// The container that a data-plane path on the bare host means
    #[arg(long, value_name = "vault:NAME|hsm:NAME", default_value = "hsm:devhsm", value_parser = wiring::container)]
    default_container: (ContainerKind, String),
}

const DOMAIN: &str = "localhost";

/// Where the state lies, for as long as the server runs.
enum State {
    Kept(PathBuf),
    /// Removed when it is dropped.
    Passing(TempDir),
}

impl State {
    fn new(args: &Args) -> Result<Self, Failure> {
        if args.ephemeral {
            return Ok(Self::Passing(tempfile::Builder::new().prefix("strongroom-").tempdir()?));
        }
        private_file::make_folder(&args.dir).map_err(|error| format!("{}: {error}", args.dir.display()))?;
        Ok(Self::Kept(fs::canonicalize(&args.dir)?))
    }

    fn folder(&self) -> &Path {
        match self {
            Self::Kept(folder) => folder,
            Self::Passing(folder) => folder.path(),
        }
    }

    /// The root key: kept beside the state, or, with a state that passes, in memory only.
    fn root_key(&self) -> Result<RootKey, Failure> {
        let Self::Kept(folder) = self else {
            return Ok(RootKey::new_key_file(&SystemEntropy)?.0);
        };
        let path = folder.join("root.key");
        match fs::read(&path) {
            Ok(contents) => {
                private_file::refuse_exposed(&path)?;
                Ok(RootKey::from_key_file(&contents)?)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let (root, text) = RootKey::new_key_file(&SystemEntropy)?;
                private_file::write(&path, text.expose())?;
                Ok(root)
            }
            Err(error) => Err(format!("{}: {error}", path.display()).into()),
        }
    }
}

/// Runs the development server until it is asked to stop.
///
/// # Errors
/// What keeps it from starting, in words for the person who typed the command.
pub async fn run(args: Args) -> Result<(), Failure> {
    telemetry::start("warn", telemetry::Format::Text)?;
    let prices = prices::load(args.prices.as_deref())?;
    let (acme, challenges) = (acme::load(args.acme.as_deref())?, Challenges::default());
    let state = State::new(&args)?;
    let folder = state.folder();
    let database = folder.join("strongroom.db");
    let seed_file = folder.join("seed.json");
    // Before anything is written: a production state must not get secrets that lie open.
    if database.exists() && !seed_file.exists() {
        return Err(format!("{} was not made by `strongroom dev`: use another --dir", database.display()).into());
    }
    let _lock = wiring::lock(&database)?;
    let listeners = Listeners::bind(&Listen::Loopback { port: args.port })?;
    let port = listeners.addresses().first().map_or(args.port, std::net::SocketAddr::port);

    let seed = Seed::load_or_make(&seed_file, &SystemEntropy)?;
    let clock = Arc::new(MovableClock::new(SystemClock, 0));
    let defaults = HsmDefaults { activation: Activation::Active, grants: seed.hsm_grants() };
    let authorities = authorities(&acme, DOMAIN, &challenges)?;
    let root = state.root_key()?;
    let engine = wiring::engine(&database, root, Arc::clone(&clock) as _, defaults, prices, authorities)?;
    let dev = DevControl::resume(clock, &engine)?;
    seed.plant(&engine)?;

    let names = Names::dev(DOMAIN);
    let today = u64::try_from(SystemClock.now().0)?;
    let certificate = tls::dev::in_folder(folder, &names, today)?;
    let own = ("the server's own", certificate.authority.clone());
    let asked = args.notices_ca_file.clone().map(|file| ("--notices-ca-file", file));
    let ca_files = asked.into_iter().chain([own]).collect();
    let courier = HttpCourier::new(Sending { ca_files, receivers: None, is_dev: true })?;
    let addresses = Addresses::new(DOMAIN.to_owned(), Some(port).filter(|port| *port != 443), seed.tenant);
    let connection = Connection { addresses: &addresses, seed: &seed, ca_file: certificate.authority.clone(), port };
    let assignments = connection.assignments();
    let env_file = folder.join("dev.env");
    let instructions = connection.instructions(&env_file.display().to_string());

    let site = wiring::site(
        engine,
        wiring::SiteSettings {
            addresses,
            trust: Trust::default(),
            default_container: Some(args.default_container),
            managed_identity: Some((seed.administrator.app_id, seed.identity_header.clone())),
            dev: Some(dev),
            courier: Arc::new(courier),
        },
    )?;
    challenges.listen(&acme).await?;
    let loops = wiring::Loops::start(&site.door, Keeping::in_folder(folder));
    let post = wiring::post(&site).start();
    let threads = wiring::cores();
    let settings = net::Settings { proxy: Some(names), plain_identity: true, threads, ..net::Settings::default() };
    let server = net::Server::new(site, tls::server_config(Arc::new(certificate))?, settings)?;

    // The sockets are bound: whoever reads the files now and connects will be answered.
    for path in [Some(env_file), args.env_file].into_iter().flatten() {
        private_file::write(&path, assignments.as_bytes()).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    crate::console::line(&instructions);
    server.run(listeners, net::stop_signal()).await?;
    post.end().await;
    loops.end().await;
    Ok(())
}
