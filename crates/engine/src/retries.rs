//! Trying again what is due and could not be done: it comes after what has not been tried.
//!
//! What is due is read in the order of its dates, a few at a time. Without this, a few that fail each time would keep all
//! others from their turn.

use crate::{Engine, Error};
use domain::{CertificateRefusal, ContainerId, ObjectKind, Refusal};
use parking_lot::Mutex;
use std::collections::HashMap;
use store::{DueObject, Fault, Read};

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
    fn to_read(&self, limit: usize) -> usize {
        limit.saturating_add(self.0.lock().failed.len())
    }

    /// Those that are to be tried now. All of them count as failed, until they are [`Retries::done`].
    fn begin(&self, mut due: Vec<DueObject>, limit: usize) -> Vec<DueObject> {
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

    fn done(&self, due: &DueObject) {
        self.0.lock().failed.remove(&key(due));
    }
}

impl Engine {
    /// Tries what `find` finds due, at most `limit`, and returns how many `attempt` has done. One that fails is logged as
    /// `failure` and must not keep the others from their turn.
    pub(crate) fn try_due(
        &self,
        retries: &Retries,
        limit: usize,
        find: impl Fn(&mut dyn Read, usize) -> Result<Vec<DueObject>, Fault>,
        failure: &'static str,
        mut attempt: impl FnMut(&DueObject) -> Result<bool, Error>,
    ) -> Result<usize, Error> {
        let found = self.store.query(|read| find(read, retries.to_read(limit)))?;
        let mut done = 0;
        for due in retries.begin(found, limit) {
            match attempt(&due) {
                Ok(true) => {
                    retries.done(&due);
                    done += 1;
                }
                Ok(false) => {}
                // Somebody else has just changed it: the next round looks again.
                Err(Error::Busy) => {}
                Err(error) if self.is_gone(&due, &error) => {}
                Err(error) => {
                    let (container, kind) = (due.container, due.kind);
                    tracing::error!(%container, %kind, name = %due.name, %error, "{failure}");
                }
            }
        }
        Ok(done)
    }

    /// Whether what was due could not be done because it is not there any more: somebody deleted it, or its container, or
    /// ended the pending operation meanwhile.
    fn is_gone(&self, due: &DueObject, error: &Error) -> bool {
        match error {
            Error::Refused(Refusal::Certificate(
                CertificateRefusal::PendingNotFound | CertificateRefusal::NotInProgress { .. },
            )) => true,
            Error::Refused(_) => !self.is_there(due).unwrap_or(true),
            _ => false,
        }
    }

    fn is_there(&self, due: &DueObject) -> Result<bool, Error> {
        let Some(target) = self.open_container_by_id(due.container)? else { return Ok(false) };
        let found = self.store.query(|read| read.object(target.id(), due.kind, &due.name))?;
        Ok(found.is_some_and(|found| found.object.state.is_live()))
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
