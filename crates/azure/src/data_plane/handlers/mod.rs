//! One handler for each operation: it reads the request, calls the engine, and writes the answer.

mod certificates;
mod issuers;
mod keys;
mod objects;
mod roles;
mod rotation;
mod secrets;
pub(super) mod settings;
mod usage;
