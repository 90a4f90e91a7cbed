//! The post: asks again and again what is due, and sends it.
//!
//! Each receiver is served by a task of its own, and those that hang hold up nobody else: a receiver is sent one message
//! at a time until it has taken one, the receivers of one vault together have few of the places, those that have not
//! taken what they were sent last have half of them, and who fails slowly or often is left alone for a while, longer each
//! time. Notices of one object go in the order in which they were written, but a repeated one does not hold up those
//! after it. What was sent and not settled, because the process died in between, is sent again.

use super::health::Health;
use crate::wiring::chain;
use azure::{
    Addresses,
    notices::{self, Courier, Reply},
};
use domain::notice::{AfterAttempt, Delivery, ReceiverAnswer};
use engine::{Door, Engine, Error, Generation, Outgoing, Receiver, Shares, StoredDelivery};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::{self, JoinHandle, JoinSet},
};

/// How often it is asked what is due.
const INTERVAL: Duration = Duration::from_secs(1);
/// After so many rounds it is asked which receivers are gone.
const FORGETTING_ROUNDS: u64 = 60;
/// How much is taken from the store at once for one receiver.
const BATCH: usize = 64;
/// How many messages are on their way at once: to one receiver that takes them, to all of one vault, and to all.
const LANES: usize = 4;
const PLACES_OF_VAULT: usize = 8;
const PLACES: usize = 64;
/// How many of these may be to receivers that did not take the last one.
const UNPROVEN_OF_VAULT: usize = 4;
const UNPROVEN: usize = 32;
/// How long what is on its way may hold up the end of the process.
const LAST_MESSAGES: Duration = Duration::from_secs(3);

/// Serves all receivers.
pub struct Post {
    door: Door,
    courier: Arc<dyn Courier>,
    addresses: Arc<Addresses>,
    places: Places,
    /// Of receivers as they are now: with a change of its event subscription, one begins anew.
    health: Mutex<HashMap<Receiver, (Generation, Health)>>,
    rounds: AtomicU64,
}

/// What is needed to send a message. It is taken from the narrowest to the widest, so that whoever waits takes nothing
/// from those who would not have to.
struct Places {
    unproven_of_vaults: Shares,
    unproven: Arc<Semaphore>,
    of_vaults: Shares,
    all: Arc<Semaphore>,
}

/// A place that was taken, until it is dropped.
type Place = Vec<OwnedSemaphorePermit>;

impl Places {
    fn new() -> Self {
        Self {
            unproven_of_vaults: Shares::new(UNPROVEN_OF_VAULT),
            unproven: Arc::new(Semaphore::new(UNPROVEN)),
            of_vaults: Shares::new(PLACES_OF_VAULT),
            all: Arc::new(Semaphore::new(PLACES)),
        }
    }

    /// `None` if there are no places any more.
    async fn take(&self, receiver: &Receiver, health: Health) -> Option<Place> {
        let vault = receiver.container;
        let mut needed = Vec::new();
        if !health.is_proven {
            needed.extend([self.unproven_of_vaults.of(vault), Arc::clone(&self.unproven)]);
        }
        needed.extend([self.of_vaults.of(vault), Arc::clone(&self.all)]);
        let mut place = Place::new();
        for each in needed {
            place.push(each.acquire_owned().await.ok()?);
        }
        Some(place)
    }
}

/// A running post.
pub struct PostHandle {
    stop: watch::Sender<bool>,
    running: JoinHandle<()>,
}

impl PostHandle {
    /// Ends it, having waited a little for what is on its way.
    pub async fn end(self) {
        // An error means that it has ended already.
        let _ = self.stop.send(true);
        if self.running.await.is_err() {
            tracing::error!("the post of notices panicked");
        }
    }
}

impl Post {
    #[must_use]
    pub fn new(door: Door, courier: Arc<dyn Courier>, addresses: Arc<Addresses>) -> Self {
        Self { door, courier, addresses, places: Places::new(), health: Mutex::default(), rounds: AtomicU64::new(0) }
    }

    /// Begins to serve.
    #[must_use]
    pub fn start(self) -> PostHandle {
        let (stop, stopped) = watch::channel(false);
        PostHandle { stop, running: tokio::spawn(Arc::new(self).run(stopped)) }
    }

    async fn run(self: Arc<Self>, mut stopped: watch::Receiver<bool>) {
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut serving = JoinSet::new();
        let mut served: HashMap<task::Id, Receiver> = HashMap::new();
        loop {
            tokio::select! {
                _ = stopped.changed() => break,
                Some(done) = serving.join_next_with_id() => {
                    served.remove(&done.map_or_else(|panicked| panicked.id(), |(id, ())| id));
                }
                _ = ticks.tick() => {
                    let mut due = self.due().await;
                    let busy: HashSet<&Receiver> = served.values().collect();
                    due.retain(|receiver| !busy.contains(receiver));
                    for receiver in due {
                        let (post, stopped, to) = (Arc::clone(&self), stopped.clone(), receiver.clone());
                        let serving = serving.spawn(async move { post.serve(&to, &stopped).await });
                        served.insert(serving.id(), receiver);
                    }
                }
            }
        }
        let rest = async { while serving.join_next().await.is_some() {} };
        // What is not settled by then is sent again by the process after this one.
        let _ended = tokio::time::timeout(LAST_MESSAGES, rest).await;
    }

    /// Receivers to be served now.
    pub(super) async fn due(&self) -> Vec<Receiver> {
        let is_round = self.rounds.fetch_add(1, Ordering::Relaxed).is_multiple_of(FORGETTING_ROUNDS);
        let remembered = self.remembered(|health| is_round || health.rests(self.door.engine().elapsed()));
        let asked = self.door.run_apart(move |engine| {
            let due = engine.due_receivers()?;
            let mut changed = Vec::new();
            for (receiver, generation) in remembered {
                if !engine.is_current(&receiver, &generation)? {
                    changed.push(receiver);
                }
            }
            Ok((due, changed))
        });
        match asked.await {
            Ok((mut due, changed)) => {
                let now = self.door.engine().elapsed();
                let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
                changed.iter().for_each(|receiver| drop(health.remove(receiver)));
                due.retain(|receiver| health.get(receiver).is_none_or(|(_, health)| !health.rests(now)));
                due
            }
            Err(error) => {
                tracing::error!(error = chain(&error), "what is to be told can't be read");
                Vec::new()
            }
        }
    }

    /// Receivers whose health is remembered and is so.
    pub(super) fn remembered(&self, is_so: impl Fn(Health) -> bool) -> Vec<(Receiver, Generation)> {
        let health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        let found = health.iter().filter(|(_, (_, health))| is_so(*health));
        found.map(|(receiver, (generation, _))| (receiver.clone(), generation.clone())).collect()
    }

    fn health_of(&self, outgoing: &Outgoing) -> Health {
        known_of(&self.health.lock().unwrap_or_else(PoisonError::into_inner), outgoing)
    }

    /// Remembers how an attempt ended. Returns how the receiver stood before, and stands now.
    fn note(&self, outgoing: &Outgoing, is_taken: bool, took: Duration) -> (Health, Health) {
        let now = self.door.engine().elapsed();
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known_of(&health, outgoing);
        let after = before.after(is_taken, took, now);
        health.insert(outgoing.receiver.clone(), (outgoing.generation.clone(), after));
        (before, after)
    }

    /// Sends what is due to one receiver, until nothing is, or it has to be left alone.
    pub(super) async fn serve(self: &Arc<Self>, receiver: &Receiver, stopped: &watch::Receiver<bool>) {
        while !*stopped.borrow() {
            let asked = receiver.clone();
            let outgoing = match self.door.run_apart(move |engine| engine.due_deliveries(&asked, BATCH)).await {
                Ok(Some(outgoing)) if !outgoing.deliveries.is_empty() => outgoing,
                Ok(_) => return,
                Err(error) => {
                    tracing::error!(name = %receiver.name, error = chain(&error), "what is to be told can't be read");
                    return;
                }
            };
            if !self.send(receiver, outgoing).await {
                return;
            }
        }
    }

    /// Sends a batch. Returns whether more may follow at once.
    async fn send(self: &Arc<Self>, receiver: &Receiver, outgoing: Outgoing) -> bool {
        let health = self.health_of(&outgoing);
        let outgoing = Arc::new(outgoing);
        let mut deliveries = outgoing.deliveries.clone();
        if health.failures > 0 && !self.drop_overdue(&outgoing, &mut deliveries).await {
            return false;
        }
        let lanes = lanes(deliveries, if health.is_proven { LANES } else { 1 });
        let mut sending = JoinSet::new();
        for lane in lanes {
            let (post, outgoing, receiver) = (Arc::clone(self), Arc::clone(&outgoing), receiver.clone());
            sending.spawn(async move { post.send_in_order(&receiver, &outgoing, lane).await });
        }
        let mut goes_on = true;
        while let Some(done) = sending.join_next().await {
            goes_on &= done.unwrap_or(false);
        }
        goes_on
    }

    /// While a receiver answers, nothing gets too old for it; once it fails, what is too old goes without an attempt.
    async fn drop_overdue(&self, outgoing: &Arc<Outgoing>, deliveries: &mut Vec<StoredDelivery>) -> bool {
        let name = &outgoing.receiver.name;
        let (now, retry) = (self.door.engine().now(), outgoing.subscription.retry);
        let is_over = |stored: &StoredDelivery| retry.is_over(stored.delivery.notice.time, now);
        let overdue: Vec<u64> =
            deliveries.iter().filter(|stored| is_over(stored)).map(|stored| stored.position).collect();
        if overdue.is_empty() {
            return true;
        }
        deliveries.retain(|stored| !is_over(stored));
        tracing::warn!(%name, count = overdue.len(), "notices were too old, and are not told");
        let to = Arc::clone(outgoing);
        let dropped = self.door.run_apart(move |engine| engine.drop_deliveries(&to, &overdue)).await;
        if let Err(error) = &dropped {
            tracing::error!(%name, error = chain(error), "notices could not be dropped");
        }
        dropped.is_ok()
    }

    /// Sends one after the other, and stops where the receiver has to be left alone, or is not the same any more.
    async fn send_in_order(&self, receiver: &Receiver, outgoing: &Arc<Outgoing>, lane: Vec<StoredDelivery>) -> bool {
        for stored in lane {
            let (answer, took) = match self.attempt(outgoing, &stored).await {
                Ok(Some(made)) => made,
                Ok(None) => return true,
                Err(error) => {
                    tracing::error!(name = %receiver.name, error = chain(&error), "an attempt could not be made");
                    return false;
                }
            };
            let (position, to) = (stored.position, Arc::clone(outgoing));
            let settled = self.door.run_apart(move |engine| engine.settle_delivery(&to, position, answer)).await;
            let after = match settled {
                Ok(Some(after)) => after,
                // It was removed while it was on its way, or is for another receiver now.
                Ok(None) => return true,
                Err(error) => {
                    tracing::error!(name = %receiver.name, error = chain(&error), "the outcome of an attempt is lost");
                    return false;
                }
            };
            let (before, health) = self.note(outgoing, answer.is_taken(), took);
            tell(receiver, &stored, answer, after, (before, health));
            if health.rests_until.is_some() {
                return false;
            }
        }
        true
    }

    /// One attempt, off the asynchronous threads, and how long it took. `None` if, when its turn has come, it is not to
    /// be made any more.
    async fn attempt(
        &self,
        outgoing: &Arc<Outgoing>,
        stored: &StoredDelivery,
    ) -> Result<Option<(ReceiverAnswer, Duration)>, Error> {
        let place = self.places.take(&outgoing.receiver, self.health_of(outgoing)).await;
        let place: Place = place.ok_or(Error::Broken("the post has no places"))?;
        let (courier, addresses) = (Arc::clone(&self.courier), Arc::clone(&self.addresses));
        let (outgoing, stored) = (Arc::clone(outgoing), stored.clone());
        let attempt = move |engine: &Engine| {
            let _place = place;
            if !engine.is_to_be_told(&outgoing, stored.position)? {
                return Ok(None);
            }
            let began = engine.elapsed();
            let answer = carry(&*courier, &addresses, &outgoing, &stored.delivery);
            Ok(Some((answer, engine.elapsed().saturating_sub(began))))
        };
        self.door.run_apart(attempt).await
    }
}

/// What is known of a receiver, if it is still the same.
fn known_of(health: &HashMap<Receiver, (Generation, Health)>, outgoing: &Outgoing) -> Health {
    let found = health.get(&outgoing.receiver).filter(|(generation, _)| *generation == outgoing.generation);
    found.map(|(_, health)| *health).unwrap_or_default()
}

/// Sends a message, and waits for the answer.
fn carry(courier: &dyn Courier, addresses: &Addresses, outgoing: &Outgoing, delivery: &Delivery) -> ReceiverAnswer {
    let Outgoing { subscription, endpoint, .. } = outgoing;
    // The configuration may have changed since the receiver agreed.
    if let Err(refusal) = courier.admit(endpoint) {
        tracing::warn!(name = %subscription.name, %refusal, "a notice is not sent");
        return ReceiverAnswer::default();
    }
    match courier.carry(&notices::delivery(addresses, subscription, endpoint, delivery)) {
        Ok(reply) => answer_of(&reply),
        Err(why) => {
            tracing::debug!(name = %subscription.name, why, "a receiver did not answer");
            ReceiverAnswer::default()
        }
    }
}

/// Deliveries for so many lanes, each in the order of their writing: those of one object are in one lane.
pub(super) fn lanes(deliveries: Vec<StoredDelivery>, count: usize) -> Vec<Vec<StoredDelivery>> {
    let mut by_subject: BTreeMap<String, Vec<StoredDelivery>> = BTreeMap::new();
    for stored in deliveries {
        let notice = &stored.delivery.notice;
        let subject = notice.about.as_ref().map_or_else(String::new, |about| about.name.folded());
        by_subject.entry(subject).or_default().push(stored);
    }
    let mut lanes: Vec<Vec<StoredDelivery>> = Vec::new();
    for (number, of_subject) in by_subject.into_values().enumerate() {
        match lanes.get_mut(number % count.max(1)) {
            Some(lane) => lane.extend(of_subject),
            None => lanes.push(of_subject),
        }
    }
    for lane in &mut lanes {
        lane.sort_by_key(|stored| stored.position);
    }
    lanes
}

pub(super) fn answer_of(reply: &Reply) -> ReceiverAnswer {
    let retry_after_seconds = reply.header("retry-after").trim().parse().ok();
    ReceiverAnswer { status: Some(reply.status), retry_after_seconds }
}

/// Says what an operator has to know: what is lost, and that a receiver fails or is back, once.
fn tell(
    receiver: &Receiver,
    stored: &StoredDelivery,
    answer: ReceiverAnswer,
    after: AfterAttempt,
    (before, now): (Health, Health),
) {
    let notice = &stored.delivery.notice;
    let (name, vault, status) = (&receiver.name, &notice.vault, answer.status);
    if after == AfterAttempt::Dropped {
        tracing::warn!(%name, %vault, id = %notice.id, kind = notice.kind.as_str(), status, "a notice is given up");
    }
    match (before.failures, now.failures) {
        (0, 1..) => tracing::warn!(%name, %vault, status, "a receiver does not take notices; it is tried again"),
        (1.., 0) => tracing::info!(%name, %vault, "a receiver takes notices again"),
        _ => {}
    }
}
