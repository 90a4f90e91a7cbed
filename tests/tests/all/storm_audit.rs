//! The audit log of a storm, read as a story of each object: it has no gaps, tells of nothing impossible, and ends where
//! the store is. Figures of what was done are the log's.

use crate::kill_storm::{Known, Thing, VAULT};
use domain::{
    AuditRecord, ContainerId, ContainerKind, ContainerName, ObjectAct, ObjectKind, ObjectName, Operation, Outcome,
    UnixTime, metering::Month,
};
use e2e::{bytes::Wanted, client::SECONDS_PER_DAY};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};
use store::{Store, sqlite::SqliteStore};

const RETENTION_SECONDS: i64 = 7 * SECONDS_PER_DAY;
const PAGE: usize = 500;

/// Kind and name.
type Id = (&'static str, String);

/// How an object's story goes so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Chapter {
    #[default]
    Absent,
    Live,
    DeletedAt(UnixTime),
}

/// What has been read of the log, and what was ever sealed.
#[derive(Default)]
pub struct Books {
    position: u64,
    stories: BTreeMap<Id, Chapter>,
    /// What somebody asked for in the vault, and how it ended.
    asked: BTreeMap<(Month, Operation, Outcome), u64>,
    /// Sealed keys of the objects that were there at the last look.
    sealed: BTreeMap<Id, Vec<u8>>,
    /// Sealed keys of those that were there once.
    destroyed: Wanted,
}

impl Chapter {
    fn next(self, kind: ObjectKind, record: &AuditRecord<'_>) -> Self {
        let by_scheduler = record.identity.claim.object_id.is_none();
        let Some(operation) = record.operation() else { return self };
        let makes = [Operation::KeyCreate, Operation::SecretSet, Operation::CertificateCreate].contains(&operation);
        let changes = [ObjectAct::Update.on(kind), Operation::CertificateEnroll].contains(&operation);
        match self {
            Self::Absent | Self::Live if makes => Self::Live,
            Self::Live if changes => Self::Live,
            Self::DeletedAt(_) if operation == ObjectAct::Recover.on(kind) => Self::Live,
            Self::Live if operation == ObjectAct::Delete.on(kind) => Self::DeletedAt(record.time),
            Self::DeletedAt(at) if operation == ObjectAct::Purge.on(kind) => {
                let is_due = record.time >= at.plus_seconds(RETENTION_SECONDS);
                assert!(!by_scheduler || is_due, "purged before its time: {record:?}, deleted at {at}");
                Self::Absent
            }
            // Above all a second purge.
            impossible => panic!("the log tells of the impossible: {impossible:?}, {record:?}"),
        }
    }
}

impl Books {
    /// Reads on where it stopped, and compares with the store.
    pub fn continue_with(&mut self, database: &Path) {
        let store = SqliteStore::open(database).unwrap();
        let store: &dyn Store = &store;
        let name = ContainerName::parse(VAULT).unwrap();
        let container = store.query(|read| read.container(ContainerKind::Vault, &name)).unwrap().unwrap();
        let id = container.container.id;
        loop {
            let records = store.query(|read| read.audit(self.position, PAGE)).unwrap();
            for (position, leaf) in &records {
                assert_eq!(*position, self.position + 1, "the log has a gap");
                self.position = *position;
                self.note(id, &AuditRecord::read(leaf).unwrap());
            }
            if records.len() < PAGE {
                break;
            }
        }
        self.compare(store, id);
        self.compare_figures(store, id);
    }

    /// What was counted is what the log tells: both commit together, whenever the server was killed.
    fn compare_figures(&self, store: &dyn Store, vault: ContainerId) {
        let months: BTreeSet<Month> = self.asked.keys().map(|(month, ..)| *month).collect();
        let mut counted = BTreeMap::new();
        for month in months {
            for found in store.query(|read| read.operation_counts(vault, month)).unwrap() {
                counted.insert((month, found.operation, found.outcome), found.count);
            }
        }
        assert_eq!(counted, self.asked);
    }

    fn note(&mut self, vault: ContainerId, record: &AuditRecord<'_>) {
        if let (Some(operation), Some(_)) = (record.operation(), record.identity.claim.object_id)
            && record.properties.container == Some(vault)
        {
            *self.asked.entry((Month::of(record.time), operation, record.outcome)).or_default() += 1;
        }
        let is_change = record.operation().is_some_and(Operation::is_change);
        let is_done = record.outcome == Outcome::Done && record.properties.container == Some(vault);
        let kind_and_name = ObjectKind::ALL.iter().find_map(|kind| {
            let below = record.properties.id.strip_prefix('/')?.strip_prefix(kind.collection())?;
            Some((*kind, below.strip_prefix('/')?))
        });
        let Some((kind, name)) = kind_and_name.filter(|_| is_change && is_done) else { return };
        let chapter = self.stories.entry((kind.as_str(), name.to_owned())).or_default();
        *chapter = chapter.next(kind, record);
    }

    /// The story of each object ends where the store is: a change and its record are in it together, or neither is. What a
    /// certificate brings along has no story of its own.
    fn compare(&mut self, store: &dyn Store, vault: ContainerId) {
        for ((kind, name), chapter) in self.stories.clone() {
            let kind = ObjectKind::parse(kind).unwrap();
            let object_name = ObjectName::parse(&name).unwrap();
            let object = |kind| store.query(|read| read.object(vault, kind, &object_name)).unwrap();
            let stored = object(kind);
            let found = match stored.as_ref().map(|stored| stored.object.state.deletion()) {
                None => Chapter::Absent,
                Some(None) => Chapter::Live,
                Some(Some(deletion)) => Chapter::DeletedAt(deletion.deleted_at),
            };
            assert_eq!(chapter, found, "{kind} {name}");
            for follower in kind.followers() {
                let brought = object(*follower);
                if let Some(brought) = &brought {
                    let leader = stored.as_ref().expect("it has outlived its certificate");
                    assert_eq!(brought.object.state, leader.object.state, "{follower} {name}");
                }
                self.seal((follower.as_str(), name.clone()), brought.map(|brought| brought.sealed_key.0));
            }
            self.seal((kind.as_str(), name), stored.map(|stored| stored.sealed_key.0));
        }
    }

    /// Notes the sealed key that an object has now.
    fn seal(&mut self, id: Id, sealed: Option<Vec<u8>>) {
        if self.sealed.get(&id) == sealed.as_ref() {
            return;
        }
        if let Some(before) = self.sealed.remove(&id) {
            self.destroyed.add(&before);
        }
        if let Some(sealed) = sealed {
            self.sealed.insert(id, sealed);
        }
    }

    /// The clients, the log and the store tell the same; and what was purged on the way is nowhere.
    pub fn close(&self, state: &Path, things: &[&Thing]) {
        for thing in things {
            let told = self.stories.get(&(thing.kind.as_str(), thing.name.clone())).copied().unwrap_or_default();
            match thing.known {
                Known::Absent => assert_eq!(told, Chapter::Absent, "{}", thing.name),
                Known::Live(_) => assert_eq!(told, Chapter::Live, "{}", thing.name),
                Known::Deleted { .. } => assert!(matches!(told, Chapter::DeletedAt(_)), "{}", thing.name),
            }
        }
        assert!(self.destroyed.pieces() > 0, "the storm has purged something");
        assert_eq!(self.destroyed.found_below(state), Vec::new());
        let live = Wanted::new(self.sealed.values().map(Vec::as_slice));
        let found: usize = live.found_below(state).iter().map(|(_, pieces)| pieces).sum();
        assert!(found >= live.pieces(), "the search finds what is there");
    }
}
