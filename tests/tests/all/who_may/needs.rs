//! What each documented operation needs of its caller.

use domain::{ContainerKind, KeyUse, ObjectAct, ObjectKind, Operation};

/// What a caller must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The right to this.
    Right(Operation),
    /// It shows to everybody what they may see: this right decides what.
    Sight(Operation),
    /// A token, and no more.
    Token,
    /// Documented, and not there: whoever has a token is told so.
    NotThere,
}

/// Of an operation of the data plane; `None` if this table does not know it.
pub fn data_plane(method: &str, path: &str) -> Option<Need> {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    match segments.as_slice() {
        [collection, below @ ..] if kind_of(collection).is_some() => of_objects(method, collection, below),
        ["rng"] => Some(Need::Right(Operation::RandomGet)),
        ["settings"] => Some(Need::Token),
        ["settings", _] => Some(if method == "GET" { Need::Token } else { Need::NotThere }),
        ["{scope}", "providers", "Microsoft.Authorization", collection, ..] => of_roles(method, collection),
        ["securitydomain" | "backup" | "restore" | "prebackup" | "prerestore" | "ekm", ..] => Some(Need::NotThere),
        _ => None,
    }
}

/// The kind of a collection, and whether it is of deleted objects.
fn kind_of(collection: &str) -> Option<(ObjectKind, bool)> {
    let live = collection.strip_prefix("deleted").unwrap_or(collection);
    let kind = ObjectKind::ALL.iter().find(|kind| kind.collection() == live)?;
    Some((*kind, live != collection))
}

fn of_objects(method: &str, collection: &str, below: &[&str]) -> Option<Need> {
    let (kind, deleted) = kind_of(collection)?;
    let own = match (kind, deleted) {
        (ObjectKind::Key, false) => of_keys(method, below),
        (ObjectKind::Secret, false) => {
            (method == "PUT" && below.len() == 1).then_some(Need::Right(Operation::SecretSet))
        }
        (ObjectKind::Certificate, false) => of_certificates(method, below).map(Need::Right),
        (_, true) => None,
    };
    own.or_else(|| of_every_kind(deleted, method, below).map(|act| Need::Right(act.on(kind))))
}

fn of_every_kind(deleted: bool, method: &str, below: &[&str]) -> Option<ObjectAct> {
    Some(match (deleted, method, below) {
        (false, "GET", []) => ObjectAct::List,
        (false, "POST", ["restore"]) => ObjectAct::Restore,
        (false, "DELETE", [_]) => ObjectAct::Delete,
        (false, "POST", [_, "backup"]) => ObjectAct::Backup,
        (false, "GET", [_, "versions"]) => ObjectAct::ListVersions,
        (false, "GET", [_, _]) => ObjectAct::Get,
        (false, "PATCH", [_, _]) => ObjectAct::Update,
        (true, "GET", []) => ObjectAct::ListDeleted,
        (true, "GET", [_]) => ObjectAct::GetDeleted,
        (true, "DELETE", [_]) => ObjectAct::Purge,
        (true, "POST", [_, "recover"]) => ObjectAct::Recover,
        _ => return None,
    })
}

fn of_keys(method: &str, below: &[&str]) -> Option<Need> {
    use Operation as Op;
    Some(Need::Right(match (method, below) {
        ("PUT", [_]) => Op::KeyImport,
        ("POST", [_, "create"]) => Op::KeyCreate,
        ("POST", [_, "rotate"]) => Op::KeyRotate,
        ("GET", [_, "rotationpolicy"]) => Op::KeyRotationPolicyGet,
        ("PUT", [_, "rotationpolicy"]) => Op::KeyRotationPolicySet,
        ("PUT", [_, "restore"])
        | ("GET", [_, _, "attestation"])
        | ("POST", [_, _, "release" | "securewrapkey" | "secureunwrapkey"]) => return Some(Need::NotThere),
        ("POST", [_, _, word]) => of_use(word)?,
        _ => return None,
    }))
}

fn of_certificates(method: &str, below: &[&str]) -> Option<Operation> {
    use Operation as Op;
    Some(match (method, below) {
        ("GET", ["contacts"]) => Op::CertificateContactsGet,
        ("PUT", ["contacts"]) => Op::CertificateContactsSet,
        ("DELETE", ["contacts"]) => Op::CertificateContactsDelete,
        ("GET", ["issuers"]) => Op::CertificateIssuersList,
        ("GET", ["issuers", _]) => Op::CertificateIssuerGet,
        ("PUT", ["issuers", _]) => Op::CertificateIssuerSet,
        ("PATCH", ["issuers", _]) => Op::CertificateIssuerUpdate,
        ("DELETE", ["issuers", _]) => Op::CertificateIssuerDelete,
        ("POST", [_, "create"]) => Op::CertificateCreate,
        ("POST", [_, "import"]) => Op::CertificateImport,
        ("POST", [_, "pending", "merge"]) => Op::CertificatePendingMerge,
        ("GET", [_, "pending"]) => Op::CertificatePendingGet,
        ("PATCH", [_, "pending"]) => Op::CertificatePendingUpdate,
        ("DELETE", [_, "pending"]) => Op::CertificatePendingDelete,
        ("GET", [_, "policy"]) => Op::CertificatePolicyGet,
        ("PATCH", [_, "policy"]) => Op::CertificatePolicyUpdate,
        _ => return None,
    })
}

fn of_use(word: &str) -> Option<Operation> {
    let key_use = match word {
        "encrypt" => KeyUse::Encrypt,
        "decrypt" => KeyUse::Decrypt,
        "sign" => KeyUse::Sign,
        "verify" => KeyUse::Verify,
        "wrapkey" => KeyUse::Wrap,
        "unwrapkey" => KeyUse::Unwrap,
        _ => return None,
    };
    Some(match key_use {
        KeyUse::Encrypt => Operation::KeyEncrypt,
        KeyUse::Decrypt => Operation::KeyDecrypt,
        KeyUse::Sign => Operation::KeySign,
        KeyUse::Verify => Operation::KeyVerify,
        KeyUse::Wrap => Operation::KeyWrap,
        KeyUse::Unwrap => Operation::KeyUnwrap,
    })
}

fn of_roles(method: &str, collection: &str) -> Option<Need> {
    Some(Need::Right(match (collection, method) {
        ("roleDefinitions", "GET") => Operation::HsmRoleDefinitionRead,
        ("roleDefinitions", "PUT") => Operation::HsmRoleDefinitionPut,
        ("roleDefinitions", "DELETE") => Operation::HsmRoleDefinitionDelete,
        ("roleAssignments", "GET") => Operation::HsmRoleAssignmentRead,
        ("roleAssignments", "PUT") => Operation::HsmRoleAssignmentPut,
        ("roleAssignments", "DELETE") => Operation::HsmRoleAssignmentDelete,
        _ => return None,
    }))
}

/// Whether a kind of container has the operation at all.
pub fn exists_in(kind: ContainerKind, path: &str) -> bool {
    let first = path.split('/').find(|segment| !segment.is_empty()).unwrap_or_default();
    match kind {
        ContainerKind::Vault => {
            let of_hsm =
                ["rng", "settings", "{scope}", "securitydomain", "backup", "restore", "prebackup", "prerestore", "ekm"];
            !of_hsm.contains(&first) && path != "/keys/{keyName}/restore"
        }
        ContainerKind::ManagedHsm => !first.ends_with("secrets") && !first.ends_with("certificates"),
    }
}

/// Of an operation of the resource manager; `None` if this table does not know it.
pub fn control_plane(method: &str, path: &str) -> Option<Need> {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    // Roles and locks live below any scope: what is behind the last provider tells.
    let at = segments.iter().rposition(|segment| *segment == "providers");
    let provided = at.and_then(|at| segments.get(at + 1..)).unwrap_or_default();
    match provided {
        ["Microsoft.Authorization", collection, ..] => of_authorization(method, collection),
        ["Microsoft.KeyVault", below @ ..] => of_key_vault(method, below, segments.contains(&"resourceGroups")),
        _ => of_resources(method, &segments),
    }
}

fn by_method(method: &str, read: Operation, write: Operation, delete: Operation) -> Need {
    Need::Right(match method {
        "PUT" | "PATCH" => write,
        "DELETE" => delete,
        _ => read,
    })
}

fn of_authorization(method: &str, collection: &str) -> Option<Need> {
    use Operation as Op;
    Some(match collection {
        "roleAssignments" => by_method(method, Op::RoleAssignmentRead, Op::RoleAssignmentPut, Op::RoleAssignmentDelete),
        "roleDefinitions" if method == "GET" => Need::Token,
        "roleDefinitions" => by_method(method, Op::RoleDefinitionPut, Op::RoleDefinitionPut, Op::RoleDefinitionDelete),
        "locks" => by_method(method, Op::LockRead, Op::LockPut, Op::LockDelete),
        "operations" => Need::NotThere,
        _ => return None,
    })
}

fn of_key_vault(method: &str, below: &[&str], in_group: bool) -> Option<Need> {
    use Operation as Op;
    let right = match below {
        ["operations"] => return Some(Need::Token),
        ["checkNameAvailability"] => Op::VaultCheckName,
        ["checkMhsmNameAvailability"] => Op::ManagedHsmCheckName,
        ["deletedVaults"] | ["locations", _, "deletedVaults", _] => Op::VaultReadDeleted,
        ["deletedManagedHSMs"] | ["locations", _, "deletedManagedHSMs", _] => Op::ManagedHsmReadDeleted,
        ["locations", _, "deletedVaults", _, "purge"] => Op::VaultPurge,
        ["locations", _, "deletedManagedHSMs", _, "purge"] => Op::ManagedHsmPurge,
        ["vaults"] => return Some(Need::Sight(Op::VaultRead)),
        ["managedHSMs"] => return Some(Need::Sight(Op::ManagedHsmRead)),
        ["vaults", _] if in_group => return Some(by_method(method, Op::VaultRead, Op::VaultPut, Op::VaultDelete)),
        ["managedHSMs", _] if in_group => {
            return Some(by_method(method, Op::ManagedHsmRead, Op::ManagedHsmPut, Op::ManagedHsmDelete));
        }
        ["vaults", _, "accessPolicies", _] => Op::VaultAccessPolicyPut,
        ["vaults", _, "privateLinkResources" | "privateEndpointConnections"] => Op::VaultRead,
        ["managedHSMs", _, "privateLinkResources" | "privateEndpointConnections" | "regions"] => Op::ManagedHsmRead,
        [_, _, "keys" | "secrets" | "privateEndpointConnections", ..] => return Some(Need::NotThere),
        _ => return None,
    };
    Some(Need::Right(right))
}

fn of_resources(method: &str, segments: &[&str]) -> Option<Need> {
    use Operation as Op;
    match segments {
        ["providers"] | ["providers", _] | ["subscriptions", _, "providers"] | ["subscriptions", _, "providers", _] => {
            Some(Need::Token)
        }
        ["subscriptions", _, "providers", _, "register"] => Some(Need::Token),
        ["subscriptions", _, "resources"] | ["subscriptions", _, "resourcegroups", _, "resources"] => {
            Some(Need::Sight(Op::VaultRead))
        }
        ["subscriptions", _, "resourcegroups"] => Some(Need::Sight(Op::ResourceGroupRead)),
        ["subscriptions", _, "resourcegroups", _] => {
            Some(by_method(method, Op::ResourceGroupRead, Op::ResourceGroupPut, Op::ResourceGroupDelete))
        }
        ["providers", "Microsoft.Management", ..]
        | ["subscriptions", _, "providers", _, "providerPermissions" | "unregister"]
        | ["subscriptions", _, "resourcegroups", _, "exportTemplate" | "moveResources" | "validateMoveResources"] => {
            Some(Need::NotThere)
        }
        _ => None,
    }
}

/// Templates of the documents that stand for others: a whole id in one parameter, a resource of any type.
pub fn plain(path: &str) -> String {
    const VAULT: &str = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.KeyVault/vaults/{vaultName}";
    let path = match path {
        "/{roleAssignmentId}" => "/{scope}/providers/Microsoft.Authorization/roleAssignments/{roleAssignmentName}",
        "/{roleId}?disambiguation_dummy" => {
            "/{scope}/providers/Microsoft.Authorization/roleDefinitions/{roleDefinitionId}"
        }
        "/{resourceId}" => VAULT,
        path => path,
    };
    let path = path.replace("/{parentResourcePath}", "");
    let of_any_type = "/providers/{resourceProviderNamespace}/{resourceType}/{resourceName}";
    path.replace(of_any_type, "/providers/Microsoft.KeyVault/vaults/{vaultName}").replace(
        "/resourcegroups/{resourceGroupName}/providers/Microsoft.KeyVault",
        "/resourceGroups/{resourceGroupName}/providers/Microsoft.KeyVault",
    )
}
