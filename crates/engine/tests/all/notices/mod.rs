//! Notices: written with their change or not at all, kept until they are taken or given up, and for whom they are meant.

mod changes;
mod deliveries;
mod protection;
mod subscriptions;

use crate::rig::{ADMINISTRATOR, Rig, TENANT, caller, engine_on, resource};
use domain::{
    AccessPolicy, ContainerKind, ContainerName, EventSubscriptionName, Guid, Refusal,
    notice::{Endpoint, EventSubscription, EventSubscriptionChanges, FilterChanges, NoticeKind},
};
use engine::{
    Engine, Error, EventSubscriptionPlace, EventSubscriptionRequest, PreparedSubscription, Receiver, StoredDelivery,
};
use std::{path::Path, sync::Arc};
use store::{Fault, Read, Store, Tx, Verdict, sqlite::SqliteStore};

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

fn receiver(engine: &Engine, name: &str) -> Receiver {
    let container = engine.open_container(ContainerKind::Vault, "contoso").unwrap().id();
    Receiver { container, name: EventSubscriptionName::parse(name).unwrap() }
}

fn due(engine: &Engine, name: &str) -> Vec<StoredDelivery> {
    let found = engine.due_deliveries(&receiver(engine, name), 99).unwrap();
    found.map(|outgoing| outgoing.deliveries).unwrap_or_default()
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

fn is_refused<T>(result: Result<T, Error>, why: impl Fn(&Refusal) -> bool) -> bool {
    matches!(result, Err(Error::Refused(refusal)) if why(&refusal))
}
