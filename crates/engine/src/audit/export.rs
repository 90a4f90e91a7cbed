//! A log in one file, that verifies without the store: lines of JSON.
//!
//! The first line says whose log it is, where it begins, and, if not at the first record, the perfect subtrees of what
//! went before. Then come records and checkpoints in the order of their positions, each checkpoint behind the last record
//! that it covers, and a last line, so that a file that was cut off is known as one.

use super::{
    finding::{Finding, Span},
    tree::tile,
    verify::{Kept, KeptRoots, Report, dropped_through, own_anchor},
    walk::{Found, Walk},
};
use crate::Error;
use custody::{
    merkle::{CompactRange, decode, encode, tiles},
    note::NoteVerifier,
};
use serde::{Deserialize, Serialize};
use std::{
    borrow::Cow,
    io::{self, BufRead, Write},
};
use store::Read;

const PAGE: usize = 1_024;
const FORMAT: u8 = 1;
/// No store counts further.
const MOST_POSITION: u64 = u64::MAX >> 1;

/// Why a log could not be exported, or an export not be read.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Engine(#[from] Error),
    #[error(transparent)]
    File(#[from] io::Error),
    #[error("it is not an export of an audit log: {0}")]
    NotExport(&'static str),
}

impl From<store::Fault> for ExportError {
    fn from(fault: store::Fault) -> Self {
        Self::Engine(fault.into())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    strongroom_audit_export: u8,
    key: String,
    first: u64,
    peaks: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Line<'l> {
    Record { position: u64, leaf: Cow<'l, str> },
    Checkpoint { size: u64, checkpoint: Cow<'l, str> },
    End { last: u64, checkpoints: usize },
}

/// Writes the whole log.
///
/// # Errors
/// [`ExportError`].
pub fn export(read: &mut dyn Read, verifier: &NoteVerifier, out: &mut dyn Write) -> Result<(), ExportError> {
    let first = read.audit_bounds()?.map_or(1, |(first, _)| first);
    let before = first - 1;
    let peaks = tiles::peaks(before, &mut |wanted| tile(read, wanted).map_err(Error::from))?;
    let peaks = peaks.iter().map(encode).collect();
    write_line(out, &Head { strongroom_audit_export: FORMAT, key: verifier.to_string(), first, peaks })?;
    let mut checkpoints = 0;
    let (mut last, mut checkpoint_after) = (before, before);
    loop {
        let records = read.audit(last, PAGE)?;
        let until = records.last().map_or(u64::MAX, |(position, _)| *position);
        let mut signed = Vec::new();
        while let Some(found) = next_page(read, checkpoint_after, until)? {
            checkpoint_after = found.last().map_or(until, |last| last.size);
            signed.extend(found);
        }
        checkpoints += signed.len();
        let mut signed = signed.into_iter().peekable();
        for (position, leaf) in &records {
            write_line(out, &Line::Record { position: *position, leaf: Cow::Borrowed(leaf) })?;
            while let Some(stored) = signed.next_if(|stored| stored.size <= *position) {
                write_checkpoint(out, &stored)?;
            }
            last = *position;
        }
        for stored in signed {
            write_checkpoint(out, &stored)?;
        }
        if records.is_empty() {
            break;
        }
    }
    write_line(out, &Line::End { last, checkpoints })?;
    Ok(out.flush()?)
}

/// Checkpoints after one size and up to another; `None` if there are no more.
fn next_page(read: &mut dyn Read, after: u64, until: u64) -> Result<Option<Vec<store::StoredCheckpoint>>, ExportError> {
    let mut page = read.audit_checkpoints(after, PAGE)?;
    page.retain(|stored| stored.size <= until);
    Ok((!page.is_empty()).then_some(page))
}

fn write_checkpoint(out: &mut dyn Write, stored: &store::StoredCheckpoint) -> Result<(), ExportError> {
    write_line(out, &Line::Checkpoint { size: stored.size, checkpoint: Cow::Borrowed(&stored.note) })
}

fn write_line(out: &mut dyn Write, line: &impl Serialize) -> Result<(), ExportError> {
    let mut text = serde_json::to_vec(line).map_err(io::Error::from)?;
    text.push(b'\n');
    Ok(out.write_all(&text)?)
}

/// Verifies an export against a verifier key that came another way than the export itself.
///
/// # Errors
/// [`ExportError::NotExport`], [`ExportError::File`].
pub fn verify_export(input: &mut dyn BufRead, verifier: &NoteVerifier, kept: &[Kept]) -> Result<Report, ExportError> {
    let mut text = Vec::new();
    input.read_until(b'\n', &mut text)?;
    let head: Head =
        serde_json::from_slice(&text).map_err(|_| ExportError::NotExport("its first line says nothing of one"))?;
    if head.strongroom_audit_export != FORMAT {
        return Err(ExportError::NotExport("its format is not known to this version"));
    }
    let before = head.first.checked_sub(1).filter(|before| *before < MOST_POSITION);
    let before = before.ok_or(ExportError::NotExport("records count from 1"))?;
    let peaks = head.peaks.iter().map(|text| decode(text)).collect::<Option<_>>();
    let range = peaks.and_then(|peaks| CompactRange::new(before, peaks));
    let range = range.ok_or(ExportError::NotExport("its first line lacks hashes of what went before"))?;
    let mut walk = Walk::new(range);
    let kept = KeptRoots::new(kept, verifier, head.first, &mut walk);
    let mut reading =
        Reading { verifier, walk, kept, signed: before, checkpoints: 0, checkpoint_lines: 0, dropped: Vec::new() };
    reading.kept.compare(&mut reading.walk);
    if head.key != verifier.to_string() {
        reading.walk.find(Finding::Key);
    }
    reading.lines(input)?;
    Ok(reading.finish(head.first))
}

/// An export while it is read.
struct Reading<'k> {
    verifier: &'k NoteVerifier,
    walk: Walk,
    kept: KeptRoots,
    signed: u64,
    /// Those whose signatures are right.
    checkpoints: usize,
    /// All of them.
    checkpoint_lines: usize,
    /// Positions of records that say that others were dropped, and through which position.
    dropped: Vec<(u64, u64)>,
}

impl Reading<'_> {
    fn lines(&mut self, input: &mut dyn BufRead) -> Result<(), ExportError> {
        let mut text = Vec::new();
        for number in 2.. {
            text.clear();
            if input.read_until(b'\n', &mut text)? == 0 {
                self.walk.find(Finding::Unfinished);
                break;
            }
            match serde_json::from_slice(&text) {
                Ok(Line::Record { position, leaf }) => self.record(number, position, &leaf),
                Ok(Line::Checkpoint { size, checkpoint }) => self.checkpoint(number, size, &checkpoint),
                Ok(Line::End { last, checkpoints }) => {
                    if (last, checkpoints) != (self.walk.position(), self.checkpoint_lines) {
                        self.walk.find(Finding::Line(number));
                    }
                    break;
                }
                Err(_) => self.walk.find(Finding::Line(number)),
            }
        }
        Ok(())
    }

    fn record(&mut self, number: u64, position: u64, leaf: &str) {
        let next = self.walk.position() + 1;
        if position < next || position > MOST_POSITION {
            return self.walk.find(Finding::Line(number));
        }
        if position > next {
            self.walk.find(Finding::Missing(Span { first: next, last: position - 1 }));
            self.walk.leap(position - 1);
        }
        self.walk.step(Found::Leaf(leaf), None);
        self.kept.compare(&mut self.walk);
        if let Some(through) = dropped_through(leaf) {
            self.dropped.push((position, through));
        }
    }

    fn checkpoint(&mut self, number: u64, size: u64, note: &str) {
        self.checkpoint_lines += 1;
        if size != self.walk.position() {
            return self.walk.find(Finding::Line(number));
        }
        match own_anchor(self.verifier, size, note) {
            Ok(anchor) => {
                self.signed = size;
                self.checkpoints += 1;
                self.walk.anchor(&anchor.root);
            }
            Err(why) => self.walk.find(Finding::Checkpoint { size, why }),
        }
    }

    fn finish(self, first: u64) -> Report {
        let Self { mut walk, kept, signed, checkpoints, dropped, .. } = self;
        let last = walk.position();
        kept.finish(last, &mut walk);
        let (mut findings, _) = walk.finish();
        let is_signed = |(position, through): &(u64, u64)| (*position <= signed).then_some(*through);
        let dropped = dropped.iter().filter_map(is_signed).max().unwrap_or(0);
        if first > dropped + 1 {
            findings.insert(0, Finding::HeadMissing { last: first - 1 });
        }
        Report { first, last, signed, checkpoints, findings }
    }
}
