//! Changes: one transaction with the change and its audit record, or neither.

use crate::{Engine, Error};
use domain::{AuditRecord, ContainerId, Operation, Outcome, UnixTime, access::Caller};
use store::Tx;

impl Engine {
    /// Runs `work` in the transaction named after the operation and appends the audit record to it. If the record
    /// can't be written the change does not happen. `caller` is `None` for what the service does by itself.
    pub(crate) fn change<T>(
        &self,
        operation: Operation,
        caller: Option<&Caller>,
        container: Option<ContainerId>,
        target: &str,
        mut work: impl FnMut(&mut dyn Tx, UnixTime) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let now = self.now();
        let record = self.audit_record(operation, caller, container, target, now);
        self.store.transact(operation.name(), |tx| {
            let value = work(tx, now)?;
            tx.append_audit(&record)?;
            Ok(value)
        })
    }

    pub(crate) fn audit_record(
        &self,
        operation: Operation,
        caller: Option<&Caller>,
        container: Option<ContainerId>,
        target: &str,
        now: UnixTime,
    ) -> AuditRecord {
        AuditRecord {
            time: now,
            operation,
            outcome: Outcome::Done,
            container,
            target: target.to_owned(),
            caller_object_id: caller.map(|caller| caller.object_id),
            caller_app_id: caller.and_then(|caller| caller.app_id),
            caller_address: caller.and_then(|caller| caller.address),
            correlation_id: caller.map_or_else(|| self.new_guid(), |caller| caller.correlation_id),
        }
    }
}
