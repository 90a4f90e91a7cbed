//! Resource providers, their types, versions and operations, and the locations that clients may name.
//!
//! Any location is accepted: an installation is in one place and keeps the word that the client chose. The list is
//! what clients show and check against. Schemas of `arm-resources-subset-2025-04-01.json`.

use super::{ids, version};
use domain::{Guid, Operation};
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Provider {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    namespace: &'static str,
    registration_policy: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_state: Option<&'static str>,
    resource_types: Vec<ResourceType>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceType {
    resource_type: &'static str,
    locations: Vec<&'static str>,
    api_versions: Vec<&'static str>,
    default_api_version: &'static str,
    capabilities: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Location {
    id: String,
    name: String,
    r#type: &'static str,
    display_name: &'static str,
    regional_display_name: &'static str,
    metadata: LocationMetadata,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LocationMetadata {
    region_type: &'static str,
    region_category: &'static str,
}

const KEY_VAULT_TYPES: [&str; 10] = [
    "vaults",
    "vaults/accessPolicies",
    "managedHSMs",
    "deletedVaults",
    "deletedManagedHSMs",
    "locations",
    "locations/deletedVaults",
    "locations/deletedManagedHSMs",
    "locations/operationResults",
    "operations",
];
const RESOURCES_TYPES: [&str; 4] = ["tenants", "subscriptions", "resourceGroups", "subscriptions/resourceGroups"];
const AUTHORIZATION_TYPES: [&str; 3] = ["roleAssignments", "roleDefinitions", "locks"];

const CONSUMPTION_TYPES: [&str; 1] = ["usageDetails"];

const EVENT_GRID_TYPES: [&str; 1] = ["eventSubscriptions"];

const EVENT_GRID_VERSIONS: [&str; 2] = ["2022-06-15", "2021-12-01"];

const RESOURCES_VERSIONS: [&str; 4] = ["2025-04-01", "2024-11-01", "2022-12-01", "2015-11-01"];
const AUTHORIZATION_VERSIONS: [&str; 3] = ["2022-04-01", "2020-05-01", "2016-09-01"];

/// Those whose usage details have the shape of "legacy" ones.
const CONSUMPTION_VERSIONS: [&str; 3] = ["2023-11-01", "2023-05-01", "2021-10-01"];

const LOCATIONS: [&str; 38] = [
    "Australia Central",
    "Australia East",
    "Australia Southeast",
    "Brazil South",
    "Canada Central",
    "Canada East",
    "Central India",
    "Central US",
    "East Asia",
    "East US",
    "East US 2",
    "France Central",
    "Germany West Central",
    "Israel Central",
    "Italy North",
    "Japan East",
    "Japan West",
    "Korea Central",
    "Korea South",
    "Mexico Central",
    "New Zealand North",
    "North Central US",
    "North Europe",
    "Norway East",
    "Poland Central",
    "Qatar Central",
    "South Africa North",
    "South Central US",
    "Southeast Asia",
    "Spain Central",
    "Sweden Central",
    "Switzerland North",
    "UAE North",
    "UK South",
    "UK West",
    "West Europe",
    "West US",
    "West US 2",
];

/// The providers there are; registered where a subscription asks.
pub(crate) fn all(subscription: Option<Guid>) -> Vec<Provider> {
    let provider = |namespace: &'static str, policy, types: &[&'static str], versions: &[&'static str]| Provider {
        id: subscription.map(|id| format!("{}/providers/{namespace}", ids::subscription(id))),
        namespace,
        registration_policy: policy,
        registration_state: subscription.map(|_| "Registered"),
        resource_types: types.iter().map(|name| resource_type(name, versions)).collect(),
    };
    vec![
        provider("Microsoft.KeyVault", "RegistrationRequired", &KEY_VAULT_TYPES, &version::KEY_VAULT),
        provider("Microsoft.Resources", "RegistrationFree", &RESOURCES_TYPES, &RESOURCES_VERSIONS),
        provider("Microsoft.Authorization", "RegistrationFree", &AUTHORIZATION_TYPES, &AUTHORIZATION_VERSIONS),
        provider("Microsoft.Consumption", "RegistrationFree", &CONSUMPTION_TYPES, &CONSUMPTION_VERSIONS),
        provider("Microsoft.EventGrid", "RegistrationRequired", &EVENT_GRID_TYPES, &EVENT_GRID_VERSIONS),
    ]
}

fn resource_type(name: &'static str, versions: &[&'static str]) -> ResourceType {
    let has_place = matches!(name, "vaults" | "managedHSMs");
    ResourceType {
        resource_type: name,
        locations: if has_place { LOCATIONS.to_vec() } else { Vec::new() },
        api_versions: versions.to_vec(),
        default_api_version: versions.first().copied().unwrap_or_default(),
        capabilities: if has_place { "SupportsTags, SupportsLocation" } else { "None" },
    }
}

pub(crate) fn by_namespace(subscription: Option<Guid>, namespace: &str) -> Option<Provider> {
    all(subscription).into_iter().find(|provider| provider.namespace.eq_ignore_ascii_case(namespace))
}

pub(crate) fn locations(subscription: Guid) -> Vec<Location> {
    let location = |display_name: &&'static str| {
        let name = ids::location(display_name);
        Location {
            id: format!("{}/locations/{name}", ids::subscription(subscription)),
            name,
            r#type: "Region",
            display_name,
            regional_display_name: display_name,
            metadata: LocationMetadata { region_type: "Physical", region_category: "Recommended" },
        }
    };
    LOCATIONS.iter().map(location).collect()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OperationOut {
    name: &'static str,
    is_data_action: bool,
    display: OperationDisplay,
    origin: &'static str,
}

#[derive(Serialize)]
struct OperationDisplay {
    provider: &'static str,
    resource: String,
    operation: &'static str,
    description: String,
}

/// The actions and data actions of Microsoft.KeyVault, each once, in order.
pub(crate) fn operations() -> Vec<OperationOut> {
    let mut found: Vec<(&'static str, bool, &'static str)> = Vec::new();
    for operation in Operation::ALL {
        let data = domain::ContainerKind::ALL.into_iter().filter_map(|kind| operation.data_action(kind));
        found.extend(data.map(|action| (action, true, operation.name())));
        found.extend(operation.arm_action().map(|action| (action, false, operation.name())));
    }
    found.retain(|(action, ..)| action.starts_with("Microsoft.KeyVault/"));
    found.sort_unstable();
    found.dedup_by_key(|(action, ..)| *action);
    found.into_iter().map(|(action, is_data_action, name)| operation_out(action, is_data_action, name)).collect()
}

fn operation_out(action: &'static str, is_data_action: bool, name: &'static str) -> OperationOut {
    let path = action.strip_prefix("Microsoft.KeyVault/").unwrap_or(action).trim_end_matches("/action");
    let resource = path.rsplit_once('/').map_or(path, |(resource, _)| resource).to_owned();
    OperationOut {
        name: action,
        is_data_action,
        display: OperationDisplay {
            provider: "Microsoft Key Vault",
            resource,
            operation: name,
            description: format!("{name}: {path}"),
        },
        origin: "user,system",
    }
}
