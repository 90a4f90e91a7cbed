//! Why the vault says no where certificates are made.

use crate::ObjectKind;

/// A rule of certificates forbids what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateRefusal {
    #[error("no pending certificate")]
    PendingNotFound,
    #[error("a certificate of this name is being made")]
    InProgress,
    /// There was nothing but operations that are pending, or that came to nothing.
    #[error("the certificate has no version yet")]
    NoVersion,
    #[error("the pending certificate is not in progress")]
    NotInProgress { status: &'static str },
    #[error("the pending certificate is made by its issuer")]
    IssuerDriven,
    #[error("the certificate is not about the pending key")]
    KeyMismatch,
    #[error("no such issuer")]
    IssuerNotFound { name: String },
    #[error("no contacts are set")]
    ContactsNotFound,
    /// A key or secret that a certificate made goes where its certificate goes. `operation` is the word of the wire:
    /// `delete`, `update`.
    #[error("the {kind} is managed by its certificate")]
    Managed { kind: ObjectKind, operation: &'static str },
    /// A certificate makes a key and a secret of its name.
    #[error("a {kind} that no certificate manages has the name")]
    NameHeld { kind: ObjectKind },
    /// The same of one that is deleted.
    #[error("a deleted {kind} that no certificate manages has the name")]
    NameHeldByDeleted { kind: ObjectKind },
}
