//! Attributes of a version, and the one table of which use works in which state.

use crate::{KeyOperation, Refusal, UnixTime};
use serde::{Deserialize, Serialize};

/// What every version of every object carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attributes {
    pub enabled: bool,
    /// Not before: outside its window a key may not protect anything new.
    pub not_before: Option<UnixTime>,
    pub expires: Option<UnixTime>,
    pub created: UnixTime,
    pub updated: UnixTime,
}

/// A cryptographic use of a key: the part of [`KeyOperation`] that the time window and `enabled` speak about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyUse {
    Encrypt,
    Decrypt,
    Sign,
    Verify,
    Wrap,
    Unwrap,
}

impl KeyUse {
    pub const ALL: [Self; 6] = [Self::Encrypt, Self::Decrypt, Self::Sign, Self::Verify, Self::Wrap, Self::Unwrap];

    /// The key operation that `key_ops` must list for this use.
    #[must_use]
    pub fn operation(self) -> KeyOperation {
        match self {
            Self::Encrypt => KeyOperation::Encrypt,
            Self::Decrypt => KeyOperation::Decrypt,
            Self::Sign => KeyOperation::Sign,
            Self::Verify => KeyOperation::Verify,
            Self::Wrap => KeyOperation::WrapKey,
            Self::Unwrap => KeyOperation::UnwrapKey,
        }
    }

    /// Uses that create new protected data stop outside the time window; those that read old data do not
    /// (contract: key-vault §3.7, "Time window").
    #[must_use]
    pub fn needs_time_window(self) -> bool {
        matches!(self, Self::Encrypt | Self::Sign | Self::Wrap)
    }
}

/// Whether a key with these attributes and `key_ops` may be used so at `now`.
///
/// Order: disabled, then the time window, then `key_ops` (contract: key-vault §2, evaluation order).
///
/// # Errors
/// [`Refusal::KeyDisabled`], [`Refusal::KeyNotYetValid`], [`Refusal::KeyExpired`],
/// [`Refusal::KeyOperationForbidden`].
pub fn permits(
    attributes: &Attributes,
    key_ops: &[KeyOperation],
    key_use: KeyUse,
    now: UnixTime,
) -> Result<(), Refusal> {
    let operation = key_use.operation();
    if !attributes.enabled {
        return Err(Refusal::KeyDisabled { operation });
    }
    if key_use.needs_time_window() {
        if let Some(not_before) = attributes.not_before.filter(|not_before| now < *not_before) {
            return Err(Refusal::KeyNotYetValid { operation, not_before });
        }
        if let Some(expires) = attributes.expires.filter(|expires| now >= *expires) {
            return Err(Refusal::KeyExpired { operation, expires });
        }
    }
    if !key_ops.contains(&operation) {
        return Err(Refusal::KeyOperationForbidden { operation });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
