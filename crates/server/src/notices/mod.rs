//! Carrying messages to receivers of notices, over HTTP.

mod courier;

pub use courier::{HttpCourier, ReceiverHost, Sending};
