//! One walk along a log, record by record, comparing what is there with what was signed.
//!
//! Two trees grow on the way: one out of the records, one out of the hashes that are stored of them. Where a record and
//! its hash differ, the next signed root tells which of the two was changed. Where they agree and the root does not,
//! both were.

use super::finding::{Finding, Span};
use custody::merkle::{CompactRange, Hash, leaf_hash};
use std::collections::HashMap;

/// So many records are told of; a log in which more are wrong is not a log any more.
const MOST_TOLD: usize = 100_000;

/// What stands at a position.
#[derive(Clone, Copy)]
pub(super) enum Found<'l> {
    Leaf(&'l str),
    Unreadable,
    Missing,
    /// Missing as well, but told of otherwise: dropped, or cut away at the end.
    Dropped,
    Cut,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Changed,
    Unreadable,
    Missing,
    /// Not told of, but its place may be where another record belongs.
    Cut,
}

/// A record that is not what its hash says.
struct Suspect {
    position: u64,
    kind: Kind,
    found: Option<Hash>,
    stored: Option<Hash>,
}

pub(super) struct Walk {
    position: u64,
    records: CompactRange,
    hashes: CompactRange,
    /// Since the last root that was compared.
    undecided: Vec<Suspect>,
    wrong: Vec<Suspect>,
    /// The position of the last root that was the right one.
    good: u64,
    /// There is more than is told.
    is_more: bool,
    /// Something is so wrong that later roots can't be compared.
    is_lost: bool,
    findings: Vec<Finding>,
}

impl Walk {
    /// A walk that begins behind the records of `range`.
    pub(super) fn new(range: CompactRange) -> Self {
        Self {
            position: range.size(),
            good: range.size(),
            records: range.clone(),
            hashes: range,
            undecided: Vec::new(),
            wrong: Vec::new(),
            is_more: false,
            is_lost: false,
            findings: Vec::new(),
        }
    }

    /// The position of the last record passed.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    pub(super) fn find(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Passes the next position. `stored` is the hash that is kept of its record, if one is.
    pub(super) fn step(&mut self, found: Found<'_>, stored: Option<Hash>) {
        self.position += 1;
        let (hash, kind) = match found {
            Found::Leaf(leaf) => (Some(leaf_hash(leaf.as_bytes())), Some(Kind::Changed)),
            Found::Unreadable => (None, Some(Kind::Unreadable)),
            Found::Missing => (None, Some(Kind::Missing)),
            Found::Dropped => (None, None),
            Found::Cut => (None, Some(Kind::Cut)),
        };
        let (Some(record), Some(of_record)) = (hash.or(stored), stored.or(hash)) else {
            self.is_lost = true;
            self.accuse(kind, hash, stored);
            return;
        };
        if hash.is_none() || record != of_record {
            self.accuse(kind, hash, stored);
        }
        self.records.push(record);
        self.hashes.push(of_record);
    }

    fn accuse(&mut self, kind: Option<Kind>, found: Option<Hash>, stored: Option<Hash>) {
        let Some(kind) = kind else { return };
        if self.undecided.len() + self.wrong.len() < MOST_TOLD {
            self.undecided.push(Suspect { position: self.position, kind, found, stored });
        } else {
            self.is_more |= kind != Kind::Cut;
        }
    }

    /// Passes many positions at once, of which nothing is there that could be compared.
    pub(super) fn leap(&mut self, to: u64) {
        if to > self.position {
            self.position = to;
            self.is_lost = true;
        }
    }

    /// A root that was signed at this position, by a checkpoint of the log itself.
    pub(super) fn anchor(&mut self, root: &Hash) {
        if self.is_lost {
            return;
        }
        if self.hashes.root() == *root {
            // Where a record differs from its hash, it is the record that was changed.
            self.wrong.append(&mut self.undecided);
            self.records = self.hashes.clone();
        } else if self.records.root() == *root {
            let hashes = self.undecided.drain(..).map(|suspect| Finding::HashChanged(Span::one(suspect.position)));
            self.findings.extend(join(hashes));
            self.hashes = self.records.clone();
        } else {
            self.wrong.append(&mut self.undecided);
            self.findings.push(Finding::NotSigned(Span { first: self.good + 1, last: self.position }));
            self.is_lost = true;
            return;
        }
        self.good = self.position;
    }

    /// Whether a root that was signed at this position is that of the log. `None` if that can't be told.
    pub(super) fn agrees(&self, root: &Hash) -> Option<bool> {
        (!self.is_lost).then(|| self.records.root() == *root || self.hashes.root() == *root)
    }

    /// What was found, and whether hashes above the leaves are worth a look of their own: not if those below are wrong.
    pub(super) fn finish(mut self) -> (Vec<Finding>, bool) {
        self.wrong.append(&mut self.undecided);
        let blames_hashes =
            self.findings.iter().any(|each| matches!(each, Finding::HashChanged(_) | Finding::NotSigned(_)));
        let mut findings = tell(self.wrong);
        findings.append(&mut self.findings);
        if self.is_more {
            findings.push(Finding::More);
        }
        (findings, !blames_hashes)
    }
}

/// What happened to each record, as far as hashes tell.
fn tell(wrong: Vec<Suspect>) -> Vec<Finding> {
    let places: HashMap<Hash, (u64, Option<Hash>)> =
        wrong.iter().filter_map(|suspect| Some((suspect.stored?, (suspect.position, suspect.found)))).collect();
    let findings = wrong.into_iter().filter_map(|suspect| {
        let span = Span::one(suspect.position);
        let belongs = suspect.found.and_then(|found| places.get(&found));
        Some(match (suspect.kind, belongs) {
            (Kind::Unreadable, _) => Finding::Unreadable(span),
            (Kind::Missing, _) => Finding::Missing(span),
            (Kind::Cut, _) => return None,
            (Kind::Changed, None) => Finding::Changed(span),
            (Kind::Changed, Some((other, found))) if *found == suspect.stored => {
                // Told of once.
                return (suspect.position < *other).then_some(Finding::Swapped(suspect.position, *other));
            }
            (Kind::Changed, Some((other, _))) => Finding::Moved { span, belongs: *other },
        })
    });
    join(findings)
}

/// Makes one finding of those that follow each other.
fn join(findings: impl Iterator<Item = Finding>) -> Vec<Finding> {
    let mut joined: Vec<Finding> = Vec::new();
    for finding in findings {
        let is_taken = joined.last_mut().is_some_and(|last| extend(last, &finding));
        if !is_taken {
            joined.push(finding);
        }
    }
    joined
}

/// Takes the next finding into the one before it, if it is of the same kind and adjoins it.
fn extend(before: &mut Finding, next: &Finding) -> bool {
    let (before, next) = match (before, next) {
        (Finding::Changed(before), Finding::Changed(next))
        | (Finding::Unreadable(before), Finding::Unreadable(next))
        | (Finding::Missing(before), Finding::Missing(next))
        | (Finding::HashChanged(before), Finding::HashChanged(next)) => (before, next),
        (Finding::Moved { span, belongs }, Finding::Moved { span: next, belongs: there })
            if there.checked_sub(*belongs) == next.first.checked_sub(span.first) =>
        {
            (span, next)
        }
        _ => return false,
    };
    let adjoins = before.last + 1 == next.first;
    if adjoins {
        before.last = next.last;
    }
    adjoins
}
