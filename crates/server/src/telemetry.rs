//! Logs: to standard error, as text or as JSON.

use serde::Deserialize;
use std::io::{self, IsTerminal as _};
use std::panic;
use tracing_subscriber::EnvFilter;

/// The shape of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For collectors: one object to a line.
    Json,
}

/// Logs cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The level makes no sense.
    #[error("log level {level:?}: {problem}")]
    Level {
        /// What was asked for.
        level: String,
        /// Why it cannot be.
        problem: String,
    },
    /// Logs were set up before.
    #[error("logs are set up already")]
    Twice,
}

/// Checks a level: `error`, `warn`, `info`, `debug`, `trace`, or directives such as `info,strongroom::net=debug`.
///
/// # Errors
/// [`TelemetryError::Level`].
pub fn check_level(level: &str) -> Result<(), TelemetryError> {
    filter(level).map(|_| ())
}

/// Starts logging for the rest of the process. The variable `STRONGROOM_LOG` overrules the level.
///
/// Panics are logged as well: they end a request, and whoever reads only the logs must know.
///
/// # Errors
/// See [`TelemetryError`].
pub fn start(level: &str, format: Format) -> Result<(), TelemetryError> {
    let overruled = std::env::var("STRONGROOM_LOG").ok();
    let filter = filter(overruled.as_deref().unwrap_or(level))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    match format {
        Format::Text => builder.with_ansi(io::stderr().is_terminal()).try_init(),
        Format::Json => builder.json().flatten_event(true).try_init(),
    }
    .map_err(|_| TelemetryError::Twice)?;
    panic::set_hook(Box::new(|about| {
        let payload = about.payload();
        let text = payload.downcast_ref::<&str>().copied().or(payload.downcast_ref::<String>().map(String::as_str));
        let place = about.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, text = text.unwrap_or_default(), "panic");
    }));
    Ok(())
}

fn filter(level: &str) -> Result<EnvFilter, TelemetryError> {
    let problem = |problem: String| TelemetryError::Level { level: level.to_owned(), problem };
    // A lone word that is no level would be taken for the name of a module, and silence everything.
    if !level.contains(['=', ',']) && level.parse::<tracing::Level>().is_err() && level != "off" {
        return Err(problem("expected error, warn, info, debug, trace or off".to_owned()));
    }
    EnvFilter::try_new(level).map_err(|error| problem(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_directives_are_accepted_and_other_words_are_not() {
        for level in ["info", "debug", "off", "warn,strongroom::net=trace"] {
            check_level(level).unwrap();
        }
        for level in ["", "verbose", "info,strongroom=loud"] {
            assert!(check_level(level).is_err(), "{level}");
        }
    }
}
