//! One function per route: read, ask the engine, write.

mod containers;
mod definitions;
mod deleted;
mod directory;
mod features;
mod locks;
mod notices;
mod roles;
pub(super) mod usage;

use super::{
    Answer, Arm, Ask,
    error::Problem,
    ok,
    paging::List,
    providers,
    route::{NoRoute, Route},
};

/// Answers a request whose path, version and method are known to fit.
pub(crate) async fn dispatch(arm: &Arm, ask: &Ask) -> Answer {
    match &ask.route {
        Route::NotSupported(what) => Err(Problem::not_supported(what).into()),
        Route::RoleAssignments(_)
        | Route::RoleAssignment(..)
        | Route::RoleDefinitions(_)
        | Route::RoleDefinition(..)
        | Route::Locks(_)
        | Route::Lock(..) => authorization(arm, ask).await,
        Route::EventSubscriptions(_) | Route::EventSubscription(..) | Route::EventSubscriptionUrl(..) => {
            event_grid(arm, ask).await
        }
        route if route.is_key_vault() => key_vault(arm, ask).await,
        _ => resources(arm, ask).await,
    }
}

async fn resources(arm: &Arm, ask: &Ask) -> Answer {
    match (ask.request.method.as_str(), &ask.route) {
        ("GET", Route::Tenants) => directory::tenants(arm),
        ("GET", Route::Subscriptions) => directory::subscriptions(arm, ask).await,
        ("GET", Route::Subscription(id)) => directory::subscription(arm, ask, *id).await,
        ("GET", Route::Locations(id)) => directory::locations(arm, ask, *id).await,
        ("GET", Route::Groups(id)) => directory::groups(arm, ask, *id).await,
        ("GET" | "HEAD", Route::Group(group)) => directory::group(arm, ask, group).await,
        ("PUT", Route::Group(group)) => directory::put_group(arm, ask, group).await,
        ("PATCH", Route::Group(group)) => directory::patch_group(arm, ask, group).await,
        ("DELETE", Route::Group(group)) => directory::delete_group(arm, ask, group).await,
        ("GET", Route::Resources { subscription, group }) => {
            directory::resources(arm, ask, *subscription, group.clone()).await
        }
        ("GET", Route::Providers(subscription)) => ok(&List::whole(providers::all(*subscription))),
        ("GET", Route::Provider { subscription, namespace }) => directory::provider(ask, *subscription, namespace),
        ("GET", Route::Usage(place, month)) => usage::list(arm, ask, place, *month).await,
        ("POST", Route::RegisterProvider { subscription, namespace }) => {
            directory::provider(ask, Some(*subscription), namespace)
        }
        (method, _) => Err(Problem::method_not_allowed(method).into()),
    }
}

async fn key_vault(arm: &Arm, ask: &Ask) -> Answer {
    match (ask.request.method.as_str(), &ask.route) {
        ("GET", Route::KeyVaultOperations) => ok(&List::whole(providers::operations())),
        ("POST", Route::CheckName { subscription, kind }) => {
            containers::check_name(arm, ask, *subscription, *kind).await
        }
        ("GET", Route::Containers { kind, subscription, group }) => {
            containers::list(arm, ask, *kind, *subscription, group.clone()).await
        }
        ("GET" | "HEAD", Route::Container(place)) => containers::show(arm, ask, place).await,
        ("PUT", Route::Container(place)) => containers::put(arm, ask, place).await,
        ("PATCH", Route::Container(place)) => containers::patch(arm, ask, place).await,
        ("DELETE", Route::Container(place)) => containers::delete(arm, ask, place).await,
        ("PUT", Route::AccessPolicies(place, change)) => features::policies(arm, ask, place, *change).await,
        ("GET", Route::PrivateLinkResources(place)) => features::private_links(arm, ask, place).await,
        ("GET", Route::PrivateEndpointConnections(place)) => features::no_connections(arm, ask, place).await,
        (method, Route::PrivateEndpointConnection(place)) => features::connection(arm, ask, place, method).await,
        ("GET", Route::Regions(place)) => features::regions(arm, ask, place).await,
        ("GET", Route::DeletedContainers { kind, subscription }) => deleted::list(arm, ask, *kind, *subscription).await,
        ("GET", Route::DeletedContainer(place)) => deleted::show(arm, ask, place).await,
        ("POST", Route::PurgeContainer(place)) => deleted::purge(arm, ask, place).await,
        ("GET", Route::OperationResult { kind, id }) => deleted::operation_result(arm, ask, *kind, id).await,
        (method, _) => Err(Problem::method_not_allowed(method).into()),
    }
}

async fn authorization(arm: &Arm, ask: &Ask) -> Answer {
    match (ask.request.method.as_str(), &ask.route) {
        ("GET", Route::RoleAssignments(scope)) => roles::assignments(arm, ask, scope).await,
        ("GET", Route::RoleAssignment(scope, name)) => roles::assignment(arm, ask, scope, name).await,
        ("PUT", Route::RoleAssignment(scope, name)) => roles::put_assignment(arm, ask, scope, name).await,
        ("DELETE", Route::RoleAssignment(scope, name)) => roles::delete_assignment(arm, ask, scope, name).await,
        ("GET", Route::RoleDefinitions(scope)) => definitions::list(arm, ask, scope).await,
        ("GET", Route::RoleDefinition(scope, name)) => definitions::show(arm, ask, scope, name).await,
        ("PUT", Route::RoleDefinition(scope, name)) => definitions::put(arm, ask, scope, name).await,
        ("DELETE", Route::RoleDefinition(scope, name)) => definitions::delete(arm, ask, scope, name).await,
        ("GET", Route::Locks(scope)) => locks::list(arm, ask, scope).await,
        ("GET", Route::Lock(scope, name)) => locks::show(arm, ask, scope, name).await,
        ("PUT", Route::Lock(scope, name)) => locks::put(arm, ask, scope, name).await,
        ("DELETE", Route::Lock(scope, name)) => locks::delete(arm, ask, scope, name).await,
        (method, _) => Err(Problem::method_not_allowed(method).into()),
    }
}

async fn event_grid(arm: &Arm, ask: &Ask) -> Answer {
    match (ask.request.method.as_str(), &ask.route) {
        ("GET", Route::EventSubscriptions(place)) => notices::list(arm, ask, place).await,
        ("GET", Route::EventSubscription(place, name)) => notices::show(arm, ask, place, name).await,
        ("PUT" | "PATCH", Route::EventSubscription(place, name)) => notices::put(arm, ask, place, name).await,
        ("DELETE", Route::EventSubscription(place, name)) => notices::delete(arm, ask, place, name).await,
        ("POST", Route::EventSubscriptionUrl(place, name)) => notices::full_url(arm, ask, place, name).await,
        (method, _) => Err(Problem::method_not_allowed(method).into()),
    }
}

/// A provider that this installation does not have.
fn unknown_namespace(ask: &Ask, namespace: &str) -> Problem {
    NoRoute::NamespaceUnknown(namespace.to_owned()).problem(Some(ask.version.as_str()))
}
