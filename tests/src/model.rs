//! The deletion promise as somebody would tell it on a napkin, and the operations to try it with.
//!
//! The same random sequences run against the engine in this process and against a server over HTTPS
//! ([`crate::server`]); both must answer as [`Model`] says.

use domain::ObjectKind;
use proptest::{prelude::*, sample::select, strategy::Union};
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
    Versions(Thing),
    Update(Thing),
    Delete(Thing),
    GetDeleted(Thing),
    Recover(Thing),
    Purge(Thing),
    /// Keeps the blob for [`Op::Restore`].
    Backup(Thing),
    Restore(Thing),
    /// Begins a version of a certificate that waits for its merge.
    Begin(Thing),
    Merge(Thing),
    Cancel(Thing),
    /// Takes what is pending away.
    Abandon(Thing),
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
    /// A version of the certificate waits for its merge.
    Pending,
    /// The certificate has no version that could be backed up.
    NoVersion,
    /// No version of the certificate waits for a merge.
    NothingPending,
    RestoreConflict,
    PurgeProtected,
    ContainerNotFound,
    ContainerDeleted,
    ContainerNameTaken,
    ContainerNameHeldByDeleted,
    DeletedContainerNotFound,
    /// There is no backup to restore yet, or nothing to take away: nothing was tried.
    Skipped,
}

pub fn settings() -> impl Strategy<Value = Settings> {
    (7_i64..=90, any::<bool>())
        .prop_map(|(retention_days, purge_protection)| Settings { retention_days, purge_protection })
}

/// What can be tried with a thing, and how often among others.
type Weighted = (u32, fn(Thing) -> Op);

/// Sequences about objects of these kinds.
pub fn ops(kinds: &'static [ObjectKind], longest: usize) -> impl Strategy<Value = Vec<Op>> {
    let thing = (select(kinds), 0..NAMES.len()).prop_map(|(kind, name)| Thing { kind, name });
    let of_things: [Weighted; 11] = [
        (4, Op::Create),
        (3, Op::Get),
        (3, Op::Sign),
        (1, Op::Versions),
        (1, Op::Update),
        (4, Op::Delete),
        (2, Op::GetDeleted),
        (3, Op::Recover),
        (3, Op::Purge),
        (2, Op::Backup),
        (2, Op::Restore),
    ];
    let of_certificates: [Weighted; 4] = [(2, Op::Begin), (2, Op::Merge), (1, Op::Cancel), (1, Op::Abandon)];
    let of_containers = prop_oneof![
        1 => Just(Op::CreateContainer),
        1 => Just(Op::DeleteContainer),
        2 => Just(Op::RecoverContainer),
        1 => Just(Op::PurgeContainer),
        3 => (0_i64..40).prop_map(Op::AdvanceDays),
        1 => Just(Op::Restart),
    ];
    let mut all: Vec<_> = of_things.map(|(weight, op)| (weight, thing.clone().prop_map(op).boxed())).into();
    if kinds.contains(&ObjectKind::Certificate) {
        let certificate = thing.prop_map(|thing| thing.of(ObjectKind::Certificate));
        all.extend(of_certificates.map(|(weight, op)| (weight, certificate.clone().prop_map(op).boxed())));
    }
    all.push((9, of_containers.boxed()));
    proptest::collection::vec(Union::new_weighted(all), 1..longest)
}

/// A thing that is alive, or was deleted at some second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Alive,
    DeletedAt(i64),
}

/// What there is to know of a thing.
#[derive(Clone, Copy, Debug)]
struct Being {
    life: Life,
    /// A certificate has none as long as its first waits for the merge.
    versions: usize,
    /// Of a certificate: a version waits for its merge.
    is_pending: bool,
}

/// The napkin.
#[derive(Debug)]
pub struct Model {
    settings: Settings,
    now: i64,
    container: Option<Life>,
    /// What stands for itself. A certificate's key and secret do not: they are wherever it is.
    objects: BTreeMap<(&'static str, usize), Being>,
    /// How many versions there are in backups. They open in this container only as long as it is the same one.
    backups: BTreeMap<(&'static str, usize), usize>,
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
                .filter(|(_, being)| matches!(being.life, Life::DeletedAt(at) if self.is_over(at)))
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
        | Op::Versions(thing)
        | Op::Update(thing)
        | Op::Delete(thing)
        | Op::GetDeleted(thing)
        | Op::Recover(thing)
        | Op::Purge(thing)
        | Op::Backup(thing)
        | Op::Restore(thing)
        | Op::Begin(thing)
        | Op::Merge(thing)
        | Op::Cancel(thing)
        | Op::Abandon(thing)) = op
        else {
            return Outcome::Skipped;
        };
        if let Some(certificate) = self.certificate_over(thing) {
            return expect_under_certificate(op, certificate);
        }
        let is_in_the_way = |kind: &ObjectKind| self.objects.contains_key(&thing.of(*kind).id());
        if thing.kind.followers().iter().any(is_in_the_way) {
            match op {
                Op::Create(_) | Op::Begin(_) => return Outcome::NameHeldByOther,
                Op::Restore(_) => return Outcome::RestoreConflict,
                _ => {}
            }
        }
        let known = self.objects.get(&thing.id()).copied();
        match known.map(|being| being.life) {
            None => self.expect_of_nothing(op, thing),
            Some(Life::Alive) => self.expect_of_live(op, thing),
            Some(Life::DeletedAt(_)) => self.expect_of_deleted(op, thing),
        }
    }

    fn expect_of_nothing(&mut self, op: Op, thing: Thing) -> Outcome {
        let (versions, is_pending) = match op {
            Op::Create(_) => (1, false),
            Op::Restore(_) => (self.backups.get(&thing.id()).copied().unwrap_or_default(), false),
            Op::Begin(_) => (0, true),
            Op::GetDeleted(_) | Op::Purge(_) => return Outcome::DeletedNotFound,
            Op::Abandon(_) => return Outcome::Skipped,
            // A list of nothing.
            Op::Versions(_) => return Outcome::Done,
            _ => return Outcome::NotFound,
        };
        self.objects.insert(thing.id(), Being { life: Life::Alive, versions, is_pending });
        Outcome::Done
    }

    fn expect_of_live(&mut self, op: Op, thing: Thing) -> Outcome {
        let now = self.now;
        let Some(being) = self.objects.get_mut(&thing.id()) else { return Outcome::NotFound };
        match op {
            Op::Create(_) | Op::Begin(_) if being.is_pending => return Outcome::Pending,
            Op::Create(_) => being.versions += 1,
            Op::Begin(_) => being.is_pending = true,
            Op::Merge(_) | Op::Cancel(_) if !being.is_pending => return Outcome::NothingPending,
            Op::Abandon(_) if !being.is_pending => return Outcome::Skipped,
            Op::Merge(_) => (being.versions, being.is_pending) = (being.versions + 1, false),
            Op::Cancel(_) | Op::Abandon(_) => being.is_pending = false,
            // Its key is not there yet.
            Op::Sign(_) if being.versions == 0 => return Outcome::NotFound,
            Op::Backup(_) if being.versions == 0 => return Outcome::NoVersion,
            Op::Backup(_) => drop(self.backups.insert(thing.id(), being.versions)),
            Op::Restore(_) => return Outcome::RestoreConflict,
            Op::Delete(_) => being.life = Life::DeletedAt(now),
            Op::GetDeleted(_) | Op::Recover(_) | Op::Purge(_) => return Outcome::DeletedNotFound,
            _ => {}
        }
        Outcome::Done
    }

    fn expect_of_deleted(&mut self, op: Op, thing: Thing) -> Outcome {
        match op {
            Op::Create(_) | Op::Begin(_) => Outcome::NameHeldByDeleted,
            Op::Restore(_) => Outcome::RestoreConflict,
            Op::GetDeleted(_) => Outcome::Done,
            Op::Recover(_) => {
                if let Some(being) = self.objects.get_mut(&thing.id()) {
                    being.life = Life::Alive;
                }
                Outcome::Done
            }
            Op::Purge(_) if self.settings.purge_protection => Outcome::PurgeProtected,
            Op::Purge(_) => {
                self.objects.remove(&thing.id());
                Outcome::Done
            }
            Op::Abandon(_) => Outcome::Skipped,
            Op::Versions(_) => Outcome::Done,
            _ => Outcome::NotFound,
        }
    }

    /// The certificate that has this key's or secret's name.
    fn certificate_over(&self, thing: Thing) -> Option<Being> {
        let leads = ObjectKind::Certificate.followers().contains(&thing.kind);
        leads.then(|| self.objects.get(&thing.of(ObjectKind::Certificate).id()).copied()).flatten()
    }

    /// How many versions a live thing has, of itself or with its certificate. What is not there has none.
    #[must_use]
    pub fn versions(&self, thing: Thing) -> usize {
        let being = self.certificate_over(thing).or(self.objects.get(&thing.id()).copied());
        being.filter(|being| being.life == Life::Alive).map_or(0, |being| being.versions)
    }

    /// Whether a certificate has the thing, or is it: those are renewed, and may have more versions than somebody made.
    #[must_use]
    pub fn is_of_certificate(&self, thing: Thing) -> bool {
        thing.kind == ObjectKind::Certificate || self.certificate_over(thing).is_some()
    }

    /// The names that a list of live, or of deleted, objects of a kind must show, in order; `None` while there is no live
    /// container. A certificate without a version is not shown, nor is anything there that it would bring along.
    #[must_use]
    pub fn listed(&self, kind: ObjectKind, deleted: bool) -> Option<Vec<&'static str>> {
        (self.container == Some(Life::Alive)).then(|| {
            let things = (0..NAMES.len()).map(|name| Thing { kind, name });
            let being = |thing: &Thing| self.certificate_over(*thing).or(self.objects.get(&thing.id()).copied());
            let is_shown = |thing: &Thing| {
                let shown = being(thing).filter(|being| being.versions > 0);
                shown.is_some_and(|being| matches!(being.life, Life::DeletedAt(_)) == deleted)
            };
            things.filter(is_shown).map(|thing| thing.name()).collect()
        })
    }
}

/// A certificate's key and secret are where it is, and go where it goes. Before it has a version they are nowhere, and
/// their name is taken all the same.
fn expect_under_certificate(op: Op, certificate: Being) -> Outcome {
    let is_made = certificate.versions > 0;
    match (op, certificate.life) {
        (Op::Restore(_), _) if is_made => Outcome::RestoreConflict,
        (Op::Create(_) | Op::Restore(_), Life::DeletedAt(_)) => Outcome::NameHeldByDeleted,
        (Op::Create(_) | Op::Restore(_), Life::Alive) => Outcome::Managed,
        (Op::GetDeleted(_), Life::DeletedAt(_)) if is_made => Outcome::Done,
        (Op::Recover(_) | Op::Purge(_), Life::DeletedAt(_)) if is_made => Outcome::Managed,
        (Op::Recover(_), Life::Alive) if is_made => Outcome::DeletedNotFound,
        (Op::GetDeleted(_) | Op::Purge(_), _) => Outcome::DeletedNotFound,
        (Op::Versions(_), _) => Outcome::Done,
        (Op::Get(_) | Op::Sign(_), Life::Alive) if is_made => Outcome::Done,
        (Op::Update(_) | Op::Delete(_) | Op::Backup(_), Life::Alive) if is_made => Outcome::Managed,
        _ => Outcome::NotFound,
    }
}
