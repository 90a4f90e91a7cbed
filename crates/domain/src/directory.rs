//! What surrounds containers: subscriptions, resource groups, finished control-plane operations.

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

/// The result of a long-running control-plane operation, kept for the polls that follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationResult {
    pub id: Guid,
    pub created: UnixTime,
    /// The ARM id of the resource to show when the operation made or changed one.
    pub resource: Option<String>,
}

impl OperationResult {
    /// How long it is kept: no client polls for longer.
    pub const KEPT_SECONDS: i64 = 24 * 3600;
}
