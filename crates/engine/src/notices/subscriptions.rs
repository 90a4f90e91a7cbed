//! Event subscriptions in the control plane: making, changing, showing and removing them.
//!
//! Making one takes two steps, with the front's handshake between them: nobody is sent anything for a caller who may not
//! ask for it, and nothing is kept that a receiver has not agreed to. What a receiver agreed to is what is kept, or the
//! second step is refused.

use super::TELLING;
use crate::{Engine, Error, OpenContainer, Subject, containers::is_live_at, locks::check_locks};
use custody::{Context, Purpose};
use domain::{
    Container, ContainerId, ContainerName, EventSubscriptionName, Operation, Refusal, ResourceId, Sealed, UnixTime,
    access::Caller,
    lock::Act,
    notice::{Endpoint, EventSubscription, EventSubscriptionChanges, MOST_EVENT_SUBSCRIPTIONS, NoticeRefusal},
};
use store::{Read, Receiver, StoredEventSubscription, Tx};

/// A vault's event subscription, by where it is.
#[derive(Clone, Debug)]
pub struct EventSubscriptionPlace {
    pub resource: ResourceId,
    pub vault: ContainerName,
    pub name: EventSubscriptionName,
}

/// An event subscription to make or to change.
pub struct EventSubscriptionRequest {
    pub place: EventSubscriptionPlace,
    /// `None` leaves it as it is.
    pub endpoint: Option<Endpoint>,
    pub changes: EventSubscriptionChanges,
    /// Whether it changes what is there. Otherwise it replaces it.
    pub is_update: bool,
}

/// An event subscription that may be made, as soon as its receiver agrees.
pub struct PreparedSubscription {
    pub subscription: EventSubscription,
    pub endpoint: Endpoint,
    pub vault: ContainerId,
    place: EventSubscriptionPlace,
    before: Option<StoredEventSubscription>,
}

impl EventSubscriptionPlace {
    fn vault_id(&self) -> String {
        vault_id(&self.resource, &self.vault)
    }

    fn path(&self) -> String {
        path_of(&self.vault_id(), &self.name)
    }

    fn not_found(&self) -> Refusal {
        NoticeRefusal::NotFound { name: self.name.to_string() }.into()
    }

    fn receiver(&self, vault: &Container) -> Receiver {
        Receiver { container: vault.id, name: self.name.clone() }
    }
}

impl Engine {
    /// All of a vault.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], or that there is no such vault.
    pub fn event_subscriptions(
        &self,
        caller: &Caller,
        resource: &ResourceId,
        vault: &ContainerName,
    ) -> Result<Vec<EventSubscription>, Error> {
        self.authorise_arm(caller, Operation::EventSubscriptionRead, &vault_id(resource, vault))?;
        let now = self.now();
        self.store.query(|read| {
            let vault = find_vault(read, resource, vault)?;
            let found = read.event_subscriptions(vault.id)?.into_iter().map(|stored| stored.subscription);
            Ok(found.filter(|found| found.is_there(now)).collect())
        })
    }

    /// # Errors
    /// [`Refusal::Forbidden`], [`NoticeRefusal::NotFound`], or that there is no such vault.
    pub fn event_subscription(
        &self,
        caller: &Caller,
        place: &EventSubscriptionPlace,
    ) -> Result<EventSubscription, Error> {
        self.authorise_arm(caller, Operation::EventSubscriptionRead, &place.path())?;
        Ok(self.found(place)?.1.ok_or_else(|| place.not_found())?.subscription)
    }

    /// The whole URL of the receiver.
    ///
    /// # Errors
    /// As [`Engine::event_subscription`]; [`Error::Custody`].
    pub fn event_subscription_url(&self, caller: &Caller, place: &EventSubscriptionPlace) -> Result<Endpoint, Error> {
        self.authorise_arm(caller, Operation::EventSubscriptionReadUrl, &place.path())?;
        let (vault, found) = self.found(place)?;
        let found = found.ok_or_else(|| place.not_found())?;
        open_endpoint(&*self.opened_vault(&vault)?, &found)
    }

    /// The first step: what would be kept, if the caller may ask for it and it can be.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::ScopeLocked`], [`NoticeRefusal`], [`Refusal::ParameterInvalid`], or that there
    /// is no such vault.
    pub fn prepare_event_subscription(
        &self,
        caller: &Caller,
        request: EventSubscriptionRequest,
    ) -> Result<PreparedSubscription, Error> {
        let EventSubscriptionRequest { place, endpoint, changes, is_update } = request;
        self.authorise_arm(caller, Operation::EventSubscriptionPut, &place.path())?;
        let (vault, before) = self.found(&place)?;
        if is_update && before.is_none() {
            return Err(place.not_found().into());
        }
        self.store.query(|read| check_locks(read, Act::Write, &place.path()))?;
        let now = self.now();
        let (begin, endpoint) = match (&before, endpoint) {
            (Some(found), None) if is_update => {
                (found.subscription.clone(), open_endpoint(&*self.opened_vault(&vault)?, found)?)
            }
            (_, None) => return Err(Refusal::from(NoticeRefusal::EndpointInvalid).into()),
            (Some(found), Some(endpoint)) if is_update => (found.subscription.clone(), endpoint),
            (found, Some(endpoint)) => {
                let name = found.as_ref().map_or(&place.name, |found| &found.subscription.name);
                let created = found.as_ref().map_or(now, |found| found.subscription.created);
                (EventSubscription { created, ..EventSubscription::new(name.clone(), now) }, endpoint)
            }
        };
        let subscription = begin.changed(changes, &endpoint, now)?;
        Ok(PreparedSubscription { subscription, endpoint, vault: vault.id, place, before })
    }

    /// The second step: keeps what the receiver has agreed to. Returns whether it is new.
    ///
    /// # Errors
    /// As the first step; [`Error::Busy`] if somebody else has changed it meanwhile.
    pub fn save_event_subscription(&self, caller: &Caller, prepared: &PreparedSubscription) -> Result<bool, Error> {
        let PreparedSubscription { subscription, endpoint, place, before, .. } = prepared;
        let (operation, path) = (Operation::EventSubscriptionPut, place.path());
        self.authorise_arm(caller, operation, &path)?;
        let vault = self.store.query(|read| find_vault(read, &place.resource, &place.vault))?;
        let sealed = self.seal_endpoint(&*self.opened_vault(&vault)?, &subscription.name, endpoint)?;
        self.change(operation, Some(caller), &Subject::resource(&path), |tx, now| {
            if find_vault(tx, &place.resource, &place.vault)?.id != vault.id {
                return Err(Error::Busy);
            }
            check_locks(tx, Act::Write, &path)?;
            let found = tx.event_subscription(&place.receiver(&vault))?;
            if found.as_ref().filter(|found| found.subscription.is_there(now)) != before.as_ref() {
                return Err(Error::Busy);
            }
            // What waits for one of the name that has come to its end is not for the new one.
            if before.is_none() && remove_ended(tx, &vault, now)? >= MOST_EVENT_SUBSCRIPTIONS {
                return Err(Refusal::from(NoticeRefusal::TooMany { limit: MOST_EVENT_SUBSCRIPTIONS }).into());
            }
            tx.put_event_subscription(vault.id, subscription, &sealed)?;
            Ok(before.is_none())
        })
    }

    /// Removes one, with everything that it has not been told yet.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::ScopeLocked`], [`NoticeRefusal::NotFound`], or that there is no such vault.
    pub fn delete_event_subscription(&self, caller: &Caller, place: &EventSubscriptionPlace) -> Result<(), Error> {
        let (operation, path) = (Operation::EventSubscriptionDelete, place.path());
        self.authorise_arm(caller, operation, &path)?;
        self.change(operation, Some(caller), &Subject::resource(&path), |tx, _| {
            let receiver = place.receiver(&find_vault(tx, &place.resource, &place.vault)?);
            tx.event_subscription(&receiver)?.ok_or_else(|| place.not_found())?;
            check_locks(tx, Act::Delete, &path)?;
            Ok(tx.remove_event_subscription(&receiver)?)
        })
    }

    fn found(&self, place: &EventSubscriptionPlace) -> Result<(Container, Option<StoredEventSubscription>), Error> {
        let now = self.now();
        self.store.query(|read| {
            let vault = find_vault(read, &place.resource, &place.vault)?;
            let found = read.event_subscription(&place.receiver(&vault))?;
            Ok((vault, found.filter(|found| found.subscription.is_there(now))))
        })
    }

    fn opened_vault(&self, vault: &Container) -> Result<std::sync::Arc<OpenContainer>, Error> {
        let open = self.open_container(TELLING, vault.name.as_str())?;
        // Purged and made anew under its name, it is another vault.
        if open.id() == vault.id { Ok(open) } else { Err(Error::Busy) }
    }

    fn seal_endpoint(
        &self,
        vault: &OpenContainer,
        name: &EventSubscriptionName,
        endpoint: &Endpoint,
    ) -> Result<Sealed, Error> {
        let name = name.folded();
        Ok(vault.key.seal(&context(vault, &name), endpoint.expose().as_bytes(), &*self.entropy)?)
    }
}

/// Those of a vault that have come to their end go, with what waits for them. Returns how many stay.
fn remove_ended(tx: &mut dyn Tx, vault: &Container, now: UnixTime) -> Result<usize, Error> {
    let (stay, ended): (Vec<_>, Vec<_>) = tx
        .event_subscriptions(vault.id)?
        .into_iter()
        .map(|stored| stored.subscription)
        .partition(|subscription| subscription.is_there(now));
    for subscription in ended {
        tx.remove_event_subscription(&Receiver { container: vault.id, name: subscription.name })?;
    }
    Ok(stay.len())
}

/// The whole URL of an event subscription's receiver.
pub(super) fn open_endpoint(vault: &OpenContainer, stored: &StoredEventSubscription) -> Result<Endpoint, Error> {
    let name = stored.subscription.name.folded();
    let opened = vault.key.open(&context(vault, &name), &stored.endpoint)?;
    let text = std::str::from_utf8(opened.expose()).ok().and_then(Endpoint::parse);
    text.ok_or(Error::Broken("an endpoint"))
}

fn context<'a>(vault: &OpenContainer, name: &'a str) -> Context<'a> {
    Context { container: Some(vault.id()), kind: "eventSubscription", name, version: None, purpose: Purpose::Endpoint }
}

fn vault_id(resource: &ResourceId, vault: &ContainerName) -> String {
    crate::containers::arm_id(TELLING, resource, vault)
}

pub(super) fn path_of(vault_id: &str, name: &EventSubscriptionName) -> String {
    format!("{vault_id}/providers/Microsoft.EventGrid/eventSubscriptions/{name}")
}

/// The live vault at a place.
fn find_vault(
    read: &mut (impl Read + ?Sized),
    resource: &ResourceId,
    name: &ContainerName,
) -> Result<Container, Error> {
    if !read.subscriptions()?.iter().any(|each| each.id == resource.subscription) {
        return Err(Refusal::SubscriptionNotFound.into());
    }
    if read.resource_group(resource.subscription, &resource.resource_group)?.is_none() {
        return Err(Refusal::ResourceGroupNotFound.into());
    }
    let found = read.container(TELLING, name)?.map(|stored| stored.container);
    let found = found.filter(|found| is_live_at(found, &vault_id(resource, name)));
    Ok(found.ok_or(Refusal::ContainerNotFound)?)
}
