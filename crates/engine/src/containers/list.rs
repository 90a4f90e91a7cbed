//! Looking at containers, live and deleted.

use super::{operations, put::arm_id};
use crate::{Engine, Error, Page, PageRequest, directory::ContainerListing};
use domain::{Container, ContainerKind, ContainerName, Guid, Refusal, ResourceId, access::Caller};
use store::{ContainerFilter, Presence};

/// Whether a container's name can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameAvailability {
    Available,
    Invalid,
    Taken,
}

impl Engine {
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::ContainerNotFound`].
    pub fn get_container(
        &self,
        caller: &Caller,
        kind: ContainerKind,
        resource: &ResourceId,
        name: &ContainerName,
    ) -> Result<Container, Error> {
        let target = arm_id(kind, resource, name);
        self.authorise_arm(caller, operations(kind).read, &target)?;
        let found = self.store.query(|read| {
            let subscriptions = read.subscriptions()?;
            if !subscriptions.iter().any(|each| each.id == resource.subscription) {
                return Err(Error::Refused(Refusal::SubscriptionNotFound));
            }
            if read.resource_group(resource.subscription, &resource.resource_group)?.is_none() {
                return Err(Refusal::ResourceGroupNotFound.into());
            }
            Ok(read.container(kind, name)?)
        })?;
        let container = found.map(|stored| stored.container);
        let container = container.filter(|found| super::put::is_live_at(found, &target));
        Ok(container.ok_or(Refusal::ContainerNotFound)?)
    }

    /// Live containers that the caller may read.
    ///
    /// # Errors
    /// [`Refusal::SubscriptionNotFound`], [`Refusal::ResourceGroupNotFound`].
    pub fn list_containers(
        &self,
        caller: &Caller,
        listing: &ContainerListing,
        page: &PageRequest,
    ) -> Result<Page<Container>, Error> {
        self.subscription(caller, listing.subscription)?;
        if let Some(group) = &listing.resource_group
            && self.store.query(|read| read.resource_group(listing.subscription, group))?.is_none()
        {
            return Err(Refusal::ResourceGroupNotFound.into());
        }
        let mut found = self.page_of_containers(listing, Presence::Live, page)?;
        self.retain_readable(caller, &mut found.items, |each| (operations(each.kind()).read, each.arm_id()))?;
        Ok(found)
    }

    /// Deleted containers of a subscription.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`].
    pub fn list_deleted_containers(
        &self,
        caller: &Caller,
        kind: ContainerKind,
        subscription: Guid,
        page: &PageRequest,
    ) -> Result<Page<Container>, Error> {
        self.authorise_arm(caller, operations(kind).read_deleted, &format!("/subscriptions/{subscription}"))?;
        let listing = ContainerListing { kind: Some(kind), subscription, resource_group: None };
        let now = self.now();
        let mut found = self.page_of_containers(&listing, Presence::Deleted, page)?;
        found.items.retain(|each| each.state.as_of(now).is_some());
        Ok(found)
    }

    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::DeletedContainerNotFound`].
    pub fn get_deleted_container(
        &self,
        caller: &Caller,
        kind: ContainerKind,
        subscription: Guid,
        name: &ContainerName,
    ) -> Result<Container, Error> {
        self.authorise_arm(caller, operations(kind).read_deleted, &format!("/subscriptions/{subscription}"))?;
        let now = self.now();
        let found = self.store.query(|read| read.container(kind, name))?.map(|stored| stored.container);
        let found = found.filter(|each| {
            each.resource.subscription == subscription && !each.state.is_live() && each.state.as_of(now).is_some()
        });
        Ok(found.ok_or(Refusal::DeletedContainerNotFound)?)
    }

    /// # Errors
    /// [`Refusal::Forbidden`].
    pub fn check_container_name(
        &self,
        caller: &Caller,
        kind: ContainerKind,
        subscription: Guid,
        name: &str,
    ) -> Result<NameAvailability, Error> {
        self.authorise_arm(caller, operations(kind).check_name, &format!("/subscriptions/{subscription}"))?;
        let Some(name) = ContainerName::parse(name) else {
            return Ok(NameAvailability::Invalid);
        };
        let now = self.now();
        let held = self.store.query(|read| read.container(kind, &name))?;
        let held = held.is_some_and(|stored| stored.container.state.as_of(now).is_some());
        Ok(if held { NameAvailability::Taken } else { NameAvailability::Available })
    }

    fn page_of_containers(
        &self,
        listing: &ContainerListing,
        presence: Presence,
        page: &PageRequest,
    ) -> Result<Page<Container>, Error> {
        // Names are unique within a kind only, so a marker names both, and the kinds follow each other.
        let marker = page.after.as_deref().and_then(|marker| marker.split_once(':'));
        let begin = marker.and_then(|(kind, _)| ContainerKind::parse(kind));
        let kinds = ContainerKind::ALL.into_iter().filter(|kind| listing.kind.is_none_or(|only| only == *kind));
        let found = self.store.query(|read| {
            let mut found = Vec::new();
            for kind in kinds.clone().skip_while(|kind| begin.is_some_and(|begin| begin != *kind)) {
                let filter = ContainerFilter {
                    kind: Some(kind),
                    presence: Some(presence),
                    subscription: Some(listing.subscription),
                    resource_group: listing.resource_group.clone(),
                };
                let after = marker.map(|(_, name)| name).filter(|_| begin == Some(kind));
                found.extend(read.list_containers(&filter, after, page.limit + 1 - found.len())?);
                if found.len() > page.limit {
                    break;
                }
            }
            Ok::<_, Error>(found)
        })?;
        let found = found.into_iter().map(|stored| stored.container).collect();
        let marker = |container: &Container| format!("{}:{}", container.kind().as_str(), container.name.folded());
        Ok(Page::cut(found, page.limit, marker))
    }
}
