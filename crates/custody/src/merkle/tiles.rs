//! Hashes out of tiles: any perfect subtree, any root, any proof.
//!
//! A tile holds up to 256 hashes in a row. At level 0 they are hashes of leaves; at every other level, each is the hash
//! over one full tile of the level below (C2SP tlog-tiles). Whoever asks hands in a function that reads a tile; it may
//! return more hashes than were known when the tree had the size in question.

use super::{Hash, join, perfect};

/// Leaves of a tree of height 8.
pub const WIDTH: u64 = 256;
const HEIGHT: u32 = 8;
const HASH_LENGTH: usize = size_of::<Hash>();

/// Which tile: its level, and its place in the level from the left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    pub level: u8,
    pub number: u64,
}

/// A tile that a tree of this size must have is not there, or is too short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("hash tile {}/{} is missing or too short", .0.level, .0.number)]
pub struct Missing(pub Tile);

impl Tile {
    /// How many hashes the tile has in a tree of `size` leaves.
    #[must_use]
    pub fn width(self, size: u64) -> usize {
        let bits = u32::from(self.level) * HEIGHT;
        let whole = size.checked_shr(bits).unwrap_or(0);
        let from_here = whole.saturating_sub(self.number.saturating_mul(WIDTH));
        usize::try_from(from_here.min(WIDTH)).unwrap_or_default()
    }
}

/// The hashes in the bytes of a tile; `None` if they are no whole number of hashes.
#[must_use]
pub fn parse(bytes: &[u8]) -> Option<Vec<Hash>> {
    let (hashes, rest) = bytes.as_chunks::<HASH_LENGTH>();
    rest.is_empty().then(|| hashes.to_vec())
}

/// The hash over all of a full tile: what stands for it in the level above.
#[must_use]
pub fn tile_hash(hashes: &[Hash]) -> Hash {
    perfect(hashes)
}

/// The hash of leaf number `index`.
///
/// # Errors
/// [`Missing`], or what `read` returns.
pub fn leaf<E: From<Missing>>(index: u64, read: &mut dyn FnMut(Tile) -> Result<Vec<Hash>, E>) -> Result<Hash, E> {
    node(0, index, read)
}

/// The root of the first `size` leaves.
///
/// # Errors
/// [`Missing`], or what `read` returns.
pub fn root<E: From<Missing>>(size: u64, read: &mut dyn FnMut(Tile) -> Result<Vec<Hash>, E>) -> Result<Hash, E> {
    subtree(0, size, read)
}

/// The perfect subtrees of the first `size` leaves, the largest first.
///
/// # Errors
/// [`Missing`], or what `read` returns.
pub fn peaks<E: From<Missing>>(size: u64, read: &mut dyn FnMut(Tile) -> Result<Vec<Hash>, E>) -> Result<Vec<Hash>, E> {
    range(0, size, read)
}

/// The inclusion proof of leaf number `index` in the tree of the first `size` leaves (RFC 9162 §2.1.3.1). `None` if the
/// tree has no such leaf.
///
/// # Errors
/// [`Missing`], or what `read` returns.
pub fn inclusion<E: From<Missing>>(
    index: u64,
    size: u64,
    read: &mut dyn FnMut(Tile) -> Result<Vec<Hash>, E>,
) -> Result<Option<Vec<Hash>>, E> {
    if index >= size {
        return Ok(None);
    }
    let (mut start, mut end) = (0, size);
    let mut path = Vec::new();
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            path.push(subtree(middle, end, read)?);
            end = middle;
        } else {
            path.push(subtree(start, middle, read)?);
            start = middle;
        }
    }
    path.reverse();
    Ok(Some(path))
}

/// The consistency proof between the trees of the first `from` and `to` leaves (RFC 9162 §2.1.4.1). `None` unless
/// `0 < from <= to`.
///
/// # Errors
/// [`Missing`], or what `read` returns.
pub fn consistency<E: From<Missing>>(
    from: u64,
    to: u64,
    read: &mut dyn FnMut(Tile) -> Result<Vec<Hash>, E>,
) -> Result<Option<Vec<Hash>>, E> {
    if from == 0 || from > to {
        return Ok(None);
    }
    let (mut start, mut end) = (0, to);
    let mut path = Vec::new();
    while end != from {
        let middle = start + split(end - start);
        if from <= middle {
            path.push(subtree(middle, end, read)?);
            end = middle;
        } else {
            path.push(subtree(start, middle, read)?);
            start = middle;
        }
    }
    // A tree that begins at the first leaf is the older tree itself: whoever checks the proof has its root.
    if start > 0 {
        path.push(subtree(start, end, read)?);
    }
    path.reverse();
    Ok(Some(path))
}

/// The largest power of two below `length`, which is 2 or more.
fn split(length: u64) -> u64 {
    1 << (length - 1).ilog2()
}

/// The hash over the leaves `start..end`. They begin where a perfect subtree of their size would.
fn subtree<E: From<Missing>>(
    start: u64,
    end: u64,
    read: &mut dyn FnMut(Tile) -> Result<Vec<Hash>, E>,
) -> Result<Hash, E> {
    Ok(join(range(start, end, read)?.into_iter()))
}

/// The perfect subtrees of `start..end`, the largest first.
fn range<E: From<Missing>>(
    start: u64,
    end: u64,
    read: &mut dyn FnMut(Tile) -> Result<Vec<Hash>, E>,
) -> Result<Vec<Hash>, E> {
    let mut peaks = Vec::new();
    let mut at = start;
    while at < end {
        let height = (end - at).ilog2();
        peaks.push(node(height, at >> height, read)?);
        at += 1 << height;
    }
    Ok(peaks)
}

/// The hash of the perfect subtree of this height, by its place among those of its height.
fn node<E: From<Missing>>(
    height: u32,
    index: u64,
    read: &mut dyn FnMut(Tile) -> Result<Vec<Hash>, E>,
) -> Result<Hash, E> {
    let (level, above) = (height / HEIGHT, height % HEIGHT);
    let first = index << above;
    let tile = Tile { level: u8::try_from(level).unwrap_or(u8::MAX), number: first / WIDTH };
    let hashes = read(tile)?;
    let from = usize::try_from(first % WIDTH).unwrap_or(usize::MAX);
    let hashes = hashes.get(from..from.saturating_add(1 << above)).ok_or(Missing(tile))?;
    Ok(perfect(hashes))
}
