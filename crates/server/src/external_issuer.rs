//! Fetching what an external issuer publishes, and saying in the log how that went.
//!
//! As [`https`] does, within a few seconds and a bounded size. What a document means, and when it is needed again, is not
//! known here.

use crate::{Failure, config::ExternalConfig, https, wiring};
use engine::{Cost, Door};
use identity::{Document, Documents, Identity, News};
use std::{sync::Arc, time::Duration};
use ureq::{Agent, http::HeaderMap};

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
        let agent = https::agent("identity.external.ca_file", config.ca_file.as_deref(), CALL_TIMEOUT)?;
        Ok(Self { agent, issuer: config.issuer.as_str().to_owned() })
    }
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
}
