//! Changes: one transaction with the change and its audit record, or neither.

use crate::{Engine, Error, OpenContainer, Subject};
use domain::{Operation, Refusal, UnixTime, access::Caller};
use store::Tx;

impl Engine {
    /// Runs `work` in the transaction named after the operation and appends the audit record to it. If the record
    /// can't be written the change does not happen. `caller` is `None` for what the service does by itself.
    pub(crate) fn change<T>(
        &self,
        operation: Operation,
        caller: Option<&Caller>,
        subject: &Subject<'_>,
        mut work: impl FnMut(&mut dyn Tx, UnixTime) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.store.transact(operation.name(), |tx| {
            // Read at the desk, not in the queue before it: what a reader has seen purged must not be recovered.
            let now = self.now();
            let value = work(tx, now)?;
            self.append_record(tx, operation, caller, subject, now)?;
            Ok(value)
        })
    }

    /// Runs `work` for a caller who may do `operation` now, on the entry that counts now: the one the caller took, or
    /// the one that a change has put in its place. A change of rights or of the container is answered after it.
    pub(crate) fn authorised<T>(
        &self,
        caller: &Caller,
        operation: Operation,
        target: &OpenContainer,
        path: &str,
        mut work: impl FnMut(&OpenContainer) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut attempt = |entry: &OpenContainer| {
            self.authorise(caller, operation, entry, path)?;
            work(entry)
        };
        if let Some(outcome) = target.hold(|| attempt(target)) {
            return outcome;
        }
        let fresh = self.open_container(target.kind(), target.container.name.as_str())?;
        // Purged and made anew under its name, it is another container.
        if fresh.id() != target.id() {
            return Err(Refusal::ContainerNotFound.into());
        }
        fresh.hold(|| attempt(&fresh)).unwrap_or(Err(Error::Busy))
    }

    /// [`Engine::change`] in a container, by a caller who may: rights and change belong together.
    pub(crate) fn change_in<T>(
        &self,
        caller: &Caller,
        operation: Operation,
        target: &OpenContainer,
        path: &str,
        mut work: impl FnMut(&mut dyn Tx, UnixTime) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.authorised(caller, operation, target, path, |entry| {
            self.change(operation, Some(caller), &Subject::within(entry, path), &mut work)
        })
    }
}
