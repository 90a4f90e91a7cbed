//! How receivers have answered lately, and for how long they are left alone.
//!
//! All of it is measured with [`Clock::elapsed`](engine::Clock::elapsed): a clock that is set moves no rest.

use std::time::Duration;

/// So many failures in a row, and a receiver is left alone: for so long at first, and for so long at most.
const PATIENT_FAILURES: u32 = 10;
const FIRST_REST: Duration = Duration::from_secs(10);
const LONGEST_REST: Duration = Duration::from_secs(600);
/// A failure that took longer holds up others: one is enough.
const SLOW: Duration = Duration::from_secs(5);

/// How a receiver has answered lately.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Health {
    /// It took the last notice that it was sent.
    pub(super) is_proven: bool,
    /// In a row.
    pub(super) failures: u32,
    pub(super) rests_until: Option<Duration>,
}

impl Health {
    /// After an attempt that took so long and ended now. What was under way when a rest began does not lengthen it.
    pub(super) fn after(self, is_taken: bool, took: Duration, now: Duration) -> Self {
        if is_taken {
            return Self { is_proven: true, ..Self::default() };
        }
        if self.rests(now) {
            return self;
        }
        let failures = self.failures.saturating_add(1);
        let patience = if took > SLOW { 1 } else { PATIENT_FAILURES };
        let rest = |beyond: u32| FIRST_REST.saturating_mul(1 << beyond.min(16)).min(LONGEST_REST);
        let rests_until = failures.checked_sub(patience).map(|beyond| now.saturating_add(rest(beyond)));
        Self { is_proven: false, failures, rests_until }
    }

    pub(super) fn rests(self, now: Duration) -> bool {
        self.rests_until.is_some_and(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_000);

    /// The seconds of each rest, one failure after the other.
    fn rests(took: Duration, count: usize) -> Vec<Option<u64>> {
        let (mut health, mut now) = (Health::default(), NOW);
        let mut rests = Vec::new();
        for _ in 0..count {
            health = health.after(false, took, now);
            rests.push(health.rests_until.map(|until| (until - now).as_secs()));
            now = health.rests_until.unwrap_or(now);
        }
        rests
    }

    #[test]
    fn a_receiver_rests_longer_each_time_and_comes_back_at_once() {
        let expected = [10, 20, 40, 80, 160, 320, 600, 600, 600, 600, 600].map(Some);
        assert_eq!(rests(SLOW, 20), [None; 9].into_iter().chain(expected).collect::<Vec<_>>());
        let resting = Health { is_proven: false, failures: 10, rests_until: Some(NOW + FIRST_REST) };
        let second = Duration::from_secs(1);
        assert!(resting.rests(NOW + FIRST_REST - second) && !resting.rests(NOW + FIRST_REST));
        assert_eq!(resting.after(true, SLOW, NOW), Health { is_proven: true, ..Health::default() });
        assert_eq!(resting.after(false, SLOW, NOW), resting, "it was sent before the rest began");
    }

    #[test]
    fn a_receiver_that_hangs_rests_at_once() {
        let half_a_minute = Duration::from_secs(30);
        assert_eq!(rests(half_a_minute, 8), [10, 20, 40, 80, 160, 320, 600, 600].map(Some));
        let proven = Health { is_proven: true, ..Health::default() };
        let after = proven.after(false, half_a_minute, NOW);
        assert!(after.rests(NOW) && !after.is_proven);
    }
}
