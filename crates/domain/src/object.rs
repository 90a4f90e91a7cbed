//! Objects (keys, secrets, certificates): one name, many versions, one deletion state.

use crate::{
    Attributes, CertificateBody, CertificateCourse, CertificateLife, KeyBody, ObjectName, Operation, RotationPolicy,
    State, UnixTime, VersionId, key::spelled, notice::ExpiryTold,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

spelled! {
    /// What an object is. All kinds share lifecycle, gate and store. The word is that of stored rows and sealed blobs.
    ObjectKind {
        #[serde(alias = "Key")]
        Key = "key",
        Secret = "secret",
        Certificate = "certificate",
    }
}

impl ObjectKind {
    /// The path segment of all objects of the kind (contract: key-vault §3).
    #[must_use]
    pub fn collection(self) -> &'static str {
        match self {
            Self::Key => "keys",
            Self::Secret => "secrets",
            Self::Certificate => "certificates",
        }
    }

    /// The kinds that a kind brings along: objects of the same name, deleted, recovered and purged with it.
    #[must_use]
    pub fn followers(self) -> &'static [Self] {
        match self {
            Self::Certificate => &[Self::Key, Self::Secret],
            Self::Key | Self::Secret => &[],
        }
    }
}

/// What can be done with an object of whatever kind. The rules are the same; names and rights differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectAct {
    Get,
    List,
    ListVersions,
    Update,
    Delete,
    GetDeleted,
    ListDeleted,
    Recover,
    Purge,
    Backup,
    Restore,
}

impl ObjectAct {
    /// The operation that does it to a kind.
    #[must_use]
    pub fn on(self, kind: ObjectKind) -> Operation {
        use Operation as Op;
        let [key, secret, certificate] = match self {
            Self::Get => [Op::KeyGet, Op::SecretGet, Op::CertificateGet],
            Self::List => [Op::KeyList, Op::SecretList, Op::CertificateList],
            Self::ListVersions => [Op::KeyListVersions, Op::SecretListVersions, Op::CertificateListVersions],
            Self::Update => [Op::KeyUpdate, Op::SecretUpdate, Op::CertificateUpdate],
            Self::Delete => [Op::KeyDelete, Op::SecretDelete, Op::CertificateDelete],
            Self::GetDeleted => [Op::KeyGetDeleted, Op::SecretGetDeleted, Op::CertificateGetDeleted],
            Self::ListDeleted => [Op::KeyListDeleted, Op::SecretListDeleted, Op::CertificateListDeleted],
            Self::Recover => [Op::KeyRecover, Op::SecretRecover, Op::CertificateRecover],
            Self::Purge => [Op::KeyPurge, Op::SecretPurge, Op::CertificatePurge],
            Self::Backup => [Op::KeyBackup, Op::SecretBackup, Op::CertificateBackup],
            Self::Restore => [Op::KeyRestore, Op::SecretRestore, Op::CertificateRestore],
        };
        match kind {
            ObjectKind::Key => key,
            ObjectKind::Secret => secret,
            ObjectKind::Certificate => certificate,
        }
    }

    /// The word for it in texts.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get | Self::GetDeleted => "get",
            Self::List | Self::ListVersions | Self::ListDeleted => "list",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Recover => "recover",
            Self::Purge => "purge",
            Self::Backup => "backup",
            Self::Restore => "restore",
        }
    }
}

/// Application-chosen names and values.
pub type Tags = BTreeMap<String, String>;

/// A named object in a container. Deletion acts on the whole of it: all versions together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    pub kind: ObjectKind,
    pub name: ObjectName,
    pub state: State,
    pub created: UnixTime,
    /// The version that a request without a version means: the newest.
    pub current: VersionId,
    pub rotation: Option<RotationPolicy>,
    /// When the loops have to act on it by themselves, if they have to.
    #[serde(alias = "next_rotation")]
    pub next_action: Option<UnixTime>,
    /// When the end of the current version is to be told of next, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_notice: Option<UnixTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry_told: Option<ExpiryTold>,
    /// Made, deleted, recovered and purged with the certificate of its name, and only so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub managed: bool,
    /// Of a certificate: its policy, and what is being made of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub course: Option<Box<CertificateCourse>>,
}

impl Object {
    /// Sets when the loops have to act, now that `current` is the current version.
    pub fn schedule(&mut self, current: &Version) {
        let attributes = &current.attributes;
        // A disabled key waits until it is enabled again.
        let policy = self.rotation.as_ref().filter(|_| attributes.enabled);
        let rotation = policy.and_then(|policy| policy.next_rotation(attributes.created, attributes.expires));
        let course = self.course.as_ref().and_then(|course| course.next_action(current.life().as_ref()));
        self.next_action = rotation.or(course.map(|(at, _)| at));
        self.schedule_notice(current);
    }

    /// The kind of the object of this name that decides over the deletion of this one.
    #[must_use]
    pub fn leader(&self) -> ObjectKind {
        if self.managed { ObjectKind::Certificate } else { self.kind }
    }
}

/// One version of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    pub id: VersionId,
    pub attributes: Attributes,
    pub tags: Tags,
    pub body: Body,
}

impl Version {
    /// The life of the certificate that a version has. `None` for one that is pending, or of another kind.
    #[must_use]
    pub fn life(&self) -> Option<CertificateLife> {
        let Attributes { enabled, created, not_before, expires, .. } = self.attributes;
        self.body.as_certificate()?.issued.as_ref()?;
        Some(CertificateLife { version: self.id, created, not_before: not_before?, not_after: expires?, enabled })
    }

    /// Whether it is there for its owner: all are, but for certificates that are not made yet.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.body.as_certificate().is_none_or(|body| body.issued.is_some())
    }
}

/// The part of a version that differs by kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Body {
    Key(KeyBody),
    Secret(SecretBody),
    Certificate(CertificateBody),
}

impl Body {
    /// The kind of the objects whose versions have it.
    #[must_use]
    pub fn kind(&self) -> ObjectKind {
        match self {
            Self::Key(_) => ObjectKind::Key,
            Self::Secret(_) => ObjectKind::Secret,
            Self::Certificate(_) => ObjectKind::Certificate,
        }
    }

    /// What a version of a key has.
    #[must_use]
    pub fn as_key(&self) -> Option<&KeyBody> {
        match self {
            Self::Key(body) => Some(body),
            Self::Secret(_) | Self::Certificate(_) => None,
        }
    }

    /// What a version of a certificate has.
    #[must_use]
    pub fn as_certificate(&self) -> Option<&CertificateBody> {
        match self {
            Self::Certificate(body) => Some(body),
            Self::Key(_) | Self::Secret(_) => None,
        }
    }
}

/// What is told of a secret beside its value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretBody {
    pub content_type: Option<String>,
    /// The version before it, of a secret that a certificate manages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<VersionId>,
}
