//! Places that no one container can take all of.

use domain::ContainerId;
use parking_lot::Mutex;
use std::{collections::HashMap, sync::Arc};
use tokio::sync::Semaphore;

/// So many places for each container. Those of a container are kept while somebody has one or waits for one.
pub struct Shares {
    each: usize,
    of: Mutex<HashMap<ContainerId, Arc<Semaphore>>>,
}

impl Shares {
    #[must_use]
    pub fn new(each: usize) -> Self {
        Self { each, of: Mutex::default() }
    }

    /// The places of a container.
    pub fn of(&self, container: ContainerId) -> Arc<Semaphore> {
        let mut all = self.of.lock();
        // Whoever has a place or waits for one holds on to the semaphore.
        all.retain(|_, places| Arc::strong_count(places) > 1);
        Arc::clone(all.entry(container).or_insert_with(|| Arc::new(Semaphore::new(self.each))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Guid;

    #[test]
    fn each_container_has_places_of_its_own_for_as_long_as_they_are_used() {
        let shares = Shares::new(1);
        let [one, other] = [1, 2].map(|number| ContainerId(Guid::from_u128(number)));
        let taken = shares.of(one).try_acquire_owned().unwrap();
        assert!(shares.of(one).try_acquire_owned().is_err());
        assert!(shares.of(other).try_acquire_owned().is_ok());
        drop(taken);
        assert!(shares.of(one).try_acquire_owned().is_ok());
        assert_eq!(shares.of.lock().len(), 1, "nobody uses the other's");
    }
}
