//! Event subscriptions of vaults.

use crate::{
    arm::{
        Answer, Arm, Ask,
        error::Failure,
        ids, ok,
        paging::List,
        route::Place,
        wire::notices::{self, Asked, FullUrl, State, SubscriptionOut},
    },
    notices::agree,
    reply,
};
use domain::{
    ContainerName, EventSubscriptionName, Refusal,
    access::Caller,
    notice::{EventSubscription, NoticeRefusal},
};
use engine::{Cost, Engine, Error, EventSubscriptionPlace, EventSubscriptionRequest, PreparedSubscription};
use http::{Method, StatusCode, header};
use std::sync::Arc;

/// What a path looks for. What can't be a name is the name of nothing.
fn sought(place: &Place, name: &str) -> Result<EventSubscriptionPlace, Refusal> {
    let vault = ContainerName::parse(&place.name).ok_or(Refusal::ContainerNotFound)?;
    let not_found = || NoticeRefusal::NotFound { name: name.to_owned() };
    let name = EventSubscriptionName::parse(name).ok_or_else(not_found)?;
    Ok(EventSubscriptionPlace { resource: place.resource.clone(), vault, name })
}

pub(super) async fn list(arm: &Arm, ask: &Ask, place: &Place) -> Answer {
    notices::refuse_filter(ask.request.query("$filter"))?;
    let vault = ContainerName::parse(&place.name).ok_or(Refusal::ContainerNotFound)?;
    let resource = place.resource.clone();
    let work = move |engine: &Engine, caller: &Caller| engine.event_subscriptions(caller, &resource, &vault);
    let found = arm.engine(ask, work).await?;
    let vault = ids::container(place);
    ok(&List::whole(found.iter().map(|found| SubscriptionOut::new(&vault, found, State::Succeeded)).collect()))
}

pub(super) async fn show(arm: &Arm, ask: &Ask, place: &Place, name: &str) -> Answer {
    let sought = sought(place, name)?;
    let found = arm.engine(ask, move |engine, caller| engine.event_subscription(caller, &sought)).await?;
    ok(&SubscriptionOut::new(&ids::container(place), &found, State::Succeeded))
}

pub(super) async fn full_url(arm: &Arm, ask: &Ask, place: &Place, name: &str) -> Answer {
    let sought = sought(place, name)?;
    let found = arm.engine(ask, move |engine, caller| engine.event_subscription_url(caller, &sought)).await?;
    ok(&FullUrl { endpoint_url: found.expose() })
}

/// PUT and PATCH: prepared, agreed to by the receiver, kept. 201 for both, as documented.
pub(super) async fn put(arm: &Arm, ask: &Ask, place: &Place, name: &str) -> Answer {
    let is_update = ask.request.method == Method::PATCH;
    let Asked { endpoint, changes } = notices::read(name, &ask.request.body, is_update)?;
    let request = EventSubscriptionRequest { place: sought(place, name)?, endpoint, changes, is_update };
    let caller = ask.caller.clone();
    let prepare = move |engine: &Engine| engine.prepare_event_subscription(&caller, request);
    let prepared = Arc::new(arm.door.run(Cost::Durable, prepare).await?);
    arm.courier.admit(&prepared.endpoint).map_err(Refusal::from)?;
    handshake(arm, place, &prepared).await?;
    let kept = Arc::clone(&prepared);
    arm.engine(ask, move |engine, caller| engine.save_event_subscription(caller, &kept)).await?;
    let state = if is_update { State::Updating } else { State::Creating };
    let body = SubscriptionOut::new(&ids::container(place), &prepared.subscription, state);
    let mut response = reply::json(StatusCode::CREATED, &body);
    reply::set(&mut response, header::RETRY_AFTER, "1");
    Ok(response)
}

/// Asks the receiver, outside of any transaction.
async fn handshake(arm: &Arm, place: &Place, prepared: &Arc<PreparedSubscription>) -> Result<(), Failure> {
    let (courier, addresses) = (Arc::clone(&arm.courier), Arc::clone(&arm.addresses));
    let (prepared, topic) = (Arc::clone(prepared), ids::container(place));
    let vault = prepared.vault;
    let asking = arm.door.run_for_receiver(vault, move |engine| {
        let receiver: (&EventSubscription, _) = (&prepared.subscription, &prepared.endpoint);
        let (code, now) = (engine.new_guid(), engine.now());
        let agreed = agree(&*courier, &addresses, receiver, &topic, (code, now));
        Ok(agreed.map_err(|why| notices::not_agreed(&prepared.subscription, &why, (code, now))))
    });
    Ok(asking.await??)
}

/// 204 where there is nothing to remove.
pub(super) async fn delete(arm: &Arm, ask: &Ask, place: &Place, name: &str) -> Answer {
    let Ok(sought) = sought(place, name) else {
        return Ok(reply::empty(StatusCode::NO_CONTENT));
    };
    let work = move |engine: &Engine, caller: &Caller| match engine.delete_event_subscription(caller, &sought) {
        Ok(()) => Ok(StatusCode::OK),
        Err(Error::Refused(Refusal::Notice(NoticeRefusal::NotFound { .. }))) => Ok(StatusCode::NO_CONTENT),
        Err(error) => Err(error),
    };
    Ok(reply::empty(arm.engine(ask, work).await?))
}
