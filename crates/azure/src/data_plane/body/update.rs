//! `KeyUpdateParameters`: what is left out stays as it is.

use super::{KeyAttributes, Object, checked_tags, key_operations, parse};
use crate::data_plane::error::Problem;
use domain::Tags;
use engine::KeyChanges;
use serde::{Deserialize, de::IgnoredAny};

/// Contract: key-vault §3.6.
#[derive(Deserialize)]
struct KeyUpdateParameters {
    key_ops: Option<Vec<String>>,
    attributes: Option<Object<KeyAttributes>>,
    tags: Option<Tags>,
    release_policy: Option<IgnoredAny>,
}

pub(in crate::data_plane) fn update_key(body: &[u8]) -> Result<KeyChanges, Problem> {
    let body: KeyUpdateParameters = parse(body)?;
    let Object(attributes) = body.attributes.unwrap_or_default();
    attributes.check(body.release_policy)?;
    Ok(KeyChanges {
        key_ops: key_operations(body.key_ops)?,
        attributes: attributes.into_changes(),
        tags: checked_tags(body.tags)?,
    })
}
