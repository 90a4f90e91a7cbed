//! Deleted vaults and managed HSMs, their purge, and the results of long-running operations.

use super::containers::{accepted, shown};
use crate::{
    arm::{
        Answer, Arm, Ask, ids, ok,
        paging::{self, List},
        route::{self, DeletedPlace},
        wire::container::{self, Provisioning},
    },
    reply,
};
use domain::{Container, ContainerKind, ContainerName, Guid, OperationResult, Refusal, UnixTime, access::Caller};
use engine::{Engine, Error};
use http::StatusCode;
use serde::Serialize;

pub(super) async fn list(arm: &Arm, ask: &Ask, kind: ContainerKind, subscription: Guid) -> Answer {
    let page = paging::page_of(ask.request.query("$top"), ask.request.query("$skiptoken"), Some(kind))?;
    let work =
        move |engine: &Engine, caller: &Caller| engine.list_deleted_containers(caller, kind, subscription, &page);
    let found = arm.engine(ask, work).await?;
    let next_link = found.next.as_deref().map(|marker| paging::next_link(ask, marker));
    ok(&List { value: found.items.iter().filter_map(container::show_deleted).collect(), next_link })
}

/// The deleted container that a path names by its place and its name.
fn find(engine: &Engine, caller: &Caller, place: &DeletedPlace) -> Result<Container, Error> {
    let name = ContainerName::parse(&place.name).ok_or(Refusal::DeletedContainerNotFound)?;
    let found = engine.get_deleted_container(caller, place.kind, place.subscription, &name)?;
    if ids::location(&found.location) != ids::location(&place.location) {
        return Err(Refusal::DeletedContainerNotFound.into());
    }
    Ok(found)
}

pub(super) async fn show(arm: &Arm, ask: &Ask, place: &DeletedPlace) -> Answer {
    let place = place.clone();
    let found = arm.engine(ask, move |engine, caller| find(engine, caller, &place)).await?;
    let deleted = container::show_deleted(&found).ok_or(Refusal::DeletedContainerNotFound)?;
    ok(&deleted)
}

pub(super) async fn purge(arm: &Arm, ask: &Ask, place: &DeletedPlace) -> Answer {
    let DeletedPlace { kind, subscription, location, name } = place.clone();
    let name = ContainerName::parse(&name).ok_or(Refusal::DeletedContainerNotFound)?;
    let work =
        move |engine: &Engine, caller: &Caller| engine.purge_container(caller, kind, subscription, &location, &name);
    arm.engine(ask, work).await?;
    accepted(arm, ask, place.kind, place.subscription, &place.location, None).await
}

/// The result of a purge of a vault, as recorded (contract: key-vault §4.2, "Purge").
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    created_date_time: String,
    last_action_date_time: String,
    status: &'static str,
}

/// `2020-09-25 01:10:05Z`.
fn spaced(time: UnixTime) -> String {
    time.to_string().replace('T', " ")
}

/// Every operation is done when it is recorded, so the first poll already has the result: the resource as it is
/// now, or that there is none.
pub(super) async fn operation_result(arm: &Arm, ask: &Ask, kind: ContainerKind, id: &str) -> Answer {
    let id = Guid::parse(id).ok_or(Refusal::OperationNotFound)?;
    let (result, container) = arm.engine(ask, move |engine, caller| result(engine, caller, id)).await?;
    match (container, kind) {
        (Some(container), _) => ok(&shown(arm, ask, &container, Provisioning::Done)),
        (None, ContainerKind::Vault) => ok(&Outcome {
            created_date_time: spaced(result.created),
            last_action_date_time: spaced(result.created),
            status: "Succeeded",
        }),
        (None, ContainerKind::ManagedHsm) => Ok(reply::empty(StatusCode::OK)),
    }
}

fn result(engine: &Engine, caller: &Caller, id: Guid) -> Result<(OperationResult, Option<Container>), Error> {
    let result = engine.operation_result(id)?;
    let Some(place) = result.resource.as_deref().and_then(route::place_of) else {
        return Ok((result, None));
    };
    let name = ContainerName::parse(&place.name).ok_or(Refusal::OperationNotFound)?;
    match engine.get_container(caller, place.kind, &place.resource, &name) {
        Ok(container) => Ok((result, Some(container))),
        // Deleted meanwhile: the path of the poll could not name it.
        Err(Error::Refused(Refusal::ContainerNotFound)) => Err(Refusal::OperationNotFound.into()),
        Err(error) => Err(error),
    }
}
