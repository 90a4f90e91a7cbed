//! Who may do what: pure decisions over roles, assignments and access policies.
//!
//! Four models: Azure RBAC (control plane, and vaults that chose it), access policies (other vaults), local RBAC
//! (managed HSMs), directory roles. None reaches into another. Source: contract managed-hsm §1, key-vault §5, "Microsoft
//! Entra built-in roles"; the tables are `specs/azure/builtin-roles.json`, `directory-roles.json`, `general-roles.json`.

mod builtin;
mod custom;
mod decide;
mod role;

pub use builtin::{
    GLOBAL_ADMINISTRATOR, azure_roles, built_in_roles, directory_roles, hsm_roles, is_policy_permission,
};
pub use custom::{RoleDefinitionRequest, RoleRefusal, define_role, retire_role};
pub use decide::{Assignments, allows_policy};
pub use role::{Realm, RoleAssignment, RoleDefinition, RoleOrigin, RolePermissions, Scope};

use crate::Guid;
use std::{net::IpAddr, sync::Arc, time::Duration};

/// Who is asking, as a validated token says, and by which request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub tenant: Guid,
    /// The object id of the user or service principal: what roles are assigned to.
    pub object_id: Guid,
    pub app_id: Option<Guid>,
    /// Object ids of the groups it belongs to.
    pub groups: Vec<Guid>,
    pub issuer: Arc<str>,
    pub address: Option<IpAddr>,
    /// Names the request in logs, audit and error messages.
    pub correlation_id: Guid,
    pub origin: Arc<Origin>,
}

/// What the audit log tells of a request beside its caller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Scheme, host and path; never the query.
    pub uri: String,
    pub api_version: Option<String>,
    /// What the client calls itself.
    pub client: Option<String>,
    /// When it arrived, on the clock that durations are measured by.
    pub started: Duration,
}

impl Caller {
    /// Somebody of whom nothing else is known: no token, groups or address.
    #[must_use]
    pub fn new(tenant: Guid, object_id: Guid, correlation_id: Guid) -> Self {
        Self {
            tenant,
            object_id,
            app_id: None,
            groups: Vec::new(),
            issuer: Arc::default(),
            address: None,
            correlation_id,
            origin: Arc::default(),
        }
    }

    /// Whether a role or policy of this principal is the caller's.
    #[must_use]
    pub fn is(&self, principal: Guid) -> bool {
        self.object_id == principal || self.groups.contains(&principal)
    }
}

/// Which model refused: each has its own words on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    ControlPlane,
    VaultRbac,
    VaultPolicy,
    HsmLocal,
    Directory,
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod table;
