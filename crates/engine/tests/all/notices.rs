//! Notices: written with their change or not at all, kept until they are taken or given up, and for whom they are meant.

use crate::rig::{ADMINISTRATOR, DAY, Rig, SUBSCRIPTION, TENANT, caller, engine_on, resource, root, start};
use domain::{
    AccessPolicy, ContainerKind, ContainerName, EventSubscriptionName, Guid, Operation, PermissionModel, Refusal,
    UnixTime,
    access::{Scope, azure_roles},
    lock::{Act, Level, Lock, LockName},
    notice::{
        AfterAttempt, Endpoint, EventSubscription, EventSubscriptionChanges, FilterChanges, MOST_DELIVERIES,
        NoticeKind, NoticeRefusal, ReceiverAnswer, RetryPolicy,
    },
};
use engine::{
    ContainerPatch, Engine, Error, EventSubscriptionPlace, EventSubscriptionRequest, Outgoing, PreparedSubscription,
    ProfileRequest, Receiver, RoleAssignmentRequest, StoredDelivery, VaultSettings,
};
use std::{path::Path, sync::Arc};
use store::{Fault, Read, Store, Tx, Verdict, sqlite::SqliteStore};

const SOMEBODY: Guid = Guid::from_u128(0x50);
const URL: &str = "https://hooks.example.com/in-s3cret-of-the-receiver?code=s3cret-of-the-receiver";

fn vault() -> ContainerName {
    ContainerName::parse("contoso").unwrap()
}

fn place(name: &str) -> EventSubscriptionPlace {
    EventSubscriptionPlace { resource: resource(), vault: vault(), name: EventSubscriptionName::parse(name).unwrap() }
}

fn request(name: &str, changes: EventSubscriptionChanges) -> EventSubscriptionRequest {
    EventSubscriptionRequest { place: place(name), endpoint: Endpoint::parse(URL), changes, is_update: false }
}

fn only(kinds: &[NoticeKind]) -> EventSubscriptionChanges {
    let filter = FilterChanges { kinds: Some(kinds.to_vec()), ..FilterChanges::default() };
    EventSubscriptionChanges { filter, ..EventSubscriptionChanges::default() }
}

fn prepare(engine: &Engine, request: EventSubscriptionRequest) -> Result<PreparedSubscription, Error> {
    engine.prepare_event_subscription(&caller(ADMINISTRATOR), request)
}

fn subscribe(engine: &Engine, name: &str, changes: EventSubscriptionChanges) -> EventSubscription {
    let prepared = prepare(engine, request(name, changes)).unwrap();
    engine.save_event_subscription(&caller(ADMINISTRATOR), &prepared).unwrap();
    prepared.subscription
}

fn listed(engine: &Engine) -> Vec<String> {
    let found = engine.event_subscriptions(&caller(ADMINISTRATOR), &resource(), &vault()).unwrap();
    found.into_iter().map(|found| found.name.to_string()).collect()
}

/// Gives somebody a permission in the vault.
fn give(engine: &Engine, object_id: u128) -> Result<(), Error> {
    let policy = AccessPolicy {
        tenant: TENANT,
        object_id: Guid::from_u128(object_id).to_string(),
        application_id: None,
        keys: vec!["get".to_owned()],
        secrets: Vec::new(),
        certificates: Vec::new(),
        storage: Vec::new(),
    };
    let add = |mut policies: Vec<AccessPolicy>| {
        policies.push(policy.clone());
        policies
    };
    engine.change_access_policies(&caller(ADMINISTRATOR), &resource(), &vault(), add).map(drop)
}

fn patch(engine: &Engine, settings: VaultSettings) {
    let patch = ContainerPatch { profile: Some(ProfileRequest::Vault(settings)), ..ContainerPatch::default() };
    engine.patch_container(&caller(ADMINISTRATOR), ContainerKind::Vault, &resource(), &vault(), &patch).unwrap();
}

fn receiver(engine: &Engine, name: &str) -> Receiver {
    let container = engine.open_container(ContainerKind::Vault, "contoso").unwrap().id();
    Receiver { container, name: EventSubscriptionName::parse(name).unwrap() }
}

fn due(engine: &Engine, name: &str) -> Vec<StoredDelivery> {
    let found = engine.due_deliveries(&receiver(engine, name), 99).unwrap();
    found.map(|outgoing| outgoing.deliveries).unwrap_or_default()
}

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
fn a_change_of_access_is_told_to_each_who_asks_for_it() {
    let rig = Rig::new();
    let engine = &rig.engine;
    give(engine, 1).unwrap();
    subscribe(engine, "everything", EventSubscriptionChanges::default());
    subscribe(engine, "access", only(&[NoticeKind::VaultAccessPolicyChanged]));
    subscribe(engine, "keys", only(&[NoticeKind::KeyExpired]));
    assert_eq!(engine.due_receivers().unwrap(), [], "what was before is not told");
    give(engine, 2).unwrap();
    let waiting: Vec<String> = engine.due_receivers().unwrap().iter().map(|each| each.name.to_string()).collect();
    assert_eq!(waiting, ["everything", "access"]);
    let (first, second) = (due(engine, "everything"), due(engine, "access"));
    let notice = &first[0].delivery.notice;
    assert_eq!((first.len(), second.len(), &second[0].delivery.notice), (1, 1, notice), "one notice for all");
    assert_eq!((notice.kind, notice.subject()), (NoticeKind::VaultAccessPolicyChanged, "contoso"));
    let expected =
        format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/contoso");
    assert_eq!(notice.source, expected);
    give(engine, 3).unwrap();
    assert_ne!(due(engine, "access")[1].delivery.notice.id, notice.id);
}

#[test]
fn only_what_changes_access_is_told() {
    let rig = Rig::new();
    subscribe(&rig.engine, "events", EventSubscriptionChanges::default());
    let count = || due(&rig.engine, "events").len();
    patch(&rig.engine, VaultSettings { enabled_for_deployment: Some(true), ..VaultSettings::default() });
    patch(&rig.engine, VaultSettings { permission_model: Some(PermissionModel::Rbac), ..VaultSettings::default() });
    patch(&rig.engine, VaultSettings { access_policies: Some(Vec::new()), ..VaultSettings::default() });
    assert_eq!(count(), 0);
    let model = Some(PermissionModel::AccessPolicies);
    patch(&rig.engine, VaultSettings { permission_model: model, ..VaultSettings::default() });
    assert_eq!(count(), 1);
    give(&rig.engine, 1).unwrap();
    assert_eq!(count(), 2);
    patch(&rig.engine, VaultSettings { access_policies: Some(Vec::new()), ..VaultSettings::default() });
    assert_eq!(count(), 3);
    let request = rig.request(ContainerKind::Vault, "contoso");
    let model = VaultSettings { permission_model: Some(PermissionModel::Rbac), ..VaultSettings::default() };
    let request = engine::ContainerRequest { profile: ProfileRequest::Vault(model), ..request };
    rig.engine.put_container(&caller(ADMINISTRATOR), &request).unwrap();
    assert_eq!(count(), 4);
}

/// A store in which transactions of one name do all their work, and then can't be made durable.
struct NeverDurable {
    store: SqliteStore,
    name: &'static str,
}

impl Store for NeverDurable {
    fn write(&self, name: &'static str, work: &mut dyn FnMut(&mut dyn Tx) -> Verdict) -> Result<(), Fault> {
        if name != self.name {
            return self.store.write(name, work);
        }
        self.store.write(name, &mut |tx| {
            work(tx);
            Verdict::Abort
        })?;
        Err(Fault::CorruptRecord { what: "on purpose" })
    }

    fn read(&self, work: &mut dyn FnMut(&mut dyn Read)) -> Result<(), Fault> {
        self.store.read(work)
    }

    fn copy_to(&self, path: &Path) -> Result<(), Fault> {
        self.store.copy_to(path)
    }
}

fn broken(rig: &Rig, operation: &'static str) -> Engine {
    let store = NeverDurable { store: SqliteStore::open(&rig.path()).unwrap(), name: operation };
    engine_on(Arc::new(store), Arc::clone(&rig.clock) as _)
}

#[test]
fn a_notice_is_there_if_and_only_if_its_change_is() {
    let rig = Rig::new();
    subscribe(&rig.engine, "events", EventSubscriptionChanges::default());
    let engine = broken(&rig, Operation::VaultAccessPolicyPut.name());
    assert!(matches!(give(&engine, 1), Err(Error::Store(_))));
    let log = engine.audit_log(0, usize::MAX).unwrap();
    let told = |(_, leaf): &(u64, String)| leaf.contains("VaultAccessPolicyPut");
    assert_eq!((due(&rig.engine, "events").len(), log.iter().filter(|each| told(each)).count()), (0, 0));
    let found = rig.engine.get_container(&caller(ADMINISTRATOR), ContainerKind::Vault, &resource(), &vault()).unwrap();
    let domain::Profile::Vault(profile) = found.profile else { panic!("a vault") };
    assert!(profile.access_policies.is_empty());
    give(&rig.engine, 1).unwrap();
    assert_eq!(due(&rig.engine, "events").len(), 1);
}

#[test]
fn what_is_refused_is_not_told() {
    let rig = Rig::new();
    subscribe(&rig.engine, "events", EventSubscriptionChanges::default());
    let scope = Scope::new(&format!("/subscriptions/{SUBSCRIPTION}"));
    let name = LockName::parse("keep").unwrap();
    let lock =
        Lock { scope: scope.clone(), name: name.clone(), level: Level::ReadOnly, notes: None, owners: Vec::new() };
    rig.engine.put_lock(&caller(ADMINISTRATOR), &lock).unwrap();
    assert!(matches!(give(&rig.engine, 1), Err(Error::Refused(Refusal::ScopeLocked { .. }))));
    assert_eq!(due(&rig.engine, "events").len(), 0);
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

fn is_refused<T>(result: Result<T, Error>, why: impl Fn(&Refusal) -> bool) -> bool {
    matches!(result, Err(Error::Refused(refusal)) if why(&refusal))
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
