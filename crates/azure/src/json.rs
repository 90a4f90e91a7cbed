//! Reading JSON bodies, and the encodings inside them.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, MapAccess, Visitor, value::MapAccessDeserializer},
};
use std::{fmt, marker::PhantomData};

/// What is wrong with a body, in words for the caller. Never quotes the body: it may hold a secret.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadBody(pub String);

/// A struct that only a JSON object can be: by itself, serde takes an array for a struct too, member by member.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = Object<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }
        deserializer.deserialize_map(Members(PhantomData))
    }
}

/// Parses a body that has to be a JSON object. An empty one counts as `{}`.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, BadBody> {
    let body = if body.iter().all(u8::is_ascii_whitespace) { b"{}" } else { body };
    let parsed = serde_json::from_slice(body).map(|Object(parsed)| parsed);
    parsed.map_err(|error| {
        let is_object = body.trim_ascii_start().starts_with(b"{");
        let what = match error.classify() {
            serde_json::error::Category::Data if !is_object => "the body is not a JSON object",
            serde_json::error::Category::Data => "a property is missing or has the wrong type",
            _ => "the body is not valid JSON",
        };
        BadBody(format!("{what} (line {}, column {})", error.line(), error.column()))
    })
}

/// base64url without padding; padding is tolerated on the way in (contract: key-vault §1, "Encodings").
pub(crate) fn from_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()
}

pub(crate) fn to_base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
