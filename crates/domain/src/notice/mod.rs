//! Notices: what a vault tells of itself, whom it tells, and how often that is tried.
//!
//! Source: Microsoft Learn, "Azure Key Vault as Event Grid source" and "Event Grid message delivery and retry". Nothing
//! here is sent, and nothing knows how a notice is spelled on a wire.

mod endpoint;
mod expiry;
mod retry;
mod subscription;

pub use endpoint::Endpoint;
pub use expiry::{ExpiryTold, VersionEvent};
pub use retry::{AfterAttempt, ReceiverAnswer, RetryPolicy};
pub use subscription::{
    EventSubscription, EventSubscriptionChanges, FilterChanges, Listener, MOST_EVENT_SUBSCRIPTIONS, NoticeFilter,
    NoticeRefusal, NoticeSchema,
};

use crate::{ContainerName, Guid, Object, ObjectKind, ObjectName, UnixTime, Version, VersionId};
use serde::{Deserialize, Serialize};

/// How many deliveries wait for one receiver. Where there are so many, the oldest go, several at once.
pub const MOST_DELIVERIES: usize = 10_000;
pub const DELIVERIES_DROPPED_AT_ONCE: usize = 100;

/// How long before its end a version is near it.
const NEAR_DAYS: u32 = 30;

/// When a version that expires then is near its expiry.
#[must_use]
pub fn near_expiry(expires: UnixTime) -> UnixTime {
    expires.plus_seconds(-i64::from(NEAR_DAYS) * UnixTime::DAY_SECONDS)
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident),+ $(,)?) => {
        /// What a notice tells of. The words are those of the documents, and of stored records.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum NoticeKind { $($(#[$doc])* $variant),+ }

        impl NoticeKind {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word of the wire.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => concat!("Microsoft.KeyVault.", stringify!($variant))),+ }
            }
        }
    };
}

kinds! {
    CertificateNewVersionCreated,
    CertificateNearExpiry,
    CertificateExpired,
    KeyNewVersionCreated,
    KeyNearExpiry,
    KeyExpired,
    SecretNewVersionCreated,
    SecretNearExpiry,
    SecretExpired,
    /// Also told when the permission model changes.
    VaultAccessPolicyChanged,
}

impl NoticeKind {
    /// Reads the word, without case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str().eq_ignore_ascii_case(text))
    }
}

/// A version of an object that something is told of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticedVersion {
    pub kind: ObjectKind,
    pub name: ObjectName,
    pub version: VersionId,
    pub not_before: Option<UnixTime>,
    pub expires: Option<UnixTime>,
}

/// Something that has happened in a vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The same at every attempt, for every receiver: by it they know what they have had.
    pub id: Guid,
    pub kind: NoticeKind,
    pub time: UnixTime,
    pub vault: ContainerName,
    /// The vault's ARM id.
    pub source: String,
    /// `None`: the vault itself.
    pub about: Option<NoticedVersion>,
}

impl Notice {
    /// What it is about: the name of an object, or of the vault.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.about.as_ref().map_or(self.vault.as_str(), |about| about.name.as_str())
    }
}

/// A notice on its way to the receiver of one event subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    pub notice: Notice,
    /// Attempts so far.
    pub attempts: u32,
    /// When the next attempt is to be made.
    pub due: UnixTime,
}

impl Delivery {
    /// One that is due at once.
    #[must_use]
    pub fn new(notice: Notice) -> Self {
        let due = notice.time;
        Self { notice, attempts: 0, due }
    }
}

impl NoticedVersion {
    #[must_use]
    pub fn of(object: &Object, version: &Version) -> Self {
        Self {
            kind: object.kind,
            name: object.name.clone(),
            version: version.id,
            not_before: version.attributes.not_before,
            expires: version.attributes.expires,
        }
    }
}

#[cfg(test)]
mod expiry_tests;
#[cfg(test)]
mod tests;
