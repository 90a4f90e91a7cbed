//! The end of a version's life: what of it is told, and when. Each step is told once for one date.

use super::near_expiry;
use crate::{Object, ObjectKind, RotationTrigger, UnixTime, Version, VersionId, notice::NoticeKind};
use serde::{Deserialize, Serialize};

/// What happens to a version that is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum VersionEvent {
    Created,
    NearExpiry,
    Expired,
}

impl NoticeKind {
    /// What tells of something that happens to the current version of an object.
    #[must_use]
    pub fn of(kind: ObjectKind, event: VersionEvent) -> Self {
        let [created, near_expiry, expired] = match kind {
            ObjectKind::Key => [Self::KeyNewVersionCreated, Self::KeyNearExpiry, Self::KeyExpired],
            ObjectKind::Secret => [Self::SecretNewVersionCreated, Self::SecretNearExpiry, Self::SecretExpired],
            ObjectKind::Certificate => {
                [Self::CertificateNewVersionCreated, Self::CertificateNearExpiry, Self::CertificateExpired]
            }
        };
        match event {
            VersionEvent::Created => created,
            VersionEvent::NearExpiry => near_expiry,
            VersionEvent::Expired => expired,
        }
    }
}

/// What was told last of the end of a version. Of another version or date, nothing was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpiryTold {
    version: VersionId,
    expires: UnixTime,
    event: VersionEvent,
}

impl Object {
    /// Sets when the end of its current version is to be told of next.
    pub fn schedule_notice(&mut self, current: &Version) {
        self.next_notice = current.attributes.expires.and_then(|expires| match self.told_of(current, expires) {
            Some(VersionEvent::Expired) => None,
            Some(VersionEvent::NearExpiry | VersionEvent::Created) => Some(expires),
            None => Some(self.near_expiry(current, expires)),
        });
    }

    /// What is to be told now of the end of its current version. One that has come to its end is no more near it.
    #[must_use]
    pub fn expiry_to_tell(&self, current: &Version, now: UnixTime) -> Option<VersionEvent> {
        let expires = current.attributes.expires?;
        match self.told_of(current, expires) {
            Some(VersionEvent::Expired) => None,
            _ if now >= expires => Some(VersionEvent::Expired),
            Some(_) => None,
            None => (now >= self.near_expiry(current, expires)).then_some(VersionEvent::NearExpiry),
        }
    }

    /// Remembers that it was told.
    pub fn note_told(&mut self, current: &Version, event: VersionEvent) {
        let told = |expires| ExpiryTold { version: current.id, expires, event };
        self.expiry_told = current.attributes.expires.map(told);
        self.schedule_notice(current);
    }

    fn told_of(&self, current: &Version, expires: UnixTime) -> Option<VersionEvent> {
        let told = self.expiry_told.filter(|told| told.version == current.id && told.expires == expires);
        told.map(|told| told.event)
    }

    /// 30 days before its end, or when the rotation policy of a key says so.
    fn near_expiry(&self, current: &Version, expires: UnixTime) -> UnixTime {
        let trigger = self.rotation.as_ref().and_then(|policy| policy.notify.as_ref());
        let chosen = match trigger {
            Some(RotationTrigger::AfterCreate(after)) => current.attributes.created.plus(after),
            Some(RotationTrigger::BeforeExpiry(before)) => expires.minus(before),
            None => None,
        };
        chosen.unwrap_or_else(|| near_expiry(expires)).min(expires)
    }
}
