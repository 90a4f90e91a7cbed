//! An engine in this process, with a vault and a managed HSM, and somebody who may do everything in them.

use crate::Failure;
use custody::{RootKey, SoftwareProvider, SystemEntropy};
use domain::{
    Activation, ContainerKind, ContainerName, Guid, ResourceGroup, ResourceId, Sku, Subscription, Tags,
    access::{Caller, Origin, RoleDefinition, Scope, azure_roles, hsm_roles},
    lifecycle::PolicyAmendment,
};
use engine::{
    ContainerRequest, CreationTerms, Engine, EngineParts, Foundation, HsmDefaults, HsmSettings, OpenContainer,
    ProfileRequest, SystemClock, VaultSettings,
};
use std::{path::Path, sync::Arc, time::Duration};
use store::sqlite::SqliteStore;

const WHO: Guid = Guid::from_u128(2);
const SUBSCRIPTION: Guid = Guid::from_u128(4);
const TENANT: Guid = Guid::from_u128(1);
const NAME: &str = "gate";

pub fn engine(folder: &Path) -> Result<Engine, Failure> {
    let key: Vec<u8> = (128..160).collect();
    let engine = Engine::start(EngineParts {
        store: Arc::new(SqliteStore::open(&folder.join("db"))?),
        provider: Box::new(SoftwareProvider),
        root: RootKey::from_key_file(&key)?,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        hsm_defaults: HsmDefaults {
            activation: Activation::Active,
            grants: hsm_roles().iter().map(|role| (WHO, role.id)).collect(),
        },
    })?;
    let may = |role: &&RoleDefinition| ["Owner", "Key Vault Administrator"].contains(&role.name.as_str());
    let grants = azure_roles().iter().filter(may).map(|role| (WHO, role.id, Scope::root()));
    engine.lay_foundation(&Foundation {
        subscriptions: vec![Subscription {
            id: SUBSCRIPTION,
            tenant: TENANT,
            display_name: NAME.to_owned(),
            undeletable: false,
        }],
        resource_groups: vec![ResourceGroup {
            subscription: SUBSCRIPTION,
            name: NAME.to_owned(),
            location: "here".to_owned(),
            tags: Tags::new(),
        }],
        principals: Vec::new(),
        grants: grants.collect(),
        directory_grants: Vec::new(),
    })?;
    for kind in ContainerKind::ALL {
        engine.put_container(&caller(), &container(kind)?)?;
    }
    Ok(engine)
}

pub fn open(engine: &Engine, kind: ContainerKind) -> Result<Arc<OpenContainer>, Failure> {
    Ok(engine.open_container(kind, NAME)?)
}

fn container(kind: ContainerKind) -> Result<ContainerRequest, Failure> {
    let (family, sku, profile) = match kind {
        ContainerKind::Vault => ("A", "premium", ProfileRequest::Vault(VaultSettings::default())),
        ContainerKind::ManagedHsm => (
            "B",
            "Standard_B1",
            ProfileRequest::ManagedHsm(HsmSettings {
                initial_admins: Some(vec![WHO.to_string()]),
                ..HsmSettings::default()
            }),
        ),
    };
    Ok(ContainerRequest {
        name: ContainerName::parse(NAME).ok_or("a name")?,
        resource: ResourceId { subscription: SUBSCRIPTION, resource_group: NAME.to_owned() },
        location: "here".to_owned(),
        tenant: None,
        tags: Tags::new(),
        sku: Sku { family: family.to_owned(), name: sku.to_owned() },
        policy: PolicyAmendment::default(),
        creation: CreationTerms::default(),
        profile,
    })
}

pub fn caller() -> Caller {
    Caller {
        app_id: Some(WHO),
        address: Some([127, 0, 0, 1].into()),
        origin: Arc::new(Origin {
            uri: "https://gate.managedhsm.localhost:8443/keys/key/sign".to_owned(),
            api_version: Some("7.5".to_owned()),
            client: Some("azsdk-python-keyvault-keys/4.11.3 Python/3.11.7 (Linux-6.1)".to_owned()),
            started: Duration::ZERO,
        }),
        ..Caller::new(TENANT, WHO, Guid::from_u128(7))
    }
}
