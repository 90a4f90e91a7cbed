//! The engine on a real SQLite file, with a clock that the tests move.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, wherever in it")]

mod access;
mod certificate_races;
mod certificates;
mod directory;
mod door;
mod exports;
mod issuers;
mod keys;
mod locks;
mod metering;
mod network;
mod notary;
mod notices;
mod notices_of_objects;
mod revocation;
mod rig;
mod roles;
mod rotation;
mod secrets;
mod stale;
