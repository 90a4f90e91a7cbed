//! The resource manager: tenants, subscriptions, resource groups, vaults, managed HSMs, role assignments, locks, event
//! subscriptions.
//!
//! A request is authenticated, its path becomes a [`route::Route`], a handler asks the engine, and what comes back is
//! written in the wire's words. No rule is here. Source: contract key-vault §4, az-client §2;
//! `specs/azure/arm-*.json`.

mod error;
mod filter;
#[doc(hidden)]
pub mod fuzz;
mod handlers;
mod ids;
mod metadata;
mod paging;
mod policies;
mod providers;
mod route;
mod stamp;
#[cfg(test)]
mod tests;
mod told;
mod unauthenticated;
mod version;
mod wire;

use crate::{
    Addresses, Request, Response,
    bearer::{self, NoCaller},
    notices::Courier,
    reply,
};
use bytes::Bytes;
use domain::{
    ContainerKind,
    access::{Caller, Scope},
    lock,
};
use engine::{Cost, Door, Engine};
use error::{Failure, Problem, Subject};
use http::Method;
use identity::Identity;
use route::{Place, Route, UsagePlace};
use std::sync::Arc;
use version::ApiVersion;

/// Answers for the control plane of an installation.
pub struct Arm {
    pub door: Door,
    pub identity: Arc<Identity>,
    pub addresses: Arc<Addresses>,
    /// Asks receivers of notices whether they agree.
    pub courier: Arc<dyn Courier>,
}

/// A request past the gate of authentication, with everything about it read but its body.
pub(crate) struct Ask {
    pub caller: Caller,
    pub request: Request,
    pub route: Route,
    pub version: ApiVersion,
}

/// What a handler gives.
pub(crate) type Answer = Result<Response, Failure>;

impl Arm {
    /// Answers any request to the resource manager.
    pub async fn handle(&self, request: Request) -> Response {
        let stamp = stamp::Stamp::of(&request);
        let is_head = request.method == Method::HEAD;
        let mut response = self.answer(request).await;
        if is_head {
            *response.body_mut() = Bytes::new();
        }
        stamp.put(&mut response, self.door.engine().now());
        response
    }

    async fn answer(&self, request: Request) -> Response {
        if metadata::is_asked_by(&request) {
            return match request.method {
                Method::GET | Method::HEAD => metadata::endpoints(&self.addresses, &request),
                _ => Problem::method_not_allowed(request.method.as_str()).response(),
            };
        }
        let caller = match bearer::caller(&self.door, &self.identity, &request, self.addresses.arm_audiences()).await {
            Ok(caller) => caller,
            Err(NoCaller::Unauthenticated(why)) => {
                let authority = self.addresses.authority_url(&request.host);
                return unauthenticated::response(&why, &authority, self.identity.now());
            }
            Err(NoCaller::Failed(error)) => return error::failed(&error),
        };
        match read(caller, request) {
            Ok(ask) => {
                let answer = async {
                    match handlers::dispatch(self, &ask).await {
                        Ok(response) => response,
                        Err(failure) => error::response(failure, &ask.subject()),
                    }
                };
                self.told(&ask, answer).await
            }
            Err(problem) => problem.response(),
        }
    }

    /// Asks the engine. Everything in the control plane reads or writes the store.
    pub(crate) async fn engine<T: Send + 'static>(
        &self,
        ask: &Ask,
        work: impl FnOnce(&Engine, &Caller) -> Result<T, engine::Error> + Send + 'static,
    ) -> Result<T, Failure> {
        let caller = ask.caller.clone();
        Ok(self.door.run(Cost::Durable, move |engine| work(engine, &caller)).await?)
    }
}

/// What a request of a known caller is about, in the order in which the resource manager refuses: path, version,
/// method.
fn read(caller: Caller, request: Request) -> Result<Ask, Problem> {
    let route = route::resolve(&request.segments()).map_err(|none| none.problem(request.api_version()))?;
    let version = ApiVersion::of(&route, request.api_version())?;
    if !route.methods().contains(&request.method.as_str()) {
        return Err(Problem::method_not_allowed(request.method.as_str()));
    }
    Ok(Ask { caller, request, route, version })
}

impl Ask {
    /// The absolute URL of a path on the host the client used.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://{}{path}?api-version={}", self.request.host, self.version.as_str())
    }

    /// The names that an error about this request quotes.
    fn subject(&self) -> Subject {
        let mut subject = Subject {
            caller_app: self.caller.app_id,
            caller_object: self.caller.object_id,
            kind: ContainerKind::Vault,
            subscription: None,
            group: String::new(),
            name: String::new(),
            recovers: self.request.method != Method::GET && matches!(self.route, Route::Container(_)),
        };
        subject.fill(&self.route);
        subject
    }
}

impl Subject {
    fn fill(&mut self, route: &Route) {
        match route {
            Route::Container(place)
            | Route::AccessPolicies(place, _)
            | Route::PrivateLinkResources(place)
            | Route::PrivateEndpointConnections(place)
            | Route::PrivateEndpointConnection(place)
            | Route::Regions(place)
            | Route::EventSubscriptions(place)
            | Route::EventSubscription(place, _)
            | Route::EventSubscriptionUrl(place, _)
            | Route::Usage(UsagePlace::Container(place), _) => {
                self.kind = place.kind;
                self.subscription = Some(place.resource.subscription);
                self.group.clone_from(&place.resource.resource_group);
                self.name.clone_from(&place.name);
            }
            Route::Group(resource) | Route::Usage(UsagePlace::Group(resource), _) => {
                self.subscription = Some(resource.subscription);
                self.group.clone_from(&resource.resource_group);
            }
            Route::DeletedContainer(deleted) | Route::PurgeContainer(deleted) => {
                self.kind = deleted.kind;
                self.subscription = Some(deleted.subscription);
                self.name.clone_from(&deleted.name);
            }
            Route::Containers { subscription, group, .. } | Route::Resources { subscription, group } => {
                self.subscription = Some(*subscription);
                self.group = group.clone().unwrap_or_default();
            }
            Route::Subscription(id)
            | Route::Locations(id)
            | Route::Groups(id)
            | Route::Usage(UsagePlace::Subscription(id), _) => self.subscription = Some(*id),
            Route::CheckName { subscription, kind } | Route::DeletedContainers { subscription, kind } => {
                self.subscription = Some(*subscription);
                self.kind = *kind;
            }
            Route::RoleAssignment(_, name) | Route::RoleDefinition(_, name) => self.name.clone_from(name),
            Route::Lock(scope, _) | Route::Locks(scope) => self.fill_place(scope),
            Route::Provider { .. }
            | Route::RegisterProvider { .. }
            | Route::Providers(_)
            | Route::Tenants
            | Route::Subscriptions
            | Route::KeyVaultOperations
            | Route::OperationResult { .. }
            | Route::RoleAssignments(_)
            | Route::RoleDefinitions(_)
            | Route::NotSupported(_) => {}
        }
    }

    /// What a lock is on.
    fn fill_place(&mut self, scope: &Scope) {
        match lock::Place::of(scope) {
            None => {}
            Some(lock::Place::Subscription(subscription)) => self.subscription = Some(subscription),
            Some(lock::Place::ResourceGroup(resource)) => self.fill(&Route::Group(resource)),
            Some(lock::Place::Container { kind, resource, name }) => {
                self.fill(&Route::Container(Place { kind, resource, name: name.to_string() }));
            }
        }
    }
}

/// A list, a resource, a result: 200.
pub(crate) fn ok(body: &impl serde::Serialize) -> Answer {
    Ok(reply::json(http::StatusCode::OK, body))
}
