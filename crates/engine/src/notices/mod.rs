//! Notices: writing them with the change they tell of, and handing them out until their receivers have them.
//!
//! A notice is written in the transaction of its change, once for each event subscription that asks for it, so it is told
//! if and only if the change stands. It stays until its receiver has taken it or the retry policy gives up: who dies
//! between an attempt and its outcome makes the attempt again. Nothing here sends: that is the server's.

mod expiry;
mod subscriptions;

pub use subscriptions::{EventSubscriptionPlace, EventSubscriptionRequest, PreparedSubscription};

use crate::{Engine, Error, Subject};
use domain::{
    Container, ContainerKind, ContainerName, Object, Operation, Profile, Sealed, UnixTime, VaultProfile, Version,
    notice::{
        AfterAttempt, DELIVERIES_DROPPED_AT_ONCE, Delivery, Endpoint, EventSubscription, MOST_DELIVERIES, Notice,
        NoticeKind, NoticedVersion, ReceiverAnswer, VersionEvent,
    },
};
use store::{Read, Receiver, StoredDelivery, StoredEventSubscription, Tx};

/// One making or changing of an event subscription: each seals the endpoint anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation(Sealed);

/// What is to be sent to one receiver now, as its event subscription was when this was asked for.
pub struct Outgoing {
    pub receiver: Receiver,
    pub generation: Generation,
    pub subscription: EventSubscription,
    pub endpoint: Endpoint,
    /// The longest due first.
    pub deliveries: Vec<StoredDelivery>,
}

impl Engine {
    /// Tells of something in a vault, to every event subscription that asks for it. Belongs in the transaction of the
    /// change.
    pub(crate) fn publish(
        &self,
        tx: &mut dyn Tx,
        container: &Container,
        kind: NoticeKind,
        about: Option<NoticedVersion>,
        now: UnixTime,
    ) -> Result<(), Error> {
        let listeners = match container.kind() {
            TELLING => tx.listeners(container.id)?,
            ContainerKind::ManagedHsm => return Ok(()),
        };
        if listeners.is_empty() {
            return Ok(());
        }
        let vault = container.name.clone();
        let notice = Notice { id: self.new_guid(), kind, time: now, vault, source: container.arm_id(), about };
        for listener in listeners.into_iter().filter(|listener| listener.wants(&notice, now)) {
            let receiver = Receiver { container: container.id, name: listener.name };
            self.make_room(tx, &notice.vault, &receiver)?;
            tx.insert_delivery(&receiver, &Delivery::new(notice.clone()))?;
        }
        Ok(())
    }

    /// Drops what has waited the longest for a receiver that has too much waiting.
    fn make_room(&self, tx: &mut dyn Tx, vault: &ContainerName, receiver: &Receiver) -> Result<(), Error> {
        if tx.count_deliveries(receiver)? < MOST_DELIVERIES {
            return Ok(());
        }
        let count = tx.drop_oldest_deliveries(receiver, DELIVERIES_DROPPED_AT_ONCE)?;
        self.counters.displaced(count);
        tracing::warn!(name = %receiver.name, %vault, count, "too many notices wait: the oldest are not told");
        Ok(())
    }

    /// Tells of something that happens to the current version of an object.
    pub(crate) fn publish_version(
        &self,
        tx: &mut dyn Tx,
        container: &Container,
        (object, version): (&Object, &Version),
        event: VersionEvent,
    ) -> Result<(), Error> {
        let about = NoticedVersion::of(object, version);
        self.publish(tx, container, NoticeKind::of(object.kind, event), Some(about), self.now())
    }

    /// Tells that a vault's rules of access have changed, if they have.
    pub(crate) fn publish_access(
        &self,
        tx: &mut dyn Tx,
        before: &Profile,
        container: &Container,
        now: UnixTime,
    ) -> Result<(), Error> {
        let rules = |profile: &Profile| match profile {
            Profile::Vault(VaultProfile { permission_model, access_policies, .. }) => {
                Some((*permission_model, access_policies.clone()))
            }
            Profile::ManagedHsm(_) => None,
        };
        if rules(before) == rules(&container.profile) {
            return Ok(());
        }
        self.publish(tx, container, NoticeKind::VaultAccessPolicyChanged, None, now)
    }

    /// Those who have something to be told now.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn due_receivers(&self) -> Result<Vec<Receiver>, Error> {
        let now = self.now();
        Ok(self.store.query(|read| read.due_receivers(now))?)
    }

    /// What a receiver is to be told now, at most `limit` of it. `None` if its event subscription is gone; one that has
    /// come to its end goes here.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Custody`].
    pub fn due_deliveries(&self, receiver: &Receiver, limit: usize) -> Result<Option<Outgoing>, Error> {
        let now = self.now();
        let found = self.store.query(|read| {
            let Some(stored) = read.event_subscription(receiver)? else { return Ok::<_, Error>(None) };
            Ok(Some((stored, read.due_deliveries(receiver, now, limit)?)))
        })?;
        let Some((stored, deliveries)) = found else { return Ok(None) };
        if !stored.subscription.is_there(now) {
            self.end_event_subscription(receiver)?;
            return Ok(None);
        }
        let Some(container) = self.open_container_by_id(receiver.container)? else { return Ok(None) };
        let endpoint = subscriptions::open_endpoint(&container, &stored)?;
        let (receiver, generation) = (receiver.clone(), Generation(stored.endpoint));
        Ok(Some(Outgoing { receiver, generation, subscription: stored.subscription, endpoint, deliveries }))
    }

    /// Whether an event subscription is there, and was not changed since.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn is_current(&self, receiver: &Receiver, generation: &Generation) -> Result<bool, Error> {
        Ok(self.store.query(|read| current(read, receiver, generation, self.now()))?.is_some())
    }

    /// Whether a delivery is still to be made, and to whom it was to be made.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn is_to_be_told(&self, outgoing: &Outgoing, position: u64) -> Result<bool, Error> {
        let Outgoing { receiver, generation, .. } = outgoing;
        self.store.query(|read| {
            let current = current(read, receiver, generation, self.now())?;
            Ok(current.is_some() && read.delivery(position)?.is_some())
        })
    }

    /// Keeps how an attempt was answered. Returns what follows; `None` if the delivery was removed while it was made, or
    /// the event subscription changed: then it is due, to whoever is the receiver now.
    ///
    /// # Errors
    /// [`Error::Store`]: then the attempt will be made again.
    pub fn settle_delivery(
        &self,
        outgoing: &Outgoing,
        position: u64,
        answer: ReceiverAnswer,
    ) -> Result<Option<AfterAttempt>, Error> {
        let Outgoing { receiver, generation, .. } = outgoing;
        let after = self.store.transact("SettleDelivery", |tx| {
            let (stored, delivery) = (current(tx, receiver, generation, self.now())?, tx.delivery(position)?);
            let (Some(stored), Some(delivery)) = (stored, delivery) else { return Ok::<_, Error>(None) };
            let attempts = delivery.attempts.saturating_add(1);
            let after = stored.subscription.retry.after(delivery.notice.time, attempts, answer, self.now());
            match after {
                AfterAttempt::Again(due) => tx.save_delivery(position, &Delivery { attempts, due, ..delivery })?,
                AfterAttempt::Delivered | AfterAttempt::Dropped => tx.remove_delivery(position)?,
            }
            Ok(Some(after))
        })?;
        after.into_iter().for_each(|after| self.counters.attempted(after));
        Ok(after)
    }

    /// Gives up deliveries without an attempt: for those that are too old, to a receiver that does not answer.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn drop_deliveries(&self, outgoing: &Outgoing, positions: &[u64]) -> Result<(), Error> {
        let Outgoing { receiver, generation, .. } = outgoing;
        let dropped = self.store.transact("DropDeliveries", |tx| {
            let mut dropped = 0;
            if current(tx, receiver, generation, self.now())?.is_none() {
                return Ok::<_, Error>(dropped);
            }
            for position in positions {
                if tx.delivery(*position)?.is_some() {
                    tx.remove_delivery(*position)?;
                    dropped += 1;
                }
            }
            Ok(dropped)
        })?;
        (0..dropped).for_each(|_| self.counters.attempted(AfterAttempt::Dropped));
        Ok(())
    }

    fn end_event_subscription(&self, receiver: &Receiver) -> Result<(), Error> {
        let Some(container) = self.store.query(|read| read.container_by_id(receiver.container))? else {
            return Ok(());
        };
        let path = subscriptions::path_of(&container.container.arm_id(), &receiver.name);
        self.change(Operation::EventSubscriptionDelete, None, &Subject::resource(&path), |tx, now| {
            let found = tx.event_subscription(receiver)?;
            if found.is_some_and(|stored| !stored.subscription.is_there(now)) {
                tx.remove_event_subscription(receiver)?;
            }
            Ok(())
        })
    }
}

/// An event subscription, if it is there and was not changed since.
fn current(
    read: &mut (impl Read + ?Sized),
    receiver: &Receiver,
    generation: &Generation,
    now: UnixTime,
) -> Result<Option<StoredEventSubscription>, Error> {
    let found = read.event_subscription(receiver)?;
    Ok(found.filter(|found| found.endpoint == generation.0 && found.subscription.is_there(now)))
}

/// The one kind of container that tells anything.
const TELLING: ContainerKind = ContainerKind::Vault;

/// Event subscriptions of a deleted vault are lost, and recovery does not restore them (contract: key-vault §4.2).
pub(crate) fn remove_event_subscriptions(tx: &mut dyn Tx, container: &Container) -> Result<(), Error> {
    for stored in tx.event_subscriptions(container.id)? {
        tx.remove_event_subscription(&Receiver { container: container.id, name: stored.subscription.name })?;
    }
    Ok(())
}
