//! Metering: what was done and what it costs, by calendar months in UTC.
//!
//! - Operations are counted per container, kind of operation and outcome. A vault charges for what was done; looking at
//!   what is deleted, and what was refused, is shown and costs nothing. In a managed HSM no operation is charged.
//! - An HSM-protected key version of a vault is charged for every month that the 30 days after any of its uses touch,
//!   whatever has become of it: live, deleted or purged.
//! - A managed HSM is charged by begun hours from its creation until its purge, deleted or not. An hour belongs to the
//!   month in which it begins, so the months of a life add up to the whole of it.
//!
//! Nothing here knows how figures are gathered or kept, or whose money it is.

mod money;
mod month;

pub use money::{Currency, Money, Prices};
pub use month::Month;

use crate::{
    Container, ContainerId, ContainerKind, ContainerName, ObjectName, Operation, Outcome, UnixTime, VersionId,
};
use serde::{Deserialize, Serialize};
use std::{fmt, ops::Range};

/// A container from its creation until it is gone: figures outlive it. But for `ends` all of it is as at the creation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifetime {
    pub container: ContainerId,
    pub kind: ContainerKind,
    pub name: ContainerName,
    pub arm_id: String,
    pub location: String,
    pub sku: String,
    pub created: UnixTime,
    /// Its purge, or, while it is deleted, its scheduled purge. `None` while it lives.
    #[serde(skip)]
    pub ends: Option<UnixTime>,
}

/// One use of a key version that may have to be paid for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyVersionUse {
    pub container: ContainerId,
    pub name: ObjectName,
    pub version: VersionId,
    pub at: UnixTime,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperationCount {
    pub operation: Operation,
    pub outcome: Outcome,
    pub count: u64,
}

/// What was counted of one container in one month.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    pub operations: Vec<OperationCount>,
    /// HSM-protected key versions with a use in [`charged_uses`] of the month.
    pub hsm_key_versions: u64,
}

/// What a line of a bill is about, in the order of a bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Meter {
    Operations { operation: Operation, outcome: Outcome },
    HsmKeyVersions,
    ManagedHsmHours,
}

const REFUSED: &str = ".refused";

impl Meter {
    /// Reads a meter as it is written.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "HsmKeyVersions" => Some(Self::HsmKeyVersions),
            "ManagedHsmHours" => Some(Self::ManagedHsmHours),
            _ => {
                let refused = text.strip_suffix(REFUSED);
                let outcome = if refused.is_some() { Outcome::Refused } else { Outcome::Done };
                Some(Self::Operations { operation: Operation::parse(refused.unwrap_or(text))?, outcome })
            }
        }
    }
}

/// `KeySign`, `KeySign.refused`, `HsmKeyVersions`, `ManagedHsmHours`.
impl fmt::Display for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operations { operation, outcome } => {
                let refused = if *outcome == Outcome::Refused { REFUSED } else { "" };
                write!(f, "{}{refused}", operation.name())
            }
            Self::HsmKeyVersions => f.write_str("HsmKeyVersions"),
            Self::ManagedHsmHours => f.write_str("ManagedHsmHours"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charge {
    /// Shown only.
    Free,
    /// The price table is silent.
    Unpriced,
    /// `cost` is the rounded price of the quantity, `price` being that of `per` of it.
    Priced { price: Money, per: u64, cost: Money },
}

/// One line of a bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    pub meter: Meter,
    pub quantity: u64,
    pub charge: Charge,
}

const HOUR_SECONDS: i64 = 3_600;
/// For how long after a use a key version is charged.
const KEY_CHARGE_DAYS: i64 = 30;
const OPERATIONS_PRICED: u64 = 10_000;

impl Lifetime {
    /// The life of a container that begins.
    #[must_use]
    pub fn of(container: &Container) -> Self {
        Self {
            container: container.id,
            kind: container.kind(),
            name: container.name.clone(),
            arm_id: container.arm_id(),
            location: container.location.clone(),
            sku: container.sku.name.clone(),
            created: container.created,
            ends: None,
        }
    }

    /// Hours that begin in a month, as far as they have begun by `now`.
    #[must_use]
    pub fn hours(&self, month: Month, now: UnixTime) -> u64 {
        let until = month.end().min(now.plus_seconds(1)).min(self.ends.unwrap_or(UnixTime(i64::MAX)));
        self.hours_begun_before(until).saturating_sub(self.hours_begun_before(month.begin()))
    }

    fn hours_begun_before(&self, time: UnixTime) -> u64 {
        let seconds = time.0.saturating_sub(self.created.0);
        u64::try_from(seconds).map_or(0, |seconds| seconds.div_ceil(HOUR_SECONDS.unsigned_abs()))
    }

    /// The months for which there can be anything to pay, as far as they have begun by `now`: those of its life, and
    /// those that uses of keys at its end still touch.
    #[must_use]
    pub fn months(&self, now: UnixTime) -> (Month, Month) {
        let last = self.ends.map_or(now, |ends| ends.plus_seconds(KEY_CHARGE_DAYS * UnixTime::DAY_SECONDS).min(now));
        (Month::of(self.created), Month::of(last))
    }
}

/// When a key version has to have been used to be charged for a month.
#[must_use]
pub fn charged_uses(month: Month) -> Range<UnixTime> {
    // A use at the very second that is 30 days before the month is charged up to its first second, not in it.
    month.begin().plus_seconds(1 - KEY_CHARGE_DAYS * UnixTime::DAY_SECONDS)..month.end()
}

/// The bill of one container for one month, as of `now`. Lines of nothing are left out.
#[must_use]
pub fn bill(lifetime: &Lifetime, month: Month, counted: &Counted, prices: &Prices, now: UnixTime) -> Vec<Line> {
    let mut lines: Vec<Line> =
        counted.operations.iter().map(|each| operations_line(lifetime.kind, each, prices)).collect();
    match lifetime.kind {
        ContainerKind::Vault => {
            lines.push(line(Meter::HsmKeyVersions, counted.hsm_key_versions, prices.hsm_key_version_per_month, 1));
        }
        ContainerKind::ManagedHsm => {
            let price = prices.managed_hsm_hour(&lifetime.sku);
            lines.push(line(Meter::ManagedHsmHours, lifetime.hours(month, now), price, 1));
        }
    }
    lines.retain(|line| line.quantity > 0);
    lines
}

fn operations_line(kind: ContainerKind, counted: &OperationCount, prices: &Prices) -> Line {
    let OperationCount { operation, outcome, count } = *counted;
    let meter = Meter::Operations { operation, outcome };
    let is_charged = kind == ContainerKind::Vault && outcome == Outcome::Done && !operation.looks_at_deleted();
    if is_charged {
        return line(meter, count, prices.operations_per_10000, OPERATIONS_PRICED);
    }
    Line { meter, quantity: count, charge: Charge::Free }
}

fn line(meter: Meter, quantity: u64, price: Option<Money>, per: u64) -> Line {
    let priced = |price: Money| Charge::Priced { price, per, cost: price.of(quantity, per) };
    Line { meter, quantity, charge: price.map_or(Charge::Unpriced, priced) }
}

impl Line {
    /// `None` if its price is not known.
    #[must_use]
    pub fn cost(&self) -> Option<Money> {
        match self.charge {
            Charge::Free => Some(Money::ZERO),
            Charge::Unpriced => None,
            Charge::Priced { cost, .. } => Some(cost),
        }
    }
}

#[cfg(test)]
mod tests;
