//! Bills made out by hand, and what holds for all of them.

use super::*;
use crate::Guid;
use proptest::prelude::*;
use std::collections::BTreeMap;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

fn month(text: &str) -> Month {
    Month::parse(text).unwrap()
}

fn day(text: &str) -> UnixTime {
    let (month, day) = text.rsplit_once('-').unwrap();
    Month::parse(month).unwrap().begin().plus_seconds((day.parse::<i64>().unwrap() - 1) * DAY)
}

fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

fn prices() -> Prices {
    Prices {
        operations_per_10000: Some(money("0.03")),
        hsm_key_version_per_month: Some(money("1")),
        managed_hsm_per_hour: BTreeMap::from([("Standard_B1".to_owned(), money("3.20"))]),
        ..Prices::default()
    }
}

fn lifetime(kind: ContainerKind, created: UnixTime, ends: Option<UnixTime>) -> Lifetime {
    Lifetime {
        container: ContainerId(Guid::from_u128(1)),
        kind,
        name: ContainerName::parse("one").unwrap(),
        arm_id: String::new(),
        location: String::new(),
        sku: "Standard_B1".to_owned(),
        created,
        ends,
    }
}

fn hsm(created: UnixTime, ends: Option<UnixTime>) -> Lifetime {
    lifetime(ContainerKind::ManagedHsm, created, ends)
}

fn counted(operations: &[(Operation, Outcome, u64)], hsm_key_versions: u64) -> Counted {
    let count = |&(operation, outcome, count): &_| OperationCount { operation, outcome, count };
    Counted { operations: operations.iter().map(count).collect(), hsm_key_versions }
}

fn costs(lines: &[Line]) -> Vec<(u64, Option<String>)> {
    lines.iter().map(|line| (line.quantity, line.cost().map(|cost| cost.to_string()))).collect()
}

fn cost(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn a_vault_pays_for_what_was_done_and_for_its_hsm_keys() {
    let operations = [
        (Operation::KeySign, Outcome::Done, 20_001),
        (Operation::KeySign, Outcome::Refused, 7),
        (Operation::KeyRecover, Outcome::Done, 1),
        (Operation::KeyPurge, Outcome::Done, 2),
        (Operation::KeyGetDeleted, Outcome::Done, 50),
        (Operation::KeyListDeleted, Outcome::Done, 0),
    ];
    let vault = lifetime(ContainerKind::Vault, day("2026-11-03"), None);
    let lines = bill(&vault, month("2026-11"), &counted(&operations, 3), &prices(), day("2026-12-01"));
    let expected = [
        (20_001, cost("0.060003")),
        (7, cost("0.00")),
        (1, cost("0.000003")),
        (2, cost("0.000006")),
        (50, cost("0.00")),
        (3, cost("3.00")),
    ];
    assert_eq!(costs(&lines), expected);
    let total: Option<Money> = lines.iter().map(Line::cost).sum::<Option<Money>>();
    assert_eq!(total, Some(money("3.060012")));
}

#[test]
fn a_managed_hsm_pays_by_the_hour_and_for_nothing_else() {
    let operations = [(Operation::KeySign, Outcome::Done, 1_000_000)];
    // Deleted on the 10th and purged on the 20th: nineteen days of 24 hours.
    let gone = hsm(day("2026-11-01"), Some(day("2026-11-20")));
    let lines = bill(&gone, month("2026-11"), &counted(&operations, 5), &prices(), day("2027-01-01"));
    assert_eq!(costs(&lines), [(1_000_000, cost("0.00")), (456, cost("1459.20"))]);
    assert_eq!(bill(&gone, month("2026-12"), &Counted::default(), &prices(), day("2027-01-01")), []);
}

#[test]
fn a_meter_reads_back_as_written() {
    let operations = Operation::ALL.iter().flat_map(|operation| {
        [Outcome::Done, Outcome::Refused].map(|outcome| Meter::Operations { operation: *operation, outcome })
    });
    for meter in operations.chain([Meter::HsmKeyVersions, Meter::ManagedHsmHours]) {
        assert_eq!(Meter::parse(&meter.to_string()), Some(meter));
    }
    for text in ["", ".refused", "KeyTurn", "KeySign.done", "HsmKeyVersions.refused"] {
        assert_eq!(Meter::parse(text), None, "{text}");
    }
}

#[test]
fn without_a_price_there_is_a_quantity_and_no_cost() {
    let operations = [(Operation::KeySign, Outcome::Done, 5), (Operation::KeySign, Outcome::Refused, 1)];
    let vault = lifetime(ContainerKind::Vault, day("2026-11-03"), None);
    let lines = bill(&vault, month("2026-11"), &counted(&operations, 1), &Prices::default(), day("2026-12-01"));
    assert_eq!(costs(&lines), [(5, None), (1, cost("0.00")), (1, None)]);
    assert_eq!(lines.iter().map(Line::cost).sum::<Option<Money>>(), None, "half a total is none");
    let other = Lifetime { sku: "Custom_B32".to_owned(), ..hsm(day("2026-11-30"), None) };
    let lines = bill(&other, month("2026-11"), &Counted::default(), &prices(), day("2026-12-01"));
    assert_eq!(costs(&lines), [(24, None)]);
}

#[test]
fn an_hour_belongs_to_the_month_it_begins_in() {
    let (november, december) = (month("2026-11"), month("2026-12"));
    let far = day("2027-06-01");
    let created = december.begin().plus_seconds(-HOUR - 1);
    for (ends, hours) in [
        (None, (2, 744)),
        (Some(created), (0, 0)),
        (Some(created.plus_seconds(1)), (1, 0)),
        (Some(created.plus_seconds(HOUR)), (1, 0)),
        (Some(created.plus_seconds(HOUR + 1)), (2, 0)),
        (Some(created.plus_seconds(2 * HOUR)), (2, 0)),
        (Some(created.plus_seconds(2 * HOUR + 1)), (2, 1)),
    ] {
        let hsm = hsm(created, ends);
        assert_eq!((hsm.hours(november, far), hsm.hours(december, far)), hours, "{ends:?}");
    }
    let young = hsm(created, None);
    assert_eq!(young.hours(november, created), 1, "the hour that has begun");
    assert_eq!(young.hours(november, created.plus_seconds(HOUR - 1)), 1);
    assert_eq!(young.hours(november, created.plus_seconds(HOUR)), 2);
    assert_eq!(young.hours(december, created.plus_seconds(HOUR)), 0, "not begun");
    assert_eq!(young.hours(month("2026-10"), far), 0);
}

#[test]
fn a_key_version_is_charged_for_thirty_days_after_a_use() {
    let (january, march) = (month("2027-01"), month("2027-03"));
    let is_charged = |month, at: UnixTime| charged_uses(month).contains(&at);
    // 31 January and 30 days is 2 March: three months.
    let use_at = day("2027-01-31");
    let charged: Vec<_> = Month::span(month("2026-12"), month("2027-04"))
        .filter(|month| is_charged(*month, use_at))
        .map(|month| month.to_string())
        .collect();
    assert_eq!(charged, ["2027-01", "2027-02", "2027-03"]);
    // 30 January and 30 days is the first second of March, which is no longer charged.
    assert!(!is_charged(march, day("2027-01-30")));
    assert!(is_charged(march, day("2027-01-30").plus_seconds(1)));
    assert!(is_charged(january, january.begin()) && !is_charged(january, january.end()));
}

#[test]
fn there_is_something_to_pay_until_the_last_use_has_passed() {
    let now = day("2027-06-15");
    let months = |ends: Option<UnixTime>| lifetime(ContainerKind::Vault, day("2026-11-03"), ends).months(now);
    assert_eq!(months(None), (month("2026-11"), month("2027-06")));
    assert_eq!(months(Some(day("2026-12-20"))), (month("2026-11"), month("2027-01")));
    assert_eq!(months(Some(day("2027-06-14"))), (month("2026-11"), month("2027-06")));
    assert_eq!(months(Some(day("2027-12-01"))), (month("2026-11"), month("2027-06")), "deleted, and not due");
}

/// Moments around a few months.
fn moment() -> impl Strategy<Value = UnixTime> {
    (day("2026-11-01").0..day("2027-05-01").0).prop_map(UnixTime)
}

fn months() -> impl Iterator<Item = Month> {
    Month::span(month("2026-10"), month("2027-07"))
}

proptest! {
    #[test]
    fn the_months_of_a_life_add_up_to_the_whole(created in moment(), seconds in 0..200 * DAY, wait in 0..200 * DAY) {
        let ends = created.plus_seconds(seconds);
        let now = created.plus_seconds(wait);
        let hsm = hsm(created, Some(ends));
        let sum: u64 = Month::span(month("2026-10"), month("2028-12")).map(|month| hsm.hours(month, now)).sum();
        // Hour after hour, as a clerk would count them.
        let begun = (0..).map(|hour| created.plus_seconds(hour * HOUR)).take_while(|at| *at < ends && *at <= now);
        prop_assert_eq!(sum, begun.count() as u64);
        let (first, last) = hsm.months(now);
        let within: u64 = Month::span(first, last).map(|month| hsm.hours(month, now)).sum();
        prop_assert_eq!(within, sum, "no month with hours is left out");
    }

    #[test]
    fn what_was_begun_is_never_taken_back(created in moment(), month in 0..8_usize, wait in 0..100 * DAY, more in 0..100 * DAY) {
        let month = months().nth(month).unwrap();
        let hsm = hsm(created, None);
        let (before, after) = (created.plus_seconds(wait), created.plus_seconds(wait + more));
        prop_assert!(hsm.hours(month, before) <= hsm.hours(month, after));
    }

    #[test]
    fn a_version_is_charged_in_exactly_the_months_that_its_thirty_days_touch(at in moment()) {
        for month in months() {
            let touches = (0..30 * 24).any(|hour| {
                let begin = at.plus_seconds(hour * HOUR);
                Month::of(begin) == month || Month::of(begin.plus_seconds(HOUR - 1)) == month
            });
            prop_assert_eq!(charged_uses(month).contains(&at), touches, "{} {}", month, at);
        }
    }

    #[test]
    fn the_latest_use_in_each_month_says_it_all_in_whatever_order(uses in prop::collection::vec(moment(), 0..12).prop_shuffle()) {
        let mut latest = BTreeMap::<Month, UnixTime>::new();
        for at in &uses {
            let kept = latest.entry(Month::of(*at)).or_insert(*at);
            *kept = (*kept).max(*at);
        }
        for month in months() {
            let charged = charged_uses(month);
            let by_all = uses.iter().any(|at| charged.contains(at));
            prop_assert_eq!(latest.values().any(|at| charged.contains(at)), by_all, "{}", month);
        }
    }
}
