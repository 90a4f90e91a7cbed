//! Fetching what an external issuer publishes, and saying in the log how that went.
//!
//! Over https only, from whom the configured certificate authority (or the system's) vouches for, without redirects,
//! within a few seconds and a bounded size. A proxy comes from the environment (`HTTPS_PROXY`, `NO_PROXY`). What a
//! document means, and when it is needed again, is not known here.

use crate::{Failure, config::ExternalConfig, wiring};
use engine::{Cost, Door};
use identity::{Document, Documents, Identity, News};
use std::{path::Path, sync::Arc, time::Duration};
use ureq::{
    Agent,
    http::HeaderMap,
    tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem},
};

/// Requests wait for this, twice: for the description and for the keys.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
/// How often it is asked whether the keys are due.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);
/// More than any provider's description or keys.
const LARGEST_DOCUMENT: u64 = 256 << 10;

/// An issuer's documents, by https.
pub struct HttpsDocuments {
    agent: Agent,
    issuer: String,
}

impl HttpsDocuments {
    /// Prepares connections; none is opened yet.
    ///
    /// # Errors
    /// There is nobody to vouch for the issuer.
    pub fn new(config: &ExternalConfig) -> Result<Self, Failure> {
        let roots = match &config.ca_file {
            Some(file) => roots_of(file)?,
            None => system_roots()?,
        };
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .root_certs(RootCerts::from(roots))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .build();
        let agent = Agent::config_builder()
            .https_only(true)
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("strongroom/", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(CALL_TIMEOUT))
            .tls_config(tls)
            .build();
        Ok(Self { agent: agent.new_agent(), issuer: config.issuer.as_str().to_owned() })
    }
}

fn roots_of(file: &Path) -> Result<Vec<Certificate<'static>>, Failure> {
    let named = |error: &dyn std::fmt::Display| format!("identity.external.ca_file: {}: {error}", file.display());
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

fn system_roots() -> Result<Vec<Certificate<'static>>, Failure> {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "a certificate authority of the system can't be read");
    }
    if found.certs.is_empty() {
        let message = "the system trusts no certificate authority: name the issuer's in identity.external.ca_file";
        return Err(message.into());
    }
    Ok(found.certs.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect())
}

impl Documents for HttpsDocuments {
    fn fetch(&self, url: &str) -> Result<Document, String> {
        let failed = |error: ureq::Error| format!("{url}: {error}");
        let answer = self.agent.get(url).header("accept", "application/json").call().map_err(failed)?;
        let (parts, mut body) = answer.into_parts();
        if parts.status.as_u16() != 200 {
            return Err(format!("{url}: the answer is {}", parts.status));
        }
        let body = body.with_config().limit(LARGEST_DOCUMENT).read_to_vec().map_err(failed)?;
        Ok(Document { body, max_age_seconds: max_age_seconds(&parts.headers) })
    }

    fn tell(&self, news: &News<'_>) {
        let issuer = &self.issuer;
        match news {
            News::Learned { keys: 1.., new: 0, withdrawn: 0, .. } => {
                tracing::debug!(issuer, "the keys of the issuer are still the same");
            }
            News::Learned { keys, new, withdrawn, unusable } => {
                for why in *unusable {
                    tracing::warn!(issuer, why, "the issuer publishes a key that is not used");
                }
                match keys {
                    0 => tracing::error!(issuer, withdrawn, "the issuer has no keys: none of its tokens is taken"),
                    _ => tracing::info!(issuer, keys, new, withdrawn, "the keys of the issuer have changed"),
                }
            }
            News::Failed { why, usable_until } => {
                let usable_until = usable_until.map(|until| until.to_string()).unwrap_or_default();
                tracing::warn!(
                    issuer,
                    why,
                    usable_until,
                    "the keys of the issuer can't be refreshed: the old ones serve"
                );
            }
            News::Blind { why } => {
                tracing::error!(issuer, why, "the keys of the issuer can't be had: none of its tokens is taken");
            }
        }
    }
}

/// Keeps the keys of an external issuer fresh until the process ends.
pub async fn keep_keys(door: Door, identity: Arc<Identity>) {
    let mut ticks = tokio::time::interval(CHECK_INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        if !identity.keys_are_due() {
            continue;
        }
        let fetching = Arc::clone(&identity);
        let refresh = door.run(Cost::Remote, move |_| {
            fetching.refresh_keys();
            Ok(())
        });
        if let Err(error) = refresh.await {
            tracing::error!(error = wiring::chain(&error), "the issuer's keys could not be asked for");
        }
    }
}

/// How long an answer may be kept (RFC 9111 §5.2.2.1).
fn max_age_seconds(headers: &HeaderMap) -> Option<i64> {
    let values = headers.get_all("cache-control").iter().filter_map(|value| value.to_str().ok());
    let mut directives = values.flat_map(|value| value.split(',')).filter_map(|each| each.trim().split_once('='));
    let (_, seconds) = directives.find(|(name, _)| name.eq_ignore_ascii_case("max-age"))?;
    seconds.trim_matches('"').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_how_long_it_may_be_kept() {
        let found = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("cache-control", value.parse().unwrap());
            }
            max_age_seconds(&headers)
        };
        assert_eq!(found(&["public, max-age=86400, must-revalidate"]), Some(86_400));
        assert_eq!(found(&["no-store", "Max-Age=\"60\""]), Some(60));
        for none in [&[][..], &["no-cache"], &["max-age"], &["max-age=soon"], &["s-maxage=5"], &["max-age=1e3"]] {
            assert_eq!(found(none), None, "{none:?}");
        }
    }

    #[test]
    fn somebody_has_to_vouch_for_the_issuer() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, "no certificate").unwrap();
        for file in [file, "/nowhere/ca.pem".into()] {
            let problem = roots_of(&file).unwrap_err().to_string();
            assert!(problem.starts_with("identity.external.ca_file: "), "{problem}");
        }
    }
}
