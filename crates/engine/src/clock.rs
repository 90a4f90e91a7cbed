//! Where time comes from. Rules never read a clock; operations read this one.

use domain::UnixTime;
use std::{
    sync::{
        LazyLock,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant, UNIX_EPOCH},
};

pub trait Clock: Send + Sync {
    fn now(&self) -> UnixTime;

    /// Time since a moment of the clock's choice, for measuring how long something takes: it never runs back. A clock
    /// that does not measure shows none.
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

/// The machine's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where real time enters")]
    fn now(&self) -> UnixTime {
        let elapsed = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixTime(i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX))
    }

    #[expect(clippy::disallowed_methods, reason = "the one place where real time enters")]
    fn elapsed(&self) -> Duration {
        static FIRST: LazyLock<Instant> = LazyLock::new(Instant::now);
        FIRST.elapsed()
    }
}

/// A clock that can be moved forward, never back: the development mode's, and the tests'.
pub struct MovableClock<C> {
    base: C,
    ahead_seconds: AtomicI64,
}

impl<C: Clock> MovableClock<C> {
    pub fn new(base: C, ahead_seconds: i64) -> Self {
        Self { base, ahead_seconds: AtomicI64::new(ahead_seconds.max(0)) }
    }

    /// Moves forward by so many seconds (negative counts as none) and returns how far ahead it now is.
    pub fn advance(&self, seconds: i64) -> i64 {
        let seconds = seconds.max(0);
        self.ahead_seconds.fetch_add(seconds, Ordering::SeqCst).saturating_add(seconds)
    }

    pub fn ahead_seconds(&self) -> i64 {
        self.ahead_seconds.load(Ordering::SeqCst)
    }
}

impl<C: Clock> Clock for MovableClock<C> {
    fn now(&self) -> UnixTime {
        self.base.now().plus_seconds(self.ahead_seconds.load(Ordering::Relaxed))
    }

    fn elapsed(&self) -> Duration {
        self.base.elapsed()
    }
}
