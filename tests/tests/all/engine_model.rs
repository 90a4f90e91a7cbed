//! Random sequences on the engine, in this process, on a real SQLite file, with a clock that the test moves.

use crate::who_may::objects::signed_outside;
use custody::{RootKey, SoftwareProvider, SystemEntropy};
use domain::{
    Activation, CertificateRefusal, ContainerKind, ContainerName, Curve, Guid, IssuerRequest, KeyRequest, KeySpec,
    ObjectKind, ObjectName, PolicyRequest, Refusal, ResourceGroup, ResourceId, Secret, SignatureAlgorithm, Sku,
    Subscription, Tags, VersionId,
    access::{Caller, Scope, azure_roles, hsm_roles},
    lifecycle::{PolicyAmendment, Retention},
};
use e2e::model::{Model, Op, Outcome, Settings, Thing, ops, settings};
use engine::{
    ContainerRequest, CreateCertificate, CreateKey, CreationTerms, Engine, EngineParts, Error, Foundation, HsmDefaults,
    HsmSettings, MergeCertificate, MovableClock, NewAttributes, ObjectChanges, ObjectView, OpenContainer, PageRequest,
    Presence, ProfileRequest, SetSecret, SystemClock, VaultSettings,
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
const PAGE: PageRequest = PageRequest { after: None, limit: 25 };

/// An engine on a file, and what it takes to start it again.
struct Rig {
    folder: TempDir,
    clock: Arc<MovableClock<SystemClock>>,
    engine: Option<Engine>,
    kind: ContainerKind,
    settings: Settings,
    backups: BTreeMap<(&'static str, usize), Vec<u8>>,
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
        Caller::new(TENANT, ADMINISTRATOR, Guid::from_u128(1))
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
            Op::Restore(thing) if !self.backups.contains_key(&thing.id()) => Outcome::Skipped,
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
            Op::Create(thing) => create(engine, &caller, &open, thing),
            Op::Get(thing) => engine.get_object(&caller, &open, thing.kind, &name_of(thing), None).map(drop),
            Op::Sign(thing) => make_use(engine, &caller, &open, thing),
            Op::Versions(thing) => engine.list_versions(&caller, &open, thing.kind, &name_of(thing), &PAGE).map(drop),
            Op::Update(thing) => {
                let changes = ObjectChanges { tags: Some(Tags::new()), ..ObjectChanges::default() };
                engine.update_object(&caller, &open, thing.kind, &name_of(thing), None, &changes).map(drop)
            }
            Op::Begin(thing) => certify(engine, &caller, &open, thing, Some("Unknown")),
            Op::Merge(thing) => merge(engine, &caller, &open, &name_of(thing)),
            Op::Cancel(thing) => engine.cancel_pending_certificate(&caller, &open, &name_of(thing)).map(drop),
            Op::Abandon(thing) => engine.delete_pending_certificate(&caller, &open, &name_of(thing)).map(drop),
            Op::Delete(thing) => engine.delete_object(&caller, &open, thing.kind, &name_of(thing)).map(drop),
            Op::GetDeleted(thing) => engine.get_deleted_object(&caller, &open, thing.kind, &name_of(thing)).map(drop),
            Op::Recover(thing) => engine.recover_object(&caller, &open, thing.kind, &name_of(thing)).map(drop),
            Op::Purge(thing) => engine.purge_object(&caller, &open, thing.kind, &name_of(thing)),
            Op::Backup(thing) => {
                let blob = engine.backup_object(&caller, &open, thing.kind, &name_of(thing))?;
                self.backups.insert(thing.id(), blob);
                Ok(())
            }
            Op::Restore(thing) => {
                let blob = self.backups.get(&thing.id()).cloned().unwrap_or_default();
                engine.restore_object(&caller, &open, thing.kind, &blob).map(drop)
            }
            _ => Ok(()),
        }
    }

    fn page(&self, kind: ObjectKind, deleted: bool) -> Option<Vec<ObjectView>> {
        let open = self.engine().open_container(self.kind, NAME).ok()?;
        let presence = if deleted { Presence::Deleted } else { Presence::Live };
        let found = self.engine().list_objects(&self.caller(), &open, kind, presence, false, &PAGE);
        Some(found.unwrap().items)
    }

    fn listed(&self, kind: ObjectKind, deleted: bool) -> Option<Vec<String>> {
        Some(self.page(kind, deleted)?.iter().map(|view| view.object.name.to_string()).collect())
    }

    /// The versions of a thing that is there, from the first to the last.
    fn versions(&self, kind: ObjectKind, name: &ObjectName) -> Vec<VersionId> {
        let open = self.engine().open_container(self.kind, NAME).unwrap();
        let page = PageRequest { limit: 1000, ..PAGE };
        let found = self.engine().list_versions(&self.caller(), &open, kind, name, &page).unwrap();
        found.items.iter().map(|view| view.version.id).collect()
    }

    /// A certificate's key and secret have its versions and its dates, and nothing is managed without one.
    fn check_trios(&self) {
        for deleted in [false, true].into_iter().filter(|_| self.kind == ContainerKind::Vault) {
            let certificates = self.page(ObjectKind::Certificate, deleted).unwrap_or_default();
            for kind in ObjectKind::Certificate.followers() {
                let mut followers = self.page(*kind, deleted).unwrap_or_default();
                followers.retain(|view| view.object.managed);
                assert_eq!(followers.len(), certificates.len());
                for (certificate, follower) in certificates.iter().zip(&followers) {
                    assert_eq!(follower.object.name, certificate.object.name);
                    assert_eq!(follower.object.state, certificate.object.state);
                    assert_eq!(follower.version.id, certificate.version.id);
                    if !deleted {
                        let name = &certificate.object.name;
                        assert_eq!(self.versions(*kind, name), self.versions(ObjectKind::Certificate, name));
                    }
                }
            }
        }
    }
}

fn create(engine: &Engine, caller: &Caller, open: &OpenContainer, thing: Thing) -> Result<(), Error> {
    let name = name_of(thing);
    match thing.kind {
        ObjectKind::Key => engine.create_key(caller, open, &name, &an_ec_key()).map(drop),
        ObjectKind::Secret => {
            let request = SetSecret {
                value: Secret::new(thing.name().as_bytes().to_vec()),
                content_type: None,
                attributes: NewAttributes::default(),
                tags: Tags::new(),
            };
            engine.set_secret(caller, open, &name, request).map(drop)
        }
        ObjectKind::Certificate => certify(engine, caller, open, thing, None),
    }
}

/// Begins a version of a certificate, which signs itself if no issuer is named.
fn certify(
    engine: &Engine,
    caller: &Caller,
    open: &OpenContainer,
    thing: Thing,
    issuer: Option<&str>,
) -> Result<(), Error> {
    let key = KeyRequest { curve: Some(Curve::P256), ..KeyRequest::default() };
    let issuer = IssuerRequest { name: issuer.map(str::to_owned), ..IssuerRequest::default() };
    let policy = PolicyRequest { key, issuer, subject: Some("CN=model".to_owned()), ..PolicyRequest::default() };
    let request = CreateCertificate { policy: Some(policy), ..CreateCertificate::default() };
    engine.create_certificate(caller, open, &name_of(thing), &request).map(drop)
}

/// Has what is pending signed outside, and brings it.
fn merge(engine: &Engine, caller: &Caller, open: &OpenContainer, name: &ObjectName) -> Result<(), Error> {
    let pending = engine.pending_certificate(caller, open, name, None)?;
    let chain = signed_outside(&pending.csr).into();
    let request = MergeCertificate { chain, attributes: NewAttributes::default(), tags: None };
    engine.merge_certificate(caller, open, name, &request).map(drop)
}

fn make_use(engine: &Engine, caller: &Caller, open: &OpenContainer, thing: Thing) -> Result<(), Error> {
    let name = name_of(thing);
    let sign = || engine.sign(caller, open, &name, None, SignatureAlgorithm::Es256, &[0; 32]).map(drop);
    match thing.kind {
        ObjectKind::Key => sign(),
        ObjectKind::Secret => engine.get_secret(caller, open, &name, None).map(drop),
        // The certificate is of its key.
        ObjectKind::Certificate => {
            let view = engine.get_object(caller, open, thing.kind, &name, None)?;
            let key = engine.get_object(caller, open, ObjectKind::Key, &name, Some(view.version.id))?;
            let issued = view.version.body.as_certificate().unwrap().issued.as_ref().unwrap();
            let read = custody::x509::Certificate::read(&issued.der).unwrap();
            assert!(read.has_key(&key.version.body.as_key().unwrap().public));
            sign()
        }
    }
}

fn container_name() -> ContainerName {
    ContainerName::parse(NAME).unwrap()
}

fn resource() -> ResourceId {
    ResourceId { subscription: SUBSCRIPTION, resource_group: "rg".to_owned() }
}

/// The name in another case than it may have been created with: lookups do not mind.
fn name_of(thing: Thing) -> ObjectName {
    ObjectName::parse(thing.name()).unwrap()
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
            Refusal::Certificate(CertificateRefusal::Managed { .. }) => Outcome::Managed,
            Refusal::Certificate(
                CertificateRefusal::NameHeld { .. } | CertificateRefusal::NameHeldByDeleted { .. },
            ) => Outcome::NameHeldByOther,
            Refusal::Certificate(CertificateRefusal::InProgress) => Outcome::Pending,
            Refusal::Certificate(CertificateRefusal::NoVersion) => Outcome::NoVersion,
            Refusal::Certificate(
                CertificateRefusal::PendingNotFound
                | CertificateRefusal::NotInProgress { .. }
                | CertificateRefusal::IssuerDriven,
            ) => Outcome::NothingPending,
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

/// The kinds of object that a kind of container has.
fn kinds_in(kind: ContainerKind) -> &'static [ObjectKind] {
    match kind {
        ContainerKind::Vault => ObjectKind::ALL,
        ContainerKind::ManagedHsm => &[ObjectKind::Key],
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
        for kind in kinds_in(kind) {
            for deleted in [false, true] {
                let found = rig.listed(*kind, deleted);
                let found = found.as_ref().map(|names| names.iter().map(String::as_str).collect::<Vec<_>>());
                prop_assert_eq!(found, model.listed(*kind, deleted), "{}s after step {} of {:?}", kind, step, ops);
            }
        }
        if let (Op::Versions(thing), Outcome::Done) = (*op, found) {
            let (found, made) = (rig.versions(thing.kind, &name_of(thing)).len(), model.versions(thing));
            let may_be_more = model.is_of_certificate(thing);
            prop_assert!(found == made || may_be_more && found > made, "{} versions, not {}: {:?}", found, made, ops);
        }
        rig.check_trios();
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_vault_keeps_the_promise(settings in settings(), ops in ops(kinds_in(ContainerKind::Vault), 90)) {
        agree(ContainerKind::Vault, settings, &ops)?;
    }

    #[test]
    fn a_managed_hsm_keeps_the_promise(settings in settings(), ops in ops(kinds_in(ContainerKind::ManagedHsm), 60)) {
        agree(ContainerKind::ManagedHsm, settings, &ops)?;
    }
}
