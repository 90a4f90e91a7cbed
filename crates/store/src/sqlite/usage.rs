//! Figures of what was used: upserts and sums, so that nobody has to read what they add to.

use super::{
    row::{Outcome, decode, encode, fold_text, guid_key, limit_of, many, one, position_of},
    session::Session,
};
use crate::{Fault, LifetimeFilter};
use domain::{
    Container, ContainerId, Operation, Outcome as End, UnixTime,
    lifecycle::Purged,
    metering::{KeyVersionUse, Lifetime, Month, OperationCount},
};
use std::ops::Range;

const BEGIN_LIFETIME: &str = "INSERT INTO lifetimes (container, kind, name, subscription, resource_group, record)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const END_LIFETIME: &str = "UPDATE lifetimes SET purged_at = ?2 WHERE container = ?1";
const ADD_OPERATIONS: &str = "INSERT INTO operation_counts (container, month, operation, refused, count)
     VALUES (?1, ?2, ?3, ?4, ?5)
     ON CONFLICT (container, month, operation, refused) DO UPDATE SET count = count + excluded.count";
const NOTE_KEY_USE: &str = "INSERT INTO key_uses (container, month, name, version, last_use)
     VALUES (?1, ?2, ?3, ?4, ?5)
     ON CONFLICT (container, month, name, version) DO UPDATE SET last_use = max(last_use, excluded.last_use)";

/// While a container is deleted its scheduled purge is where its life ends.
pub(super) const LIFETIMES: &str = "SELECT l.record, coalesce(l.purged_at, c.purge_at)
     FROM lifetimes l LEFT JOIN containers c ON c.id = l.container
     WHERE l.subscription = ?1 AND l.container >= ?2 AND (?3 IS NULL OR l.resource_group = ?3)
     AND (?4 IS NULL OR l.kind = ?4) AND (?5 IS NULL OR l.name = ?5)
     AND (l.purged_at IS NULL OR l.purged_at >= ?6) ORDER BY l.container LIMIT ?7";
pub(super) const OPERATION_COUNTS: &str =
    "SELECT operation, refused, count FROM operation_counts WHERE container = ?1 AND month = ?2";
pub(super) const KEY_VERSIONS_USED: &str = "SELECT count(*) FROM (SELECT DISTINCT name, version FROM key_uses
     WHERE container = ?1 AND month BETWEEN ?2 AND ?3 AND last_use >= ?4 AND last_use < ?5)";

impl Session<'_> {
    pub(super) fn begin_lifetime(&self, container: &Container) -> Outcome<()> {
        let row = (
            guid_key(container.id.0),
            container.kind().as_str(),
            container.name.folded(),
            guid_key(container.resource.subscription),
            fold_text(&container.resource.resource_group),
            encode(&Lifetime::of(container))?,
        );
        self.execute_one(BEGIN_LIFETIME, row, "a container of this id is or was there")
    }

    pub(super) fn end_lifetime(&self, container: ContainerId, proof: &Purged) -> Outcome<()> {
        self.execute_one(END_LIFETIME, (guid_key(container.0), proof.at().0), "lifetime is not there")
    }

    pub(super) fn upsert_operations(
        &self,
        container: ContainerId,
        month: Month,
        counted: &OperationCount,
    ) -> Outcome<()> {
        let refused = i64::from(counted.outcome == End::Refused);
        let count = i64::try_from(counted.count).unwrap_or(i64::MAX);
        let row = (guid_key(container.0), month.number(), counted.operation.name(), refused, count);
        self.execute_one(ADD_OPERATIONS, row, "operation count")
    }

    pub(super) fn upsert_key_use(&self, used: &KeyVersionUse) -> Outcome<()> {
        let month = Month::of(used.at).number();
        let row = (guid_key(used.container.0), month, used.name.folded(), used.version.as_bytes(), used.at.0);
        self.execute_one(NOTE_KEY_USE, row, "key use")
    }

    pub(super) fn lifetimes_of(
        &self,
        filter: &LifetimeFilter,
        from: Option<ContainerId>,
        limit: usize,
    ) -> Outcome<Vec<Lifetime>> {
        let key = (
            guid_key(filter.subscription),
            from.map_or(Vec::new(), |from| guid_key(from.0).to_vec()),
            filter.resource_group.as_deref().map(fold_text),
            filter.kind.map(domain::ContainerKind::as_str),
            filter.name.as_ref().map(domain::ContainerName::folded),
            filter.alive_since.0,
            limit_of(limit),
        );
        many(self.connection, LIFETIMES, key, |row| {
            let mut lifetime: Lifetime = decode(row, 0, "lifetime")?;
            lifetime.ends = row.get::<_, Option<i64>>(1)?.map(UnixTime);
            Ok(lifetime)
        })
    }

    pub(super) fn counts_of(&self, container: ContainerId, month: Month) -> Outcome<Vec<OperationCount>> {
        let corrupt = Fault::CorruptRecord { what: "operation count" };
        let mut counts = many(self.connection, OPERATION_COUNTS, (guid_key(container.0), month.number()), |row| {
            let name: String = row.get(0)?;
            let outcome = if row.get::<_, i64>(1)? == 0 { End::Done } else { End::Refused };
            Ok((Operation::parse(&name), outcome, position_of(row, 2)?))
        })?;
        counts.sort_unstable();
        let counts = counts
            .into_iter()
            .map(|(operation, outcome, count)| operation.map(|operation| OperationCount { operation, outcome, count }));
        counts.collect::<Option<_>>().ok_or(corrupt)
    }

    pub(super) fn versions_used(&self, container: ContainerId, within: &Range<UnixTime>) -> Outcome<u64> {
        let (first, last) = (Month::of(within.start).number(), Month::of(within.end).number());
        let key = (guid_key(container.0), first, last, within.start.0, within.end.0);
        let count = one(self.connection, KEY_VERSIONS_USED, key, |row| position_of(row, 0))?;
        Ok(count.unwrap_or_default())
    }
}
