//! Reading the bodies that create and change containers.
//!
//! Schemas `VaultCreateOrUpdateParameters`, `VaultPatchParameters`, `ManagedHsm`, `VaultAccessPolicyParameters` of
//! `arm-keyvault-2026-05-15.json`; contract: key-vault §4.2, az-client §4.5.

use super::{
    container::{PoliciesIn, Policy},
    network::{NetworkAcls, read_access, word},
};
use crate::{
    arm::{
        error::{Failure, Problem},
        ids,
        route::Place,
    },
    json::{self, Object},
};
use domain::{
    AccessPolicy, ContainerKind, ContainerName, Guid, PermissionModel, Refusal, Sku, Tags,
    access::is_policy_permission,
    lifecycle::{PolicyAmendment, Retention},
};
use engine::{ContainerPatch, ContainerRequest, CreationTerms, HsmSettings, ProfileRequest, VaultSettings};
use serde::Deserialize;

/// The body of a PUT or PATCH of a vault or a managed HSM. What a kind does not have, clients do not send for it.
#[derive(Deserialize)]
pub(crate) struct ContainerBody {
    location: Option<String>,
    tags: Option<Tags>,
    /// HSMs.
    sku: Option<Object<SkuIn>>,
    /// HSMs.
    identity: Option<Object<Identity>>,
    #[serde(default)]
    properties: Option<Object<Properties>>,
}

#[derive(Clone, Deserialize)]
struct SkuIn {
    family: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Identity {
    r#type: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    tenant_id: Option<String>,
    /// Vaults.
    sku: Option<Object<SkuIn>>,
    create_mode: Option<String>,
    enable_soft_delete: Option<bool>,
    soft_delete_retention_in_days: Option<Days>,
    enable_purge_protection: Option<bool>,
    network_acls: Option<Object<NetworkAcls>>,
    public_network_access: Option<String>,
    // Vaults.
    access_policies: Option<Vec<Object<Policy>>>,
    enable_rbac_authorization: Option<bool>,
    enabled_for_deployment: Option<bool>,
    enabled_for_disk_encryption: Option<bool>,
    enabled_for_template_deployment: Option<bool>,
    // HSMs.
    initial_admin_object_ids: Option<Vec<String>>,
    regions: Option<Vec<Object<Region>>>,
}

/// `az` sends the days as text when it creates an HSM (contract: az-client §4.5).
#[derive(Deserialize)]
#[serde(untagged)]
enum Days {
    Number(i64),
    Text(String),
}

#[derive(Deserialize)]
struct Region {
    name: Option<String>,
}

const VAULT_SKUS: [&str; 2] = ["standard", "premium"];
const HSM_SKUS: [&str; 10] = [
    "Standard_B1",
    "Custom_B32",
    "Custom_B6",
    "Custom_C42",
    "Custom_C10",
    "Standard_B1v2",
    "Standard_B5v2",
    "Standard_B10v2",
    "Standard_B15v2",
    "Standard_B20v2",
];

impl ContainerBody {
    pub(crate) fn read(body: &[u8]) -> Result<Self, Failure> {
        Ok(json::parse(body)?)
    }

    /// Whether it asks to bring a deleted container back. Clients write the word in either case
    /// (contract: key-vault §4.2, "Recover").
    pub(crate) fn recovers(&self) -> Result<bool, Problem> {
        let mode = self.properties.as_ref().and_then(|Object(properties)| properties.create_mode.as_deref());
        let spelled = |recovers| if recovers { "recover" } else { "default" };
        Ok(word(mode, &[true, false], spelled, "createMode")?.unwrap_or_default())
    }

    /// As a PUT: what is required has to be there.
    pub(crate) fn into_request(self, place: &Place, creation: CreationTerms) -> Result<ContainerRequest, Failure> {
        let name = ContainerName::parse(&place.name);
        let name = name.ok_or_else(|| Refusal::NameInvalid { name: place.name.clone() })?;
        let location = self.location.as_deref().map(ids::location).filter(|location| !location.is_empty());
        let location = location.ok_or_else(|| {
            let message = "The location property is required for this definition.";
            Problem::new(http::StatusCode::BAD_REQUEST, "LocationRequired", message)
        })?;
        let patch = self.into_patch(place.kind)?;
        if place.kind == ContainerKind::Vault && patch.tenant.is_none() {
            return Err(Refusal::TenantInvalid.into());
        }
        Ok(ContainerRequest {
            name,
            resource: place.resource.clone(),
            location,
            tenant: patch.tenant,
            tags: patch.tags.unwrap_or_default(),
            sku: patch.sku.ok_or_else(|| missing("sku"))?,
            policy: patch.policy,
            profile: patch.profile.ok_or_else(|| missing("properties"))?,
            creation,
        })
    }

    /// As a PATCH: everything may be left out.
    pub(crate) fn into_patch(self, kind: ContainerKind) -> Result<ContainerPatch, Failure> {
        let identity = self.identity.and_then(|Object(identity)| identity.r#type);
        if identity.is_some_and(|identity| !identity.eq_ignore_ascii_case("None")) {
            return Err(Problem::not_supported("managed identities of managed HSMs").into());
        }
        let Object(properties) = self.properties.unwrap_or_default();
        let sku = match kind {
            ContainerKind::Vault => properties.sku.clone(),
            ContainerKind::ManagedHsm => self.sku,
        };
        let tenant = match &properties.tenant_id {
            None => None,
            Some(text) => Some(Guid::parse(text).ok_or(Refusal::TenantInvalid)?),
        };
        Ok(ContainerPatch {
            tenant,
            tags: self.tags,
            sku: sku.map(|Object(sku)| sku.read(kind)).transpose()?,
            policy: properties.policy(kind)?,
            profile: Some(properties.into_profile(kind)?),
        })
    }
}

fn missing(parameter: &str) -> Problem {
    Problem::bad_request(format!("The parameter {parameter} is not specified."))
}

fn invalid(parameter: &str) -> Problem {
    Problem::bad_request(format!("An invalid value was provided for '{parameter}'."))
}

impl SkuIn {
    /// The SKU in its documented spelling. An HSM's family is the letter in its name (contract: managed-hsm §2.1).
    fn read(self, kind: ContainerKind) -> Result<Sku, Problem> {
        let known: &[&str] = match kind {
            ContainerKind::Vault => &VAULT_SKUS,
            ContainerKind::ManagedHsm => &HSM_SKUS,
        };
        let name = self.name.ok_or_else(|| missing("sku.name"))?;
        let unsupported = || {
            let message = format!("The sku '{name}' is not supported. It must be one of: {}.", known.join(", "));
            Problem::new(http::StatusCode::BAD_REQUEST, "SkuNotSupported", message)
        };
        let found = known.iter().find(|known| known.eq_ignore_ascii_case(&name)).ok_or_else(unsupported)?;
        let letter = found.split_once('_').and_then(|(_, size)| size.get(..1)).unwrap_or("A");
        if !self.family.ok_or_else(|| missing("sku.family"))?.eq_ignore_ascii_case(letter) {
            return Err(invalid("sku.family"));
        }
        Ok(Sku { family: letter.to_owned(), name: (*found).to_owned() })
    }
}

impl Properties {
    /// On vaults, `enablePurgeProtection` is true or absent, even at creation; on HSMs false is accepted
    /// (contract: key-vault §4.2, "Immutability"; §7.14).
    fn policy(&self, kind: ContainerKind) -> Result<PolicyAmendment, Failure> {
        if kind == ContainerKind::Vault && self.enable_purge_protection == Some(false) {
            return Err(Refusal::PurgeProtectionIrreversible.into());
        }
        let days = match &self.soft_delete_retention_in_days {
            None => None,
            Some(Days::Number(days)) => Some(*days),
            Some(Days::Text(text)) => {
                Some(text.trim().parse::<i64>().map_err(|_| invalid("softDeleteRetentionInDays"))?)
            }
        };
        Ok(PolicyAmendment {
            soft_delete: self.enable_soft_delete,
            retention: days.map(Retention::days).transpose()?,
            purge_protection: self.enable_purge_protection,
        })
    }

    fn into_profile(self, kind: ContainerKind) -> Result<ProfileRequest, Problem> {
        let public_network_access = read_access(self.public_network_access.as_deref())?;
        let network_rules = self.network_acls.map(|Object(acls)| acls.into_rules()).transpose()?;
        Ok(match kind {
            ContainerKind::Vault => ProfileRequest::Vault(VaultSettings {
                permission_model: self.enable_rbac_authorization.map(|rbac| match rbac {
                    true => PermissionModel::Rbac,
                    false => PermissionModel::AccessPolicies,
                }),
                access_policies: self.access_policies.map(policies).transpose()?,
                enabled_for_deployment: self.enabled_for_deployment,
                enabled_for_disk_encryption: self.enabled_for_disk_encryption,
                enabled_for_template_deployment: self.enabled_for_template_deployment,
                public_network_access,
                network_rules,
            }),
            ContainerKind::ManagedHsm => ProfileRequest::ManagedHsm(HsmSettings {
                initial_admins: self.initial_admin_object_ids.map(admins).transpose()?,
                public_network_access,
                network_rules,
                regions: self.regions.map(regions).transpose()?,
            }),
        })
    }
}

/// Roles go to object ids; an id that is none would leave an HSM without that administrator.
fn admins(ids: Vec<String>) -> Result<Vec<String>, Problem> {
    let parsed = ids.iter().map(|id| Guid::parse(id.trim()).map(|id| id.to_string()));
    parsed.collect::<Option<Vec<_>>>().ok_or_else(|| invalid("initialAdminObjectIds"))
}

fn regions(regions: Vec<Object<Region>>) -> Result<Vec<String>, Problem> {
    let names = regions.into_iter().map(|Object(region)| region.name.as_deref().map(ids::location));
    names.collect::<Option<Vec<_>>>().ok_or_else(|| invalid("regions"))
}

/// Contract: key-vault §4.2, "Create/update vault".
const MOST_POLICIES: usize = 1024;

fn policies(given: Vec<Object<Policy>>) -> Result<Vec<AccessPolicy>, Problem> {
    if given.len() > MOST_POLICIES {
        return Err(invalid("accessPolicies"));
    }
    given.into_iter().map(|Object(given)| policy(given)).collect()
}

fn policy(given: Policy) -> Result<AccessPolicy, Problem> {
    let tenant = Guid::parse(&given.tenant_id).ok_or_else(|| invalid("tenantId"))?;
    let object_id = Guid::parse(&given.object_id).ok_or_else(|| invalid("objectId"))?.to_string();
    let application_id = match given.application_id {
        None => None,
        Some(id) => Some(Guid::parse(&id).ok_or_else(|| invalid("applicationId"))?.to_string()),
    };
    let Object(permissions) = given.permissions;
    Ok(AccessPolicy {
        tenant,
        object_id,
        application_id,
        keys: known_permissions("keys", permissions.keys)?,
        secrets: known_permissions("secrets", permissions.secrets)?,
        certificates: known_permissions("certificates", permissions.certificates)?,
        storage: known_permissions("storage", permissions.storage)?,
    })
}

/// Contract: key-vault §4.1, the enums of permissions. An unknown word would look like a right and be none.
fn known_permissions(collection: &'static str, words: Option<Vec<String>>) -> Result<Vec<String>, Problem> {
    let words = words.unwrap_or_default();
    if words.iter().all(|word| is_policy_permission(collection, word)) { Ok(words) } else { Err(invalid(collection)) }
}

#[derive(Deserialize)]
struct PoliciesBody {
    properties: Option<Object<PoliciesIn>>,
}

/// The policies in the body of an access-policy change.
pub(crate) fn policies_of(body: &[u8]) -> Result<Vec<AccessPolicy>, Failure> {
    let body: PoliciesBody = json::parse(body)?;
    let Object(properties) = body.properties.ok_or_else(|| missing("properties"))?;
    Ok(policies(properties.access_policies)?)
}

#[derive(Deserialize)]
struct NameBody {
    name: Option<String>,
    r#type: Option<String>,
}

/// The name in the body of a name check. The type is required of vaults only.
pub(crate) fn name_to_check(kind: ContainerKind, body: &[u8]) -> Result<String, Failure> {
    let body: NameBody = json::parse(body)?;
    let is_vault =
        |given: Option<&str>| given.is_some_and(|given| given.eq_ignore_ascii_case(&ids::resource_type(kind)));
    if kind == ContainerKind::Vault && !is_vault(body.r#type.as_deref()) {
        return Err(invalid("type").into());
    }
    Ok(body.name.ok_or_else(|| missing("name"))?)
}
