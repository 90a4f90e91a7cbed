//! Access policies, regions, and what there is of private links.

use super::containers::{find, sought};
use crate::{
    arm::{
        Answer, Arm, Ask,
        error::Problem,
        ids, ok,
        paging::List,
        policies,
        route::{Place, PolicyChange},
        wire::{container, read},
    },
    reply,
};
use domain::{ContainerKind, access::Caller};
use engine::Engine;
use http::StatusCode;
use serde::Serialize;

pub(super) async fn policies(arm: &Arm, ask: &Ask, place: &Place, change: PolicyChange) -> Answer {
    let (given, name) = (read::policies_of(&ask.request.body)?, sought(place)?);
    let resource = place.resource.clone();
    let work = move |engine: &Engine, caller: &Caller| {
        engine.change_access_policies(caller, &resource, &name, |held| policies::changed(change, held, &given))
    };
    let vault = arm.engine(ask, work).await?;
    ok(&container::show_policies(&vault))
}

/// `MHSMGeoReplicatedRegion`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    name: String,
    provisioning_state: &'static str,
    is_primary: bool,
}

pub(super) async fn regions(arm: &Arm, ask: &Ask, place: &Place) -> Answer {
    let hsm = find(arm, ask, place).await?;
    let region = |name: &str, is_primary| Region { name: name.to_owned(), provisioning_state: "Succeeded", is_primary };
    let mut all = vec![region(&hsm.location, true)];
    all.extend(hsm.further_regions().map(|name| region(name, false)));
    ok(&List::whole(all))
}

/// `PrivateLinkResource`.
#[derive(Serialize)]
struct PrivateLink {
    id: String,
    name: &'static str,
    r#type: String,
    properties: PrivateLinkProperties,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PrivateLinkProperties {
    group_id: &'static str,
    required_members: [&'static str; 1],
    required_zone_names: [&'static str; 1],
}

pub(super) async fn private_links(arm: &Arm, ask: &Ask, place: &Place) -> Answer {
    let found = find(arm, ask, place).await?;
    let (group_id, zone) = match found.kind() {
        ContainerKind::Vault => ("vault", "privatelink.vaultcore.azure.net"),
        ContainerKind::ManagedHsm => ("managedhsm", "privatelink.managedhsm.azure.net"),
    };
    let link = PrivateLink {
        id: format!("{}/privateLinkResources/{group_id}", found.arm_id()),
        name: group_id,
        r#type: format!("{}/privateLinkResources", ids::resource_type(found.kind())),
        properties: PrivateLinkProperties { group_id, required_members: ["default"], required_zone_names: [zone] },
    };
    ok(&List::whole(vec![link]))
}

pub(super) async fn no_connections(arm: &Arm, ask: &Ask, place: &Place) -> Answer {
    find(arm, ask, place).await?;
    ok(&List::<()>::whole(Vec::new()))
}

pub(super) async fn connection(arm: &Arm, ask: &Ask, place: &Place, method: &str) -> Answer {
    find(arm, ask, place).await?;
    match method {
        "PUT" => Err(Problem::not_supported("private endpoints").into()),
        "DELETE" => Ok(reply::empty(StatusCode::NO_CONTENT)),
        _ => Err(Problem::absent("ResourceNotFound", "The private endpoint connection is not found.").into()),
    }
}
