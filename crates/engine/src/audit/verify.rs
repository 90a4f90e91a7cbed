//! Verifying a whole log: every record, every hash, every checkpoint, and the checkpoints that were kept elsewhere.

use super::{
    finding::{CheckpointFault, Finding, KeptFault, Span},
    tree::tile,
    walk::{Found, Walk},
};
use crate::Error;
use custody::{
    merkle::{
        CompactRange, Hash,
        tiles::{Tile, WIDTH, tile_hash},
    },
    note::NoteVerifier,
};
use domain::{AuditRecord, Operation, Outcome};
use std::{iter::Peekable, vec};
use store::{Fault, Read, StoredCheckpoint};

const PAGE: usize = 1_024;
/// What the record of a pruning begins the path of the last dropped record with.
pub(super) const DROPPED: &str = "/audit/";

/// A checkpoint from outside of the log, and what to call it.
#[derive(Clone, Debug)]
pub struct Kept {
    pub name: String,
    pub note: String,
}

/// What a verification came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The first position that is still there; 0 for an empty log.
    pub first: u64,
    pub last: u64,
    /// How many records are covered by a checkpoint, dropped ones included.
    pub signed: u64,
    /// How many checkpoints there are whose signatures are right.
    pub checkpoints: usize,
    /// None: everything is as it was signed.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Records that no checkpoint covers yet: nothing can be said of them.
    #[must_use]
    pub fn unsigned(&self) -> u64 {
        self.last.saturating_sub(self.signed)
    }
}

/// A signed root.
#[derive(Clone, Copy)]
pub(super) struct Anchor {
    pub size: u64,
    pub root: Hash,
}

/// The roots of checkpoints that were kept outside of the log, by size.
pub(super) struct KeptRoots(Peekable<vec::IntoIter<(Anchor, String)>>);

impl KeptRoots {
    /// Sorts out those that can't be compared with a log that begins at position `first`.
    pub(super) fn new(kept: &[Kept], verifier: &NoteVerifier, first: u64, walk: &mut Walk) -> Self {
        let mut roots = Vec::new();
        for Kept { name, note } in kept {
            match verifier.open_checkpoint(note) {
                Err(error) => walk.find(Finding::Kept { name: name.clone(), why: KeptFault::Foreign(error) }),
                Ok(signed) if signed.size.saturating_add(1) < first => {
                    let why = KeptFault::Before { signed: signed.size, first };
                    walk.find(Finding::Kept { name: name.clone(), why });
                }
                Ok(signed) => roots.push((Anchor { size: signed.size, root: signed.root }, name.clone())),
            }
        }
        roots.sort_by_key(|(anchor, _)| anchor.size);
        Self(roots.into_iter().peekable())
    }

    /// Compares what was signed up to the walk's position.
    pub(super) fn compare(&mut self, walk: &mut Walk) {
        let at = walk.position();
        while let Some((anchor, name)) = self.0.next_if(|(anchor, _)| anchor.size <= at) {
            if anchor.size == at && walk.agrees(&anchor.root) == Some(false) {
                walk.find(Finding::Kept { name, why: KeptFault::Parted { signed: at } });
            }
        }
    }

    /// Those that are left are signed for more records than there are.
    pub(super) fn finish(self, has: u64, walk: &mut Walk) {
        for (anchor, name) in self.0 {
            walk.find(Finding::Kept { name, why: KeptFault::Behind { signed: anchor.size, has } });
        }
    }
}

/// Verifies the log in a store. Reads all of it, in one walk.
///
/// # Errors
/// [`Error::Store`] if the store can't be read.
pub fn verify(read: &mut dyn Read, verifier: &NoteVerifier, kept: &[Kept]) -> Result<Report, Error> {
    let mut walk = Walk::new(CompactRange::default());
    let own = own_anchors(read, verifier, &mut walk)?;
    let signed = own.last().map_or(0, |anchor| anchor.size);
    let (first, last) = read.audit_bounds()?.unwrap_or_default();
    let checkpoints = own.len();
    let kept = KeptRoots::new(kept, verifier, 1, &mut walk);
    let own = own.into_iter().peekable();
    let mut pass = Pass { read, hashes: LeafHashes::new(signed), own, kept, walk, signed, dropped: 0 };
    pass.compare();
    pass.records(first, last)?;
    let Pass { read, kept, mut walk, dropped, .. } = pass;
    kept.finish(last, &mut walk);
    let (mut findings, is_worth_a_look) = walk.finish();
    if first > dropped + 1 {
        findings.insert(0, Finding::HeadMissing { last: first - 1 });
    }
    if is_worth_a_look {
        findings.extend(upper_tiles(read, signed)?);
    }
    Ok(Report { first, last, signed, checkpoints, findings })
}

/// The signed roots of the log's own checkpoints, by size. What does not count is told.
fn own_anchors(read: &mut dyn Read, verifier: &NoteVerifier, walk: &mut Walk) -> Result<Vec<Anchor>, Error> {
    let mut anchors: Vec<Anchor> = Vec::new();
    let mut after = 0;
    loop {
        let page = read.audit_checkpoints(after, PAGE)?;
        let Some(last) = page.last() else { return Ok(anchors) };
        after = last.size;
        for StoredCheckpoint { size, note, .. } in &page {
            match own_anchor(verifier, *size, note) {
                Ok(anchor) => anchors.push(anchor),
                Err(why) => walk.find(Finding::Checkpoint { size: *size, why }),
            }
        }
    }
}

/// The signed root of a checkpoint that is kept as one of this size.
pub(super) fn own_anchor(verifier: &NoteVerifier, size: u64, note: &str) -> Result<Anchor, CheckpointFault> {
    let signed = verifier.open_checkpoint(note)?;
    if signed.size != size {
        return Err(CheckpointFault::Size(signed.size));
    }
    Ok(Anchor { size, root: signed.root })
}

/// The walk over a store.
struct Pass<'r> {
    read: &'r mut dyn Read,
    hashes: LeafHashes,
    own: Peekable<vec::IntoIter<Anchor>>,
    kept: KeptRoots,
    walk: Walk,
    signed: u64,
    /// The last position that a signed record says was dropped.
    dropped: u64,
}

impl Pass<'_> {
    fn records(&mut self, first: u64, last: u64) -> Result<(), Error> {
        // What was dropped has left its hashes behind.
        self.pass(first.saturating_sub(1).min(self.signed), Found::Dropped)?;
        self.walk.leap(first.saturating_sub(1));
        loop {
            let page = self.page()?;
            if page.is_empty() {
                break;
            }
            for (position, leaf) in page {
                self.pass_gap(position)?;
                self.step(leaf.as_deref().map_or(Found::Unreadable, Found::Leaf))?;
                if let Some(leaf) = leaf.filter(|_| position <= self.signed) {
                    self.dropped = self.dropped.max(dropped_through(&leaf).unwrap_or(0));
                }
            }
        }
        if last < self.signed {
            self.walk.find(Finding::TailMissing { from: last + 1, signed: self.signed });
            self.pass(self.signed, Found::Cut)?;
        }
        Ok(())
    }

    /// The next records; `None` for one that can't be read.
    fn page(&mut self) -> Result<Vec<(u64, Option<String>)>, Error> {
        let after = self.walk.position();
        let whole = |page: Vec<(u64, String)>| page.into_iter().map(|(at, leaf)| (at, Some(leaf))).collect();
        match self.read.audit(after, PAGE) {
            // One of them is the unreadable one; alone, it shows where it is.
            Err(Fault::CorruptRecord { .. }) => match self.read.audit(after, 1) {
                Err(Fault::CorruptRecord { .. }) => Ok(vec![(after + 1, None)]),
                page => Ok(whole(page?)),
            },
            page => Ok(whole(page?)),
        }
    }

    fn step(&mut self, found: Found<'_>) -> Result<(), Error> {
        let position = self.walk.position() + 1;
        let stored = self.hashes.of(self.read, position, &mut self.walk)?;
        self.walk.step(found, stored);
        self.compare();
        Ok(())
    }

    /// Compares what was signed at the walk's position.
    fn compare(&mut self) {
        let at = self.walk.position();
        while let Some(anchor) = self.own.next_if(|anchor| anchor.size <= at) {
            if anchor.size == at {
                self.walk.anchor(&anchor.root);
            }
        }
        self.kept.compare(&mut self.walk);
    }

    /// Passes positions at which nothing is, up to and with one.
    fn pass(&mut self, through: u64, found: Found<'_>) -> Result<(), Error> {
        while self.walk.position() < through {
            self.step(found)?;
        }
        Ok(())
    }

    /// Passes positions that are not there, up to the one that is.
    fn pass_gap(&mut self, next: u64) -> Result<(), Error> {
        self.pass((next - 1).min(self.signed), Found::Missing)?;
        let first = self.walk.position() + 1;
        if first < next {
            self.walk.find(Finding::Missing(Span { first, last: next - 1 }));
            self.walk.leap(next - 1);
        }
        Ok(())
    }
}

/// The stored hashes of records, tile by tile.
struct LeafHashes {
    signed: u64,
    tile: Option<Tile>,
    hashes: Vec<Hash>,
}

impl LeafHashes {
    fn new(signed: u64) -> Self {
        Self { signed, tile: None, hashes: Vec::new() }
    }

    /// The hash of the record at a position. What is missing that was signed is told, once for each tile.
    fn of(&mut self, read: &mut dyn Read, position: u64, walk: &mut Walk) -> Result<Option<Hash>, Error> {
        if position > self.signed {
            return Ok(None);
        }
        let index = position - 1;
        let wanted = Tile { level: 0, number: index / WIDTH };
        if self.tile != Some(wanted) {
            self.tile = Some(wanted);
            self.hashes = tile(read, wanted)?;
            if self.hashes.len() < wanted.width(self.signed) {
                walk.find(Finding::Tile(wanted));
            }
        }
        let place = usize::try_from(index % WIDTH).unwrap_or(usize::MAX);
        Ok(self.hashes.get(place).copied())
    }
}

/// Tiles above the leaves that are not those over the tiles below them.
fn upper_tiles(read: &mut dyn Read, signed: u64) -> Result<Vec<Finding>, Error> {
    let mut findings = Vec::new();
    let mut full = signed / WIDTH;
    for level in 1.. {
        if full == 0 {
            break;
        }
        for number in 0..full.div_ceil(WIDTH) {
            let upper = Tile { level, number };
            let hashes = tile(read, upper)?;
            let below = number * WIDTH..full.min((number + 1) * WIDTH);
            let mut is_right = hashes.len() >= upper.width(signed);
            for (lower, hash) in below.zip(&hashes) {
                is_right &= tile_hash(&tile(read, Tile { level: level - 1, number: lower })?) == *hash;
            }
            if !is_right {
                findings.push(Finding::Tile(upper));
            }
        }
        full /= WIDTH;
    }
    Ok(findings)
}

/// The last position that a record says was dropped, if it is the record of a pruning.
pub(super) fn dropped_through(leaf: &str) -> Option<u64> {
    // Most are not, and need not be taken apart to see it.
    if !leaf.contains(Operation::AuditPrune.name()) {
        return None;
    }
    let record = AuditRecord::read(leaf).ok()?;
    let is_pruning = record.operation() == Some(Operation::AuditPrune) && record.outcome == Outcome::Done;
    record.properties.id.strip_prefix(DROPPED).filter(|_| is_pruning)?.parse().ok()
}
