//! What the end-to-end tests share: the naive model of deletion, a server process, and clients to talk to it with.

pub mod acme;
pub mod bytes;
pub mod client;
pub mod containers;
pub mod model;
pub mod openapi;
pub mod process;
pub mod production;
pub mod provider;
pub mod random;
pub mod raw;
pub mod receiver;
pub mod tls;
pub mod token_key;
