//! The file of `strongroom serve`: `strongroom.toml`. A documented sample is `strongroom.sample.toml`.
//!
//! Secrets never stand in it, only the names of files that hold them.

mod acme;
mod audit;
mod identity;
mod notices;

pub use acme::{AcmeServer, AcmeServers, AcmeSettings};
pub use audit::AuditConfig;
pub use identity::{ExternalConfig, HttpsUrl, IdentityConfig};
pub use notices::NoticesConfig;

use crate::net::Listen;
use crate::private_file::{self, PrivateFileError};
use crate::telemetry::{self, Format};
use domain::metering::Prices;
use serde::Deserialize;
use std::fmt;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// The port when none is named.
pub const DEFAULT_PORT: u16 = 8443;
const DEFAULT_BODY_LIMIT: usize = 1 << 20;
/// A key backup or a PKCS#12 file must fit; a body is held in memory.
const BODY_LIMITS: std::ops::RangeInclusive<usize> = 64 << 10..=64 << 20;

/// The settings of a server in production.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The domain everything is under: vaults answer at `{name}.vault.{domain}`.
    pub domain: Domain,
    /// The tenant that vaults and tokens belong to.
    pub tenant: Uuid,
    /// The folder for all that the server keeps.
    pub state: PathBuf,
    /// The database, if it is not `strongroom.db` in the state folder.
    #[serde(default)]
    database: Option<PathBuf>,
    /// Where the root key comes from.
    pub root: Root,
    /// The certificate.
    pub tls: Tls,
    /// The addresses to listen on.
    #[serde(default = "loopback")]
    pub listen: Vec<SocketAddr>,
    /// The port clients use, if a balancer before us listens on another one.
    #[serde(default)]
    public_port: Option<u16>,
    /// Whether `CONNECT` to a name under the domain is taken.
    #[serde(default)]
    pub proxy: bool,
    /// What answers data-plane requests to the bare domain: `vault:NAME` or `hsm:NAME`.
    #[serde(default)]
    pub default_container: Option<String>,
    /// The largest body of a request, in bytes.
    #[serde(default)]
    pub body_limit: BodyLimit,
    /// How the audit log is kept, and where it is handed on to.
    #[serde(default)]
    pub audit: AuditConfig,
    /// What is logged, and how.
    #[serde(default)]
    pub log: Log,
    /// Whose tokens are taken.
    #[serde(default)]
    pub identity: IdentityConfig,
    /// Where notices may be sent.
    #[serde(default)]
    pub notices: NoticesConfig,
    /// Where a monitor may ask for metrics; nowhere without.
    #[serde(default)]
    pub metrics: Option<Metrics>,
    /// The ACME servers that vaults may order certificates from.
    #[serde(default)]
    acme: AcmeServers,
    /// Where the challenges of ACME servers are answered, over plain HTTP; nowhere without.
    #[serde(default)]
    http_challenges: Option<SocketAddr>,
    /// What things cost, for those who ask what they have used.
    #[serde(default)]
    pub prices: Prices,
}

/// Where the root key comes from: exactly one of these.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Root {
    /// A file that holds the key itself.
    KeyFile(PathBuf),
    /// A file that holds a passphrase.
    PassphraseFile(PathBuf),
}

/// The certificate chain and its key, as PEM files that may be replaced at any time.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The chain, the server's own certificate first.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// A level, or directives for single modules.
    pub level: Level,
    /// Text or JSON.
    pub format: Format,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: Level("info".to_owned()), format: Format::default() }
    }
}

/// The port for a monitor.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// The address to listen on, over plain HTTP.
    pub listen: SocketAddr,
}

/// A checked log level.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Level(String);

impl Level {
    /// The level as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Level {
    type Error = telemetry::TelemetryError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        telemetry::check_level(&text).map(|()| Self(text))
    }
}

/// A domain name in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Domain(String);

impl Domain {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl TryFrom<String> for Domain {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        // A name of a vault and its suffix have to fit before it.
        if text.len() > 200 || !text.split('.').all(is_label) || text.parse::<Ipv4Addr>().is_ok() {
            return Err(format!(
                "{text:?} is not a domain name: expected one such as `keys.example.com`, without a port"
            ));
        }
        Ok(Self(text.to_ascii_lowercase()))
    }
}

/// A checked limit of a body's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "usize")]
pub struct BodyLimit(pub usize);

impl Default for BodyLimit {
    fn default() -> Self {
        Self(DEFAULT_BODY_LIMIT)
    }
}

impl TryFrom<usize> for BodyLimit {
    type Error = String;

    fn try_from(bytes: usize) -> Result<Self, String> {
        let (least, most) = (BODY_LIMITS.start(), BODY_LIMITS.end());
        BODY_LIMITS.contains(&bytes).then_some(Self(bytes)).ok_or(format!("expected {least} to {most} bytes"))
    }
}

fn loopback() -> Vec<SocketAddr> {
    vec![(Ipv4Addr::LOCALHOST, DEFAULT_PORT).into(), (Ipv6Addr::LOCALHOST, DEFAULT_PORT).into()]
}

/// Why a configuration does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        cause: io::Error,
    },
    /// A field is missing, unknown or wrong.
    #[error("{}, line {line}: {problem}\n    {source_line}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong, naming the field if it is not in the line.
        problem: String,
        /// The line itself.
        source_line: String,
    },
    /// A file that it names is open to others.
    #[error("{field}: {cause}")]
    Private {
        /// The field that names it.
        field: &'static str,
        /// What is wrong.
        cause: PrivateFileError,
    },
}

impl Config {
    /// Reads a configuration. Paths in it are relative to the folder it lies in.
    ///
    /// # Errors
    /// [`ConfigError::Unreadable`] and [`ConfigError::Wrong`].
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text =
            fs::read_to_string(path).map_err(|cause| ConfigError::Unreadable { path: path.to_owned(), cause })?;
        Self::parse(&text, path)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let mut config: Self = toml::from_str(text).map_err(|error| wrong(path, text, &error))?;
        if config.listen.is_empty() {
            let (line, source_line) = locate(text, text.find("listen").unwrap_or(0));
            let problem = "`listen` needs at least one address".to_owned();
            return Err(ConfigError::Wrong { path: path.to_owned(), line, problem, source_line });
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        let (Root::KeyFile(root) | Root::PassphraseFile(root)) = &mut config.root;
        let named = [root, &mut config.tls.certificate, &mut config.tls.key, &mut config.state];
        let ca_file = config.identity.external.as_mut().and_then(|external| external.ca_file.as_mut());
        let optional = [&mut config.database, &mut config.audit.export_file, &mut config.notices.ca_file];
        let files = optional.into_iter().flatten().chain(ca_file).chain(config.acme.files());
        for path in named.into_iter().chain(files) {
            *path = folder.join(&path);
        }
        Ok(config)
    }

    /// Refuses files with secrets that others may read. Apart from [`Config::load`], for `strongroom init` comes before
    /// some of them exist.
    ///
    /// # Errors
    /// [`ConfigError::Private`].
    pub fn refuse_exposed_files(&self) -> Result<(), ConfigError> {
        let (field, path) = match &self.root {
            Root::KeyFile(path) => ("root.key_file", path),
            Root::PassphraseFile(path) => ("root.passphrase_file", path),
        };
        for (field, path) in [(field, path), ("tls.key", &self.tls.key)] {
            private_file::refuse_exposed(path).map_err(|cause| ConfigError::Private { field, cause })?;
        }
        Ok(())
    }

    /// The ACME servers, and where their challenges are answered.
    #[must_use]
    pub fn acme(&self) -> AcmeSettings {
        AcmeSettings { servers: self.acme.clone(), http_challenges: self.http_challenges }
    }

    /// The database's file.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.database.clone().unwrap_or_else(|| self.state.join("strongroom.db"))
    }

    /// The port in the addresses that clients are given.
    #[must_use]
    pub fn public_port(&self) -> u16 {
        self.public_port.or(self.listen.first().map(SocketAddr::port)).unwrap_or(DEFAULT_PORT)
    }

    /// Where to listen.
    #[must_use]
    pub fn listen(&self) -> Listen {
        Listen::Addresses(self.listen.clone())
    }
}

fn wrong(path: &Path, text: &str, error: &toml::de::Error) -> ConfigError {
    let (line, source_line) = locate(text, error.span().map_or(0, |span| span.start));
    let problem = error.message().trim().to_owned();
    ConfigError::Wrong { path: path.to_owned(), line, problem, source_line }
}

/// The number and the text of the line that an offset is in.
fn locate(text: &str, offset: usize) -> (usize, String) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count();
    (line + 1, text.lines().nth(line).unwrap_or_default().trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::metering::Money;

    const SAMPLE: &str = include_str!("../strongroom.sample.toml");
    const SMALLEST: &str = r#"domain = "keys.example.com"
tenant = "11111111-2222-3333-4444-555555555555"
state = "state"
root.key_file = "root.key"
tls.certificate = "tls.pem"
tls.key = "tls.key"
"#;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(text, Path::new("/etc/strongroom/strongroom.toml")).map_err(|error| error.to_string())
    }

    #[test]
    fn the_sample_is_a_valid_configuration() {
        let config = parse(SAMPLE).unwrap();
        assert_eq!(config.domain.as_str(), "keys.example.com");
        assert_eq!(config.root, Root::KeyFile("/etc/strongroom/root.key".into()));
        assert_eq!(config.public_port(), 443);
        assert!(!config.proxy);
    }

    #[test]
    fn the_sample_shows_every_field_and_in_comments_its_default() {
        // What stands commented out must be valid as well, or the sample lies.
        let all: String =
            SAMPLE.lines().map(|line| format!("{}\n", line.strip_prefix("#= ").unwrap_or(line))).collect();
        let shown = parse(&all).unwrap();
        let smallest = parse(SMALLEST).unwrap();
        assert_eq!(shown.log, smallest.log);
        assert_eq!(shown.body_limit, smallest.body_limit);
        assert_eq!(shown.identity.embedded, smallest.identity.embedded);
        let external = shown.identity.external.clone().unwrap();
        assert_eq!(external.ca_file.as_deref(), Some(Path::new("/etc/strongroom/login-ca.pem")));
        assert!(shown.identity.foreign_authority().is_some());
        let least = format!("[identity.external]\nissuer = {:?}\n", external.issuer.as_str());
        let least = parse(&format!("{SMALLEST}{least}")).unwrap().identity.external.unwrap().settings();
        let settings = external.settings();
        assert_eq!(settings.algorithms, least.algorithms);
        assert_eq!(settings.clock_skew_seconds, least.clock_skew_seconds);
        assert_eq!(settings.claims, least.claims);
        assert!(shown.database.is_some() && shown.default_container.is_some() && shown.metrics.is_some());
        assert_eq!(shown.prices.operations_per_10000, Money::parse("0.03"));
        assert!(shown.prices.hsm_key_version_per_month.is_some() && !shown.prices.managed_hsm_per_hour.is_empty());
        let acme = shown.acme();
        let [server] = acme.servers.0.as_slice() else { unreachable!("it shows one") };
        assert_eq!(server.ca_file.as_deref(), Some(Path::new("/etc/strongroom/acme-ca.pem")));
        assert!(acme.http_challenges.is_some() && server.terms_agreed && !server.domains.is_empty());
        assert!(shown.notices.ca_file.is_some() && shown.notices.receivers.is_some());
        let audit = shown.audit;
        assert!(audit.retention_days.is_some() && audit.export_file.is_some() && audit.syslog.is_some());
    }

    #[test]
    fn what_is_not_named_has_a_safe_default() {
        let config = parse(SMALLEST).unwrap();
        assert_eq!(config.listen, loopback());
        assert_eq!(config.public_port(), 8443);
        assert_eq!(config.database(), Path::new("/etc/strongroom/state/strongroom.db"));
        assert_eq!(config.tls.key, Path::new("/etc/strongroom/tls.key"));
        assert_eq!(config.log.level.as_str(), "info");
        assert!(!config.proxy && config.default_container.is_none() && config.metrics.is_none());
        assert_eq!(config.prices, Prices::default(), "no price is known");
        assert_eq!(config.acme(), AcmeSettings::default(), "nobody is asked for certificates");
        assert_eq!(config.notices, NoticesConfig::default(), "notices go to whoever agrees");
        assert_eq!(config.audit, AuditConfig::default(), "records are kept for ever, and handed on to nobody");
    }

    #[test]
    fn mistakes_are_named_with_file_line_and_field() {
        for (from, to, line, part) in [
            ("domain =", "domian =", 1, "unknown field `domian`"),
            ("domain = \"keys.example.com\"\n", "", 1, "missing field `domain`"),
            ("keys.example.com", "keys.example.com:8443", 1, "not a domain name"),
            ("keys.example.com", "https://keys", 1, "not a domain name"),
            ("keys.example.com", "10.0.0.1", 1, "not a domain name"),
            ("11111111-", "x-", 2, "tenant"),
            ("state = \"state\"", "state = 5", 3, "state = 5"),
            ("root.key_file = \"root.key\"", "root.key = \"secret\"", 4, "root"),
            ("root.key_file", "root.passphrase_file = \"p\"\nroot.key_file", 4, "root"),
            ("tls.key", "tls.kex", 6, "unknown field `kex`"),
            ("state =", "listen = []\nstate =", 3, "`listen` needs"),
            ("state =", "listen = [\"localhost:8443\"]\nstate =", 3, "listen"),
            ("state =", "body_limit = 5\nstate =", 3, "expected 65536 to"),
            ("state =", "audit.retention_days = 0\nstate =", 3, "expected 1 to 36500 days"),
            ("state =", "audit.syslog = \"tcp:host:1\"\nstate =", 3, "expected udp:HOST:PORT"),
            ("state =", "audit.export = \"x\"\nstate =", 3, "unknown field `export`"),
            ("state =", "notices.receivers = [\"https://x\"]\nstate =", 3, "is not a host"),
            ("state =", "log.level = \"loud\"\nstate =", 3, "log level \"loud\""),
            ("state =", "log.format = \"xml\"\nstate =", 3, "unknown variant `xml`"),
            ("state =", "identity.embedded = false\nstate =", 3, "nobody could ever sign in"),
            ("state =", "identity.external.issuer = \"http://x\"\nstate =", 3, "not a URL such as"),
            ("state =", "prices.operations_per_10000 = 0.03\nstate =", 3, "expected a string"),
            ("state =", "prices.operations_per_10000 = \"3 cents\"\nstate =", 3, "not an amount of money"),
            ("state =", "prices.per_key = \"1\"\nstate =", 3, "unknown field `per_key`"),
            ("state =", "http_challenges = 80\nstate =", 3, "http_challenges = 80"),
            ("state =", "acme = [{ name = \"a\" }]\nstate =", 3, "missing field `directory`"),
            ("state =", "metrics.listen = \"localhost\"\nstate =", 3, "listen"),
            ("state =", "state = = 1\n#", 3, "state"),
        ] {
            let error = parse(&SMALLEST.replacen(from, to, 1)).expect_err(to);
            let place = format!("/etc/strongroom/strongroom.toml, line {line}: ");
            assert!(error.starts_with(&place) && error.contains(part), "{to}: {error}");
        }
    }

    #[test]
    fn files_that_others_may_read_are_refused_by_field() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("strongroom.toml");
        fs::write(&path, SMALLEST).unwrap();
        let config = Config::load(&path).unwrap();
        let error = config.refuse_exposed_files().unwrap_err().to_string();
        assert!(error.starts_with("root.key_file: ") && error.contains("No such file"), "{error}");
        for name in ["root.key", "tls.key"] {
            private_file::write(&folder.path().join(name), b"x").unwrap();
        }
        config.refuse_exposed_files().unwrap();
        fs::set_permissions(folder.path().join("tls.key"), fs::Permissions::from_mode(0o644)).unwrap();
        let error = config.refuse_exposed_files().unwrap_err().to_string();
        assert!(error.starts_with("tls.key: ") && error.contains("chmod 600"), "{error}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Config::load(Path::new("/nowhere/strongroom.toml")).unwrap_err().to_string();
        assert!(error.starts_with("/nowhere/strongroom.toml: "), "{error}");
    }
}
