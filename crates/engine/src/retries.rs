//! Trying again what is due and could not be done: it comes after what has not been tried.
//!
//! What is due is read in the order of its dates, a few at a time. Without this, a few that fail each time would keep all
//! others from their turn.

use domain::{ContainerId, ObjectKind};
use parking_lot::Mutex;
use std::collections::HashMap;
use store::DueObject;

type Key = (ContainerId, ObjectKind, String);

#[derive(Default)]
pub(crate) struct Retries(Mutex<Tried>);

#[derive(Default)]
struct Tried {
    tries: u64,
    /// What was tried and is due still, with the number of its last try.
    failed: HashMap<Key, u64>,
}

fn key(due: &DueObject) -> Key {
    (due.container, due.kind, due.name.folded())
}

impl Retries {
    /// How much has to be read so that so many are among it that have not failed.
    pub(crate) fn to_read(&self, limit: usize) -> usize {
        limit.saturating_add(self.0.lock().failed.len())
    }

    /// Those that are to be tried now. All of them count as failed, until they are [`Retries::done`].
    pub(crate) fn begin(&self, mut due: Vec<DueObject>, limit: usize) -> Vec<DueObject> {
        let mut tried = self.0.lock();
        let before = std::mem::take(&mut tried.failed);
        let last = |due: &DueObject| before.get(&key(due)).copied();
        tried.failed = due.iter().filter_map(|due| Some((key(due), last(due)?))).collect();
        due.sort_by_key(|due| last(due).unwrap_or(0));
        due.truncate(limit);
        for due in &due {
            tried.tries += 1;
            let number = tried.tries;
            tried.failed.insert(key(due), number);
        }
        due
    }

    pub(crate) fn done(&self, due: &DueObject) {
        self.0.lock().failed.remove(&key(due));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Guid, ObjectName};

    fn due(names: &[&str]) -> Vec<DueObject> {
        let due = |name: &&str| DueObject {
            container: ContainerId(Guid::from_u128(1)),
            kind: ObjectKind::Key,
            name: ObjectName::parse(name).unwrap(),
        };
        names.iter().map(due).collect()
    }

    fn begun(retries: &Retries, all: &[&str]) -> Vec<String> {
        let read = due(all).into_iter().take(retries.to_read(2)).collect();
        retries.begin(read, 2).iter().map(|due| due.name.as_str().to_owned()).collect()
    }

    #[test]
    fn what_fails_each_time_keeps_nobody_from_their_turn() {
        let retries = Retries::default();
        assert_eq!(begun(&retries, &["a", "b", "c", "d", "e"]), ["a", "b"]);
        assert_eq!(begun(&retries, &["a", "b", "c", "d", "e"]), ["c", "d"]);
        due(&["c", "d"]).iter().for_each(|due| retries.done(due));
        assert_eq!(begun(&retries, &["a", "b", "e"]), ["e", "a"], "and is tried again in its turn");
        assert_eq!(begun(&retries, &["a", "b", "e"]), ["b", "e"]);
        assert_eq!(begun(&retries, &[]), [""; 0]);
        assert_eq!(retries.to_read(2), 2, "what is not due any more is forgotten");
    }
}
