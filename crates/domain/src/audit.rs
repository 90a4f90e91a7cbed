//! What was done: one record per change, written in the transaction of the change.

use crate::{ContainerId, Guid, Operation, UnixTime};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    Done,
    Refused,
}

/// One entry of the audit log. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecord {
    pub time: UnixTime,
    pub operation: Operation,
    pub outcome: Outcome,
    pub container: Option<ContainerId>,
    /// The path of what was acted on: `keys/{name}/{version}`, or an ARM id.
    pub target: String,
    /// `None`: the service itself (scheduler, rotation loop).
    pub caller_object_id: Option<Guid>,
    pub caller_app_id: Option<Guid>,
    pub caller_address: Option<IpAddr>,
    pub correlation_id: Guid,
}
