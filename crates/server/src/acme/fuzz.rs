//! Entries for random input: what an ACME server may answer. None of these may panic.

use super::{
    connection::{Answer, Directory, LONGEST_WAIT_SECONDS, again_after_seconds, origin},
    order::{Authorization, MOST_CERTIFICATES, State, chain_of},
    problem::{LONGEST_TEXT, Problem},
};
use http::{HeaderValue, Uri};
use ureq::http::HeaderMap;

/// Any document. Whatever it says is wrong, it is told in one line of bounded length, under a code that is a word.
pub(crate) fn document(bytes: &[u8]) {
    let _ = serde_json::from_slice::<Directory>(bytes).map(drop);
    let state = serde_json::from_slice::<State>(bytes).ok().and_then(|state| state.error);
    let authorization = serde_json::from_slice::<Authorization>(bytes).ok().map(Authorization::problem);
    let answers = [200, 404, 429, 500].map(|status| Answer { status, body: bytes.to_vec(), ..Answer::default() });
    for problem in answers.iter().map(Problem::of).chain(state).chain(authorization) {
        let _ = (problem.verdict(), problem.verdict_on_order(), problem.is_missing());
        let error = problem.error("");
        assert!((1..=64).contains(&error.code.len()) && error.code.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert!(error.message.chars().count() <= ": ".len() + LONGEST_TEXT + 1);
        assert!(!error.message.contains(char::is_control), "{:?}", error.message);
    }
}

/// A chain has a certificate, and not more than is read of it.
pub(crate) fn chain(bytes: &[u8]) {
    if let Ok(chain) = chain_of(bytes) {
        assert!((1..=MOST_CERTIFICATES).contains(&chain.len()));
    }
}

/// Whatever counts as our server's, our client takes to our server.
pub(crate) fn address(bytes: &[u8]) {
    let Ok(url) = std::str::from_utf8(bytes) else { return };
    if origin(url) == origin("https://acme.example/directory") {
        let uri = url.parse::<Uri>();
        assert!(uri.is_ok_and(|uri| {
            uri.scheme_str() == Some("https")
                && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
                && uri.host().is_some_and(|host| host.eq_ignore_ascii_case("acme.example"))
                && matches!(uri.port_u16(), None | Some(443))
        }));
    }
}

/// However it is asked for, a wait is none that has passed, and none that nobody would see the end of.
pub(crate) fn retry_after(bytes: &[u8]) {
    let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
    let mut headers = HeaderMap::new();
    for name in ["retry-after", "date"] {
        if let Some(value) = lines.next().and_then(|line| HeaderValue::from_bytes(line).ok()) {
            headers.insert(name, value);
        }
    }
    if let Some(seconds) = again_after_seconds(&headers) {
        assert!((0..=LONGEST_WAIT_SECONDS).contains(&seconds));
    }
}
