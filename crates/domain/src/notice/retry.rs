//! When an attempt is repeated, and when no more.
//!
//! Source: Microsoft Learn, "Event Grid message delivery and retry" (2026-02-09): retry schedule, retry policy, codes.

use crate::UnixTime;
use serde::{Deserialize, Serialize};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

/// Seconds between an attempt that failed and the next one; after the last of these it stays the same.
const SCHEDULE: [i64; 10] = [10, 30, MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR];

/// What an answer means that trying again will not change.
const FINAL: [u16; 4] = [400, 401, 403, 413];

/// How often a notice is tried, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryPolicy {
    most_attempts: u32,
    time_to_live_minutes: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { most_attempts: Self::MOST_ATTEMPTS, time_to_live_minutes: Self::LONGEST_MINUTES }
    }
}

/// How a receiver answered an attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReceiverAnswer {
    /// The HTTP status; `None` if there was no answer in time.
    pub status: Option<u16>,
    /// When the receiver wants to be asked again.
    pub retry_after_seconds: Option<i64>,
}

impl ReceiverAnswer {
    /// Whether the receiver has the notice now.
    #[must_use]
    pub fn is_taken(self) -> bool {
        self.status.is_some_and(|status| (200..=204).contains(&status))
    }

    fn is_final(self) -> bool {
        self.status.is_some_and(|status| FINAL.contains(&status))
    }

    /// The shortest time to the next attempt. What a receiver asks for counts where HTTP gives it a meaning.
    fn least_wait_seconds(self) -> i64 {
        let asked = self.retry_after_seconds.filter(|_| matches!(self.status, Some(429 | 503))).unwrap_or(0);
        let of_status = match self.status {
            Some(404) => 5 * MINUTE,
            Some(408) => 2 * MINUTE,
            Some(503) => 30,
            _ => 0,
        };
        asked.max(of_status)
    }
}

/// What follows an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterAttempt {
    Delivered,
    /// It failed, and is made again then.
    Again(UnixTime),
    /// It failed and is not made again.
    Dropped,
}

impl RetryPolicy {
    const MOST_ATTEMPTS: u32 = 30;
    const LONGEST_MINUTES: u32 = 1440;

    /// `None` unless there are 1 to 30 attempts within 1 to 1440 minutes.
    #[must_use]
    pub fn new(most_attempts: i64, time_to_live_minutes: i64) -> Option<Self> {
        let within = |number: i64, most| u32::try_from(number).ok().filter(|number| (1..=most).contains(number));
        Some(Self {
            most_attempts: within(most_attempts, Self::MOST_ATTEMPTS)?,
            time_to_live_minutes: within(time_to_live_minutes, Self::LONGEST_MINUTES)?,
        })
    }

    #[must_use]
    pub fn most_attempts(self) -> u32 {
        self.most_attempts
    }

    #[must_use]
    pub fn time_to_live_minutes(self) -> u32 {
        self.time_to_live_minutes
    }

    /// Whether a notice of that time is too old to be tried.
    #[must_use]
    pub fn is_over(self, published: UnixTime, now: UnixTime) -> bool {
        now > published.plus_seconds(i64::from(self.time_to_live_minutes) * MINUTE)
    }

    /// What follows the attempt of this number, from 1, that was answered now.
    #[must_use]
    pub fn after(self, published: UnixTime, attempts: u32, answer: ReceiverAnswer, now: UnixTime) -> AfterAttempt {
        if answer.is_taken() {
            return AfterAttempt::Delivered;
        }
        if answer.is_final() || attempts >= self.most_attempts {
            return AfterAttempt::Dropped;
        }
        let step = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
        let wait = SCHEDULE.get(step).or(SCHEDULE.last()).copied().unwrap_or(HOUR);
        let next = now.plus_seconds(wait.max(answer.least_wait_seconds()));
        if self.is_over(published, next) { AfterAttempt::Dropped } else { AfterAttempt::Again(next) }
    }
}
