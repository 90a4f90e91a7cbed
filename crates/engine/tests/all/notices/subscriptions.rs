//! Event subscriptions: made, changed and ended, each by its own request or with its vault.

use super::{URL, due, give, is_refused, listed, only, place, prepare, receiver, request, subscribe, vault};
use crate::rig::{ADMINISTRATOR, DAY, Rig, caller, resource};
use domain::{
    ContainerKind, ContainerName, EventSubscriptionName, Refusal, UnixTime,
    notice::{EventSubscription, EventSubscriptionChanges, NoticeKind, NoticeRefusal},
};
use engine::{Error, EventSubscriptionPlace, EventSubscriptionRequest};
use store::{Fault, Store, Tx, sqlite::SqliteStore};

#[test]
fn event_subscriptions_are_lost_with_their_vault_and_recovery_does_not_restore_them() {
    let rig = Rig::new();
    subscribe(&rig.engine, "events", EventSubscriptionChanges::default());
    give(&rig.engine, 1).unwrap();
    let (kind, administrator) = (ContainerKind::Vault, caller(ADMINISTRATOR));
    assert!(rig.engine.delete_container(&administrator, kind, &resource(), &vault()).unwrap());
    assert_eq!(rig.engine.due_receivers().unwrap(), []);
    rig.engine.recover_container(&administrator, kind, &resource(), &vault()).unwrap();
    assert_eq!(listed(&rig.engine), [""; 0]);
    give(&rig.engine, 2).unwrap();
    assert_eq!(rig.engine.due_receivers().unwrap(), []);
}

#[test]
fn an_event_subscription_ends_at_its_date() {
    let rig = Rig::new();
    let expires = Some(rig.engine.now().plus_seconds(DAY));
    subscribe(&rig.engine, "events", EventSubscriptionChanges { expires, ..EventSubscriptionChanges::default() });
    give(&rig.engine, 1).unwrap();
    let to = receiver(&rig.engine, "events");
    rig.clock.advance(DAY);
    assert_eq!(listed(&rig.engine), [""; 0]);
    assert!(rig.engine.due_deliveries(&to, 9).unwrap().is_none(), "and takes what it was not told with it");
    assert_eq!(rig.engine.due_receivers().unwrap(), []);
    let log = rig.engine.audit_log(0, usize::MAX).unwrap();
    assert!(log.iter().any(|(_, leaf)| leaf.contains("EventSubscriptionDelete")));
}

#[test]
fn one_made_anew_after_its_date_begins_with_nothing() {
    let rig = Rig::new();
    let expires = Some(rig.engine.now().plus_seconds(DAY));
    subscribe(&rig.engine, "events", EventSubscriptionChanges { expires, ..EventSubscriptionChanges::default() });
    give(&rig.engine, 1).unwrap();
    rig.clock.advance(DAY);
    give(&rig.engine, 2).unwrap();
    subscribe(&rig.engine, "events", EventSubscriptionChanges::default());
    assert_eq!(due(&rig.engine, "events"), []);
}

#[test]
fn an_update_leaves_what_it_does_not_name_and_a_put_does_not() {
    let rig = Rig::new();
    let (engine, administrator) = (&rig.engine, caller(ADMINISTRATOR));
    let made = subscribe(engine, "Events", only(&[NoticeKind::KeyExpired]));
    let update = EventSubscriptionRequest {
        endpoint: None,
        changes: EventSubscriptionChanges { labels: Some(vec!["l".to_owned()]), ..EventSubscriptionChanges::default() },
        is_update: true,
        ..request("EVENTS", EventSubscriptionChanges::default())
    };
    let prepared = prepare(engine, update).unwrap();
    assert_eq!(prepared.endpoint.expose(), URL, "the receiver is asked again");
    assert!(!engine.save_event_subscription(&administrator, &prepared).unwrap());
    let found = engine.event_subscription(&administrator, &place("events")).unwrap();
    assert_eq!(found, EventSubscription { labels: vec!["l".to_owned()], updated: found.updated, ..made });
    assert_eq!(engine.event_subscription_url(&administrator, &place("events")).unwrap().expose(), URL);
    let replaced = subscribe(engine, "events", EventSubscriptionChanges::default());
    assert_eq!((replaced.name.as_str(), replaced.labels.len()), ("Events", 0));
    assert_eq!(replaced.filter.kinds, NoticeKind::ALL);
}

#[test]
fn what_is_not_there_is_not_updated_shown_or_removed() {
    let rig = Rig::new();
    let (engine, administrator) = (&rig.engine, caller(ADMINISTRATOR));
    let not_found = |refusal: &Refusal| matches!(refusal, Refusal::Notice(NoticeRefusal::NotFound { .. }));
    let update = EventSubscriptionRequest { is_update: true, ..request("events", EventSubscriptionChanges::default()) };
    assert!(is_refused(prepare(engine, update), not_found));
    assert!(is_refused(engine.event_subscription(&administrator, &place("events")), not_found));
    assert!(is_refused(engine.event_subscription_url(&administrator, &place("events")), not_found));
    assert!(is_refused(engine.delete_event_subscription(&administrator, &place("events")), not_found));
    let nowhere = EventSubscriptionRequest { endpoint: None, ..request("events", EventSubscriptionChanges::default()) };
    let invalid = |refusal: &Refusal| *refusal == Refusal::Notice(NoticeRefusal::EndpointInvalid);
    assert!(is_refused(prepare(engine, nowhere), invalid));
    let elsewhere = EventSubscriptionPlace { vault: ContainerName::parse("nothing").unwrap(), ..place("events") };
    let no_vault = |refusal: &Refusal| *refusal == Refusal::ContainerNotFound;
    assert!(is_refused(engine.event_subscription(&administrator, &elsewhere), no_vault));
}

#[test]
fn what_the_receiver_agreed_to_is_what_is_kept_or_nothing() {
    let rig = Rig::new();
    let administrator = caller(ADMINISTRATOR);
    let slow = prepare(&rig.engine, request("events", EventSubscriptionChanges::default())).unwrap();
    subscribe(&rig.engine, "events", only(&[NoticeKind::KeyExpired]));
    assert!(matches!(rig.engine.save_event_subscription(&administrator, &slow), Err(Error::Busy)));
    let slow = prepare(&rig.engine, request("events", EventSubscriptionChanges::default())).unwrap();
    rig.engine.delete_event_subscription(&administrator, &place("events")).unwrap();
    assert!(matches!(rig.engine.save_event_subscription(&administrator, &slow), Err(Error::Busy)));
    assert_eq!(listed(&rig.engine), [""; 0]);
}

#[test]
fn a_vault_has_so_many_event_subscriptions_and_no_more() {
    let rig = Rig::new();
    let container = receiver(&rig.engine, "events").container;
    let store = SqliteStore::open(&rig.path()).unwrap();
    let store: &dyn Store = &store;
    let put = |tx: &mut dyn Tx| {
        for number in 0..domain::notice::MOST_EVENT_SUBSCRIPTIONS {
            let name = EventSubscriptionName::parse(&format!("event-{number}")).unwrap();
            tx.put_event_subscription(container, &EventSubscription::new(name, UnixTime(0)), &domain::Sealed(vec![]))?;
        }
        Ok::<_, Fault>(())
    };
    store.transact("test", put).unwrap();
    let prepared = prepare(&rig.engine, request("one-more", EventSubscriptionChanges::default())).unwrap();
    let refused = rig.engine.save_event_subscription(&caller(ADMINISTRATOR), &prepared);
    assert!(is_refused(refused, |refusal| matches!(refusal, Refusal::Notice(NoticeRefusal::TooMany { limit: 500 }))));
    subscribe(&rig.engine, "event-7", EventSubscriptionChanges::default());
    let expires = Some(rig.engine.now().plus_seconds(DAY));
    for number in 0..3 {
        let ending = EventSubscriptionChanges { expires, ..EventSubscriptionChanges::default() };
        subscribe(&rig.engine, &format!("event-{number}"), ending);
    }
    rig.clock.advance(DAY);
    subscribe(&rig.engine, "one-more", EventSubscriptionChanges::default());
    let kept = store.query(|read| read.event_subscriptions(container)).unwrap();
    assert_eq!(kept.len(), 498, "three had come to their end, and are in nobody's way");
}
