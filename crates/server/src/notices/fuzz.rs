//! Entries for random input: what a receiver may answer. None of these may panic.

use super::post::answer_of;
use azure::notices::Reply;
use domain::{
    UnixTime,
    notice::{AfterAttempt, RetryPolicy},
};
use http::{HeaderMap, HeaderValue};

/// Whatever a receiver answers, and asks for, the next attempt is later and before the notice is too old.
pub(crate) fn answer(bytes: &[u8]) {
    let [high, low, asked @ ..] = bytes else { return };
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(asked) {
        headers.insert("retry-after", value);
    }
    let reply = Reply { status: u16::from_be_bytes([*high, *low]), headers, body: Vec::new() };
    let (policy, published, now) = (RetryPolicy::default(), UnixTime(0), UnixTime(60));
    for attempts in [1, 2, policy.most_attempts()] {
        if let AfterAttempt::Again(at) = policy.after(published, attempts, answer_of(&reply), now) {
            assert!(at > now && !policy.is_over(published, at));
        }
    }
}
