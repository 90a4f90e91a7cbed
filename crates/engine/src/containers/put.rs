//! Creating and changing containers.

use super::operations;
use crate::{Engine, Error, Subject, access::HSM_ADMINISTRATOR, locks::check_locks};
use domain::{
    AccessPolicy, Container, ContainerId, ContainerKind, ContainerName, Guid, HsmProfile, NetworkRules,
    PermissionModel, Profile, PublicNetworkAccess, Refusal, ResourceId, Sku, State, Tags, UnixTime, VaultProfile,
    access::{Caller, Realm, RoleAssignment, Scope},
    lifecycle::{DeletionPolicy, PolicyAmendment},
    lock::Act,
};
use store::Tx;

/// A container as a PUT asks for it.
#[derive(Clone, Debug)]
pub struct ContainerRequest {
    pub name: ContainerName,
    pub resource: ResourceId,
    pub location: String,
    /// `None`: the subscription's.
    pub tenant: Option<Guid>,
    pub tags: Tags,
    pub sku: Sku,
    pub policy: PolicyAmendment,
    pub profile: ProfileRequest,
    pub creation: CreationTerms,
}

/// What holds only if a request creates the container: the default and the allowance of its API version.
#[derive(Clone, Copy, Debug)]
pub struct CreationTerms {
    pub permission_model: PermissionModel,
    /// Old versions could make a vault without soft delete.
    pub may_lack_soft_delete: bool,
}

impl Default for CreationTerms {
    /// As in today's API versions.
    fn default() -> Self {
        Self { permission_model: PermissionModel::Rbac, may_lack_soft_delete: false }
    }
}

/// Changes of an existing container; `None` leaves a setting as it is.
#[derive(Clone, Debug, Default)]
pub struct ContainerPatch {
    pub tenant: Option<Guid>,
    pub tags: Option<Tags>,
    pub sku: Option<Sku>,
    pub policy: PolicyAmendment,
    pub profile: Option<ProfileRequest>,
}

#[derive(Clone, Debug)]
pub enum ProfileRequest {
    Vault(VaultSettings),
    ManagedHsm(HsmSettings),
}

/// Settings of a vault, as asked for.
#[derive(Clone, Debug, Default)]
pub struct VaultSettings {
    /// Counts at creation and when given; an update never flips it by default.
    pub permission_model: Option<PermissionModel>,
    pub access_policies: Option<Vec<AccessPolicy>>,
    pub enabled_for_deployment: Option<bool>,
    pub enabled_for_disk_encryption: Option<bool>,
    pub enabled_for_template_deployment: Option<bool>,
    pub public_network_access: Option<PublicNetworkAccess>,
    pub network_rules: Option<NetworkRules>,
}

/// Settings of a managed HSM, as asked for.
#[derive(Clone, Debug, Default)]
pub struct HsmSettings {
    pub initial_admins: Option<Vec<String>>,
    pub public_network_access: Option<PublicNetworkAccess>,
    pub network_rules: Option<NetworkRules>,
    pub regions: Option<Vec<String>>,
}

impl ProfileRequest {
    #[must_use]
    pub fn kind(&self) -> ContainerKind {
        match self {
            Self::Vault(_) => ContainerKind::Vault,
            Self::ManagedHsm(_) => ContainerKind::ManagedHsm,
        }
    }

    fn apply(self, profile: &mut Profile) {
        match (self, profile) {
            (Self::Vault(asked), Profile::Vault(vault)) => asked.apply(vault),
            (Self::ManagedHsm(asked), Profile::ManagedHsm(hsm)) => asked.apply(hsm),
            _ => {}
        }
    }
}

impl VaultSettings {
    fn apply(self, vault: &mut VaultProfile) {
        set(&mut vault.permission_model, self.permission_model);
        set(&mut vault.access_policies, self.access_policies);
        set(&mut vault.enabled_for_deployment, self.enabled_for_deployment);
        set(&mut vault.enabled_for_disk_encryption, self.enabled_for_disk_encryption);
        set(&mut vault.enabled_for_template_deployment, self.enabled_for_template_deployment);
        set(&mut vault.public_network_access, self.public_network_access);
        set_some(&mut vault.network_rules, self.network_rules);
    }
}

impl HsmSettings {
    fn apply(self, hsm: &mut HsmProfile) {
        set(&mut hsm.initial_admins, self.initial_admins);
        set(&mut hsm.public_network_access, self.public_network_access);
        set_some(&mut hsm.network_rules, self.network_rules);
        set(&mut hsm.regions, self.regions);
    }
}

fn set<T>(field: &mut T, asked: Option<T>) {
    if let Some(value) = asked {
        *field = value;
    }
}

fn set_some<T>(field: &mut Option<T>, asked: Option<T>) {
    if asked.is_some() {
        *field = asked;
    }
}

impl Engine {
    /// Creates a container, or changes the live one that has this name in this place. Returns it, and whether it is
    /// new.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::ResourceGroupNotFound`], [`Refusal::ContainerNameTaken`],
    /// [`Refusal::ContainerNameHeldByDeleted`], [`Refusal::TenantInvalid`], [`Refusal::LocationImmutable`],
    /// [`Refusal::ScopeLocked`], and the refusals of [`DeletionPolicy::amended`].
    pub fn put_container(&self, caller: &Caller, request: &ContainerRequest) -> Result<(Container, bool), Error> {
        let kind = request.profile.kind();
        let operation = operations(kind).put;
        let target = arm_id(kind, &request.resource, &request.name);
        self.authorise_arm(caller, operation, &target)?;
        let id = ContainerId(self.new_guid());
        let (container, created) = self.change(operation, Some(caller), &Subject::resource(&target), |tx, now| {
            let tenant = check_place(tx, &request.resource, request.tenant)?;
            check_locks(tx, Act::Write, &target)?;
            match self.take_container(tx, kind, &request.name)? {
                None => Ok((self.insert_container(tx, id, tenant, request, now)?, true)),
                Some(found) if !found.state.is_live() && could_recover(&found, request) => {
                    Err(Refusal::ContainerNameHeldByDeleted.into())
                }
                Some(found) if is_live_at(&found, &target) => {
                    if !same_location(&found.location, &request.location) {
                        return Err(Refusal::LocationImmutable.into());
                    }
                    let patch = ContainerPatch {
                        tenant: None,
                        tags: Some(request.tags.clone()),
                        sku: Some(request.sku.clone()),
                        policy: request.policy,
                        profile: Some(request.profile.clone()),
                    };
                    Ok((self.amend(tx, found, patch, now)?, false))
                }
                Some(_) => Err(Refusal::ContainerNameTaken.into()),
            }
        })?;
        self.open.invalidate(kind, &container.name);
        self.cover(operation)?;
        Ok((container, created))
    }

    /// Changes a live container.
    ///
    /// # Errors
    /// As [`Engine::put_container`], and [`Refusal::ContainerNotFound`].
    pub fn patch_container(
        &self,
        caller: &Caller,
        kind: ContainerKind,
        resource: &ResourceId,
        name: &ContainerName,
        patch: &ContainerPatch,
    ) -> Result<Container, Error> {
        let operation = operations(kind).put;
        let target = arm_id(kind, resource, name);
        self.authorise_arm(caller, operation, &target)?;
        let container = self.change(operation, Some(caller), &Subject::resource(&target), |tx, now| {
            check_place(tx, resource, patch.tenant)?;
            let found = self.take_container(tx, kind, name)?.filter(|found| is_live_at(found, &target));
            let found = found.ok_or(Refusal::ContainerNotFound)?;
            check_locks(tx, Act::Write, &target)?;
            self.amend(tx, found, patch.clone(), now)
        })?;
        self.open.invalidate(kind, name);
        self.cover(operation)?;
        Ok(container)
    }

    /// Replaces the access policies of a live vault by what `change` makes of them.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::ContainerNotFound`], [`Refusal::ScopeLocked`].
    pub fn change_access_policies(
        &self,
        caller: &Caller,
        resource: &ResourceId,
        name: &ContainerName,
        change: impl Fn(Vec<AccessPolicy>) -> Vec<AccessPolicy>,
    ) -> Result<Container, Error> {
        let operation = domain::Operation::VaultAccessPolicyPut;
        let target = arm_id(ContainerKind::Vault, resource, name);
        self.authorise_arm(caller, operation, &target)?;
        let container = self.change(operation, Some(caller), &Subject::resource(&target), |tx, now| {
            let found = self.take_container(tx, ContainerKind::Vault, name)?;
            let mut found = found.filter(|found| is_live_at(found, &target)).ok_or(Refusal::ContainerNotFound)?;
            check_locks(tx, Act::Write, &target)?;
            let before = found.profile.clone();
            if let Profile::Vault(vault) = &mut found.profile {
                vault.access_policies = change(std::mem::take(&mut vault.access_policies));
            }
            found.updated = now;
            tx.save_container(&found)?;
            self.publish_access(tx, &before, &found, now)?;
            Ok(found)
        })?;
        self.open.invalidate(ContainerKind::Vault, name);
        self.cover(operation)?;
        Ok(container)
    }

    fn insert_container(
        &self,
        tx: &mut dyn Tx,
        id: ContainerId,
        tenant: Guid,
        request: &ContainerRequest,
        now: UnixTime,
    ) -> Result<Container, Error> {
        let asked = request.policy;
        let undeletable =
            tx.subscriptions()?.iter().any(|each| each.id == request.resource.subscription && each.undeletable);
        check_creation(request, undeletable)?;
        let policy = DeletionPolicy {
            soft_delete: (asked.soft_delete != Some(false)).then(|| asked.retention.unwrap_or_default()),
            purge_protection: asked.purge_protection == Some(true),
            undeletable_subscription: undeletable,
        };
        let mut profile = self.blank_profile(request.profile.kind(), request.creation);
        request.profile.clone().apply(&mut profile);
        let container = Container {
            id,
            name: request.name.clone(),
            resource: request.resource.clone(),
            location: request.location.clone(),
            tenant,
            tags: request.tags.clone(),
            sku: request.sku.clone(),
            policy,
            state: State::Live,
            created: now,
            updated: now,
            profile,
        };
        tx.insert_container(&container, &self.new_container_key(&container)?)?;
        self.grant_initial_roles(tx, &container, now)?;
        Ok(container)
    }

    fn amend(
        &self,
        tx: &mut dyn Tx,
        mut container: Container,
        patch: ContainerPatch,
        now: UnixTime,
    ) -> Result<Container, Error> {
        let before = container.profile.clone();
        container.policy = container.policy.amended(&patch.policy)?;
        set(&mut container.tags, patch.tags);
        set(&mut container.sku, patch.sku);
        if let Some(profile) = patch.profile {
            profile.apply(&mut container.profile);
        }
        container.updated = now;
        tx.save_container(&container)?;
        self.publish_access(tx, &before, &container, now)?;
        Ok(container)
    }

    fn blank_profile(&self, kind: ContainerKind, terms: CreationTerms) -> Profile {
        match kind {
            ContainerKind::Vault => Profile::Vault(VaultProfile {
                permission_model: terms.permission_model,
                access_policies: Vec::new(),
                enabled_for_deployment: false,
                enabled_for_disk_encryption: false,
                enabled_for_template_deployment: false,
                public_network_access: PublicNetworkAccess::default(),
                network_rules: None,
            }),
            ContainerKind::ManagedHsm => Profile::ManagedHsm(HsmProfile {
                activation: self.hsm_defaults.activation,
                initial_admins: Vec::new(),
                public_network_access: PublicNetworkAccess::default(),
                network_rules: None,
                regions: Vec::new(),
            }),
        }
    }

    /// Every initial administrator gets the local role Administrator at `/` (contract: managed-hsm §1.4); so do the
    /// principals that this installation gives roles in every HSM.
    fn grant_initial_roles(&self, tx: &mut dyn Tx, container: &Container, now: UnixTime) -> Result<(), Error> {
        let Profile::ManagedHsm(hsm) = &container.profile else {
            return Ok(());
        };
        let admins = hsm.initial_admins.iter().filter_map(|id| Guid::parse(id));
        let mut grants: Vec<(Guid, Guid)> = admins.map(|admin| (admin, HSM_ADMINISTRATOR)).collect();
        grants.extend(&self.hsm_defaults.grants);
        grants.sort_unstable();
        grants.dedup();
        for (principal, role) in grants {
            tx.put_role_assignment(&RoleAssignment {
                realm: Realm::Hsm(container.id),
                name: self.new_guid(),
                scope: Scope::root(),
                role,
                principal,
                created: now,
            })?;
        }
        Ok(())
    }
}

/// What only a creation has to bring.
fn check_creation(request: &ContainerRequest, undeletable: bool) -> Result<(), Refusal> {
    let asked = request.policy;
    if asked.soft_delete == Some(false) {
        let may_lack = request.creation.may_lack_soft_delete && request.profile.kind() == ContainerKind::Vault;
        // Where only the scheduler purges there is something to schedule.
        if !may_lack || undeletable {
            return Err(Refusal::SoftDeleteIrreversible);
        }
        if asked.purge_protection == Some(true) {
            return Err(Refusal::PurgeProtectionNeedsSoftDelete);
        }
    }
    match &request.profile {
        ProfileRequest::ManagedHsm(hsm) if hsm.initial_admins.as_ref().is_none_or(Vec::is_empty) => {
            let (parameter, reason) = ("initialAdminObjectIds", "at least one administrator is required");
            Err(Refusal::ParameterInvalid { parameter, reason })
        }
        _ => Ok(()),
    }
}

/// Whether the deleted container that holds the name is one that this request could recover; everybody else's name is
/// simply taken.
fn could_recover(deleted: &Container, request: &ContainerRequest) -> bool {
    deleted.resource.subscription == request.resource.subscription
        && same_location(&deleted.location, &request.location)
}

pub(crate) fn arm_id(kind: ContainerKind, resource: &ResourceId, name: &ContainerName) -> String {
    format!(
        "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.KeyVault/{}/{name}",
        resource.subscription,
        resource.resource_group,
        kind.resource_type(),
    )
}

pub(crate) fn is_live_at(container: &Container, arm_id: &str) -> bool {
    container.state.is_live() && container.arm_id().eq_ignore_ascii_case(arm_id)
}

/// `East US` and `eastus` are the same place.
pub(crate) fn same_location(one: &str, other: &str) -> bool {
    let bare = |text: &str| text.replace(' ', "").to_ascii_lowercase();
    bare(one) == bare(other)
}

/// Checks that subscription and group exist and that a given tenant is theirs. Returns the tenant.
pub(super) fn check_place(tx: &mut dyn Tx, resource: &ResourceId, tenant: Option<Guid>) -> Result<Guid, Error> {
    let subscription = tx.subscriptions()?.into_iter().find(|each| each.id == resource.subscription);
    let subscription = subscription.ok_or(Refusal::SubscriptionNotFound)?;
    if tx.resource_group(resource.subscription, &resource.resource_group)?.is_none() {
        return Err(Refusal::ResourceGroupNotFound.into());
    }
    if tenant.is_some_and(|tenant| tenant != subscription.tenant) {
        return Err(Refusal::TenantInvalid.into());
    }
    Ok(subscription.tenant)
}
