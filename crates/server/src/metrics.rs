//! Metrics in the text format of Prometheus, and the plain port that production serves them on.
//!
//! They are for a monitor on the same machine or network, never for the public: production serves them where its
//! configuration says so and nowhere else.

use crate::{
    net::{PlainLimits, serve_plainly},
    site::text,
};
use azure::Response;
use bytes::Bytes;
use domain::{ContainerKind, Event, OtherEvent, Outcome, UnixTime};
use engine::{Answered, Attempts, Door, Metrics};
use http::{Method, Request, StatusCode, header};
use std::{fmt::Write as _, net::SocketAddr, time::Duration};

/// Where they are asked for.
pub const PATH: &str = "/metrics";
/// No scrape takes as long, and no monitor comes oftener.
const LIMITS: PlainLimits =
    PlainLimits { time: Duration::from_secs(10), connections: 16, pace: Duration::from_millis(10) };
const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What can be told of a running server.
#[derive(Clone)]
pub struct Exposition {
    pub door: Door,
    /// When the process began.
    pub started: UnixTime,
}

impl Exposition {
    /// The answer to a scrape.
    pub fn response(&self) -> Response {
        let mut response = http::Response::new(Bytes::from(self.text()));
        response.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static(MEDIA_TYPE));
        response
    }

    fn text(&self) -> String {
        let metrics = self.door.engine().metrics();
        let mut page = Page::default();
        page.answered(&metrics.answered);
        page.durations(&metrics);
        page.family("process_start_time_seconds", "gauge", "When the process began, in seconds since 1970.");
        page.sample("process_start_time_seconds", "", self.started.0);
        page.gauge("strongroom_audit_waiting", "Audit records that wait to become durable.", metrics.audit_waiting);
        page.gauge("strongroom_open_containers", "Vaults and managed HSMs that are open.", metrics.open_containers);
        page.gauge("strongroom_open_keys", "Keys that are open, ready for use.", metrics.open_keys);
        page.attempts(metrics.attempts);
        let lanes = self.door.lanes();
        let lanes = [
            ("compute", lanes.compute),
            ("generation", lanes.generation),
            ("durable", lanes.durable),
            ("remote", lanes.remote),
            ("receiver", lanes.receiver),
        ];
        page.family("strongroom_lane_working", "gauge", "Work under way, by lane of the door.");
        for (lane, (working, _)) in lanes {
            page.sample("strongroom_lane_working", &format!("{{lane=\"{lane}\"}}"), working);
        }
        page.family("strongroom_lane_waiting", "gauge", "Work that waits for a place, by lane of the door.");
        for (lane, (_, waiting)) in lanes {
            page.sample("strongroom_lane_waiting", &format!("{{lane=\"{lane}\"}}"), waiting);
        }
        page.family("strongroom_build_info", "gauge", "The version that runs.");
        page.sample("strongroom_build_info", concat!("{version=\"", env!("CARGO_PKG_VERSION"), "\"}"), 1);
        page.0
    }

    /// Serves metrics, and nothing else, over plain HTTP.
    ///
    /// # Errors
    /// The address is taken or not ours.
    pub async fn listen(self, address: SocketAddr) -> std::io::Result<()> {
        serve_plainly(address, "metrics", LIMITS, move |request| self.answer(request)).await
    }

    fn answer<B>(&self, request: &Request<B>) -> Response {
        match (request.method(), request.uri().path()) {
            (&Method::GET, PATH) => self.response(),
            _ => text(StatusCode::NOT_FOUND, "There is GET /metrics.\n"),
        }
    }
}

/// A page in the making.
#[derive(Default)]
struct Page(String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    fn gauge(&mut self, name: &str, help: &str, value: usize) {
        self.family(name, "gauge", help);
        self.sample(name, "", value);
    }

    fn answered(&mut self, answered: &[Answered]) {
        let name = "strongroom_operations_total";
        self.family(name, "counter", "Requests that were answered, by operation, outcome and kind of container.");
        for Answered { event, outcome, kind, count } in answered {
            let operation = match event {
                Event::Operation(operation) => operation.name(),
                Event::Other(OtherEvent::Authentication) => "Authentication",
                Event::Other(OtherEvent::Unknown) => "Unknown",
            };
            let outcome = match outcome {
                Outcome::Done => "done",
                Outcome::Refused => "refused",
            };
            let kind = kind.map_or("none", ContainerKind::as_str);
            let labels = format!("{{operation=\"{operation}\",outcome=\"{outcome}\",kind=\"{kind}\"}}");
            self.sample(name, &labels, count);
        }
    }

    fn attempts(&mut self, attempts: Attempts) {
        let name = "strongroom_notice_attempts_total";
        self.family(name, "counter", "Attempts to hand a notice to a receiver, by what followed.");
        let Attempts { delivered, repeated, dropped, displaced } = attempts;
        for (after, count) in [("delivered", delivered), ("repeated", repeated), ("dropped", dropped)] {
            self.sample(name, &format!("{{after=\"{after}\"}}"), count);
        }
        let name = "strongroom_notices_displaced_total";
        self.family(name, "counter", "Notices that were not told because too many waited for the receiver.");
        self.sample(name, "", displaced);
    }

    fn durations(&mut self, metrics: &Metrics) {
        let name = "strongroom_request_duration_seconds";
        self.family(name, "histogram", "How long requests took, from their arrival to their answer.");
        for (bound, count) in &metrics.durations {
            self.sample(&format!("{name}_bucket"), &format!("{{le=\"{}\"}}", bound.as_secs_f64()), count);
        }
        self.sample(&format!("{name}_bucket"), "{le=\"+Inf\"}", metrics.answered_in_all);
        self.sample(&format!("{name}_sum"), "", metrics.duration_in_all.as_secs_f64());
        self.sample(&format!("{name}_count"), "", metrics.answered_in_all);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{net::plain, serve::HSM_DEFAULTS, wiring};
    use custody::{RootKey, SystemEntropy};
    use domain::{Operation, metering::Prices};
    use engine::SystemClock;
    use std::sync::Arc;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::{TcpListener, TcpStream},
    };

    async fn asked(address: SocketAddr, line: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = format!("{line} HTTP/1.1\r\nhost: monitor\r\nconnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn the_port_for_a_monitor_serves_metrics_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let (root, _) = RootKey::new_key_file(&SystemEntropy).unwrap();
        let database = folder.path().join("db");
        let engine =
            wiring::engine(&database, root, Arc::new(SystemClock), HSM_DEFAULTS, Prices::default(), Vec::new());
        let engine = engine.unwrap();
        let exposition = Exposition { door: Door::new(engine, 1), started: UnixTime(1_767_225_600) };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(plain::serve(listener, LIMITS, move |request| exposition.answer(request)));
        let page = asked(address, "GET /metrics").await;
        assert!(page.starts_with("HTTP/1.1 200 OK\r\n") && page.contains("text/plain; version=0.0.4"), "{page}");
        assert!(page.contains("\nprocess_start_time_seconds 1767225600\n"), "{page}");
        assert!(page.contains("\nstrongroom_audit_waiting 0\n"), "{page}");
        assert!(page.contains("\nstrongroom_lane_waiting{lane=\"compute\"} 0\n"), "{page}");
        for line in ["GET /", "GET /keys", "POST /metrics"] {
            assert!(asked(address, line).await.starts_with("HTTP/1.1 404 "), "{line}");
        }
        // One that says nothing keeps nobody else out.
        let _silent = TcpStream::connect(address).await.unwrap();
        assert!(asked(address, "GET /metrics").await.starts_with("HTTP/1.1 200 "));
        serving.abort();
    }

    #[test]
    fn counters_and_durations_in_the_monitors_words() {
        let answered = |event, outcome, kind, count| Answered { event, outcome, kind, count };
        let sign = Event::Operation(Operation::KeySign);
        let metrics = Metrics {
            answered: vec![
                answered(sign, Outcome::Done, Some(ContainerKind::ManagedHsm), 7),
                answered(Event::Other(OtherEvent::Authentication), Outcome::Refused, None, 1),
            ],
            durations: vec![(Duration::from_micros(100), 5), (Duration::from_millis(2_500), 7)],
            answered_in_all: 8,
            duration_in_all: Duration::from_millis(6_250),
            audit_waiting: 0,
            open_containers: 0,
            open_keys: 0,
            attempts: Attempts { delivered: 3, repeated: 2, dropped: 1, displaced: 4 },
        };
        let mut page = Page::default();
        page.answered(&metrics.answered);
        page.durations(&metrics);
        page.attempts(metrics.attempts);
        let expected = "\
# HELP strongroom_operations_total Requests that were answered, by operation, outcome and kind of container.
# TYPE strongroom_operations_total counter
strongroom_operations_total{operation=\"KeySign\",outcome=\"done\",kind=\"managedHsm\"} 7
strongroom_operations_total{operation=\"Authentication\",outcome=\"refused\",kind=\"none\"} 1
# HELP strongroom_request_duration_seconds How long requests took, from their arrival to their answer.
# TYPE strongroom_request_duration_seconds histogram
strongroom_request_duration_seconds_bucket{le=\"0.0001\"} 5
strongroom_request_duration_seconds_bucket{le=\"2.5\"} 7
strongroom_request_duration_seconds_bucket{le=\"+Inf\"} 8
strongroom_request_duration_seconds_sum 6.25
strongroom_request_duration_seconds_count 8
# HELP strongroom_notice_attempts_total Attempts to hand a notice to a receiver, by what followed.
# TYPE strongroom_notice_attempts_total counter
strongroom_notice_attempts_total{after=\"delivered\"} 3
strongroom_notice_attempts_total{after=\"repeated\"} 2
strongroom_notice_attempts_total{after=\"dropped\"} 1
# HELP strongroom_notices_displaced_total Notices that were not told because too many waited for the receiver.
# TYPE strongroom_notices_displaced_total counter
strongroom_notices_displaced_total 4
";
        assert_eq!(page.0, expected);
    }
}
