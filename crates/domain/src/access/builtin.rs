//! Built-in roles, read once from the documents they come from.

use super::{Realm, RoleDefinition, RoleOrigin, RolePermissions, Scope};
use crate::Guid;
use serde::Deserialize;
use std::{collections::HashMap, sync::LazyLock};

const KEY_VAULT_ROLES: &str = include_str!("../../../../specs/azure/builtin-roles.json");
/// General roles of Azure RBAC (Owner, Reader, …), which the Key Vault document leaves out.
const GENERAL_ROLES: &str = include_str!("../../../../specs/azure/general-roles.json");
/// Roles of the directory, as far as there is something here that they let do.
const DIRECTORY_ROLES: &str = include_str!("../../../../specs/azure/directory-roles.json");

/// The directory role that may do everything there.
pub static GLOBAL_ADMINISTRATOR: Guid = Guid::from_u128(0x62e9_0394_69f5_4237_9190_0121_7714_5e10);

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
    /// Every data action that an HSM knows, whether or not a role has it.
    data_actions: Vec<String>,
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
            assignable_scopes: vec![Scope::root()],
            origin: RoleOrigin::BuiltIn,
        })
    }
}

struct Roles {
    azure: Vec<RoleDefinition>,
    hsm: Vec<RoleDefinition>,
    directory: Vec<RoleDefinition>,
    hsm_data_actions: Vec<String>,
    permissions: HashMap<String, Vec<String>>,
}

static ROLES: LazyLock<Roles> = LazyLock::new(|| {
    let definitions = |rows: Vec<Row>| rows.into_iter().filter_map(Row::into_definition);
    // The documents are part of the program: a build in which one doesn't parse fails `tests::tables_are_read`.
    let general: Vec<Row> = serde_json::from_str(GENERAL_ROLES).unwrap_or_default();
    let directory = definitions(serde_json::from_str(DIRECTORY_ROLES).unwrap_or_default()).collect();
    match serde_json::from_str::<KeyVaultDocument>(KEY_VAULT_ROLES) {
        Ok(document) => Roles {
            azure: definitions(general).chain(definitions(document.vault.azure_roles)).collect(),
            hsm: definitions(document.managed_hsm.local_roles).collect(),
            directory,
            hsm_data_actions: document.managed_hsm.data_actions,
            permissions: document.vault.access_policy_permissions,
        },
        Err(_) => Roles {
            azure: Vec::new(),
            hsm: Vec::new(),
            directory,
            hsm_data_actions: Vec::new(),
            permissions: HashMap::new(),
        },
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

/// Roles of the directory.
#[must_use]
pub fn directory_roles() -> &'static [RoleDefinition] {
    &ROLES.directory
}

/// The roles that every installation has in a realm.
#[must_use]
pub fn built_in_roles(realm: Realm) -> &'static [RoleDefinition] {
    match realm {
        Realm::Arm => azure_roles(),
        Realm::Hsm(_) => hsm_roles(),
        Realm::Directory => directory_roles(),
    }
}

/// Whether a managed HSM knows this data action. Case does not matter.
pub(super) fn is_hsm_data_action(action: &str) -> bool {
    ROLES.hsm_data_actions.iter().any(|known| known.eq_ignore_ascii_case(action))
}

/// Whether a role of a managed HSM may have this action: one built-in role has some (contract: managed-hsm §1.1).
pub(super) fn is_hsm_action(action: &str) -> bool {
    ROLES.hsm.iter().flat_map(|role| &role.permissions.actions).any(|known| known.eq_ignore_ascii_case(action))
}

/// Whether an access policy may hold this word for `keys`, `secrets`, `certificates` or `storage`. Case does not matter.
#[must_use]
pub fn is_policy_permission(collection: &str, word: &str) -> bool {
    ROLES.permissions.get(collection).is_some_and(|words| words.iter().any(|known| known.eq_ignore_ascii_case(word)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ContainerKind, Operation};

    #[test]
    fn an_operation_on_the_directory_asks_for_a_directory_role_alone_and_no_other_does() {
        let data_actions = |operation: Operation| ContainerKind::ALL.map(|kind| operation.data_action(kind));
        for operation in Operation::ALL {
            let elsewhere = data_actions(*operation).into_iter().chain([operation.arm_action()]).flatten();
            if let Some(action) = operation.directory_action() {
                // An Owner's `*` would match it: so it must never be asked of Owners.
                assert_eq!(elsewhere.count(), 0, "{operation:?}");
                let global = directory_roles().iter().find(|role| role.id == GLOBAL_ADMINISTRATOR);
                assert!(global.is_some_and(|role| role.permissions.allows_action(action)), "{operation:?}");
            } else {
                let elsewhere: Vec<_> = elsewhere.collect();
                let reaches = |role: &RoleDefinition| {
                    let allows =
                        |action| role.permissions.allows_action(action) || role.permissions.allows_data_action(action);
                    elsewhere.iter().any(|action| allows(action))
                };
                assert!(!directory_roles().iter().any(reaches), "{operation:?}");
            }
        }
    }

    #[test]
    fn every_action_of_a_directory_role_is_one_that_an_operation_needs() {
        let known = |action: &str| Operation::ALL.iter().any(|operation| operation.directory_action() == Some(action));
        for role in directory_roles().iter().filter(|role| role.id != GLOBAL_ADMINISTRATOR) {
            assert!(!role.permissions.actions.is_empty(), "{}", role.name);
            for action in &role.permissions.actions {
                assert!(known(action), "{}: {action}", role.name);
            }
        }
    }

    #[test]
    fn tables_are_read() {
        assert_eq!(hsm_roles().len(), 10);
        assert_eq!(azure_roles().len(), 5 + 14);
        assert_eq!(directory_roles().len(), 5);
        assert_eq!(ROLES.hsm_data_actions.len(), 36);
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

    #[test]
    fn an_hsm_knows_every_data_action_of_its_roles_of_its_operations_and_of_the_published_list() {
        let published = include_str!("../../../../specs/azure/data-plane-administration-2025-07-01.json");
        let listed: Vec<&str> =
            published.split('"').filter(|word| word.starts_with("Microsoft.KeyVault/managedHsm/")).collect();
        assert_eq!(listed.len(), 34);
        let of_operations =
            Operation::ALL.iter().filter_map(|operation| operation.data_action(ContainerKind::ManagedHsm));
        let of_roles = hsm_roles().iter().flat_map(|role| &role.permissions.data_actions).map(String::as_str);
        for action in listed.into_iter().chain(of_operations).chain(of_roles) {
            assert!(is_hsm_data_action(action) && is_hsm_data_action(&action.to_uppercase()), "{action}");
        }
        assert!(!is_hsm_data_action("Microsoft.KeyVault/managedHsm/keys/*"));
        assert!(is_hsm_action("Microsoft.KeyVault/managedHsm/keys/createIfNotExists"));
        assert!(!is_hsm_action("Microsoft.KeyVault/managedHsm/keys/create"));
    }
}
