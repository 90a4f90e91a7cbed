//! The loop that acts on objects whose time has come: keys rotate, certificates are made and renewed.

use crate::{Engine, Error, OpenContainer};
use domain::{CertificateRefusal, ObjectKind, Refusal};
use std::sync::Arc;
use store::DueObject;

impl Engine {
    /// Acts on what is due, at most on `limit` objects. Returns on how many it acted.
    ///
    /// # Errors
    /// [`Error::Store`] if what is due can't be read.
    pub fn act_on_due(&self, limit: usize) -> Result<usize, Error> {
        let now = self.now();
        let mut acted = 0;
        let found = self.store.query(|read| read.due_actions(now, self.acting_retries.to_read(limit)))?;
        for due in self.acting_retries.begin(found, limit) {
            let Some(target) = self.container_of(&due) else { continue };
            let outcome = match due.kind {
                ObjectKind::Key => self.rotate_if_due(&target, &due.name),
                ObjectKind::Certificate => self.advance_certificate(&target, &due.name),
                ObjectKind::Secret => Ok(false),
            };
            match outcome {
                Ok(true) => {
                    self.acting_retries.done(&due);
                    acted += 1;
                }
                Ok(false) => {}
                // Somebody else has just changed it: the next round looks again.
                Err(Error::Busy) => {}
                Err(error) if self.is_gone(&due, &error) => {}
                // One that can't be acted on must not keep the others from it.
                Err(error) => {
                    let (container, kind) = (&target.container.name, due.kind);
                    tracing::error!(%container, %kind, name = %due.name, %error, "what was due could not be done");
                }
            }
        }
        Ok(acted)
    }

    /// The live container of what is due. One that can't be opened must not keep the others from it.
    pub(crate) fn container_of(&self, due: &DueObject) -> Option<Arc<OpenContainer>> {
        self.open_container_by_id(due.container).unwrap_or_else(|error| {
            let (container, kind) = (due.container, due.kind);
            tracing::error!(%container, %kind, name = %due.name, %error, "the container of what is due can't be opened");
            None
        })
    }

    /// Whether what was due could not be done because it is not there any more: somebody deleted it, or its container, or
    /// ended the pending operation meanwhile.
    pub(crate) fn is_gone(&self, due: &DueObject, error: &Error) -> bool {
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
