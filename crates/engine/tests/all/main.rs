//! The engine on a real SQLite file, with a clock that the tests move.

mod access;
mod door;
mod keys;
mod rig;
mod rotation;
