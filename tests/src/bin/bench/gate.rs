//! What a signature costs beside the signing, in one process and in turns with the bare key: the gate (rights, state, the
//! opened key), and the log (the audit record and its count, with their share of the flush and of the notary's work).

use crate::{Failure, median, process::thread_nanoseconds};
use custody::{KeyHandle, Provider as _, RootKey, SoftwareProvider, SystemEntropy};
use domain::{
    Activation, ContainerKind, ContainerName, Curve, Event, Guid, KeySpec, ObjectName, Operation, ResourceGroup,
    ResourceId, SignatureAlgorithm, Sku, Subscription, Tags,
    access::{Caller, Origin, Scope, azure_roles, hsm_roles},
    lifecycle::PolicyAmendment,
};
use engine::{
    Asker, ContainerRequest, CreateKey, CreationTerms, Ending, Engine, EngineParts, Foundation, HsmDefaults,
    HsmSettings, NewAttributes, OpenContainer, ProfileRequest, Subject, SystemClock, Told,
};
use std::{hint::black_box, path::Path, sync::Arc, time::Duration};
use store::sqlite::SqliteStore;

const WHO: Guid = Guid::from_u128(2);
const SUBSCRIPTION: Guid = Guid::from_u128(4);
const TENANT: Guid = Guid::from_u128(1);
const NAME: &str = "gate";
const ROUNDS: usize = 15;
/// Signatures in a round: as many records as a busy server flushes at once.
const A_ROUND: u32 = 4000;

/// Microseconds of CPU: the bare signature, what the gate adds to it, and what the log does.
pub struct Costs {
    pub signature: f64,
    pub gate: f64,
    pub log: f64,
}

pub fn costs() -> Result<Costs, Failure> {
    let folder = tempfile::TempDir::new()?;
    let engine = engine(folder.path())?;
    let caller = caller();
    let hsm = engine.open_container(ContainerKind::ManagedHsm, NAME)?;
    let name = ObjectName::parse("key").ok_or("a name")?;
    let made = SoftwareProvider.generate(SPEC, &SystemEntropy)?;
    let bare = SoftwareProvider.open(SPEC, &made.public, &made.material)?;
    let (mut signature, mut gate, mut log) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let alone = timed(|| sign_bare(&*bare))?;
        signature.push(alone);
        gate.push(timed(|| sign(&engine, &caller, &hsm, &name))? - alone);
        log.push(timed(|| tell(&engine, &caller, &hsm))?);
    }
    Ok(Costs { signature: median(signature), gate: median(gate), log: median(log) })
}

const SPEC: KeySpec = KeySpec::Ec { curve: Curve::P256 };

/// Microseconds of this thread's CPU for one of a round.
fn timed(round: impl FnOnce() -> Result<(), Failure>) -> Result<f64, Failure> {
    let began = thread_nanoseconds()?;
    round()?;
    Ok((thread_nanoseconds()? - began) / 1e3 / f64::from(A_ROUND))
}

fn sign_bare(key: &dyn KeyHandle) -> Result<(), Failure> {
    for _ in 0..A_ROUND {
        black_box(key.sign(SignatureAlgorithm::Es256, &[0; 32], &SystemEntropy)?);
    }
    Ok(())
}

fn sign(engine: &Engine, caller: &Caller, hsm: &OpenContainer, name: &ObjectName) -> Result<(), Failure> {
    for _ in 0..A_ROUND {
        let signed = engine.sign(caller, hsm, name, None, SignatureAlgorithm::Es256, &[0; 32])?;
        black_box(signed.value.expose());
    }
    Ok(())
}

fn tell(engine: &Engine, caller: &Caller, hsm: &OpenContainer) -> Result<(), Failure> {
    for _ in 0..A_ROUND {
        engine.tell(&Told {
            event: Event::Operation(Operation::KeySign),
            by: Asker::Caller(caller),
            subject: Subject::within(hsm, "/keys/key"),
            ending: Ending { status: 200, code: None },
        })?;
    }
    engine.flush_audit()?;
    Ok(engine.sign_audit()?)
}

fn engine(folder: &Path) -> Result<Engine, Failure> {
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
    let owner = azure_roles().iter().find(|role| role.name == "Owner").ok_or("no Owner")?;
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
        grants: vec![(WHO, owner.id, Scope::root())],
        directory_grants: Vec::new(),
    })?;
    engine.put_container(&caller(), &hsm()?)?;
    let key =
        CreateKey { spec: SPEC, hsm: true, key_ops: None, attributes: NewAttributes::default(), tags: Tags::new() };
    let open = engine.open_container(ContainerKind::ManagedHsm, NAME)?;
    engine.create_key(&caller(), &open, &ObjectName::parse("key").ok_or("a name")?, &key)?;
    Ok(engine)
}

fn hsm() -> Result<ContainerRequest, Failure> {
    Ok(ContainerRequest {
        name: ContainerName::parse(NAME).ok_or("a name")?,
        resource: ResourceId { subscription: SUBSCRIPTION, resource_group: NAME.to_owned() },
        location: "here".to_owned(),
        tenant: None,
        tags: Tags::new(),
        sku: Sku { family: "B".to_owned(), name: "Standard_B1".to_owned() },
        policy: PolicyAmendment::default(),
        creation: CreationTerms::default(),
        profile: ProfileRequest::ManagedHsm(HsmSettings {
            initial_admins: Some(vec![WHO.to_string()]),
            ..HsmSettings::default()
        }),
    })
}

fn caller() -> Caller {
    Caller {
        tenant: TENANT,
        object_id: WHO,
        app_id: Some(WHO),
        groups: Vec::new(),
        issuer: String::new(),
        address: Some([127, 0, 0, 1].into()),
        correlation_id: Guid::from_u128(7),
        origin: Arc::new(Origin {
            uri: "https://gate.managedhsm.localhost:8443/keys/key/sign".to_owned(),
            api_version: Some("7.5".to_owned()),
            client: Some("azsdk-python-keyvault-keys/4.11.3 Python/3.11.7 (Linux-6.1)".to_owned()),
            started: Duration::ZERO,
        }),
    }
}
