//! An engine with one vault and one managed HSM, and somebody who may do everything.

use custody::{RootKey, SoftwareProvider, SystemEntropy};
use domain::{
    Activation, Container, ContainerId, ContainerKind, ContainerName, Curve, Guid, KeySpec, ObjectKind, ObjectName,
    ResourceGroup, ResourceId, Secret, Sku, Subscription, Tags,
    access::{Caller, GLOBAL_ADMINISTRATOR, Scope, azure_roles, hsm_roles},
    lifecycle::PolicyAmendment,
};
use engine::{
    CertificateAuthority, Clock, ContainerRequest, CreateKey, CreationTerms, Engine, EngineParts, Error, Foundation,
    HsmDefaults, HsmSettings, MovableClock, NewAttributes, OpenContainer, ProfileRequest, SecretView, SetSecret,
    SystemClock, VaultSettings,
};
use std::{path::PathBuf, sync::Arc};
use store::{Store, Tx, sqlite::SqliteStore};
use tempfile::TempDir;

pub const SUBSCRIPTION: Guid = Guid::from_u128(0x5b);
pub const TENANT: Guid = Guid::from_u128(0x7e);
pub const ADMINISTRATOR: Guid = Guid::from_u128(0xad);
pub const DAY: i64 = 86_400;

pub struct Rig {
    folder: TempDir,
    pub clock: Arc<MovableClock<SystemClock>>,
    pub engine: Arc<Engine>,
}

impl Rig {
    pub fn new() -> Self {
        Self::with(Vec::new())
    }

    /// With issuers to ask.
    pub fn with(authorities: Vec<Box<dyn CertificateAuthority>>) -> Self {
        Self::made(|store| store, authorities)
    }

    /// With something around the store, and issuers to ask.
    pub fn made(
        around: impl FnOnce(Arc<dyn Store>) -> Arc<dyn Store>,
        authorities: Vec<Box<dyn CertificateAuthority>>,
    ) -> Self {
        let folder = TempDir::new().unwrap();
        let clock = Arc::new(MovableClock::new(SystemClock, 0));
        let store = around(Arc::new(SqliteStore::open(&folder.path().join("strongroom.db")).unwrap()));
        let engine = engine_on(store, Arc::clone(&clock) as _);
        let rig = Self { folder, clock, engine: Arc::new(engine.with_authorities(authorities)) };
        let owner = azure_roles()
            .iter()
            .filter(|role| ["Owner", "Key Vault Administrator"].contains(&role.name.as_str()))
            .map(|role| (ADMINISTRATOR, role.id, Scope::root()));
        let foundation = Foundation {
            subscriptions: vec![Subscription {
                id: SUBSCRIPTION,
                tenant: TENANT,
                display_name: "rig".to_owned(),
                undeletable: false,
            }],
            resource_groups: vec![ResourceGroup {
                subscription: SUBSCRIPTION,
                name: "rg".to_owned(),
                location: "eastus".to_owned(),
                tags: Tags::new(),
            }],
            principals: Vec::new(),
            grants: owner.collect(),
            directory_grants: vec![(ADMINISTRATOR, GLOBAL_ADMINISTRATOR)],
        };
        rig.engine.lay_foundation(&foundation).unwrap();
        rig.create(ContainerKind::Vault);
        rig.create(ContainerKind::ManagedHsm);
        rig
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("strongroom.db")
    }

    pub fn create(&self, kind: ContainerKind) {
        self.engine.put_container(&caller(ADMINISTRATOR), &self.request(kind, "contoso")).unwrap();
    }

    pub fn request(&self, kind: ContainerKind, name: &str) -> ContainerRequest {
        let (sku, profile) = match kind {
            ContainerKind::Vault => ("premium", ProfileRequest::Vault(VaultSettings::default())),
            ContainerKind::ManagedHsm => (
                "Standard_B1",
                ProfileRequest::ManagedHsm(HsmSettings {
                    initial_admins: Some(vec![ADMINISTRATOR.to_string()]),
                    ..HsmSettings::default()
                }),
            ),
        };
        ContainerRequest {
            name: ContainerName::parse(name).unwrap(),
            resource: resource(),
            location: "eastus".to_owned(),
            tenant: None,
            tags: Tags::new(),
            sku: Sku { family: "A".to_owned(), name: sku.to_owned() },
            policy: PolicyAmendment::default(),
            profile,
            creation: CreationTerms::default(),
        }
    }

    pub fn open(&self, kind: ContainerKind) -> Arc<OpenContainer> {
        self.engine.open_container(kind, "contoso").unwrap()
    }

    /// Sets a secret of the vault.
    pub fn set_secret(&self, name: &str, value: &str) -> SecretView {
        let request = SetSecret {
            value: Secret::new(value.as_bytes().to_vec()),
            content_type: None,
            attributes: NewAttributes::default(),
            tags: Tags::new(),
        };
        let vault = self.open(ContainerKind::Vault);
        self.engine.set_secret(&caller(ADMINISTRATOR), &vault, &key_name(name), request).unwrap()
    }

    /// Puts beside the vault another one whose key does not open, with a copy of an object of the vault.
    pub fn add_broken_vault(&self, kind: ObjectKind, name: &str) {
        let store: Box<dyn Store> = Box::new(SqliteStore::open(&self.path()).unwrap());
        let vault = self.open(ContainerKind::Vault);
        let copy = |tx: &mut dyn Tx| {
            let stored = tx.container_by_id(vault.id())?.unwrap();
            let object = tx.object(vault.id(), kind, &key_name(name))?.unwrap();
            let version = tx.version(vault.id(), kind, &key_name(name), object.object.current)?.unwrap();
            let (id, name) = (ContainerId(Guid::from_u128(0xb0)), ContainerName::parse("broken").unwrap());
            tx.insert_container(&Container { id, name, ..stored.container }, &stored.sealed_key)?;
            tx.insert_object(id, &object, &version.version, &version.material)
        };
        store.transact("test", copy).unwrap();
    }

    pub fn create_ec_key(&self, kind: ContainerKind, name: &str) {
        self.engine.create_key(&caller(ADMINISTRATOR), &self.open(kind), &key_name(name), &ec_key()).unwrap();
    }
}

/// An engine on a file, under a root key.
pub fn start(path: &std::path::Path, clock: &Arc<MovableClock<SystemClock>>, root: &[u8]) -> Result<Engine, Error> {
    bring_up(Arc::new(SqliteStore::open(path).unwrap()), Arc::clone(clock) as _, root)
}

/// An engine on any store and clock, under the rig's root key.
pub fn engine_on(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Engine {
    bring_up(store, clock, &root(128)).unwrap()
}

fn bring_up(store: Arc<dyn Store>, clock: Arc<dyn Clock>, root: &[u8]) -> Result<Engine, Error> {
    Engine::start(EngineParts {
        store,
        provider: Box::new(SoftwareProvider),
        root: RootKey::from_key_file(root).unwrap(),
        clock,
        entropy: Arc::new(SystemEntropy),
        hsm_defaults: HsmDefaults {
            activation: Activation::Active,
            grants: hsm_roles().iter().map(|role| (ADMINISTRATOR, role.id)).collect(),
        },
    })
}

/// The bytes of a root key file: 32 that follow each other.
pub fn root(first: u8) -> Vec<u8> {
    (first..first + 32).collect()
}

pub fn caller(object_id: Guid) -> Caller {
    Caller::new(TENANT, object_id, Guid::from_u128(1))
}

pub fn resource() -> ResourceId {
    ResourceId { subscription: SUBSCRIPTION, resource_group: "rg".to_owned() }
}

pub fn key_name(name: &str) -> ObjectName {
    ObjectName::parse(name).unwrap()
}

pub fn ec_key() -> CreateKey {
    CreateKey {
        spec: KeySpec::Ec { curve: Curve::P256 },
        hsm: true,
        key_ops: None,
        attributes: NewAttributes::default(),
        tags: Tags::new(),
    }
}
