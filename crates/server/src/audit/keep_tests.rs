//! A log that is kept by a server: signed, followed outside, handed on, and dropped in time.

use super::*;
use custody::{RootKey, SoftwareProvider, SystemEntropy};
use domain::Secret;
use engine::{EngineParts, MovableClock, SystemClock};
use serde_json::Value;
use store::{Store, sqlite::SqliteStore};
use tempfile::TempDir;

const DAY: i64 = 86_400;

struct Rig {
    folder: TempDir,
    clock: Arc<MovableClock<SystemClock>>,
    root: Secret,
}

impl Rig {
    fn new() -> Self {
        let (_, root) = RootKey::new_key_file(&SystemEntropy).unwrap();
        let clock = Arc::new(MovableClock::new(SystemClock, 0));
        Self { folder: TempDir::new().unwrap(), clock, root }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A server's engine on a database in the folder.
    fn door(&self, database: &str) -> Door {
        let parts = EngineParts {
            store: Arc::new(SqliteStore::open(&self.path(database)).unwrap()),
            provider: Box::new(SoftwareProvider),
            root: RootKey::from_key_file(self.root.expose()).unwrap(),
            clock: Arc::clone(&self.clock) as _,
            entropy: Arc::new(SystemEntropy),
            hsm_defaults: crate::serve::HSM_DEFAULTS,
        };
        Door::new(Arc::new(Engine::start(parts).unwrap()), 1)
    }

    /// Appends records beside the engine.
    fn append(&self, database: &str, count: usize) {
        let store: &dyn Store = &SqliteStore::open(&self.path(database)).unwrap();
        let time = self.clock_now();
        for _ in 0..count {
            let leaf = format!("{{\"time\":\"{time}\",\"operationName\":\"KeyGet\"}}");
            store.transact("test", |tx| tx.append_audit(&leaf)).unwrap();
        }
    }

    fn clock_now(&self) -> domain::UnixTime {
        engine::Clock::now(&*self.clock)
    }
}

fn lines(path: &Path) -> Vec<u64> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["position"].as_u64().unwrap()).collect()
}

fn positions(door: &Door) -> Vec<u64> {
    door.engine().audit_log(0, usize::MAX).unwrap().iter().map(|(position, _)| *position).collect()
}

#[test]
fn the_file_outside_follows_the_newest_checkpoint() {
    let rig = Rig::new();
    let door = rig.door("db");
    let keeper = Keeper::new(&door, Keeping::in_folder(rig.folder.path()));
    assert!(!rig.path(CHECKPOINT_FILE).exists(), "nothing is signed yet");
    for _ in 0..3 {
        rig.append("db", 2);
        keeper.signing()(door.engine()).unwrap();
        let newest = door.engine().last_audit_checkpoint().unwrap().unwrap();
        assert_eq!(fs::read_to_string(rig.path(CHECKPOINT_FILE)).unwrap(), newest.note);
    }
    rig.append("db", 1);
    let again = rig.door("db");
    drop(Keeper::new(&again, Keeping::in_folder(rig.folder.path())));
    let newest = again.engine().last_audit_checkpoint().unwrap().unwrap();
    assert_eq!(newest.size, 7, "the next process signs the rest before it answers anybody");
    assert_eq!(fs::read_to_string(rig.path(CHECKPOINT_FILE)).unwrap(), newest.note);
}

#[test]
fn a_file_that_speaks_against_the_database_is_left_as_it_is() {
    let rig = Rig::new();
    let door = rig.door("db");
    rig.append("db", 2);
    drop(Keeper::new(&door, Keeping::in_folder(rig.folder.path())));
    let early = rig.path("early");
    SqliteStore::open(&rig.path("db")).unwrap().copy_to(&early).unwrap();
    rig.append("db", 2);
    drop(Keeper::new(&door, Keeping::in_folder(rig.folder.path())));
    let good = fs::read(rig.path(CHECKPOINT_FILE)).unwrap();
    for evidence in [good.as_slice(), b"not a checkpoint", b"\xff"] {
        fs::write(rig.path(CHECKPOINT_FILE), evidence).unwrap();
        let restored = rig.door("early");
        let keeper = Keeper::new(&restored, Keeping::in_folder(rig.folder.path()));
        rig.append("early", 5);
        keeper.signing()(restored.engine()).unwrap();
        assert_eq!(fs::read(rig.path(CHECKPOINT_FILE)).unwrap(), evidence);
    }
}

#[test]
fn records_are_handed_on_in_order_once_and_after_a_crash_again() {
    let rig = Rig::new();
    let file = rig.path("audit.jsonl");
    let keeping = || Keeping { export_file: Some(file.clone()), ..Keeping::in_folder(rig.folder.path()) };
    let door = rig.door("db");
    let keeper = Keeper::new(&door, keeping());
    rig.append("db", 1_200);
    keeper.delivering()(door.engine()).unwrap();
    keeper.delivering()(door.engine()).unwrap();
    assert!(lines(&file).into_iter().eq(1..=1_200));
    rig.append("db", 3);
    let again = Keeper::new(&door, keeping());
    again.delivering()(door.engine()).unwrap();
    assert!(lines(&file).into_iter().eq(1..=1_203), "another process goes on where this one ended");
    // The lines were written, and then the machine stopped.
    door.engine().put_system_record("audit-exported-file", &1_201_u64.to_be_bytes()).unwrap();
    again.delivering()(door.engine()).unwrap();
    assert!(lines(&file).into_iter().eq((1..=1_203).chain(1_202..=1_203)));
    // Somebody rotates the file.
    fs::rename(&file, rig.path("audit.jsonl.1")).unwrap();
    rig.append("db", 1);
    again.delivering()(door.engine()).unwrap();
    assert_eq!(lines(&file), [1_204]);
}

#[test]
fn what_could_not_be_handed_on_is_not_dropped() {
    let rig = Rig::new();
    let folder = rig.path("logs");
    let socket = rig.path("syslog");
    let syslog = std::os::unix::net::UnixDatagram::bind(&socket).unwrap();
    let keeping = Keeping {
        retention_days: Some(30),
        export_file: Some(folder.join("audit.jsonl")),
        syslog: Some(Syslog::Unix(socket)),
        ..Keeping::in_folder(rig.folder.path())
    };
    let door = rig.door("db");
    let keeper = Keeper::new(&door, keeping);
    rig.append("db", 3);
    rig.clock.advance(31 * DAY);
    rig.append("db", 2);
    keeper.signing()(door.engine()).unwrap();
    keeper.delivering()(door.engine()).unwrap();
    let mut buffer = [0; 2_000];
    for position in 1..=5 {
        let length = syslog.recv(&mut buffer).unwrap();
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        assert!(text.contains(&format!("{{\"position\":{position},")), "a target that fails keeps no other: {text}");
    }
    keeper.pruning()(door.engine()).unwrap();
    assert_eq!(positions(&door), [1, 2, 3, 4, 5]);
    fs::create_dir(&folder).unwrap();
    keeper.delivering()(door.engine()).unwrap();
    keeper.pruning()(door.engine()).unwrap();
    assert_eq!(positions(&door), [4, 5, 6], "and the record that says so");
    keeper.signing()(door.engine()).unwrap();
    keeper.delivering()(door.engine()).unwrap();
    assert_eq!(lines(&folder.join("audit.jsonl")), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn without_retention_nothing_is_dropped() {
    let rig = Rig::new();
    let door = rig.door("db");
    let keeper = Keeper::new(&door, Keeping::in_folder(rig.folder.path()));
    rig.append("db", 3);
    rig.clock.advance(5_000 * DAY);
    rig.append("db", 1);
    keeper.signing()(door.engine()).unwrap();
    keeper.pruning()(door.engine()).unwrap();
    assert_eq!(positions(&door), [1, 2, 3, 4]);
}

#[test]
fn a_server_that_runs_signs_hands_on_and_ends_with_nothing_left() {
    let rig = Rig::new();
    let file = rig.path("audit.jsonl");
    let keeping = Keeping { export_file: Some(file.clone()), ..Keeping::in_folder(rig.folder.path()) };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let door = rig.door("db");
    runtime.block_on(async {
        let loops = crate::wiring::Loops::start(&door, keeping);
        rig.append("db", 4);
        loops.end().await;
    });
    assert_eq!(door.engine().last_audit_checkpoint().unwrap().unwrap().size, 4);
    assert_eq!(lines(&file), [1, 2, 3, 4]);
}
