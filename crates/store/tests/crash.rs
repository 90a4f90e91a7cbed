//! What was acknowledged survives: a kill in the middle of writing, and a disk that takes no more.
#![cfg(feature = "conformance")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, wherever in it")]

use std::{
    collections::BTreeSet,
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};
use store::{
    Store,
    conformance::fixtures::{audit, read, write},
    sqlite::SqliteStore,
};

const PATH: &str = "STRONGROOM_TEST_STORE";
const FIRST: &str = "STRONGROOM_TEST_FIRST";
const THREADS: u64 = 4;

/// One transaction with two halves.
fn put(tx: &mut dyn store::Tx, number: u64, length: usize) -> Result<(), store::Fault> {
    tx.put_system_record(&number.to_string(), &vec![1; length])?;
    tx.append_audit(&audit(number)).map(drop)
}

fn acknowledge(number: u64) {
    // Past the test harness, which keeps what `print!` writes.
    std::io::stdout().lock().write_all(format!("ack {number}\n").as_bytes()).unwrap();
}

fn acknowledged(line: &str) -> Option<u64> {
    line.strip_prefix("ack ")?.parse().ok()
}

/// Not a test by itself: the process that is killed.
#[test]
fn writes_until_it_is_killed() {
    let Ok(path) = env::var(PATH) else { return };
    let Ok(first) = env::var(FIRST) else { return };
    let first: u64 = first.parse().unwrap();
    let store = SqliteStore::open(Path::new(&path)).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let store = &store;
            scope.spawn(move || {
                for number in (first + thread..).step_by(usize::try_from(THREADS).unwrap()) {
                    write(store, |tx| put(tx, number, 500));
                    acknowledge(number);
                }
            });
        }
    });
}

/// The transactions that are there, having checked that none is there by half and that the log has no gap.
fn written(store: &dyn Store) -> BTreeSet<u64> {
    let log = read(store, |tx| tx.audit(0, usize::MAX));
    assert!(log.iter().map(|(position, _)| *position).eq(1..=u64::try_from(log.len()).unwrap()));
    let number_of = |leaf: &String| leaf.strip_prefix("{\"record\":")?.strip_suffix('}')?.parse().ok();
    let numbers: BTreeSet<u64> = log.iter().map(|(_, leaf)| number_of(leaf).unwrap()).collect();
    for number in 0..numbers.last().map_or(0, |last| last + 2 * THREADS) {
        let there = read(store, |tx| tx.system_record(&number.to_string())).is_some();
        assert_eq!(there, numbers.contains(&number), "transaction {number} is there by half");
    }
    numbers
}

#[test]
fn everything_acknowledged_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let mut promised = BTreeSet::new();
    for round in 0..10 {
        let first = promised.last().map_or(0, |last| last + 100);
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "writes_until_it_is_killed"])
            .env(PATH, &path)
            .env(FIRST, first.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let enough = 1 + round * 13;
        let mut seen = 0;
        while seen < enough {
            if let Some(number) = acknowledged(&lines.next().unwrap().unwrap()) {
                promised.insert(number);
                seen += 1;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        promised.extend(lines.map_while(Result::ok).filter_map(|line| acknowledged(&line)));
        let store = SqliteStore::open(&path).unwrap();
        let written = written(&store);
        assert!(written.is_superset(&promised), "round {round}: lost {:?}", &promised - &written);
    }
}

/// Not a test by itself: the process whose files can't grow.
#[test]
fn writes_until_the_disk_takes_no_more() {
    let Ok(path) = env::var(PATH) else { return };
    if env::var(FIRST).is_ok() {
        return;
    }
    let store = SqliteStore::open(Path::new(&path)).unwrap();
    let mut failed = 0;
    for number in 0.. {
        let dynamic: &dyn Store = &store;
        match dynamic.transact("test", |tx| put(tx, number, 20_000)) {
            Ok(()) => acknowledge(number),
            Err(_) => failed += 1,
        }
        // It can still be read, and what failed is not there.
        assert_eq!(read(&store, |tx| tx.audit(0, usize::MAX)).len(), usize::try_from(number + 1).unwrap() - failed);
        if failed == 5 {
            break;
        }
    }
    std::io::stdout().lock().write_all(b"ack 18446744073709551615\n").unwrap();
}

#[test]
fn exactly_what_was_acknowledged_is_there_after_writes_failed() {
    // The shell's unit is 512 or 1024 bytes: from a journal that can't hold one transaction to a few megabytes.
    for limit in [80, 150, 600, 2_500] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db");
        drop(SqliteStore::open(&path).unwrap());
        let script =
            format!("trap '' XFSZ; ulimit -f {limit}; exec \"$0\" --exact writes_until_the_disk_takes_no_more");
        let output = Command::new("sh")
            .args(["-c", &script])
            .arg(env::current_exe().unwrap())
            .env(PATH, &path)
            .stdout(Stdio::piped())
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let mut promised: BTreeSet<u64> = text.lines().filter_map(acknowledged).collect();
        assert!(promised.remove(&u64::MAX), "the child came to its end: {text}");
        let store = SqliteStore::open(&path).unwrap();
        assert_eq!(written(&store), promised, "limit {limit}");
    }
}
