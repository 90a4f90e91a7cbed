//! Vaults and managed HSMs: create, change, show, list, delete, recover.

use crate::{
    Response,
    arm::{
        Answer, Arm, Ask,
        error::{self, Failure},
        ids, ok,
        paging::{self, List},
        route::Place,
        wire::{
            container::{self, ContainerOut, Provisioning},
            read::{self, ContainerBody},
        },
    },
    reply,
};
use domain::{Container, ContainerKind, ContainerName, Guid, Refusal, access::Caller};
use engine::{ContainerListing, CreationTerms, Engine, NameAvailability};
use http::{Method, StatusCode, header};
use serde::Serialize;

/// A container as the answer to this request shows it.
pub(super) fn shown(arm: &Arm, ask: &Ask, container: &Container, provisioning: Provisioning) -> ContainerOut {
    let url = arm.addresses.container_url(container.kind(), container.name.as_str(), &ask.request.host);
    container::show(container, &url, provisioning)
}

/// The name in a path that looks for something. What can't be a name is the name of nothing.
pub(super) fn sought(place: &Place) -> Result<ContainerName, Refusal> {
    ContainerName::parse(&place.name).ok_or(Refusal::ContainerNotFound)
}

pub(super) async fn find(arm: &Arm, ask: &Ask, place: &Place) -> Result<Container, Failure> {
    let (place, name) = (place.clone(), sought(place)?);
    arm.engine(ask, move |engine, caller| engine.get_container(caller, place.kind, &place.resource, &name)).await
}

pub(super) async fn show(arm: &Arm, ask: &Ask, place: &Place) -> Answer {
    let found = find(arm, ask, place).await?;
    if ask.request.method == Method::HEAD {
        return Ok(reply::empty(StatusCode::NO_CONTENT));
    }
    ok(&shown(arm, ask, &found, Provisioning::Done))
}

pub(super) async fn list(
    arm: &Arm,
    ask: &Ask,
    kind: ContainerKind,
    subscription: Guid,
    resource_group: Option<String>,
) -> Answer {
    let page = paging::page_of(ask.request.query("$top"), ask.request.query("$skiptoken"), Some(kind))?;
    let listing = ContainerListing { kind: Some(kind), subscription, resource_group };
    let found = arm.engine(ask, move |engine, caller| engine.list_containers(caller, &listing, &page)).await?;
    let next_link = found.next.as_deref().map(|marker| paging::next_link(ask, marker));
    ok(&List { value: found.items.iter().map(|each| shown(arm, ask, each, Provisioning::Done)).collect(), next_link })
}

pub(super) async fn put(arm: &Arm, ask: &Ask, place: &Place) -> Answer {
    let body = ContainerBody::read(&ask.request.body)?;
    if body.recovers()? {
        return recover(arm, ask, place).await;
    }
    let creation = CreationTerms {
        permission_model: ask.version.default_permission_model(),
        may_lack_soft_delete: ask.version.allows_no_soft_delete(),
    };
    let request = body.into_request(place, creation)?;
    let work = move |engine: &Engine, caller: &Caller| engine.put_container(caller, &request);
    let (container, created) = arm.engine(ask, work).await?;
    let provisioning = if created { Provisioning::Begun } else { Provisioning::Updating };
    changed(arm, ask, container, provisioning).await
}

pub(super) async fn patch(arm: &Arm, ask: &Ask, place: &Place) -> Answer {
    let body = ContainerBody::read(&ask.request.body)?;
    if body.recovers()? {
        return recover(arm, ask, place).await;
    }
    let (patch, name) = (body.into_patch(place.kind)?, sought(place)?);
    let place = place.clone();
    let work = move |engine: &Engine, caller: &Caller| {
        engine.patch_container(caller, place.kind, &place.resource, &name, &patch)
    };
    let container = arm.engine(ask, work).await?;
    changed(arm, ask, container, Provisioning::Updating).await
}

async fn recover(arm: &Arm, ask: &Ask, place: &Place) -> Answer {
    let name = ContainerName::parse(&place.name).ok_or(Refusal::DeletedContainerNotFound)?;
    let place = place.clone();
    let work =
        move |engine: &Engine, caller: &Caller| engine.recover_container(caller, place.kind, &place.resource, &name);
    let container = arm.engine(ask, work).await?;
    changed(arm, ask, container, Provisioning::Begun).await
}

/// The answer to a change: a vault's is 200 at once, an HSM's 202 with a place to ask for the result.
async fn changed(arm: &Arm, ask: &Ask, container: Container, provisioning: Provisioning) -> Answer {
    let body = shown(arm, ask, &container, provisioning);
    if container.kind() == ContainerKind::Vault {
        let mut response = reply::json(StatusCode::OK, &body);
        reply::set(&mut response, header::RETRY_AFTER, "1");
        return Ok(response);
    }
    let resource = Some(container.arm_id());
    let accepted = accepted(arm, ask, container.kind(), container.resource.subscription, &container.location, resource);
    let mut response = accepted.await?;
    let headers = std::mem::take(response.headers_mut());
    response = reply::json(StatusCode::ACCEPTED, &body);
    response.headers_mut().extend(headers);
    Ok(response)
}

/// 202: where the result is, and when to ask. Without `Retry-After` clients sleep for 30 seconds
/// (contract: az-client §2).
pub(super) async fn accepted(
    arm: &Arm,
    ask: &Ask,
    kind: ContainerKind,
    subscription: Guid,
    location: &str,
    resource: Option<String>,
) -> Result<Response, Failure> {
    let id = arm.engine(ask, move |engine, _| engine.record_result(resource)).await?;
    let mut response = reply::empty(StatusCode::ACCEPTED);
    let path = ids::operation_result(kind, subscription, &ids::location(location), id);
    reply::set(&mut response, header::LOCATION, &ask.url(&path));
    reply::set(&mut response, header::RETRY_AFTER, "1");
    Ok(response)
}

/// 204 where there is nothing to delete. A vault is deleted at once; an HSM's deletion is polled for.
pub(super) async fn delete(arm: &Arm, ask: &Ask, place: &Place) -> Answer {
    let Ok(name) = sought(place) else {
        return Ok(reply::empty(StatusCode::NO_CONTENT));
    };
    let (kind, resource) = (place.kind, place.resource.clone());
    let work = move |engine: &Engine, caller: &Caller| {
        let found = engine.get_container(caller, kind, &resource, &name);
        // Who may delete need not be able to look: the place only decorates the path of the poll.
        let location = found.map_or_else(|_| "global".to_owned(), |found| found.location);
        Ok((engine.delete_container(caller, kind, &resource, &name)?, location))
    };
    match arm.engine(ask, work).await? {
        (false, _) => Ok(reply::empty(StatusCode::NO_CONTENT)),
        (true, location) if kind == ContainerKind::ManagedHsm => {
            accepted(arm, ask, kind, place.resource.subscription, &location, None).await
        }
        (true, _) => Ok(reply::empty(StatusCode::OK)),
    }
}

/// `CheckNameAvailabilityResult`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Availability {
    name_available: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

pub(super) async fn check_name(arm: &Arm, ask: &Ask, subscription: Guid, kind: ContainerKind) -> Answer {
    let name = read::name_to_check(kind, &ask.request.body)?;
    let asked = name.clone();
    let work = move |engine: &Engine, caller: &Caller| engine.check_container_name(caller, kind, subscription, &asked);
    let (reason, message) = match arm.engine(ask, work).await? {
        NameAvailability::Available => (None, None),
        NameAvailability::Invalid => (Some("AccountNameInvalid"), Some(error::name_rule(kind, &name))),
        NameAvailability::Taken => (Some("AlreadyExists"), Some(error::taken_text(kind, &name))),
    };
    ok(&Availability { name_available: reason.is_none(), reason, message })
}
