//! Locks: what they are on, and what they keep from happening.
//!
//! A lock is of the control plane and stands above rights: it stops whoever may do something. It counts for its scope and
//! everything below, never for the use of what is in a container, nor for what the service does by itself. Source:
//! contract key-vault §4, "Neighbouring calls"; `specs/azure/arm-locks-2020-05-01.json`.

use crate::{ContainerKind, ContainerName, Guid, Refusal, ResourceId, access::Scope};
use serde::{Deserialize, Serialize};

/// The length of the longest note.
pub const NOTE_LENGTH: usize = 512;
const NAME_LENGTH: usize = 260;

/// What a lock keeps from happening.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Level {
    CanNotDelete,
    /// Neither deletion nor change.
    ReadOnly,
}

impl Level {
    pub const ALL: [Self; 2] = [Self::CanNotDelete, Self::ReadOnly];

    /// The word of the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CanNotDelete => "CanNotDelete",
            Self::ReadOnly => "ReadOnly",
        }
    }

    /// Reads the word, without case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str().eq_ignore_ascii_case(text))
    }
}

/// The name of a lock, unique at its scope. Kept as given, compared without case.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LockName(String);

impl LockName {
    /// At most 260 characters, none of them a control character or one of `<>%&:\?/`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_length = (1..=NAME_LENGTH).contains(&text.chars().count());
        let is_name = is_length && !text.chars().any(|char| char.is_control() || r"<>%&:\?/".contains(char));
        is_name.then(|| Self(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which names are compared.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_lowercase()
    }
}

impl PartialEq for LockName {
    fn eq(&self, other: &Self) -> bool {
        self.folded() == other.folded()
    }
}

impl Eq for LockName {}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    pub scope: Scope,
    pub name: LockName,
    pub level: Level,
    pub notes: Option<String>,
    /// Application ids of those who keep the lock: told to whoever asks, and no right.
    pub owners: Vec<String>,
}

impl Lock {
    /// Whether it is at what lies at `path`, or above.
    #[must_use]
    pub fn counts_for(&self, path: &str) -> bool {
        is_within(path, self.scope.as_str())
    }

    /// Whether a new or changed lock may be kept.
    ///
    /// # Errors
    /// [`Refusal::ParameterInvalid`] for notes that are too long.
    pub fn check(&self) -> Result<(), Refusal> {
        match &self.notes {
            Some(notes) if notes.chars().count() > NOTE_LENGTH => {
                Err(Refusal::ParameterInvalid { parameter: "notes", reason: "they are longer than 512 characters" })
            }
            _ => Ok(()),
        }
    }
}

/// What a lock can be on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Subscription(Guid),
    ResourceGroup(ResourceId),
    Container { kind: ContainerKind, resource: ResourceId, name: ContainerName },
}

impl Place {
    /// The place that a scope names; `None` for one that no lock can be on.
    #[must_use]
    pub fn of(scope: &Scope) -> Option<Self> {
        let segments: Vec<&str> = scope.as_str().split('/').skip(1).collect();
        let (head, below) = segments.split_at_checked(2)?;
        let subscription = Guid::parse(named(head, &["subscriptions"])?)?;
        if below.is_empty() {
            return Some(Self::Subscription(subscription));
        }
        let (head, below) = below.split_at_checked(2)?;
        let resource = ResourceId { subscription, resource_group: named(head, &["resourceGroups"])?.to_owned() };
        if below.is_empty() {
            return Some(Self::ResourceGroup(resource));
        }
        ContainerKind::ALL.into_iter().find_map(|kind| {
            let name = named(below, &["providers", "Microsoft.KeyVault", kind.resource_type()])?;
            Some(Self::Container { kind, resource: resource.clone(), name: ContainerName::parse(name)? })
        })
    }
}

/// The last segment, if the others are these words.
fn named<'path>(segments: &[&'path str], words: &[&str]) -> Option<&'path str> {
    let (last, head) = segments.split_last()?;
    let is_path = head.len() == words.len() && head.iter().zip(words).all(|(a, b)| a.eq_ignore_ascii_case(b));
    is_path.then_some(*last)
}

/// The form in which scopes of locks are compared: names of resource groups are not limited to ASCII.
#[must_use]
pub fn folded(path: &str) -> String {
    path.to_lowercase()
}

/// The scopes at and above a path at which a lock counts for it, outermost first.
#[must_use]
pub fn scopes_at_and_above(path: &str) -> Vec<Scope> {
    let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]).skip(1);
    let heads = ends.filter_map(|end| path.get(..end)).map(Scope::new);
    heads.filter(|scope| Place::of(scope).is_some()).collect()
}

/// What an operation does to what it acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Creates or changes: every PUT, PATCH and POST of the resource manager that does so.
    Write,
    Delete,
}

/// Whether locks let this happen to what lies at `path`. A deletion takes what is below with it, so locks there count too.
///
/// # Errors
/// [`Refusal::ScopeLocked`] with the scopes of the locks that say no, each once.
pub fn check(act: Act, path: &str, locks: &[Lock]) -> Result<(), Refusal> {
    let says_no = |lock: &&Lock| match act {
        Act::Write => lock.level == Level::ReadOnly && lock.counts_for(path),
        Act::Delete => lock.counts_for(path) || is_within(lock.scope.as_str(), path),
    };
    let mut locked: Vec<String> = Vec::new();
    for lock in locks.iter().filter(says_no) {
        if !locked.iter().any(|scope| folded(scope) == folded(lock.scope.as_str())) {
            locked.push(lock.scope.as_str().to_owned());
        }
    }
    if locked.is_empty() { Ok(()) } else { Err(Refusal::ScopeLocked { act, scope: path.to_owned(), locked }) }
}

/// Whether a path is a scope or below it.
fn is_within(path: &str, scope: &str) -> bool {
    let (path, scope) = (folded(path), folded(scope));
    path.strip_prefix(&scope).is_some_and(|below| below.is_empty() || below.starts_with('/'))
}

#[cfg(test)]
mod tests;
