//! One binary for all end-to-end tests.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod concurrency;
mod engine_model;
mod garbage;
mod http_model;
mod kill_storm;
mod purged_bytes;
mod restart;
mod storm_audit;
