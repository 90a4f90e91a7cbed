//! What the data plane answers, as the documents spell it (contract: key-vault §3.6).
//!
//! Members are declared in alphabetical order: a managed HSM sends them so, and in a vault their order means nothing.

use super::version::ApiVersion;
use base64::{display::Base64Display, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    Body, ContainerKind, KeyBody, KeyOperation, KeySpec, ObjectName, PublicKey, Tags, UnixTime, VersionId,
    lifecycle::{Deletion, DeletionPolicy},
};
use engine::{CryptoResult, ObjectView};
use serde::{Serialize, Serializer};
use std::fmt;

/// Where an answer is read: its host names every id, its kind and API version shape every attribute.
#[derive(Clone, Copy)]
pub(super) struct Audience<'request> {
    pub kind: ContainerKind,
    pub version: ApiVersion,
    pub host: &'request str,
}

/// Bytes as base64url without padding.
pub(super) struct Base64Url<'bytes>(pub &'bytes [u8]);

impl Serialize for Base64Url<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Base64Display::new(self.0, &URL_SAFE_NO_PAD))
    }
}

/// `https://{host}/{collection}/{name}[/{version}]`.
pub(super) struct Identifier<'a> {
    host: &'a str,
    collection: &'static str,
    name: &'a ObjectName,
    version: Option<VersionId>,
}

impl fmt::Display for Identifier<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "https://{}/{}/{}", self.host, self.collection, self.name)?;
        self.version.map_or(Ok(()), |version| write!(f, "/{version}"))
    }
}

impl Serialize for Identifier<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'a> Audience<'a> {
    fn key_id(self, name: &'a ObjectName, version: Option<VersionId>) -> Identifier<'a> {
        Identifier { host: self.host, collection: "keys", name, version }
    }

    fn recovery_id(self, name: &'a ObjectName) -> Identifier<'a> {
        Identifier { host: self.host, collection: "deletedkeys", name, version: None }
    }
}

#[derive(Serialize)]
pub(super) struct KeyBundle<'a> {
    attributes: KeyAttributes,
    key: JsonWebKey<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<&'a Tags>,
}

impl<'a> KeyBundle<'a> {
    pub(super) fn new(view: &'a ObjectView, audience: Audience<'a>) -> Self {
        Self { attributes: KeyAttributes::new(view, audience), key: JsonWebKey::new(view, audience), tags: tags(view) }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeletedKeyBundle<'a> {
    attributes: KeyAttributes,
    deleted_date: UnixTime,
    key: JsonWebKey<'a>,
    recovery_id: Identifier<'a>,
    scheduled_purge_date: UnixTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<&'a Tags>,
}

impl<'a> DeletedKeyBundle<'a> {
    pub(super) fn new(view: &'a ObjectView, deletion: Deletion, audience: Audience<'a>) -> Self {
        Self {
            attributes: KeyAttributes::new(view, audience),
            deleted_date: deletion.deleted_at,
            key: JsonWebKey::new(view, audience),
            recovery_id: audience.recovery_id(&view.object.name),
            scheduled_purge_date: deletion.scheduled_purge_at,
            tags: tags(view),
        }
    }
}

#[derive(Serialize)]
pub(super) struct KeyItem<'a> {
    attributes: KeyAttributes,
    kid: Identifier<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<&'a Tags>,
}

impl<'a> KeyItem<'a> {
    /// An item of a list of keys: its id has no version.
    pub(super) fn of_key(view: &'a ObjectView, audience: Audience<'a>) -> Self {
        Self {
            attributes: KeyAttributes::new(view, audience),
            kid: audience.key_id(&view.object.name, None),
            tags: tags(view),
        }
    }

    /// An item of a list of versions.
    pub(super) fn of_version(view: &'a ObjectView, audience: Audience<'a>) -> Self {
        Self { kid: audience.key_id(&view.object.name, Some(view.version.id)), ..Self::of_key(view, audience) }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeletedKeyItem<'a> {
    attributes: KeyAttributes,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_date: Option<UnixTime>,
    kid: Identifier<'a>,
    recovery_id: Identifier<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scheduled_purge_date: Option<UnixTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<&'a Tags>,
}

impl<'a> DeletedKeyItem<'a> {
    pub(super) fn new(view: &'a ObjectView, audience: Audience<'a>) -> Self {
        let deletion = view.object.state.deletion();
        Self {
            attributes: KeyAttributes::new(view, audience),
            deleted_date: deletion.map(|deletion| deletion.deleted_at),
            kid: audience.key_id(&view.object.name, None),
            recovery_id: audience.recovery_id(&view.object.name),
            scheduled_purge_date: deletion.map(|deletion| deletion.scheduled_purge_at),
            tags: tags(view),
        }
    }
}

/// A page of a list. `nextLink` is null on the last page, not absent (contract: key-vault §1, "Null handling").
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct KeyListResult<T> {
    pub next_link: Option<String>,
    pub value: Vec<T>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyAttributes {
    created: UnixTime,
    enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<UnixTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exportable: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hsm_platform: Option<&'static str>,
    #[serde(rename = "key_size", skip_serializing_if = "Option::is_none")]
    key_size: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<UnixTime>,
    recoverable_days: u32,
    recovery_level: &'static str,
    updated: UnixTime,
}

impl KeyAttributes {
    fn new(view: &ObjectView, audience: Audience<'_>) -> Self {
        let attributes = &view.version.attributes;
        let policy: &DeletionPolicy = &view.policy;
        let Body::Key(body) = &view.version.body;
        let shows = |since: ApiVersion| audience.version >= since;
        let exportable = audience.kind == ContainerKind::ManagedHsm || shows(ApiVersion::SHOWS_EXPORTABLE);
        let size = match body.spec {
            KeySpec::Oct { bits } => Some(bits),
            KeySpec::Rsa { .. } | KeySpec::Ec { .. } => None,
        };
        Self {
            created: attributes.created,
            enabled: attributes.enabled,
            exp: attributes.expires,
            exportable: exportable.then_some(false),
            hsm_platform: shows(ApiVersion::SHOWS_HSM_PLATFORM).then_some(hsm_platform(body)),
            key_size: size.filter(|_| shows(ApiVersion::SHOWS_KEY_SIZE)),
            nbf: attributes.not_before,
            recoverable_days: policy.recoverable_days(),
            recovery_level: policy.recovery_level().as_str(),
            updated: attributes.updated,
        }
    }
}

/// Contract: key-vault §3.7, "Attributes": `0` software, `2` FIPS 140-3.
fn hsm_platform(body: &KeyBody) -> &'static str {
    if body.hsm { "2" } else { "0" }
}

/// The public part of a key. A symmetric one has none (contract: key-vault §3.8).
#[derive(Serialize)]
struct JsonWebKey<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    crv: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    e: Option<Base64Url<'a>>,
    key_ops: KeyOperations<'a>,
    kid: Identifier<'a>,
    kty: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<Base64Url<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<Base64Url<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    y: Option<Base64Url<'a>>,
}

impl<'a> JsonWebKey<'a> {
    fn new(view: &'a ObjectView, audience: Audience<'a>) -> Self {
        let Body::Key(body) = &view.version.body;
        let mut key = Self {
            crv: None,
            e: None,
            key_ops: KeyOperations(in_wire_order(&body.key_ops, audience.kind)),
            kid: audience.key_id(&view.object.name, Some(view.version.id)),
            kty: key_type(body),
            n: None,
            x: None,
            y: None,
        };
        match &body.public {
            PublicKey::Rsa { n, e } => (key.n, key.e) = (Some(Base64Url(n)), Some(Base64Url(e))),
            PublicKey::Ec { curve, x, y } => {
                (key.crv, key.x, key.y) = (Some(curve.as_str()), Some(Base64Url(x)), Some(Base64Url(y)));
            }
            PublicKey::Oct => {}
        }
        key
    }
}

struct KeyOperations<'a>(&'a [KeyOperation]);

impl Serialize for KeyOperations<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|operation| operation.as_str()))
    }
}

/// The order in which a managed HSM lists the operations of an RSA key that can do all (contract: key-vault §3.8).
const HSM_RSA_ORDER: [KeyOperation; 6] = [
    KeyOperation::WrapKey,
    KeyOperation::Decrypt,
    KeyOperation::Encrypt,
    KeyOperation::UnwrapKey,
    KeyOperation::Sign,
    KeyOperation::Verify,
];

fn in_wire_order(operations: &[KeyOperation], kind: ContainerKind) -> &[KeyOperation] {
    let is_default = kind == ContainerKind::ManagedHsm && operations == KeySpec::DEFAULT_RSA.default_operations();
    if is_default { &HSM_RSA_ORDER } else { operations }
}

fn key_type(body: &KeyBody) -> &'static str {
    match (body.spec, body.hsm) {
        (KeySpec::Rsa { .. }, false) => "RSA",
        (KeySpec::Rsa { .. }, true) => "RSA-HSM",
        (KeySpec::Ec { .. }, false) => "EC",
        (KeySpec::Ec { .. }, true) => "EC-HSM",
        (KeySpec::Oct { .. }, false) => "oct",
        (KeySpec::Oct { .. }, true) => "oct-HSM",
    }
}

fn tags(view: &ObjectView) -> Option<&Tags> {
    let tags = &view.version.tags;
    (!tags.is_empty()).then_some(tags)
}

#[derive(Serialize)]
pub(super) struct KeyOperationResult<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    aad: Option<Base64Url<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iv: Option<Base64Url<'a>>,
    kid: Identifier<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<Base64Url<'a>>,
    value: Base64Url<'a>,
}

impl<'a> KeyOperationResult<'a> {
    pub(super) fn new(result: &'a CryptoResult, audience: Audience<'a>) -> Self {
        let encoded = |bytes: &'a Option<Vec<u8>>| bytes.as_deref().map(Base64Url);
        Self {
            aad: encoded(&result.aad),
            iv: encoded(&result.iv),
            kid: audience.key_id(&result.name, Some(result.version)),
            tag: encoded(&result.tag),
            value: Base64Url(result.value.expose()),
        }
    }
}

#[derive(Serialize)]
pub(super) struct KeyVerifyResult {
    pub value: bool,
}

#[derive(Serialize)]
pub(super) struct BackupKeyResult<'a> {
    pub value: Base64Url<'a>,
}

#[derive(Serialize)]
pub(super) struct RandomBytes<'a> {
    pub value: Base64Url<'a>,
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
