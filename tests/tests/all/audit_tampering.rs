//! What is done to an audit log behind its server's back is found, and named, by the program that verifies it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use custody::{SystemEntropy, merkle, note::NoteSigner};
use domain::ContainerKind;
use e2e::{
    containers::Container,
    process::{Server, program},
    random::Random,
};
use rusqlite::Connection;
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};
use tempfile::TempDir;

const VAULT: &str = "audited";

/// The state of a server that has ended, and what is in its log.
struct Scene {
    server: Server,
    /// The newest checkpoint's size; everything is signed.
    last: u64,
    /// All checkpoints' sizes.
    sizes: Vec<u64>,
}

fn purge_a_key(vault: &Container, name: &str) {
    let data = vault.data();
    data.create_key(name);
    assert!(data.call("DELETE", &format!("/keys/{name}"), None).is_success());
    assert_eq!(data.call("DELETE", &format!("/deletedkeys/{name}"), None).status, 204);
}

/// Ends the server and starts it once more, so that everything is signed and the file outside has followed. Leaves no
/// journal behind.
pub(crate) fn settle(server: &mut Server) {
    server.restart();
    server.kill_9();
    drop(Connection::open(server.database()).unwrap().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)"));
}

fn run(arguments: &[&str]) -> Output {
    program().arg("audit").args(arguments).output().unwrap()
}

/// What `verify` says of a state folder: its exit code and findings.
pub(crate) fn verify(folder: &Path, more: &[&str]) -> (i32, Vec<String>, Value) {
    let folder = folder.to_str().unwrap();
    let output = run(&[&["verify", "--dir", folder, "--output", "json"], more].concat());
    let said: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let findings = said["findings"].as_array().unwrap().iter().map(|each| each.as_str().unwrap().to_owned());
    (output.status.code().unwrap(), findings.collect(), said)
}

fn key(folder: &Path) -> String {
    String::from_utf8(run(&["key", "--dir", folder.to_str().unwrap()]).stdout).unwrap().trim_end().to_owned()
}

impl Scene {
    fn new() -> Self {
        let mut server = Server::kept();
        let vault = Container::made(server.client(), ContainerKind::Vault, VAULT);
        for number in 0..8 {
            purge_a_key(&vault, &format!("purged{number}"));
            vault.data().create_key(&format!("kept{number}"));
        }
        settle(&mut server);
        let database = Connection::open(server.database()).unwrap();
        let numbers = |sql: &str| -> Vec<u64> {
            let mut statement = database.prepare(sql).unwrap();
            let rows = statement.query_map([], |row| row.get::<_, i64>(0)).unwrap();
            rows.map(|number| u64::try_from(number.unwrap()).unwrap()).collect()
        };
        let sizes = numbers("SELECT size FROM audit_checkpoints ORDER BY size");
        let last = numbers("SELECT max(position) FROM audit")[0];
        assert_eq!(sizes.last(), Some(&last), "everything is signed");
        assert!(last > 30 && sizes.len() > 8, "{last} {sizes:?}");
        drop(database);
        Self { server, last, sizes }
    }

    fn copied(&self) -> TempDir {
        let copy = TempDir::new().unwrap();
        for name in ["strongroom.db", "audit.checkpoint"] {
            fs::copy(self.server.state_folder().join(name), copy.path().join(name)).unwrap();
        }
        copy
    }

    /// The sizes of the checkpoints around a position: the last before it, and the first that covers it.
    fn around(&self, position: u64) -> (u64, u64) {
        let before = self.sizes.iter().copied().filter(|size| *size < position).max().unwrap_or(0);
        (before, self.sizes.iter().copied().find(|size| *size >= position).unwrap())
    }

    #[track_caller]
    fn assert_found(&self, tamper: &str, expected: &[String]) {
        let copy = self.copied();
        Connection::open(copy.path().join("strongroom.db")).unwrap().execute_batch(tamper).unwrap();
        let (code, findings, _) = verify(copy.path(), &[]);
        assert_eq!(findings, expected, "{tamper}");
        assert_eq!(code, 1);
    }
}

#[test]
fn each_tampering_is_found_and_named() {
    let scene = Scene::new();
    let last = scene.last;
    let (code, findings, said) = verify(&scene.server.state_folder(), &[]);
    assert_eq!((code, findings), (0, Vec::new()), "{said}");

    let found = |tamper: &str, expected: &str| scene.assert_found(tamper, &[expected.to_owned()]);
    found("UPDATE audit SET record = replace(record, 'Success', 'Succesz') WHERE position = 7", "record 7 was changed");
    found(
        "UPDATE audit SET record = CAST(CAST(substr(record, 1, 20) AS BLOB) || x'ff' AS TEXT) WHERE position = 7",
        "record 7 can't be read",
    );
    found("UPDATE audit SET record = record || ' ' WHERE position BETWEEN 7 AND 9", "records 7 to 9 were changed");
    found("DELETE FROM audit WHERE position = 8", "record 8 is missing");
    found("DELETE FROM audit WHERE position BETWEEN 8 AND 10", "records 8 to 10 are missing");
    found(
        "UPDATE audit SET position = -1 WHERE position = 9;
         UPDATE audit SET position = 9 WHERE position = 10; UPDATE audit SET position = 10 WHERE position = -1",
        "records 9 and 10 were swapped",
    );
    found(
        "DELETE FROM audit WHERE position > 12",
        &format!("the tail from 13 on is missing: a checkpoint is signed for {last}"),
    );
    found(
        "DELETE FROM audit WHERE position < 4",
        "records 1 to 3 are missing, and no signed record says that the service dropped them",
    );
    scene.assert_found(
        "UPDATE audit SET position = position + 1000000000000 WHERE position = (SELECT max(position) FROM audit)",
        &[
            format!("record {last} is missing"),
            format!("records {} to {} are missing", last + 1, last + 999_999_999_999),
        ],
    );
    found("DELETE FROM audit_tiles", "hash tile 0/0 is missing or was changed");
    scene.assert_found(
        "DELETE FROM audit WHERE position = 8; UPDATE audit SET position = position - 1 WHERE position > 8",
        &[
            format!("records 8 to {} were moved there from the place of records 9 to {last}", last - 1),
            format!("the tail from {last} on is missing: a checkpoint is signed for {last}"),
        ],
    );
    let checkpoint = scene.sizes[3];
    for edit in ["replace(note, 'strongroom', 'strongr00m')", "substr(note, 1, 60)", "upper(note)"] {
        let copy = scene.copied();
        let database = Connection::open(copy.path().join("strongroom.db")).unwrap();
        let tamper = format!("UPDATE audit_checkpoints SET note = {edit} WHERE size = {checkpoint}");
        database.execute_batch(&tamper).unwrap();
        let (code, findings, _) = verify(copy.path(), &[]);
        assert!(findings[0].starts_with(&format!("the checkpoint of size {checkpoint} is wrong: ")), "{findings:?}");
        assert_eq!((code, findings.len()), (1, 1), "{edit}");
    }
    found(
        &format!("UPDATE audit_checkpoints SET size = {last} + 1000 WHERE size = {last}"),
        &format!("the checkpoint of size {} is wrong: it speaks of {last} records", last + 1_000),
    );
}

#[test]
fn forged_hashes_and_signatures_are_found() {
    let scene = Scene::new();
    let tile_with = |index: usize, hash: &[u8; 32]| {
        let database = Connection::open(scene.server.database()).unwrap();
        let sql = "SELECT hashes FROM audit_tiles WHERE level = 0 AND number = 0";
        let mut tile: Vec<u8> = database.query_row(sql, [], |row| row.get(0)).unwrap();
        tile[32 * index..][..32].copy_from_slice(hash);
        hex::encode(tile)
    };
    // A hash alone.
    let tile = tile_with(6, &[7; 32]);
    let set_tile = |tile: &str| format!("UPDATE audit_tiles SET hashes = x'{tile}' WHERE level = 0 AND number = 0;");
    scene.assert_found(
        &set_tile(&tile),
        &["the stored hash of record 7 was changed; the record itself is as signed".to_owned()],
    );
    // A record, and its hash with it.
    let forged = "{\"forged\":true}";
    let tile = tile_with(6, &merkle::leaf_hash(forged.as_bytes()));
    let change = format!("UPDATE audit SET record = '{forged}' WHERE position = 7;");
    let (before, covers) = scene.around(7);
    let expected = if before + 1 == covers {
        format!("record {covers} is not the one that was signed; its hash, where one is stored, was changed with it")
    } else {
        format!(
            "among the records {} to {covers} one or more are not those that were signed; their hashes, where stored, \
             were changed with them",
            before + 1
        )
    };
    scene.assert_found(&format!("{change}{}", set_tile(&tile)), &[expected]);
    // A checkpoint that fits, signed by somebody else.
    let own = key(&scene.server.state_folder());
    let name = own.split('+').next().unwrap();
    let (forger, _) = NoteSigner::generate(name, &SystemEntropy).unwrap();
    let size = scene.sizes[2];
    let note = forger.sign(&format!("{name}\n{size}\n{}\n", STANDARD.encode([7; 32])));
    scene.assert_found(
        &format!("UPDATE audit_checkpoints SET note = '{note}' WHERE size = {size}"),
        &[format!("the checkpoint of size {size} is wrong: it is not signed by this key")],
    );
    let copy = scene.copied();
    let (code, findings, _) = verify(copy.path(), &["--key", &forger.verifier().to_string()]);
    assert_eq!(code, 1);
    assert!(
        findings.contains(&"the log names another key than the one it is verified with".to_owned()),
        "{findings:?}"
    );
}

#[test]
fn what_was_taken_back_is_found_by_the_checkpoint_outside() {
    let mut scene = Scene::new();
    let file = scene.server.state_folder().join("audit.checkpoint");
    let early = scene.copied();
    let kept = scene.server.folder().join("kept.txt");
    fs::copy(&file, &kept).unwrap();
    scene.server.restart();
    let vault = Container::new(scene.server.client(), ContainerKind::Vault, VAULT);
    purge_a_key(&vault, "later");
    settle(&mut scene.server);
    let (_, _, said) = verify(&scene.server.state_folder(), &["--checkpoint", kept.to_str().unwrap()]);
    assert_eq!((&said["findings"], said["compared"].as_array().unwrap().len()), (&json!([]), 2));
    let signed = said["signed"].as_u64().unwrap();

    // The tail is cut, with its checkpoints and hashes.
    let cut = scene.sizes[scene.sizes.len() - 2];
    let copy = scene.copied();
    let database = Connection::open(copy.path().join("strongroom.db")).unwrap();
    let tamper = format!(
        "DELETE FROM audit WHERE position > {cut}; DELETE FROM audit_checkpoints WHERE size > {cut};
         UPDATE audit_tiles SET hashes = substr(hashes, 1, 32 * {cut})"
    );
    database.execute_batch(&tamper).unwrap();
    drop(database);
    let older = |folder: &Path, has: u64| {
        let place = folder.join("audit.checkpoint");
        let place = place.display();
        format!(
            "the log is older than the checkpoint in {place}: that is signed for {signed} records, and there are {has}"
        )
    };
    assert_eq!(verify(copy.path(), &[]).1, [older(copy.path(), cut)]);

    // An older copy comes back.
    let state = scene.server.state_folder();
    fs::copy(early.path().join("strongroom.db"), scene.server.database()).unwrap();
    assert_eq!(verify(&state, &[]).1, [older(&state, scene.last)]);

    // The server says so, starts all the same, and keeps the evidence.
    let evidence = fs::read(&file).unwrap();
    assert!(!scene.server.complaints().contains("checkpoint outside"));
    scene.server.restart();
    assert!(scene.server.complaints().contains("does not go together with its checkpoint outside"));
    let vault = Container::new(scene.server.client(), ContainerKind::Vault, VAULT);
    for number in 0..3 {
        purge_a_key(&vault, &format!("again{number}"));
    }
    settle(&mut scene.server);
    assert_eq!(fs::read(&file).unwrap(), evidence);
    let (code, findings, _) = verify(&state, &[]);
    assert_eq!(code, 1);
    let parted = format!(
        "the log is not the one that the checkpoint in {} was signed for: its first {signed} records are others",
        file.display()
    );
    assert_eq!(findings, [parted]);

    // Moved away, as an operator does who has restored it on purpose.
    fs::remove_file(&file).unwrap();
    let (code, findings, _) = verify(&state, &[]);
    assert_eq!((code, findings[0].contains("is missing")), (1, true), "{findings:?}");
    scene.server.restart();
    scene.server.kill_9();
    assert_eq!(verify(&state, &[]).1, [""; 0]);
}

#[test]
fn a_killed_server_loses_no_record_and_the_next_one_signs_the_rest() {
    let mut server = Server::kept();
    let mut vault = Container::made(server.client(), ContainerKind::Vault, VAULT);
    let mut seen = 0;
    for round in 0..6 {
        for number in 0..3 {
            // These are answered before they are signed.
            vault.data().create_key(&format!("k{round}{number}"));
        }
        server.kill_9();
        let (code, findings, said) = verify(&server.state_folder(), &[]);
        assert_eq!((code, findings), (0, Vec::new()), "{said}");
        let created = run(&["list", "--dir", server.state_folder().to_str().unwrap(), "--operation", "KeyCreate"]);
        assert_eq!(String::from_utf8(created.stdout).unwrap().lines().count(), 3 * (round + 1));
        server.restart();
        let (code, _, said) = verify(&server.state_folder(), &[]);
        assert_eq!((code, &said["unsigned"]), (0, &json!(0)), "{said}");
        let signed = said["signed"].as_u64().unwrap();
        assert!(signed >= seen + 3);
        seen = signed;
        vault = vault.through(server.client());
    }
}

fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), fs::read(&path).unwrap())).collect()
}

#[test]
fn looking_at_a_log_leaves_no_trace() {
    let mut scene = Scene::new();
    let state = scene.server.state_folder();
    let folder = state.to_str().unwrap();
    let export = scene.server.folder().join("export.jsonl");
    let look = |round: usize| {
        let export = export.with_extension(round.to_string());
        for arguments in [
            &["list", "--dir", folder][..],
            &["tail", "--dir", folder, "--output", "table"],
            &["verify", "--dir", folder],
            &["prove", "--dir", folder, "--position", "3"],
            &["prove", "--dir", folder, "--from", "1"],
            &["export", "--dir", folder, "--out", export.to_str().unwrap()],
            &["key", "--dir", folder],
        ] {
            let output = run(arguments);
            assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
            assert!(!output.stdout.is_empty() || arguments[0] == "export");
        }
        let checked = run(&["verify", "--export", export.to_str().unwrap(), "--key", &key(&state)]);
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
    };
    // After a crash: the journal is still there.
    scene.server.restart();
    scene.server.kill_9();
    let before = contents(&state);
    assert!(before.iter().any(|(path, _)| path.to_str().unwrap().ends_with("-wal")));
    look(0);
    assert_eq!(contents(&state), before);
    // Without the journal's index, as a careless copy is.
    let copy = TempDir::new().unwrap();
    for name in ["strongroom.db", "strongroom.db-wal", "audit.checkpoint"] {
        fs::copy(state.join(name), copy.path().join(name)).unwrap();
    }
    let before = contents(copy.path());
    assert_eq!(verify(copy.path(), &[]).1, [""; 0]);
    assert_eq!(contents(copy.path()), before);
    // Beside a server.
    scene.server.restart();
    let before: Vec<PathBuf> = contents(&state).into_iter().map(|(path, _)| path).collect();
    look(1);
    assert_eq!(contents(&state).into_iter().map(|(path, _)| path).collect::<Vec<_>>(), before);
    assert!(scene.server.is_running());
}

#[test]
fn a_command_that_cannot_be_carried_out_says_so_with_its_own_exit_code() {
    let folder = TempDir::new().unwrap();
    let place = folder.path().to_str().unwrap();
    for arguments in [
        &["verify", "--dir", place][..],
        &["list", "--dir", place],
        &["prove", "--dir", place, "--position", "1"],
        &["prove", "--dir", place],
        &["verify", "--dir", place, "--key", "nonsense"],
        &["verify", "--export", "missing"],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty());
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// Something that has been signed, with one byte of it to be changed.
#[derive(Clone, Copy, Debug)]
enum Signed {
    Record,
    Hash,
    Note,
}

#[test]
fn a_change_of_any_signed_byte_is_found() {
    let scene = Scene::new();
    let mut random = Random::new(7);
    for _ in 0..60 {
        let signed = [Signed::Record, Signed::Hash, Signed::Note][usize::try_from(random.below(3)).unwrap()];
        let (table, column, row) = match signed {
            Signed::Record => ("audit", "record", 1 + random.below(scene.last)),
            Signed::Hash => ("audit_tiles", "hashes", 1),
            Signed::Note => (
                "audit_checkpoints",
                "note",
                scene.sizes[usize::try_from(random.below(scene.sizes.len() as u64)).unwrap()],
            ),
        };
        let copy = scene.copied();
        let path = copy.path().join("strongroom.db");
        let database = Connection::open(&path).unwrap();
        let select = format!("SELECT CAST({column} AS BLOB) FROM {table} WHERE rowid = {row}");
        let mut bytes: Vec<u8> = database.query_row(&select, [], |row| row.get(0)).unwrap();
        let at = usize::try_from(random.below(bytes.len() as u64)).unwrap();
        let bit = random.below(8);
        bytes[at] ^= 1 << bit;
        let kind = if matches!(signed, Signed::Hash) { "BLOB" } else { "TEXT" };
        let update = format!("UPDATE {table} SET {column} = CAST(?1 AS {kind}) WHERE rowid = {row}");
        database.execute(&update, [&bytes]).unwrap();
        drop(database);
        let (code, findings, _) = verify(copy.path(), &[]);
        assert!(code == 1 && !findings.is_empty(), "{signed:?} row {row}, byte {at}, bit {bit}");
    }
}
