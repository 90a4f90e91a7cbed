//! What the data plane answers, as the documents spell it (contract: key-vault §3.6).
//!
//! Every kind of object has one shape, [`Bundle`]: kinds differ in which members it has. Members are declared in
//! alphabetical order: a managed HSM sends them so, and in a vault their order means nothing.

mod certificate;
mod key;

pub(super) use certificate::{ContactList, IssuerBundle, IssuerItem, Pending, Policy};
pub(super) use key::{KeyVerifyResult, RandomBytes, key_operation_result};

use super::version::ApiVersion;
use base64::{display::Base64Display, engine::general_purpose::URL_SAFE_NO_PAD};
use certificate::{Base64, PendingReference, thumbprint};
use domain::{Body, ContainerKind, KeySpec, ObjectKind, ObjectName, Tags, UnixTime, VersionId};
use engine::{ObjectView, SecretView};
use key::{JsonWebKey, hsm_platform};
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

impl Identifier<'_> {
    fn text(&self) -> String {
        let mut text = String::with_capacity(128);
        text.extend(["https://", self.host, "/", self.collection, "/", self.name.as_str()]);
        if let Some(version) = self.version {
            text.extend(["/", version.as_text(&mut [0; VersionId::TEXT_LENGTH])]);
        }
        text
    }
}

impl fmt::Display for Identifier<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl Serialize for Identifier<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

/// The path segment of the deleted objects of a kind.
pub(super) fn deleted_collection(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Key => "deletedkeys",
        ObjectKind::Secret => "deletedsecrets",
        ObjectKind::Certificate => "deletedcertificates",
    }
}

impl<'a> Audience<'a> {
    fn id(self, kind: ObjectKind, name: &'a ObjectName, version: Option<VersionId>) -> Identifier<'a> {
        Identifier { host: self.host, collection: kind.collection(), name, version }
    }

    fn recovery_id(self, kind: ObjectKind, name: &'a ObjectName) -> Identifier<'a> {
        Identifier { host: self.host, collection: deleted_collection(kind), name, version: None }
    }
}

/// An object: whole, or as an item of a list; live or deleted.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Bundle<'a> {
    attributes: Attributes,
    #[serde(skip_serializing_if = "Option::is_none")]
    cer: Option<Base64<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_date: Option<UnixTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Identifier<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<JsonWebKey<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<Identifier<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    managed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pending: Option<PendingReference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<Policy<'a>>,
    #[serde(rename = "preserveCertOrder", skip_serializing_if = "Option::is_none")]
    preserve_order: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_version: Option<VersionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_id: Option<Identifier<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scheduled_purge_date: Option<UnixTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<Identifier<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<&'a Tags>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x5t: Option<Base64Url<'a>>,
}

impl<'a> Bundle<'a> {
    /// What every kind shows in every form.
    fn common(view: &'a ObjectView, audience: Audience<'a>) -> Self {
        let (object, version) = (&view.object, &view.version);
        let deletion = object.state.deletion();
        Self {
            attributes: Attributes::new(view, audience),
            deleted_date: deletion.map(|deletion| deletion.deleted_at),
            managed: object.managed.then_some(true),
            recovery_id: deletion.map(|_| audience.recovery_id(object.kind, &object.name)),
            scheduled_purge_date: deletion.map(|deletion| deletion.scheduled_purge_at),
            tags: Some(&version.tags).filter(|tags| !tags.is_empty()),
            ..Self::default()
        }
    }

    /// The whole of a version. Of a secret, all but its value.
    pub(super) fn new(view: &'a ObjectView, audience: Audience<'a>) -> Self {
        let (name, version) = (&view.object.name, Some(view.version.id));
        let common = Self::common(view, audience);
        match &view.version.body {
            Body::Key(body) => Self { key: Some(JsonWebKey::new(view, body, audience)), ..common },
            Body::Secret(body) => Self {
                content_type: body.content_type.as_deref(),
                id: Some(audience.id(ObjectKind::Secret, name, version)),
                kid: view.object.managed.then(|| audience.id(ObjectKind::Key, name, version)),
                previous_version: body.previous.filter(|_| audience.version >= ApiVersion::SHOWS_PREVIOUS_VERSION),
                ..common
            },
            Body::Certificate(body) => {
                let course = view.object.course.as_ref();
                let id = |kind| audience.id(kind, name, version);
                let issued = body.issued.as_ref();
                Self {
                    cer: issued.map(|issued| Base64(&issued.der)),
                    id: Some(id(ObjectKind::Certificate)),
                    kid: issued.map(|_| id(ObjectKind::Key)),
                    pending: course
                        .and_then(|course| course.pending.as_ref())
                        .map(|_| PendingReference::new(name, audience)),
                    policy: course.map(|course| Policy::new(name, &course.policy, audience)),
                    preserve_order: (audience.version >= ApiVersion::SHOWS_CERTIFICATE_ORDER)
                        .then_some(body.preserve_order),
                    sid: issued.map(|_| id(ObjectKind::Secret)),
                    x5t: issued.map(|issued| thumbprint(&issued.thumbprint)),
                    ..common
                }
            }
        }
    }

    /// Of a version that was asked for by its id: all but what belongs to the whole certificate.
    pub(super) fn of_version_alone(view: &'a ObjectView, audience: Audience<'a>) -> Self {
        Self { pending: None, ..Self::of_changed_version(view, audience) }
    }

    /// Of a version that was changed by its id. The pending operation is shown once more, as recorded.
    pub(super) fn of_changed_version(view: &'a ObjectView, audience: Audience<'a>) -> Self {
        Self { policy: None, ..Self::new(view, audience) }
    }

    /// A secret with its value. One that is not text was never set: nothing is shown of it.
    pub(super) fn of_secret(secret: &'a SecretView, audience: Audience<'a>) -> Self {
        Self { value: str::from_utf8(secret.value.expose()).ok(), ..Self::new(&secret.view, audience) }
    }

    /// An item of a list of objects (its id has no version), or of versions.
    fn item(view: &'a ObjectView, version: Option<VersionId>, audience: Audience<'a>) -> Self {
        let id = audience.id(view.object.kind, &view.object.name, version);
        let common = Self::common(view, audience);
        match &view.version.body {
            Body::Key(_) => Self { kid: Some(id), ..common },
            Body::Secret(body) => Self { content_type: body.content_type.as_deref(), id: Some(id), ..common },
            Body::Certificate(body) => Self {
                id: Some(id),
                // Seen on the wire though in no document, of live ones (contract: key-vault §3.9).
                subject: view
                    .object
                    .state
                    .is_live()
                    .then(|| body.issued.as_ref().map_or("", |issued| issued.subject.as_str())),
                x5t: body.issued.as_ref().map(|issued| thumbprint(&issued.thumbprint)),
                ..common
            },
        }
    }

    pub(super) fn of_object(view: &'a ObjectView, audience: Audience<'a>) -> Self {
        Self::item(view, None, audience)
    }

    pub(super) fn of_version(view: &'a ObjectView, audience: Audience<'a>) -> Self {
        Self::item(view, Some(view.version.id), audience)
    }
}

/// A page of a list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListResult<T> {
    #[serde(skip_serializing_if = "NextLink::is_absent")]
    next_link: NextLink,
    value: Vec<T>,
}

/// On the last page null in a vault (contract: key-vault §1, "Null handling"), and absent in a managed HSM, as recorded.
#[derive(Serialize)]
#[serde(untagged)]
enum NextLink {
    To(String),
    Null,
    Absent,
}

impl NextLink {
    fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

impl<T> ListResult<T> {
    pub(super) fn new(next_link: Option<String>, value: Vec<T>, kind: ContainerKind) -> Self {
        let last = match kind {
            ContainerKind::Vault => NextLink::Null,
            ContainerKind::ManagedHsm => NextLink::Absent,
        };
        Self { next_link: next_link.map_or(last, NextLink::To), value }
    }
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Attributes {
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

impl Attributes {
    fn new(view: &ObjectView, audience: Audience<'_>) -> Self {
        let attributes = &view.version.attributes;
        let common = Self {
            created: attributes.created,
            enabled: attributes.enabled,
            exp: attributes.expires,
            nbf: attributes.not_before,
            recoverable_days: view.policy.recoverable_days(),
            recovery_level: view.policy.recovery_level().as_str(),
            updated: attributes.updated,
            ..Self::default()
        };
        if !view.version.is_complete() {
            return Self::of_pending(view, common);
        }
        let Some(body) = view.version.body.as_key() else {
            return common;
        };
        let shows = |since: ApiVersion| audience.version >= since;
        // Whether the key of a certificate may leave is said in its policy; the key was recorded to say nothing of it.
        let exportable =
            !view.object.managed && (audience.kind == ContainerKind::ManagedHsm || shows(ApiVersion::SHOWS_EXPORTABLE));
        let size = match body.spec {
            KeySpec::Oct { bits } => Some(bits),
            KeySpec::Rsa { .. } | KeySpec::Ec { .. } => None,
        };
        Self {
            exportable: exportable.then_some(false),
            hsm_platform: shows(ApiVersion::SHOWS_HSM_PLATFORM).then_some(hsm_platform(body)),
            key_size: size.filter(|_| shows(ApiVersion::SHOWS_KEY_SIZE)),
            ..common
        }
    }
}

impl Attributes {
    /// Of a certificate that is not made yet: disabled, and with the dates that it would have had.
    fn of_pending(view: &ObjectView, common: Self) -> Self {
        let course = view.object.course.as_ref();
        let validity = course.and_then(|course| course.policy.x509.validity(view.version.attributes.created));
        let (nbf, exp) = validity.unzip();
        Self { enabled: false, exp, nbf, ..common }
    }
}

#[derive(Serialize)]
pub(super) struct BackupResult<'a> {
    pub value: Base64Url<'a>,
}

#[cfg(test)]
mod tests;
