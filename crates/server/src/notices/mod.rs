//! Telling receivers: carrying messages to them over HTTP, and doing so until they have what they asked for.

mod courier;
pub(crate) mod fuzz;
mod health;
mod post;
#[cfg(test)]
mod post_tests;

pub use courier::{HttpCourier, ReceiverHost, Sending};
pub use post::Post;
