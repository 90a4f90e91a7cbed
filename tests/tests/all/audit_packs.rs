//! Records that lie packed together are verified one by one, like those that lie alone.

use crate::audit_tampering::{self, settle};
use domain::ContainerKind;
use e2e::{containers::Container, process::Server, random::Random};
use rusqlite::Connection;
use std::{
    fs,
    path::{Path, PathBuf},
};
use store::{Fault, Store, sqlite::SqliteStore};
use tempfile::TempDir;

/// Reads to be made, at most, until some have become durable together.
const READS: usize = 100_000;
/// A state without a journal, as far as the log needs it.
const FILES: [&str; 2] = ["strongroom.db", "audit.checkpoint"];
/// Of the records in one row.
const PACKED: &str = "SELECT position - count + 1, position FROM audit WHERE count > 4 ORDER BY count DESC";

/// The log of a server that has ended, and one of its packs.
struct Scene {
    folder: TempDir,
    first: u64,
    last: u64,
}

fn database(folder: &Path) -> PathBuf {
    folder.join("strongroom.db")
}

fn records(folder: &Path) -> Result<Vec<(u64, String)>, Fault> {
    let store = SqliteStore::open(&database(folder))?;
    let store: &dyn Store = &store;
    store.query(|read| read.audit(0, usize::MAX))
}

fn verify(folder: &Path) -> (i32, Vec<String>) {
    let (code, findings, _) = audit_tampering::verify(folder, &[]);
    (code, findings)
}

impl Scene {
    fn new() -> Self {
        let mut server = Server::kept();
        let vault = Container::made(server.client(), ContainerKind::Vault, "packed");
        vault.data().create_key("read");
        let open = || Connection::open(server.database()).unwrap();
        let is_packed = |connection: &Connection| connection.prepare(PACKED).unwrap().exists([]).unwrap();
        let mut reads = (0..READS).map(|_| assert!(vault.data().call("GET", "/keys/read", None).is_success()));
        assert!(reads.any(|()| is_packed(&open())), "a flush writes more than one record");
        drop(reads);
        settle(&mut server);
        let folder = TempDir::new().unwrap();
        for name in FILES {
            fs::copy(server.state_folder().join(name), folder.path().join(name)).unwrap();
        }
        let connection = Connection::open(database(folder.path())).unwrap();
        let whole = |number: i64| u64::try_from(number).unwrap();
        let (first, last) =
            connection.query_row(PACKED, [], |row| Ok((whole(row.get(0)?), whole(row.get(1)?)))).unwrap();
        Self { folder, first, last }
    }

    fn tampered(&self, change: impl FnOnce(&Connection)) -> TempDir {
        let copy = TempDir::new().unwrap();
        for name in FILES {
            fs::copy(self.folder.path().join(name), copy.path().join(name)).unwrap();
        }
        change(&Connection::open(database(copy.path())).unwrap());
        copy
    }

    #[track_caller]
    fn assert_found(&self, change: impl FnOnce(&Connection), expected: &str) {
        let copy = self.tampered(change);
        assert_eq!(verify(copy.path()), (1, vec![expected.to_owned()]));
    }

    /// The pack again, with something done to the records in it.
    fn repacked(&self, change: impl FnOnce(&mut Vec<String>)) -> Vec<u8> {
        let all = records(self.folder.path()).unwrap();
        let mut leaves: Vec<_> =
            all.into_iter().filter(|(at, _)| (self.first..=self.last).contains(at)).map(|(_, leaf)| leaf).collect();
        change(&mut leaves);
        let place = TempDir::new().unwrap();
        let store = SqliteStore::open(&database(place.path())).unwrap();
        let leaves: Vec<_> = leaves.iter().map(String::as_str).collect();
        (&store as &dyn Store).transact("test", |tx| tx.append_audit_all(&leaves)).unwrap();
        drop(store);
        let connection = Connection::open(database(place.path())).unwrap();
        connection.query_row("SELECT pack FROM audit", [], |row| row.get(0)).unwrap()
    }
}

#[test]
fn each_tampering_with_a_pack_is_found_and_named() {
    let scene = Scene::new();
    let (first, last) = (scene.first, scene.last);
    assert_eq!(verify(scene.folder.path()), (0, Vec::new()));
    let run = |sql: &str| {
        let sql = format!("{sql} WHERE position = {last}");
        move |connection: &Connection| connection.execute_batch(&sql).unwrap()
    };
    let replace = |pack: Vec<u8>, count: u64| {
        move |connection: &Connection| {
            let sql = "UPDATE audit SET pack = ?1, count = ?2 WHERE position = ?3";
            let whole = |number: u64| i64::try_from(number).unwrap();
            assert_eq!(connection.execute(sql, (pack, whole(count), whole(last))).unwrap(), 1);
        }
    };
    let count = last - first + 1;
    scene.assert_found(run("DELETE FROM audit"), &format!("records {first} to {last} are missing"));
    for damage in ["pack = x'0000000000'", "pack = NULL", "count = count - 1", "count = 1"] {
        let tamper = run(&format!("UPDATE audit SET {damage}"));
        scene.assert_found(tamper, &format!("records {first} to {last} can't be read"));
    }
    scene.assert_found(
        replace(scene.repacked(|leaves| leaves[2] = leaves[2].replace("Success", "Succesz")), count),
        &format!("record {} was changed", first + 2),
    );
    scene.assert_found(
        replace(scene.repacked(|leaves| leaves.swap(1, 2)), count),
        &format!("records {} and {} were swapped", first + 1, first + 2),
    );
    // The first of them is not told of any more.
    scene.assert_found(
        replace(scene.repacked(|leaves| drop(leaves.remove(0))), count - 1),
        &format!("record {first} is missing"),
    );
}

#[test]
fn a_damaged_pack_reads_as_it_was_or_is_found() {
    let scene = Scene::new();
    let before = records(scene.folder.path()).unwrap();
    let mut random = Random::new(11);
    let mut found = 0;
    for _ in 0..40 {
        let copy = scene.tampered(|connection| {
            let place = format!("FROM audit WHERE position = {}", scene.last);
            let mut pack: Vec<u8> =
                connection.query_row(&format!("SELECT pack {place}"), [], |row| row.get(0)).unwrap();
            let at = usize::try_from(random.below(pack.len() as u64)).unwrap();
            pack[at] ^= 1 << random.below(8);
            let update = format!("UPDATE audit SET pack = ?1 WHERE position = {}", scene.last);
            connection.execute(&update, [pack]).unwrap();
        });
        let (code, findings) = verify(copy.path());
        // What is packed can be written down in more ways than one; the records are what was signed.
        let is_as_it_was = records(copy.path()).is_ok_and(|after| after == before);
        assert_eq!((code, findings.is_empty()), if is_as_it_was { (0, true) } else { (1, false) }, "{findings:?}");
        found += usize::from(!is_as_it_was);
    }
    assert!(found > 20, "{found}");
}
