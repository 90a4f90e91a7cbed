//! The audit log: what was done and what was refused, one record each.
//!
//! A change's record is part of the change's transaction. What changes nothing (reads, the use of keys, refusals) is
//! answered without waiting for the disk: its record waits in a bounded queue and becomes durable with many others,
//! within a second. Records are made here and nowhere else.
//!
//! The notary signs the head of a tree over the records, so that none can be changed afterwards unseen: [`verify`]
//! walks the whole log, proofs convince somebody else, an export does without the store, and
//! retention lets the oldest records go.

mod export;
mod finding;
mod notary;
mod proofs;
mod queue;
mod retention;
mod tree;
mod turns;
mod verify;
mod walk;

pub use export::{ExportError, export, verify_export};
pub use finding::{CheckpointFault, Finding, KeptFault, Span};
pub(crate) use notary::Notary;
pub use proofs::{ConsistencyProof, InclusionProof, NoProof, prove_consistency, prove_inclusion};
pub(crate) use queue::{Entry, Queue};
pub use tree::{Standing, standing, verifier_key};
pub use verify::{Kept, Report, verify};

use crate::{
    Engine, Error, OpenContainer,
    metering::{Count, write_counts},
};
use domain::{
    AuditRecord, Container, ContainerId, ContainerKind, Event, Guid, Operation, Outcome, UnixTime,
    access::{Caller, Origin},
    metering::Month,
};
use std::{borrow::Cow, net::IpAddr, time::Duration};
use store::Tx;

/// What an operation acts on, as the log names it.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The container that it is or lies in.
    pub container: Option<(ContainerKind, ContainerId)>,
    /// The ARM id of the container, or of what else in the control plane is acted on.
    pub resource: &'a str,
    /// Inside the container: `/keys/{name}`.
    pub path: &'a str,
}

impl<'a> Subject<'a> {
    /// Something of the control plane.
    #[must_use]
    pub fn resource(resource: &'a str) -> Self {
        Self { container: None, resource, path: "" }
    }

    /// Something in a container.
    #[must_use]
    pub fn within(container: &'a OpenContainer, path: &'a str) -> Self {
        Self { container: Some((container.kind(), container.id())), resource: container.arm_id(), path }
    }
}

/// How a request that changed nothing ended.
#[derive(Clone, Copy, Debug)]
pub struct Ending<'a> {
    pub status: u16,
    /// The error's code, the inner one where there is one; `None` for a success.
    pub code: Option<&'a str>,
}

/// Who asked.
#[derive(Clone, Copy)]
pub enum Asker<'a> {
    Caller(&'a Caller),
    /// Nobody that a token names.
    Stranger {
        origin: &'a Origin,
        address: IpAddr,
        correlation_id: Guid,
    },
}

impl Asker<'_> {
    fn origin(&self) -> &Origin {
        match self {
            Self::Caller(caller) => &caller.origin,
            Self::Stranger { origin, .. } => origin,
        }
    }
}

/// A request that changed nothing, to be told of.
pub struct Told<'a> {
    pub event: Event,
    pub by: Asker<'a>,
    pub subject: Subject<'a>,
    pub ending: Ending<'a>,
}

impl Engine {
    /// Tells the log of a request that changed nothing: a read, a use of a key, a refusal. What was changed has been
    /// told of already.
    ///
    /// # Errors
    /// [`Error::Busy`] if more waits to be written than the log can take: then the request must not be answered as
    /// done.
    pub fn tell(&self, told: &Told<'_>) -> Result<(), Error> {
        let took = self.took(told.by.origin());
        let entered = self.enter(told, took);
        let is_done = told.ending.code.is_none() && entered.is_ok();
        let outcome = if is_done { Outcome::Done } else { Outcome::Refused };
        let kind = told.subject.container.map(|(kind, _)| kind);
        self.counters.answered(told.event, outcome, kind, took);
        entered
    }

    fn enter(&self, told: &Told<'_>, took: Duration) -> Result<(), Error> {
        let done = told.ending.code.is_none();
        if let (true, Event::Operation(operation)) = (done, told.event)
            && operation.is_change()
        {
            return Ok(());
        }
        let mut record = self.record(told.event, Some(told.by), &told.subject, self.now());
        record.duration_ms = milliseconds(took);
        if let Some(code) = told.ending.code {
            record.outcome = Outcome::Refused;
            record.result_signature = code.into();
        }
        record.properties.http_status_code = Some(told.ending.status);
        self.audit.enter(Entry { leaf: &record.leaf(), count: counted(&record) })
    }

    /// Makes what waits durable: records, with what they are counted as, and uses of keys. Call it at least once a
    /// second, and before the process ends.
    ///
    /// # Errors
    /// [`Error::Store`]: everything still waits.
    pub fn flush_audit(&self) -> Result<(), Error> {
        self.audit.flush(|entries| self.write_down(entries))?;
        // A use is noted before its record is there.
        if self.key_uses.waiting().is_empty() { Ok(()) } else { self.write_down(&[]) }
    }

    fn write_down(&self, entries: &[Entry<'_>]) -> Result<(), Error> {
        let uses = self.key_uses.waiting();
        let leaves: Vec<_> = entries.iter().map(|entry| entry.leaf).collect();
        self.store.transact("FlushAudit", |tx| {
            tx.append_audit_all(&leaves)?;
            write_counts(tx, entries.iter().filter_map(|entry| entry.count))?;
            for used in &uses {
                tx.note_key_use(used)?;
            }
            Ok::<_, Error>(())
        })?;
        self.key_uses.forget(uses);
        Ok(())
    }

    /// Durable leaves of the log with their positions, after the given position.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn audit_log(&self, after: u64, limit: usize) -> Result<Vec<(u64, String)>, Error> {
        Ok(self.store.query(|read| read.audit(after, limit))?)
    }

    /// Tells of a change inside its transaction. `caller` is `None` for what the service does by itself.
    pub(crate) fn append_record(
        &self,
        tx: &mut dyn Tx,
        operation: Operation,
        caller: Option<&Caller>,
        subject: &Subject<'_>,
        now: UnixTime,
    ) -> Result<(), Error> {
        let mut record = self.record(Event::Operation(operation), caller.map(Asker::Caller), subject, now);
        record.properties.http_status_code = caller.map(|_| operation.success_status());
        record.duration_ms = caller.map_or(0, |caller| milliseconds(self.took(&caller.origin)));
        tx.append_audit(&record.leaf())?;
        write_counts(tx, counted(&record).into_iter())
    }

    /// Tells of a container's purge by the service itself.
    pub(crate) fn append_expiry(
        &self,
        tx: &mut dyn Tx,
        purge: Operation,
        container: &Container,
        path: &str,
        now: UnixTime,
    ) -> Result<(), Error> {
        let subject =
            Subject { container: Some((container.kind(), container.id)), resource: &container.arm_id(), path };
        self.append_record(tx, purge, None, &subject, now)
    }

    /// `by` is `None` for the service itself.
    fn record<'a>(&self, event: Event, by: Option<Asker<'a>>, subject: &Subject<'a>, now: UnixTime) -> AuditRecord<'a> {
        let (origin, address, correlation_id) = match by {
            None => (None, None, self.new_guid()),
            Some(Asker::Caller(caller)) => (Some(&*caller.origin), caller.address, caller.correlation_id),
            Some(Asker::Stranger { origin, address, correlation_id }) => (Some(origin), Some(address), correlation_id),
        };
        let mut record = AuditRecord::new(now, event, correlation_id, subject.resource, subject.path);
        record.properties.container = subject.container.map(|(_, id)| id);
        record.caller_address = address;
        if let Some(Asker::Caller(caller)) = by {
            record.identity.claim.object_id = Some(caller.object_id);
            record.identity.claim.app_id = caller.app_id;
        }
        if let Some(origin) = origin {
            record.operation_version = origin.api_version.as_deref().map(kept);
            record.properties.request_uri = Some(origin.uri.as_str()).filter(|uri| !uri.is_empty()).map(kept);
            record.properties.client_info = origin.client.as_deref().map(kept);
        }
        record
    }

    /// How long a request has taken so far.
    fn took(&self, origin: &Origin) -> Duration {
        self.elapsed().saturating_sub(origin.started)
    }

    /// Time on the clock that durations are measured by.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }
}

fn kept(text: &str) -> Cow<'_, str> {
    domain::beginning(text).into()
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// What a record is counted as: an operation in a container. Not counted are requests without a known caller, and what
/// the service does by itself.
fn counted(record: &AuditRecord<'_>) -> Option<Count> {
    record.identity.claim.object_id?;
    Some(Count {
        container: record.properties.container?,
        month: Month::of(record.time),
        operation: record.operation()?,
        outcome: record.outcome,
    })
}
