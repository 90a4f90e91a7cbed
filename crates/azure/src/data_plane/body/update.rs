//! Changes of a version: what is left out stays as it is.

use super::{
    Attributes, KeyAttributes, Object, certificate::update_certificate, checked_tags, key_operations, parse,
    secret::content_type,
};
use crate::data_plane::{error::Problem, version::ApiVersion};
use domain::{ObjectKind, Tags};
use engine::ObjectChanges;
use serde::{Deserialize, de::IgnoredAny};

/// Contract: key-vault §3.6.
#[derive(Deserialize)]
struct KeyUpdateParameters {
    key_ops: Option<Vec<String>>,
    attributes: Option<Object<KeyAttributes>>,
    tags: Option<Tags>,
    release_policy: Option<IgnoredAny>,
}

/// Contract: key-vault §3.6.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SecretUpdateParameters {
    content_type: Option<String>,
    attributes: Option<Object<Attributes>>,
    tags: Option<Tags>,
}

pub(in crate::data_plane) fn update(
    kind: ObjectKind,
    body: &[u8],
    version: ApiVersion,
) -> Result<ObjectChanges, Problem> {
    match kind {
        ObjectKind::Key => update_key(body),
        ObjectKind::Secret => update_secret(body),
        ObjectKind::Certificate => update_certificate(body, version),
    }
}

fn update_key(body: &[u8]) -> Result<ObjectChanges, Problem> {
    let body: KeyUpdateParameters = parse(body)?;
    let Object(attributes) = body.attributes.unwrap_or_default();
    Ok(ObjectChanges {
        attributes: attributes.check(body.release_policy)?.into_changes()?,
        tags: checked_tags(ObjectKind::Key, body.tags)?,
        key_ops: key_operations(body.key_ops)?,
        ..ObjectChanges::default()
    })
}

fn update_secret(body: &[u8]) -> Result<ObjectChanges, Problem> {
    let body: SecretUpdateParameters = parse(body)?;
    let Object(attributes) = body.attributes.unwrap_or_default();
    Ok(ObjectChanges {
        attributes: attributes.into_changes()?,
        tags: checked_tags(ObjectKind::Secret, body.tags)?,
        content_type: content_type(body.content_type)?,
        ..ObjectChanges::default()
    })
}
