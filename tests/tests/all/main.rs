//! One binary for all end-to-end tests.

mod engine_model;
mod http_model;
mod restart;
