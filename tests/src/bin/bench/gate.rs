//! What a signature costs beside the signing, in one process and in turns with the bare key: the gate (rights, state, the
//! opened key), and the log (the audit record and its count, with their share of the flush and of the notary's work).

use crate::{
    Failure, median,
    process::thread_nanoseconds,
    rig::{self, caller},
};
use custody::{KeyHandle, Provider as _, SoftwareProvider, SystemEntropy};
use domain::{ContainerKind, Curve, Event, KeySpec, ObjectName, Operation, SignatureAlgorithm, Tags, access::Caller};
use engine::{Asker, CreateKey, Ending, Engine, NewAttributes, OpenContainer, Subject, Told};
use std::hint::black_box;

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
    let engine = rig::engine(folder.path())?;
    let caller = caller();
    let hsm = rig::open(&engine, ContainerKind::ManagedHsm)?;
    let name = ObjectName::parse("key").ok_or("a name")?;
    let key =
        CreateKey { spec: SPEC, hsm: true, key_ops: None, attributes: NewAttributes::default(), tags: Tags::new() };
    engine.create_key(&caller, &hsm, &name, &key)?;
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
