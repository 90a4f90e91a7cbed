//! Permissions in the body of a role definition: one shape for both wires that have role definitions.
//!
//! Knows no action: which there are is the domain's.

use crate::json::Object;
use domain::access::RolePermissions;
use serde::Deserialize;

/// One element of `permissions`. What is missing is empty.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PermissionIn {
    actions: Option<Vec<String>>,
    not_actions: Option<Vec<String>>,
    data_actions: Option<Vec<String>>,
    not_data_actions: Option<Vec<String>>,
    condition: Option<String>,
}

impl PermissionIn {
    /// Whether it holds only under a condition. Kept without, a definition would grant more than was meant.
    pub(crate) fn is_conditional(&self) -> bool {
        self.condition.as_ref().is_some_and(|condition| !condition.trim().is_empty())
    }

    /// Several elements as one: what any grants, less what any withholds. Nobody gets more than was meant.
    pub(crate) fn together(all: Vec<Object<Self>>) -> RolePermissions {
        let mut together = RolePermissions::default();
        for Object(each) in all {
            together.actions.extend(each.actions.unwrap_or_default());
            together.not_actions.extend(each.not_actions.unwrap_or_default());
            together.data_actions.extend(each.data_actions.unwrap_or_default());
            together.not_data_actions.extend(each.not_data_actions.unwrap_or_default());
        }
        together
    }
}
