//! What is told of the end of a version, whatever happens to it meanwhile.

use super::*;
use crate::{
    Attributes, Body, CalendarDuration, Object, RotationPolicy, RotationTrigger, SecretBody, State, Tags, Version,
};
use proptest::prelude::*;

const T0: UnixTime = UnixTime(1_800_000_000);

fn version(number: u8, expires: Option<UnixTime>) -> Version {
    let attributes = Attributes { enabled: true, not_before: None, expires, created: T0, updated: T0 };
    Version {
        id: VersionId::from_bytes([number; 16]),
        attributes,
        tags: Tags::new(),
        body: Body::Secret(SecretBody::default()),
    }
}

fn object(current: &Version) -> Object {
    let mut object = Object {
        kind: ObjectKind::Secret,
        name: ObjectName::parse("s").unwrap(),
        state: State::Live,
        created: T0,
        current: current.id,
        rotation: None,
        next_action: None,
        next_notice: None,
        expiry_told: None,
        managed: false,
        course: None,
    };
    object.schedule(current);
    object
}

fn days(days: u32) -> UnixTime {
    T0.plus_days(days)
}

/// What the loop tells if it looks now.
fn look(object: &mut Object, current: &Version, now: UnixTime) -> Option<VersionEvent> {
    if object.next_notice.is_none_or(|due| now < due) {
        return None;
    }
    let event = object.expiry_to_tell(current, now);
    match event {
        Some(event) => object.note_told(current, event),
        None => object.schedule_notice(current),
    }
    event
}

#[test]
fn each_kind_of_object_has_its_own_notices() {
    for kind in ObjectKind::ALL {
        for event in [VersionEvent::Created, VersionEvent::NearExpiry, VersionEvent::Expired] {
            let word = NoticeKind::of(*kind, event).as_str();
            let event =
                if event == VersionEvent::Created { "NewVersionCreated".to_owned() } else { format!("{event:?}") };
            let mut kind = kind.as_str().to_owned();
            kind[..1].make_ascii_uppercase();
            assert_eq!(word, format!("Microsoft.KeyVault.{kind}{event}"));
        }
    }
}

#[test]
fn the_end_is_told_of_thirty_days_before_and_when_it_has_come() {
    let current = version(1, Some(days(100)));
    let mut object = object(&current);
    assert_eq!(object.next_notice, Some(days(70)));
    assert_eq!(look(&mut object, &current, UnixTime(days(70).0 - 1)), None);
    assert_eq!(look(&mut object, &current, days(71)), Some(VersionEvent::NearExpiry));
    assert_eq!(object.next_notice, Some(days(100)));
    assert_eq!(look(&mut object, &current, days(99)), None);
    assert_eq!(look(&mut object, &current, days(100)), Some(VersionEvent::Expired));
    assert_eq!((object.next_notice, look(&mut object, &current, days(500))), (None, None));
}

#[test]
fn what_never_ends_is_never_told_of() {
    let current = version(1, None);
    let mut object = object(&current);
    assert_eq!((object.next_notice, look(&mut object, &current, days(5_000))), (None, None));
}

#[test]
fn a_life_of_less_than_thirty_days_is_near_its_end_at_once() {
    let current = version(1, Some(days(5)));
    let mut object = object(&current);
    assert_eq!(look(&mut object, &current, T0), Some(VersionEvent::NearExpiry));
    assert_eq!(look(&mut object, &current, T0), None);
}

#[test]
fn what_has_ended_is_no_more_near_its_end() {
    let current = version(1, Some(days(100)));
    let mut object = object(&current);
    assert_eq!(look(&mut object, &current, days(100)), Some(VersionEvent::Expired));
    assert_eq!(look(&mut object, &current, days(100)), None);
}

#[test]
fn another_date_or_version_is_told_of_anew_and_the_same_is_not() {
    let mut current = version(1, Some(days(100)));
    let mut object = object(&current);
    assert_eq!(look(&mut object, &current, days(80)), Some(VersionEvent::NearExpiry));
    current.attributes.enabled = false;
    object.schedule(&current);
    assert_eq!(look(&mut object, &current, days(80)), None, "it was told");
    current.attributes.expires = Some(days(200));
    object.schedule(&current);
    assert_eq!(object.next_notice, Some(days(170)));
    assert_eq!(look(&mut object, &current, days(170)), Some(VersionEvent::NearExpiry));
    let next = version(2, Some(days(200)));
    object.current = next.id;
    object.schedule(&next);
    assert_eq!(look(&mut object, &next, days(170)), Some(VersionEvent::NearExpiry));
    current.attributes.expires = None;
    object.schedule(&current);
    assert_eq!(object.next_notice, None);
}

#[test]
fn a_rotation_policy_says_when_a_key_is_near_its_end() {
    let current = version(1, Some(days(100)));
    let duration = |text: &str| CalendarDuration::parse(text).unwrap();
    for (notify, near) in [
        (RotationTrigger::BeforeExpiry(duration("P10D")), days(90)),
        (RotationTrigger::AfterCreate(duration("P20D")), days(20)),
        (RotationTrigger::AfterCreate(duration("P200D")), days(100)),
    ] {
        let mut object = object(&current);
        object.rotation = Some(RotationPolicy { notify: Some(notify), ..RotationPolicy::default() });
        object.schedule(&current);
        assert_eq!(object.next_notice, Some(near));
    }
}

#[test]
fn a_date_that_no_longer_counts_tells_nothing() {
    let current = version(1, Some(days(100)));
    let mut object = object(&current);
    object.next_notice = Some(days(10));
    assert_eq!(look(&mut object, &current, days(10)), None);
    assert_eq!(object.next_notice, Some(days(70)));
}

proptest! {
    #[test]
    fn nothing_is_told_twice_or_early(
        steps in proptest::collection::vec((0_u32..40, proptest::option::of(proptest::option::of(0_u32..300))), 1..40),
    ) {
        let mut current = version(1, Some(days(60)));
        let mut object = object(&current);
        let mut now = T0;
        let mut told: Vec<(Option<UnixTime>, VersionEvent)> = Vec::new();
        for (wait, change) in steps {
            now = now.plus_days(wait);
            if let Some(expires) = change {
                let expires = expires.map(days);
                if current.attributes.expires != expires {
                    // It may come back to a date of which it was told.
                    told.clear();
                }
                current.attributes.expires = expires;
                object.schedule(&current);
            }
            if let Some(event) = look(&mut object, &current, now) {
                let expires = current.attributes.expires.unwrap();
                prop_assert!(!told.contains(&(Some(expires), event)));
                prop_assert!(now >= near_expiry(expires) && (event == VersionEvent::Expired) == (now >= expires));
                told.push((Some(expires), event));
            }
            prop_assert!(look(&mut object, &current, now).is_none());
            prop_assert!(object.next_notice.is_none_or(|next| next > now));
        }
    }
}
