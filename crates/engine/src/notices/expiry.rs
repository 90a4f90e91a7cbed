//! The loop that tells of versions whose end is near or has come.

use crate::{Engine, Error};
use domain::State;
use store::{DueObject, Read};

impl Engine {
    /// Tells of what is due, at most of `limit` objects. Returns of how many.
    ///
    /// # Errors
    /// [`Error::Store`] if what is due can't be read.
    pub fn publish_due(&self, limit: usize) -> Result<usize, Error> {
        let now = self.now();
        let find = |read: &mut dyn Read, limit| read.due_notices(now, limit);
        self.try_due(&self.telling_retries, limit, find, "the end of a version could not be told", |due| {
            self.publish_expiry(due).map(|()| true)
        })
    }

    /// Looks again inside its own transaction: what was told meanwhile is not told twice.
    fn publish_expiry(&self, due: &DueObject) -> Result<(), Error> {
        self.store.transact("PublishExpiry", |tx| {
            let now = self.now();
            let Some(container) = tx.container_by_id(due.container)?.map(|stored| stored.container) else {
                return Ok(());
            };
            let found = tx.object(due.container, due.kind, &due.name)?.map(|stored| stored.object);
            let live = |state: State| state.is_live();
            let Some(mut object) = found.filter(|object| live(object.state) && live(container.state)) else {
                return Ok(());
            };
            let current = tx.version(due.container, due.kind, &due.name, object.current)?;
            let current = current.ok_or(Error::Broken("an object has no current version"))?.version;
            match object.expiry_to_tell(&current, now) {
                Some(event) => {
                    object.note_told(&current, event);
                    self.publish_version(tx, &container, (&object, &current), event)?;
                }
                // It was due by a date that no longer counts.
                None => object.schedule_notice(&current),
            }
            Ok(tx.save_object(due.container, &object)?)
        })
    }
}
