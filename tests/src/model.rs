//! The deletion promise as somebody would tell it on a napkin, and the operations to try it with.
//!
//! The same random sequences run against the engine in this process and against a server over HTTPS
//! ([`crate::server`]); both must answer as [`Model`] says.

use proptest::prelude::*;
use std::collections::BTreeMap;

/// Names in play: few, so that sequences meet.
pub const KEYS: [&str; 3] = ["alpha", "Beta", "gamma"];
const DAY: i64 = 86_400;

/// One thing to try. Keys are by index into [`KEYS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Create(usize),
    Get(usize),
    Sign(usize),
    Delete(usize),
    GetDeleted(usize),
    Recover(usize),
    Purge(usize),
    /// Keeps the blob for [`Op::Restore`].
    Backup(usize),
    Restore(usize),
    CreateContainer,
    DeleteContainer,
    RecoverContainer,
    PurgeContainer,
    AdvanceDays(i64),
    /// The process ends and another begins on the same state.
    Restart,
}

/// How a container is made.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub retention_days: i64,
    pub purge_protection: bool,
}

/// What came of it, in words that both sides can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done,
    NotFound,
    DeletedNotFound,
    NameHeldByDeleted,
    RestoreConflict,
    PurgeProtected,
    ContainerNotFound,
    ContainerDeleted,
    ContainerNameTaken,
    ContainerNameHeldByDeleted,
    DeletedContainerNotFound,
    /// There is no backup to restore yet: nothing was tried.
    Skipped,
}

pub fn settings() -> impl Strategy<Value = Settings> {
    (7_i64..=90, any::<bool>())
        .prop_map(|(retention_days, purge_protection)| Settings { retention_days, purge_protection })
}

pub fn ops(longest: usize) -> impl Strategy<Value = Vec<Op>> {
    let key = 0..KEYS.len();
    let one = prop_oneof![
        4 => key.clone().prop_map(Op::Create),
        3 => key.clone().prop_map(Op::Get),
        3 => key.clone().prop_map(Op::Sign),
        4 => key.clone().prop_map(Op::Delete),
        2 => key.clone().prop_map(Op::GetDeleted),
        3 => key.clone().prop_map(Op::Recover),
        3 => key.clone().prop_map(Op::Purge),
        2 => key.clone().prop_map(Op::Backup),
        2 => key.prop_map(Op::Restore),
        1 => Just(Op::CreateContainer),
        1 => Just(Op::DeleteContainer),
        2 => Just(Op::RecoverContainer),
        1 => Just(Op::PurgeContainer),
        3 => (0_i64..40).prop_map(Op::AdvanceDays),
        1 => Just(Op::Restart),
    ];
    proptest::collection::vec(one, 1..longest)
}

/// A thing that is alive, or was deleted at some second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Alive,
    DeletedAt(i64),
}

/// The napkin.
#[derive(Debug)]
pub struct Model {
    settings: Settings,
    now: i64,
    container: Option<Life>,
    keys: BTreeMap<usize, Life>,
    /// Backups of keys. They open in this container only as long as it is the same one.
    backups: BTreeMap<usize, u32>,
    incarnation: u32,
    backups_outlive_container: bool,
}

impl Model {
    /// A model with its container just made. A vault's backups open in any vault of the subscription, an HSM's only
    /// in that HSM.
    #[must_use]
    pub fn new(settings: Settings, backups_outlive_container: bool) -> Self {
        Self {
            settings,
            now: 0,
            container: Some(Life::Alive),
            keys: BTreeMap::new(),
            backups: BTreeMap::new(),
            incarnation: 0,
            backups_outlive_container,
        }
    }

    fn is_over(&self, deleted_at: i64) -> bool {
        self.now >= deleted_at + self.settings.retention_days * DAY
    }

    /// Drops what has reached its date. Keys in a deleted container wait for it.
    fn expire(&mut self) {
        if let Some(Life::DeletedAt(at)) = self.container
            && self.is_over(at)
        {
            self.container = None;
            self.keys.clear();
        }
        if self.container == Some(Life::Alive) {
            let over: Vec<usize> = self
                .keys
                .iter()
                .filter(|(_, life)| matches!(life, Life::DeletedAt(at) if self.is_over(*at)))
                .map(|(key, _)| *key)
                .collect();
            self.keys.retain(|key, _| !over.contains(key));
        }
    }

    /// What has to come of an operation. Does it.
    pub fn expect(&mut self, op: Op) -> Outcome {
        self.expire();
        let outcome = match op {
            Op::AdvanceDays(days) => {
                self.now += days * DAY;
                Outcome::Done
            }
            Op::Restart => Outcome::Done,
            Op::CreateContainer | Op::DeleteContainer | Op::RecoverContainer | Op::PurgeContainer => {
                self.expect_of_container(op)
            }
            Op::Restore(key) if !self.backups.contains_key(&key) => Outcome::Skipped,
            _ => match self.container {
                None => Outcome::ContainerNotFound,
                Some(Life::DeletedAt(_)) => Outcome::ContainerDeleted,
                Some(Life::Alive) => self.expect_of_key(op),
            },
        };
        self.expire();
        outcome
    }

    fn expect_of_container(&mut self, op: Op) -> Outcome {
        match (op, self.container) {
            (Op::CreateContainer, None) => {
                self.incarnation += 1;
                if !self.backups_outlive_container {
                    self.backups.clear();
                }
                self.container = Some(Life::Alive);
                Outcome::Done
            }
            // Creating what is there, in the same place, changes it: nothing to change here.
            (Op::CreateContainer, Some(Life::Alive)) => Outcome::Done,
            (Op::CreateContainer, Some(Life::DeletedAt(_))) => Outcome::ContainerNameHeldByDeleted,
            (Op::DeleteContainer, Some(Life::Alive)) => {
                self.container = Some(Life::DeletedAt(self.now));
                Outcome::Done
            }
            (Op::DeleteContainer, _) => Outcome::ContainerNotFound,
            (Op::RecoverContainer, Some(Life::DeletedAt(_))) => {
                self.container = Some(Life::Alive);
                Outcome::Done
            }
            (Op::PurgeContainer, Some(Life::DeletedAt(_))) if self.settings.purge_protection => Outcome::PurgeProtected,
            (Op::PurgeContainer, Some(Life::DeletedAt(_))) => {
                self.container = None;
                self.keys.clear();
                Outcome::Done
            }
            _ => Outcome::DeletedContainerNotFound,
        }
    }

    fn expect_of_key(&mut self, op: Op) -> Outcome {
        let (Op::Create(key)
        | Op::Get(key)
        | Op::Sign(key)
        | Op::Delete(key)
        | Op::GetDeleted(key)
        | Op::Recover(key)
        | Op::Purge(key)
        | Op::Backup(key)
        | Op::Restore(key)) = op
        else {
            return Outcome::Skipped;
        };
        match (op, self.keys.get(&key).copied()) {
            (Op::Create(_), Some(Life::DeletedAt(_))) => Outcome::NameHeldByDeleted,
            (Op::Restore(_), Some(_)) => Outcome::RestoreConflict,
            (Op::Create(_) | Op::Restore(_), _) => self.becomes(key, Life::Alive),
            (Op::Get(_) | Op::Sign(_), Some(Life::Alive)) => Outcome::Done,
            (Op::Backup(_), Some(Life::Alive)) => {
                self.backups.insert(key, self.incarnation);
                Outcome::Done
            }
            (Op::Delete(_), Some(Life::Alive)) => self.becomes(key, Life::DeletedAt(self.now)),
            (Op::Get(_) | Op::Sign(_) | Op::Backup(_) | Op::Delete(_), _) => Outcome::NotFound,
            (Op::GetDeleted(_), Some(Life::DeletedAt(_))) => Outcome::Done,
            (Op::Recover(_), Some(Life::DeletedAt(_))) => self.becomes(key, Life::Alive),
            (Op::Purge(_), Some(Life::DeletedAt(_))) if self.settings.purge_protection => Outcome::PurgeProtected,
            (Op::Purge(_), Some(Life::DeletedAt(_))) => {
                self.keys.remove(&key);
                Outcome::Done
            }
            _ => Outcome::DeletedNotFound,
        }
    }

    fn becomes(&mut self, key: usize, life: Life) -> Outcome {
        self.keys.insert(key, life);
        Outcome::Done
    }

    /// The keys that a list of live, or of deleted, keys must show, in order; `None` while there is no live container.
    #[must_use]
    pub fn listed(&self, deleted: bool) -> Option<Vec<&'static str>> {
        (self.container == Some(Life::Alive)).then(|| {
            let shown = self.keys.iter().filter(|(_, life)| matches!(life, Life::DeletedAt(_)) == deleted);
            shown.filter_map(|(key, _)| KEYS.get(*key).copied()).collect()
        })
    }
}
