//! What this process has answered, for a monitor to read: counters since its start, and how full things are now.
//!
//! Raising a counter is a few atomic additions. The figures that are paid for are elsewhere and durable: see
//! [`crate::metering`]. No label names a container, a key or a caller.

use crate::Engine;
use domain::{ContainerKind, Event, Operation, OtherEvent, Outcome, notice::AfterAttempt};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Upper bounds of the durations that are counted together, in microseconds.
const BOUNDS: [u64; 13] =
    [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000];

const OTHER_EVENTS: [OtherEvent; 2] = [OtherEvent::Authentication, OtherEvent::Unknown];
const OUTCOMES: [Outcome; 2] = [Outcome::Done, Outcome::Refused];
/// In a vault, in a managed HSM, or in the control plane.
const KINDS: [Option<ContainerKind>; 3] = [Some(ContainerKind::Vault), Some(ContainerKind::ManagedHsm), None];

/// The counters themselves.
pub(crate) struct Counters {
    answered: Vec<AtomicU64>,
    durations: [AtomicU64; BOUNDS.len() + 1],
    microseconds: AtomicU64,
    delivered: AtomicU64,
    repeated: AtomicU64,
    dropped: AtomicU64,
    displaced: AtomicU64,
}

/// Attempts to tell somebody of something, by what followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempts {
    pub delivered: u64,
    /// That failed, and are made again.
    pub repeated: u64,
    /// That failed for the last time, and what was given up without one.
    pub dropped: u64,
    /// Not made, because too much waited for the receiver.
    pub displaced: u64,
}

/// Requests of one sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    pub event: Event,
    pub outcome: Outcome,
    /// `None` in the control plane.
    pub kind: Option<ContainerKind>,
    pub count: u64,
}

/// The state of the counters at one moment, more or less.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// Sorts of requests that there were.
    pub answered: Vec<Answered>,
    /// How many took at most so long; all of them are in `answered_in_all`.
    pub durations: Vec<(Duration, u64)>,
    pub answered_in_all: u64,
    pub duration_in_all: Duration,
    /// Audit records that wait to become durable.
    pub audit_waiting: usize,
    pub open_containers: usize,
    pub open_keys: usize,
    pub attempts: Attempts,
}

fn events() -> impl Iterator<Item = Event> {
    let operations = Operation::ALL.iter().map(|operation| Event::Operation(*operation));
    operations.chain(OTHER_EVENTS.map(Event::Other))
}

fn place_of(event: Event, outcome: Outcome, kind: Option<ContainerKind>) -> usize {
    let event = match event {
        Event::Operation(operation) => operation as usize,
        Event::Other(OtherEvent::Authentication) => Operation::ALL.len(),
        Event::Other(OtherEvent::Unknown) => Operation::ALL.len() + 1,
    };
    let outcome = usize::from(outcome == Outcome::Refused);
    let kind = match kind {
        Some(ContainerKind::Vault) => 0,
        Some(ContainerKind::ManagedHsm) => 1,
        None => 2,
    };
    (event * OUTCOMES.len() + outcome) * KINDS.len() + kind
}

impl Default for Counters {
    fn default() -> Self {
        let sorts = events().count() * OUTCOMES.len() * KINDS.len();
        Self {
            answered: (0..sorts).map(|_| AtomicU64::new(0)).collect(),
            durations: Default::default(),
            microseconds: AtomicU64::new(0),
            delivered: AtomicU64::new(0),
            repeated: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            displaced: AtomicU64::new(0),
        }
    }
}

impl Counters {
    pub(crate) fn attempted(&self, after: AfterAttempt) {
        let counter = match after {
            AfterAttempt::Delivered => &self.delivered,
            AfterAttempt::Again(_) => &self.repeated,
            AfterAttempt::Dropped => &self.dropped,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Counted where it is done: once more than it was, if that transaction fails.
    pub(crate) fn displaced(&self, count: usize) {
        self.displaced.fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn attempts(&self) -> Attempts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Attempts {
            delivered: read(&self.delivered),
            repeated: read(&self.repeated),
            dropped: read(&self.dropped),
            displaced: read(&self.displaced),
        }
    }

    pub(crate) fn answered(&self, event: Event, outcome: Outcome, kind: Option<ContainerKind>, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.iter().position(|bound| micros <= *bound).unwrap_or(BOUNDS.len());
        let counters = [self.answered.get(place_of(event, outcome, kind)), self.durations.get(bucket)];
        for counter in counters.into_iter().flatten() {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        self.microseconds.fetch_add(micros, Ordering::Relaxed);
    }

    fn sorts(&self) -> Vec<Answered> {
        let sorts = events()
            .flat_map(|event| OUTCOMES.map(|outcome| KINDS.map(|kind| (event, outcome, kind))).into_iter().flatten());
        let counted = sorts.zip(&self.answered).map(|((event, outcome, kind), counter)| {
            let count = counter.load(Ordering::Relaxed);
            Answered { event, outcome, kind, count }
        });
        counted.filter(|answered| answered.count > 0).collect()
    }

    /// How many took at most so long, by bound, and all there were.
    fn durations(&self) -> (Vec<(Duration, u64)>, u64) {
        let mut sum = 0;
        let mut sums = Vec::new();
        for (counter, bound) in self.durations.iter().zip(BOUNDS.map(Some).into_iter().chain([None])) {
            sum += counter.load(Ordering::Relaxed);
            sums.extend(bound.map(|bound| (Duration::from_micros(bound), sum)));
        }
        (sums, sum)
    }
}

impl Engine {
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        let (durations, answered_in_all) = self.counters.durations();
        let (open_containers, open_keys) = self.open.sizes();
        Metrics {
            answered: self.counters.sorts(),
            durations,
            answered_in_all,
            duration_in_all: Duration::from_micros(self.counters.microseconds.load(Ordering::Relaxed)),
            audit_waiting: self.audit.length(),
            open_containers,
            open_keys,
            attempts: self.counters.attempts(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sort_of_request_has_its_own_counter() {
        let counters = Counters::default();
        let mut expected = Vec::new();
        for (event, outcome) in events().flat_map(|event| OUTCOMES.map(|outcome| (event, outcome))) {
            for kind in KINDS {
                let count = u64::try_from(expected.len()).unwrap() % 3 + 1;
                for _ in 0..count {
                    counters.answered(event, outcome, kind, Duration::ZERO);
                }
                expected.push(Answered { event, outcome, kind, count });
            }
        }
        assert_eq!(counters.sorts(), expected);
    }

    #[test]
    fn durations_add_up_from_bound_to_bound() {
        let counters = Counters::default();
        let event = Event::Operation(Operation::KeySign);
        for micros in [0, 100, 101, 3_000, 6_000_000] {
            counters.answered(event, Outcome::Done, None, Duration::from_micros(micros));
        }
        let (durations, all) = counters.durations();
        let at_most = |micros| durations.iter().find(|(bound, _)| *bound == Duration::from_micros(micros)).unwrap().1;
        assert_eq!((at_most(100), at_most(250), at_most(2_500), at_most(5_000), at_most(5_000_000)), (2, 3, 3, 4, 4));
        assert_eq!((all, counters.microseconds.load(Ordering::Relaxed)), (5, 6_003_201));
    }
}
