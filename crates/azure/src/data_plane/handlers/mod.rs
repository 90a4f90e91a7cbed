//! One handler for each operation: it reads the request, calls the engine, and writes the answer.

mod keys;
mod lifecycle;
mod roles;
mod rotation;
pub(super) mod settings;
mod usage;
