//! Deliveries: settled, tried again and given up, and whose they are when their receiver is replaced.

use super::{broken, due, give, place, receiver, subscribe};
use crate::rig::{ADMINISTRATOR, DAY, Rig, caller, root, start};
use domain::notice::{AfterAttempt, EventSubscriptionChanges, MOST_DELIVERIES, ReceiverAnswer, RetryPolicy};
use engine::{Engine, Outgoing};
use store::{Fault, Store, Tx, sqlite::SqliteStore};

fn settle(engine: &Engine, name: &str, position: u64, status: u16) -> Option<AfterAttempt> {
    engine.settle_delivery(&outgoing(engine, name), position, answered(status)).unwrap()
}

fn outgoing(engine: &Engine, name: &str) -> Outgoing {
    engine.due_deliveries(&receiver(engine, name), 99).unwrap().unwrap()
}

fn answered(status: u16) -> ReceiverAnswer {
    ReceiverAnswer { status: Some(status), retry_after_seconds: None }
}

#[test]
fn an_outcome_that_is_lost_makes_the_attempt_again_under_the_same_id() {
    let rig = Rig::new();
    subscribe(&rig.engine, "events", EventSubscriptionChanges::default());
    give(&rig.engine, 1).unwrap();
    let before = due(&rig.engine, "events");
    let engine = broken(&rig, "SettleDelivery");
    assert!(engine.settle_delivery(&outgoing(&engine, "events"), before[0].position, answered(200)).is_err());
    let again = start(&rig.path(), &rig.clock, &root(128)).unwrap();
    assert_eq!(due(&again, "events"), before);
    assert_eq!(settle(&again, "events", before[0].position, 200), Some(AfterAttempt::Delivered));
    assert_eq!(due(&rig.engine, "events"), []);
}

#[test]
fn a_delivery_waits_for_its_next_attempt_and_is_given_up_in_the_end() {
    let rig = Rig::new();
    let retry = RetryPolicy::new(3, 1440);
    subscribe(&rig.engine, "events", EventSubscriptionChanges { retry, ..EventSubscriptionChanges::default() });
    give(&rig.engine, 1).unwrap();
    let position = due(&rig.engine, "events")[0].position;
    for (attempt, wait) in [(1, 10), (2, 30)] {
        assert!(matches!(settle(&rig.engine, "events", position, 500), Some(AfterAttempt::Again(_))));
        assert_eq!((due(&rig.engine, "events"), rig.engine.due_receivers().unwrap()), (vec![], vec![]));
        rig.clock.advance(wait);
        assert_eq!(due(&rig.engine, "events")[0].delivery.attempts, attempt);
    }
    assert_eq!(settle(&rig.engine, "events", position, 500), Some(AfterAttempt::Dropped));
    rig.clock.advance(DAY);
    assert_eq!(due(&rig.engine, "events"), []);
    assert_eq!(settle(&rig.engine, "events", position, 200), None, "it is gone");
    let attempts = rig.engine.metrics().attempts;
    assert_eq!((attempts.delivered, attempts.repeated, attempts.dropped), (0, 2, 1));
}

#[test]
fn what_is_given_up_without_an_attempt_is_gone() {
    let rig = Rig::new();
    subscribe(&rig.engine, "events", EventSubscriptionChanges::default());
    (1..=3).for_each(|number| give(&rig.engine, number).unwrap());
    let positions: Vec<u64> = due(&rig.engine, "events").iter().map(|stored| stored.position).collect();
    let to = outgoing(&rig.engine, "events");
    rig.engine.drop_deliveries(&to, &positions[..2]).unwrap();
    rig.engine.drop_deliveries(&to, &positions[..2]).unwrap();
    assert_eq!(rig.engine.metrics().attempts.dropped, 2, "each once");
    assert_eq!(due(&rig.engine, "events").iter().map(|stored| stored.position).collect::<Vec<_>>(), positions[2..]);
}

#[test]
fn what_is_under_way_to_a_receiver_that_was_replaced_stays_for_the_new_one() {
    let rig = Rig::new();
    let engine = &rig.engine;
    subscribe(engine, "events", EventSubscriptionChanges::default());
    (1..=2).for_each(|number| give(engine, number).unwrap());
    let old = outgoing(engine, "events");
    let [first, second] = [0, 1].map(|index| old.deliveries[index].position);
    assert!(engine.is_to_be_told(&old, first).unwrap() && engine.is_current(&old.receiver, &old.generation).unwrap());
    assert_eq!(engine.settle_delivery(&old, first, answered(200)).unwrap(), Some(AfterAttempt::Delivered));
    assert!(!engine.is_to_be_told(&old, first).unwrap(), "it was told");
    // In the same second: no time tells one from the other.
    subscribe(engine, "events", EventSubscriptionChanges::default());
    assert!(
        !engine.is_to_be_told(&old, second).unwrap() && !engine.is_current(&old.receiver, &old.generation).unwrap()
    );
    for status in [200, 400, 500] {
        assert_eq!(engine.settle_delivery(&old, second, answered(status)).unwrap(), None);
    }
    engine.drop_deliveries(&old, &[second]).unwrap();
    assert_eq!(due(engine, "events"), old.deliveries[1..], "as if nothing had been tried");
    let attempts = engine.metrics().attempts;
    assert_eq!((attempts.delivered, attempts.repeated, attempts.dropped), (1, 0, 0));
    let new = outgoing(engine, "events");
    assert!(engine.is_to_be_told(&new, second).unwrap());
    engine.delete_event_subscription(&caller(ADMINISTRATOR), &place("events")).unwrap();
    assert!(!engine.is_to_be_told(&new, second).unwrap());
}

#[test]
fn so_much_waits_for_a_receiver_and_then_the_oldest_goes() {
    let rig = Rig::new();
    let engine = &rig.engine;
    subscribe(engine, "events", EventSubscriptionChanges::default());
    give(engine, 1).unwrap();
    let (to, first) = (receiver(engine, "events"), due(engine, "events").remove(0));
    let store = SqliteStore::open(&rig.path()).unwrap();
    let store: &dyn Store = &store;
    let fill = |tx: &mut dyn Tx| {
        (1..MOST_DELIVERIES).try_for_each(|_| tx.insert_delivery(&to, &first.delivery).map(drop))?;
        Ok::<_, Fault>(())
    };
    store.transact("test", fill).unwrap();
    let waiting = || store.query(|read| read.count_deliveries(&to)).unwrap();
    assert_eq!(waiting(), 10_000);
    give(engine, 2).unwrap();
    assert_eq!(waiting(), 9_901, "a hundred at once, and room for some more");
    assert_eq!(store.query(|read| read.delivery(first.position)).unwrap(), None);
    give(engine, 3).unwrap();
    assert_eq!((waiting(), engine.metrics().attempts.displaced), (9_902, 100));
}
