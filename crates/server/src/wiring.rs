//! Putting the parts together: store, custody, engine, identity, fronts; and the loops that act by themselves.

use crate::{
    Failure,
    audit::{Keeper, Keeping},
    dev::DevControl,
    metrics::Exposition,
    notices::Post,
    site::Site,
};
use azure::{Addresses, Arm, DataPlane, SignIn, notices::Courier};
use custody::{RootKey, SoftwareProvider, SystemEntropy};
use domain::{ContainerKind, Guid, metering::Prices};
use engine::{CertificateAuthority, Clock, Door, Engine, EngineParts, HsmDefaults, SystemClock};
use identity::{Identity, Trust};
use std::{
    fs::{File, TryLockError},
    num::NonZero,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use store::sqlite::SqliteStore;
use tokio::task::JoinSet;

/// How often records that wait for it are made durable. A crash loses no more of them than came in since.
const FLUSH_INTERVAL: Duration = Duration::from_millis(100);
/// How often the purge scheduler and the loop that rotates and renews look for what is due.
const LOOP_INTERVAL: Duration = Duration::from_secs(5);
/// How much one round of a loop does before it lets others in.
const LOOP_BATCH: usize = 100;

/// Keeps a second process from a database for as long as the returned file lives: each would serve from memory what the
/// other has deleted.
///
/// # Errors
/// Another process has the database.
pub fn lock(database: &Path) -> Result<File, Failure> {
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    let path = PathBuf::from(path);
    let file = File::options().create(true).truncate(false).write(true).open(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(format!("another process is running on {}: stop it, or use another state", database.display()).into())
        }
        Err(TryLockError::Error(error)) => Err(format!("{}: {error}", path.display()).into()),
    }
}

/// Opens a database and brings an engine up on it.
///
/// # Errors
/// The store's or the engine's, in words.
pub fn engine(
    database: &Path,
    root: RootKey,
    clock: Arc<dyn Clock>,
    hsm_defaults: HsmDefaults,
    prices: Prices,
    authorities: Vec<Box<dyn CertificateAuthority>>,
) -> Result<Arc<Engine>, Failure> {
    let named = |error: &(dyn std::error::Error + 'static)| format!("{}: {}", database.display(), chain(error));
    let store = SqliteStore::open(database).map_err(|fault| named(&fault))?;
    let parts = EngineParts {
        store: Arc::new(store),
        provider: Box::new(SoftwareProvider),
        root,
        clock,
        entropy: Arc::new(SystemEntropy),
        hsm_defaults,
    };
    let engine = Engine::start(parts).map_err(|error| named(&error))?;
    Ok(Arc::new(engine.with_prices(prices).with_authorities(authorities)))
}

/// Reads `vault:NAME` or `hsm:NAME`.
///
/// # Errors
/// In words, for the command line and the configuration file.
pub fn container(text: &str) -> Result<(ContainerKind, String), String> {
    match text.split_once(':') {
        Some(("vault", name)) => Ok((ContainerKind::Vault, name.to_owned())),
        Some(("hsm", name)) => Ok((ContainerKind::ManagedHsm, name.to_owned())),
        _ => Err("write vault:NAME or hsm:NAME".to_owned()),
    }
}

/// What the fronts need beside the engine.
pub struct SiteSettings {
    pub addresses: Addresses,
    /// Whose tokens are taken.
    pub trust: Trust,
    pub default_container: Option<(ContainerKind, String)>,
    /// The application that the managed-identity endpoint speaks for, and the header that App Service's style asks for.
    pub managed_identity: Option<(Guid, String)>,
    pub dev: Option<DevControl>,
    /// Carries notices to their receivers.
    pub courier: Arc<dyn Courier>,
}

/// The cores that there are for this process.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(2, NonZero::get)
}

/// Builds the fronts over an engine.
///
/// # Errors
/// If the issuer's key can't be had.
pub fn site(engine: Arc<Engine>, settings: SiteSettings) -> Result<Site, Failure> {
    let addresses = Arc::new(settings.addresses);
    let mut identity = Identity::trusting(Arc::clone(&engine), addresses.tenant, settings.trust)
        .map_err(|error| format!("the issuer's key can't be had: {}", chain(&error)))?;
    // Tokens live by the clock of the clients, however far a development server's has been moved.
    if settings.dev.is_some() {
        identity = identity.with_clock(Arc::new(SystemClock));
    }
    let identity = Arc::new(identity);
    let managed_identity = settings.managed_identity;
    let door = Door::new(engine, cores());
    Ok(Site {
        data_plane: DataPlane {
            door: door.clone(),
            identity: Arc::clone(&identity),
            addresses: Arc::clone(&addresses),
        },
        arm: Arm {
            door: door.clone(),
            identity: Arc::clone(&identity),
            addresses: Arc::clone(&addresses),
            courier: settings.courier,
        },
        sign_in: SignIn {
            door: door.clone(),
            identity,
            addresses: Arc::clone(&addresses),
            managed_identity: managed_identity.as_ref().map(|(app, _)| *app),
            identity_header: managed_identity.map(|(_, header)| header),
        },
        metrics: Exposition { door: door.clone(), started: SystemClock.now() },
        door,
        addresses,
        default_container: settings.default_container,
        dev: settings.dev,
    })
}

/// The post of a site's notices.
pub fn post(site: &Site) -> Post {
    Post::new(site.door.clone(), Arc::clone(&site.arm.courier), Arc::clone(&site.addresses))
}

/// What acts by itself while the server runs.
pub struct Loops {
    door: Door,
    keeper: Keeper,
    running: JoinSet<()>,
}

impl Loops {
    /// Begins them.
    pub fn start(door: &Door, keeping: Keeping) -> Self {
        let keeper = Keeper::new(door, keeping);
        let mut running = JoinSet::new();
        running.spawn(act(door.clone()));
        running.spawn(keep_log(door.clone()));
        running.spawn(ask_issuers(door.clone()));
        keeper.start(&mut running);
        Self { door: door.clone(), keeper, running }
    }

    /// Ends them, when nothing is asked any more: what waits for one of them is done first.
    pub async fn end(mut self) {
        self.running.shutdown().await;
        flush_log(&self.door).await;
        self.keeper.end().await;
    }
}

/// Runs the purge scheduler and the loop that rotates and renews until the process ends.
async fn act(door: Door) {
    let mut ticks = tokio::time::interval(LOOP_INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        act_on_due(&door).await;
    }
}

/// Asks the issuers of certificates outside until the process ends. Apart from the other loops: they take their time.
async fn ask_issuers(door: Door) {
    let mut ticks = tokio::time::interval(LOOP_INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        ask_due_issuers(&door).await;
    }
}

/// Asks the issuers outside whose time it is, once.
pub async fn ask_due_issuers(door: &Door) {
    if let Err(error) = door.run_apart(|engine| engine.ask_issuers(LOOP_BATCH)).await {
        tracing::error!(error = chain(&error), "issuers could not be asked");
    }
}

/// Makes waiting audit records durable until the process ends.
async fn keep_log(door: Door) {
    let mut ticks = tokio::time::interval(FLUSH_INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        flush_log(&door).await;
    }
}

/// Makes waiting audit records durable. What can't be written now waits on.
async fn flush_log(door: &Door) {
    if let Err(error) = door.run_apart(Engine::flush_audit).await {
        tracing::error!(error = chain(&error), "audit records could not be written; they wait");
    }
}

/// Purges, rotates, renews and tells of what is due, all of it.
pub async fn act_on_due(door: &Door) {
    loop {
        let round = door.run(engine::Cost::Durable, |engine| {
            let swept = engine.sweep(LOOP_BATCH)?;
            let acted = engine.act_on_due(LOOP_BATCH)?;
            Ok((swept, acted + engine.publish_due(LOOP_BATCH)?))
        });
        match round.await {
            Ok((swept, 0)) if swept.is_empty() => return,
            Ok((swept, acted)) => {
                tracing::info!(containers = swept.containers, objects = swept.objects, acted, "acted on what was due");
            }
            Err(error) => {
                tracing::error!(error = chain(&error), "the scheduler could not act");
                return;
            }
        }
    }
}

/// An error with its causes, in one line.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
