//! The deletion promise as somebody would tell it on a napkin, and the operations to try it with.
//!
//! The same random sequences run against the engine in this process and against a server over HTTPS
//! ([`crate::server`]); both must answer as [`Model`] says.

use domain::ObjectKind;
use proptest::{prelude::*, sample::select};
use std::collections::BTreeMap;

/// Names in play: few, so that sequences meet.
pub const NAMES: [&str; 3] = ["alpha", "Beta", "gamma"];
const DAY: i64 = 86_400;

/// An object: its kind, and its name by index into [`NAMES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thing {
    pub kind: ObjectKind,
    name: usize,
}

impl Thing {
    #[must_use]
    pub fn name(&self) -> &'static str {
        NAMES.get(self.name).copied().unwrap_or_default()
    }

    /// Kind and name, in the order of lists.
    #[must_use]
    pub fn id(&self) -> (&'static str, usize) {
        (self.kind.as_str(), self.name)
    }

    fn of(self, kind: ObjectKind) -> Self {
        Self { kind, ..self }
    }
}

/// One thing to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Create(Thing),
    Get(Thing),
    /// Makes use of it: of a secret, reads its value.
    Sign(Thing),
    Delete(Thing),
    GetDeleted(Thing),
    Recover(Thing),
    Purge(Thing),
    /// Keeps the blob for [`Op::Restore`].
    Backup(Thing),
    Restore(Thing),
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
    /// A certificate cannot be made: a key or secret has the name.
    NameHeldByOther,
    /// A certificate manages the key or secret.
    Managed,
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

/// Sequences about objects of these kinds.
pub fn ops(kinds: &'static [ObjectKind], longest: usize) -> impl Strategy<Value = Vec<Op>> {
    let key = (select(kinds), 0..NAMES.len()).prop_map(|(kind, name)| Thing { kind, name });
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
    /// What stands for itself. A certificate's key and secret do not: they are wherever it is.
    objects: BTreeMap<(&'static str, usize), Life>,
    /// Backups. They open in this container only as long as it is the same one.
    backups: BTreeMap<(&'static str, usize), u32>,
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
            objects: BTreeMap::new(),
            backups: BTreeMap::new(),
            incarnation: 0,
            backups_outlive_container,
        }
    }

    fn is_over(&self, deleted_at: i64) -> bool {
        self.now >= deleted_at + self.settings.retention_days * DAY
    }

    /// Drops what has reached its date. Objects in a deleted container wait for it.
    fn expire(&mut self) {
        if let Some(Life::DeletedAt(at)) = self.container
            && self.is_over(at)
        {
            self.container = None;
            self.objects.clear();
        }
        if self.container == Some(Life::Alive) {
            let over: Vec<_> = self
                .objects
                .iter()
                .filter(|(_, life)| matches!(life, Life::DeletedAt(at) if self.is_over(*at)))
                .map(|(id, _)| *id)
                .collect();
            self.objects.retain(|id, _| !over.contains(id));
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
            Op::Restore(thing) if !self.backups.contains_key(&thing.id()) => Outcome::Skipped,
            _ => match self.container {
                None => Outcome::ContainerNotFound,
                Some(Life::DeletedAt(_)) => Outcome::ContainerDeleted,
                Some(Life::Alive) => self.expect_of_object(op),
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
                self.objects.clear();
                Outcome::Done
            }
            _ => Outcome::DeletedContainerNotFound,
        }
    }

    fn expect_of_object(&mut self, op: Op) -> Outcome {
        let (Op::Create(thing)
        | Op::Get(thing)
        | Op::Sign(thing)
        | Op::Delete(thing)
        | Op::GetDeleted(thing)
        | Op::Recover(thing)
        | Op::Purge(thing)
        | Op::Backup(thing)
        | Op::Restore(thing)) = op
        else {
            return Outcome::Skipped;
        };
        if let Some(life) = self.certificate_over(thing) {
            return expect_of_managed(op, life);
        }
        let is_in_the_way = |kind: &ObjectKind| self.objects.contains_key(&thing.of(*kind).id());
        if thing.kind.followers().iter().any(is_in_the_way) {
            match op {
                Op::Create(_) => return Outcome::NameHeldByOther,
                Op::Restore(_) => return Outcome::RestoreConflict,
                _ => {}
            }
        }
        match (op, self.objects.get(&thing.id()).copied()) {
            (Op::Create(_), Some(Life::DeletedAt(_))) => Outcome::NameHeldByDeleted,
            (Op::Restore(_), Some(_)) => Outcome::RestoreConflict,
            (Op::Create(_) | Op::Restore(_), _) => self.becomes(thing, Life::Alive),
            (Op::Get(_) | Op::Sign(_), Some(Life::Alive)) => Outcome::Done,
            (Op::Backup(_), Some(Life::Alive)) => {
                self.backups.insert(thing.id(), self.incarnation);
                Outcome::Done
            }
            (Op::Delete(_), Some(Life::Alive)) => self.becomes(thing, Life::DeletedAt(self.now)),
            (Op::Get(_) | Op::Sign(_) | Op::Backup(_) | Op::Delete(_), _) => Outcome::NotFound,
            (Op::GetDeleted(_), Some(Life::DeletedAt(_))) => Outcome::Done,
            (Op::Recover(_), Some(Life::DeletedAt(_))) => self.becomes(thing, Life::Alive),
            (Op::Purge(_), Some(Life::DeletedAt(_))) if self.settings.purge_protection => Outcome::PurgeProtected,
            (Op::Purge(_), Some(Life::DeletedAt(_))) => {
                self.objects.remove(&thing.id());
                Outcome::Done
            }
            _ => Outcome::DeletedNotFound,
        }
    }

    /// How the certificate stands that has this key's or secret's name.
    fn certificate_over(&self, thing: Thing) -> Option<Life> {
        let leads = ObjectKind::Certificate.followers().contains(&thing.kind);
        leads.then(|| self.objects.get(&thing.of(ObjectKind::Certificate).id()).copied()).flatten()
    }

    fn becomes(&mut self, thing: Thing, life: Life) -> Outcome {
        self.objects.insert(thing.id(), life);
        Outcome::Done
    }

    /// The names that a list of live, or of deleted, objects of a kind must show, in order; `None` while there is no live
    /// container.
    #[must_use]
    pub fn listed(&self, kind: ObjectKind, deleted: bool) -> Option<Vec<&'static str>> {
        (self.container == Some(Life::Alive)).then(|| {
            let things = (0..NAMES.len()).map(|name| Thing { kind, name });
            let life = |thing: &Thing| self.certificate_over(*thing).or(self.objects.get(&thing.id()).copied());
            let is_shown =
                |thing: &Thing| life(thing).is_some_and(|life| matches!(life, Life::DeletedAt(_)) == deleted);
            things.filter(is_shown).map(|thing| thing.name()).collect()
        })
    }
}

/// A certificate's key and secret are where it is, and go where it goes.
fn expect_of_managed(op: Op, certificate: Life) -> Outcome {
    match (op, certificate) {
        (Op::Restore(_), _) => Outcome::RestoreConflict,
        (Op::Get(_) | Op::Sign(_), Life::Alive) | (Op::GetDeleted(_), Life::DeletedAt(_)) => Outcome::Done,
        (Op::Create(_), Life::DeletedAt(_)) => Outcome::NameHeldByDeleted,
        (Op::Create(_) | Op::Delete(_) | Op::Backup(_), Life::Alive) => Outcome::Managed,
        (Op::Recover(_) | Op::Purge(_), Life::DeletedAt(_)) => Outcome::Managed,
        (Op::GetDeleted(_) | Op::Recover(_) | Op::Purge(_), Life::Alive) => Outcome::DeletedNotFound,
        _ => Outcome::NotFound,
    }
}
