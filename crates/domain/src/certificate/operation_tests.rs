//! The pending operation: every transition from every state, and random walks.

use super::*;
use crate::certificate::testkit::{NOW, begun, reread};
use proptest::{collection::vec, prelude::*, sample::select};

fn error() -> OperationError {
    OperationError { code: "Unreachable".to_owned(), message: "The issuer does not answer.".to_owned() }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    RequestCancellation,
    Cancel,
    Complete,
    Fail,
    Wait,
    Postpone,
}

const STEPS: [Step; 6] =
    [Step::RequestCancellation, Step::Cancel, Step::Complete, Step::Fail, Step::Wait, Step::Postpone];

fn take(step: Step, operation: CertificateOperation, now: UnixTime) -> Result<CertificateOperation, Refusal> {
    match step {
        Step::RequestCancellation => operation.request_cancellation(now),
        Step::Cancel => operation.cancel(),
        Step::Complete => operation.complete(),
        Step::Fail => operation.fail(error()),
        Step::Wait => operation.wait(Some("order 7".to_owned()), None, now.plus_seconds(60), now),
        Step::Postpone => operation.postpone(error(), now),
    }
}

#[test]
fn an_issuer_is_asked_at_once_and_a_merge_is_waited_for() {
    for issuer in ["Self", "our-ca"] {
        assert_eq!(begun(issuer).errand(NOW), Some(Errand::Ask), "{issuer}");
        assert_eq!(begun(issuer).mergeable(), Err(CertificateRefusal::IssuerDriven.into()));
    }
    let unknown = begun("Unknown");
    assert_eq!((unknown.next_attempt, unknown.mergeable()), (None, Ok(())));
    assert_eq!(unknown.status.as_str(), "inProgress");
}

#[test]
fn what_has_ended_stays_as_it_ended() {
    for (step, word) in [(Step::Cancel, "cancelled"), (Step::Complete, "completed"), (Step::Fail, "failed")] {
        for issuer in ["Self", "Unknown", "our-ca"] {
            let ended = take(step, begun(issuer), NOW).unwrap();
            assert_eq!(ended.status.as_str(), word);
            assert_eq!((ended.next_attempt, &ended.progress, &ended.details), (None, &None, &None));
            for next in STEPS {
                let refusal = CertificateRefusal::NotInProgress { status: ended.status.as_str() };
                assert_eq!(take(next, ended.clone(), NOW), Err(refusal.into()), "{next:?} after {step:?}");
            }
        }
    }
    let merged = begun("Unknown").complete().unwrap();
    assert_eq!(merged.mergeable(), Err(CertificateRefusal::NotInProgress { status: "completed" }.into()));
}

#[test]
fn a_cancellation_takes_effect_at_once_or_when_the_issuer_is_next_looked_at() {
    let unknown = begun("Unknown").request_cancellation(NOW).unwrap();
    assert_eq!((unknown.status.as_str(), unknown.cancellation_requested), ("cancelled", true));
    let later = NOW.plus_days(2);
    let waiting = take(Step::Wait, begun("our-ca"), NOW).unwrap();
    let requested = waiting.request_cancellation(later).unwrap();
    assert_eq!((requested.status.as_str(), requested.errand(later)), ("inProgress", Some(Errand::Cancel)));
    // Whoever was asking meanwhile does not put it off.
    for step in [Step::Wait, Step::Postpone] {
        assert_eq!(take(step, requested.clone(), later).unwrap().errand(later), Some(Errand::Cancel), "{step:?}");
    }
    assert_eq!(requested.clone().cancel().unwrap().status.as_str(), "cancelled");
    assert_eq!(requested.complete().unwrap().status.as_str(), "completed", "it came before the issuer heard of it");
}

#[test]
fn attempts_are_made_ever_later_and_not_for_ever() {
    let delays: Vec<_> = (1..=11).map(CertificateOperation::delay_seconds).collect();
    assert_eq!(delays, [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]);
    assert_eq!(CertificateOperation::delay_seconds(u32::MAX), 3600);

    let (mut operation, mut now) = (begun("our-ca"), NOW);
    while operation.is_in_progress() {
        now = operation.next_attempt.unwrap();
        operation = operation.postpone(error(), now).unwrap();
    }
    assert_eq!(operation.attempts, CertificateOperation::MAX_ATTEMPTS);
    assert_eq!(operation.status, OperationStatus::Failed(error()));
    let hours = (now.0 - NOW.0) / 3600;
    assert!((20..=24).contains(&hours), "an outage of {hours} hours is survived");
}

#[test]
fn an_issuer_that_answers_has_thirty_days() {
    let (mut operation, mut now) = (take(Step::Postpone, begun("our-ca"), NOW).unwrap(), NOW);
    while operation.is_in_progress() {
        now = operation.next_attempt.unwrap();
        operation = operation.wait(Some("order 7".to_owned()), None, UnixTime(i64::MAX), now).unwrap();
        assert_eq!(operation.attempts, 0, "an answer ends the row of attempts");
    }
    assert!(matches!(&operation.status, OperationStatus::Failed(error) if error.code == "Timeout"));
    assert!((30..=31).contains(&((now.0 - NOW.0) / UnixTime::DAY_SECONDS)));
    let late = begun("our-ca").postpone(error(), NOW.plus_days(30)).unwrap();
    assert_eq!(late.status, OperationStatus::Failed(error()), "what fails so late is not tried again");
}

#[test]
fn the_last_trouble_shows_while_it_is_retried() {
    let postponed = begun("our-ca").postpone(error(), NOW).unwrap();
    assert_eq!(postponed.details, Some(error().message));
    let answered = postponed.wait(None, Some("Validating.".to_owned()), NOW, NOW).unwrap();
    assert_eq!(answered.details.as_deref(), Some("Validating."));
    assert_eq!(answered.next_attempt, Some(NOW.plus_seconds(1)), "no time in the past");
}

#[test]
fn a_request_id_is_a_filter() {
    let operation = begun("Self");
    let id = operation.request_id.to_string();
    assert_eq!(id, "ab".repeat(16));
    for (given, meant) in [
        (None, true),
        (Some(id.as_str()), true),
        (Some(id.to_uppercase().as_str()), true),
        (Some("cd".repeat(16).as_str()), false),
        (Some("ab"), false),
        (Some(""), false),
    ] {
        assert_eq!(operation.is_meant_by(given), meant, "{given:?}");
    }
}

proptest! {
    #[test]
    fn however_it_goes_only_what_is_in_progress_is_asked_again(
        issuer in select(vec!["Self", "Unknown", "our-ca"]),
        steps in vec((select(&STEPS[..]), 0..3 * UnixTime::DAY_SECONDS), 0..20),
    ) {
        let (mut operation, mut now) = (begun(issuer), NOW);
        for (step, seconds) in steps {
            // Nobody asks about what waits for a merge.
            if issuer == "Unknown" && matches!(step, Step::Wait | Step::Postpone) {
                continue;
            }
            now = now.plus_seconds(seconds);
            let before = operation.clone();
            operation = match take(step, operation, now) {
                Ok(after) => after,
                Err(_) => {
                    prop_assert!(!before.is_in_progress());
                    before.clone()
                }
            };
            let asked = operation.is_in_progress() && issuer != "Unknown";
            prop_assert_eq!(operation.next_attempt.is_some(), asked);
            let prompt = operation.cancellation_requested && asked;
            prop_assert!(!prompt || operation.errand(now) == Some(Errand::Cancel));
            prop_assert!(!before.cancellation_requested || operation.cancellation_requested);
            prop_assert_eq!((operation.request_id, operation.version, operation.created), (before.request_id, before.version, NOW));
            prop_assert_eq!(&operation.csr, &before.csr);
            prop_assert_eq!(&reread(&operation), &operation);
        }
    }
}
