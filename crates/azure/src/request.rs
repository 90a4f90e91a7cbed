//! A request as the fronts read it.

use bytes::Bytes;
use domain::{Guid, access::Origin};
use http::{
    HeaderMap, HeaderName, Method,
    header::{self, AsHeaderName},
};
use percent_encoding::percent_decode_str;
use std::{borrow::Cow, net::IpAddr, time::Duration};

/// A request, with its path and query taken apart.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: Method,
    /// Percent-decoded segments, each behind a slash; empty ones are dropped, so doubled and trailing slashes do not matter
    /// (contract: key-vault §1, "Double and trailing slashes").
    path: String,
    /// Where in `path` each segment ends: what was decoded may have slashes in it.
    ends: Vec<usize>,
    /// Percent-decoded names and values: clients encode names too (contract: az-client §4.4).
    query: Vec<(String, String)>,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// Lower case, with its port if the client wrote one.
    pub host: String,
    pub address: IpAddr,
    /// Names this request in answers, logs and audit.
    pub id: Guid,
    /// When it arrived, on the clock that durations are measured by.
    pub arrived: Duration,
}

impl Request {
    /// `None` if the target or the host is not what HTTP allows, or is not UTF-8 after decoding.
    #[must_use]
    pub fn read(request: http::Request<Bytes>, address: IpAddr, id: Guid) -> Option<Self> {
        let (head, body) = request.into_parts();
        let host = head
            .uri
            .authority()
            .map(|authority| authority.as_str())
            .or_else(|| head.headers.get(header::HOST).and_then(|host| host.to_str().ok()))?;
        let (path, ends) = segments(head.uri.path())?;
        let query = pairs(head.uri.query().unwrap_or_default())?;
        let method = overridden(&head.method, &head.headers);
        let host = normal_host(host);
        let arrived = Duration::ZERO;
        Some(Self { method, path, ends, query, host, headers: head.headers, body, address, id, arrived })
    }

    /// What the audit log tells of it.
    pub(crate) fn origin(&self) -> Origin {
        let uri = ["https://", &self.host, &self.path].concat();
        let api_version = self.api_version().map(str::to_owned);
        let client = self.header(header::USER_AGENT).map(str::to_owned);
        Origin { uri, api_version, client, started: self.arrived }
    }

    /// The first query parameter of this name, compared without case.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    #[must_use]
    pub fn api_version(&self) -> Option<&str> {
        self.query("api-version")
    }

    #[must_use]
    pub fn header(&self, name: impl AsHeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The path in its one form, with a slash before each segment, as the client wrote the case.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The segments of the path, for matching.
    #[must_use]
    pub fn segments(&self) -> Vec<&str> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        begins.zip(&self.ends).map(|(begin, end)| &self.path[begin + 1..*end]).collect()
    }
}

/// Lower case, and without the dot that ends a fully qualified name.
fn normal_host(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    let bare = without_port(&host);
    match bare.strip_suffix('.') {
        Some(undotted) => format!("{undotted}{}", &host[bare.len()..]),
        None => host,
    }
}

/// A host without its port: `[::1]` of `[::1]:8443`.
#[must_use]
pub fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((bare, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => bare,
        _ => host,
    }
}

/// The path in its one form, and where in it each segment ends.
fn segments(raw: &str) -> Option<(String, Vec<usize>)> {
    let (mut path, mut ends) = (String::with_capacity(raw.len() + 1), Vec::with_capacity(8));
    for segment in raw.split('/').filter(|segment| !segment.is_empty()) {
        path.extend(["/", &*decoded(segment)?]);
        ends.push(path.len());
    }
    Some((path, ends))
}

fn pairs(query: &str) -> Option<Vec<(String, String)>> {
    let word = |text: &str| match text.bytes().any(|byte| byte == b'+') {
        true => decoded(&text.replace('+', " ")).map(Cow::into_owned),
        false => decoded(text).map(Cow::into_owned),
    };
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Some((word(name)?, word(value)?))
    };
    query.split('&').filter(|pair| !pair.is_empty()).map(pair).collect()
}

fn decoded(text: &str) -> Option<Cow<'_, str>> {
    // Nearly always; decoding looks at each character by itself.
    if !text.bytes().any(|byte| byte == b'%') {
        return Some(text.into());
    }
    percent_decode_str(text).decode_utf8().ok()
}

/// POST with `X-HTTP-METHOD` stands for another verb (contract: key-vault §1, "Verb override").
fn overridden(method: &Method, headers: &HeaderMap) -> Method {
    const NAMES: [HeaderName; 2] =
        [HeaderName::from_static("x-http-method"), HeaderName::from_static("x-http-method-override")];
    let asked = NAMES.iter().find_map(|name| headers.get(name));
    match (method, asked.and_then(|asked| Method::from_bytes(asked.as_bytes()).ok())) {
        (&Method::POST, Some(asked)) => asked,
        _ => method.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(uri: &str) -> Option<Request> {
        let request = http::Request::builder().uri(uri).header("host", "KV.Vault.localhost:8443");
        let request = request.body(Bytes::new()).ok()?;
        Request::read(request, IpAddr::from([127, 0, 0, 1]), Guid::from_u128(7))
    }

    #[test]
    fn doubled_and_trailing_slashes_do_not_matter() {
        let request = read("//keys/k//sign/?api%2Dversion=7.4&$skiptoken=a%20b").unwrap();
        assert_eq!((request.path(), request.segments()), ("/keys/k/sign", vec!["keys", "k", "sign"]));
        assert_eq!(request.api_version(), Some("7.4"));
        assert_eq!(request.query("$SkipToken"), Some("a b"));
        assert_eq!(request.host, "kv.vault.localhost:8443");
    }

    #[test]
    fn a_slash_that_was_encoded_ends_no_segment() {
        let request = read("/keys/a%2Fb/%2f/c").unwrap();
        assert_eq!((request.path(), request.segments()), ("/keys/a/b///c", vec!["keys", "a/b", "/", "c"]));
        assert!(read("/").unwrap().segments().is_empty());
    }

    #[test]
    fn a_host_has_one_form() {
        assert_eq!(normal_host("KV.Vault.localhost.:8443"), "kv.vault.localhost:8443");
        assert_eq!(normal_host("kv.vault.localhost."), "kv.vault.localhost");
        assert_eq!(without_port("[::1]:8443"), "[::1]");
        assert_eq!(without_port("[::1]"), "[::1]");
        assert_eq!(without_port("localhost"), "localhost");
    }

    #[test]
    fn bad_utf_8_is_no_request() {
        assert!(read("/keys/%ff").is_none());
        assert!(read("/keys?x=%c3%28").is_none());
    }
}
