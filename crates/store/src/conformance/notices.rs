//! Event subscriptions, and the deliveries that wait for them.

use super::{Harness, fixtures::*};
use crate::{Receiver, Store, StoredDelivery, StoredEventSubscription};
use domain::{
    EventSubscriptionName, UnixTime,
    notice::{Delivery, EventSubscription, Notice, NoticeKind},
};

fn name(text: &str) -> EventSubscriptionName {
    EventSubscriptionName::parse(text).unwrap()
}

fn subscription(of: &str) -> EventSubscription {
    EventSubscription::new(name(of), NOW)
}

fn receiver(container: u128, of: &str) -> Receiver {
    Receiver { container: container_id(container), name: name(of) }
}

fn put(store: &dyn Store, container: u128, of: &str) {
    let endpoint = sealed(&format!("endpoint of {of}"));
    write(store, |tx| tx.put_event_subscription(container_id(container), &subscription(of), &endpoint));
}

/// One of the vault itself, with an id that tells its number.
fn delivery(number: u128, due: i64) -> Delivery {
    let notice = Notice {
        id: guid(number),
        kind: NoticeKind::VaultAccessPolicyChanged,
        time: NOW,
        vault: container_name("one"),
        source: "/one".to_owned(),
        about: None,
    };
    Delivery { notice, attempts: 0, due: UnixTime(due) }
}

fn insert(store: &dyn Store, to: &Receiver, number: u128, due: i64) -> u64 {
    write(store, |tx| tx.insert_delivery(to, &delivery(number, due)))
}

/// Numbers of the deliveries that are due.
fn due(store: &dyn Store, of: &Receiver, now: i64, limit: usize) -> Vec<u128> {
    let found = read(store, |tx| tx.due_deliveries(of, UnixTime(now), limit));
    found.into_iter().map(|stored| stored.delivery.notice.id.as_u128()).collect()
}

fn names_of(store: &dyn Store, container: u128) -> Vec<String> {
    let found = read(store, |tx| tx.event_subscriptions(container_id(container)));
    found.into_iter().map(|stored| stored.subscription.name.to_string()).collect()
}

/// Names of those that have something due.
fn waiting(store: &dyn Store, now: i64) -> Vec<String> {
    let found = read(store, |tx| tx.due_receivers(UnixTime(now)));
    found.into_iter().map(|receiver| receiver.name.to_string()).collect()
}

pub fn an_event_subscription_is_found_in_its_container_without_case(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    write(store, |tx| tx.insert_container(&vault(2, "two"), &sealed("k")));
    for (container, of) in [(1, "beta"), (1, "Alpha"), (2, "beta")] {
        put(store, container, of);
    }
    assert_eq!(names_of(store, 1), ["Alpha", "beta"], "in the order of folded names");
    assert_eq!(names_of(store, 2), ["beta"]);
    assert_eq!(names_of(store, 3), [""; 0]);
    let listeners = read(store, |tx| tx.listeners(container_id(1)));
    assert_eq!(listeners.iter().map(|listener| listener.name.as_str()).collect::<Vec<_>>(), ["Alpha", "beta"]);
    let found = read(store, |tx| tx.event_subscription(&receiver(1, "ALPHA"))).unwrap();
    assert_eq!(found.endpoint, sealed("endpoint of Alpha"));
    assert_eq!(found.subscription, subscription("Alpha"), "kept as given");
    assert_eq!(read(store, |tx| tx.event_subscription(&receiver(2, "alpha"))), None);
}

pub fn an_event_subscription_is_put_over_the_one_of_its_name_with_its_deliveries(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    put(store, 1, "alpha");
    insert(store, &receiver(1, "alpha"), 1, 5);
    let changed = EventSubscription { labels: vec!["l".to_owned()], ..subscription("ALPHA") };
    write(store, |tx| tx.put_event_subscription(container_id(1), &changed, &sealed("another, longer endpoint")));
    let expected = StoredEventSubscription { subscription: changed, endpoint: sealed("another, longer endpoint") };
    assert_eq!(read(store, |tx| tx.event_subscriptions(container_id(1))), [expected]);
    assert_eq!(due(store, &receiver(1, "alpha"), 5, 9), [1], "what waits for it waits on");
}

pub fn an_event_subscription_needs_its_container(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    assert_unexpected(store, |tx| tx.put_event_subscription(container_id(9), &subscription("alpha"), &sealed("e")));
}

pub fn a_removed_event_subscription_takes_its_deliveries_and_no_others(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    for of in ["alpha", "beta"] {
        put(store, 1, of);
        insert(store, &receiver(1, of), 7, 5);
    }
    write(store, |tx| tx.remove_event_subscription(&receiver(1, "ALPHA")));
    assert_eq!(names_of(store, 1), ["beta"]);
    assert_eq!(waiting(store, 9), ["beta"]);
    assert_unexpected(store, |tx| tx.remove_event_subscription(&receiver(1, "alpha")));
    assert_unexpected(store, |tx| tx.insert_delivery(&receiver(1, "alpha"), &delivery(1, 1)).map(drop));
    put(store, 1, "alpha");
    assert_eq!(due(store, &receiver(1, "alpha"), 9, 9), [0_u128; 0], "one made anew begins with nothing");
}

pub fn a_removed_container_takes_its_event_subscriptions_and_no_others(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    write(store, |tx| tx.insert_container(&vault(2, "two"), &sealed("k")));
    for (container, of) in [(1, "alpha"), (1, "beta"), (2, "alpha")] {
        put(store, container, of);
        insert(store, &receiver(container, of), container, 5);
    }
    write(store, |tx| tx.remove_container(container_id(1), proof()));
    assert_eq!(names_of(store, 1), [""; 0]);
    assert_eq!(read(store, |tx| tx.due_receivers(UnixTime(9))), [receiver(2, "alpha")]);
    assert_eq!(due(store, &receiver(2, "alpha"), 9, 9), [2]);
}

pub fn deliveries_are_due_from_their_date_on_the_longest_due_first(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    let (alpha, beta) = (receiver(1, "alpha"), receiver(1, "beta"));
    put(store, 1, "alpha");
    put(store, 1, "beta");
    for (number, at) in [(1, 30), (2, 10), (3, 20), (4, 20)] {
        insert(store, &alpha, number, at);
    }
    insert(store, &beta, 5, 15);
    assert_eq!(waiting(store, 9), [""; 0]);
    assert_eq!(waiting(store, 14), ["alpha"]);
    assert_eq!(waiting(store, 15), ["alpha", "beta"]);
    assert_eq!(due(store, &alpha, 9, 9), [0_u128; 0]);
    assert_eq!(due(store, &alpha, 20, 9), [2, 3, 4], "as they came, where they are due together");
    assert_eq!(due(store, &alpha, 99, 2), [2, 3]);
    assert_eq!(due(store, &beta, 99, 9), [5]);
}

pub fn a_delivery_moves_and_goes(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    let alpha = receiver(1, "alpha");
    put(store, 1, "alpha");
    let (first, second) = (insert(store, &alpha, 1, 10), insert(store, &alpha, 2, 10));
    assert!(first < second);
    let later = Delivery { attempts: 3, ..delivery(1, 50) };
    write(store, |tx| tx.save_delivery(first, &later));
    assert_eq!(due(store, &alpha, 49, 9), [2]);
    let expected = StoredDelivery { position: first, delivery: later.clone() };
    assert_eq!(read(store, |tx| tx.due_deliveries(&alpha, UnixTime(50), 9))[1], expected);
    assert_eq!(read(store, |tx| tx.delivery(first)), Some(later.clone()));
    write(store, |tx| tx.remove_delivery(second));
    assert_unexpected(store, |tx| tx.remove_delivery(second));
    assert_unexpected(store, |tx| tx.save_delivery(second, &later));
    assert_eq!(read(store, |tx| tx.delivery(second)), None);
    assert!(insert(store, &alpha, 3, 10) > second, "a position is not given twice");
}

pub fn the_oldest_deliveries_go_and_what_waits_is_counted(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    let (alpha, beta) = (receiver(1, "alpha"), receiver(1, "beta"));
    put(store, 1, "alpha");
    put(store, 1, "beta");
    let count = |of: &Receiver| read(store, |tx| tx.count_deliveries(of));
    assert_eq!((count(&alpha), count(&receiver(1, "gamma"))), (0, 0));
    for (number, at) in [(1, 30), (2, 10), (3, 20), (4, 40)] {
        insert(store, &beta, 10 + number, at);
        insert(store, &alpha, number, at);
    }
    assert_eq!((count(&alpha), count(&receiver(1, "ALPHA")), count(&beta)), (4, 4, 4));
    assert_eq!(write(store, |tx| tx.drop_oldest_deliveries(&alpha, 2)), 2);
    assert_eq!((due(store, &alpha, 99, 9), count(&alpha), count(&beta)), (vec![3, 4], 2, 4), "not the longest due");
    let position = read(store, |tx| tx.due_deliveries(&alpha, UnixTime(99), 1))[0].position;
    write(store, |tx| tx.save_delivery(position, &delivery(3, 50)));
    assert_eq!(count(&alpha), 2);
    write(store, |tx| tx.remove_delivery(position));
    put(store, 1, "alpha");
    assert_eq!(count(&alpha), 1, "what waits for it waits on");
    assert_eq!(write(store, |tx| tx.drop_oldest_deliveries(&alpha, 9)), 1);
    assert_eq!((count(&alpha), due(store, &alpha, 99, 9)), (0, vec![]));
    assert_unexpected(store, |tx| tx.drop_oldest_deliveries(&receiver(1, "gamma"), 1).map(drop));
}

pub fn deliveries_stay_when_the_store_is_opened_again_and_go_with_an_abort(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    put(store, 1, "alpha");
    insert(store, &receiver(1, "alpha"), 1, 10);
    let aborted: Result<(), crate::Fault> = store.transact("test", |tx| {
        tx.insert_delivery(&receiver(1, "alpha"), &delivery(2, 10))?;
        Err(crate::Fault::CorruptRecord { what: "on purpose" })
    });
    assert!(aborted.is_err());
    harness.reopen();
    assert_eq!(due(harness.store(), &receiver(1, "alpha"), 10, 9), [1]);
}
