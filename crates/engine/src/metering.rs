//! Metering: what was done is counted with its audit record, and told as lines of a bill.
//!
//! A change is counted in its own transaction; a read, a use of a key or a refusal in the one that makes its audit
//! record durable. So figures and log tell the same whatever fails in between. Uses of keys that are paid for wait
//! beside the records, at most one for each version and second.
//!
//! What a container is charged for is not known here: see [`domain::metering`].

use crate::{Engine, Error, OpenContainer, Page, PageRequest, open::OpenVersion};
use domain::{
    Body, ContainerId, ContainerKind, ContainerName, Guid, ObjectName, Operation, Outcome, Refusal, ResourceId,
    UnixTime, VersionId,
    access::Caller,
    metering::{Counted, KeyVersionUse, Lifetime, Line, Meter, Month, OperationCount, Prices, bill, charged_uses},
};
use parking_lot::Mutex;
use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, atomic::Ordering},
};
use store::{LifetimeFilter, Read, Tx};

/// One thing to count: an operation that somebody asked for in a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Count {
    pub container: ContainerId,
    pub month: Month,
    pub operation: Operation,
    pub outcome: Outcome,
}

/// Adds counts up and writes them in a transaction.
pub(crate) fn write_counts(tx: &mut dyn Tx, counts: impl Iterator<Item = Count>) -> Result<(), Error> {
    let mut sums = BTreeMap::<Count, u64>::new();
    for count in counts {
        *sums.entry(count).or_default() += 1;
    }
    for (Count { container, month, operation, outcome }, count) in sums {
        tx.add_operations(container, month, &OperationCount { operation, outcome, count })?;
    }
    Ok(())
}

/// A key version in a month: its latest use there is all that counts.
type UsedIn = (ContainerId, ObjectName, VersionId, Month);

/// Uses of key versions that wait to become durable.
#[derive(Default)]
pub(crate) struct KeyUses(Mutex<HashMap<UsedIn, UnixTime>>);

impl KeyUses {
    fn note(&self, container: ContainerId, name: &ObjectName, version: VersionId, at: UnixTime) {
        let mut waiting = self.0.lock();
        let latest = waiting.entry((container, name.clone(), version, Month::of(at))).or_insert(at);
        *latest = at.max(*latest);
    }

    pub(crate) fn waiting(&self) -> Vec<KeyVersionUse> {
        let waiting = self.0.lock();
        let uses = waiting.iter().map(|((container, name, version, _), at)| KeyVersionUse {
            container: *container,
            name: name.clone(),
            version: *version,
            at: *at,
        });
        uses.collect()
    }

    /// Forgets uses that are durable; one that has been followed by a later one waits on.
    pub(crate) fn forget(&self, durable: Vec<KeyVersionUse>) {
        let mut waiting = self.0.lock();
        for KeyVersionUse { container, name, version, at } in durable {
            let key = (container, name, version, Month::of(at));
            if waiting.get(&key) == Some(&at) {
                waiting.remove(&key);
            }
        }
    }
}

/// Where usage is asked for: at a place in the control plane, for everything that is or was there.
#[derive(Clone, Debug)]
pub enum UsageScope {
    Subscription(Guid),
    Group(ResourceId),
    Container(ContainerKind, ResourceId, ContainerName),
}

/// Which usage to tell.
#[derive(Clone, Debug)]
pub struct UsageQuery {
    pub scope: UsageScope,
    /// Only of containers of this name.
    pub name: Option<ContainerName>,
    /// The first and the last month.
    pub months: (Month, Month),
}

/// One line of one container's bill for one month.
#[derive(Clone, Debug)]
pub struct UsageLine {
    pub lifetime: Arc<Lifetime>,
    pub month: Month,
    pub line: Line,
}

/// Names a line, and marks where a page ends: `{container}_{month}_{meter}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct LineName(ContainerId, Month, Meter);

impl LineName {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '_');
        let container = Guid::parse(parts.next()?)?;
        Some(Self(ContainerId(container), Month::parse(parts.next()?)?, Meter::parse(parts.next()?)?))
    }
}

impl fmt::Display for LineName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}_{}", self.0, self.1, self.2)
    }
}

impl UsageLine {
    /// Unique, and the same whenever it is asked for.
    #[must_use]
    pub fn name(&self) -> String {
        self.line_name().to_string()
    }

    fn line_name(&self) -> LineName {
        LineName(self.lifetime.container, self.month, self.line.meter)
    }
}

impl UsageScope {
    #[must_use]
    pub fn subscription(&self) -> Guid {
        match self {
            Self::Subscription(id) => *id,
            Self::Group(resource) | Self::Container(_, resource, _) => resource.subscription,
        }
    }

    /// Its ARM id.
    fn arm_id(&self) -> String {
        let group = |resource: &ResourceId| {
            format!("/subscriptions/{}/resourceGroups/{}", resource.subscription, resource.resource_group)
        };
        match self {
            Self::Subscription(id) => format!("/subscriptions/{id}"),
            Self::Group(resource) => group(resource),
            Self::Container(kind, resource, name) => {
                format!("{}/providers/Microsoft.KeyVault/{}/{name}", group(resource), kind.resource_type())
            }
        }
    }
}

impl UsageQuery {
    fn filter(&self) -> LifetimeFilter {
        let (resource_group, kind, name) = match &self.scope {
            UsageScope::Subscription(_) => (None, None, None),
            UsageScope::Group(resource) => (Some(resource), None, None),
            UsageScope::Container(kind, resource, name) => (Some(resource), Some(*kind), Some(name)),
        };
        LifetimeFilter {
            subscription: self.scope.subscription(),
            resource_group: resource_group.map(|resource| resource.resource_group.clone()),
            kind,
            name: name.or(self.name.as_ref()).cloned(),
            // A key that was used before the first month may still be charged in it.
            alive_since: charged_uses(self.months.0).start,
        }
    }
}

impl Engine {
    /// Makes out bills by a price table; without, there are quantities and no costs.
    #[must_use]
    pub fn with_prices(mut self, prices: Prices) -> Self {
        self.prices = prices;
        self
    }

    #[must_use]
    pub fn prices(&self) -> &Prices {
        &self.prices
    }

    /// Notes that a key version was used, if that has to be paid for: it is HSM-protected, in a vault. A managed HSM is
    /// paid for as a whole.
    pub(crate) fn note_use(&self, target: &OpenContainer, key: &OpenVersion) {
        let Body::Key(body) = &key.version.body else { return };
        if !body.hsm || target.kind() == ContainerKind::ManagedHsm {
            return;
        }
        let now = self.now();
        if key.noted.load(Ordering::Acquire) < now.0 {
            self.key_uses.note(target.id(), &key.object.name, key.version.id, now);
            // Only now: who finds it noted answers without noting it.
            key.noted.fetch_max(now.0, Ordering::Release);
        }
    }

    /// What was used and what it costs, by container, month and meter. What was answered before is in it.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::SubscriptionNotFound`], [`Refusal::ContainerNotFound`] for a container that
    /// neither is nor was in those months, [`Refusal::ParameterInvalid`] for a marker that is none of ours.
    pub fn usage(&self, caller: &Caller, query: &UsageQuery, page: &PageRequest) -> Result<Page<UsageLine>, Error> {
        self.authorise_arm(caller, Operation::UsageRead, &query.scope.arm_id())?;
        let after = page.after.as_deref().map(|marker| {
            let reason = "is not one of ours";
            LineName::parse(marker).ok_or(Refusal::ParameterInvalid { parameter: "$skiptoken", reason })
        });
        let after = after.transpose()?;
        self.flush_audit()?;
        let now = self.now();
        self.store.query(|read| {
            if !read.subscriptions()?.iter().any(|each| each.id == query.scope.subscription()) {
                return Err(Error::Refused(Refusal::SubscriptionNotFound));
            }
            let lines = self.lines_after(read, query, after, page.limit, now)?;
            Ok(Page::cut(lines, page.limit, UsageLine::name))
        })
    }

    /// More than `limit` lines if there are more.
    fn lines_after(
        &self,
        read: &mut dyn Read,
        query: &UsageQuery,
        after: Option<LineName>,
        limit: usize,
        now: UnixTime,
    ) -> Result<Vec<UsageLine>, Error> {
        const BATCH: usize = 100;
        let filter = query.filter();
        let mut from = after.map(|LineName(container, ..)| container);
        let mut lines = Vec::new();
        loop {
            let mut batch = read.lifetimes(&filter, from, BATCH + 1)?;
            if batch.is_empty() && matches!(query.scope, UsageScope::Container(..)) {
                return Err(Refusal::ContainerNotFound.into());
            }
            let next = if batch.len() > BATCH { batch.pop() } else { None };
            for lifetime in batch {
                let all = self.lines_of(read, lifetime, query.months, now)?;
                lines.extend(all.into_iter().filter(|line| after.is_none_or(|after| line.line_name() > after)));
                if lines.len() > limit {
                    return Ok(lines);
                }
            }
            let Some(next) = next else { return Ok(lines) };
            from = Some(next.container);
        }
    }

    fn lines_of(
        &self,
        read: &mut dyn Read,
        lifetime: Lifetime,
        months: (Month, Month),
        now: UnixTime,
    ) -> Result<Vec<UsageLine>, Error> {
        let (first, last) = lifetime.months(now);
        let lifetime = Arc::new(lifetime);
        let mut lines = Vec::new();
        for month in Month::span(first.max(months.0), last.min(months.1)) {
            let hsm_key_versions = match lifetime.kind {
                ContainerKind::Vault => read.key_versions_used(lifetime.container, &charged_uses(month))?,
                ContainerKind::ManagedHsm => 0,
            };
            let counted = Counted { operations: read.operation_counts(lifetime.container, month)?, hsm_key_versions };
            let made_out = bill(&lifetime, month, &counted, &self.prices, now);
            lines.extend(made_out.into_iter().map(|line| UsageLine { lifetime: Arc::clone(&lifetime), month, line }));
        }
        Ok(lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(at: i64) -> KeyVersionUse {
        KeyVersionUse {
            container: ContainerId(Guid::from_u128(1)),
            name: ObjectName::parse("k").unwrap(),
            version: VersionId::from_bytes([7; 16]),
            at: UnixTime(at),
        }
    }

    fn note(uses: &KeyUses, used: &KeyVersionUse) {
        uses.note(used.container, &used.name, used.version, used.at);
    }

    #[test]
    fn a_use_waits_until_its_latest_is_durable() {
        let uses = KeyUses::default();
        for at in [10, 12, 11] {
            note(&uses, &used(at));
        }
        let first = uses.waiting();
        assert_eq!(first, [used(12)], "the latest of a month");
        note(&uses, &used(13));
        uses.forget(first);
        assert_eq!(uses.waiting(), [used(13)], "one that came while the others were written");
        uses.forget(uses.waiting());
        assert_eq!(uses.waiting(), []);
    }

    #[test]
    fn uses_in_two_months_wait_both() {
        let uses = KeyUses::default();
        let month = Month::parse("2026-11").unwrap();
        for at in [month.end().0, month.end().0 - 1] {
            note(&uses, &used(at));
        }
        assert_eq!(uses.waiting().len(), 2);
    }

    #[test]
    fn a_line_s_name_reads_back_as_written() {
        let meter = Meter::Operations { operation: Operation::KeySign, outcome: Outcome::Refused };
        let name = LineName(ContainerId(Guid::from_u128(1)), Month::parse("2026-11").unwrap(), meter);
        assert_eq!(name.to_string(), "00000000-0000-0000-0000-000000000001_2026-11_KeySign.refused");
        assert_eq!(LineName::parse(&name.to_string()), Some(name));
        for text in ["", "_", "__", "x_2026-11_KeySign", "00000000-0000-0000-0000-000000000001_2026-11"] {
            assert_eq!(LineName::parse(text), None, "{text}");
        }
    }
}
