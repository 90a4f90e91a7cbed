//! What can be wrong with a log, in words.

use custody::{merkle::tiles::Tile, note::NoteError};
use std::fmt;

/// Something that is not as it was signed. Records are named by their positions, which count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    Changed(Span),
    Unreadable(Span),
    Missing(Span),
    Swapped(u64, u64),
    /// Whole records stand where others belong.
    Moved {
        span: Span,
        /// Where the first of them belongs.
        belongs: u64,
    },
    /// Records are missing at the beginning, and none that is signed says that they were dropped.
    HeadMissing {
        last: u64,
    },
    TailMissing {
        from: u64,
        signed: u64,
    },
    /// A signed root does not follow from the records, although their hashes, if any are stored, fit them.
    NotSigned(Span),
    /// The record is as it was signed; its stored hash is not.
    HashChanged(Span),
    Tile(Tile),
    /// A checkpoint in the log does not count.
    Checkpoint {
        size: u64,
        why: CheckpointFault,
    },
    /// A checkpoint that was kept outside of the log does not go together with it.
    Kept {
        name: String,
        why: KeptFault,
    },
    /// Nothing was kept outside of the log: an older state of it could not be told.
    NothingKept {
        name: String,
    },
    /// The log names another key than it is verified with.
    Key,
    /// A line of an export says nothing that belongs there.
    Line(u64),
    /// An export ends before it says so.
    Unfinished,
    /// There is more than is told.
    More,
}

/// One record, or several in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub first: u64,
    pub last: u64,
}

impl Span {
    #[must_use]
    pub fn one(position: u64) -> Self {
        Self { first: position, last: position }
    }
}

/// Why a checkpoint in the log does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointFault {
    #[error(transparent)]
    Note(#[from] NoteError),
    #[error("it speaks of {0} records")]
    Size(u64),
}

/// Why a kept checkpoint does not go together with the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeptFault {
    Foreign(NoteError),
    Behind {
        signed: u64,
        has: u64,
    },
    Parted {
        signed: u64,
    },
    /// The export begins after it.
    Before {
        signed: u64,
        first: u64,
    },
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { first, last } if first == last => write!(f, "record {first}"),
            Self { first, last } => write!(f, "records {first} to {last}"),
        }
    }
}

impl Span {
    fn verb<'w>(self, singular: &'w str, plural: &'w str) -> &'w str {
        if self.first == self.last { singular } else { plural }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed(span) => write!(f, "{span} {} changed", span.verb("was", "were")),
            Self::Unreadable(span) => write!(f, "{span} can't be read"),
            Self::Missing(span) => write!(f, "{span} {} missing", span.verb("is", "are")),
            Self::Swapped(one, other) => write!(f, "records {one} and {other} were swapped"),
            Self::Moved { span, belongs } => {
                let there = Span { first: *belongs, last: belongs + (span.last - span.first) };
                write!(f, "{span} {} moved there from the place of {there}", span.verb("was", "were"))
            }
            Self::HeadMissing { last } => {
                let span = Span { first: 1, last: *last };
                write!(f, "{span} {} missing, and no signed record says that the service", span.verb("is", "are"))?;
                write!(f, " dropped {}", span.verb("it", "them"))
            }
            Self::TailMissing { from, signed } => {
                write!(f, "the tail from {from} on is missing: a checkpoint is signed for {signed}")
            }
            Self::NotSigned(span) if span.first == span.last => {
                write!(f, "{span} is not the one that was signed; its hash, where one is stored, was changed with it")
            }
            Self::NotSigned(span) => write!(
                f,
                "among the {span} one or more are not those that were signed; their hashes, where stored, were changed \
                 with them"
            ),
            Self::HashChanged(span) => {
                let hash = span.verb("the stored hash", "stored hashes");
                let record = span.verb("the record itself is", "the records themselves are");
                write!(f, "{hash} of {span} {} changed; {record} as signed", span.verb("was", "were"))
            }
            Self::Tile(Tile { level, number }) => write!(f, "hash tile {level}/{number} is missing or was changed"),
            Self::Checkpoint { size, why } => write!(f, "the checkpoint of size {size} is wrong: {why}"),
            Self::Kept { name, why } => kept(f, name, *why),
            Self::NothingKept { name } => {
                write!(
                    f,
                    "{name} is missing: without a checkpoint from outside, an older log can't be told from this one"
                )
            }
            Self::Key => write!(f, "the log names another key than the one it is verified with"),
            Self::Line(number) => write!(f, "line {number} of the export is damaged"),
            Self::Unfinished => write!(f, "the export was cut off: its last line is missing"),
            Self::More => write!(f, "and more that is not told"),
        }
    }
}

fn kept(f: &mut fmt::Formatter<'_>, name: &str, why: KeptFault) -> fmt::Result {
    match why {
        KeptFault::Foreign(why) => write!(f, "the checkpoint in {name} is wrong: {why}"),
        KeptFault::Behind { signed, has } => write!(
            f,
            "the log is older than the checkpoint in {name}: that is signed for {signed} records, and there are {has}"
        ),
        KeptFault::Parted { signed } => write!(
            f,
            "the log is not the one that the checkpoint in {name} was signed for: its first {signed} records are others"
        ),
        KeptFault::Before { signed, first } => write!(
            f,
            "the checkpoint in {name} can't be compared: it is signed for {signed} records, and the export begins at \
             {first}"
        ),
    }
}
