//! How an operation fails.

use domain::Refusal;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A rule says no. The caller can act on it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Too much work is under way; nothing was done. Try again shortly.
    #[error("too many requests")]
    Busy,
    /// The state could not be read or written.
    #[error("the store failed")]
    Store(#[from] store::Fault),
    /// Key material could not be opened or used.
    #[error("custody failed")]
    Custody(#[from] custody::Fault),
    /// A record the service wrote itself can't be read back.
    #[error("a record of the service is broken: {0}")]
    Broken(&'static str),
}

impl From<custody::Error> for Error {
    fn from(error: custody::Error) -> Self {
        match error {
            custody::Error::Refused(refusal) => Self::Refused(refusal),
            custody::Error::Fault(fault) => Self::Custody(fault),
        }
    }
}
