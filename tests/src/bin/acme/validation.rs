//! Looking whether a name is the client's, by `http-01` (RFC 8555 §8.3). Every name is this machine's.

use super::server::problem;
use serde_json::Value;
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(5);

/// Fetches a token's answer. The problem, if it is another one than expected.
pub fn validate(name: &str, port: u16, token: &str, expected: &str) -> Option<Value> {
    let failed = |error: std::io::Error| Some(problem("connection", &format!("{name}: {error}")));
    let fetch = || {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let path = format!("/.well-known/acme-challenge/{token}");
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {name}\r\nconnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    let answer: String = match fetch() {
        Ok(answer) => answer,
        Err(error) => return failed(error),
    };
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    let status = head.split(' ').nth(1).unwrap_or_default();
    let is_right = status == "200" && body.trim_end() == expected;
    (!is_right).then(|| problem("unauthorized", &format!("{name}: the answer is {status} {body}")))
}
