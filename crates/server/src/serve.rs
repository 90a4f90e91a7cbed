//! `strongroom serve`: production.

use crate::{
    Failure,
    acme::{self, Challenges},
    audit::Keeping,
    config::{Config, Root},
    dev::PLANTED,
    external_issuer::{HttpsDocuments, keep_keys},
    net::{self, Listeners, Names, tls},
    notices::{HttpCourier, Sending},
    telemetry, wiring,
};
use azure::Addresses;
use custody::{PassphraseParameters, RootKey};
use domain::{Activation, Guid, Secret};
use engine::{HsmDefaults, SystemClock};
use identity::{Documents, Trust};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// The options of `strongroom serve`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration file
    #[arg(long, value_name = "PATH")]
    pub config: PathBuf,
}

/// How often the certificate files are looked at for a change.
const CERTIFICATE_CHECK: Duration = Duration::from_secs(60);

/// What every managed HSM begins with in production: no principal has a role it was not given.
pub const HSM_DEFAULTS: HsmDefaults = HsmDefaults { activation: Activation::Active, grants: Vec::new() };

/// Runs the server until it is asked to stop.
///
/// # Errors
/// What keeps it from starting, in words for the person who typed the command.
pub async fn run(args: Args) -> Result<(), Failure> {
    let config = Config::load(&args.config)?;
    telemetry::start(config.log.level.as_str(), config.log.format)?;
    config.refuse_exposed_files()?;
    let database = config.database();
    if !database.is_file() {
        return Err(format!("{} is missing: `strongroom init` makes it", database.display()).into());
    }
    let _lock = wiring::lock(&database)?;
    let root = root_key(&config)?;
    let (acme, challenges) = (config.acme(), Challenges::default());
    let authorities = acme::authorities(&acme, config.domain.as_str(), &challenges)?;
    let prices = config.prices.clone();
    let engine = wiring::engine(&database, root, Arc::new(SystemClock), HSM_DEFAULTS, prices, authorities)?;

    if engine.system_record(PLANTED)?.is_some() {
        return Err(format!(
            "{} was made by `strongroom dev`: its secrets lie open, so it never serves",
            database.display()
        )
        .into());
    }

    let certificates = tls::files::CertificateFiles::load(&config.tls.certificate, &config.tls.key)?;
    let default_container = config.default_container.as_deref().map(wiring::container).transpose()?;
    let site = wiring::site(
        engine,
        wiring::SiteSettings {
            addresses: addresses(&config),
            trust: trust(&config)?,
            default_container,
            managed_identity: None,
            dev: None,
            courier: Arc::new(HttpCourier::new(sending(&config))?),
        },
    )?;
    let listeners = Listeners::bind(&config.listen())?;
    if let Some(metrics) = &config.metrics {
        let address = metrics.listen;
        let exposition = site.metrics.clone();
        exposition.listen(address).await.map_err(|error| format!("metrics.listen: {address}: {error}"))?;
    }
    challenges.listen(&acme).await?;
    let loops = wiring::Loops::start(&site.door, keeping(&config));
    let post = wiring::post(&site).start();
    let keys = tokio::spawn(keep_keys(site.door.clone(), Arc::clone(&site.sign_in.identity)));
    let freshness = tokio::spawn(Arc::clone(&certificates).keep_fresh(CERTIFICATE_CHECK));
    let limits = net::Limits::default();
    let settings = net::Settings {
        limits: net::Limits {
            body: config.body_limit.0,
            large_body: config.body_limit.0.max(limits.large_body),
            ..limits
        },
        proxy: config.proxy.then(|| Names::of_domain(config.domain.as_str())),
        plain_identity: false,
        threads: wiring::cores(),
    };
    let server = net::Server::new(site, tls::server_config(certificates)?, settings)?;
    tracing::info!(addresses = ?listeners.addresses(), domain = %config.domain, "ready");
    server.run(listeners, net::stop_signal()).await?;
    keys.abort();
    post.end().await;
    loops.end().await;
    freshness.abort();
    Ok(())
}

fn keeping(config: &Config) -> Keeping {
    Keeping {
        retention_days: config.audit.retention_days.map(|days| days.0),
        export_file: config.audit.export_file.clone(),
        syslog: config.audit.syslog.clone(),
        ..Keeping::in_folder(&config.state)
    }
}

fn sending(config: &Config) -> Sending {
    let ca_file = config.notices.ca_file.clone().map(|file| ("notices.ca_file", file));
    Sending { ca_files: ca_file.into_iter().collect(), receivers: config.notices.receivers.clone(), is_dev: false }
}

fn addresses(config: &Config) -> Addresses {
    let port = Some(config.public_port()).filter(|port| *port != 443);
    let own = Addresses::new(config.domain.as_str().to_owned(), port, Guid::from_u128(config.tenant.as_u128()));
    match config.identity.foreign_authority() {
        Some(authority) => own.with_authority(authority),
        None => own,
    }
}

fn trust(config: &Config) -> Result<Trust, Failure> {
    let external = config.identity.external.as_ref().map(|external| {
        let documents: Arc<dyn Documents> = Arc::new(HttpsDocuments::new(external)?);
        Ok::<_, Failure>((external.settings(), documents))
    });
    Ok(Trust { embedded: config.identity.embedded, external: external.transpose()? })
}

/// The root key of an installation, from where the configuration says.
///
/// # Errors
/// A file is missing or not what it should be.
pub fn root_key(config: &Config) -> Result<RootKey, Failure> {
    let read = |path: &Path| fs::read(path).map_err(|error| format!("{}: {error}", path.display()));
    match &config.root {
        Root::KeyFile(path) => {
            let contents = Secret::new(read(path)?);
            Ok(RootKey::from_key_file(contents.expose()).map_err(|fault| format!("{}: {fault}", path.display()))?)
        }
        Root::PassphraseFile(path) => {
            let parameters = parameters_file(config);
            let parameters: PassphraseParameters = serde_json::from_slice(&read(&parameters)?)
                .map_err(|error| format!("{}: {error}", parameters.display()))?;
            let passphrase = passphrase(read(path)?);
            Ok(RootKey::from_passphrase(&passphrase, &parameters)
                .map_err(|fault| format!("{}: {fault}", path.display()))?)
        }
    }
}

/// A passphrase file may end in a line break that is not part of the passphrase.
fn passphrase(contents: Vec<u8>) -> Secret {
    let contents = Secret::new(contents);
    let bytes = contents.expose();
    let end = bytes.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |last| last + 1);
    Secret::new(bytes.get(..end).unwrap_or_default().to_vec())
}

/// Where the parameters lie that turn the passphrase into the root key. They are no secret, but without them the
/// passphrase is worth nothing.
pub fn parameters_file(config: &Config) -> PathBuf {
    config.state.join("passphrase.json")
}
