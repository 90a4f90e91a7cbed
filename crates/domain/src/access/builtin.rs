//! Built-in roles, read once from the documents they come from.

use super::{RoleDefinition, RolePermissions};
use crate::Guid;
use serde::Deserialize;
use std::{collections::HashMap, sync::LazyLock};

const KEY_VAULT_ROLES: &str = include_str!("../../../../specs/azure/builtin-roles.json");
/// General roles of Azure RBAC (Owner, Reader, …), which the Key Vault document leaves out.
const GENERAL_ROLES: &str = include_str!("../../../../specs/azure/general-roles.json");

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyVaultDocument {
    managed_hsm: HsmTable,
    vault: VaultTable,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HsmTable {
    local_roles: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VaultTable {
    azure_roles: Vec<Row>,
    /// The words that an access policy may hold, by collection.
    access_policy_permissions: HashMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    name: String,
    /// The name seen on the wire, where the documents have another.
    wire_role_name: Option<String>,
    /// Absent where no document gives it: such a role can't be assigned and is left out.
    guid: Option<String>,
    #[serde(default)]
    summary: String,
    actions: Option<Vec<String>>,
    /// What we grant where no document gives the actions.
    suggested_actions: Option<Vec<String>>,
    // Null where no document gives them.
    not_actions: Option<Vec<String>>,
    data_actions: Option<Vec<String>>,
    not_data_actions: Option<Vec<String>>,
}

impl Row {
    fn into_definition(self) -> Option<RoleDefinition> {
        Some(RoleDefinition {
            id: Guid::parse(self.guid.as_deref()?)?,
            name: self.wire_role_name.unwrap_or(self.name),
            description: self.summary,
            permissions: RolePermissions {
                actions: self.actions.or(self.suggested_actions).unwrap_or_default(),
                not_actions: self.not_actions.unwrap_or_default(),
                data_actions: self.data_actions.unwrap_or_default(),
                not_data_actions: self.not_data_actions.unwrap_or_default(),
            },
        })
    }
}

struct Roles {
    azure: Vec<RoleDefinition>,
    hsm: Vec<RoleDefinition>,
    permissions: HashMap<String, Vec<String>>,
}

static ROLES: LazyLock<Roles> = LazyLock::new(|| {
    let definitions = |rows: Vec<Row>| rows.into_iter().filter_map(Row::into_definition);
    // Both documents are part of the program: a build in which they don't parse fails `tests::tables_are_read`.
    let general: Vec<Row> = serde_json::from_str(GENERAL_ROLES).unwrap_or_default();
    match serde_json::from_str::<KeyVaultDocument>(KEY_VAULT_ROLES) {
        Ok(document) => Roles {
            azure: definitions(general).chain(definitions(document.vault.azure_roles)).collect(),
            hsm: definitions(document.managed_hsm.local_roles).collect(),
            permissions: document.vault.access_policy_permissions,
        },
        Err(_) => Roles { azure: Vec::new(), hsm: Vec::new(), permissions: HashMap::new() },
    }
});

/// Roles of Azure RBAC: control plane, and data plane of vaults.
#[must_use]
pub fn azure_roles() -> &'static [RoleDefinition] {
    &ROLES.azure
}

/// Local roles of a managed HSM.
#[must_use]
pub fn hsm_roles() -> &'static [RoleDefinition] {
    &ROLES.hsm
}

/// Whether an access policy may hold this word for `keys`, `secrets`, `certificates` or `storage`. Case does not matter.
#[must_use]
pub fn is_policy_permission(collection: &str, word: &str) -> bool {
    ROLES.permissions.get(collection).is_some_and(|words| words.iter().any(|known| known.eq_ignore_ascii_case(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_read() {
        assert_eq!(hsm_roles().len(), 10);
        assert_eq!(azure_roles().len(), 5 + 14);
        assert!(is_policy_permission("keys", "WrapKey") && is_policy_permission("storage", "all"));
        assert!(!is_policy_permission("keys", "fly") && !is_policy_permission("secrets", "wrapKey"));
        let owner = azure_roles().iter().find(|role| role.name == "Owner");
        assert!(owner.is_some_and(|role| role.permissions.allows_action("Microsoft.KeyVault/vaults/delete")));
        assert!(owner.is_some_and(|role| !role.permissions.allows_data_action("Microsoft.KeyVault/vaults/keys/read")));
    }

    #[test]
    fn locks_are_for_those_who_say_who_may_do_what() {
        let allows = |name: &str, action: &str| {
            let role = azure_roles().iter().find(|role| role.name == name).unwrap();
            role.permissions.allows_action(&format!("Microsoft.Authorization/locks/{action}"))
        };
        for (name, changes) in [
            ("Owner", true),
            ("User Access Administrator", true),
            ("Contributor", false),
            ("Key Vault Contributor", false),
            ("Reader", false),
        ] {
            assert!(allows(name, "read"), "{name}");
            assert_eq!((allows(name, "write"), allows(name, "delete")), (changes, changes), "{name}");
        }
    }
}
