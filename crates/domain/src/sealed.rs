//! Sealed bytes: the only form in which key material leaves custody.

use serde::{Deserialize, Serialize};

/// An encrypted and authenticated blob. Only `custody` makes and opens one; to everybody else it is opaque.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(#[serde(with = "crate::base64url")] pub Vec<u8>);
