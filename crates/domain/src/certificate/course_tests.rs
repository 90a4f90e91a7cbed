//! What is to be done next, against the course as a whole.

use super::*;
use crate::OperationError;
use crate::certificate::testkit::{NOW, begun, issued_by, reread, version};
use LifetimeStepKind::{AutoRenew, EmailContacts};
use proptest::{prelude::*, sample::select};

fn living(number: u8, from: UnixTime, days: u32) -> CertificateLife {
    let not_after = from.plus_days(days);
    CertificateLife { version: version(number), created: from, not_before: from, not_after, enabled: true }
}

fn course(issuer: &str) -> CertificateCourse {
    CertificateCourse::new(issued_by(issuer))
}

#[test]
fn one_version_is_made_at_a_time() {
    let course = course("our-ca").begin(begun("our-ca")).unwrap();
    assert_eq!(course.clone().begin(begun("our-ca")), Err(CertificateRefusal::InProgress.into()));
    assert_eq!(course.check_free(), Err(CertificateRefusal::InProgress.into()));
    for ended in [begun("Self").complete(), begun("Self").cancel()] {
        let course = CertificateCourse { pending: ended.ok(), ..course.clone() };
        assert!(course.pending(None).is_ok(), "it stays to be looked at");
        assert!(course.begin(begun("our-ca")).is_ok());
    }
}

#[test]
fn what_comes_when_its_life_is_over_is_not_renewed_at_once() {
    let course = course("Self");
    let over = CertificateLife { created: NOW.plus_days(99), ..living(1, NOW, 100) };
    let renewal = NextAction::Lifetime(AutoRenew);
    assert_eq!(course.next_action(Some(&over)), Some((NOW.plus_days(99).plus_seconds(3_600), renewal)));
    assert_eq!(course.next_action(Some(&living(1, NOW, 100))), Some((NOW.plus_days(80), renewal)));
}

#[test]
fn a_pending_operation_is_found_and_abandoned_by_its_id() {
    let missing = Refusal::from(CertificateRefusal::PendingNotFound);
    let empty = course("Self");
    assert_eq!(empty.pending(None), Err(missing.clone()));
    assert_eq!(empty.clone().abandon(None), Err(missing.clone()));
    let course = empty.clone().begin(begun("Self")).unwrap();
    let (own, other) = ("ab".repeat(16), "cd".repeat(16));
    assert_eq!(course.pending(Some(&own)).unwrap().version, version(1));
    assert_eq!(course.pending(Some(&other)), Err(missing.clone()));
    assert_eq!(course.clone().abandon(Some(&other)), Err(missing));
    assert_eq!(course.abandon(Some(&own)), Ok((empty, begun("Self"))));
}

#[test]
fn a_course_that_has_nothing_to_do_is_left_alone() {
    assert_eq!(course("Self").next_action(None), None);
    let waiting = course("Unknown").begin(begun("Unknown")).unwrap();
    assert_eq!(waiting.next_action(None), None, "a merge comes from outside");
}

#[test]
fn an_attempt_comes_before_a_later_step_and_after_an_earlier_one() {
    let step = |at| Some((at, NextAction::Lifetime(EmailContacts)));
    let course = course("Unknown");
    assert_eq!(course.next_action(Some(&living(1, NOW, 100))), step(NOW.plus_days(80)));
    let asking = course.begin(begun("our-ca")).unwrap();
    assert_eq!(asking.next_action(Some(&living(1, NOW, 100))), Some((NOW, NextAction::Attempt)));
    let begins = NOW.plus_seconds(-100 * UnixTime::DAY_SECONDS);
    assert_eq!(asking.next_action(Some(&living(1, begins, 100))), step(begins.plus_days(80)));
}

#[test]
fn a_renewal_waits_while_a_version_is_being_made_and_comes_if_none_is() {
    let renewal = Some((NOW.plus_days(80), NextAction::Lifetime(AutoRenew)));
    let life = living(1, NOW, 100);
    let course = course("Self");
    assert_eq!(course.next_action(Some(&life)), renewal);
    let waiting = course.begin(begun("Unknown")).unwrap();
    assert_eq!(waiting.next_action(Some(&life)), None);
    let cancelled = waiting.pending.clone().unwrap().cancel().unwrap();
    let cancelled = CertificateCourse { pending: Some(cancelled), ..waiting };
    assert_eq!(cancelled.next_action(Some(&life)), renewal);
}

#[test]
fn a_renewal_that_failed_is_begun_again_after_a_day_and_a_cancelled_one_is_not() {
    let life = living(1, NOW, 100);
    let failed = begun("Self").fail(OperationError { code: "a".to_owned(), message: "b".to_owned() }).unwrap();
    let cancelled = begun("Self").cancel().unwrap();
    let after = |pending, enabled| {
        let mut course = course("Self").record(life.version, AutoRenew);
        course.pending = Some(pending);
        course.policy.enabled = enabled;
        course.next_action(Some(&life))
    };
    let again = (NOW.plus_days(1), NextAction::Lifetime(AutoRenew));
    assert_eq!(after(failed.clone(), true), Some(again));
    assert_eq!(after(failed, false), None);
    assert_eq!(after(cancelled, true), None);
}

#[test]
fn a_renewal_that_could_not_be_begun_is_tried_again_a_day_later_whatever_was_before_it() {
    let life = living(1, NOW, 100);
    let due = |course: &CertificateCourse| course.next_action(Some(&life)).map(|(at, _)| at);
    let failed = begun("Self").fail(OperationError { code: String::new(), message: String::new() }).unwrap();
    for pending in [None, Some(failed)] {
        let course = CertificateCourse { pending, ..course("Self") }.record_unbegun(life.version, NOW.plus_days(85));
        assert_eq!(due(&course), Some(NOW.plus_days(86)));
        assert_eq!(due(&course.clone().record(life.version, EmailContacts)), Some(NOW.plus_days(86)));
        let again = course.record_unbegun(life.version, NOW.plus_days(86));
        assert_eq!(due(&again), Some(NOW.plus_days(87)));
        let mut cancelled = again.begin(begun("Self")).unwrap();
        assert_eq!(due(&cancelled), Some(NOW), "the issuer is asked");
        cancelled.pending = begun("Self").cancel().ok();
        assert_eq!(due(&cancelled), None);
    }
}

#[test]
fn a_renewal_that_failed_is_not_begun_again_under_a_policy_that_asks_for_none() {
    let life = living(1, NOW, 100);
    let failed = begun("Self").fail(OperationError { code: String::new(), message: String::new() }).unwrap();
    let tried = CertificateCourse { pending: Some(failed), ..course("Self") };
    let tried = tried.record(life.version, AutoRenew).record(life.version, EmailContacts);
    let mut silent = tried.clone();
    silent.policy.lifetime_actions.clear();
    let mut outside = tried.clone();
    outside.policy.issuer.name = crate::IssuerChoice::Unknown;
    for (course, due) in [(tried, true), (silent, false), (outside, false)] {
        assert_eq!(course.next_action(Some(&life)).is_some(), due);
    }
}

#[test]
fn what_was_done_for_a_version_counts_for_no_other() {
    let course = course("Self").record(version(1), AutoRenew);
    assert_eq!(course.next_action(Some(&living(1, NOW, 100))), None);
    let renewed = course.next_action(Some(&living(2, NOW.plus_days(80), 100)));
    assert_eq!(renewed, Some((NOW.plus_days(160), NextAction::Lifetime(AutoRenew))));
    let told = course.record(version(1), EmailContacts).record(version(1), EmailContacts);
    assert_eq!(
        told.done,
        Some(StepsDone { version: version(1), steps: vec![AutoRenew, EmailContacts], unbegun: None })
    );
    assert_eq!(told.record(version(2), AutoRenew).done.unwrap().steps, [AutoRenew]);
}

#[test]
fn a_disabled_certificate_waits_until_it_is_enabled_again() {
    let disabled = CertificateLife { enabled: false, ..living(1, NOW, 100) };
    assert_eq!(course("Self").next_action(Some(&disabled)), None);
    let pending = course("Self").begin(begun("Self")).unwrap();
    assert_eq!(pending.next_action(Some(&disabled)), Some((NOW, NextAction::Attempt)));
}

#[test]
fn a_course_reads_back_as_stored() {
    let full = course("our-ca").begin(begun("our-ca")).unwrap().record(version(1), AutoRenew);
    for course in [course("Self"), full] {
        assert_eq!(reread(&course), course);
    }
}

proptest! {
    /// A loop that does what is due, with a clock that leaps: it comes to rest each time, and renews once a life.
    #[test]
    fn the_loop_comes_to_rest_and_renews_each_version_once(
        leaps in proptest::collection::vec(1..60 * UnixTime::DAY_SECONDS, 1..20),
        life_days in 10..120_u32,
        days_before_expiry in select(vec![1_u32, 5, 90, 200]),
    ) {
        let trigger = crate::LifetimeTrigger::DaysBeforeExpiry(days_before_expiry);
        let mut course = course("Self");
        course.policy.lifetime_actions = vec![crate::LifetimeStep { trigger, action: AutoRenew }];
        let (mut now, mut life, mut made) = (NOW, living(1, NOW, life_days), 1_u8);
        for leap in leaps {
            now = now.plus_seconds(leap);
            let mut turns = 0;
            while let Some((_, action)) = course.next_action(Some(&life)).filter(|(at, _)| *at <= now) {
                turns += 1;
                prop_assert!(turns <= 2, "it goes on without the clock");
                match action {
                    NextAction::Lifetime(kind) => {
                        prop_assert_eq!(kind, AutoRenew);
                        course = course.record(life.version, kind).begin(begun("Self")).unwrap();
                        course.pending.as_mut().unwrap().next_attempt = Some(now);
                    }
                    NextAction::Attempt => {
                        course.pending = Some(course.pending.clone().unwrap().complete().unwrap());
                        made += 1;
                        life = living(made, now, life_days);
                    }
                }
            }
            prop_assert!(course.check_free().is_ok());
            prop_assert!(course.next_action(Some(&life)).is_some_and(|(at, _)| at > now && at <= life.not_after));
        }
    }
}
