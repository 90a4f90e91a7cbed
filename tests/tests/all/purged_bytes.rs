//! After a purge no bytes are left that would open the key: not in the database, not in its journal, not in a backup.

use domain::{ContainerKind, ContainerName, ObjectKind, ObjectName};
use e2e::{bytes::Wanted, containers::Container, process::Server};
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
};
use store::{Store, sqlite::SqliteStore};

const SHREDDED: &str = "shredded";
const NEIGHBOUR: &str = "neighbour";

/// A server with a key to be destroyed, and one that stays.
struct Scene {
    server: Server,
    container: Container,
    kind: ContainerKind,
}

/// What is stored of a container and its keys, sealed.
struct Secrets {
    container: Vec<u8>,
    shredded: Vec<Vec<u8>>,
    neighbour: Vec<Vec<u8>>,
}

fn wanted(secrets: &[Vec<u8>]) -> Wanted {
    Wanted::new(secrets.iter().map(Vec::as_slice))
}

impl Scene {
    fn new(kind: ContainerKind) -> Self {
        let server = Server::kept();
        let container = Container::made(server.client(), kind, "bytes");
        let data = container.data();
        for name in [SHREDDED, NEIGHBOUR] {
            // Blobs of several sizes, so that they lie in different places.
            for body in [json!({ "kty": "EC" }), json!({ "kty": "RSA" }), json!({ "kty": "EC", "crv": "P-521" })] {
                data.call("POST", &format!("/keys/{name}/create"), Some(&body)).expect("creating a version");
            }
        }
        Self { server, container, kind }
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
        let name = ContainerName::parse(&self.container.name).unwrap();
        let container = store.query(|read| read.container(self.kind, &name)).unwrap().unwrap();
        let of_key = |name: &str| {
            let name = ObjectName::parse(name).unwrap();
            let (id, key) = (container.container.id, ObjectKind::Key);
            let object = store.query(|read| read.object(id, key, &name)).unwrap().unwrap();
            let versions = store.query(|read| read.list_versions(id, key, &name, 0, 10)).unwrap();
            assert_eq!(versions.len(), 3);
            let materials = versions.into_iter().map(|version| version.material.0);
            [object.sealed_key.0].into_iter().chain(materials).collect()
        };
        Secrets { shredded: of_key(SHREDDED), neighbour: of_key(NEIGHBOUR), container: container.sealed_key.0 }
    }

    /// The secrets, which are all in the state folder, and in a backup made now.
    fn secrets_in_place(&self) -> Secrets {
        let copy = self.copied("before");
        let secrets = self.secrets(&copy);
        let all = [&secrets.shredded[..], &secrets.neighbour[..], std::slice::from_ref(&secrets.container)].concat();
        let all = wanted(&all);
        let state = self.server.state_folder();
        let in_state: usize = all.found_below(&state).iter().map(|(_, pieces)| pieces).sum();
        assert!(in_state >= all.pieces(), "the search finds what is there");
        let backup = self.backup(&copy, "backup-before");
        assert_eq!(all.found_below(&backup), [(backup.join("backup.db"), all.pieces())]);
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
        let in_backup: usize = kept.found_below(&backup).iter().map(|(_, pieces)| pieces).sum();
        assert_eq!(in_backup, kept.pieces(), "the backup has what was kept");
    }

    fn delete_key(&self) {
        self.container.data().call("DELETE", &format!("/keys/{SHREDDED}"), None).expect("deleting");
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
fn a_purge_leaves_no_bytes_that_open_the_key() {
    for kind in ContainerKind::ALL {
        let scene = Scene::new(kind);
        let secrets = scene.secrets_in_place();
        scene.delete_key();
        let path = format!("/deletedkeys/{SHREDDED}");
        assert_eq!(scene.container.data().call("DELETE", &path, None).status, 204);
        scene.assert_destroyed(&secrets.shredded, &secrets.neighbour_and_container());
    }
}

#[test]
fn a_purge_by_the_scheduler_leaves_no_bytes_that_open_the_key() {
    for kind in ContainerKind::ALL {
        let scene = Scene::new(kind);
        let secrets = scene.secrets_in_place();
        scene.delete_key();
        scene.server.client().advance_days(6);
        assert!(!wanted(&secrets.shredded).found_below(&scene.server.state_folder()).is_empty(), "it is not due yet");
        scene.server.client().advance_days(1);
        scene.assert_destroyed(&secrets.shredded, &secrets.neighbour_and_container());
    }
}

#[test]
fn a_container_s_purge_leaves_no_bytes_that_open_anything_in_it() {
    for kind in ContainerKind::ALL {
        let scene = Scene::new(kind);
        let secrets = scene.secrets_in_place();
        // One key is deleted before its container is, one is not.
        scene.delete_key();
        assert!(scene.container.delete().is_success());
        assert!(scene.container.purge().is_success());
        scene.assert_destroyed(&secrets.all(), &[]);
    }
}

#[test]
fn a_container_s_purge_by_the_scheduler_leaves_no_bytes_that_open_anything_in_it() {
    for kind in ContainerKind::ALL {
        let scene = Scene::new(kind);
        let secrets = scene.secrets_in_place();
        assert!(scene.container.delete().is_success());
        scene.server.client().advance_days(7);
        scene.assert_destroyed(&secrets.all(), &[]);
    }
}

#[test]
fn a_purge_that_was_not_answered_leaves_no_bytes_once_the_server_is_back() {
    let mut scene = Scene::new(ContainerKind::ManagedHsm);
    let secrets = scene.secrets_in_place();
    scene.delete_key();
    // The server may be killed before, in or after the purge: whoever hears of it is told by the next one.
    let data = scene.container.data();
    let purging = std::thread::spawn(move || data.try_call("DELETE", &format!("/deletedkeys/{SHREDDED}"), None));
    scene.server.kill_9();
    let answered = purging.join().unwrap();
    scene.server.restart();
    let container = scene.container.through(scene.server.client());
    let status = container.data().get(&format!("/deletedkeys/{SHREDDED}")).status;
    assert!(status == 404 || answered.is_err(), "an answered purge has happened");
    if status == 404 {
        scene.assert_destroyed(&secrets.shredded, &secrets.neighbour_and_container());
    }
}
