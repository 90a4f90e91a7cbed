//! Event subscriptions and the deliveries that wait for them.

use super::{
    row::{Outcome, after_position, decode, encode, guid_key, guid_of, limit_of, many, one, position_of},
    session::{Session, sealed},
    slots,
};
use crate::{Fault, Receiver, StoredDelivery, StoredEventSubscription};
use domain::{
    ContainerId, Sealed, UnixTime,
    notice::{Delivery, EventSubscription, Listener},
};

const NUMBER: &str = "SELECT number FROM event_subscriptions WHERE container = ?1 AND name = ?2";
const EVENT_SUBSCRIPTION: &str = "SELECT e.record, s.bytes FROM event_subscriptions e
     LEFT JOIN slots s ON s.id = e.endpoint WHERE e.container = ?1 AND e.name = ?2";
const EVENT_SUBSCRIPTIONS: &str = "SELECT e.record, s.bytes FROM event_subscriptions e
     LEFT JOIN slots s ON s.id = e.endpoint WHERE e.container = ?1 ORDER BY e.name";
const LISTENERS: &str = "SELECT record FROM event_subscriptions WHERE container = ?1 ORDER BY name";
/// The first delivery of the next event subscription that has any. Asked again and again it skips from one to the next,
/// however many deliveries each of them has.
const NEXT_WAITING: &str = "SELECT d.event_subscription, d.due, e.container, e.record
     FROM deliveries d CROSS JOIN event_subscriptions e ON e.number = d.event_subscription
     WHERE d.event_subscription > ?1 ORDER BY d.event_subscription, d.due LIMIT 1";
const DUE: &str = "SELECT position, record FROM deliveries WHERE event_subscription = ?1 AND due <= ?2
     ORDER BY due, position LIMIT ?3";
const DELIVERY: &str = "SELECT record FROM deliveries WHERE position = ?1";

const PUT_EVENT_SUBSCRIPTION: &str =
    "INSERT INTO event_subscriptions (container, name, endpoint, record) VALUES (?1, ?2, ?3, ?4)
     ON CONFLICT (container, name) DO UPDATE SET endpoint = excluded.endpoint, record = excluded.record";
const REMOVE_EVENT_SUBSCRIPTION: &str = "DELETE FROM event_subscriptions WHERE number = ?1";
const REMOVE_DELIVERIES: &str = "DELETE FROM deliveries WHERE event_subscription = ?1";
const INSERT_DELIVERY: &str = "INSERT INTO deliveries (event_subscription, due, record) VALUES (?1, ?2, ?3)";
const SAVE_DELIVERY: &str = "UPDATE deliveries SET due = ?2, record = ?3 WHERE position = ?1";
const REMOVE_DELIVERY: &str = "DELETE FROM deliveries WHERE position = ?1";
const WAITING: &str = "SELECT waiting FROM event_subscriptions WHERE container = ?1 AND name = ?2";
const COUNT_IN: &str = "UPDATE event_subscriptions SET waiting = waiting + 1 WHERE number = ?1";
const COUNT_OUT: &str = "UPDATE event_subscriptions SET waiting = waiting - 1
     WHERE number = (SELECT event_subscription FROM deliveries WHERE position = ?1)";
const COUNT_OUT_MANY: &str = "UPDATE event_subscriptions SET waiting = waiting - ?2 WHERE number = ?1";
/// By the index: otherwise all deliveries of others that are older would be looked at. It sorts what waits for the one
/// receiver; many are dropped at once, and so it is seldom done.
pub(super) const DROP_OLDEST: &str = "DELETE FROM deliveries WHERE position IN (
         SELECT position FROM deliveries INDEXED BY deliveries_due WHERE event_subscription = ?1
         ORDER BY position LIMIT ?2)";

/// What goes with a container, in this order.
pub(super) const REMOVE_OF_CONTAINER: [&str; 2] = [
    "DELETE FROM deliveries WHERE event_subscription IN (SELECT number FROM event_subscriptions WHERE container = ?1)",
    "DELETE FROM event_subscriptions WHERE container = ?1",
];

/// Named for the test of their plans.
#[cfg(test)]
pub(super) const SEARCHES: [&str; 17] = [
    NUMBER,
    EVENT_SUBSCRIPTION,
    EVENT_SUBSCRIPTIONS,
    LISTENERS,
    NEXT_WAITING,
    DUE,
    DELIVERY,
    REMOVE_EVENT_SUBSCRIPTION,
    REMOVE_DELIVERIES,
    SAVE_DELIVERY,
    REMOVE_DELIVERY,
    WAITING,
    COUNT_IN,
    COUNT_OUT,
    COUNT_OUT_MANY,
    REMOVE_OF_CONTAINER[0],
    REMOVE_OF_CONTAINER[1],
];

fn key(receiver: &Receiver) -> ([u8; 16], String) {
    (guid_key(receiver.container.0), receiver.name.folded())
}

fn stored(row: &rusqlite::Row<'_>) -> Outcome<StoredEventSubscription> {
    Ok(StoredEventSubscription { subscription: decode(row, 0, "event subscription")?, endpoint: sealed(row, 1)? })
}

impl Session<'_> {
    pub(super) fn event_subscription_of(&self, receiver: &Receiver) -> Outcome<Option<StoredEventSubscription>> {
        one(self.connection, EVENT_SUBSCRIPTION, key(receiver), stored)
    }

    pub(super) fn event_subscriptions_of(&self, container: ContainerId) -> Outcome<Vec<StoredEventSubscription>> {
        many(self.connection, EVENT_SUBSCRIPTIONS, [guid_key(container.0)], stored)
    }

    pub(super) fn listeners_of(&self, container: ContainerId) -> Outcome<Vec<Listener>> {
        many(self.connection, LISTENERS, [guid_key(container.0)], |row| decode(row, 0, "event subscription"))
    }

    pub(super) fn receivers_due(&self, now: UnixTime) -> Outcome<Vec<Receiver>> {
        let mut due = Vec::new();
        let mut after = i64::MIN;
        loop {
            let next = one(self.connection, NEXT_WAITING, [after], |row| {
                let found: EventSubscription = decode(row, 3, "event subscription")?;
                let receiver = Receiver { container: ContainerId(guid_of(row, 2)?), name: found.name };
                Ok((row.get::<_, i64>(0)?, UnixTime(row.get(1)?), receiver))
            })?;
            let Some((number, first, receiver)) = next else { return Ok(due) };
            if first <= now {
                due.push(receiver);
            }
            after = number;
        }
    }

    pub(super) fn deliveries_due(
        &self,
        receiver: &Receiver,
        now: UnixTime,
        limit: usize,
    ) -> Outcome<Vec<StoredDelivery>> {
        let Some(number) = self.event_subscription_number(receiver)? else { return Ok(Vec::new()) };
        many(self.connection, DUE, (number, now.0, limit_of(limit)), |row| {
            Ok(StoredDelivery { position: position_of(row, 0)?, delivery: decode(row, 1, "delivery")? })
        })
    }

    pub(super) fn delivery_at(&self, position: u64) -> Outcome<Option<Delivery>> {
        one(self.connection, DELIVERY, [after_position(position)], |row| decode(row, 0, "delivery"))
    }

    pub(super) fn deliveries_waiting(&self, receiver: &Receiver) -> Outcome<usize> {
        let found = one(self.connection, WAITING, key(receiver), |row| Ok(row.get::<_, i64>(0)?))?;
        usize::try_from(found.unwrap_or(0)).map_err(|_| Fault::CorruptRecord { what: "event subscription" })
    }

    pub(super) fn delete_oldest_deliveries(&self, receiver: &Receiver, limit: usize) -> Outcome<usize> {
        let number = self.known_event_subscription(receiver)?;
        let removed = self.connection.prepare_cached(DROP_OLDEST)?.execute((number, limit_of(limit)))?;
        self.execute_one(COUNT_OUT_MANY, (number, limit_of(removed)), "event subscription is not there")?;
        Ok(removed)
    }

    fn event_subscription_number(&self, receiver: &Receiver) -> Outcome<Option<i64>> {
        one(self.connection, NUMBER, key(receiver), |row| Ok(row.get(0)?))
    }

    fn known_event_subscription(&self, receiver: &Receiver) -> Outcome<i64> {
        let number = self.event_subscription_number(receiver)?;
        number.ok_or(Fault::UnexpectedRow { what: "event subscription is not there" })
    }

    pub(super) fn upsert_event_subscription(
        &self,
        container: ContainerId,
        subscription: &EventSubscription,
        endpoint: &Sealed,
    ) -> Outcome<()> {
        let receiver = Receiver { container, name: subscription.name.clone() };
        if let Some(number) = self.event_subscription_number(&receiver)? {
            slots::erase(self.connection, slots::ERASE_OF_EVENT_SUBSCRIPTION, number)?;
        }
        let slot = slots::store(self.connection, &endpoint.0)?;
        let (container, name) = key(&receiver);
        let row = (container, name, slot, encode(subscription)?);
        self.execute_one(PUT_EVENT_SUBSCRIPTION, row, "the container of an event subscription is not there")
    }

    pub(super) fn delete_event_subscription(&self, receiver: &Receiver) -> Outcome<()> {
        let number = self.known_event_subscription(receiver)?;
        slots::erase(self.connection, slots::ERASE_OF_EVENT_SUBSCRIPTION, number)?;
        self.connection.prepare_cached(REMOVE_DELIVERIES)?.execute([number])?;
        self.execute_one(REMOVE_EVENT_SUBSCRIPTION, [number], "event subscription is not there")
    }

    pub(super) fn append_delivery(&self, receiver: &Receiver, delivery: &Delivery) -> Outcome<u64> {
        let number = self.known_event_subscription(receiver)?;
        self.execute_one(INSERT_DELIVERY, (number, delivery.due.0, encode(delivery)?), "delivery")?;
        let position = self.connection.last_insert_rowid();
        self.execute_one(COUNT_IN, [number], "event subscription is not there")?;
        u64::try_from(position).map_err(|_| Fault::CorruptRecord { what: "delivery" })
    }

    pub(super) fn update_delivery(&self, position: u64, delivery: &Delivery) -> Outcome<()> {
        let row = (after_position(position), delivery.due.0, encode(delivery)?);
        self.execute_one(SAVE_DELIVERY, row, "delivery is not there")
    }

    pub(super) fn delete_delivery(&self, position: u64) -> Outcome<()> {
        self.execute_one(COUNT_OUT, [after_position(position)], "delivery is not there")?;
        self.execute_one(REMOVE_DELIVERY, [after_position(position)], "delivery is not there")
    }
}
