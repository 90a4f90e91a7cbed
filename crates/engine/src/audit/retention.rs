//! Keeping the log no longer than it is to be kept.
//!
//! Records go from the log's beginning, in small transactions, and only after a signed record has said which: a log
//! whose beginning is missing without one was cut. Their hashes stay, so that proofs about the others go on. Of old
//! checkpoints one an hour is enough.

use super::{Subject, verify::DROPPED};
use crate::{Engine, Error};
use domain::{Operation, UnixTime, time_of_leaf};
use serde::{Deserialize, Serialize};
use std::sync::atomic::Ordering;
use store::StoredCheckpoint;

const RECORD: &str = "audit-dropped";
const PAGE: usize = 1_024;
const DROPPED_AT_ONCE: usize = 1_000;
/// Records wait for others to be dropped with, or each would cost a record that says so.
const PATIENCE_SECONDS: i64 = 3_600;
/// How long every checkpoint is kept.
const CHECKPOINTS_WHOLE_SECONDS: i64 = 86_400;
const CHECKPOINT_EVERY_SECONDS: i64 = 3_600;

/// What has been announced to go.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
struct Announced {
    through: u64,
    /// The position of the record that says so.
    position: u64,
}

impl Engine {
    /// One step of dropping records older than `retention_days`, but none after position `exported`. Returns whether
    /// there is more to do now.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Broken`].
    pub fn prune_audit(&self, retention_days: u32, exported: u64) -> Result<bool, Error> {
        let (announced, first, signed) = self.store.query(|read| {
            let announced = read.system_record(RECORD)?;
            let first = read.audit_bounds()?.map_or(u64::MAX, |(first, _)| first);
            let signed = read.last_audit_checkpoint()?.map_or(0, |last| last.size);
            Ok::<_, Error>((announced, first, signed))
        })?;
        let announced = announced.map(|bytes| serde_json::from_slice(&bytes)).transpose();
        let announced: Announced = announced.map_err(|_| Error::Broken(RECORD))?.unwrap_or_default();
        if first > announced.through {
            return self.announce_pruning(retention_days, exported, signed);
        }
        if signed < announced.position {
            self.sign_audit()?;
        }
        self.store.transact("PruneAudit", |tx| {
            tx.drop_audit(announced.through, DROPPED_AT_ONCE)?;
            Ok::<_, Error>(true)
        })
    }

    /// Says in the log what will go from it.
    fn announce_pruning(&self, retention_days: u32, exported: u64, signed: u64) -> Result<bool, Error> {
        let now = self.now();
        let kept_from = UnixTime(now.0.saturating_sub(i64::from(retention_days) * UnixTime::DAY_SECONDS));
        let Some(through) = self.last_older(kept_from, exported.min(signed))? else { return Ok(false) };
        self.store.transact(Operation::AuditPrune.name(), |tx| {
            let path = format!("{DROPPED}{through}");
            self.append_record(
                tx,
                Operation::AuditPrune,
                None,
                &Subject { path: &path, ..Subject::resource("") },
                now,
            )?;
            let position = tx.audit_bounds()?.map_or(0, |(_, last)| last);
            let announced = serde_json::to_vec(&Announced { through, position }).map_err(|_| Error::Broken(RECORD))?;
            tx.put_system_record(RECORD, &announced)?;
            Ok::<_, Error>(true)
        })
    }

    /// The last of the records at the log's beginning that are all older than `kept_from`, up to position `most`.
    /// `None` if the first of them can wait.
    fn last_older(&self, kept_from: UnixTime, most: u64) -> Result<Option<u64>, Error> {
        let mut through = None;
        let mut after = 0;
        loop {
            let page = self.audit_log(after, PAGE)?;
            let Some((last, _)) = page.last() else { return Ok(through) };
            after = *last;
            for (position, leaf) in page {
                // What has no date was not written by us: it stays, to be found.
                let Some(time) = time_of_leaf(&leaf) else { return Ok(through) };
                let can_wait = through.is_none() && time.plus_seconds(PATIENCE_SECONDS) >= kept_from;
                if time >= kept_from || position > most || can_wait {
                    return Ok(through);
                }
                through = Some(position);
            }
        }
    }

    /// Removes checkpoints that are older than a day, but for the last of each hour.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn thin_audit_checkpoints(&self) -> Result<(), Error> {
        let until = UnixTime(self.now().0.saturating_sub(CHECKPOINTS_WHOLE_SECONDS));
        let mut after = self.notary.thinned.load(Ordering::Relaxed);
        loop {
            let page = self.store.query(|read| read.audit_checkpoints(after, PAGE))?;
            let old: Vec<&StoredCheckpoint> = page.iter().take_while(|each| each.time < until).collect();
            // The last one is looked at again with those after it.
            let (Some(last), true) = (old.last(), old.len() > 1) else { return Ok(()) };
            let hour = |each: &StoredCheckpoint| each.time.0.div_euclid(CHECKPOINT_EVERY_SECONDS);
            let pairs = old.iter().zip(old.iter().skip(1));
            let spare = pairs.filter(|(each, next)| hour(each) == hour(next)).map(|(each, _)| each.size);
            let spare: Vec<u64> = spare.collect();
            self.store.transact("ThinCheckpoints", |tx| {
                spare.iter().try_for_each(|size| tx.remove_audit_checkpoint(*size))
            })?;
            after = last.size - 1;
            self.notary.thinned.store(after, Ordering::Relaxed);
        }
    }
}
