//! Key material: made, sealed and used here, and nowhere else.
//!
//! The ports are [`Provider`] (generate, import, open) and [`KeyHandle`] (sign, verify, encrypt, decrypt; wrapping
//! is encrypting with another algorithm). Material leaves this crate only inside [`domain::Sealed`] or a backup
//! blob, or as the file that the owner of an exportable certificate gets ([`bundle`]). [`RootKey`] → container key →
//! object key → material: each level is sealed by the one above, with a [`Context`] that pins the row it belongs to.
//!
//! [`x509`] makes and reads certificates, and [`bundle`] the files that they and their keys come in.
//!
//! This crate does not know where sealed bytes are stored, who asks, whether a key may be used now, or how an
//! algorithm is spelled on a wire. It does not read a clock; randomness is an argument, with one exception that
//! [`SoftwareProvider`] states.

mod backup;
pub mod bundle;
#[cfg(feature = "conformance")]
pub mod conformance;
mod digest;
mod entropy;
mod error;
pub mod merkle;
pub mod note;
mod provider;
mod root;
mod seal;
mod software;
pub mod x509;

pub use backup::{BackupBlob, open_backup, seal_backup};
pub use digest::{constant_time_eq, sha256};
pub use entropy::{Entropy, SystemEntropy};
pub use error::{Error, Fault};
pub use provider::{Ciphertext, Decrypt, Encrypt, Generated, KeyHandle, Provider};
pub use root::{PassphraseParameters, RootKey};
pub use seal::{Context, Purpose, WrappingKey};
pub use software::{SoftwareProvider, VerifyingKey};
