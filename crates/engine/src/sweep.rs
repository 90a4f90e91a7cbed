//! The purge scheduler: destroys what is due, once, and never early. It also clears up what is of no more use.
//!
//! Each purge is a transaction of its own that looks again before it acts: a crash leaves it done or not done, and
//! two sweeps at once purge once.

use crate::{Engine, Error, containers::operations};
use domain::{ContainerId, OperationResult};
use store::DueObject;

/// What a sweep destroyed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    pub containers: usize,
    pub objects: usize,
    /// Pages of what purged containers had left behind.
    pub remains: usize,
    /// Results of operations that nobody polls for any more.
    pub results: usize,
}

impl Swept {
    #[must_use]
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

impl Engine {
    /// Purges what is due, at most `limit` containers, `limit` objects, `limit` pages of what was left behind and
    /// `limit` old results.
    ///
    /// # Errors
    /// [`Error::Store`] if what is due can't be read.
    pub fn sweep(&self, limit: usize) -> Result<Swept, Error> {
        self.keep_time()?;
        let now = self.now();
        let (containers, objects) = self
            .store
            .query(|read| Ok::<_, Error>((read.due_containers(now, limit)?, read.due_objects(now, limit)?)))?;
        let mut swept = Swept::default();
        // One that can't be purged must not keep the others from it; the next sweep tries again.
        for id in containers {
            match self.expire_container(id) {
                Ok(purged) => swept.containers += usize::from(purged),
                Err(error) => tracing::error!(container = %id, %error, "a due purge failed"),
            }
        }
        for due in objects {
            match self.expire_object(&due) {
                Ok(purged) => swept.objects += usize::from(purged),
                Err(error) => {
                    tracing::error!(container = %due.container, name = %due.name, %error, "a due purge failed")
                }
            }
        }
        while swept.remains < limit && self.store.transact("RemoveRemains", |tx| tx.remove_remains())? {
            swept.remains += 1;
        }
        let until = now.plus_seconds(-OperationResult::KEPT_SECONDS);
        swept.results = self.store.transact("ForgetResults", |tx| tx.remove_operation_results(until, limit))?;
        Ok(swept)
    }

    fn expire_container(&self, id: ContainerId) -> Result<bool, Error> {
        let now = self.now();
        self.store.transact("ExpireContainer", |tx| {
            let Some(container) = tx.container_by_id(id)?.map(|stored| stored.container) else {
                return Ok(false);
            };
            let Some(proof) = container.state.deletion().and_then(|deletion| deletion.expire(now)) else {
                return Ok(false);
            };
            tx.remove_container(id, proof)?;
            let purge = operations(container.kind()).purge;
            self.append_expiry(tx, purge, &container, "", now)?;
            Ok(true)
        })
    }

    fn expire_object(&self, due: &DueObject) -> Result<bool, Error> {
        self.store.transact("ExpireObject", |tx| {
            let present = tx.object(due.container, due.kind, &due.name)?.is_some();
            Ok(present && self.take_object(tx, due.container, due.kind, &due.name)?.is_none())
        })
    }
}
