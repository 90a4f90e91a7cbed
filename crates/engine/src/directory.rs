//! Subscriptions, resource groups, and results of long-running operations.

use crate::containers::{self, same_location};
use crate::locks::check_locks;
use crate::{Engine, Error, PageRequest, Subject};
use domain::{
    ContainerId, ContainerKind, Guid, Operation, OperationResult, Refusal, ResourceGroup, Subscription, Tags,
    access::{Caller, Realm, Scope},
    lock::Act,
};
use std::collections::HashSet;

/// Which containers of a subscription to list.
#[derive(Clone, Debug)]
pub struct ContainerListing {
    pub kind: Option<ContainerKind>,
    pub subscription: Guid,
    pub resource_group: Option<String>,
}

/// More containers than one resource group will hold; a group's deletion takes them all.
const ALL_IN_GROUP: usize = 100_000;

impl Engine {
    /// Subscriptions in which the caller has any role, there or on something in them: then they may see that they exist.
    ///
    /// # Errors
    /// Only the store's.
    pub fn subscriptions(&self, caller: &Caller) -> Result<Vec<Subscription>, Error> {
        let mut all = self.store.query(|read| read.subscriptions())?;
        let assignments = self.arm_assignments()?;
        all.retain(|each| assignments.within(caller, &Scope::new(&format!("/subscriptions/{}", each.id))));
        Ok(all)
    }

    /// # Errors
    /// [`Refusal::SubscriptionNotFound`], also where the caller may not see it.
    pub fn subscription(&self, caller: &Caller, id: Guid) -> Result<Subscription, Error> {
        let found = self.subscriptions(caller)?.into_iter().find(|each| each.id == id);
        Ok(found.ok_or(Refusal::SubscriptionNotFound)?)
    }

    /// Resource groups of a subscription that the caller may read.
    ///
    /// # Errors
    /// Only the store's.
    pub fn resource_groups(&self, caller: &Caller, subscription: Guid) -> Result<Vec<ResourceGroup>, Error> {
        self.subscription(caller, subscription)?;
        let mut all = self.store.query(|read| read.resource_groups(subscription))?;
        self.retain_readable(caller, &mut all, |group| {
            (Operation::ResourceGroupRead, group_id(subscription, &group.name))
        })?;
        Ok(all)
    }

    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::ResourceGroupNotFound`].
    pub fn resource_group(&self, caller: &Caller, subscription: Guid, name: &str) -> Result<ResourceGroup, Error> {
        self.authorise_arm(caller, Operation::ResourceGroupRead, &group_id(subscription, name))?;
        let found = self.store.query(|read| read.resource_group(subscription, name))?;
        Ok(found.ok_or(Refusal::ResourceGroupNotFound)?)
    }

    /// Creates a resource group, or replaces its tags. Returns it, and whether it is new.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::SubscriptionNotFound`], [`Refusal::ScopeLocked`],
    /// [`Refusal::GroupLocationImmutable`].
    pub fn put_resource_group(
        &self,
        caller: &Caller,
        subscription: Guid,
        name: &str,
        location: &str,
        tags: &Tags,
    ) -> Result<(ResourceGroup, bool), Error> {
        let target = group_id(subscription, name);
        self.authorise_arm(caller, Operation::ResourceGroupPut, &target)?;
        self.change(Operation::ResourceGroupPut, Some(caller), &Subject::resource(&target), |tx, _| {
            if !tx.subscriptions()?.iter().any(|each| each.id == subscription) {
                return Err(Refusal::SubscriptionNotFound.into());
            }
            check_locks(tx, Act::Write, &target)?;
            let found = tx.resource_group(subscription, name)?;
            if found.as_ref().is_some_and(|group| !same_location(&group.location, location)) {
                return Err(Refusal::GroupLocationImmutable.into());
            }
            let created = found.is_none();
            let mut group = found.unwrap_or_else(|| ResourceGroup {
                subscription,
                name: name.to_owned(),
                location: location.to_owned(),
                tags: Tags::new(),
            });
            group.tags.clone_from(tags);
            tx.put_resource_group(&group)?;
            Ok((group, created))
        })
    }

    /// Replaces the tags of a resource group, if any are given.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::ResourceGroupNotFound`], [`Refusal::ScopeLocked`].
    pub fn patch_resource_group(
        &self,
        caller: &Caller,
        subscription: Guid,
        name: &str,
        tags: Option<&Tags>,
    ) -> Result<ResourceGroup, Error> {
        let target = group_id(subscription, name);
        self.authorise_arm(caller, Operation::ResourceGroupPut, &target)?;
        self.change(Operation::ResourceGroupPut, Some(caller), &Subject::resource(&target), |tx, _| {
            let mut group = tx.resource_group(subscription, name)?.ok_or(Refusal::ResourceGroupNotFound)?;
            check_locks(tx, Act::Write, &target)?;
            if let Some(tags) = tags {
                group.tags.clone_from(tags);
                tx.put_resource_group(&group)?;
            }
            Ok(group)
        })
    }

    /// Deletes a resource group with every container in it, each by its own rules: all of it, or nothing.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::ResourceGroupNotFound`], [`Refusal::ScopeLocked`],
    /// [`Refusal::ResourceGroupNotEmpty`].
    pub fn delete_resource_group(&self, caller: &Caller, subscription: Guid, name: &str) -> Result<(), Error> {
        let (operation, target) = (Operation::ResourceGroupDelete, group_id(subscription, name));
        self.authorise_arm(caller, operation, &target)?;
        let group = self.store.query(|read| read.resource_group(subscription, name))?;
        let group = group.ok_or(Refusal::ResourceGroupNotFound)?;
        let allowed = self.deletable_containers(caller, &group)?;
        let gone = self.change(operation, Some(caller), &Subject::resource(&target), |tx, now| {
            check_locks(tx, Act::Delete, &target)?;
            let filter = store::ContainerFilter {
                presence: Some(store::Presence::Live),
                subscription: Some(subscription),
                resource_group: Some(group.name.clone()),
                kind: None,
            };
            let mut gone = Vec::new();
            for container in tx.list_containers(&filter, None, ALL_IN_GROUP)?.into_iter().map(|stored| stored.container)
            {
                // One made meanwhile, or one the caller may not see.
                if !allowed.contains(&container.id) {
                    return Err(Refusal::ResourceGroupNotEmpty.into());
                }
                gone.push((container.kind(), container.name.clone()));
                let (delete, id) = (containers::operations(container.kind()).delete, container.arm_id());
                containers::delete(tx, container, now)?;
                self.append_record(tx, delete, Some(caller), &Subject::resource(&id), now)?;
            }
            tx.remove_resource_group(subscription, &group.name)?;
            Ok(gone)
        });
        for (kind, name) in gone.iter().flatten() {
            self.open.invalidate(*kind, name);
        }
        self.settle_access(Realm::Arm, gone.map(drop))
    }

    /// The containers of a group, as far as the caller sees them; all of those they must be allowed to delete.
    fn deletable_containers(&self, caller: &Caller, group: &ResourceGroup) -> Result<HashSet<ContainerId>, Error> {
        let (subscription, resource_group) = (group.subscription, Some(group.name.clone()));
        let listing = ContainerListing { kind: None, subscription, resource_group };
        let found = self.list_containers(caller, &listing, &PageRequest { after: None, limit: ALL_IN_GROUP })?.items;
        for container in &found {
            self.authorise_arm(caller, containers::operations(container.kind()).delete, &container.arm_id())?;
        }
        Ok(found.iter().map(|container| container.id).collect())
    }

    /// Notes that a control-plane operation is done, for the polls that follow. Returns the id to poll by.
    ///
    /// # Errors
    /// Only the store's.
    pub fn record_result(&self, resource: Option<String>) -> Result<Guid, Error> {
        let result = OperationResult { id: self.new_guid(), created: self.now(), resource };
        self.store.transact("RecordResult", |tx| tx.put_operation_result(&result))?;
        Ok(result.id)
    }

    /// # Errors
    /// [`Refusal::OperationNotFound`].
    pub fn operation_result(&self, id: Guid) -> Result<OperationResult, Error> {
        let found = self.store.query(|read| read.operation_result(id))?;
        Ok(found.ok_or(Refusal::OperationNotFound)?)
    }
}

fn group_id(subscription: Guid, name: &str) -> String {
    format!("/subscriptions/{subscription}/resourceGroups/{name}")
}
