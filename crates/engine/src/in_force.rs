//! What is loaded from the store and kept in memory as it counts now: who has which roles, who is in the directory.
//!
//! Decisions read it without a look at the store, so it must never be older than an answered change. A change is answered
//! after what it concerns was loaded anew. If that fails nothing is kept: whoever asks next loads it, or is refused.
//! It does not know what it keeps, nor when that changes.

use crate::Error;
use arc_swap::ArcSwapOption;
use parking_lot::Mutex;
use std::sync::Arc;
use store::Fault;

pub(crate) struct InForce<T> {
    /// Every request reads it, on all threads: without a lock, and without counting who has it.
    now: ArcSwapOption<T>,
    /// Held while a newer one is loaded: of two changes the later one stays, and readers do not wait for the load.
    loading: Mutex<()>,
}

impl<T> Default for InForce<T> {
    fn default() -> Self {
        Self { now: ArcSwapOption::empty(), loading: Mutex::new(()) }
    }
}

impl<T> InForce<T> {
    pub(crate) fn of(value: T) -> Self {
        Self { now: ArcSwapOption::from_pointee(value), loading: Mutex::new(()) }
    }

    /// What is in memory; `None` if it may be out of date.
    pub(crate) fn at_hand(&self) -> Option<Arc<T>> {
        self.now.load_full()
    }

    /// Asks what is in memory; `None` if it may be out of date.
    pub(crate) fn ask_at_hand<V>(&self, question: impl FnOnce(&T) -> V) -> Option<V> {
        self.now.load().as_deref().map(question)
    }

    /// Asks what counts now.
    ///
    /// # Errors
    /// What `load` returned.
    pub(crate) fn ask<V>(
        &self,
        load: impl FnOnce() -> Result<T, Fault>,
        question: impl Fn(&T) -> V,
    ) -> Result<V, Fault> {
        match self.ask_at_hand(&question) {
            Some(answer) => Ok(answer),
            None => Ok(question(&*self.get_or_load(load)?)),
        }
    }

    /// What counts now: from memory, or loaded if nothing is there.
    ///
    /// # Errors
    /// What `load` returned.
    pub(crate) fn get_or_load(&self, load: impl FnOnce() -> Result<T, Fault>) -> Result<Arc<T>, Fault> {
        if let Some(now) = self.at_hand() {
            return Ok(now);
        }
        let _loading = self.loading.lock();
        // Somebody else may have loaded it meanwhile.
        match self.at_hand() {
            Some(now) => Ok(now),
            None => self.replace(load),
        }
    }

    /// Takes a change into use, before it is answered. What was refused changed nothing; after a fault nobody can say, so
    /// nothing is kept.
    ///
    /// # Errors
    /// Why the change failed, or what `load` returned; then the change stands.
    pub(crate) fn settle<V>(
        &self,
        changed: Result<V, Error>,
        load: impl FnOnce() -> Result<T, Fault>,
    ) -> Result<V, Error> {
        if matches!(changed, Err(Error::Refused(_))) {
            return changed;
        }
        // One who is loading has perhaps read what was before the change.
        let _loading = self.loading.lock();
        match changed {
            Ok(value) => {
                self.replace(load)?;
                Ok(value)
            }
            Err(fault) => {
                self.now.store(None);
                Err(fault)
            }
        }
    }

    fn replace(&self, load: impl FnOnce() -> Result<T, Fault>) -> Result<Arc<T>, Fault> {
        let mut next = Next { of: self, loaded: None };
        let loaded = Arc::new(load()?);
        next.loaded = Some(Arc::clone(&loaded));
        Ok(loaded)
    }
}

/// Takes the place of what was there however the loading ends, also by a panic.
struct Next<'force, T> {
    of: &'force InForce<T>,
    loaded: Option<Arc<T>>,
}

impl<T> Drop for Next<'_, T> {
    fn drop(&mut self) {
        self.of.now.store(self.loaded.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Refusal;
    use std::{
        panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
        sync::mpsc,
        thread,
    };

    fn broken<T>() -> Result<T, Fault> {
        Err(Fault::CorruptRecord { what: "the disk is gone" })
    }

    fn kept(in_force: &InForce<u32>) -> Option<u32> {
        in_force.at_hand().as_deref().copied()
    }

    #[test]
    fn what_could_not_be_loaded_anew_is_not_there() {
        let in_force = InForce::of(1);
        assert!(in_force.settle(Ok(()), broken).is_err());
        assert_eq!(kept(&in_force), None);
        assert!(in_force.get_or_load(broken).is_err());
        assert_eq!(in_force.get_or_load(|| Ok(2)).ok().as_deref(), Some(&2));
        assert_eq!(in_force.get_or_load(broken).ok().as_deref(), Some(&2), "once loaded it is not asked for again");
    }

    #[test]
    fn a_refusal_changes_nothing_and_after_a_fault_nothing_is_kept() {
        let in_force = InForce::of(1);
        let refused = Err::<(), _>(Error::Refused(Refusal::PrincipalNotFound));
        assert!(in_force.settle(refused, || Ok(2)).is_err());
        assert_eq!(kept(&in_force), Some(1));
        assert!(in_force.settle(broken::<()>().map_err(Error::from), || Ok(2)).is_err());
        assert_eq!(kept(&in_force), None);
    }

    #[test]
    fn a_load_that_panics_leaves_nothing_behind() {
        let in_force = InForce::of(1);
        let panics = || in_force.settle(Ok(()), || resume_unwind(Box::new("on purpose")));
        assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
        assert_eq!(kept(&in_force), None);
        assert_eq!(in_force.get_or_load(|| Ok(2)).ok().as_deref(), Some(&2));
    }

    #[test]
    fn what_was_read_before_a_change_is_not_kept_after_it() {
        for outcome in [Ok(()), broken()] {
            let expected = outcome.is_ok().then_some(2);
            let in_force = InForce::<u32>::default();
            let (has_read, wait_for_read) = mpsc::channel();
            let (go_on, wait_for_change) = mpsc::channel::<()>();
            thread::scope(|scope| {
                let in_force = &in_force;
                let reader = scope.spawn(move || {
                    in_force.get_or_load(|| {
                        has_read.send(()).unwrap();
                        wait_for_change.recv().unwrap();
                        Ok(1)
                    })
                });
                wait_for_read.recv().unwrap();
                let changer = scope.spawn(move || in_force.settle(outcome.map_err(Error::from), || Ok(2)));
                go_on.send(()).unwrap();
                assert_eq!(reader.join().unwrap().ok().as_deref(), Some(&1));
                assert_eq!(changer.join().unwrap().is_ok(), expected.is_some());
            });
            assert_eq!(kept(&in_force), expected);
        }
    }
}
