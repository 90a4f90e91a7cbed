//! Notices on the wire of their receivers: what is asked of one before it is told anything, and how it is told.
//!
//! Source: Microsoft Learn, "Azure Key Vault as Event Grid source", "Endpoint validation with CloudEvents schema",
//! "Endpoint validation with Event Grid event schema", "Event Grid message delivery and retry"; CloudEvents 1.0.2, "JSON
//! Event Format" and "HTTP 1.1 Web Hooks for Event Delivery". Nothing here connects to anybody: a [`Courier`] does, and
//! when and how often is the server's business.

pub mod fuzz;
mod handshake;
mod render;
#[cfg(test)]
mod tests;

pub(crate) use handshake::{Disagreement, agree};
pub use render::delivery;

use domain::notice::{Endpoint, NoticeRefusal};
use http::{HeaderMap, Method};

/// Something for a receiver. It has no `Debug`: the endpoint may hold a secret.
pub struct Message<'a> {
    pub method: Method,
    pub endpoint: &'a Endpoint,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// Whether the answer says something in its body. Otherwise it is not read, and can't fail.
    pub wants_body: bool,
}

/// What a receiver answered.
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    /// Empty if it was not wanted.
    pub body: Vec<u8>,
}

impl Reply {
    /// A header's value; empty without one.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// What carries messages to receivers. It may block.
pub trait Courier: Send + Sync {
    /// Whether the installation lets anything be sent there.
    ///
    /// # Errors
    /// [`NoticeRefusal::EndpointForbidden`].
    fn admit(&self, endpoint: &Endpoint) -> Result<(), NoticeRefusal>;

    /// Sends a message, follows no redirection, and waits for the answer, but not for ever.
    ///
    /// # Errors
    /// Why there is no answer, in words that do not tell the URL.
    fn carry(&self, message: &Message<'_>) -> Result<Reply, String>;
}
