//! `SecretSetParameters`.

use super::{Attributes, Object, bad, checked_tags, parse, required};
use crate::data_plane::error::Problem;
use domain::{ObjectKind, Secret, Tags};
use engine::SetSecret;
use serde::{Deserialize, Deserializer, de::Visitor};
use std::fmt;

/// Contract: key-vault §3.6.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SecretSetParameters {
    value: Option<Text>,
    content_type: Option<String>,
    attributes: Option<Object<Attributes>>,
    tags: Option<Tags>,
}

/// Text that is secret.
pub(super) struct Text(pub Secret);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Value;
        impl Visitor<'_> for Value {
            type Value = Text;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text")
            }
            fn visit_str<E>(self, text: &str) -> Result<Text, E> {
                Ok(Text(Secret::new(text.as_bytes().to_vec())))
            }
        }
        deserializer.deserialize_str(Value)
    }
}

pub(in crate::data_plane) fn set_secret(body: &[u8]) -> Result<SetSecret, Problem> {
    let body: SecretSetParameters = parse(body)?;
    let Text(value) = required(body.value, "value")?;
    let Object(attributes) = body.attributes.unwrap_or_default();
    Ok(SetSecret {
        value,
        content_type: content_type(body.content_type)?,
        attributes: attributes.into_new()?,
        tags: checked_tags(ObjectKind::Secret, body.tags)?.unwrap_or_default(),
    })
}

/// Contract: key-vault §3.7, "Create on an existing name".
pub(super) fn content_type(text: Option<String>) -> Result<Option<String>, Problem> {
    const MAX_CHARACTERS: usize = 255;
    match text {
        Some(text) if text.chars().count() > MAX_CHARACTERS => Err(bad("contentType", "has more than 255 characters")),
        text => Ok(text),
    }
}
