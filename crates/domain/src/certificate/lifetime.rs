//! When in a certificate's life something is to happen. Source: contract key-vault §3.9.
//!
//! The times are those of the life alone. A clock that is moved changes what is due, and not when it is.

use super::{CertificatePolicy, IssuerChoice, LifetimeStep, LifetimeStepKind, LifetimeTrigger};
use crate::UnixTime;

impl LifetimeTrigger {
    /// Where a policy's action falls if nothing else is said.
    pub const DEFAULT: Self = Self::Percentage(80);

    /// The moment in a life that begins and ends at these: rounded down to the second, and never outside of it.
    ///
    /// Days before expiry that are the whole life or more come from a policy that is meant for longer lives: they would
    /// fall to its very beginning, that of each renewal too, one after the other without end. The default counts instead.
    #[must_use]
    pub fn falls_at(self, not_before: UnixTime, not_after: UnixTime) -> UnixTime {
        let life = not_after.0.saturating_sub(not_before.0).max(0);
        match self {
            Self::Percentage(percentage) => {
                let share = i128::from(life) * i128::from(percentage.min(100)) / 100;
                not_before.plus_seconds(i64::try_from(share).unwrap_or(life))
            }
            Self::DaysBeforeExpiry(days) => {
                let before = i64::from(days) * UnixTime::DAY_SECONDS;
                if before < life {
                    not_after.plus_seconds(-before)
                } else {
                    Self::DEFAULT.falls_at(not_before, not_after)
                }
            }
        }
    }
}

impl CertificatePolicy {
    /// The action that comes next in the life of a version, without those that were done for it already.
    #[must_use]
    pub fn next_step(
        &self,
        not_before: UnixTime,
        not_after: UnixTime,
        done: &[LifetimeStepKind],
    ) -> Option<(UnixTime, LifetimeStepKind)> {
        if !self.enabled || not_after < not_before {
            return None;
        }
        let steps = self.lifetime_actions.iter();
        let steps = steps.map(|step| (self.counted(step.trigger).falls_at(not_before, not_after), self.meant(*step)));
        // Of two at one moment, the first in the policy.
        steps.filter(|(_, kind)| !done.contains(kind)).min_by_key(|(at, _)| *at)
    }

    /// Whether it has certificates renewed by themselves.
    pub(super) fn renews(&self) -> bool {
        self.enabled && self.lifetime_actions.iter().any(|step| self.meant(*step) == LifetimeStepKind::AutoRenew)
    }

    /// What is meant for longer lives than the policy's own, which only an imported certificate can have, is as good as
    /// nothing said.
    fn counted(&self, trigger: LifetimeTrigger) -> LifetimeTrigger {
        if self.exceeds_validity(trigger) { LifetimeTrigger::DEFAULT } else { trigger }
    }

    /// Nothing here can renew what somebody outside signs: its owner is told that it is time.
    fn meant(&self, step: LifetimeStep) -> LifetimeStepKind {
        match self.issuer.name {
            IssuerChoice::Unknown => LifetimeStepKind::EmailContacts,
            IssuerChoice::Own | IssuerChoice::Named(_) => step.action,
        }
    }
}

#[cfg(test)]
#[path = "lifetime_tests.rs"]
mod tests;
