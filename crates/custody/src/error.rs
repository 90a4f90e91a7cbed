//! What can go wrong in custody. Nothing here carries a secret, or bytes that a caller sent.

use domain::Refusal;

/// The machinery failed, or a stored thing is not what it should be. The caller of the vault did nothing wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Authentication failed: another key, another place, or changed bytes.
    #[error("a sealed blob does not open: it was changed, moved, or sealed by another key")]
    SealBroken,
    #[error("a sealed blob has a format this version does not know")]
    FormatUnknown,
    /// The root key is not the one that this state was sealed with.
    #[error("this is not the root key that the state was sealed with")]
    WrongRoot,
    #[error("the key file is unusable: {0}")]
    KeyFileInvalid(&'static str),
    #[error("the passphrase or its parameters are unusable: {0}")]
    PassphraseInvalid(&'static str),
    /// Stored material does not parse, or is not that of the stored public key.
    #[error("stored key material is unusable: {0}")]
    MaterialInvalid(&'static str),
    /// The cryptographic library or device refused something it should do; the text names the operation.
    #[error("the cryptographic backend failed: {0}")]
    Backend(&'static str),
}

/// What an operation on a key can answer instead of a result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The request was wrong: a parameter, a ciphertext, a key pair.
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Error {
    /// A parameter of the request, by its name in the API, and what is wrong with it.
    pub(crate) fn parameter(parameter: &'static str, reason: &'static str) -> Self {
        Self::Refused(Refusal::ParameterInvalid { parameter, reason })
    }
}
