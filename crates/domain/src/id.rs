//! Identifiers that have no meaning beyond identity. Their random bytes are always an argument.

use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::{
    Uuid,
    fmt::{Hyphenated, Simple},
};

/// A GUID, written in lower case with hyphens: tenants, subscriptions, principals, role assignments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Guid(Uuid);

impl Guid {
    pub(crate) const TEXT_LENGTH: usize = Hyphenated::LENGTH;

    /// A version 4 GUID made of the given random bytes (RFC 9562 §5.4).
    #[must_use]
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }

    /// The version 5 GUID of a URL (RFC 9562 §5.5, namespace of URLs): the same wherever it is computed.
    #[must_use]
    pub fn of_url(url: &str) -> Self {
        Self(Uuid::new_v5(&Uuid::NAMESPACE_URL, url.as_bytes()))
    }

    /// Parses any usual spelling: hyphenated, plain, braced, upper or lower case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }

    #[must_use]
    pub const fn from_u128(value: u128) -> Self {
        Self(Uuid::from_u128(value))
    }

    #[must_use]
    pub const fn as_u128(self) -> u128 {
        self.0.as_u128()
    }

    /// Its text without a formatter on the way, in a buffer of this length.
    pub(crate) fn as_text(self, buffer: &mut [u8; Self::TEXT_LENGTH]) -> &str {
        self.0.hyphenated().encode_lower(buffer)
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// Names one container for as long as it exists. A container made later under the same name has another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContainerId(pub Guid);

impl fmt::Display for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One version of an object: 32 lower-case hexadecimal digits on every wire (contract: key-vault §3.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionId([u8; 16]);

impl VersionId {
    pub const TEXT_LENGTH: usize = Simple::LENGTH;

    /// Its text without a formatter on the way, in a buffer of this length: it is part of every answer about a key.
    pub fn as_text(self, buffer: &mut [u8; Self::TEXT_LENGTH]) -> &str {
        Simple::from_uuid(Uuid::from_bytes(self.0)).encode_lower(buffer)
    }

    #[must_use]
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 32 {
            return None;
        }
        let mut bytes = [0; 16];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let high = char::from(*pair.first()?).to_digit(16)?;
            let low = char::from(*pair.last()?).to_digit(16)?;
            *byte = u8::try_from(high * 16 + low).ok()?;
        }
        Some(Self(bytes))
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_text(&mut [0; Self::TEXT_LENGTH]))
    }
}

impl Serialize for VersionId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for VersionId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a version of 32 hexadecimal digits"))
    }
}
