//! Keys as they come in and go out: public parts, and private parts on their way into custody.

use crate::{Curve, KeySpec, Secret};
use serde::{Deserialize, Serialize};

/// The part of a key that may be seen. Integers are big-endian without leading zeros; coordinates have the full
/// length of the curve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PublicKey {
    Rsa {
        #[serde(with = "crate::base64url")]
        n: Vec<u8>,
        #[serde(with = "crate::base64url")]
        e: Vec<u8>,
    },
    Ec {
        curve: Curve,
        #[serde(with = "crate::base64url")]
        x: Vec<u8>,
        #[serde(with = "crate::base64url")]
        y: Vec<u8>,
    },
    /// A symmetric key has no public part.
    Oct,
}

/// A private key to import, as a JSON Web Key gives it (RFC 7518 §6). Integers and coordinates may come without
/// their leading zeros: clients strip them (contract: az-client §4.6). Custody checks that the parts agree.
pub enum PrivateJwk {
    Rsa { n: Vec<u8>, e: Vec<u8>, d: Secret, p: Secret, q: Secret, dp: Secret, dq: Secret, qi: Secret },
    Ec { curve: Curve, x: Vec<u8>, y: Vec<u8>, d: Secret },
    Oct { k: Secret },
}

impl PrivateJwk {
    /// What it claims to be, by the length of its parts.
    #[must_use]
    pub fn spec(&self) -> KeySpec {
        let bits = |bytes: &[u8]| {
            let leading = bytes.iter().take_while(|byte| **byte == 0).count();
            u32::try_from((bytes.len() - leading) * 8).unwrap_or(u32::MAX)
        };
        match self {
            Self::Rsa { n, .. } => KeySpec::Rsa { bits: bits(n) },
            Self::Ec { curve, .. } => KeySpec::Ec { curve: *curve },
            Self::Oct { k } => KeySpec::Oct { bits: u32::try_from(k.expose().len() * 8).unwrap_or(u32::MAX) },
        }
    }
}
