//! Clients at work, a server killed in the middle of it, again and again: what was acknowledged is there, what was not
//! has happened whole or not at all, and nothing purged comes back.
//!
//! `STRONGROOM_KILLS` says how many times; the seed is fixed, so that a failure can be had again.

use crate::storm_audit::Books;
use domain::{ContainerKind, ObjectKind};
use e2e::{
    client::{Answer, Client, NoAnswer, SECONDS_PER_DAY, Target},
    containers::Container,
    process::Server,
    random::Random,
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::mpsc, thread};

const KILLS: u64 = 25;
const WORKERS: u64 = 4;
const THINGS_OF_A_WORKER: [ObjectKind; 4] =
    [ObjectKind::Key, ObjectKind::Key, ObjectKind::Secret, ObjectKind::Certificate];
/// A round ends after at most so many acknowledged operations.
const LONGEST_ROUND: u64 = 60;
/// Every so many rounds the clock is moved, which purges, and the server killed over it.
const ROUNDS_PER_ADVANCE: u64 = 3;
const RETENTION_DAYS: i64 = 7;
const SEED: u64 = 20_251_120;
pub const VAULT: &str = "storm";

/// What a client knows of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    Absent,
    Live(Contents),
    Deleted { contents: Contents, due: i64 },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    versions: BTreeSet<String>,
    current: String,
    /// What the current version holds: a key's x coordinate, as good as its material; a secret's value; a certificate's
    /// thumbprint. A deleted secret does not tell.
    content: String,
    /// A tag of the current version, different at each change.
    mark: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Create,
    Update,
    Delete,
    Recover,
    Purge,
}

const VERBS: [Verb; 5] = [Verb::Create, Verb::Update, Verb::Delete, Verb::Recover, Verb::Purge];

pub struct Thing {
    pub kind: ObjectKind,
    pub name: String,
    pub known: Known,
    /// What was asked last and not answered, with its mark.
    pending: Option<(Verb, String)>,
}

/// A client with objects that nobody else touches.
struct Worker {
    random: Random,
    things: Vec<Thing>,
    marks: u64,
}

fn text(body: &Value, pointer: &str) -> String {
    body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn id_of(body: &Value) -> String {
    let kid = text(body, "/key/kid");
    if kid.is_empty() { text(body, "/id") } else { kid }
}

fn version_of(body: &Value) -> String {
    id_of(body).rsplit('/').next().unwrap().to_owned()
}

fn content_of(kind: ObjectKind, body: &Value) -> String {
    text(
        body,
        match kind {
            ObjectKind::Key => "/key/x",
            ObjectKind::Secret => "/value",
            ObjectKind::Certificate => "/x5t",
        },
    )
}

fn due_of(body: &Value) -> i64 {
    body.get("scheduledPurgeDate").and_then(Value::as_i64).unwrap()
}

fn request(data: &Target, verb: Verb, thing: &Thing, mark: &str) -> Result<Answer, NoAnswer> {
    let tags = json!({ "mark": mark });
    let (live, deleted) = (thing.path(), thing.path_of_deleted());
    match (verb, thing.kind) {
        (Verb::Create, ObjectKind::Key) => {
            let body = json!({ "kty": "EC", "crv": "P-256", "tags": tags });
            data.try_call("POST", &format!("{live}/create"), Some(&body))
        }
        (Verb::Create, ObjectKind::Secret) => {
            data.try_call("PUT", &live, Some(&json!({ "value": mark, "tags": tags })))
        }
        (Verb::Create, ObjectKind::Certificate) => {
            let policy = json!({ "key_props": { "kty": "EC" }, "x509_props": { "subject": "CN=storm" } });
            let begun =
                data.try_call("POST", &format!("{live}/create"), Some(&json!({ "policy": policy, "tags": tags })));
            // What was begun is looked up: only then is it known.
            if begun.as_ref().is_ok_and(Answer::is_success) { data.try_call("GET", &live, None) } else { begun }
        }
        (Verb::Update, _) => data.try_call("PATCH", &live, Some(&json!({ "tags": tags }))),
        (Verb::Delete, _) => data.try_call("DELETE", &live, None),
        (Verb::Recover, _) => data.try_call("POST", &format!("{deleted}/recover"), None),
        (Verb::Purge, _) => data.try_call("DELETE", &deleted, None),
    }
}

impl Thing {
    fn new(worker: u64, number: usize, kind: ObjectKind) -> Self {
        Self { kind, name: format!("w{worker}-o{number}"), known: Known::Absent, pending: None }
    }

    fn path(&self) -> String {
        format!("/{}/{}", self.kind.collection(), self.name)
    }

    fn path_of_deleted(&self) -> String {
        format!("/deleted{}/{}", self.kind.collection(), self.name)
    }
}

impl Contents {
    /// Equal, as far as a deleted object tells.
    fn is_like(&self, found: &Self) -> bool {
        *found == Self { content: found.content.clone(), ..self.clone() }
    }
}

impl Known {
    /// The status that an operation has to be answered with.
    fn status(&self, verb: Verb) -> u16 {
        match (self, verb) {
            (Self::Deleted { .. }, Verb::Create) => 409,
            (_, Verb::Create) | (Self::Live(_), Verb::Update | Verb::Delete) => 200,
            (Self::Deleted { .. }, Verb::Recover) => 200,
            (Self::Deleted { .. }, Verb::Purge) => 204,
            _ => 404,
        }
    }

    /// What is known after an acknowledged operation.
    fn after(self, kind: ObjectKind, verb: Verb, mark: String, body: &Value) -> Self {
        match (self, verb) {
            (Self::Deleted { contents, .. }, Verb::Recover) => Self::Live(contents),
            (Self::Deleted { .. }, Verb::Purge) => Self::Absent,
            (Self::Live(contents), Verb::Update) => Self::Live(Contents { mark, ..contents }),
            (Self::Live(contents), Verb::Delete) => Self::Deleted { contents, due: due_of(body) },
            (before, _) => {
                let mut versions = match before {
                    Self::Live(contents) => contents.versions,
                    _ => BTreeSet::new(),
                };
                let current = version_of(body);
                assert!(versions.insert(current.clone()), "a version id twice");
                Self::Live(Contents { versions, current, content: content_of(kind, body), mark })
            }
        }
    }

    /// Whether `found` is what an unacknowledged operation would have left, had it happened.
    fn could_become(&self, found: &Self, verb: Verb, asked_mark: &str, now: i64) -> bool {
        match (self, verb, found) {
            (Self::Live(_) | Self::Absent, Verb::Create, Self::Live(found)) => {
                let before = match self {
                    Self::Live(contents) => contents.versions.clone(),
                    _ => BTreeSet::new(),
                };
                let made: Vec<&String> = found.versions.difference(&before).collect();
                before.is_subset(&found.versions) && made == [&found.current] && found.mark == asked_mark
            }
            (Self::Live(before), Verb::Update, Self::Live(found)) => {
                *found == Contents { mark: asked_mark.to_owned(), ..before.clone() }
            }
            (Self::Live(before), Verb::Delete, Self::Deleted { contents, due }) => {
                let age = now + RETENTION_DAYS * SECONDS_PER_DAY - due;
                before.is_like(contents) && (0..SECONDS_PER_DAY / 2).contains(&age)
            }
            (Self::Deleted { contents, .. }, Verb::Recover, Self::Live(found)) => contents == found,
            (Self::Deleted { .. }, Verb::Purge, Self::Absent) => true,
            _ => false,
        }
    }

    /// What time has made of it.
    fn at(&self, now: i64) -> Self {
        match self {
            Self::Deleted { due, .. } if *due <= now => Self::Absent,
            other => other.clone(),
        }
    }
}

impl Worker {
    fn new(number: u64) -> Self {
        let kinds = THINGS_OF_A_WORKER.iter().enumerate();
        let things = kinds.map(|(at, kind)| Thing::new(number, at, *kind)).collect();
        Self { random: Random::new(SEED + number), things, marks: 0 }
    }

    /// Works until the server is gone.
    fn work(&mut self, data: &Target, acknowledged: &mpsc::Sender<()>) {
        loop {
            let thing = usize::try_from(self.random.below(THINGS_OF_A_WORKER.len() as u64)).unwrap();
            let verb = VERBS[usize::try_from(self.random.below(VERBS.len() as u64)).unwrap()];
            self.marks += 1;
            let mark = self.marks.to_string();
            let thing = &mut self.things[thing];
            let expected = thing.known.status(verb);
            let Ok(answer) = request(data, verb, thing, &mark) else {
                thing.pending = Some((verb, mark));
                return;
            };
            assert_eq!(answer.status, expected, "{verb:?} of {} {:?}: {}", thing.path(), thing.known, answer.body);
            if answer.is_success() {
                let known = std::mem::replace(&mut thing.known, Known::Absent);
                thing.known = known.after(thing.kind, verb, mark, &answer.body);
                // The round may be over.
                let _ = acknowledged.send(());
            }
        }
    }
}

/// What the server says of an object, put together from several answers that must agree. Versions of a deleted object are
/// not told, nor is the value of a deleted secret, so those that were known are taken on trust until it is recovered.
fn observe(data: &Target, thing: &Thing, before: &Known) -> Known {
    let (live, deleted) = (data.get(&thing.path()), data.get(&thing.path_of_deleted()));
    let contents = |body: &Value, versions| Contents {
        versions,
        current: version_of(body),
        content: content_of(thing.kind, body),
        mark: text(body, "/tags/mark"),
    };
    check_trio(data, thing, &live, &deleted);
    match (live.status, deleted.status) {
        (404, 404) => Known::Absent,
        (200, 404) => {
            let versions = data.list(&format!("{}/versions", thing.path())).unwrap();
            if thing.kind == ObjectKind::Key {
                check_signature(data, &thing.name, &live.body);
            }
            Known::Live(contents(&live.body, versions.into_iter().collect()))
        }
        (404, 200) => {
            let known = match before {
                Known::Live(contents) | Known::Deleted { contents, .. } => Some(contents.clone()),
                Known::Absent => None,
            };
            let mut found = contents(&deleted.body, BTreeSet::new());
            if let Some(known) = known {
                found.versions = known.versions;
                if thing.kind == ObjectKind::Secret {
                    found.content = known.content;
                }
            }
            Known::Deleted { contents: found, due: due_of(&deleted.body) }
        }
        both => panic!("{} is live and deleted, or neither can be said: {both:?}", thing.path()),
    }
}

/// A certificate's key and secret are where it is, in the same version, with the same dates.
fn check_trio(data: &Target, thing: &Thing, live: &Answer, deleted: &Answer) {
    for kind in thing.kind.followers() {
        let follower = Thing { kind: *kind, name: thing.name.clone(), known: Known::Absent, pending: None };
        for (leader, path) in [(live, follower.path()), (deleted, follower.path_of_deleted())] {
            let found = data.get(&path);
            assert_eq!(found.status, leader.status, "{path}: {}", found.body);
            if found.is_success() {
                assert_eq!(version_of(&found.body), version_of(&leader.body), "{path}");
                let dates = |body: &Value| (body.get("deletedDate").cloned(), body.get("scheduledPurgeDate").cloned());
                assert_eq!(dates(&found.body), dates(&leader.body), "{path}");
            }
        }
    }
}

/// The key signs, and the signature is that of its public key.
fn check_signature(data: &Target, name: &str, body: &Value) {
    use aws_lc_rs::{digest, signature};
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let message = name.as_bytes();
    let signed = data.sign(name, digest::digest(&digest::SHA256, message).as_ref()).expect(name);
    assert_eq!(text(&signed, "/kid"), text(body, "/key/kid"));
    let bytes = |pointer: &str, of: &Value| URL_SAFE_NO_PAD.decode(text(of, pointer)).unwrap();
    let point = [vec![4], bytes("/key/x", body), bytes("/key/y", body)].concat();
    let public = signature::UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point);
    public.verify(message, &bytes("/value", &signed)).expect("the signature is the key's");
}

struct Storm {
    server: Server,
    vault: Container,
    workers: Vec<Worker>,
    random: Random,
    books: Books,
}

impl Storm {
    fn new() -> Self {
        let server = Server::kept();
        let vault = Container::made(server.client(), ContainerKind::Vault, VAULT);
        let workers = (0..WORKERS).map(Worker::new).collect();
        Self { server, vault, workers, random: Random::new(SEED + WORKERS), books: Books::default() }
    }

    fn data(&self) -> Target {
        self.vault.through(self.server.client()).data()
    }

    /// Everybody works until the server is killed.
    fn rage(&mut self) {
        let enough = self.random.below(LONGEST_ROUND);
        let data = self.data();
        let (sender, receiver) = mpsc::channel();
        let Self { server, workers, .. } = self;
        thread::scope(|scope| {
            for worker in workers {
                let (data, sender) = (&data, sender.clone());
                scope.spawn(move || worker.work(data, &sender));
            }
            drop(sender);
            for _ in 0..enough {
                // An error: all workers have failed, which the scope will tell.
                let _ = receiver.recv();
            }
            server.kill_9();
        });
    }

    /// Moves the clock and kills the server over it, sometimes after it has answered.
    fn let_time_pass(&mut self) {
        let days = 1 + i64::try_from(self.random.below(8)).unwrap();
        let distractions = self.random.below(40);
        let client: Client = self.server.client().clone();
        let (_, ahead_before) = client.clock();
        let moving = thread::spawn({
            let client = client.clone();
            move || client.try_advance_days(days).is_ok_and(|answer| answer.is_success())
        });
        for _ in 0..distractions {
            client.plain("GET", "/health", None).unwrap();
        }
        self.server.kill_9();
        let is_acknowledged = moving.join().unwrap();
        self.audit();
        self.server.restart();
        let (_, ahead) = self.server.client().clock();
        let ahead_asked = ahead_before + days * SECONDS_PER_DAY;
        assert!(ahead == ahead_asked || (!is_acknowledged && ahead == ahead_before), "{ahead}");
        self.check();
    }

    /// What each client knows is so, and what it does not know is so or not so.
    fn check(&mut self) {
        // Certificates that were begun are made by now, as they would be in a moment.
        self.server.client().advance_seconds(0);
        let data = self.data();
        // Read before the objects: what becomes due between the two is not due yet.
        let (now, _) = self.server.client().clock();
        for thing in self.workers.iter_mut().flat_map(|worker| &mut worker.things) {
            let before = thing.known.at(now);
            let found = observe(&data, thing, &before);
            if let Some((verb, mark)) = thing.pending.take() {
                let happened = before.could_become(&found, verb, &mark, now);
                assert!(happened || found == before, "{verb:?} with {mark} of {before:?} came to {found:?}");
            } else {
                assert_eq!(found, before, "{}", thing.path());
            }
            thing.known = found;
        }
        for kind in ObjectKind::ALL {
            let live = self.names(*kind, |known| matches!(known, Known::Live(_)));
            assert_eq!(data.list(&format!("/{}?maxresults=5", kind.collection())).unwrap(), live);
            let deleted = self.names(*kind, |known| matches!(known, Known::Deleted { .. }));
            assert_eq!(data.list(&format!("/deleted{}?maxresults=5", kind.collection())).unwrap(), deleted);
        }
    }

    /// The names that a list of a kind shows: also those of what certificates bring along.
    fn names(&self, kind: ObjectKind, wanted: fn(&Known) -> bool) -> Vec<String> {
        let things = self.workers.iter().flat_map(|worker| &worker.things);
        let is_shown = |thing: &&Thing| thing.kind == kind || thing.kind.followers().contains(&kind);
        let shown = things.filter(is_shown).filter(|thing| wanted(&thing.known));
        let mut names: Vec<String> = shown.map(|thing| thing.name.clone()).collect();
        names.sort_unstable();
        names
    }

    /// Reads the audit log of the dead server.
    fn audit(&mut self) {
        self.books.continue_with(&self.server.database());
    }
}

#[test]
fn what_was_acknowledged_survives_every_kill() {
    let kills = std::env::var("STRONGROOM_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let mut storm = Storm::new();
    for round in 0..kills {
        storm.rage();
        storm.audit();
        storm.server.restart();
        storm.check();
        if round % ROUNDS_PER_ADVANCE == 0 {
            storm.let_time_pass();
        }
    }
    // In the end all that was deleted is purged.
    storm.server.client().advance_days(RETENTION_DAYS + 1);
    storm.check();
    for kind in ObjectKind::ALL {
        assert!(storm.data().list(&format!("/deleted{}", kind.collection())).unwrap().is_empty());
    }
    storm.server.assert_no_panic();
    storm.server.kill_9();
    storm.audit();
    let things = storm.workers.iter().flat_map(|worker| &worker.things);
    storm.books.close(&storm.server.state_folder(), &things.collect::<Vec<_>>());
}
