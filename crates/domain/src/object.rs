//! Objects (keys; later secrets and certificates): one name, many versions, one deletion state.

use crate::{Attributes, KeyBody, ObjectName, RotationPolicy, State, UnixTime, VersionId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an object is. All kinds share lifecycle, gate and store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ObjectKind {
    Key,
}

impl ObjectKind {
    /// The word that stored rows and sealed blobs carry.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        (text == "key").then_some(Self::Key)
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
    /// When the rotation loop has to act, if it has to.
    pub next_rotation: Option<UnixTime>,
}

impl Object {
    /// Sets when the rotation loop has to act, now that `current` is the current version.
    pub fn schedule_rotation(&mut self, current: &Version) {
        let attributes = &current.attributes;
        // A disabled key waits until it is enabled again.
        let policy = self.rotation.as_ref().filter(|_| attributes.enabled);
        self.next_rotation = policy.and_then(|policy| policy.next_rotation(attributes.created, attributes.expires));
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

/// The part of a version that differs by kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Body {
    Key(KeyBody),
}
