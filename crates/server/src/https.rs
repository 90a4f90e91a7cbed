//! The HTTP client: without redirects, within a bounded time, over TLS with whom the configured certificate authorities or
//! the system's vouch for. Servers that the configuration names are called over https only. A proxy comes from the
//! environment (`HTTPS_PROXY`, `NO_PROXY`).

use crate::Failure;
use std::{path::Path, sync::Arc, time::Duration};
use ureq::{
    Agent,
    config::ConfigBuilder,
    tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem},
    typestate::AgentScope,
};

/// A connection that nobody has used for longer may have been closed at the other end.
const IDLE_TIME: Duration = Duration::from_secs(3);

/// Prepares connections; none is opened yet. `field` names where the configuration says whom to trust, `ca_file`; a call
/// takes `timeout` at most.
///
/// # Errors
/// There is nobody to vouch for a server.
pub fn agent(field: &str, ca_file: Option<&Path>, timeout: Duration) -> Result<Agent, Failure> {
    let roots = match ca_file {
        Some(file) => roots_of(field, file)?,
        None => system_roots(),
    };
    if roots.is_empty() {
        return Err(format!("the system trusts no certificate authority: name the server's in {field}").into());
    }
    Ok(settings(roots, timeout).https_only(true).build().new_agent())
}

/// What all calls have in common. They may go to a server in the clear, unless that is excluded.
pub fn settings(roots: Vec<Certificate<'static>>, timeout: Duration) -> ConfigBuilder<AgentScope> {
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(RootCerts::from(roots))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .build();
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_idle_age(IDLE_TIME)
        .user_agent(concat!("strongroom/", env!("CARGO_PKG_VERSION")))
        .timeout_global(Some(timeout))
        .tls_config(tls)
}

/// Certificate authorities in a PEM file; `field` names it in the configuration.
///
/// # Errors
/// The file can't be read, or there is no certificate in it.
pub fn roots_of(field: &str, file: &Path) -> Result<Vec<Certificate<'static>>, Failure> {
    let named = |error: &dyn std::fmt::Display| format!("{field}: {}: {error}", file.display());
    let pem = std::fs::read(file).map_err(|error| named(&error))?;
    let mut roots = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|error| named(&error))? {
            roots.push(certificate);
        }
    }
    if roots.is_empty() {
        return Err(named(&"there is no certificate in this file").into());
    }
    Ok(roots)
}

/// Certificate authorities that the system trusts; none if it has none.
pub fn system_roots() -> Vec<Certificate<'static>> {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "a certificate authority of the system can't be read");
    }
    found.certs.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_has_to_vouch_for_a_server() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, "no certificate").unwrap();
        for file in [file, "/nowhere/ca.pem".into()] {
            let problem = roots_of("identity.external.ca_file", &file).unwrap_err().to_string();
            assert!(problem.starts_with("identity.external.ca_file: "), "{problem}");
        }
    }
}
