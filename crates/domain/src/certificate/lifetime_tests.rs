//! When lifetime actions fall, against a day-by-day clerk, and which comes first.

use super::*;
use crate::certificate::testkit::{NOW, issued_by};
use LifetimeStepKind::{AutoRenew, EmailContacts};
use LifetimeTrigger::{DaysBeforeExpiry, Percentage};
use proptest::{prelude::*, sample::select};

const DAY: i64 = UnixTime::DAY_SECONDS;

fn step(trigger: LifetimeTrigger, action: LifetimeStepKind) -> LifetimeStep {
    LifetimeStep { trigger, action }
}

fn policy(issuer: &str, lifetime_actions: Vec<LifetimeStep>) -> CertificatePolicy {
    CertificatePolicy { lifetime_actions, ..issued_by(issuer) }
}

#[test]
fn an_action_falls_where_its_trigger_says() {
    for (trigger, life_seconds, after_seconds) in [
        (Percentage(80), 100, 80),
        (Percentage(80), 101, 80),
        (Percentage(99), 99, 98),
        (Percentage(1), 99, 0),
        (Percentage(50), 0, 0),
        (DaysBeforeExpiry(1), 10 * DAY, 9 * DAY),
        (DaysBeforeExpiry(9), 10 * DAY, DAY),
        // The whole life and more: the default.
        (DaysBeforeExpiry(10), 10 * DAY, 8 * DAY),
        (DaysBeforeExpiry(u32::MAX), 10 * DAY, 8 * DAY),
    ] {
        let at = trigger.falls_at(NOW, NOW.plus_seconds(life_seconds));
        assert_eq!(at.0 - NOW.0, after_seconds, "{trigger:?} of {life_seconds} s");
    }
}

#[test]
fn the_sooner_action_comes_first_and_each_but_once() {
    let policy = policy("Self", vec![step(DaysBeforeExpiry(30), EmailContacts), step(Percentage(80), AutoRenew)]);
    let end = NOW.plus_days(365);
    let next = |done: &[LifetimeStepKind]| policy.next_step(NOW, end, done);
    assert_eq!(next(&[]), Some((NOW.plus_days(292), AutoRenew)));
    assert_eq!(next(&[AutoRenew]), Some((NOW.plus_days(335), EmailContacts)));
    assert_eq!(next(&[EmailContacts]), Some((NOW.plus_days(292), AutoRenew)));
    assert_eq!(next(&[AutoRenew, EmailContacts]), None);
}

#[test]
fn days_that_exceed_the_validity_count_as_the_default() {
    let mut policy = policy("Self", vec![step(DaysBeforeExpiry(82), AutoRenew)]);
    policy.x509.validity_months = 3;
    let after_days = |policy: &CertificatePolicy| {
        let (at, _) = policy.next_step(NOW, NOW.plus_days(90), &[]).unwrap();
        (at.0 - NOW.0) / DAY
    };
    assert_eq!(after_days(&policy), 72);
    policy.lifetime_actions = vec![step(DaysBeforeExpiry(81), AutoRenew)];
    assert_eq!(after_days(&policy), 9);
}

#[test]
fn of_two_actions_at_one_moment_the_first_in_the_policy_comes_first() {
    for (first, second) in [(AutoRenew, EmailContacts), (EmailContacts, AutoRenew)] {
        let policy = policy("Self", vec![step(Percentage(50), first), step(DaysBeforeExpiry(5), second)]);
        assert_eq!(policy.next_step(NOW, NOW.plus_days(10), &[]).map(|(_, kind)| kind), Some(first));
    }
}

#[test]
fn what_somebody_outside_signs_is_not_renewed_but_told_of() {
    let both = vec![step(Percentage(80), EmailContacts), step(Percentage(60), AutoRenew)];
    let end = NOW.plus_days(100);
    let next = policy("Unknown", both.clone()).next_step(NOW, end, &[]);
    assert_eq!(next, Some((NOW.plus_days(60), EmailContacts)));
    assert_eq!(policy("Unknown", both.clone()).next_step(NOW, end, &[EmailContacts]), None);
    assert_eq!(policy("our-ca", both).next_step(NOW, end, &[]), Some((NOW.plus_days(60), AutoRenew)));
}

#[test]
fn nothing_happens_under_a_disabled_policy_or_in_a_life_that_ends_before_it_begins() {
    let enabled = policy("Self", vec![step(Percentage(80), AutoRenew)]);
    assert_eq!(enabled.next_step(NOW, NOW.plus_seconds(-1), &[]), None);
    assert!(enabled.next_step(NOW, NOW, &[]).is_some());
    let disabled = CertificatePolicy { enabled: false, ..enabled };
    assert_eq!(disabled.next_step(NOW, NOW.plus_days(10), &[]), None);
}

fn trigger() -> impl Strategy<Value = LifetimeTrigger> {
    prop_oneof![(1..=99_u8).prop_map(Percentage), (0..40_000_u32).prop_map(DaysBeforeExpiry)]
}

proptest! {
    #[test]
    fn no_action_falls_before_issuance_or_after_expiry(
        trigger in trigger(),
        begins: i64,
        life in prop_oneof![0..100 * 366 * DAY, any::<i64>()],
    ) {
        let (not_before, not_after) = (UnixTime(begins), UnixTime(begins).plus_seconds(life));
        let at = trigger.falls_at(not_before, not_after);
        prop_assert!(at >= not_before);
        prop_assert!(at <= not_after.max(not_before));
    }

    #[test]
    fn a_percentage_is_that_share_of_the_life_rounded_down(percentage in 1..=99_u8, life in 0..100 * 366 * DAY) {
        let after = Percentage(percentage).falls_at(NOW, NOW.plus_seconds(life)).0 - NOW.0;
        prop_assert!(after * 100 <= life * i64::from(percentage));
        prop_assert!((after + 1) * 100 > life * i64::from(percentage));
    }

    #[test]
    fn more_days_or_less_of_the_life_never_come_later(days in 1..400_u32, percentage in 1..99_u8, life_days in 400..2000_u32) {
        let end = NOW.plus_days(life_days);
        prop_assert!(DaysBeforeExpiry(days).falls_at(NOW, end) > DaysBeforeExpiry(days + 1).falls_at(NOW, end) || days + 1 == life_days);
        prop_assert!(Percentage(percentage).falls_at(NOW, end) < Percentage(percentage + 1).falls_at(NOW, end));
    }

    /// Whoever asks seldom, or whose clock leaps, does the same as somebody who asks every hour.
    #[test]
    fn a_clock_that_leaps_misses_nothing_and_repeats_nothing(
        triggers in (trigger(), trigger()),
        life_days in 1..800_u32,
        leaps in proptest::collection::vec(1..200 * DAY, 1..12),
        issuer in select(vec!["Self", "Unknown", "our-ca"]),
    ) {
        let policy = policy(issuer, vec![step(triggers.0, AutoRenew), step(triggers.1, EmailContacts)]);
        let end = NOW.plus_days(life_days);
        let due_by = |clock: UnixTime, done: &mut Vec<LifetimeStepKind>| {
            while let Some((_, kind)) = policy.next_step(NOW, end, done).filter(|(at, _)| *at <= clock) {
                done.push(kind);
            }
        };
        let (mut clock, mut done) = (NOW, Vec::new());
        for leap in leaps {
            clock = clock.plus_seconds(leap);
            due_by(clock, &mut done);
        }
        let mut at_once = Vec::new();
        due_by(clock, &mut at_once);
        prop_assert_eq!(&done, &at_once);
        due_by(end, &mut done);
        let kinds = if issuer == "Unknown" { 1 } else { 2 };
        prop_assert_eq!(done.len(), kinds, "all of it has happened when it expires");
    }
}
