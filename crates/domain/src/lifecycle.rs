//! The deletion machine that containers and objects share.
//!
//! live → deleted → recovered (live again) or purged. The rules that hold whatever the sequence of calls:
//! retention is chosen once; purge protection once on stays on; nobody purges a protected thing before its
//! scheduled date; a purged thing never comes back. Row removal in the store demands a [`Purged`], which only
//! this module can make.
//!
//! Source: contract key-vault §3.7 and §4.2, managed-hsm §4.

use crate::{Refusal, UnixTime};
use serde::{Deserialize, Serialize};

/// Days a deleted thing is kept: 7–90, default 90, immutable once chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Retention(u8);

impl Retention {
    pub const MAX: Self = Self(90);

    /// # Errors
    /// [`Refusal::RetentionOutOfRange`] outside 7–90.
    pub fn days(days: i64) -> Result<Self, Refusal> {
        match u8::try_from(days) {
            Ok(days @ 7..=90) => Ok(Self(days)),
            _ => Err(Refusal::RetentionOutOfRange { days }),
        }
    }

    #[must_use]
    pub fn as_days(self) -> u32 {
        u32::from(self.0)
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self::MAX
    }
}

impl TryFrom<u32> for Retention {
    type Error = &'static str;
    fn try_from(days: u32) -> Result<Self, Self::Error> {
        Self::days(i64::from(days)).map_err(|_| "retention outside 7-90 days")
    }
}

impl From<Retention> for u32 {
    fn from(retention: Retention) -> Self {
        retention.as_days()
    }
}

/// How deletion works in one container. Fixed at creation but for the one-way switches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletionPolicy {
    /// `None`: a legacy vault without soft delete, where deletion is at once and for good.
    pub soft_delete: Option<Retention>,
    pub purge_protection: bool,
    /// The subscription can't be cancelled: only the scheduler purges.
    pub undeletable_subscription: bool,
}

impl DeletionPolicy {
    #[must_use]
    pub fn is_protected(&self) -> bool {
        self.purge_protection || self.undeletable_subscription
    }

    #[must_use]
    pub fn recoverable_days(&self) -> u32 {
        self.soft_delete.map_or(0, Retention::as_days)
    }

    /// Contract: key-vault §3.7, the table of recovery levels.
    #[must_use]
    pub fn recovery_level(&self) -> RecoveryLevel {
        use RecoveryLevel as Level;
        let Some(retention) = self.soft_delete else {
            return Level::Purgeable;
        };
        let customized = retention < Retention::MAX;
        match (self.undeletable_subscription, self.purge_protection, customized) {
            (true, _, false) => Level::RecoverableProtectedSubscription,
            (true, _, true) => Level::CustomizedRecoverableProtectedSubscription,
            (false, true, false) => Level::Recoverable,
            (false, true, true) => Level::CustomizedRecoverable,
            (false, false, false) => Level::RecoverablePurgeable,
            (false, false, true) => Level::CustomizedRecoverablePurgeable,
        }
    }

    /// Applies requested changes of an existing container's policy.
    ///
    /// # Errors
    /// [`Refusal::RetentionImmutable`], [`Refusal::PurgeProtectionIrreversible`],
    /// [`Refusal::SoftDeleteIrreversible`].
    pub fn amended(&self, amendment: &PolicyAmendment) -> Result<Self, Refusal> {
        let mut policy = *self;
        match (amendment.soft_delete, policy.soft_delete) {
            (Some(false), Some(_)) => return Err(Refusal::SoftDeleteIrreversible),
            (Some(true), None) => policy.soft_delete = Some(amendment.retention.unwrap_or_default()),
            _ => {}
        }
        if let (Some(wanted), Some(current)) = (amendment.retention, policy.soft_delete)
            && wanted != current
        {
            return Err(Refusal::RetentionImmutable);
        }
        match amendment.purge_protection {
            Some(true) if policy.soft_delete.is_none() => return Err(Refusal::PurgeProtectionNeedsSoftDelete),
            Some(true) => policy.purge_protection = true,
            Some(false) if policy.purge_protection => return Err(Refusal::PurgeProtectionIrreversible),
            _ => {}
        }
        Ok(policy)
    }
}

/// The part of an update that speaks about deletion; `None` leaves a setting as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PolicyAmendment {
    pub soft_delete: Option<bool>,
    pub retention: Option<Retention>,
    pub purge_protection: Option<bool>,
}

/// Which of the documented guarantees holds for an object (contract: key-vault §3.6, `DeletionRecoveryLevel`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecoveryLevel {
    Purgeable,
    RecoverablePurgeable,
    Recoverable,
    RecoverableProtectedSubscription,
    CustomizedRecoverablePurgeable,
    CustomizedRecoverable,
    CustomizedRecoverableProtectedSubscription,
}

impl RecoveryLevel {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Purgeable => "Purgeable",
            Self::RecoverablePurgeable => "Recoverable+Purgeable",
            Self::Recoverable => "Recoverable",
            Self::RecoverableProtectedSubscription => "Recoverable+ProtectedSubscription",
            Self::CustomizedRecoverablePurgeable => "CustomizedRecoverable+Purgeable",
            Self::CustomizedRecoverable => "CustomizedRecoverable",
            Self::CustomizedRecoverableProtectedSubscription => "CustomizedRecoverable+ProtectedSubscription",
        }
    }
}

/// Where a container or object stands. Purged has no state: what is purged is not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    Live,
    Deleted(Deletion),
}

/// A deletion that can still be undone. Its dates never move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    pub deleted_at: UnixTime,
    pub scheduled_purge_at: UnixTime,
}

/// Proof that the rules allowed a thing to be destroyed. Only [`State::delete`] and the purges make one.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct Purged(UnixTime);

impl Purged {
    /// From when on the thing counts as purged: never later than its scheduled date, however late the scheduler came.
    #[must_use]
    pub fn at(&self) -> UnixTime {
        self.0
    }
}

/// What a deletion did.
#[derive(Debug, PartialEq, Eq)]
pub enum Deleted {
    Recoverable(Deletion),
    /// No soft delete: gone at once.
    ForGood(Purged),
}

impl State {
    /// Deletes a live thing at `now`.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if it is already deleted: a second deletion is the documented 404.
    pub fn delete(self, policy: &DeletionPolicy, now: UnixTime) -> Result<Deleted, Refusal> {
        match (self, policy.soft_delete) {
            (Self::Deleted(_), _) => Err(Refusal::NotFound),
            (Self::Live, None) => Ok(Deleted::ForGood(Purged(now))),
            (Self::Live, Some(retention)) => Ok(Deleted::Recoverable(Deletion {
                deleted_at: now,
                scheduled_purge_at: now.plus_days(retention.as_days()),
            })),
        }
    }

    /// The state of a thing as seen at `now`: a deletion past its scheduled date is as good as purged, whether or
    /// not the scheduler has come by.
    #[must_use]
    pub fn as_of(self, now: UnixTime) -> Option<Self> {
        match self {
            Self::Deleted(deletion) if deletion.is_due(now) => None,
            state => Some(state),
        }
    }

    #[must_use]
    pub fn is_live(&self) -> bool {
        matches!(self, Self::Live)
    }

    #[must_use]
    pub fn deletion(&self) -> Option<Deletion> {
        match self {
            Self::Live => None,
            Self::Deleted(deletion) => Some(*deletion),
        }
    }
}

impl Deletion {
    /// Brings it back to life.
    ///
    /// # Errors
    /// [`Refusal::DeletedNotFound`] once its scheduled date has come: it counts as purged.
    pub fn recover(self, now: UnixTime) -> Result<State, Refusal> {
        if self.is_due(now) { Err(Refusal::DeletedNotFound) } else { Ok(State::Live) }
    }

    /// A caller's purge, ahead of the scheduled date.
    ///
    /// # Errors
    /// [`Refusal::PurgeProtected`] while protection lasts; there is no override.
    pub fn purge(self, policy: &DeletionPolicy, now: UnixTime) -> Result<Purged, Refusal> {
        if policy.is_protected() && !self.is_due(now) {
            return Err(Refusal::PurgeProtected { until: self.scheduled_purge_at });
        }
        Ok(Purged(now.min(self.scheduled_purge_at)))
    }

    /// The scheduler's purge: only what is due. `None` before that.
    #[must_use]
    pub fn expire(self, now: UnixTime) -> Option<Purged> {
        self.is_due(now).then_some(Purged(self.scheduled_purge_at))
    }

    #[must_use]
    pub fn is_due(&self, now: UnixTime) -> bool {
        now >= self.scheduled_purge_at
    }
}

#[cfg(test)]
mod tests;
