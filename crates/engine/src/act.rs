//! The loop that acts on objects whose time has come: keys rotate, certificates are made and renewed.

use crate::{Engine, Error};
use domain::ObjectKind;
use store::Read;

impl Engine {
    /// Acts on what is due, at most on `limit` objects. Returns on how many it acted.
    ///
    /// # Errors
    /// [`Error::Store`] if what is due can't be read.
    pub fn act_on_due(&self, limit: usize) -> Result<usize, Error> {
        let now = self.now();
        let find = |read: &mut dyn Read, limit| read.due_actions(now, limit);
        self.try_due(&self.acting_retries, limit, find, "what was due could not be done", |due| {
            let Some(target) = self.open_container_by_id(due.container)? else { return Ok(false) };
            match due.kind {
                ObjectKind::Key => self.rotate_if_due(&target, &due.name),
                ObjectKind::Certificate => self.advance_certificate(&target, &due.name),
                ObjectKind::Secret => Ok(false),
            }
        })
    }
}
