//! Where notices are sent: a URL that may hold a secret.

use crate::Secret;
use std::net::IpAddr;

/// The URL of a receiver. Keys of receivers stand in its query or its path, so it is kept like a secret;
/// [`Endpoint::base_url`] is the part that may be seen.
pub struct Endpoint {
    url: Secret,
    is_encrypted: bool,
    /// Where the host is in the URL, and where the path or the query begins.
    host: std::ops::Range<usize>,
    path: usize,
}

impl Endpoint {
    const LONGEST: usize = 2048;

    /// Reads `https://host[:port][/path][?query]`, or the same with `http`. Credentials before the host and fragments
    /// have no place in it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_printed = text.len() <= Self::LONGEST && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_printed || text.contains(['#', '\\', '"', '<', '>', '`', '{', '}', '|', '^']) {
            return None;
        }
        let (scheme, rest) = text.split_once("://")?;
        let is_encrypted = scheme.eq_ignore_ascii_case("https");
        if !is_encrypted && !scheme.eq_ignore_ascii_case("http") {
            return None;
        }
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let host = host_of(authority)?;
        let begin = scheme.len() + "://".len();
        let url = Secret::new(text.as_bytes().to_vec());
        Some(Self { url, is_encrypted, host: begin..begin + host.len(), path: begin + authority.len() })
    }

    /// The whole of it, with what may be secret.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.part(0..usize::MAX)
    }

    /// Without its path and its query: scheme, host and port.
    #[must_use]
    pub fn base_url(&self) -> &str {
        self.part(0..self.path)
    }

    /// As it was written; an IPv6 address in its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        self.part(self.host.clone())
    }

    /// Whether it is https.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    /// Whether it is on this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let host = self.host();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        address.map_or_else(|_| host.eq_ignore_ascii_case("localhost"), |address| address.is_loopback())
    }

    fn part(&self, range: std::ops::Range<usize>) -> &str {
        let bytes = self.url.expose();
        let end = range.end.min(bytes.len());
        // It was made of ASCII text.
        bytes.get(range.start..end).and_then(|part| std::str::from_utf8(part).ok()).unwrap_or_default()
    }
}

/// The host before a port, if the authority is nothing but these.
fn host_of(authority: &str) -> Option<&str> {
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0) && !port.starts_with('+');
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    if port.is_some_and(|port| !is_port(port)) {
        return None;
    }
    let is_host = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)),
    };
    is_host.then_some(host)
}
