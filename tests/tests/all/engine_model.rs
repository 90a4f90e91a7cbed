//! Random sequences on the engine, in this process, on a real SQLite file, with a clock that the test moves.

use custody::{RootKey, SoftwareProvider, SystemEntropy};
use domain::{
    Activation, ContainerKind, ContainerName, Curve, Guid, KeySpec, ObjectKind, ObjectName, Refusal, ResourceGroup,
    ResourceId, SignatureAlgorithm, Sku, Subscription, Tags,
    access::{Caller, Scope, azure_roles, hsm_roles},
    lifecycle::{PolicyAmendment, Retention},
};
use e2e::model::{KEYS, Model, Op, Outcome, Settings, ops, settings};
use engine::{
    ContainerRequest, CreateKey, CreationTerms, Engine, EngineParts, Error, Foundation, HsmDefaults, HsmSettings,
    MovableClock, NewAttributes, PageRequest, Presence, ProfileRequest, SystemClock, VaultSettings,
};
use proptest::prelude::*;
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};
use store::sqlite::SqliteStore;
use tempfile::TempDir;

const SUBSCRIPTION: Guid = Guid::from_u128(0x5b);
const TENANT: Guid = Guid::from_u128(0x7e);
const ADMINISTRATOR: Guid = Guid::from_u128(0xad);
const NAME: &str = "contoso";
const LOCATION: &str = "eastus";

/// An engine on a file, and what it takes to start it again.
struct Rig {
    folder: TempDir,
    clock: Arc<MovableClock<SystemClock>>,
    engine: Option<Engine>,
    kind: ContainerKind,
    settings: Settings,
    backups: BTreeMap<usize, Vec<u8>>,
}

impl Rig {
    fn new(kind: ContainerKind, settings: Settings) -> Self {
        let folder = TempDir::new().unwrap();
        let clock = Arc::new(MovableClock::new(SystemClock, 0));
        let mut rig = Self { folder, clock, engine: None, kind, settings, backups: BTreeMap::new() };
        rig.start();
        let owner = azure_roles()
            .iter()
            .filter(|role| ["Owner", "Key Vault Administrator"].contains(&role.name.as_str()))
            .map(|role| (ADMINISTRATOR, role.id, Scope::root()));
        let foundation = Foundation {
            subscriptions: vec![Subscription {
                id: SUBSCRIPTION,
                tenant: TENANT,
                display_name: "model".to_owned(),
                undeletable: false,
            }],
            resource_groups: vec![ResourceGroup {
                subscription: SUBSCRIPTION,
                name: "rg".to_owned(),
                location: LOCATION.to_owned(),
                tags: Tags::new(),
            }],
            principals: Vec::new(),
            grants: owner.collect(),
            directory_grants: Vec::new(),
        };
        rig.engine().lay_foundation(&foundation).unwrap();
        assert_eq!(rig.apply(Op::CreateContainer), Outcome::Done);
        rig
    }

    fn start(&mut self) {
        // The old process has to be gone before the new one opens the file.
        self.engine = None;
        let path: PathBuf = self.folder.path().join("strongroom.db");
        let key: Vec<u8> = (128..160).collect();
        let root = RootKey::from_key_file(&key).unwrap();
        self.engine = Some(
            Engine::start(EngineParts {
                store: Arc::new(SqliteStore::open(&path).unwrap()),
                provider: Box::new(SoftwareProvider),
                root,
                clock: Arc::clone(&self.clock) as _,
                entropy: Arc::new(SystemEntropy),
                hsm_defaults: HsmDefaults {
                    activation: Activation::Active,
                    grants: hsm_roles().iter().map(|role| (ADMINISTRATOR, role.id)).collect(),
                },
            })
            .unwrap(),
        );
    }

    fn engine(&self) -> &Engine {
        self.engine.as_ref().unwrap()
    }

    fn caller(&self) -> Caller {
        Caller {
            tenant: TENANT,
            object_id: ADMINISTRATOR,
            app_id: None,
            groups: Vec::new(),
            issuer: String::new(),
            address: None,
            correlation_id: Guid::from_u128(1),
            origin: Arc::default(),
        }
    }

    fn request(&self) -> ContainerRequest {
        let (family, sku, profile) = match self.kind {
            ContainerKind::Vault => ("A", "premium", ProfileRequest::Vault(VaultSettings::default())),
            ContainerKind::ManagedHsm => (
                "B",
                "Standard_B1",
                ProfileRequest::ManagedHsm(HsmSettings {
                    initial_admins: Some(vec![ADMINISTRATOR.to_string()]),
                    ..HsmSettings::default()
                }),
            ),
        };
        ContainerRequest {
            name: container_name(),
            resource: resource(),
            location: LOCATION.to_owned(),
            tenant: None,
            tags: Tags::new(),
            sku: Sku { family: family.to_owned(), name: sku.to_owned() },
            policy: PolicyAmendment {
                soft_delete: Some(true),
                retention: Some(Retention::days(self.settings.retention_days).unwrap()),
                purge_protection: self.settings.purge_protection.then_some(true),
            },
            profile,
            creation: CreationTerms::default(),
        }
    }

    fn apply(&mut self, op: Op) -> Outcome {
        match op {
            Op::AdvanceDays(days) => {
                self.clock.advance(days * 86_400);
                // Half of the time the scheduler comes by; the other half it is late, which must not show.
                if days % 2 == 0 {
                    self.engine().sweep(100).unwrap();
                }
                Outcome::Done
            }
            Op::Restart => {
                self.start();
                Outcome::Done
            }
            Op::Restore(key) if !self.backups.contains_key(&key) => Outcome::Skipped,
            _ => outcome(self.attempt(op)),
        }
    }

    fn attempt(&mut self, op: Op) -> Result<(), Error> {
        let (caller, name, resource) = (self.caller(), container_name(), resource());
        let engine = self.engine();
        match op {
            Op::CreateContainer => return engine.put_container(&caller, &self.request()).map(drop),
            Op::DeleteContainer => {
                let deleted = engine.delete_container(&caller, self.kind, &resource, &name)?;
                return if deleted { Ok(()) } else { Err(Refusal::ContainerNotFound.into()) };
            }
            Op::RecoverContainer => {
                return engine.recover_container(&caller, self.kind, &resource, &name).map(drop);
            }
            Op::PurgeContainer => {
                return engine.purge_container(&caller, self.kind, SUBSCRIPTION, LOCATION, &name);
            }
            _ => {}
        }
        let open = engine.open_container(self.kind, NAME)?;
        match op {
            Op::Create(key) => engine.create_key(&caller, &open, &key_name(key), &an_ec_key()).map(drop),
            Op::Get(key) => engine.get_object(&caller, &open, ObjectKind::Key, &key_name(key), None).map(drop),
            Op::Sign(key) => {
                let digest = [0; 32];
                engine.sign(&caller, &open, &key_name(key), None, SignatureAlgorithm::Es256, &digest).map(drop)
            }
            Op::Delete(key) => engine.delete_object(&caller, &open, ObjectKind::Key, &key_name(key)).map(drop),
            Op::GetDeleted(key) => engine.get_deleted_object(&caller, &open, ObjectKind::Key, &key_name(key)).map(drop),
            Op::Recover(key) => engine.recover_object(&caller, &open, ObjectKind::Key, &key_name(key)).map(drop),
            Op::Purge(key) => engine.purge_object(&caller, &open, ObjectKind::Key, &key_name(key)),
            Op::Backup(key) => {
                let blob = engine.backup_object(&caller, &open, ObjectKind::Key, &key_name(key))?;
                self.backups.insert(key, blob);
                Ok(())
            }
            Op::Restore(key) => {
                let blob = self.backups.get(&key).cloned().unwrap_or_default();
                engine.restore_object(&caller, &open, ObjectKind::Key, &blob).map(drop)
            }
            _ => Ok(()),
        }
    }

    fn listed(&self, deleted: bool) -> Option<Vec<String>> {
        let open = self.engine().open_container(self.kind, NAME).ok()?;
        let page = PageRequest { after: None, limit: 25 };
        let found = if deleted {
            self.engine().list_objects(&self.caller(), &open, ObjectKind::Key, Presence::Deleted, false, &page)
        } else {
            self.engine().list_objects(&self.caller(), &open, ObjectKind::Key, Presence::Live, false, &page)
        };
        Some(found.unwrap().items.iter().map(|view| view.object.name.to_string()).collect())
    }
}

fn container_name() -> ContainerName {
    ContainerName::parse(NAME).unwrap()
}

fn resource() -> ResourceId {
    ResourceId { subscription: SUBSCRIPTION, resource_group: "rg".to_owned() }
}

/// The name in another case than it may have been created with: lookups do not mind.
fn key_name(key: usize) -> ObjectName {
    ObjectName::parse(KEYS[key]).unwrap()
}

fn an_ec_key() -> CreateKey {
    CreateKey {
        spec: KeySpec::Ec { curve: Curve::P256 },
        hsm: true,
        key_ops: None,
        attributes: NewAttributes::default(),
        tags: Tags::new(),
    }
}

fn outcome(result: Result<(), Error>) -> Outcome {
    match result {
        Ok(()) => Outcome::Done,
        Err(Error::Refused(refusal)) => match refusal {
            Refusal::NotFound => Outcome::NotFound,
            Refusal::DeletedNotFound => Outcome::DeletedNotFound,
            Refusal::NameHeldByDeleted => Outcome::NameHeldByDeleted,
            Refusal::RestoreConflict { .. } => Outcome::RestoreConflict,
            Refusal::PurgeProtected { .. } => Outcome::PurgeProtected,
            Refusal::ContainerNotFound => Outcome::ContainerNotFound,
            Refusal::ContainerDeleted { .. } => Outcome::ContainerDeleted,
            Refusal::ContainerNameTaken => Outcome::ContainerNameTaken,
            Refusal::ContainerNameHeldByDeleted => Outcome::ContainerNameHeldByDeleted,
            Refusal::DeletedContainerNotFound => Outcome::DeletedContainerNotFound,
            other => panic!("no rule of the model refuses so: {other:?}"),
        },
        Err(other) => panic!("the machinery failed: {other:?}"),
    }
}

fn agree(kind: ContainerKind, settings: Settings, ops: &[Op]) -> Result<(), TestCaseError> {
    let mut model = Model::new(settings, kind == ContainerKind::Vault);
    let mut rig = Rig::new(kind, settings);
    for (step, op) in ops.iter().enumerate() {
        let expected = model.expect(*op);
        if expected == Outcome::Skipped {
            continue;
        }
        let found = rig.apply(*op);
        prop_assert_eq!(found, expected, "step {} of {:?} with {:?}", step, ops, settings);
        for deleted in [false, true] {
            let found = rig.listed(deleted);
            let found = found.as_ref().map(|names| names.iter().map(String::as_str).collect::<Vec<_>>());
            prop_assert_eq!(found, model.listed(deleted), "lists after step {} of {:?}", step, ops);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_vault_keeps_the_promise(settings in settings(), ops in ops(60)) {
        agree(ContainerKind::Vault, settings, &ops)?;
    }

    #[test]
    fn a_managed_hsm_keeps_the_promise(settings in settings(), ops in ops(60)) {
        agree(ContainerKind::ManagedHsm, settings, &ops)?;
    }
}
