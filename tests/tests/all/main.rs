//! One binary for all end-to-end tests.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod acme;
mod acme_refusals;
mod audit_packs;
mod audit_records;
mod audit_tampering;
mod certificate_storm;
mod concurrency;
mod custom_roles;
mod data_plane;
mod deletion;
mod directory;
mod directory_graph;
mod disk;
mod engine_model;
mod event_subscriptions;
mod external_issuer;
mod external_provider;
mod garbage;
mod http_model;
mod kill_storm;
mod large_bodies;
mod locks;
mod notices;
mod purged_bytes;
mod resource_manager;
mod restart;
mod rights;
mod sign_in;
mod site;
mod states;
mod storm_audit;
mod usage;
mod usage_month;
mod usage_storm;
mod who_may;
