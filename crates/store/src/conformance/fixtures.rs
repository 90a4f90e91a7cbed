//! Values to store.

use super::Harness;
use crate::{Fault, Read, Store, StoredObject, StoredVersion, Tx};
use domain::{
    Activation, Attributes, Body, Container, ContainerId, ContainerKind, ContainerName, Curve, Guid, HsmProfile,
    KeyBody, KeyOperation, KeySpec, Object, ObjectKind, ObjectName, PermissionModel, Profile, PublicKey,
    PublicNetworkAccess, ResourceId, Sealed, Sku, State, Tags, UnixTime, VaultProfile, Version, VersionId,
    lifecycle::{Deletion, DeletionPolicy, Purged, Retention},
};

pub const KEY: ObjectKind = ObjectKind::Key;
pub const NOW: UnixTime = UnixTime(1_800_000_000);

#[must_use]
pub fn guid(number: u128) -> Guid {
    Guid::from_u128(number)
}

#[must_use]
pub fn container_id(number: u128) -> ContainerId {
    ContainerId(guid(number))
}

#[must_use]
pub fn container_name(name: &str) -> ContainerName {
    ContainerName::parse(name).unwrap()
}

#[must_use]
pub fn object_name(name: &str) -> ObjectName {
    ObjectName::parse(name).unwrap()
}

#[must_use]
pub fn version_id(number: u128) -> VersionId {
    VersionId::from_bytes(number.to_be_bytes())
}

/// A live vault in the first subscription's group `group`.
#[must_use]
pub fn vault(number: u128, name: &str) -> Container {
    Container {
        id: container_id(number),
        name: container_name(name),
        resource: ResourceId { subscription: guid(1), resource_group: "group".to_owned() },
        location: "here".to_owned(),
        tenant: guid(2),
        tags: Tags::from([("a".to_owned(), "b".to_owned())]),
        sku: Sku { family: "A".to_owned(), name: "standard".to_owned() },
        policy: DeletionPolicy {
            soft_delete: Some(Retention::default()),
            purge_protection: false,
            undeletable_subscription: false,
        },
        state: State::Live,
        created: NOW,
        updated: NOW,
        profile: Profile::Vault(VaultProfile {
            permission_model: PermissionModel::Rbac,
            access_policies: Vec::new(),
            enabled_for_deployment: false,
            enabled_for_disk_encryption: false,
            enabled_for_template_deployment: false,
            public_network_access: PublicNetworkAccess::default(),
            network_rules: None,
        }),
    }
}

#[must_use]
pub fn hsm(number: u128, name: &str) -> Container {
    let profile = Profile::ManagedHsm(HsmProfile {
        activation: Activation::Active,
        initial_admins: Vec::new(),
        public_network_access: PublicNetworkAccess::default(),
        network_rules: None,
        regions: Vec::new(),
    });
    Container { profile, ..vault(number, name) }
}

#[must_use]
pub fn container(kind: ContainerKind, number: u128, name: &str) -> Container {
    match kind {
        ContainerKind::Vault => vault(number, name),
        ContainerKind::ManagedHsm => hsm(number, name),
    }
}

/// Deleted, to be purged at the given time.
#[must_use]
pub fn deleted_until(purge_at: UnixTime) -> State {
    State::Deleted(Deletion { deleted_at: NOW, scheduled_purge_at: purge_at })
}

/// Leave to destroy something.
pub fn proof() -> Purged {
    Deletion { deleted_at: NOW, scheduled_purge_at: NOW }.expire(NOW).unwrap()
}

#[must_use]
pub fn sealed(text: &str) -> Sealed {
    Sealed(text.as_bytes().to_vec())
}

#[must_use]
pub fn object(name: &str, current: VersionId) -> StoredObject {
    StoredObject {
        object: Object {
            kind: KEY,
            name: object_name(name),
            state: State::Live,
            created: NOW,
            current,
            rotation: None,
            next_action: None,
            next_notice: None,
            expiry_told: None,
            managed: false,
            course: None,
        },
        sealed_key: sealed(&format!("key of {name}")),
    }
}

#[must_use]
pub fn version(id: VersionId) -> Version {
    Version {
        id,
        attributes: Attributes { enabled: true, not_before: None, expires: None, created: NOW, updated: NOW },
        tags: Tags::new(),
        body: Body::Key(KeyBody {
            spec: KeySpec::Ec { curve: Curve::P256 },
            hsm: false,
            key_ops: vec![KeyOperation::Sign],
            public: PublicKey::Ec { curve: Curve::P256, x: vec![1; 32], y: vec![2; 32] },
        }),
    }
}

#[must_use]
pub fn stored_version(id: VersionId, sequence: u64, material: Sealed) -> StoredVersion {
    StoredVersion { version: version(id), sequence, material }
}

/// A leaf of the audit log that tells its `number`.
#[must_use]
pub fn audit(number: u64) -> String {
    format!("{{\"record\":{number}}}")
}

/// Commits changes that must succeed.
pub fn write<T>(store: &dyn Store, work: impl FnMut(&mut dyn Tx) -> Result<T, Fault>) -> T {
    store.transact("test", work).unwrap()
}

/// Reads what must be readable.
pub fn read<T>(store: &dyn Store, work: impl FnMut(&mut dyn Read) -> Result<T, Fault>) -> T {
    store.query(work).unwrap()
}

/// Makes sure that a change is refused because a row is not as the caller thinks, and that nothing came of it.
pub fn assert_unexpected(store: &dyn Store, change: impl FnMut(&mut dyn Tx) -> Result<(), Fault>) {
    let result = store.transact("test", change);
    assert!(matches!(result, Err(Fault::UnexpectedRow { .. })), "{result:?}");
}

/// Inserts an object with one version of the same number; its material is `material of {name}`.
///
/// # Errors
/// The engine's.
pub fn insert(tx: &mut dyn Tx, container: u128, name: &str, number: u128) -> Result<(), Fault> {
    let id = version_id(number);
    tx.insert_object(container_id(container), &object(name, id), &version(id), &sealed(&format!("material of {name}")))
}

/// A store with vault 1 named `one`.
pub fn with_vault(harness: &dyn Harness) -> &dyn Store {
    let store = harness.store();
    write(store, |tx| tx.insert_container(&vault(1, "one"), &sealed("key of one")));
    store
}

/// Pages through a list and returns what came, having checked that every page but the last was full.
pub fn pages<T, K: Clone>(
    limit: usize,
    key_of: impl Fn(&T) -> K,
    mut page: impl FnMut(Option<K>, usize) -> Vec<T>,
) -> Vec<T> {
    let mut all: Vec<T> = Vec::new();
    loop {
        let after = all.last().map(&key_of);
        let next = page(after, limit);
        assert!(next.len() <= limit);
        let is_last = next.len() < limit;
        all.extend(next);
        if is_last {
            return all;
        }
    }
}
