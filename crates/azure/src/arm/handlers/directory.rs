//! Tenants, subscriptions, resource groups, resources of any type, providers.

use super::unknown_namespace;
use crate::{
    arm::{
        Answer, Arm, Ask,
        error::Problem,
        filter::{self, Condition},
        ids, ok,
        paging::{self, List},
        providers,
        wire::directory::{GroupBody, GroupOut, ResourceOut, SubscriptionOut, TenantOut},
    },
    reply,
};
use domain::{Container, ContainerKind, Guid, ResourceGroup, ResourceId};
use engine::ContainerListing;
use http::{Method, StatusCode};

pub(super) fn tenants(arm: &Arm) -> Answer {
    ok(&List::whole(vec![TenantOut::new(arm.addresses.tenant, &arm.addresses.domain)]))
}

pub(super) async fn subscriptions(arm: &Arm, ask: &Ask) -> Answer {
    let found = arm.engine(ask, |engine, caller| engine.subscriptions(caller)).await?;
    ok(&List::whole(found.iter().map(SubscriptionOut::from).collect()))
}

pub(super) async fn subscription(arm: &Arm, ask: &Ask, id: Guid) -> Answer {
    let found = arm.engine(ask, move |engine, caller| engine.subscription(caller, id)).await?;
    ok(&SubscriptionOut::from(&found))
}

pub(super) async fn locations(arm: &Arm, ask: &Ask, id: Guid) -> Answer {
    let found = arm.engine(ask, move |engine, caller| engine.subscription(caller, id)).await?;
    ok(&List::whole(providers::locations(found.id)))
}

/// Resource groups; `$filter=tagName eq 'a' and tagValue eq 'b'` is what `az group list --tag` sends.
pub(super) async fn groups(arm: &Arm, ask: &Ask, subscription: Guid) -> Answer {
    let text = ask.request.query("$filter").unwrap_or_default();
    let (mut tag_name, mut tag_value) = (None, None);
    for condition in filter::of(Some(text))? {
        match condition {
            Condition::Equals { field, value } if field == "tagname" => tag_name = Some(value),
            Condition::Equals { field, value } if field == "tagvalue" => tag_value = Some(value),
            _ => return Err(filter::bad(text).into()),
        }
    }
    let mut found = arm.engine(ask, move |engine, caller| engine.resource_groups(caller, subscription)).await?;
    if let Some(name) = tag_name {
        let tagged = |group: &ResourceGroup| {
            group.tags.get(&name).is_some_and(|value| tag_value.as_ref().is_none_or(|wanted| wanted == value))
        };
        found.retain(tagged);
    }
    ok(&List::whole(found.iter().map(GroupOut::from).collect()))
}

pub(super) async fn group(arm: &Arm, ask: &Ask, place: &ResourceId) -> Answer {
    let place = place.clone();
    let work = move |engine: &engine::Engine, caller: &domain::access::Caller| {
        engine.resource_group(caller, place.subscription, &place.resource_group)
    };
    let found = arm.engine(ask, work).await?;
    if ask.request.method == Method::HEAD {
        return Ok(reply::empty(StatusCode::NO_CONTENT));
    }
    ok(&GroupOut::from(&found))
}

pub(super) async fn put_group(arm: &Arm, ask: &Ask, place: &ResourceId) -> Answer {
    let body = GroupBody::read(&ask.request.body)?;
    let location = body.location.as_deref().map(ids::location).filter(|location| !location.is_empty());
    let location = location.ok_or_else(|| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "LocationRequired",
            "The location property is required for this definition.",
        )
    })?;
    if !is_group_name(&place.resource_group) {
        return Err(bad_group_name(&place.resource_group).into());
    }
    let (place, tags) = (place.clone(), body.tags.unwrap_or_default());
    let work = move |engine: &engine::Engine, caller: &domain::access::Caller| {
        engine.put_resource_group(caller, place.subscription, &place.resource_group, &location, &tags)
    };
    let (group, created) = arm.engine(ask, work).await?;
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    Ok(reply::json(status, &GroupOut::from(&group)))
}

pub(super) async fn patch_group(arm: &Arm, ask: &Ask, place: &ResourceId) -> Answer {
    let body = GroupBody::read(&ask.request.body)?;
    let ResourceId { subscription, resource_group } = place.clone();
    let work = move |engine: &engine::Engine, caller: &domain::access::Caller| {
        engine.patch_resource_group(caller, subscription, &resource_group, body.tags.as_ref())
    };
    let group = arm.engine(ask, work).await?;
    ok(&GroupOut::from(&group))
}

pub(super) async fn delete_group(arm: &Arm, ask: &Ask, place: &ResourceId) -> Answer {
    let ResourceId { subscription, resource_group } = place.clone();
    arm.engine(ask, move |engine, caller| engine.delete_resource_group(caller, subscription, &resource_group)).await?;
    Ok(reply::empty(StatusCode::OK))
}

/// 1 to 90 letters, digits and `-_.()`, no period at the end: the resource manager's documented rule.
fn is_group_name(name: &str) -> bool {
    (1..=90).contains(&name.chars().count())
        && name.chars().all(|char| char.is_alphanumeric() || "-_.()".contains(char))
        && !name.ends_with('.')
}

fn bad_group_name(name: &str) -> Problem {
    let message = format!(
        "The provided resource group name '{name}' has these invalid characters: the name can only be letters, digits, \
         '-', '.', '(', ')' or '_', at most 90 of them, and must not end with a period."
    );
    Problem::new(StatusCode::BAD_REQUEST, "InvalidResourceGroupName", message)
}

/// What a filter on resources asks for.
#[derive(Default)]
struct Wanted {
    /// A type was named; `None` inside if it is none of ours.
    kind: Option<Option<ContainerKind>>,
    name: Option<String>,
    group: Option<String>,
}

fn wanted(text: &str) -> Result<Wanted, Problem> {
    let mut wanted = Wanted::default();
    for condition in filter::of(Some(text))? {
        match condition {
            Condition::Equals { field, value } if field == "resourcetype" => {
                let is_type = |kind: &ContainerKind| ids::resource_type(*kind).eq_ignore_ascii_case(&value);
                wanted.kind = Some(ContainerKind::ALL.into_iter().find(is_type));
            }
            Condition::Equals { field, value } if field == "name" => wanted.name = Some(value),
            Condition::Equals { field, value } if field == "resourcegroup" => wanted.group = Some(value),
            _ => return Err(filter::bad(text)),
        }
    }
    Ok(wanted)
}

/// Resources of any type: how `az` lists vaults and finds the resource group of a vault's name
/// (contract: az-client §2).
pub(super) async fn resources(arm: &Arm, ask: &Ask, subscription: Guid, group: Option<String>) -> Answer {
    let wanted = wanted(ask.request.query("$filter").unwrap_or_default())?;
    let kind = wanted.kind.flatten();
    let mut page = paging::page_of(ask.request.query("$top"), ask.request.query("$skiptoken"), kind)?;
    if wanted.kind == Some(None) {
        return ok(&List::<ResourceOut>::whole(Vec::new()));
    }
    let listing = ContainerListing { kind, subscription, resource_group: group.or(wanted.group) };
    let name = wanted.name;
    let work = move |engine: &engine::Engine, caller: &domain::access::Caller| {
        let mut found = engine.list_containers(caller, &listing, &page)?;
        let Some(name) = &name else {
            return Ok((found.items, found.next));
        };
        // Names are looked for on every page: `az` reads the first answer as the whole one.
        let mut named: Vec<Container> = Vec::new();
        loop {
            named.extend(found.items.into_iter().filter(|each| each.name.as_str().eq_ignore_ascii_case(name)));
            page.after = found.next;
            if page.after.is_none() {
                return Ok((named, None));
            }
            found = engine.list_containers(caller, &listing, &page)?;
        }
    };
    let (found, next) = arm.engine(ask, work).await?;
    let next_link = next.map(|marker| paging::next_link(ask, &marker));
    ok(&List { value: found.iter().map(ResourceOut::from).collect(), next_link })
}

pub(super) fn provider(ask: &Ask, subscription: Option<Guid>, namespace: &str) -> Answer {
    match providers::by_namespace(subscription, namespace) {
        Some(provider) => ok(&provider),
        None => Err(unknown_namespace(ask, namespace).into()),
    }
}
