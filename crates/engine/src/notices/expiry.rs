//! The loop that tells of versions whose end is near or has come.

use crate::{Engine, Error};
use domain::State;
use store::DueObject;

impl Engine {
    /// Tells of what is due, at most of `limit` objects. Returns of how many.
    ///
    /// # Errors
    /// [`Error::Store`] if what is due can't be read.
    pub fn publish_due(&self, limit: usize) -> Result<usize, Error> {
        let now = self.now();
        let mut told = 0;
        let found = self.store.query(|read| read.due_notices(now, self.telling_retries.to_read(limit)))?;
        for due in self.telling_retries.begin(found, limit) {
            match self.publish_expiry(&due) {
                Ok(()) => {
                    self.telling_retries.done(&due);
                    told += 1;
                }
                // One that can't be told of must not keep the others from it.
                Err(error) => {
                    let (container, kind) = (due.container, due.kind);
                    tracing::error!(%container, %kind, name = %due.name, %error, "the end of a version could not be told");
                }
            }
        }
        Ok(told)
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
