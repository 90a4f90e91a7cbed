//! What surrounds containers: subscriptions, resource groups, principals, finished control-plane operations.

use crate::{Guid, Tags, UnixTime};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    pub id: Guid,
    pub tenant: Guid,
    pub display_name: String,
    /// It can't be cancelled, and what is deleted in it only the scheduler purges.
    pub undeletable: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceGroup {
    pub subscription: Guid,
    pub name: String,
    pub location: String,
    pub tags: Tags,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PrincipalKind {
    User,
    ServicePrincipal,
}

/// Somebody who can sign in. Roles are assigned to `object_id`; an application signs in with `app_id`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    pub object_id: Guid,
    pub app_id: Option<Guid>,
    pub kind: PrincipalKind,
    pub display_name: String,
    /// SHA-256 of each client secret. Secrets are 256 random bits of our making, so a plain hash is enough.
    pub secret_hashes: Vec<[u8; 32]>,
    pub created: UnixTime,
}

/// The result of a long-running control-plane operation, kept for the polls that follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationResult {
    pub id: Guid,
    pub created: UnixTime,
    /// The ARM id of the resource to show when the operation made or changed one.
    pub resource: Option<String>,
}
