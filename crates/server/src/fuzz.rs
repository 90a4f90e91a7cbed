//! Entries for random input: one for each parser of what servers answer that we ask. None may panic.

use crate::{acme, net, notices};

/// A document of an ACME server, of whatever kind.
pub fn acme_document(bytes: &[u8]) {
    acme::fuzz::document(bytes);
}

/// A certificate chain as an ACME server gives it.
pub fn acme_chain(bytes: &[u8]) {
    acme::fuzz::chain(bytes);
}

/// An address in the answer of an ACME server.
pub fn acme_address(bytes: &[u8]) {
    acme::fuzz::address(bytes);
}

/// `Retry-After` of an ACME server on the first line, `Date` on the second.
pub fn acme_retry_after(bytes: &[u8]) {
    acme::fuzz::retry_after(bytes);
}

/// The answer of a receiver of notices: its status in two bytes, and `Retry-After`.
pub fn receiver_answer(bytes: &[u8]) {
    notices::fuzz::answer(bytes);
}

/// The head of a request to the built-in proxy.
pub fn proxy_head(bytes: &[u8]) {
    net::fuzz::proxy_head(bytes);
}
