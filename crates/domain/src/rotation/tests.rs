//! Rotation policies, rule by rule.

use super::*;

/// 2026-01-01T00:00:00Z.
const NOW: UnixTime = UnixTime(1_767_225_600);

fn duration(text: &str) -> CalendarDuration {
    CalendarDuration::parse(text).unwrap()
}

fn policy(rotate: Option<RotationTrigger>, expiry: Option<&str>) -> RotationPolicy {
    RotationPolicy { rotate, expiry: expiry.map(duration), ..RotationPolicy::default() }
}

#[test]
fn each_rule_has_its_boundary() {
    use ContainerKind::{ManagedHsm, Vault};
    let after = |text| Some(RotationTrigger::AfterCreate(duration(text)));
    let before = |text| Some(RotationTrigger::BeforeExpiry(duration(text)));
    let cases = [
        (Vault, policy(None, Some("P27D")), false),
        (Vault, policy(None, Some("P28D")), true),
        (Vault, policy(after("P6D"), None), false),
        (Vault, policy(after("P7D"), None), true),
        (ManagedHsm, policy(after("P27D"), None), false),
        (ManagedHsm, policy(after("P28D"), None), true),
        (Vault, policy(after("P2Y"), Some("P1Y")), false),
        (Vault, policy(before("P30D"), None), false),
        (Vault, policy(before("P6D"), Some("P90D")), false),
        (Vault, policy(before("P7D"), Some("P90D")), true),
        (ManagedHsm, policy(before("P30D"), Some("P57D")), false),
        (ManagedHsm, policy(before("P30D"), Some("P58D")), true),
        (ManagedHsm, RotationPolicy { notify: before("P30D"), ..policy(None, Some("P90D")) }, false),
    ];
    for (kind, policy, valid) in cases {
        assert_eq!(policy.check(kind, NOW).is_ok(), valid, "{kind:?} {policy:?}");
    }
}

#[test]
fn months_and_years_are_calendar_months_and_years() {
    let policy = policy(Some(RotationTrigger::AfterCreate(duration("P1M"))), Some("P1Y"));
    // 31 January plus a month is the end of February.
    let created = UnixTime(NOW.0 + 30 * 86_400);
    assert_eq!(policy.next_rotation(created, None).unwrap().to_string(), "2026-02-28T00:00:00Z");
    assert_eq!(policy.expires(NOW).unwrap().to_string(), "2027-01-01T00:00:00Z");
}

#[test]
fn durations_are_iso_8601_and_never_negative() {
    for good in ["P90D", "P18M", "P2Y", "P1Y6M", "PT1H"] {
        assert_eq!(CalendarDuration::parse(good).map(|duration| duration.to_string()).as_deref(), Some(good));
    }
    for bad in ["", "90", "-P1D", "P-1D", "P", "1 day", "PX", "P1D "] {
        assert_eq!(CalendarDuration::parse(bad), None, "{bad}");
    }
}

#[test]
fn an_overlong_duration_is_no_panic() {
    let long = policy(Some(RotationTrigger::AfterCreate(duration("P19998Y"))), None);
    assert_eq!(long.next_rotation(NOW, None), None);
    assert!(long.check(ContainerKind::Vault, NOW).is_ok());
}
