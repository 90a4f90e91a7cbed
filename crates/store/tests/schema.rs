//! Which files the embedded engine opens, and how it leaves them.
#![cfg(feature = "conformance")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, wherever in it")]

use domain::{
    CalendarDuration, OperationResult, Principal, PrincipalKind, RotationPolicy, RotationTrigger, UnixTime,
    access::{Realm, Scope},
    metering::Lifetime,
};
use rusqlite::Connection;
use std::{fs, os::unix::fs::PermissionsExt, path::Path};
use store::{
    Fault, LifetimeFilter, Store,
    conformance::fixtures::{
        KEY, NOW, container_id, deleted_until, guid, hsm, object, object_name, proof, read, sealed, vault, version,
        version_id, write,
    },
    sqlite::SqliteStore,
};

/// Of the newest schema.
const VERSION: i64 = 10;
/// Undo migrations, the newest first.
const WITHOUT_PACKS: &str = "ALTER TABLE audit DROP COLUMN count; ALTER TABLE audit DROP COLUMN pack;";
const WITHOUT_RESULTS_AGE: &str =
    "DROP INDEX operation_results_by_age; ALTER TABLE operation_results DROP COLUMN created;";
const WITHOUT_NOTICES: &str = "DROP TABLE deliveries; DROP TABLE event_subscriptions; DROP INDEX objects_due_notice;
     ALTER TABLE objects DROP COLUMN next_notice;";

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn number(path: &Path, pragma: &str) -> i64 {
    Connection::open(path).unwrap().query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0)).unwrap()
}

fn undo(path: &Path, migrations: &[&str]) {
    Connection::open(path).unwrap().execute_batch(&migrations.concat()).unwrap();
}

#[test]
fn a_new_store_is_its_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let store = SqliteStore::open(&path).unwrap();
    write(&store, |tx| tx.put_system_record("a", b"b"));
    store.copy_to(&folder.path().join("copy")).unwrap();
    let files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 4, "database, journal, its index, copy: {files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{file:?}");
    }
}

#[test]
fn a_store_that_others_could_read_is_closed_to_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    drop(SqliteStore::open(&path).unwrap());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    drop(SqliteStore::open(&path).unwrap());
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn opening_again_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let store = SqliteStore::open(&path).unwrap();
    write(&store, |tx| tx.put_system_record("a", b"b"));
    drop(store);
    let schema = || -> String {
        let sql = "SELECT group_concat(sql, ';') FROM sqlite_schema";
        Connection::open(&path).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let (before, version) = (schema(), number(&path, "schema_version"));
    for _ in 0..2 {
        let store = SqliteStore::open(&path).unwrap();
        assert_eq!(read(&store, |tx| tx.system_record("a")), Some(b"b".to_vec()));
    }
    assert_eq!((schema(), number(&path, "schema_version")), (before, version));
    assert_eq!(number(&path, "user_version"), VERSION);
}

#[test]
fn a_store_of_the_first_schema_gets_the_newest_and_keeps_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let old = Connection::open(&path).unwrap();
    old.execute_batch(include_str!("../migrations/0001_initial.sql")).unwrap();
    old.execute_batch(
        "PRAGMA application_id = 0x53526462; PRAGMA user_version = 1; INSERT INTO audit (record) VALUES ('a')",
    )
    .unwrap();
    drop(old);
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(read(&store, |tx| tx.audit(0, 9)), [(1, "a".to_owned())]);
    assert_eq!(read(&store, |tx| tx.locks_below(&Scope::root())), []);
    assert_eq!(read(&store, |tx| tx.audit_tile(0, 0)), None);
    assert_eq!(read(&store, |tx| tx.role_definitions(Realm::Arm)), []);
    assert_eq!(read(&store, |tx| tx.due_receivers(UnixTime(i64::MAX))), []);
    drop(store);
    assert_eq!(number(&path, "user_version"), VERSION);
}

#[test]
fn principals_of_the_first_schema_sign_in_and_join_groups() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    drop(SqliteStore::open(&path).unwrap());
    let mark = number(&path, "application_id");
    fs::remove_file(&path).unwrap();
    let old = Connection::open(&path).unwrap();
    old.execute_batch(include_str!("../migrations/0001_initial.sql")).unwrap();
    old.pragma_update(None, "application_id", mark).unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    let hash = serde_json::to_string(&[7_u8; 32]).unwrap();
    let record = format!(
        r#"{{"object_id":"{}","app_id":"{}","kind":"ServicePrincipal","display_name":"a","secret_hashes":[{hash}],"created":5}}"#,
        guid(1),
        guid(2),
    );
    let row = (guid(1).as_u128().to_be_bytes(), guid(2).as_u128().to_be_bytes(), record);
    old.execute("INSERT INTO principals (object_id, app_id, record) VALUES (?1, ?2, ?3)", row).unwrap();
    drop(old);

    let store = SqliteStore::open(&path).unwrap();
    let found = read(&store, |tx| tx.principal_by_app(guid(2))).unwrap();
    assert_eq!((found.object_id, found.enabled, found.secrets.len()), (guid(1), true, 1));
    assert_eq!(found.secrets[0].hash, [7; 32]);
    let group = Principal::new(guid(3), PrincipalKind::Group, "g", UnixTime(6));
    write(&store, |tx| {
        tx.put_principal(&found)?;
        tx.put_principal(&group)?;
        tx.insert_membership(guid(3), guid(1))
    });
    assert_eq!(read(&store, |tx| tx.groups_of(guid(1))), [guid(3)]);
    assert_eq!(read(&store, |tx| tx.principal_by_app(guid(2))), Some(found));
}

#[test]
fn a_store_is_tidy_when_it_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let store = SqliteStore::open(&path).unwrap();
    write(&store, |tx| tx.put_system_record("a", b"b"));
    read(&store, |tx| tx.system_record("a"));
    drop(store);
    let files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files, ["db"]);
}

#[test]
fn many_may_open_a_new_store_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    // The file itself is made by one of them; the schema is what they race for.
    fs::write(&path, "").unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| drop(SqliteStore::open(&path).unwrap()));
        }
    });
    assert_eq!(number(&path, "user_version"), VERSION);
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    drop(SqliteStore::open(&path).unwrap());
    let newer = VERSION + 1;
    Connection::open(&path).unwrap().pragma_update(None, "user_version", newer).unwrap();
    let before = fs::read(&path).unwrap();
    let refused = SqliteStore::open(&path).err();
    let is_unknown = |fault: &Fault| matches!(fault, Fault::UnknownSchema { found, known: VERSION } if *found == newer);
    assert!(refused.as_ref().is_some_and(is_unknown), "{refused:?}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn containers_older_than_their_lifetimes_get_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let containers = [vault(1, "It-s-1"), hsm(2, "hsm")];
    for container in &containers {
        let store = SqliteStore::open(&path).unwrap();
        write(&store, |tx| tx.insert_container(container, &sealed("k")));
    }
    let earlier = "DROP TABLE issuers; DROP TABLE contacts;
         DROP INDEX objects_due_action; ALTER TABLE objects RENAME COLUMN next_action TO next_rotation;
         CREATE INDEX objects_due_rotation ON objects (next_rotation) WHERE next_rotation IS NOT NULL;
         DROP TABLE memberships; DROP INDEX principals_by_user_name; ALTER TABLE principals DROP COLUMN user_name;
         DROP TABLE role_definitions; DROP TABLE locks; DROP TABLE lifetimes; DROP TABLE operation_counts;
         DROP TABLE key_uses; DROP TABLE audit_tiles; DROP TABLE audit_checkpoints; PRAGMA user_version = 1";
    undo(&path, &[WITHOUT_PACKS, WITHOUT_RESULTS_AGE, WITHOUT_NOTICES, earlier]);
    let store = SqliteStore::open(&path).unwrap();
    let filter = LifetimeFilter {
        subscription: guid(1),
        resource_group: Some("group".to_owned()),
        kind: None,
        name: None,
        alive_since: UnixTime(0),
    };
    let lifetimes = read(&store, |tx| tx.lifetimes(&filter, None, 9));
    assert_eq!(lifetimes, containers.each_ref().map(Lifetime::of));
    write(&store, |tx| tx.remove_container(container_id(1), proof()));
}

#[test]
fn results_that_are_older_than_their_dates_are_forgotten_in_their_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let result = OperationResult { id: guid(1), created: NOW, resource: None };
    write(&SqliteStore::open(&path).unwrap(), |tx| tx.put_operation_result(&result));
    undo(&path, &[WITHOUT_PACKS, WITHOUT_RESULTS_AGE, "PRAGMA user_version = 8"]);

    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(write(&store, |tx| tx.remove_operation_results(UnixTime(NOW.0 - 1), 9)), 0);
    assert_eq!(write(&store, |tx| tx.remove_operation_results(NOW, 9)), 1);
}

#[test]
fn objects_that_are_older_than_notices_are_told_of_before_their_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let store = SqliteStore::open(&path).unwrap();
    write(&store, |tx| tx.insert_container(&vault(1, "one"), &sealed("k")));
    let expires = UnixTime(NOW.0 + 50 * 86_400);
    for (number, name) in [(1, "endless"), (2, "ends"), (3, "deleted"), (4, "renewed"), (6, "notified")] {
        let mut first = version(version_id(number));
        first.attributes.expires = (number != 1).then_some(expires);
        let mut new = object(name, first.id);
        if name == "deleted" {
            new.object.state = deleted_until(expires);
        }
        if name == "notified" {
            let notify = CalendarDuration::parse("P45D").map(RotationTrigger::BeforeExpiry);
            new.object.rotation = Some(RotationPolicy { notify, ..RotationPolicy::default() });
        }
        write(&store, |tx| tx.insert_object(container_id(1), &new, &first, &sealed("m")));
    }
    let renewed = version(version_id(5));
    write(&store, |tx| tx.insert_version(container_id(1), KEY, &object_name("renewed"), &renewed, &sealed("m")));
    write(&store, |tx| tx.save_object(container_id(1), &object("renewed", renewed.id).object));
    drop(store);
    undo(&path, &[WITHOUT_PACKS, WITHOUT_RESULTS_AGE, WITHOUT_NOTICES, "PRAGMA user_version = 7"]);

    let store = SqliteStore::open(&path).unwrap();
    let due = |now| read(&store, |tx| tx.due_notices(now, 9));
    let near = UnixTime(NOW.0 + 20 * 86_400);
    let names = |now| due(now).into_iter().map(|due| due.name.as_str().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(UnixTime(near.0 - 1)), ["notified"], "the loop is to look when its policy notifies");
    assert_eq!(names(UnixTime(i64::MAX)), ["notified", "ends"]);
    let at = |name| read(&store, |tx| tx.object(container_id(1), KEY, &object_name(name))).unwrap().object.next_notice;
    let times = ["endless", "ends", "deleted", "renewed"].map(at);
    assert_eq!(times, [None, Some(near), Some(near), None], "the record says the same, also of what is deleted");
}

#[test]
fn a_database_of_another_program_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    for (name, sql) in [
        ("plain", "CREATE TABLE theirs (a)"),
        ("versioned", "CREATE TABLE theirs (a); PRAGMA user_version = 1"),
        ("marked", "PRAGMA application_id = 7; PRAGMA user_version = 1"),
    ] {
        let path = folder.path().join(name);
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        let before = fs::read(&path).unwrap();
        assert!(matches!(SqliteStore::open(&path).err(), Some(Fault::Database(_))), "{name}");
        assert_eq!(fs::read(&path).unwrap(), before, "{name}");
    }
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("letter");
    fs::write(&path, "Dear Sir or Madam, ".repeat(100)).unwrap();
    assert!(matches!(SqliteStore::open(&path).err(), Some(Fault::Database(_))));
    assert_eq!(fs::read_to_string(&path).unwrap(), "Dear Sir or Madam, ".repeat(100));
    assert!(SqliteStore::open(folder.path()).is_err(), "a folder");
    assert!(SqliteStore::open(&folder.path().join("missing").join("db")).is_err(), "a folder that is not there");
}

#[test]
fn a_damaged_record_is_a_fault_not_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let store = SqliteStore::open(&path).unwrap();
    write(&store, |tx| tx.put_system_record("a", b"b"));
    drop(store);
    let direct = Connection::open(&path).unwrap();
    direct
        .execute_batch("UPDATE slots SET bytes = x'ffffffff'; INSERT INTO audit (record) VALUES (CAST(x'ff' AS TEXT));")
        .unwrap();
    drop(direct);
    let store = SqliteStore::open(&path).unwrap();
    let store: &dyn Store = &store;
    assert!(matches!(store.query(|tx| tx.system_record("a")), Err(Fault::CorruptRecord { what: "slot" })));
    assert!(matches!(store.query(|tx| tx.audit(0, 9)), Err(Fault::CorruptRecord { what: "audit record" })));
}

#[test]
fn a_log_from_before_packs_goes_on_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let store = SqliteStore::open(&path).unwrap();
    write(&store, |tx| tx.append_audit("one"));
    drop(store);
    undo(&path, &[WITHOUT_PACKS, "PRAGMA user_version = 9"]);
    let store = SqliteStore::open(&path).unwrap();
    write(&store, |tx| tx.append_audit_all(&["two", "three"]));
    let all = ["one", "two", "three"].map(str::to_owned);
    assert_eq!(read(&store, |tx| tx.audit(0, 9)), (1..).zip(all).collect::<Vec<_>>());
}

#[test]
fn damaged_packs_are_faults_not_panics() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let store = SqliteStore::open(&path).unwrap();
    write(&store, |tx| tx.append_audit_all(&["a", "b", "c"]));
    drop(store);
    for damage in [
        "pack = x''",
        "pack = x'ffffffff00'",
        "pack = NULL",
        "count = 0",
        "count = 2",
        "count = 4",
        "count = -1",
        "count = 9223372036854775807",
        "position = 2",
    ] {
        let damaged = folder.path().join("damaged");
        fs::copy(&path, &damaged).unwrap();
        Connection::open(&damaged).unwrap().execute_batch(&format!("UPDATE audit SET {damage}")).unwrap();
        let store = SqliteStore::open(&damaged).unwrap();
        let store: &dyn Store = &store;
        assert!(matches!(store.query(|tx| tx.audit(0, 9)), Err(Fault::CorruptRecord { .. })), "{damage}");
        let dropped = store.transact("test", |tx| tx.drop_audit(2, 1));
        assert!(matches!(dropped, Ok(0) | Err(Fault::CorruptRecord { .. })), "{damage}: {dropped:?}");
        drop(store.query(|tx| tx.audit_bounds()));
    }
}
