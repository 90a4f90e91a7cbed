//! From a path to what it names. Pure: knows no engine, no method's meaning, no body.
//!
//! Paths of the resource manager compare without case. What a path calls by name keeps the case it was written in;
//! the engine compares names without it. Source: the paths of `specs/azure/arm-*.json`; contract: key-vault §4.

use domain::{ContainerKind, Guid, ResourceId, access::Scope, metering::Month};

/// One container's place in the control plane, as a path names it. The name may still break the rule of names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub kind: ContainerKind,
    pub resource: ResourceId,
    pub name: String,
}

/// What the path of an access-policy change asks to do with the policies in the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PolicyChange {
    Add,
    Replace,
    Remove,
}

/// A deleted container, as a path names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeletedPlace {
    pub kind: ContainerKind,
    pub subscription: Guid,
    pub location: String,
    pub name: String,
}

/// Where a path asks for usage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum UsagePlace {
    Subscription(Guid),
    Group(ResourceId),
    Container(Place),
}

/// Everything a path can name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Tenants,
    Subscriptions,
    Subscription(Guid),
    Locations(Guid),
    Groups(Guid),
    Group(ResourceId),
    Resources {
        subscription: Guid,
        group: Option<String>,
    },
    Providers(Option<Guid>),
    Provider {
        subscription: Option<Guid>,
        namespace: String,
    },
    RegisterProvider {
        subscription: Guid,
        namespace: String,
    },
    KeyVaultOperations,
    CheckName {
        subscription: Guid,
        kind: ContainerKind,
    },
    Containers {
        kind: ContainerKind,
        subscription: Guid,
        group: Option<String>,
    },
    Container(Place),
    AccessPolicies(Place, PolicyChange),
    PrivateLinkResources(Place),
    PrivateEndpointConnections(Place),
    PrivateEndpointConnection(Place),
    Regions(Place),
    DeletedContainers {
        kind: ContainerKind,
        subscription: Guid,
    },
    DeletedContainer(DeletedPlace),
    PurgeContainer(DeletedPlace),
    OperationResult {
        kind: ContainerKind,
        id: String,
    },
    RoleAssignments(Scope),
    RoleAssignment(Scope, String),
    RoleDefinitions(Scope),
    RoleDefinition(Scope, String),
    Locks(Scope),
    Lock(Scope, String),
    EventSubscriptions(Place),
    EventSubscription(Place, String),
    /// The whole URL of its receiver.
    EventSubscriptionUrl(Place, String),
    /// What was used at a place; in a month, where the path names a billing period.
    Usage(UsagePlace, Option<Month>),
    /// Documented, known, and not built: answered by name, whatever the method.
    NotSupported(&'static str),
}

/// Why a path names nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoRoute {
    /// No resource manager has such a path.
    Unknown,
    SubscriptionMalformed(String),
    NamespaceUnknown(String),
    TypeUnknown {
        namespace: String,
        resource_type: String,
    },
}

const KEY_VAULT: &str = "microsoft.keyvault";
/// Providers whose resources the resource manager itself keeps.
const OTHER_NAMESPACES: [&str; 4] =
    ["microsoft.resources", "microsoft.authorization", "microsoft.consumption", "microsoft.eventgrid"];

/// What the segments of a path (decoded, none empty) name.
pub(crate) fn resolve(path: &[&str]) -> Result<Route, NoRoute> {
    // A slash or a control character inside a segment would change the meaning of every id built from it.
    if path.iter().any(|segment| segment.contains(|char: char| char == '/' || char.is_control())) {
        return Err(NoRoute::Unknown);
    }
    let folded: Vec<String> = path.iter().map(|segment| segment.to_ascii_lowercase()).collect();
    let folded: Vec<&str> = folded.iter().map(String::as_str).collect();
    let extension = authorization(path, &folded).or_else(|| consumption(path, &folded));
    if let Some(route) = extension.or_else(|| event_grid(path, &folded)) {
        return route;
    }
    match folded.as_slice() {
        ["tenants"] => Ok(Route::Tenants),
        ["subscriptions"] => Ok(Route::Subscriptions),
        ["subscriptions", id, below @ ..] => {
            let id = Guid::parse(id).ok_or_else(|| NoRoute::SubscriptionMalformed((*id).to_owned()))?;
            in_subscription(id, path.get(2..).unwrap_or_default(), below)
        }
        ["providers"] => Ok(Route::Providers(None)),
        ["providers", "microsoft.management", ..] => Ok(Route::NotSupported("management groups")),
        ["providers", KEY_VAULT, "operations"] => Ok(Route::KeyVaultOperations),
        ["providers", _] => Ok(Route::Provider { subscription: None, namespace: text(path, 1) }),
        ["providers", ..] => Err(unknown_type(path.get(1..).unwrap_or_default())),
        _ => Err(NoRoute::Unknown),
    }
}

/// The container that an ARM id names.
pub(crate) fn place_of(arm_id: &str) -> Option<Place> {
    let path: Vec<&str> = arm_id.split('/').filter(|segment| !segment.is_empty()).collect();
    match resolve(&path) {
        Ok(Route::Container(place)) => Some(place),
        _ => None,
    }
}

fn text(path: &[&str], at: usize) -> String {
    path.get(at).copied().unwrap_or_default().to_owned()
}

/// Role assignments, role definitions and locks live below any scope, so they are found from the end.
fn authorization(path: &[&str], folded: &[&str]) -> Option<Result<Route, NoRoute>> {
    let at = folded.windows(2).rposition(|pair| pair == ["providers", "microsoft.authorization"])?;
    let tail = folded.get(at + 2..).unwrap_or_default();
    let make: fn(Scope, Option<String>) -> Route = match tail.first().copied()? {
        "roleassignments" => |scope, name| match name {
            None => Route::RoleAssignments(scope),
            Some(name) => Route::RoleAssignment(scope, name),
        },
        "roledefinitions" => |scope, name| match name {
            None => Route::RoleDefinitions(scope),
            Some(name) => Route::RoleDefinition(scope, name),
        },
        "locks" => |scope, name| match name {
            None => Route::Locks(scope),
            Some(name) => Route::Lock(scope, name),
        },
        "operations" => return Some(Ok(Route::NotSupported("the list of Microsoft.Authorization operations"))),
        "register" => return None,
        _ => return Some(Err(unknown_type(path.get(at + 1..).unwrap_or_default()))),
    };
    let scope = super::ids::scope(path.get(..at).unwrap_or_default());
    Some(match (scope, tail.len()) {
        (Some(scope), 1) => Ok(make(scope, None)),
        (Some(scope), 2) => Ok(make(scope, Some(text(path, at + 3)))),
        _ => Err(NoRoute::Unknown),
    })
}

/// Usage is told at any place that has it, so it is found from the end, too.
fn consumption(path: &[&str], folded: &[&str]) -> Option<Result<Route, NoRoute>> {
    let at = folded.windows(2).rposition(|pair| pair == ["providers", "microsoft.consumption"])?;
    match folded.get(at + 2..).unwrap_or_default() {
        ["usagedetails"] => {}
        // The provider itself.
        [] | ["register" | "unregister"] => return None,
        _ => return Some(Err(unknown_type(path.get(at + 1..).unwrap_or_default()))),
    }
    let (place, period) = match folded.get(..at).unwrap_or_default() {
        [.., "providers", "microsoft.billing", "billingperiods", period] => (at - 4, Some(*period)),
        _ => (at, None),
    };
    // Azure numbers several invoices of a month: `202611-1`.
    let digits = |period: &str| Month::parse_period(period.split_once('-').map_or(period, |(month, _)| month));
    let month = period.map(digits);
    if month == Some(None) {
        return Some(Err(NoRoute::Unknown));
    }
    let route = resolve(path.get(..place).unwrap_or_default());
    let place = route.map(|route| match route {
        Route::Subscription(id) => Some(UsagePlace::Subscription(id)),
        Route::Group(resource) => Some(UsagePlace::Group(resource)),
        Route::Container(place) => Some(UsagePlace::Container(place)),
        _ => None,
    });
    let elsewhere = "usage but of subscriptions, resource groups, vaults and managed HSMs";
    Some(place.map(|place| place.map_or(Route::NotSupported(elsewhere), |place| Route::Usage(place, month.flatten()))))
}

/// Event subscriptions are below the vault that they are of, so they are found from the end, too.
fn event_grid(path: &[&str], folded: &[&str]) -> Option<Result<Route, NoRoute>> {
    let at = folded.windows(2).rposition(|pair| pair == ["providers", "microsoft.eventgrid"])?;
    let make: fn(Place, String) -> Route = match folded.get(at + 2..).unwrap_or_default() {
        ["eventsubscriptions"] => |place, _| Route::EventSubscriptions(place),
        ["eventsubscriptions", _] => Route::EventSubscription,
        ["eventsubscriptions", _, "getfullurl"] => Route::EventSubscriptionUrl,
        ["eventsubscriptions", _, "getdeliveryattributes"] => {
            return Some(Ok(Route::NotSupported("delivery attributes of event subscriptions")));
        }
        // The provider itself.
        [] | ["register" | "unregister"] => return None,
        ["locations", _, "eventsubscriptions"] => |_, _| Route::NotSupported(OF_VAULTS),
        [types, ..] if types.contains("topic") || types.contains("domain") || types.contains("namespace") => {
            return Some(Ok(Route::NotSupported("topics of Event Grid")));
        }
        _ => return Some(Err(unknown_type(path.get(at + 1..).unwrap_or_default()))),
    };
    let scope = resolve(path.get(..at).unwrap_or_default());
    Some(scope.map(|scope| match scope {
        Route::Container(place) if place.kind == ContainerKind::Vault => make(place, text(path, at + 3)),
        _ => Route::NotSupported(OF_VAULTS),
    }))
}

const OF_VAULTS: &str = "event subscriptions but of vaults";

fn in_subscription(subscription: Guid, path: &[&str], folded: &[&str]) -> Result<Route, NoRoute> {
    match folded {
        [] => Ok(Route::Subscription(subscription)),
        ["locations"] => Ok(Route::Locations(subscription)),
        ["resources"] => Ok(Route::Resources { subscription, group: None }),
        ["resourcegroups"] => Ok(Route::Groups(subscription)),
        ["resourcegroups", _, below @ ..] => {
            let resource = ResourceId { subscription, resource_group: text(path, 1) };
            in_group(resource, path.get(2..).unwrap_or_default(), below)
        }
        ["providers"] => Ok(Route::Providers(Some(subscription))),
        ["providers", _] => Ok(Route::Provider { subscription: Some(subscription), namespace: text(path, 1) }),
        ["providers", _, "register"] => Ok(Route::RegisterProvider { subscription, namespace: text(path, 1) }),
        ["providers", _, "unregister"] => Ok(Route::NotSupported("unregistering a resource provider")),
        ["providers", _, "providerpermissions"] => Ok(Route::NotSupported("provider permissions")),
        ["providers", "microsoft.resources", "deployments", ..] => Ok(Route::NotSupported("template deployments")),
        ["providers", KEY_VAULT, below @ ..] => key_vault_of_subscription(subscription, path, below),
        ["providers", ..] => Err(unknown_type(path.get(1..).unwrap_or_default())),
        _ => Err(NoRoute::Unknown),
    }
}

fn key_vault_of_subscription(subscription: Guid, path: &[&str], folded: &[&str]) -> Result<Route, NoRoute> {
    let deleted = |kind| DeletedPlace { kind, subscription, location: text(path, 3), name: text(path, 5) };
    match folded {
        ["checknameavailability"] => Ok(Route::CheckName { subscription, kind: ContainerKind::Vault }),
        ["checkmhsmnameavailability"] => Ok(Route::CheckName { subscription, kind: ContainerKind::ManagedHsm }),
        ["locations", _, "operationresults", _] => {
            Ok(Route::OperationResult { kind: ContainerKind::Vault, id: text(path, 5) })
        }
        ["locations", _, "managedhsmoperationresults", _] => {
            Ok(Route::OperationResult { kind: ContainerKind::ManagedHsm, id: text(path, 5) })
        }
        ["locations", _, collection, _, below @ ..] => match (deleted_kind(collection), below) {
            (Some(kind), []) => Ok(Route::DeletedContainer(deleted(kind))),
            (Some(kind), ["purge"]) => Ok(Route::PurgeContainer(deleted(kind))),
            _ => Err(unknown_type(path.get(1..).unwrap_or_default())),
        },
        [collection] => match (deleted_kind(collection), kind_of(collection)) {
            (Some(kind), _) => Ok(Route::DeletedContainers { kind, subscription }),
            (_, Some(kind)) => Ok(Route::Containers { kind, subscription, group: None }),
            _ => Err(unknown_type(path.get(1..).unwrap_or_default())),
        },
        _ => Err(unknown_type(path.get(1..).unwrap_or_default())),
    }
}

fn in_group(resource: ResourceId, path: &[&str], folded: &[&str]) -> Result<Route, NoRoute> {
    match folded {
        [] => Ok(Route::Group(resource)),
        ["resources"] => {
            Ok(Route::Resources { subscription: resource.subscription, group: Some(resource.resource_group) })
        }
        ["exporttemplate"] => Ok(Route::NotSupported("export of templates")),
        ["moveresources" | "validatemoveresources"] => Ok(Route::NotSupported("moving resources")),
        ["providers", "microsoft.resources", "deployments", ..] => Ok(Route::NotSupported("template deployments")),
        ["providers", KEY_VAULT, collection, below @ ..] => match kind_of(collection) {
            Some(kind) => key_vault_of_group(kind, resource, path, below),
            None => Err(unknown_type(path.get(1..).unwrap_or_default())),
        },
        ["providers", _, ..] => Err(unknown_type(path.get(1..).unwrap_or_default())),
        _ => Err(NoRoute::Unknown),
    }
}

fn key_vault_of_group(
    kind: ContainerKind,
    resource: ResourceId,
    path: &[&str],
    folded: &[&str],
) -> Result<Route, NoRoute> {
    let Some((_, below)) = folded.split_first() else {
        let ResourceId { subscription, resource_group } = resource;
        return Ok(Route::Containers { kind, subscription, group: Some(resource_group) });
    };
    let place = Place { kind, resource, name: text(path, 3) };
    match (kind, below) {
        (_, []) => Ok(Route::Container(place)),
        (_, ["privatelinkresources"]) => Ok(Route::PrivateLinkResources(place)),
        (_, ["privateendpointconnections"]) => Ok(Route::PrivateEndpointConnections(place)),
        (_, ["privateendpointconnections", _]) => Ok(Route::PrivateEndpointConnection(place)),
        (_, ["keys", ..]) => Ok(Route::NotSupported("keys through the resource manager")),
        (ContainerKind::Vault, ["secrets", ..]) => Ok(Route::NotSupported("secrets through the resource manager")),
        (ContainerKind::Vault, ["networksecurityperimeterconfigurations", ..]) => {
            Ok(Route::NotSupported("network security perimeters"))
        }
        (ContainerKind::Vault, ["accesspolicies", "add"]) => Ok(Route::AccessPolicies(place, PolicyChange::Add)),
        (ContainerKind::Vault, ["accesspolicies", "replace"]) => {
            Ok(Route::AccessPolicies(place, PolicyChange::Replace))
        }
        (ContainerKind::Vault, ["accesspolicies", "remove"]) => Ok(Route::AccessPolicies(place, PolicyChange::Remove)),
        (ContainerKind::ManagedHsm, ["regions"]) => Ok(Route::Regions(place)),
        _ => Err(unknown_type(path.get(1..).unwrap_or_default())),
    }
}

fn kind_of(collection: &str) -> Option<ContainerKind> {
    ContainerKind::ALL.into_iter().find(|kind| kind.resource_type().eq_ignore_ascii_case(collection))
}

fn deleted_kind(collection: &str) -> Option<ContainerKind> {
    kind_of(collection.strip_prefix("deleted")?)
}

/// A path below `providers` that names no type we have. `path` begins with the namespace.
fn unknown_type(path: &[&str]) -> NoRoute {
    let namespace = text(path, 0);
    let folded = namespace.to_ascii_lowercase();
    if folded != KEY_VAULT && !OTHER_NAMESPACES.contains(&folded.as_str()) {
        return NoRoute::NamespaceUnknown(namespace);
    }
    // Types and names alternate: `vaults/kv/keys/k` is of type `vaults/keys`.
    let types: Vec<&str> = path.iter().skip(1).step_by(2).copied().collect();
    NoRoute::TypeUnknown { namespace, resource_type: types.join("/") }
}

impl Route {
    /// The methods it answers. [`Route::NotSupported`] answers every one, with its name.
    pub(crate) fn methods(&self) -> &'static [&'static str] {
        match self {
            Self::Group(_) | Self::Container(_) => &["GET", "HEAD", "PUT", "PATCH", "DELETE"],
            Self::RegisterProvider { .. } | Self::CheckName { .. } | Self::PurgeContainer(_) => &["POST"],
            Self::AccessPolicies(..) => &["PUT"],
            Self::PrivateEndpointConnection(_)
            | Self::RoleAssignment(..)
            | Self::RoleDefinition(..)
            | Self::Lock(..) => &["GET", "PUT", "DELETE"],
            Self::EventSubscription(..) => &["GET", "PUT", "PATCH", "DELETE"],
            Self::EventSubscriptionUrl(..) => &["POST"],
            Self::NotSupported(_) => &["GET", "HEAD", "PUT", "PATCH", "POST", "DELETE"],
            _ => &["GET"],
        }
    }

    /// Whether it belongs to the provider whose API versions are listed.
    pub(crate) fn is_key_vault(&self) -> bool {
        matches!(
            self,
            Self::KeyVaultOperations
                | Self::CheckName { .. }
                | Self::Containers { .. }
                | Self::Container(_)
                | Self::AccessPolicies(..)
                | Self::PrivateLinkResources(_)
                | Self::PrivateEndpointConnections(_)
                | Self::PrivateEndpointConnection(_)
                | Self::Regions(_)
                | Self::DeletedContainers { .. }
                | Self::DeletedContainer(_)
                | Self::PurgeContainer(_)
                | Self::OperationResult { .. }
        )
    }
}
