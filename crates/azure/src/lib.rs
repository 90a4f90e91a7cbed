//! The Azure fronts: translation between the wire and the engine, and nothing else.
//!
//! [`DataPlane`] speaks for vaults and managed HSMs, [`Arm`] for the resource manager, [`SignIn`] for an
//! Entra-shaped authority with the directory around it. Each takes a [`Request`] and gives an HTTP response; which
//! front a request goes to is the server's business, by host name ([`Addresses`]). [`notices`] speaks to those whom a
//! vault tells of itself.
//!
//! This crate does not know the store or custody, and decides nothing: rules are in `domain`, their order in `engine`.

mod addresses;
pub mod arm;
mod bearer;
pub mod data_plane;
mod json;
pub mod notices;
mod permission;
mod reply;
mod request;
pub mod sign_in;
mod unanswered;

pub use addresses::{Addresses, ContainerHost};
pub use arm::Arm;
pub use data_plane::DataPlane;
pub use request::{Request, without_port};
pub use sign_in::SignIn;

/// A whole response: all bodies are small.
pub type Response = http::Response<bytes::Bytes>;

/// An answer in the error shape that all fronts share, for requests that no front gets to see.
#[must_use]
pub fn error_response(status: http::StatusCode, code: &'static str, message: &str) -> Response {
    reply::error(status, code, None, message)
}
