//! PKCS#12 files (RFC 7292).
//!
//! The structures are here; every derivation, cipher and digest is a library's. What is old in such files (PBES1 with RC2
//! or triple DES) is read only.

mod encryption;
mod read;
mod structures;
mod write;

pub(super) use encryption::Work;
pub use read::read;
pub(super) use read::{read_encrypted_key, read_within};
pub use write::write;
