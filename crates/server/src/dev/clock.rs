//! The development clock: moves forward, so that retention, expiry and rotation can be tested in seconds.

use crate::{Failure, client, console, site::text, wiring};
use azure::{Request, Response};
use bytes::Bytes;
use engine::{Clock as _, Cost, Door, Engine, Error, MovableClock, SystemClock};
use http::{Method, StatusCode};
use serde::Deserialize;
use std::sync::Arc;

/// The part of a development server that a production one does not have.
pub struct DevControl {
    pub clock: Arc<MovableClock<SystemClock>>,
}

/// The body of `POST /dev/clock/advance`.
#[derive(Deserialize)]
struct Advance {
    seconds: i64,
}

const RECORD: &str = "dev-clock";
/// A hundred years: further than any date of the contract, and no overflow.
const MAX_ADVANCE_SECONDS: i64 = 100 * 366 * 86_400;

impl DevControl {
    /// Takes the clock to where it was when the server last ran.
    pub fn resume(clock: Arc<MovableClock<SystemClock>>, engine: &Engine) -> Result<Self, Error> {
        let record = engine.system_record(RECORD)?;
        let ahead = record.and_then(|bytes| String::from_utf8(bytes).ok()).and_then(|text| text.parse().ok());
        clock.advance(ahead.unwrap_or(0));
        Ok(Self { clock })
    }

    /// `GET /dev/clock` tells the time; `POST /dev/clock/advance {"seconds": n}` moves it forward and answers when
    /// everything that has become due is done.
    pub async fn handle(&self, door: &Door, request: &Request) -> Response {
        // A page in somebody's browser must not move the clock; browsers say where a request comes from.
        if request.header("origin").is_some() {
            return text(StatusCode::FORBIDDEN, "The clock is not moved by web pages.\n");
        }
        match (&request.method, request.segments().as_slice()) {
            (&Method::GET, ["dev", "clock"]) => self.show(),
            (&Method::POST, ["dev", "clock", "advance"]) => self.advance(door, &request.body).await,
            _ => text(StatusCode::NOT_FOUND, "There are GET /dev/clock and POST /dev/clock/advance.\n"),
        }
    }

    fn show(&self) -> Response {
        let now = self.clock.now();
        let body = format!("{{\"now\":{},\"utc\":\"{now}\",\"aheadSeconds\":{}}}", now.0, self.clock.ahead_seconds());
        http::Response::builder()
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(Bytes::from(body))
            .unwrap_or_else(|_| text(StatusCode::INTERNAL_SERVER_ERROR, "The time can't be told.\n"))
    }

    async fn advance(&self, door: &Door, body: &[u8]) -> Response {
        let asked = serde_json::from_slice::<Advance>(body).map(|advance| advance.seconds);
        let Some(seconds) = asked.ok().filter(|seconds| (0..=MAX_ADVANCE_SECONDS).contains(seconds)) else {
            let message = "Send {\"seconds\": n}: the clock moves forward, a hundred years at most.\n";
            return text(StatusCode::BAD_REQUEST, message);
        };
        let ahead = self.clock.ahead_seconds().saturating_add(seconds);
        let saved =
            door.run(Cost::Durable, move |engine| engine.put_system_record(RECORD, ahead.to_string().as_bytes()));
        if let Err(error) = saved.await {
            tracing::error!(error = wiring::chain(&error), "the development clock could not be saved");
            return text(StatusCode::INTERNAL_SERVER_ERROR, "The clock could not be saved, and was not moved.\n");
        }
        self.clock.advance(seconds);
        wiring::act_on_due(door).await;
        wiring::ask_due_issuers(door).await;
        self.show()
    }
}

/// `strongroom clock`.
#[derive(clap::Args)]
pub struct ClockArgs {
    #[command(subcommand)]
    command: ClockCommand,
}

#[derive(clap::Subcommand)]
enum ClockCommand {
    /// Move the clock forward: 90s, 15m, 12h, 8d
    Advance {
        #[arg(value_parser = seconds)]
        by: i64,
        #[command(flatten)]
        server: client::Global,
    },
    /// Show what the server takes for now
    Show {
        #[command(flatten)]
        server: client::Global,
    },
}

/// Reads a span: 90s, 15m, 12h, 8d.
pub fn seconds(text: &str) -> Result<i64, String> {
    let help = || "write a number and a unit: 90s, 15m, 12h, 8d".to_owned();
    let unit = text.chars().last().ok_or_else(help)?;
    let factor = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(help()),
    };
    let number: i64 = text.strip_suffix(unit).and_then(|digits| digits.parse().ok()).ok_or_else(help)?;
    number.checked_mul(factor).filter(|seconds| *seconds >= 0).ok_or_else(help)
}

/// Moves or shows the clock of a running development server.
///
/// # Errors
/// The server can't be reached, or refuses.
pub fn clock(args: ClockArgs) -> Result<(), Failure> {
    let answer = match args.command {
        ClockCommand::Show { server } => client::plain_call(&server, "GET", "/dev/clock", None)?,
        ClockCommand::Advance { by, server } => {
            let body = format!("{{\"seconds\":{by}}}");
            client::plain_call(&server, "POST", "/dev/clock/advance", Some(body))?
        }
    };
    console::line(answer.trim_end());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_number_and_a_unit() {
        assert_eq!(seconds("8d"), Ok(691_200));
        assert_eq!(seconds("0s"), Ok(0));
        for bad in ["", "d", "8", "-1d", "8 d", "8w", "99999999999999999d", "8é"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }
}
