//! What guards event subscriptions: rights, locks, and the sealing of their receivers' URLs.

use super::{URL, give, is_refused, listed, place, prepare, receiver, request, subscribe};
use crate::rig::{ADMINISTRATOR, Rig, SUBSCRIPTION, caller, root, start};
use domain::{
    EventSubscriptionName, Guid, Refusal, UnixTime,
    access::{Scope, azure_roles},
    lock::{Act, Level, Lock, LockName},
    notice::{EventSubscription, EventSubscriptionChanges},
};
use engine::{Error, RoleAssignmentRequest};
use store::{Store, sqlite::SqliteStore};

const SOMEBODY: Guid = Guid::from_u128(0x50);

#[test]
fn who_may_read_an_event_subscription_does_not_see_its_whole_url() {
    let rig = Rig::new();
    let (engine, somebody, administrator) = (&rig.engine, caller(SOMEBODY), caller(ADMINISTRATOR));
    subscribe(engine, "events", EventSubscriptionChanges::default());
    let forbidden = |refusal: &Refusal| matches!(refusal, Refusal::Forbidden { .. });
    let asked = || request("events", EventSubscriptionChanges::default());
    assert!(is_refused(engine.event_subscription(&somebody, &place("events")), forbidden));
    let reader = azure_roles().iter().find(|role| role.name == "Reader").unwrap().id;
    let scope = Scope::new(&format!("/subscriptions/{SUBSCRIPTION}"));
    let grant = RoleAssignmentRequest { name: Guid::from_u128(7), scope, role: reader, principal: SOMEBODY };
    engine.put_arm_role_assignment(&administrator, &grant).unwrap();
    let found = engine.event_subscription(&somebody, &place("events")).unwrap();
    assert_eq!(found.endpoint_base_url, "https://hooks.example.com");
    assert!(is_refused(engine.event_subscription_url(&somebody, &place("events")), forbidden));
    assert!(is_refused(engine.prepare_event_subscription(&somebody, asked()), forbidden));
    let prepared = prepare(engine, asked()).unwrap();
    assert!(is_refused(engine.save_event_subscription(&somebody, &prepared), forbidden));
    assert!(is_refused(engine.delete_event_subscription(&somebody, &place("events")), forbidden));
}

#[test]
fn locks_keep_event_subscriptions_as_they_are() {
    let rig = Rig::new();
    let (engine, administrator) = (&rig.engine, caller(ADMINISTRATOR));
    subscribe(engine, "events", EventSubscriptionChanges::default());
    let prepared = prepare(engine, request("events", EventSubscriptionChanges::default())).unwrap();
    let scope = Scope::new(&format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"));
    let lock = |level| {
        let name = LockName::parse("keep").unwrap();
        let lock = Lock { scope: scope.clone(), name, level, notes: None, owners: Vec::new() };
        engine.put_lock(&administrator, &lock).unwrap();
    };
    let locked = |act| move |refusal: &Refusal| matches!(refusal, Refusal::ScopeLocked { act: of, .. } if *of == act);
    lock(Level::CanNotDelete);
    assert!(is_refused(engine.delete_event_subscription(&administrator, &place("events")), locked(Act::Delete)));
    subscribe(engine, "others", EventSubscriptionChanges::default());
    lock(Level::ReadOnly);
    let asked = request("events", EventSubscriptionChanges::default());
    assert!(is_refused(prepare(engine, asked), locked(Act::Write)), "before the receiver is asked");
    assert!(is_refused(engine.save_event_subscription(&administrator, &prepared), locked(Act::Write)));
    assert_eq!(listed(engine), ["events", "others"]);
}

#[test]
fn the_url_of_a_receiver_is_in_no_file() {
    let rig = Rig::new();
    subscribe(&rig.engine, "events", EventSubscriptionChanges::default());
    give(&rig.engine, 1).unwrap();
    for entry in std::fs::read_dir(rig.path().parent().unwrap()).unwrap() {
        // Another process reads: the engine's locks on the file end when this process closes it.
        let bytes = std::process::Command::new("cat").arg(entry.unwrap().path()).output().unwrap().stdout;
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("s3cret-of-the-receiver"));
    }
    let again = start(&rig.path(), &rig.clock, &root(128)).unwrap();
    let outgoing = again.due_deliveries(&receiver(&again, "events"), 9).unwrap().unwrap();
    assert_eq!(outgoing.endpoint.expose(), URL);
    let taken = again.due_deliveries(&receiver(&again, "events"), 0).unwrap().unwrap();
    assert_eq!(taken.deliveries, []);
}

#[test]
fn an_endpoint_does_not_open_under_another_name_or_vault() {
    let rig = Rig::new();
    subscribe(&rig.engine, "events", EventSubscriptionChanges::default());
    let to = receiver(&rig.engine, "events");
    let store = SqliteStore::open(&rig.path()).unwrap();
    let store: &dyn Store = &store;
    let stored = store.query(|read| read.event_subscription(&to)).unwrap().unwrap();
    let moved = EventSubscription::new(EventSubscriptionName::parse("moved").unwrap(), UnixTime(0));
    store.transact("test", |tx| tx.put_event_subscription(to.container, &moved, &stored.endpoint)).unwrap();
    let opened = rig.engine.event_subscription_url(&caller(ADMINISTRATOR), &place("moved"));
    assert!(matches!(opened.err(), Some(Error::Custody(_))));
}
