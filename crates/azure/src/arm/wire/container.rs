//! Vaults and managed HSMs as ARM shows them.
//!
//! Schemas `Vault`, `ManagedHsm`, `DeletedVault`, `DeletedManagedHsm` of `arm-keyvault-2026-05-15.json`;
//! contract: key-vault §4.1 and §4.2, managed-hsm §2.1, az-client §2.

use super::network::{NetworkAcls, access_word};
use crate::{arm::ids, json::Object};
use domain::{
    AccessPolicy, Activation, Container, ContainerKind, HsmProfile, NetworkRules, PermissionModel, Profile, Tags,
    VaultProfile,
};
use serde::{Deserialize, Serialize};

/// When a resource came to be and was last changed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SystemData {
    created_at: String,
    last_modified_at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SkuOut {
    family: String,
    name: String,
}

/// What every container shows; `sku` stands here for HSMs and among the properties for vaults.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Resource<P> {
    id: String,
    name: String,
    r#type: String,
    location: String,
    tags: Tags,
    #[serde(skip_serializing_if = "Option::is_none")]
    sku: Option<SkuOut>,
    system_data: SystemData,
    properties: P,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VaultProperties {
    sku: SkuOut,
    tenant_id: String,
    access_policies: Vec<Policy>,
    enabled_for_deployment: bool,
    enabled_for_disk_encryption: bool,
    enabled_for_template_deployment: bool,
    enable_soft_delete: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    soft_delete_retention_in_days: Option<u32>,
    enable_rbac_authorization: bool,
    /// Shown only once it is on: it was absent in the recordings where it was never set.
    #[serde(skip_serializing_if = "Option::is_none")]
    enable_purge_protection: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network_acls: Option<NetworkAcls>,
    public_network_access: &'static str,
    vault_uri: String,
    provisioning_state: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HsmProperties {
    tenant_id: String,
    initial_admin_object_ids: Vec<String>,
    /// Null while provisioning, as in the specification's example.
    hsm_uri: Option<String>,
    enable_soft_delete: bool,
    soft_delete_retention_in_days: u32,
    enable_purge_protection: bool,
    network_acls: NetworkAcls,
    public_network_access: &'static str,
    regions: Vec<RegionName>,
    security_domain_properties: SecurityDomain,
    provisioning_state: &'static str,
    status_message: &'static str,
}

#[derive(Serialize)]
pub(crate) struct RegionName {
    name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SecurityDomain {
    activation_status: &'static str,
    activation_status_message: &'static str,
}

/// `AccessPolicyEntry`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Policy {
    pub tenant_id: String,
    pub object_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application_id: Option<String>,
    pub permissions: Object<Permissions>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Permissions {
    pub keys: Option<Vec<String>>,
    pub secrets: Option<Vec<String>>,
    pub certificates: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<Vec<String>>,
}

impl From<&AccessPolicy> for Policy {
    fn from(policy: &AccessPolicy) -> Self {
        Self {
            tenant_id: policy.tenant.to_string(),
            object_id: policy.object_id.clone(),
            application_id: policy.application_id.clone(),
            permissions: Object(Permissions {
                keys: Some(policy.keys.clone()),
                secrets: Some(policy.secrets.clone()),
                certificates: Some(policy.certificates.clone()),
                storage: Some(policy.storage.clone()).filter(|storage| !storage.is_empty()),
            }),
        }
    }
}

/// How far a container's provisioning is, as the answer to a change or a look says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Provisioning {
    /// The first answer to a creation. Clients poll until it says otherwise (contract: az-client §2).
    Begun,
    /// The first answer to a change.
    Updating,
    Done,
}

/// A container as any answer shows it.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum ContainerOut {
    Vault(Resource<VaultProperties>),
    ManagedHsm(Resource<HsmProperties>),
}

/// A container in the words of the wire; `url` is its own address, without a slash at its end.
pub(crate) fn show(container: &Container, url: &str, provisioning: Provisioning) -> ContainerOut {
    match &container.profile {
        Profile::Vault(vault) => {
            ContainerOut::Vault(resource(container, None, vault_properties(container, vault, url, provisioning)))
        }
        Profile::ManagedHsm(hsm) => {
            let properties = hsm_properties(container, hsm, url, provisioning);
            ContainerOut::ManagedHsm(resource(container, Some(sku(container)), properties))
        }
    }
}

fn resource<P>(container: &Container, sku: Option<SkuOut>, properties: P) -> Resource<P> {
    Resource {
        id: container.arm_id(),
        name: container.name.to_string(),
        r#type: ids::resource_type(container.kind()),
        location: container.location.clone(),
        tags: container.tags.clone(),
        sku,
        system_data: SystemData {
            created_at: container.created.to_string(),
            last_modified_at: container.updated.to_string(),
        },
        properties,
    }
}

fn sku(container: &Container) -> SkuOut {
    SkuOut { family: container.sku.family.clone(), name: container.sku.name.clone() }
}

/// `vaultUri` has its slash only once provisioning is done (contract: key-vault §4.2, "Create/update vault").
fn vault_properties(
    container: &Container,
    vault: &VaultProfile,
    url: &str,
    provisioning: Provisioning,
) -> VaultProperties {
    let (state, vault_uri) = match provisioning {
        Provisioning::Begun => ("RegisteringDns", url.to_owned()),
        Provisioning::Updating | Provisioning::Done => ("Succeeded", format!("{url}/")),
    };
    VaultProperties {
        sku: sku(container),
        tenant_id: container.tenant.to_string(),
        access_policies: vault.access_policies.iter().map(Policy::from).collect(),
        enabled_for_deployment: vault.enabled_for_deployment,
        enabled_for_disk_encryption: vault.enabled_for_disk_encryption,
        enabled_for_template_deployment: vault.enabled_for_template_deployment,
        enable_soft_delete: container.policy.soft_delete.is_some(),
        soft_delete_retention_in_days: container.policy.soft_delete.map(domain::lifecycle::Retention::as_days),
        enable_rbac_authorization: vault.permission_model == PermissionModel::Rbac,
        enable_purge_protection: container.policy.purge_protection.then_some(true),
        network_acls: vault.network_rules.as_ref().map(NetworkAcls::from),
        public_network_access: access_word(vault.public_network_access),
        vault_uri,
        provisioning_state: state,
    }
}

fn hsm_properties(container: &Container, hsm: &HsmProfile, url: &str, provisioning: Provisioning) -> HsmProperties {
    let (state, status) = match provisioning {
        Provisioning::Begun => ("Provisioning", "Allocating hardware"),
        Provisioning::Updating => ("Updating", "The Managed HSM is being updated."),
        Provisioning::Done => ("Succeeded", "The Managed HSM is provisioned and ready to use."),
    };
    HsmProperties {
        tenant_id: container.tenant.to_string(),
        initial_admin_object_ids: hsm.initial_admins.clone(),
        hsm_uri: (provisioning != Provisioning::Begun).then(|| format!("{url}/")),
        enable_soft_delete: true,
        soft_delete_retention_in_days: container.policy.recoverable_days(),
        enable_purge_protection: container.policy.purge_protection,
        network_acls: NetworkAcls::from(hsm.network_rules.as_ref().unwrap_or(&NetworkRules::default())),
        public_network_access: access_word(hsm.public_network_access),
        regions: hsm.regions.iter().map(|name| RegionName { name: name.clone() }).collect(),
        security_domain_properties: security_domain(hsm.activation),
        provisioning_state: state,
        status_message: status,
    }
}

fn security_domain(activation: Activation) -> SecurityDomain {
    match activation {
        Activation::NotActivated => SecurityDomain {
            activation_status: "NotActivated",
            activation_status_message: "Your HSM has been provisioned, but cannot be used for cryptographic operations \
                                        until it is activated. To activate the HSM, download the security domain.",
        },
        Activation::Active => SecurityDomain {
            activation_status: "Active",
            activation_status_message: "Your HSM has been activated and can be used for cryptographic operations.",
        },
    }
}

/// What stays visible of a deleted container.
#[derive(Serialize)]
pub(crate) struct DeletedOut {
    id: String,
    name: String,
    r#type: &'static str,
    properties: DeletedProperties,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeletedProperties {
    #[serde(skip_serializing_if = "Option::is_none")]
    vault_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mhsm_id: Option<String>,
    location: String,
    tags: Tags,
    deletion_date: String,
    scheduled_purge_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    purge_protection_enabled: Option<bool>,
}

/// A deleted container; `None` for one that is not.
pub(crate) fn show_deleted(container: &Container) -> Option<DeletedOut> {
    let deletion = container.state.deletion()?;
    let kind = container.kind();
    let id = container.arm_id();
    let (vault_id, mhsm_id) = match kind {
        ContainerKind::Vault => (Some(id), None),
        ContainerKind::ManagedHsm => (None, Some(id)),
    };
    let name = container.name.to_string();
    Some(DeletedOut {
        id: ids::deleted(kind, container.resource.subscription, &container.location, &name),
        name,
        r#type: ids::deleted_type(kind),
        properties: DeletedProperties {
            vault_id,
            mhsm_id,
            location: container.location.clone(),
            tags: container.tags.clone(),
            deletion_date: deletion.deleted_at.to_string(),
            scheduled_purge_date: deletion.scheduled_purge_at.to_string(),
            // Recorded to be false for a managed HSM, and to be there for a vault only if it is on.
            purge_protection_enabled: Some(container.policy.purge_protection)
                .filter(|on| *on || kind == ContainerKind::ManagedHsm),
        },
    })
}

/// `VaultAccessPolicyParameters`: what a change of access policies answers.
#[derive(Serialize)]
pub(crate) struct PoliciesOut {
    id: String,
    r#type: &'static str,
    location: String,
    properties: PoliciesIn,
}

/// The policies in a body, either way.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PoliciesIn {
    pub access_policies: Vec<Object<Policy>>,
}

pub(crate) fn show_policies(container: &Container) -> PoliciesOut {
    let policies = match &container.profile {
        Profile::Vault(vault) => vault.access_policies.as_slice(),
        Profile::ManagedHsm(_) => &[],
    };
    PoliciesOut {
        id: format!("{}/accessPolicies/", container.arm_id()),
        r#type: "Microsoft.KeyVault/vaults/accessPolicies",
        location: container.location.clone(),
        properties: PoliciesIn { access_policies: policies.iter().map(|policy| Object(policy.into())).collect() },
    }
}
