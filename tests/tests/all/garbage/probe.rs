//! A request that may be anything, and what has to come of it.

use e2e::{
    client::Facts,
    raw::{Raw, RawAnswer},
};
use serde_json::Value;

/// What has to come of a request. Never a status of the five hundreds, never silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The four hundreds, with the documented error body.
    Refused,
    /// This status, with the documented error body.
    Exactly(u16),
    /// Anything; but if it is refused, then with the documented error body.
    Handled,
    /// The four hundreds, with any body or none: there is no front whose error it is.
    Bare,
    /// It is hardly HTTP: the four hundreds with the documented error body, or the connection is closed.
    Cut,
}

/// Which error body a front has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `{"error":{"code","message"}}`.
    Azure,
    /// `{"error","error_description"}`.
    OAuth,
    /// Several fronts, each with its own.
    Any,
}

#[derive(Clone, Debug)]
pub struct Probe {
    pub method: String,
    /// Path and query, as they go on the wire.
    pub target: Vec<u8>,
    pub headers: Vec<(&'static str, Vec<u8>)>,
    pub body: Vec<u8>,
}

impl Probe {
    pub fn new(method: &str, target: impl Into<Vec<u8>>) -> Self {
        Self { method: method.to_owned(), target: target.into(), headers: Vec::new(), body: Vec::new() }
    }

    pub fn header(mut self, name: &'static str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(found, _)| found.eq_ignore_ascii_case(name))
    }

    /// The request on the wire. What is not among the headers and must be, is added.
    fn bytes(&self, host: &str, token: Option<&str>) -> Vec<u8> {
        let mut bytes = [self.method.as_bytes(), b" ", &self.target, b" HTTP/1.1\r\n"].concat();
        let mut add = |name: &str, value: &[u8]| bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        if !self.has("host") {
            add("host", host.as_bytes());
        }
        if let Some(token) = token.filter(|_| !self.has("authorization")) {
            add("authorization", format!("Bearer {token}").as_bytes());
        }
        if !self.has("content-type") && !self.body.is_empty() {
            add("content-type", b"application/json");
        }
        if !self.has("content-length") && !self.has("transfer-encoding") {
            add("content-length", self.body.len().to_string().as_bytes());
        }
        for (name, value) in &self.headers {
            add(name, value);
        }
        bytes.extend(b"\r\n");
        bytes.extend(&self.body);
        bytes
    }
}

/// One front under fire. Complaints are collected, so that one run shows all of them.
pub struct Range {
    raw: Raw,
    host: String,
    token: Option<String>,
    shape: Shape,
    sent: usize,
    complaints: Vec<String>,
}

impl Range {
    pub fn new(facts: &Facts, host: &str, token: Option<String>, shape: Shape) -> Self {
        let raw = Raw::new(facts, host);
        Self { raw, host: host.to_owned(), token, shape, sent: 0, complaints: Vec::new() }
    }

    pub fn fire(&mut self, what: &str, probe: &Probe, verdict: Verdict) {
        let request = probe.bytes(&self.host, self.token.as_deref());
        let answer = self.raw.exchange(&request, probe.method != "HEAD");
        if verdict == Verdict::Cut {
            self.raw.hang_up();
        }
        self.sent += 1;
        if let Some(complaint) = complaint(answer.as_ref(), probe, verdict, self.shape) {
            let target: String = String::from_utf8_lossy(&probe.target).chars().take(160).collect();
            let (method, host) = (&probe.method, &self.host);
            self.complaints.push(format!("{what}: {method} {host} {target}: {complaint}"));
        }
    }

    /// # Panics
    /// With all complaints, if there are any.
    pub fn finish(self, at_least: usize) {
        let (sent, count) = (self.sent, self.complaints.len());
        assert!(self.complaints.is_empty(), "{count} of {sent}:\n{}", self.complaints.join("\n"));
        assert!(sent >= at_least, "only {sent} requests were made up");
    }
}

fn complaint(answer: Option<&RawAnswer>, probe: &Probe, verdict: Verdict, shape: Shape) -> Option<String> {
    let Some(answer) = answer else {
        return (verdict != Verdict::Cut).then(|| "the connection was closed".to_owned());
    };
    let status = answer.status;
    let body: String = String::from_utf8_lossy(&answer.body).chars().take(300).collect();
    let is_refusal = (400..500).contains(&status);
    let is_status_right = match verdict {
        Verdict::Exactly(exact) => status == exact,
        Verdict::Refused | Verdict::Bare | Verdict::Cut => is_refusal,
        Verdict::Handled => is_refusal || (200..300).contains(&status),
    };
    if !is_status_right {
        return Some(format!("{status} {body}"));
    }
    // A managed HSM's 401 has no body, and an answer to HEAD can't have one.
    let may_be_bare = status == 401 || probe.method == "HEAD" || verdict == Verdict::Bare;
    let is_body_right = !is_refusal || may_be_bare || is_error_body(&answer.body, shape);
    (!is_body_right).then(|| format!("{status} without the error body: {body}"))
}

fn is_error_body(body: &[u8], shape: Shape) -> bool {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let pointers = match shape {
        Shape::Azure => ["/error/code", "/error/message"],
        Shape::OAuth => ["/error", "/error_description"],
        Shape::Any => return true,
    };
    pointers.iter().all(|pointer| body.pointer(pointer).and_then(Value::as_str).is_some_and(|text| !text.is_empty()))
}
