//! Points in time and calendar durations.

use jiff::{Span, Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A point in time: whole seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixTime(pub i64);

impl UnixTime {
    /// Seconds in a day, as retention counts them (contract: key-vault §3.7, "recoverableDays·86400").
    pub const DAY_SECONDS: i64 = 86_400;

    /// Reads an ISO 8601 moment with its offset (`2026-11-20T18:12:00Z`), or a day, which begins at midnight in UTC
    /// (`2026-11-20`).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let moment = text.parse::<Timestamp>().ok();
        let day = || text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
        Some(Self(moment.or_else(day)?.as_second()))
    }

    #[must_use]
    pub fn plus_days(self, days: u32) -> Self {
        self.plus_seconds(i64::from(days) * Self::DAY_SECONDS)
    }

    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Adds a calendar duration, in UTC. A result beyond the calendar's range is refused with `None`.
    #[must_use]
    pub fn plus(self, duration: &CalendarDuration) -> Option<Self> {
        self.shifted(duration.0)
    }

    /// Subtracts a calendar duration, in UTC.
    #[must_use]
    pub fn minus(self, duration: &CalendarDuration) -> Option<Self> {
        self.shifted(duration.0.negate())
    }

    fn shifted(self, span: Span) -> Option<Self> {
        let zoned = Timestamp::from_second(self.0).ok()?.to_zoned(TimeZone::UTC);
        Some(Self(zoned.checked_add(span).ok()?.timestamp().as_second()))
    }
}

/// ISO 8601 in UTC, seconds precision: `2026-11-20T18:12:00Z`, as ARM writes dates.
impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Timestamp::from_second(self.0) {
            Ok(timestamp) => write!(f, "{timestamp}"),
            Err(_) => write!(f, "{}s", self.0),
        }
    }
}

/// An ISO 8601 duration in calendar units (`P18M`, `P2Y`, `P30D`), never negative.
/// Months and years are calendar months and years in UTC (contract: managed-hsm §3.3).
#[derive(Clone, Debug)]
pub struct CalendarDuration(Span);

impl CalendarDuration {
    #[must_use]
    pub fn days(days: u16) -> Self {
        Self(Span::new().days(i32::from(days)))
    }

    /// `None` for more than any calendar has.
    #[must_use]
    pub fn months(months: u32) -> Option<Self> {
        Some(Self(Span::new().try_months(months).ok()?))
    }

    /// How many months begin from `from` on until `until` has come: one at least.
    #[must_use]
    pub fn months_begun(from: UnixTime, until: UnixTime) -> u32 {
        const LONGEST_MONTH_SECONDS: i64 = 31 * UnixTime::DAY_SECONDS;
        let least = until.0.saturating_sub(from.0) / LONGEST_MONTH_SECONDS;
        let suffices = |months: &u32| {
            let end = Self::months(*months).and_then(|duration| from.plus(&duration));
            end.is_none_or(|end| end >= until)
        };
        (u32::try_from(least.max(1)).unwrap_or(u32::MAX)..).find(suffices).unwrap_or(u32::MAX)
    }

    /// Parses an ISO 8601 duration. `None` if it is malformed, negative, or not a duration of whole seconds.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if !text.starts_with('P') {
            return None;
        }
        let span: Span = text.parse().ok()?;
        (!span.is_negative()).then_some(Self(span))
    }

    /// Its length in days when it begins at `from`, rounded down.
    #[must_use]
    pub fn days_from(&self, from: UnixTime) -> Option<i64> {
        Some((from.plus(self)?.0 - from.0) / UnixTime::DAY_SECONDS)
    }
}

impl fmt::Display for CalendarDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl PartialEq for CalendarDuration {
    fn eq(&self, other: &Self) -> bool {
        self.0.fieldwise() == other.0.fieldwise()
    }
}

impl Eq for CalendarDuration {}

impl Serialize for CalendarDuration {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CalendarDuration {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not an ISO 8601 duration"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_days_are_read_and_nothing_else() {
        for (text, shown) in [
            ("2026-11-20T18:12:00Z", "2026-11-20T18:12:00Z"),
            ("2026-11-20T18:12:00+01:00", "2026-11-20T17:12:00Z"),
            ("2026-11-20", "2026-11-20T00:00:00Z"),
        ] {
            assert_eq!(UnixTime::parse(text).map(|time| time.to_string()).as_deref(), Some(shown));
        }
        for text in ["", "2026", "2026-11", "2026-13-01", "2026-11-20T25:00:00Z", "yesterday", "é"] {
            assert_eq!(UnixTime::parse(text), None, "{text}");
        }
    }

    #[test]
    fn every_month_that_has_begun_counts() {
        for (from, until, months) in [
            ("2021-08-06T00:00:00Z", "2121-07-13T00:00:00Z", 1200),
            ("2020-02-14T07:15:55Z", "2025-02-12T07:15:55Z", 60),
            ("2019-10-15T00:00:00Z", "2029-10-12T00:00:00Z", 120),
            ("2022-06-01T00:00:00Z", "2027-06-01T00:00:00Z", 60),
            ("2022-06-01T00:00:00Z", "2027-06-01T00:10:00Z", 61),
            ("2026-01-31T00:00:00Z", "2026-02-28T00:00:00Z", 1),
            ("2026-01-31T00:00:00Z", "2026-03-01T00:00:00Z", 2),
            ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", 1),
            ("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z", 1),
        ] {
            let [Some(begin), Some(end)] = [from, until].map(UnixTime::parse) else { panic!("{from} {until}") };
            assert_eq!(CalendarDuration::months_begun(begin, end), months, "{from} {until}");
        }
        let ages = CalendarDuration::months_begun(UnixTime(0), UnixTime(253_402_207_200));
        assert_eq!(ages, 96_360, "1970 to the end of 9999");
    }
}
