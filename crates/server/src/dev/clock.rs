//! The development clock: moves forward, so that retention, expiry and rotation can be tested in seconds.

use crate::{site::text, wiring};
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
        let ahead = self.clock.advance(seconds);
        let saved = door.run(Cost::Durable, move |engine| engine.put_system_record(RECORD, ahead.to_string().as_bytes()));
        if let Err(error) = saved.await {
            tracing::error!(error = wiring::chain(&error), "the development clock could not be saved");
            return text(StatusCode::INTERNAL_SERVER_ERROR, "The clock moved, but could not be saved.\n");
        }
        wiring::act_on_due(door).await;
        self.show()
    }
}
