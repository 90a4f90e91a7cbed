//! Where ACME servers look whether a name is ours: `/.well-known/acme-challenge/{token}` over plain HTTP (RFC 8555 §8.3).
//!
//! Anybody may ask. There is nothing else here, and nothing that is secret: a token that a server chose, and the
//! thumbprint of our key.

use crate::{
    Failure,
    config::AcmeSettings,
    net::{PlainLimits, serve_plainly},
};
use bytes::Bytes;
use domain::UnixTime;
use http::{Method, Request, Response, StatusCode, header};
use parking_lot::Mutex;
use std::{collections::HashMap, sync::Arc, time::Duration};

const PREFIX: &str = "/.well-known/acme-challenge/";
/// No server takes as long to ask, and those that say nothing must not keep it out.
const LIMITS: PlainLimits =
    PlainLimits { time: Duration::from_secs(3), connections: 1024, pace: Duration::from_millis(2) };
/// What nobody has taken away by then belongs to an order that was given up.
const LIFE_DAYS: u32 = 30;

/// What is to be answered now. Clones share it.
#[derive(Clone, Default)]
pub struct Challenges(Arc<Mutex<HashMap<String, Expected>>>);

struct Expected {
    answer: String,
    order: String,
    until: UnixTime,
}

impl Challenges {
    /// Answers a token from now on, on behalf of an order.
    pub fn expect(&self, token: &str, answer: String, order: &str, now: UnixTime) {
        let mut expected = self.0.lock();
        expected.retain(|_, each| each.until > now);
        let until = now.plus_days(LIFE_DAYS);
        expected.insert(token.to_owned(), Expected { answer, order: order.to_owned(), until });
    }

    /// Answers for an order no more.
    pub fn forget(&self, order: &str) {
        self.0.lock().retain(|_, each| each.order != order);
    }

    /// Serves the answers, and nothing else, over plain HTTP, where the configuration says so.
    ///
    /// # Errors
    /// The address is taken or not ours.
    pub async fn listen(self, settings: &AcmeSettings) -> Result<(), Failure> {
        let Some(address) = settings.http_challenges else { return Ok(()) };
        let what = "challenges of ACME servers";
        let listening = serve_plainly(address, what, LIMITS, move |request| self.answer(request)).await;
        Ok(listening.map_err(|error| format!("http_challenges: {address}: {error}"))?)
    }

    fn answer<B>(&self, request: &Request<B>) -> Response<Bytes> {
        let token = request.uri().path().strip_prefix(PREFIX).filter(|_| request.method() == Method::GET);
        let answer = token.and_then(|token| self.0.lock().get(token).map(|expected| expected.answer.clone()));
        let mut response = Response::new(Bytes::new());
        match answer {
            None => *response.status_mut() = StatusCode::NOT_FOUND,
            Some(answer) => {
                let plain = http::HeaderValue::from_static("application/octet-stream");
                response.headers_mut().insert(header::CONTENT_TYPE, plain);
                *response.body_mut() = Bytes::from(answer);
            }
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::plain;
    use std::net::SocketAddr;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::{TcpListener, TcpStream},
    };

    async fn asked(address: SocketAddr, line: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(format!("{line} HTTP/1.1\r\nhost: a.example\r\n\r\n").as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn a_token_is_answered_until_its_order_is_done_and_nothing_else_ever() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let challenges = Challenges::default();
        let answering = challenges.clone();
        challenges.expect("token", "token.thumbprint".to_owned(), "order", UnixTime(0));
        challenges.expect("other", "other.thumbprint".to_owned(), "another order", UnixTime(0));
        let serving = tokio::spawn(plain::serve(listener, LIMITS, move |request| answering.answer(request)));
        // One that says nothing keeps nobody else out.
        let _silent = TcpStream::connect(address).await.unwrap();
        let line = "GET /.well-known/acme-challenge/token";
        let answer = asked(address, line).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\ntoken.thumbprint"), "{answer}");
        for other in [
            "GET /",
            "GET /.well-known/acme-challenge/",
            "GET /.well-known/acme-challenge/tokens",
            "GET /.well-known/acme-challenge/token/",
            "GET /x/.well-known/acme-challenge/token",
            "POST /.well-known/acme-challenge/token",
        ] {
            let answer = asked(address, other).await;
            assert!(answer.starts_with("HTTP/1.1 404 ") && answer.ends_with("\r\n\r\n"), "{other}: {answer}");
        }
        challenges.forget("order");
        assert!(asked(address, line).await.starts_with("HTTP/1.1 404 "));
        assert!(asked(address, "GET /.well-known/acme-challenge/other").await.starts_with("HTTP/1.1 200 "));
        challenges.expect("new", String::new(), "order", UnixTime(0).plus_days(LIFE_DAYS));
        let answer = asked(address, "GET /.well-known/acme-challenge/other").await;
        assert!(answer.starts_with("HTTP/1.1 404 "), "an order that was given up is forgotten: {answer}");
        serving.abort();
    }
}
