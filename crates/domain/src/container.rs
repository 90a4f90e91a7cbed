//! Containers: vaults and managed HSMs.

use crate::{
    ContainerId, ContainerName, Guid, NetworkRules, PublicNetworkAccess, Refusal, State, Tags, UnixTime,
    lifecycle::DeletionPolicy,
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ContainerKind {
    Vault,
    ManagedHsm,
}

impl ContainerKind {
    pub const ALL: [Self; 2] = [Self::Vault, Self::ManagedHsm];

    /// The word that stored rows and sealed blobs carry.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Vault => "vault",
            Self::ManagedHsm => "managedHsm",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// The ARM resource type under `Microsoft.KeyVault`.
    #[must_use]
    pub fn resource_type(self) -> &'static str {
        match self {
            Self::Vault => "vaults",
            Self::ManagedHsm => "managedHSMs",
        }
    }

    /// The segment under which ARM paths have its deleted ones.
    #[must_use]
    pub fn deleted_collection(self) -> &'static str {
        match self {
            Self::Vault => "deletedVaults",
            Self::ManagedHsm => "deletedManagedHSMs",
        }
    }
}

/// Where a resource sits in the control plane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceId {
    pub subscription: Guid,
    pub resource_group: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sku {
    pub family: String,
    pub name: String,
}

/// A vault or a managed HSM. Its deletion state is that of everything in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    pub id: ContainerId,
    pub name: ContainerName,
    pub resource: ResourceId,
    pub location: String,
    pub tenant: Guid,
    pub tags: Tags,
    pub sku: Sku,
    pub policy: DeletionPolicy,
    pub state: State,
    pub created: UnixTime,
    pub updated: UnixTime,
    pub profile: Profile,
}

impl Container {
    #[must_use]
    pub fn kind(&self) -> ContainerKind {
        match self.profile {
            Profile::Vault(_) => ContainerKind::Vault,
            Profile::ManagedHsm(_) => ContainerKind::ManagedHsm,
        }
    }

    /// The ARM id: `/subscriptions/{s}/resourceGroups/{g}/providers/Microsoft.KeyVault/{type}/{name}`.
    #[must_use]
    pub fn arm_id(&self) -> String {
        format!(
            "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.KeyVault/{}/{}",
            self.resource.subscription,
            self.resource.resource_group,
            self.kind().resource_type(),
            self.name
        )
    }

    /// The regions that it is extended to, beside its own. Vaults have none.
    pub fn further_regions(&self) -> impl Iterator<Item = &str> {
        let named: &[String] = match &self.profile {
            Profile::ManagedHsm(profile) => &profile.regions,
            Profile::Vault(_) => &[],
        };
        named.iter().map(String::as_str).filter(|name| *name != self.location)
    }

    /// A managed HSM leaves its further regions before it is deleted (contract: managed-hsm §2.7).
    ///
    /// # Errors
    /// [`Refusal::ExtendedToRegions`].
    pub fn check_deletion(&self) -> Result<(), Refusal> {
        let regions: Vec<String> = self.further_regions().map(str::to_owned).collect();
        match regions.is_empty() {
            true => Ok(()),
            false => Err(Refusal::ExtendedToRegions { name: self.name.to_string(), regions }),
        }
    }
}

/// The part of a container that differs by kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Profile {
    Vault(VaultProfile),
    ManagedHsm(HsmProfile),
}

/// How a vault decides who may use its objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PermissionModel {
    Rbac,
    AccessPolicies,
}

/// Settings of a vault that ARM shows and keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultProfile {
    pub permission_model: PermissionModel,
    pub access_policies: Vec<AccessPolicy>,
    pub enabled_for_deployment: bool,
    pub enabled_for_disk_encryption: bool,
    pub enabled_for_template_deployment: bool,
    pub public_network_access: PublicNetworkAccess,
    /// `None` where none were ever set; see [`Container::admits`].
    pub network_rules: Option<NetworkRules>,
}

/// What one principal may do in a vault under the access-policy model. Permission words are kept as given and
/// compared without case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessPolicy {
    pub tenant: Guid,
    pub object_id: String,
    pub application_id: Option<String>,
    pub keys: Vec<String>,
    pub secrets: Vec<String>,
    pub certificates: Vec<String>,
    pub storage: Vec<String>,
}

/// Whether a managed HSM's security domain has been taken over by its owners.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Activation {
    NotActivated,
    Active,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HsmProfile {
    pub activation: Activation,
    pub initial_admins: Vec<String>,
    pub public_network_access: PublicNetworkAccess,
    pub network_rules: Option<NetworkRules>,
    /// Names of further regions, as `properties.regions` gives them.
    pub regions: Vec<String>,
}
