//! The right edge of a growing tree: its partial tiles.

use super::{
    Hash, join, perfect,
    tiles::{Missing, Tile, WIDTH},
};

/// The partial tiles of a tree: enough to go on from, to tell the root, and to say which tiles have changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    size: u64,
    /// By level; fewer than 256 hashes each.
    levels: Vec<Vec<Hash>>,
}

impl Edge {
    /// The number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Reads the edge of a tree of `size` leaves.
    ///
    /// # Errors
    /// [`Missing`], or what `read` returns.
    pub fn load<E: From<Missing>>(size: u64, read: &mut dyn FnMut(Tile) -> Result<Vec<Hash>, E>) -> Result<Self, E> {
        let mut levels = Vec::new();
        let mut whole = size;
        for level in 0.. {
            if whole == 0 {
                break;
            }
            let width = usize::try_from(whole % WIDTH).unwrap_or(0);
            let tile = Tile { level, number: whole / WIDTH };
            let mut hashes = if width == 0 { Vec::new() } else { read(tile)? };
            if hashes.len() < width {
                return Err(Missing(tile).into());
            }
            hashes.truncate(width);
            levels.push(hashes);
            whole /= WIDTH;
        }
        Ok(Self { size, levels })
    }

    /// Adds the hash of the next leaf. Tiles that it fills are handed to `full`: they never change again.
    pub fn push(&mut self, leaf: Hash, full: &mut dyn FnMut(Tile, &[Hash])) {
        let mut hash = leaf;
        let mut number = self.size;
        self.size += 1;
        for level in 0.. {
            number /= WIDTH;
            if self.levels.len() == usize::from(level) {
                self.levels.push(Vec::new());
            }
            let Some(hashes) = self.levels.get_mut(usize::from(level)) else { return };
            hashes.push(hash);
            if u64::try_from(hashes.len()) != Ok(WIDTH) {
                return;
            }
            full(Tile { level, number }, hashes);
            hash = perfect(hashes);
            hashes.clear();
        }
    }

    /// The partial tiles that have hashes.
    pub fn partial(&self) -> impl Iterator<Item = (Tile, &[Hash])> {
        let with_levels = (0..).zip(&self.levels);
        with_levels.filter(|(_, hashes)| !hashes.is_empty()).map(|(level, hashes)| {
            let whole = self.size.checked_shr(8 * u32::from(level)).unwrap_or(0);
            (Tile { level, number: whole / WIDTH }, hashes.as_slice())
        })
    }

    #[must_use]
    pub fn root(&self) -> Hash {
        let mut peaks = Vec::new();
        for hashes in self.levels.iter().rev() {
            let mut rest = hashes.as_slice();
            while let Some(height) = rest.len().checked_ilog2() {
                let (peak, after) = rest.split_at(1 << height);
                peaks.push(perfect(peak));
                rest = after;
            }
        }
        join(peaks.into_iter())
    }
}
