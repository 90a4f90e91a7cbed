//! Fuzz entries: one per parser of text or bytes that come from outside.
//!
//! An entry takes any bytes and checks what must hold for all of them. A parser that panics has failed; so has one that
//! accepts what its own rule forbids, or whose output it does not read back as the same thing.
//! cargo-fuzz drives these from `fuzz_targets/`; `tests/tests/fuzz.rs` includes this file and runs each on random input.

use domain::{CalendarDuration, ContainerName, ObjectName, UnixTime, VersionId};

/// An entry, its name, and inputs worth beginning from.
pub struct Entry {
    pub name: &'static str,
    pub run: fn(&[u8]),
    pub seeds: &'static [&'static str],
}

pub const ENTRIES: &[Entry] = &[
    Entry { name: "object_name", run: object_name, seeds: &["k", "My-Key-1", "-", "0"] },
    Entry { name: "container_name", run: container_name, seeds: &["abc", "Contoso-HSM-1", "a-b-c", "a--b"] },
    Entry {
        name: "version_id",
        run: version_id,
        seeds: &["0123456789abcdef0123456789abcdef", "0123456789ABCDEF0123456789ABCDEF"],
    },
    Entry {
        name: "calendar_duration",
        run: calendar_duration,
        seeds: &["P30D", "P18M", "P2Y", "P1Y2M3W4DT5H6M7.8S", "PT0S", "P1.5D", "-P1D"],
    },
];

/// Runs `check` on inputs that are text; the wire's decoder refuses the others before a parser sees them.
fn text(input: &[u8], check: impl FnOnce(&str)) {
    if let Ok(text) = std::str::from_utf8(input) {
        check(text);
    }
}

fn is_letter_digit_or_hyphen(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '-'
}

pub fn object_name(input: &[u8]) {
    text(input, |text| {
        let is_valid = (1..=127).contains(&text.chars().count()) && text.chars().all(is_letter_digit_or_hyphen);
        let parsed = ObjectName::parse(text);
        assert_eq!(parsed.is_some(), is_valid, "{text:?}");
        if let Some(name) = parsed {
            assert_eq!(name.as_str(), text);
            assert_eq!(ObjectName::parse(&name.folded()).as_ref(), Some(&name));
        }
    });
}

pub fn container_name(input: &[u8]) {
    text(input, |text| {
        if let Some(name) = ContainerName::parse(text) {
            assert!((3..=24).contains(&text.chars().count()), "{text:?}");
            assert!(text.chars().all(is_letter_digit_or_hyphen), "{text:?}");
            assert!(text.split('-').all(|part| !part.is_empty()), "{text:?}");
            assert!(!text.starts_with(|first: char| first.is_ascii_digit()), "{text:?}");
            assert_eq!(name.as_str(), text);
            assert_eq!(ContainerName::parse(&name.folded()).as_ref(), Some(&name));
        }
    });
}

pub fn version_id(input: &[u8]) {
    text(input, |text| {
        let is_valid = text.len() == 32 && text.chars().all(|char| char.is_ascii_hexdigit());
        let parsed = VersionId::parse(text);
        assert_eq!(parsed.is_some(), is_valid, "{text:?}");
        if let Some(id) = parsed {
            assert_eq!(id.to_string(), text.to_ascii_lowercase());
        }
    });
}

pub fn calendar_duration(input: &[u8]) {
    text(input, |text| {
        let Some(duration) = CalendarDuration::parse(text) else { return };
        let written = duration.to_string();
        assert_eq!(CalendarDuration::parse(&written), Some(duration.clone()), "{text:?} was written as {written:?}");
        for from in [UnixTime(0), UnixTime(1_763_661_600), UnixTime(i64::MAX), UnixTime(i64::MIN)] {
            if let Some(later) = from.plus(&duration) {
                assert!(later >= from, "{text:?} goes back in time");
            }
            if let Some(earlier) = from.minus(&duration) {
                assert!(earlier <= from, "{text:?} goes forward in time");
            }
            assert!(duration.days_from(from).is_none_or(|days| days >= 0), "{text:?} is negative");
        }
    });
}
