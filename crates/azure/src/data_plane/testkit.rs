//! What tests of the data plane begin from.

use crate::Request;
use bytes::Bytes;
use domain::{
    Activation, Attributes, Body, Container, ContainerId, ContainerKind, ContainerName, Curve, Guid, HsmProfile,
    KeyBody, KeySpec, Object, ObjectKind, ObjectName, PermissionModel, Profile, PublicKey, PublicNetworkAccess,
    ResourceId, Sku, State, Tags, UnixTime, VaultProfile, Version, VersionId,
    access::Caller,
    lifecycle::{DeletionPolicy, Retention},
};
use engine::ObjectView;
use std::net::IpAddr;

pub(super) const HOST: &str = "kv1.vault.localhost:8443";
pub(super) const NOW: UnixTime = UnixTime(1_700_000_000);
pub(super) const REQUEST_ID: Guid = Guid::from_u128(0xaaaa);

pub(super) fn request(method: &str, uri: &str) -> Request {
    let request = http::Request::builder().method(method).uri(uri).header("host", HOST);
    Request::read(request.body(Bytes::new()).unwrap(), IpAddr::from([127, 0, 0, 1]), REQUEST_ID).unwrap()
}

pub(super) fn caller() -> Caller {
    Caller {
        app_id: Some(Guid::from_u128(3)),
        issuer: "https://sts.windows.net/tenant/".into(),
        ..Caller::new(Guid::from_u128(1), Guid::from_u128(2), REQUEST_ID)
    }
}

pub(super) fn policy(days: Option<i64>, purge_protection: bool) -> DeletionPolicy {
    let soft_delete = days.map(|days| Retention::days(days).unwrap());
    DeletionPolicy { soft_delete, purge_protection, undeletable_subscription: false }
}

pub(super) fn container(kind: ContainerKind) -> Container {
    let profile = match kind {
        ContainerKind::Vault => Profile::Vault(VaultProfile {
            permission_model: PermissionModel::Rbac,
            access_policies: Vec::new(),
            enabled_for_deployment: false,
            enabled_for_disk_encryption: false,
            enabled_for_template_deployment: false,
            public_network_access: PublicNetworkAccess::default(),
            network_rules: None,
        }),
        ContainerKind::ManagedHsm => Profile::ManagedHsm(HsmProfile {
            activation: Activation::Active,
            initial_admins: Vec::new(),
            public_network_access: PublicNetworkAccess::default(),
            network_rules: None,
            regions: Vec::new(),
        }),
    };
    Container {
        id: ContainerId(Guid::from_u128(9)),
        name: ContainerName::parse("kv1").unwrap(),
        resource: ResourceId { subscription: Guid::from_u128(8), resource_group: "RG".to_owned() },
        location: "eastus".to_owned(),
        tenant: Guid::from_u128(1),
        tags: Tags::new(),
        sku: Sku { family: "A".to_owned(), name: "premium".to_owned() },
        policy: policy(Some(90), false),
        state: State::Live,
        created: NOW,
        updated: NOW,
        profile,
    }
}

pub(super) fn rsa(hsm: bool) -> KeyBody {
    let spec = KeySpec::Rsa { bits: 2048 };
    let public = PublicKey::Rsa { n: vec![0xfb, 0xff], e: vec![1, 0, 1] };
    KeyBody { spec, hsm, key_ops: spec.default_operations(), public }
}

pub(super) fn ec(hsm: bool) -> KeyBody {
    let spec = KeySpec::Ec { curve: Curve::P256K };
    let public = PublicKey::Ec { curve: Curve::P256K, x: vec![1], y: vec![2] };
    KeyBody { spec, hsm, key_ops: spec.default_operations(), public }
}

pub(super) fn oct() -> KeyBody {
    let spec = KeySpec::Oct { bits: 256 };
    KeyBody { spec, hsm: true, key_ops: spec.default_operations(), public: PublicKey::Oct }
}

pub(super) fn view(body: KeyBody, policy: DeletionPolicy) -> ObjectView {
    let id = VersionId::from_random([0xab; 16]);
    let object = Object {
        kind: ObjectKind::Key,
        name: ObjectName::parse("Key-1").unwrap(),
        state: State::Live,
        created: NOW,
        current: id,
        rotation: None,
        next_action: None,
        next_notice: None,
        expiry_told: None,
        managed: false,
        course: None,
    };
    let attributes = Attributes { enabled: true, not_before: None, expires: None, created: NOW, updated: NOW };
    let version = Version { id, attributes, tags: Tags::new(), body: Body::Key(body) };
    ObjectView { object, version, policy }
}
