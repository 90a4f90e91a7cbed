//! Tenants, subscriptions, resource groups, generic resources, providers: what surrounds containers.
//!
//! Schemas of `arm-resources-subset-2025-04-01.json`; contract: az-client §2, "Control plane".

use crate::{
    arm::{error::Failure, ids},
    json,
};
use domain::{Container, Guid, ResourceGroup, Subscription, Tags};
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TenantOut {
    id: String,
    tenant_id: String,
    tenant_category: &'static str,
    display_name: &'static str,
    default_domain: String,
    domains: Vec<String>,
    tenant_type: &'static str,
}

impl TenantOut {
    pub(crate) fn new(tenant: Guid, domain: &str) -> Self {
        Self {
            id: format!("/tenants/{tenant}"),
            tenant_id: tenant.to_string(),
            tenant_category: "Home",
            display_name: "Strongroom",
            default_domain: domain.to_owned(),
            domains: vec![domain.to_owned()],
            tenant_type: "AAD",
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubscriptionOut {
    id: String,
    authorization_source: &'static str,
    managed_by_tenants: [&'static str; 0],
    subscription_id: String,
    tenant_id: String,
    display_name: String,
    state: &'static str,
    subscription_policies: SubscriptionPolicies,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SubscriptionPolicies {
    location_placement_id: &'static str,
    quota_id: &'static str,
    spending_limit: &'static str,
}

impl From<&Subscription> for SubscriptionOut {
    fn from(subscription: &Subscription) -> Self {
        Self {
            id: ids::subscription(subscription.id),
            authorization_source: "RoleBased",
            managed_by_tenants: [],
            subscription_id: subscription.id.to_string(),
            tenant_id: subscription.tenant.to_string(),
            display_name: subscription.display_name.clone(),
            state: "Enabled",
            subscription_policies: SubscriptionPolicies {
                location_placement_id: "Public_2014-09-01",
                quota_id: "Internal_2014-09-01",
                spending_limit: "Off",
            },
        }
    }
}

#[derive(Serialize)]
pub(crate) struct GroupOut {
    id: String,
    name: String,
    r#type: &'static str,
    location: String,
    tags: Tags,
    properties: GroupProperties,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GroupProperties {
    provisioning_state: &'static str,
}

impl From<&ResourceGroup> for GroupOut {
    fn from(group: &ResourceGroup) -> Self {
        Self {
            id: ids::group(group.subscription, &group.name),
            name: group.name.clone(),
            r#type: "Microsoft.Resources/resourceGroups",
            location: group.location.clone(),
            tags: group.tags.clone(),
            properties: GroupProperties { provisioning_state: "Succeeded" },
        }
    }
}

/// The body of a PUT or PATCH of a resource group.
#[derive(Deserialize)]
pub(crate) struct GroupBody {
    pub location: Option<String>,
    pub tags: Option<Tags>,
}

impl GroupBody {
    pub(crate) fn read(body: &[u8]) -> Result<Self, Failure> {
        Ok(json::parse(body)?)
    }
}

/// A container as lists of any resources show it.
#[derive(Serialize)]
pub(crate) struct ResourceOut {
    id: String,
    name: String,
    r#type: String,
    location: String,
    tags: Tags,
}

impl From<&Container> for ResourceOut {
    fn from(container: &Container) -> Self {
        Self {
            id: container.arm_id(),
            name: container.name.to_string(),
            r#type: ids::resource_type(container.kind()),
            location: container.location.clone(),
            tags: container.tags.clone(),
        }
    }
}
