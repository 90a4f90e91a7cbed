//! The machine against a naive model, and its rules one by one.

use super::*;
use proptest::prelude::*;

const START: UnixTime = UnixTime(1_800_000_000);

fn policy(days: Option<i64>, purge_protection: bool) -> DeletionPolicy {
    let soft_delete = days.map(|days| Retention::days(days).unwrap());
    DeletionPolicy { soft_delete, purge_protection, undeletable_subscription: false }
}

fn deleted(policy: &DeletionPolicy, now: UnixTime) -> Deletion {
    match State::Live.delete(policy, now).unwrap() {
        Deleted::Recoverable(deletion) => deletion,
        Deleted::ForGood(_) => panic!("soft delete is on"),
    }
}

#[test]
fn retention_is_seven_to_ninety_days() {
    for days in [-1, 0, 6, 91, i64::MAX] {
        assert_eq!(Retention::days(days), Err(Refusal::RetentionOutOfRange { days }));
    }
    assert_eq!(Retention::days(7).unwrap().as_days(), 7);
    assert_eq!(Retention::default().as_days(), 90);
}

#[test]
fn the_scheduled_purge_is_retention_days_after_the_deletion() {
    let deletion = deleted(&policy(Some(7), false), START);
    assert_eq!(deletion.scheduled_purge_at.0 - deletion.deleted_at.0, 7 * 86_400);
}

#[test]
fn a_legacy_vault_deletes_for_good() {
    assert!(matches!(State::Live.delete(&policy(None, false), START), Ok(Deleted::ForGood(_))));
    assert_eq!(policy(None, false).recovery_level().as_str(), "Purgeable");
    assert_eq!(policy(None, false).recoverable_days(), 0);
}

#[test]
fn every_recovery_level_has_its_case() {
    let undeletable =
        |days, protection| DeletionPolicy { undeletable_subscription: true, ..policy(Some(days), protection) };
    let cases = [
        (policy(Some(90), false), "Recoverable+Purgeable"),
        (policy(Some(90), true), "Recoverable"),
        (policy(Some(89), false), "CustomizedRecoverable+Purgeable"),
        (policy(Some(7), true), "CustomizedRecoverable"),
        (undeletable(90, true), "Recoverable+ProtectedSubscription"),
        (undeletable(90, false), "Recoverable+ProtectedSubscription"),
        (undeletable(30, true), "CustomizedRecoverable+ProtectedSubscription"),
    ];
    for (policy, level) in cases {
        assert_eq!(policy.recovery_level().as_str(), level);
    }
}

#[test]
fn nobody_purges_a_protected_thing_early() {
    let policy = policy(Some(7), true);
    let deletion = deleted(&policy, START);
    let until = deletion.scheduled_purge_at;
    assert_eq!(deletion.purge(&policy, START), Err(Refusal::PurgeProtected { until }));
    assert_eq!(deletion.purge(&policy, UnixTime(until.0 - 1)), Err(Refusal::PurgeProtected { until }));
    assert!(deletion.expire(UnixTime(until.0 - 1)).is_none());
    assert!(deletion.expire(until).is_some());
}

#[test]
fn in_an_undeletable_subscription_only_the_scheduler_purges() {
    let policy = DeletionPolicy { undeletable_subscription: true, ..policy(Some(7), false) };
    let deletion = deleted(&policy, START);
    assert!(deletion.purge(&policy, START).is_err());
    assert!(deletion.expire(deletion.scheduled_purge_at).is_some());
}

#[test]
fn a_purge_counts_from_its_moment_but_never_later_than_scheduled() {
    let policy = policy(Some(7), false);
    let deletion = deleted(&policy, START);
    let (due, late) = (deletion.scheduled_purge_at, deletion.scheduled_purge_at.plus_days(3));
    assert_eq!(deletion.purge(&policy, START.plus_days(1)).map(|proof| proof.at()), Ok(START.plus_days(1)));
    assert_eq!(deletion.purge(&policy, late).map(|proof| proof.at()), Ok(due));
    assert_eq!(deletion.expire(late).map(|proof| proof.at()), Some(due));
    let Ok(Deleted::ForGood(proof)) = State::Live.delete(&self::policy(None, false), START) else { panic!() };
    assert_eq!(proof.at(), START);
}

#[test]
fn protection_turned_on_after_a_deletion_protects_what_is_deleted() {
    let before = policy(Some(10), false);
    let deletion = deleted(&before, START);
    let after =
        before.amended(&PolicyAmendment { purge_protection: Some(true), ..PolicyAmendment::default() }).unwrap();
    assert!(deletion.purge(&after, START).is_err());
}

#[test]
fn the_switches_go_one_way() {
    let on = policy(Some(30), true);
    let amend = |amendment| on.amended(&amendment);
    let nothing = PolicyAmendment::default();
    let off = PolicyAmendment { purge_protection: Some(false), ..nothing };
    assert_eq!(amend(off), Err(Refusal::PurgeProtectionIrreversible));
    let no_soft_delete = PolicyAmendment { soft_delete: Some(false), ..nothing };
    assert_eq!(amend(no_soft_delete), Err(Refusal::SoftDeleteIrreversible));
    let longer = PolicyAmendment { retention: Some(Retention::MAX), ..nothing };
    assert_eq!(amend(longer), Err(Refusal::RetentionImmutable));
    let same = PolicyAmendment { retention: Some(Retention::days(30).unwrap()), ..nothing };
    assert_eq!(amend(same), Ok(on));
    assert_eq!(amend(nothing), Ok(on));
}

#[test]
fn soft_delete_can_be_turned_on_and_then_stays() {
    let legacy = policy(None, false);
    let protect = PolicyAmendment { purge_protection: Some(true), ..PolicyAmendment::default() };
    assert_eq!(legacy.amended(&protect), Err(Refusal::PurgeProtectionNeedsSoftDelete));
    let on = PolicyAmendment { soft_delete: Some(true), ..PolicyAmendment::default() };
    assert_eq!(legacy.amended(&on).unwrap().soft_delete, Some(Retention::MAX));
}

/// What can be tried on one named thing.
#[derive(Clone, Debug)]
enum Try {
    Create,
    Delete,
    Recover,
    Purge,
    Protect,
    Advance(i64),
    Sweep,
}

fn tries() -> impl Strategy<Value = Vec<Try>> {
    let one = prop_oneof![
        3 => Just(Try::Create),
        3 => Just(Try::Delete),
        2 => Just(Try::Recover),
        2 => Just(Try::Purge),
        1 => Just(Try::Protect),
        2 => (0..4_000_000_i64).prop_map(Try::Advance),
        2 => Just(Try::Sweep),
    ];
    proptest::collection::vec(one, 1..60)
}

/// The model: the whole history of a name, asked in the plainest way.
#[derive(Default)]
struct Model {
    /// Seconds of the deletion; `None` in the outer option: nothing of that name.
    thing: Option<Option<i64>>,
    protected: bool,
    now: i64,
    retention_seconds: i64,
}

impl Model {
    fn forget_what_is_due(&mut self) {
        if let Some(Some(deleted)) = self.thing
            && self.now >= deleted + self.retention_seconds
        {
            self.thing = None;
        }
    }

    /// Whether the machine should let it happen.
    fn allows(&mut self, attempt: &Try) -> bool {
        self.forget_what_is_due();
        let allowed = match (attempt, self.thing) {
            (Try::Create, thing) => thing.is_none(),
            (Try::Delete, thing) => thing == Some(None),
            (Try::Recover, thing) => matches!(thing, Some(Some(_))),
            (Try::Purge, thing) => matches!(thing, Some(Some(_))) && !self.protected,
            (Try::Protect | Try::Advance(_) | Try::Sweep, _) => true,
        };
        if allowed {
            match attempt {
                Try::Create | Try::Recover => self.thing = Some(None),
                Try::Delete => self.thing = Some(Some(self.now)),
                Try::Purge => self.thing = None,
                Try::Protect => self.protected = true,
                Try::Advance(seconds) => self.now += seconds,
                Try::Sweep => {}
            }
        }
        self.forget_what_is_due();
        allowed
    }
}

/// The machine, with no more around it than a store has: a row that is there or not.
struct Machine {
    row: Option<State>,
    policy: DeletionPolicy,
    now: UnixTime,
}

impl Machine {
    fn attempt(&mut self, attempt: &Try) -> bool {
        if let Some(State::Deleted(deletion)) = self.row
            && deletion.expire(self.now).is_some()
        {
            self.row = None;
        }
        let deletion = self.row.and_then(|state| state.deletion());
        match attempt {
            Try::Create if self.row.is_none() => self.row = Some(State::Live),
            Try::Delete => match self.row.map(|state| state.delete(&self.policy, self.now)) {
                Some(Ok(Deleted::Recoverable(deletion))) => self.row = Some(State::Deleted(deletion)),
                _ => return false,
            },
            Try::Recover => match deletion.map(|deletion| deletion.recover(self.now)) {
                Some(Ok(state)) => self.row = Some(state),
                _ => return false,
            },
            Try::Purge => match deletion.map(|deletion| deletion.purge(&self.policy, self.now)) {
                Some(Ok(_)) => self.row = None,
                _ => return false,
            },
            Try::Protect => {
                let amendment = PolicyAmendment { purge_protection: Some(true), ..PolicyAmendment::default() };
                self.policy = self.policy.amended(&amendment).unwrap();
            }
            Try::Advance(seconds) => self.now = self.now.plus_seconds(*seconds),
            Try::Sweep => {}
            Try::Create => return false,
        }
        true
    }
}

proptest! {
    #[test]
    fn the_machine_agrees_with_the_naive_model(days in 7_i64..=90, protected: bool, tries in tries()) {
        let mut model = Model { protected, now: START.0, retention_seconds: days * 86_400, ..Model::default() };
        let mut machine = Machine { row: None, policy: policy(Some(days), protected), now: START };
        for attempt in &tries {
            prop_assert_eq!(machine.attempt(attempt), model.allows(attempt), "{:?} in {:?}", attempt, tries);
            let seen = machine.row.and_then(|state| state.as_of(machine.now));
            prop_assert_eq!(seen.map(|state| state.deletion().map(|deletion| deletion.deleted_at.0)), model.thing);
        }
    }
}
