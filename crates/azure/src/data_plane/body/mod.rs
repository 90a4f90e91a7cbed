//! Request bodies, on their way to the engine's types (contract: key-vault §3.6, §3.8).
//!
//! Strict about the types of members that are known, lenient about unknown ones. No reason ever quotes a value: it may
//! be a secret.

mod certificate;
mod create;
mod import;
mod issuer;
mod secret;
mod update;
mod usage;

pub(super) use certificate::{create_certificate, import_certificate, merge_certificate, policy, update_pending};
pub(super) use create::create_key;
pub(super) use import::import_key;
pub(super) use issuer::{contacts, issuer};
pub(super) use secret::set_secret;
pub(super) use update::update;
pub(super) use usage::{decrypt, encrypt, random_count, restore, sign, verify};

use super::error::Problem;
use crate::json::{self, Object};
use domain::{KeyOperation, ObjectKind, Refusal, Secret, Tags, UnixTime};
use engine::{AttributeChanges, NewAttributes};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny, Visitor},
};
use std::{fmt, marker::PhantomData};

pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    Ok(json::parse(body)?)
}

pub(super) fn bad(property: &str, reason: &str) -> Problem {
    Problem::BadParameter(format!("Property '{property}' {reason}."))
}

pub(super) fn required<T>(value: Option<T>, property: &str) -> Result<T, Problem> {
    value.ok_or_else(|| bad(property, "is missing"))
}

/// What base64url text stands for; `None` inside if it is not base64url, to be refused where the property's name is
/// known.
struct Encoded<T>(Option<T>);

/// What can be made of decoded bytes.
trait Decoded {
    fn from_bytes(bytes: Vec<u8>) -> Self;
}

impl Decoded for Vec<u8> {
    fn from_bytes(bytes: Vec<u8>) -> Self {
        bytes
    }
}

impl Decoded for Secret {
    fn from_bytes(bytes: Vec<u8>) -> Self {
        Self::new(bytes)
    }
}

impl<'de, T: Decoded> Deserialize<'de> for Encoded<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text<T>(PhantomData<T>);
        impl<T: Decoded> Visitor<'_> for Text<T> {
            type Value = Encoded<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("base64url text")
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Encoded(json::from_base64url(text).map(T::from_bytes)))
            }
        }
        deserializer.deserialize_str(Text(PhantomData))
    }
}

fn decoded<T>(value: Option<Encoded<T>>, property: &str) -> Result<Option<T>, Problem> {
    match value {
        None => Ok(None),
        Some(Encoded(Some(value))) => Ok(Some(value)),
        Some(Encoded(None)) => Err(bad(property, "is not valid base64url")),
    }
}

fn required_bytes<T>(value: Option<Encoded<T>>, property: &str) -> Result<T, Problem> {
    required(decoded(value, property)?, property)
}

const END_OF_9999: i64 = 253_402_300_799;

/// The members of `attributes` that a client may set, of an object of any kind.
#[derive(Default, Deserialize)]
struct Attributes {
    enabled: Option<bool>,
    nbf: Option<i64>,
    exp: Option<i64>,
}

impl Attributes {
    /// Some clients cut dates to 32 bits: an error beats an object that has expired at its creation. And some, az among
    /// them, have no dates after the year 9999, and can list nothing any more where there is one.
    fn check(&self) -> Result<(), Problem> {
        for (property, date) in [("nbf", self.nbf), ("exp", self.exp)] {
            match date {
                Some(..0) => return Err(bad(property, "lies before 1970")),
                Some(date) if date > END_OF_9999 => return Err(bad(property, "lies after the year 9999")),
                _ => {}
            }
        }
        Ok(())
    }

    fn into_new(self) -> Result<NewAttributes, Problem> {
        self.check()?;
        Ok(NewAttributes { enabled: self.enabled, not_before: self.nbf.map(UnixTime), expires: self.exp.map(UnixTime) })
    }

    fn into_changes(self) -> Result<AttributeChanges, Problem> {
        self.check()?;
        let (not_before, expires) = (self.nbf.map(UnixTime), self.exp.map(UnixTime));
        Ok(AttributeChanges { enabled: self.enabled, not_before, expires })
    }
}

/// Those of a key.
#[derive(Default, Deserialize)]
struct KeyAttributes {
    #[serde(flatten)]
    common: Attributes,
    exportable: Option<bool>,
    external_key: Option<IgnoredAny>,
}

impl KeyAttributes {
    /// Refuses what belongs to key release and external key management (contract: managed-hsm §3.2, "exportable").
    fn check(self, release_policy: Option<IgnoredAny>) -> Result<Attributes, Problem> {
        if self.external_key.is_some() {
            return Err(Problem::NotSupported("External key management"));
        }
        match (self.exportable.unwrap_or(false), release_policy.is_some()) {
            (false, false) => Ok(self.common),
            (true, false) => Err(Refusal::ReleasePolicyMissing.into()),
            (false, true) => Err(Problem::BadParameter("Non-exportable keys must not have release policy".to_owned())),
            (true, true) => Err(Problem::NotSupported("Key release")),
        }
    }
}

/// Contract: key-vault §3.7, "Tags".
fn checked_tags(kind: ObjectKind, tags: Option<Tags>) -> Result<Option<Tags>, Problem> {
    const MAX_TAGS: usize = 15;
    let max_characters = match kind {
        ObjectKind::Secret => 512,
        ObjectKind::Key | ObjectKind::Certificate => 256,
    };
    let Some(tags) = tags else {
        return Ok(None);
    };
    if tags.len() > MAX_TAGS {
        return Err(bad("tags", "has more than 15 entries"));
    }
    let is_long = |text: &String| text.chars().count() > max_characters;
    if tags.iter().any(|(name, value)| is_long(name) || is_long(value)) {
        return Err(bad("tags", &format!("has a name or value of more than {max_characters} characters")));
    }
    Ok(Some(tags))
}

fn key_operations(words: Option<Vec<String>>) -> Result<Option<Vec<KeyOperation>>, Problem> {
    let Some(words) = words else {
        return Ok(None);
    };
    let mut operations = Vec::with_capacity(words.len());
    for word in words {
        let operation = KeyOperation::parse(&word).ok_or_else(|| bad("key_ops", "has an unknown operation"))?;
        if !operations.contains(&operation) {
            operations.push(operation);
        }
    }
    Ok(Some(operations))
}

/// Splits `RSA-HSM` into the type and whether it is HSM-protected.
fn key_type(kty: &str) -> Result<(domain::KeyType, bool), Problem> {
    if matches!(kty, "AKP" | "AKP-HSM") {
        return Err(Problem::NotSupported("The key type AKP"));
    }
    let (family, hsm) = kty.strip_suffix("-HSM").map_or((kty, false), |family| (family, true));
    let family = domain::KeyType::parse(family).ok_or_else(|| bad("kty", "is not a known key type"))?;
    Ok((family, hsm))
}

/// az imports keys under the older name of P-256K.
fn curve(crv: &str) -> Result<domain::Curve, Problem> {
    let crv = if crv == "SECP256K1" { domain::Curve::P256K.as_str() } else { crv };
    domain::Curve::parse(crv).ok_or_else(|| bad("crv", "is not a known curve"))
}

#[cfg(test)]
mod tests;
