//! After a purge no bytes are left that would open the object: not in the database, not in its journal, not in a backup.
//! With a certificate goes what it brought along, its pending version included.

use domain::{ContainerKind, ContainerName, ObjectKind, ObjectName};
use e2e::{bytes::Wanted, client::Target, containers::Container, process::Server};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};
use store::{Store, sqlite::SqliteStore};

const SHREDDED: &str = "shredded";
const NEIGHBOUR: &str = "neighbour";

/// What there is to destroy, and where.
const SUBJECTS: [Subject; 4] = [
    (ContainerKind::Vault, ObjectKind::Key),
    (ContainerKind::Vault, ObjectKind::Secret),
    (ContainerKind::Vault, ObjectKind::Certificate),
    (ContainerKind::ManagedHsm, ObjectKind::Key),
];

type Subject = (ContainerKind, ObjectKind);

/// A server with an object to be destroyed, and one that stays.
struct Scene {
    server: Server,
    container: Container,
    subject: Subject,
}

/// What is stored of a container and its objects, sealed.
struct Secrets {
    container: Vec<u8>,
    shredded: Vec<Vec<u8>>,
    neighbour: Vec<Vec<u8>>,
}

fn wanted(secrets: &[Vec<u8>]) -> Wanted {
    Wanted::new(secrets.iter().map(Vec::as_slice))
}

/// The search finds all of them in these places, but for the few that lie across the border of two of the database's
/// pages.
fn assert_there(wanted: &Wanted, found: &[(PathBuf, usize)], place: &str) {
    let found: usize = found.iter().map(|(_, pieces)| pieces).sum();
    let pieces = wanted.pieces();
    assert!(found + pieces / 100 >= pieces, "{place} has {found} of {pieces}");
}

/// Makes the versions of an object, in several sizes, so that they lie in different places.
fn make(data: &Target, kind: ObjectKind, name: &str) {
    let path = format!("/{}/{name}", kind.collection());
    let certificate = |issuer: &str, key: Value| {
        json!({ "policy": {
            "key_props": key,
            "secret_props": { "contentType": "application/x-pem-file" },
            "x509_props": { "subject": "CN=bytes" },
            "issuer": { "name": issuer },
        } })
    };
    let (small, large) = (json!({ "kty": "EC", "crv": "P-256" }), json!({ "kty": "RSA", "key_size": 2048 }));
    let bodies = match kind {
        ObjectKind::Key => {
            vec![json!({ "kty": "EC" }), json!({ "kty": "RSA" }), json!({ "kty": "EC", "crv": "P-521" })]
        }
        // One that takes pages of its own, which are freed with it.
        ObjectKind::Secret => [1, 25_600, 300].map(|length| json!({ "value": "s".repeat(length) })).into(),
        // The last stays pending.
        ObjectKind::Certificate => {
            vec![certificate("Self", small.clone()), certificate("Self", large), certificate("Unknown", small)]
        }
    };
    for body in bodies {
        let made = match kind {
            ObjectKind::Secret => data.call("PUT", &path, Some(&body)),
            ObjectKind::Key | ObjectKind::Certificate => data.call("POST", &format!("{path}/create"), Some(&body)),
        };
        made.expect("making a version");
    }
}

impl Scene {
    fn new(subject: Subject) -> Self {
        let server = Server::kept();
        let container = Container::made(server.client(), subject.0, "bytes");
        for name in [SHREDDED, NEIGHBOUR] {
            make(&container.data(), subject.1, name);
        }
        Self { server, container, subject }
    }

    /// A copy of the database with its journal, taken while nothing is written.
    fn copied(&self, name: &str) -> PathBuf {
        let folder = self.server.folder().join(name);
        fs::create_dir(&folder).unwrap();
        for file in ["strongroom.db", "strongroom.db-wal"] {
            fs::copy(self.server.state_folder().join(file), folder.join(file)).unwrap();
        }
        folder.join("strongroom.db")
    }

    fn secrets(&self, database: &Path) -> Secrets {
        let store = SqliteStore::open(database).unwrap();
        let store: &dyn Store = &store;
        let (container_kind, kind) = self.subject;
        let name = ContainerName::parse(&self.container.name).unwrap();
        let container = store.query(|read| read.container(container_kind, &name)).unwrap().unwrap();
        let id = container.container.id;
        let of_object = |kind: ObjectKind, name: &ObjectName, versions: usize| {
            let object = store.query(|read| read.object(id, kind, name)).unwrap().unwrap();
            let stored = store.query(|read| read.list_versions(id, kind, name, 0, 10)).unwrap();
            assert_eq!(stored.len(), versions, "{kind}");
            let materials = stored.into_iter().map(|version| version.material.0);
            [object.sealed_key.0].into_iter().chain(materials).collect::<Vec<_>>()
        };
        let of_name = |name: &str| {
            let name = ObjectName::parse(name).unwrap();
            // The pending version of a certificate has brought nothing along yet.
            let brought = kind.followers().iter().flat_map(|follower| of_object(*follower, &name, 2));
            of_object(kind, &name, 3).into_iter().chain(brought).collect()
        };
        Secrets { shredded: of_name(SHREDDED), neighbour: of_name(NEIGHBOUR), container: container.sealed_key.0 }
    }

    /// The secrets, which are all in the state folder, and in a backup made now.
    fn secrets_in_place(&self) -> Secrets {
        let copy = self.copied("before");
        let secrets = self.secrets(&copy);
        let all = [&secrets.shredded[..], &secrets.neighbour[..], std::slice::from_ref(&secrets.container)].concat();
        let all = wanted(&all);
        let state = self.server.state_folder();
        assert_there(&all, &all.found_below(&state), "the state folder");
        assert_there(&all, &all.found_below(&self.backup(&copy, "backup-before")), "an earlier backup");
        secrets
    }

    /// A folder with a backup of a database that no server has open.
    fn backup(&self, database: &Path, name: &str) -> PathBuf {
        let folder = self.server.folder().join(name);
        fs::create_dir(&folder).unwrap();
        let store = SqliteStore::open(database).unwrap();
        store.copy_to(&folder.join("backup.db")).unwrap();
        folder
    }

    /// Nothing is left of the gone, and the rest is there: while the server runs, after it was killed, and in a
    /// backup made then.
    fn assert_destroyed(mut self, gone: &[Vec<u8>], kept: &[Vec<u8>]) {
        let (gone, kept) = (wanted(gone), wanted(kept));
        let state = self.server.state_folder();
        let nowhere: Vec<(PathBuf, usize)> = Vec::new();
        assert!(self.server.is_running());
        assert_eq!(gone.found_below(&state), nowhere, "while the server runs");
        assert_eq!(kept.pieces() > 0, !kept.found_below(&state).is_empty(), "the search finds what is there");
        self.server.assert_no_panic();
        self.server.kill_9();
        assert_eq!(gone.found_below(&state), nowhere, "after the server was killed");
        let backup = self.backup(&self.server.database(), "backup-after");
        assert_eq!(gone.found_below(&backup), nowhere, "in a later backup");
        assert_there(&kept, &kept.found_below(&backup), "the later backup");
    }

    fn delete_object(&self) {
        let path = format!("/{}/{SHREDDED}", self.subject.1.collection());
        self.container.data().call("DELETE", &path, None).expect("deleting");
    }

    /// Its path when it is deleted.
    fn deleted_path(&self) -> String {
        format!("/deleted{}/{SHREDDED}", self.subject.1.collection())
    }
}

impl Secrets {
    fn neighbour_and_container(&self) -> Vec<Vec<u8>> {
        [&self.neighbour[..], std::slice::from_ref(&self.container)].concat()
    }

    fn all(&self) -> Vec<Vec<u8>> {
        [self.neighbour_and_container(), self.shredded.clone()].concat()
    }
}

#[test]
fn a_purge_leaves_no_bytes_that_open_the_object() {
    for subject in SUBJECTS {
        let scene = Scene::new(subject);
        let secrets = scene.secrets_in_place();
        scene.delete_object();
        assert_eq!(scene.container.data().call("DELETE", &scene.deleted_path(), None).status, 204);
        scene.assert_destroyed(&secrets.shredded, &secrets.neighbour_and_container());
    }
}

#[test]
fn a_purge_by_the_scheduler_leaves_no_bytes_that_open_the_object() {
    for subject in SUBJECTS {
        let scene = Scene::new(subject);
        let secrets = scene.secrets_in_place();
        scene.delete_object();
        scene.server.client().advance_days(6);
        assert!(!wanted(&secrets.shredded).found_below(&scene.server.state_folder()).is_empty(), "it is not due yet");
        scene.server.client().advance_days(1);
        scene.assert_destroyed(&secrets.shredded, &secrets.neighbour_and_container());
    }
}

#[test]
fn a_container_s_purge_leaves_no_bytes_that_open_anything_in_it() {
    for subject in SUBJECTS {
        let scene = Scene::new(subject);
        let secrets = scene.secrets_in_place();
        // One object is deleted before its container is, one is not.
        scene.delete_object();
        assert!(scene.container.delete().is_success());
        assert!(scene.container.purge().is_success());
        scene.assert_destroyed(&secrets.all(), &[]);
    }
}

#[test]
fn a_container_s_purge_by_the_scheduler_leaves_no_bytes_that_open_anything_in_it() {
    for subject in SUBJECTS {
        let scene = Scene::new(subject);
        let secrets = scene.secrets_in_place();
        assert!(scene.container.delete().is_success());
        scene.server.client().advance_days(7);
        scene.assert_destroyed(&secrets.all(), &[]);
    }
}

#[test]
fn a_purge_that_was_not_answered_leaves_no_bytes_once_the_server_is_back() {
    for subject in SUBJECTS {
        let mut scene = Scene::new(subject);
        let secrets = scene.secrets_in_place();
        scene.delete_object();
        // The server may be killed before, in or after the purge: whoever hears of it is told by the next one.
        let (data, path) = (scene.container.data(), scene.deleted_path());
        let purging = std::thread::spawn(move || data.try_call("DELETE", &path, None));
        scene.server.kill_9();
        let answered = purging.join().unwrap();
        scene.server.restart();
        let container = scene.container.through(scene.server.client());
        let status = container.data().get(&scene.deleted_path()).status;
        assert!(status == 404 || answered.is_err(), "an answered purge has happened");
        if status == 404 {
            scene.assert_destroyed(&secrets.shredded, &secrets.neighbour_and_container());
        }
    }
}
