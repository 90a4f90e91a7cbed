//! The one place that speaks HTTP.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use ureq::http::{self, HeaderMap, Uri};
use ureq::tls::{PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, config::Config};
use zeroize::Zeroizing;

use super::error::{ClientError, local};
use super::settings::Settings;
use super::target;

/// A request, with everything the server will see.
pub struct Request {
    /// The HTTP method.
    pub method: &'static str,
    /// The whole URL.
    pub url: String,
    /// Bearer token.
    pub token: Option<Zeroizing<String>>,
    /// Media type and bytes; they may hold a private key or a secret.
    pub body: Option<(&'static str, Zeroizing<Vec<u8>>)>,
}

/// What of an answer the client looks at.
#[derive(Default)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Where to ask how a long operation goes.
    pub location: Option<String>,
    /// How long to wait before asking again.
    pub retry_after: Option<Duration>,
    /// `WWW-Authenticate`.
    pub challenge: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// What the client needs from a network. Tests answer instead of one.
pub trait Wire {
    /// Sends a request and gets its answer, whatever its status.
    fn exchange(&self, request: &Request) -> Result<Response, ClientError>;
    /// Lets time pass.
    fn pause(&self, time: Duration);
}

/// Real connections to one server.
pub struct Network {
    agent: Agent,
}

/// Longer than the slowest key generation; a connection that is dead is noticed before that.
const CALL_TIMEOUT: Duration = Duration::from_secs(120);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// More than any backup or list page.
const LARGEST_ANSWER: u64 = 64 << 20;

impl Network {
    /// Reads the certificate authority and prepares connections; none is opened yet.
    pub fn new(settings: &Settings) -> Result<Network, ClientError> {
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .root_certs(trusted(settings)?)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .build();
        let config = Agent::config_builder()
            .https_only(true)
            .http_status_as_error(false)
            .max_redirects(0)
            // Names are found without DNS below, so the proxy that other clients need would only be a detour.
            .proxy(None)
            .user_agent(concat!("strongroom/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_per_call(Some(CALL_TIMEOUT))
            .tls_config(tls)
            .build();
        let resolver = ToServer::new(settings)?;
        Ok(Network { agent: Agent::with_parts(config, DefaultConnector::default(), resolver) })
    }
}

impl Wire for Network {
    fn exchange(&self, request: &Request) -> Result<Response, ClientError> {
        let unreachable = |error: &dyn std::fmt::Display| local(format!("Asking {}", request.url), error);
        let mut built = http::Request::builder().method(request.method).uri(&request.url);
        if let Some(token) = &request.token {
            built = built.header("authorization", format!("Bearer {}", token.as_str()));
        }
        let answer = match &request.body {
            Some((media, bytes)) => built
                .header("content-type", *media)
                .body(bytes.as_slice())
                .map_err(|error| unreachable(&error))
                .and_then(|built| self.agent.run(built).map_err(|error| unreachable(&error)))?,
            // These announce their empty body; the others have none to announce.
            None if matches!(request.method, "POST" | "PUT" | "PATCH") => built
                .body(&[][..])
                .map_err(|error| unreachable(&error))
                .and_then(|built| self.agent.run(built).map_err(|error| unreachable(&error)))?,
            None => built
                .body(())
                .map_err(|error| unreachable(&error))
                .and_then(|built| self.agent.run(built).map_err(|error| unreachable(&error)))?,
        };
        let (parts, mut body) = answer.into_parts();
        Ok(Response {
            status: parts.status.as_u16(),
            location: text(&parts.headers, "location").or_else(|| text(&parts.headers, "azure-asyncoperation")),
            retry_after: text(&parts.headers, "retry-after").and_then(|s| s.parse().ok()).map(Duration::from_secs),
            challenge: text(&parts.headers, "www-authenticate"),
            body: body.with_config().limit(LARGEST_ANSWER).read_to_vec().map_err(|error| unreachable(&error))?,
        })
    }

    fn pause(&self, time: Duration) {
        // The server said when to ask again; nothing on this side could end the wait earlier.
        let (_open, nothing) = mpsc::channel::<()>();
        let _elapsed = nothing.recv_timeout(time);
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn trusted(settings: &Settings) -> Result<RootCerts, ClientError> {
    let file = settings.ca_file.as_deref().ok_or_else(|| {
        ClientError::Local(
            "Which certificate authority to trust is not known: set --ca-file or STRONGROOM_CA to its PEM file.".into(),
        )
    })?;
    let pem = std::fs::read(file).map_err(|error| local(file.display(), error))?;
    let file = file.display();
    let mut roots = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|error| local(&file, error))? {
            roots.push(certificate);
        }
    }
    if roots.is_empty() {
        return Err(local(file, "there is no certificate in this file"));
    }
    Ok(RootCerts::from(roots))
}

/// Finds the server's own names at the server's address: `*.vault.localhost` is in no DNS.
#[derive(Debug)]
struct ToServer {
    base: Uri,
    endings: Vec<String>,
    dns: DefaultResolver,
}

impl ToServer {
    fn new(settings: &Settings) -> Result<ToServer, ClientError> {
        let host = target::authority(&settings.base)?;
        let named = [format!(".{host}"), settings.suffixes.vault.clone(), settings.suffixes.hsm.clone()];
        Ok(ToServer {
            base: settings.base.parse().map_err(|error| local(&settings.base, error))?,
            endings: named.iter().map(|ending| without_port(ending).to_ascii_lowercase()).collect(),
            dns: DefaultResolver::default(),
        })
    }

    fn is_server(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        self.endings.iter().any(|ending| ending.starts_with('.') && host.ends_with(ending.as_str()))
    }
}

impl Resolver for ToServer {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let place = if uri.host().is_some_and(|host| self.is_server(host)) { &self.base } else { uri };
        self.dns.resolve(place, config, timeout)
    }
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::settings;
    use super::*;

    #[test]
    fn without_a_certificate_to_trust_there_are_no_connections() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, "no certificate").unwrap();
        for ca_file in [None, Some(file), Some("nowhere.pem".into())] {
            let result = Network::new(&Settings { ca_file, ..settings() });
            assert!(result.is_err_and(|error| error.exit_code() == 1));
        }
    }

    #[test]
    fn only_names_under_the_server_s_own_are_found_without_dns() {
        let resolver = ToServer {
            base: Uri::from_static("https://localhost:8443"),
            endings: vec![".localhost".into(), ".vault.keys.example".into()],
            dns: DefaultResolver::default(),
        };
        for (host, ours) in [
            ("kv1.vault.localhost", true),
            ("HSM1.ManagedHSM.localhost", true),
            ("kv1.vault.keys.example", true),
            ("localhost", false),
            ("evillocalhost", false),
            ("vault.keys.example", false),
            ("kv1.vault.azure.net", false),
        ] {
            assert_eq!(resolver.is_server(host), ours, "{host}");
        }
    }

    #[test]
    fn a_port_is_cut_off_and_an_ipv6_address_is_not() {
        assert_eq!(without_port(".vault.localhost:8443"), ".vault.localhost");
        assert_eq!(without_port(".[::1]"), ".[::1]");
    }
}
