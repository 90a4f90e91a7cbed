//! Rotation policies of keys.
//!
//! Source: contract managed-hsm §3.3, key-vault §3.8 "Rotation policy".

use crate::{CalendarDuration, ContainerKind, Refusal, UnixTime};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RotationTrigger {
    AfterCreate(CalendarDuration),
    BeforeExpiry(CalendarDuration),
}

/// When to rotate or to notify. There is at most one of each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RotationPolicy {
    pub rotate: Option<RotationTrigger>,
    pub notify: Option<RotationTrigger>,
    /// How long a version made by rotation lives.
    pub expiry: Option<CalendarDuration>,
    pub created: Option<UnixTime>,
    pub updated: Option<UnixTime>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LifetimeAction {
    Rotate,
    Notify,
}

impl RotationPolicy {
    /// The shortest life a version may be given.
    pub const MIN_EXPIRY_DAYS: i64 = 28;
    /// The shortest time between rotations of a key in a vault, and in a managed HSM.
    const MIN_INTERVAL_DAYS: [(ContainerKind, i64); 2] = [(ContainerKind::Vault, 7), (ContainerKind::ManagedHsm, 28)];

    /// # Errors
    /// [`Refusal::RotationPolicyInvalid`] naming the rule that is broken. Durations are measured from `now`.
    pub fn check(&self, kind: ContainerKind, now: UnixTime) -> Result<(), Refusal> {
        let invalid = |reason: &'static str| Err(Refusal::RotationPolicyInvalid { reason });
        let days = |duration: &CalendarDuration| duration.days_from(now).unwrap_or(i64::MAX);
        let minimum = Self::MIN_INTERVAL_DAYS.iter().find(|(of, _)| *of == kind).map_or(28, |(_, days)| *days);

        if self.expiry.as_ref().is_some_and(|expiry| days(expiry) < Self::MIN_EXPIRY_DAYS) {
            return invalid("expiryTime must be at least 28 days");
        }
        if kind == ContainerKind::ManagedHsm && self.notify.is_some() {
            return invalid("a managed HSM has no Notify action");
        }
        match (&self.rotate, &self.expiry) {
            (Some(RotationTrigger::AfterCreate(after)), _) if days(after) < minimum => {
                invalid("timeAfterCreate is shorter than the minimum time between rotations")
            }
            (Some(RotationTrigger::AfterCreate(after)), Some(expiry)) if days(after) > days(expiry) => {
                invalid("timeAfterCreate is later than expiryTime")
            }
            (Some(RotationTrigger::BeforeExpiry(_)), None) => invalid("timeBeforeExpiry needs expiryTime"),
            (Some(RotationTrigger::BeforeExpiry(before)), Some(_))
                if kind == ContainerKind::Vault && days(before) < 7 =>
            {
                invalid("timeBeforeExpiry must be at least 7 days")
            }
            (Some(RotationTrigger::BeforeExpiry(before)), Some(expiry)) if days(expiry) - days(before) < minimum => {
                invalid("timeBeforeExpiry leaves less than the minimum time between rotations")
            }
            _ => Ok(()),
        }
    }

    /// The expiry date of a version made at `created`.
    #[must_use]
    pub fn expires(&self, created: UnixTime) -> Option<UnixTime> {
        created.plus(self.expiry.as_ref()?)
    }

    /// When the version made at `created` and expiring at `expires` has to be replaced, if ever.
    #[must_use]
    pub fn next_rotation(&self, created: UnixTime, expires: Option<UnixTime>) -> Option<UnixTime> {
        match self.rotate.as_ref()? {
            RotationTrigger::AfterCreate(after) => created.plus(after),
            RotationTrigger::BeforeExpiry(before) => expires?.minus(before),
        }
    }

    /// A policy that asks for nothing: setting it removes the policy.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.rotate.is_none() && self.notify.is_none() && self.expiry.is_none()
    }
}

#[cfg(test)]
mod tests;
