//! A server killed in a storm of signatures: its figures lose nothing that was answered more than a second before, tell
//! nothing twice, and are those of its log.

use domain::{AuditRecord, ContainerKind, ContainerName, Operation, Outcome};
use e2e::{containers::Container, process::Server};
use serde_json::Value;
use std::{
    path::Path,
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};
use store::{Store, sqlite::SqliteStore};

const VAULT: &str = "meterstorm";
const WORKERS: usize = 4;
/// For how long a storm rages before the last second: different times, so that the kill meets every phase of whatever
/// writes in turns.
const LEADS_MILLIS: [u64; 5] = [300, 600, 1_000, 1_400, 1_800];
/// The bound that is promised: what was answered longer ago is never lost.
const BOUND: Duration = Duration::from_secs(1);

/// What clients know: how many signatures were answered in all, and how many of them a second before the end.
struct Answered {
    long_ago: u64,
    in_all: u64,
}

/// Signs as fast as it goes, and kills the server over it.
fn rage(server: &mut Server, vault: &Container, lead: Duration) -> Answered {
    let answered = AtomicU64::new(0);
    let data = vault.through(server.client()).data();
    let mut long_ago = 0;
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Ok(answer) = data.try_call("POST", "/keys/k/sign", Some(&e2e::client::es256(&[7; 32]))) {
                    assert_eq!(answer.status, 200, "{}", answer.body);
                    answered.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        // Nobody sends: this is time itself passing, which the bound is about.
        let (_open, nothing) = mpsc::channel::<()>();
        let _ = nothing.recv_timeout(lead);
        long_ago = answered.load(Ordering::SeqCst);
        let _ = nothing.recv_timeout(BOUND);
        server.kill_9();
    });
    Answered { long_ago, in_all: answered.into_inner() }
}

/// Signatures that the dead server's log tells of.
fn logged(database: &Path) -> u64 {
    let store = SqliteStore::open(database).unwrap();
    let store: &dyn Store = &store;
    let name = ContainerName::parse(VAULT).unwrap();
    let vault = store.query(|read| read.container(ContainerKind::Vault, &name)).unwrap().unwrap().container.id;
    let log = store.query(|read| read.audit(0, usize::MAX)).unwrap();
    let is_signature = |record: &AuditRecord<'_>| {
        record.operation() == Some(Operation::KeySign)
            && record.outcome == Outcome::Done
            && record.properties.container == Some(vault)
    };
    log.iter().filter(|(_, leaf)| is_signature(&AuditRecord::read(leaf).unwrap())).count() as u64
}

/// Signatures that the living server reckons, and HSM-protected key versions.
fn reckoned(server: &Server) -> (u64, u64) {
    let printed = server.printed(&["usage", "--vault-name", VAULT, "-o", "json"]);
    let lines: Vec<Value> = serde_json::from_str(&printed).unwrap();
    let quantity = |meter: &str| {
        let line = lines.iter().find(|line| line["meter"] == meter);
        line.and_then(|line| line["quantity"].as_u64()).unwrap_or_default()
    };
    (quantity("KeySign"), quantity("HSM-protected key versions"))
}

#[test]
fn a_kill_loses_the_last_second_of_hot_operations_at_most_and_tells_none_twice() {
    let mut server = Server::kept();
    let vault = Container::made(server.client(), ContainerKind::Vault, VAULT);
    let hsm_key = serde_json::json!({"kty": "EC-HSM", "crv": "P-256"});
    vault.data().call("POST", "/keys/k/create", Some(&hsm_key)).expect("k");
    let mut before = 0;
    for lead in LEADS_MILLIS.map(Duration::from_millis) {
        let Answered { long_ago, in_all } = rage(&mut server, &vault, lead);
        let logged = logged(&server.database());
        server.restart();
        let (signatures, versions) = reckoned(&server);
        assert_eq!(signatures, logged, "{lead:?}: figures and log");
        let told = signatures - before;
        assert!(long_ago > 0 && told >= long_ago, "{lead:?}: {told} of {long_ago} answered a second before");
        // Each worker may have had one under way that was done and never answered.
        let most = in_all + WORKERS as u64;
        assert!(told <= most, "{lead:?}: {told} of {in_all} answered");
        assert_eq!(versions, 1);
        before = signatures;
    }
    server.assert_no_panic();
}
