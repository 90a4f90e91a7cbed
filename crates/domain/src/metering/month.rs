//! Calendar months in UTC: what figures are kept by and bills are made out for.

use crate::UnixTime;
use std::fmt;

/// A calendar month in UTC, from January of year 0 to December of year 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(u32);

/// December of year 9999.
const LAST: u32 = 9_999 * 12 + 11;

/// Days from 0000-03-01 to 1970-01-01. Years are counted from March: then the leap day is a year's last.
const EPOCH_DAYS: i64 = 719_468;
const DAYS_PER_ERA: i64 = 146_097;
const YEARS_PER_ERA: i64 = 400;

impl Month {
    /// The month that a moment is in. Moments before and after all months are in the first and the last.
    #[must_use]
    pub fn of(time: UnixTime) -> Self {
        let days = time.0.div_euclid(UnixTime::DAY_SECONDS) + EPOCH_DAYS;
        let (era, day_of_era) = (days.div_euclid(DAYS_PER_ERA), days.rem_euclid(DAYS_PER_ERA));
        let leaps = day_of_era / 1_460 - day_of_era / 36_524 + day_of_era / (DAYS_PER_ERA - 1);
        let year_of_era = (day_of_era - leaps) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let months_since_march = (5 * day_of_year + 2) / 153;
        let months = (era * YEARS_PER_ERA + year_of_era) * 12 + months_since_march + 2;
        Self(u32::try_from(months.max(0)).unwrap_or(LAST).min(LAST))
    }

    /// Reads `2026-11`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (year, month) = text.split_once('-')?;
        Self::from_digits(year, month)
    }

    /// Reads `202611`, as Azure names billing periods.
    #[must_use]
    pub fn parse_period(text: &str) -> Option<Self> {
        let (year, month) = text.split_at_checked(4)?;
        Self::from_digits(year, month)
    }

    fn from_digits(year: &str, month: &str) -> Option<Self> {
        let number = |digits: &str, length: usize| {
            let sound = digits.len() == length && digits.bytes().all(|byte| byte.is_ascii_digit());
            sound.then(|| digits.parse::<u32>().ok()).flatten()
        };
        let (year, month) = (number(year, 4)?, number(month, 2)?);
        (1..=12).contains(&month).then(|| Self(year * 12 + month - 1))
    }

    /// Its first second.
    #[must_use]
    pub fn begin(self) -> UnixTime {
        let months_since_march = (self.0 + 10) % 12;
        let year = i64::from(self.0 / 12) - i64::from(months_since_march > 9);
        let (era, year_of_era) = (year.div_euclid(YEARS_PER_ERA), year.rem_euclid(YEARS_PER_ERA));
        let day_of_year = i64::from((153 * months_since_march + 2) / 5);
        let day_of_era = 365 * year_of_era + year_of_era / 4 - year_of_era / 100 + day_of_year;
        UnixTime((era * DAYS_PER_ERA + day_of_era - EPOCH_DAYS) * UnixTime::DAY_SECONDS)
    }

    /// The first second after it.
    #[must_use]
    pub fn end(self) -> UnixTime {
        Self(self.0 + 1).begin()
    }

    /// The month after it; the last has none.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        (self.0 < LAST).then_some(Self(self.0 + 1))
    }

    /// Every month from the first to the last of a span, both included.
    pub fn span(first: Self, last: Self) -> impl Iterator<Item = Self> {
        (first.0..=last.0).map(Self)
    }

    /// Its number, which rises by one from month to month.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0
    }

    /// The month of a number; `None` beyond year 9999.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        (number <= LAST).then_some(Self(number))
    }
}

/// `2026-11`.
impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0 / 12, self.0 % 12 + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::{Timestamp, tz::TimeZone};
    use proptest::prelude::*;

    #[test]
    fn a_month_begins_with_its_first_second_and_ends_with_the_next_ones() {
        for (text, begin, end) in [
            ("1970-01", "1970-01-01T00:00:00Z", "1970-02-01T00:00:00Z"),
            ("2024-02", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"),
            ("2026-11", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"),
            ("2026-12", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        ] {
            let month = Month::parse(text).unwrap();
            assert_eq!((month.begin().to_string().as_str(), month.end().to_string().as_str()), (begin, end));
            assert_eq!(month.to_string(), text);
            assert_eq!(Month::parse_period(&text.replace('-', "")), Some(month));
        }
    }

    #[test]
    fn anything_else_is_no_month() {
        for text in ["", "2026", "2026-13", "2026-00", "26-11", "2026-1", "2026-11-01", "+026-11", "2026-é", "éé"] {
            assert_eq!((Month::parse(text), Month::parse_period(text)), (None, None), "{text}");
        }
    }

    #[test]
    fn time_before_and_after_all_months_counts_to_the_first_and_the_last() {
        assert_eq!(Month::of(UnixTime(i64::MIN)).to_string(), "0000-01");
        assert_eq!(Month::of(UnixTime(i64::MAX)).to_string(), "9999-12");
        assert_eq!(Month::of(UnixTime(i64::MAX)).next(), None);
    }

    proptest! {
        #[test]
        fn months_are_those_of_the_calendar(seconds in -62_167_219_200_i64..=253_402_207_200) {
            let time = UnixTime(seconds);
            let month = Month::of(time);
            let zoned = Timestamp::from_second(seconds).unwrap().to_zoned(TimeZone::UTC);
            prop_assert_eq!(month.to_string(), format!("{:04}-{:02}", zoned.year(), zoned.month()));
            prop_assert!(month.begin() <= time && time < month.end());
            prop_assert_eq!(Month::of(month.begin()), month);
            prop_assert_eq!(Month::from_number(month.number()), Some(month));
            prop_assert_eq!(Month::parse(&month.to_string()), Some(month));
        }
    }
}
