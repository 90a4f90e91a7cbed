//! What the audit log is told of a request to the resource manager.
//!
//! Changes are in the log already: the engine writes their records with them. Here are the others, as far as they are
//! operations on something: reads, and whatever was refused.

use super::{Arm, Ask, error::Failure, route::Route};
use crate::{Response, reply, unanswered::Unanswered};
use domain::{ContainerKind, Event, Operation};
use engine::{Asker, Subject};

impl Arm {
    /// Tells the log how a request ends. One that the log can't take is not answered as done.
    pub(super) async fn told(&self, ask: &Ask, answer: impl Future<Output = Response>) -> Response {
        let Some(operation) = ask.route.operation(ask.request.method.as_str()) else {
            return answer.await;
        };
        let resource = ask.request.path();
        let (by, subject) = (Asker::Caller(&ask.caller), Subject::resource(resource));
        let unanswered = Unanswered::new(self.door.engine(), Event::Operation(operation), by, subject);
        let response = answer.await;
        match unanswered.answered(reply::ending(&response)) {
            Ok(()) => response,
            Err(error) => super::error::response(Failure::Engine(error), &ask.subject()),
        }
    }
}

impl Route {
    /// The operation that a method means here; `None` for what acts on nothing: lists of the documents' own facts, polls.
    fn operation(&self, method: &str) -> Option<Operation> {
        use Operation as Op;
        match self {
            Self::Container(place) => Some(on_container(place.kind, method)),
            Self::Containers { kind, .. } => Some(on_container(*kind, "GET")),
            Self::PrivateLinkResources(place)
            | Self::PrivateEndpointConnections(place)
            | Self::PrivateEndpointConnection(place)
            | Self::Regions(place) => Some(on_container(place.kind, method)),
            Self::AccessPolicies(..) => Some(Op::VaultAccessPolicyPut),
            Self::DeletedContainers { kind, .. } => Some(read_deleted(*kind)),
            Self::DeletedContainer(place) => Some(read_deleted(place.kind)),
            Self::PurgeContainer(place) => Some(match place.kind {
                ContainerKind::Vault => Op::VaultPurge,
                ContainerKind::ManagedHsm => Op::ManagedHsmPurge,
            }),
            Self::CheckName { kind: ContainerKind::Vault, .. } => Some(Op::VaultCheckName),
            Self::CheckName { kind: ContainerKind::ManagedHsm, .. } => Some(Op::ManagedHsmCheckName),
            Self::Group(_) | Self::Groups(_) => Some(match method {
                "PUT" | "PATCH" => Op::ResourceGroupPut,
                "DELETE" => Op::ResourceGroupDelete,
                _ => Op::ResourceGroupRead,
            }),
            Self::RoleAssignment(..) | Self::RoleAssignments(_) => Some(match method {
                "PUT" => Op::RoleAssignmentPut,
                "DELETE" => Op::RoleAssignmentDelete,
                _ => Op::RoleAssignmentRead,
            }),
            // Reading a definition acts on nothing.
            Self::RoleDefinition(..) => match method {
                "PUT" => Some(Op::RoleDefinitionPut),
                "DELETE" => Some(Op::RoleDefinitionDelete),
                _ => None,
            },
            Self::Lock(..) | Self::Locks(_) => Some(match method {
                "PUT" => Op::LockPut,
                "DELETE" => Op::LockDelete,
                _ => Op::LockRead,
            }),
            Self::EventSubscription(..) | Self::EventSubscriptions(_) => Some(match method {
                "PUT" | "PATCH" => Op::EventSubscriptionPut,
                "DELETE" => Op::EventSubscriptionDelete,
                _ => Op::EventSubscriptionRead,
            }),
            Self::EventSubscriptionUrl(..) => Some(Op::EventSubscriptionReadUrl),
            Self::Usage(..) => Some(Op::UsageRead),
            _ => None,
        }
    }
}

fn on_container(kind: ContainerKind, method: &str) -> Operation {
    match (kind, method) {
        (ContainerKind::Vault, "PUT" | "PATCH") => Operation::VaultPut,
        (ContainerKind::Vault, "DELETE") => Operation::VaultDelete,
        (ContainerKind::Vault, _) => Operation::VaultRead,
        (ContainerKind::ManagedHsm, "PUT" | "PATCH") => Operation::ManagedHsmPut,
        (ContainerKind::ManagedHsm, "DELETE") => Operation::ManagedHsmDelete,
        (ContainerKind::ManagedHsm, _) => Operation::ManagedHsmRead,
    }
}

fn read_deleted(kind: ContainerKind) -> Operation {
    match kind {
        ContainerKind::Vault => Operation::VaultReadDeleted,
        ContainerKind::ManagedHsm => Operation::ManagedHsmReadDeleted,
    }
}
