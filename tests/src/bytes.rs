//! Looking for secret bytes where they should not be.

#![expect(clippy::unwrap_used, reason = "a harness of tests fails by panicking")]

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
};

/// A piece this long is found by chance less often than the machine fails; and it is the smallest that would be of
/// use to anybody.
const PIECE: usize = 16;

/// Pieces of secrets to look for. A secret counts as found even if only a piece of it is.
#[derive(Default)]
pub struct Wanted(HashSet<Vec<u8>>);

impl Wanted {
    #[must_use]
    pub fn new<'secret>(secrets: impl IntoIterator<Item = &'secret [u8]>) -> Self {
        let mut wanted = Self::default();
        for secret in secrets {
            wanted.add(secret);
        }
        wanted
    }

    /// # Panics
    /// If the secret is shorter than a piece.
    pub fn add(&mut self, secret: &[u8]) {
        assert!(secret.len() >= PIECE, "too short to be told from chance");
        self.0.extend(secret.chunks_exact(PIECE).map(<[u8]>::to_vec));
    }

    /// How many different pieces there are.
    #[must_use]
    pub fn pieces(&self) -> usize {
        self.0.len()
    }

    fn found_in(&self, haystack: &[u8]) -> usize {
        let found: HashSet<&[u8]> = haystack.windows(PIECE).filter(|window| self.0.contains(*window)).collect();
        found.len()
    }

    /// The files below a folder that hold pieces, and how many.
    ///
    /// # Panics
    /// If a file can't be read for another reason than that it has just been removed.
    #[must_use]
    pub fn found_below(&self, folder: &Path) -> Vec<(PathBuf, usize)> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.extend(self.found_below(&path));
                continue;
            }
            let contents = match fs::read(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                contents => contents.unwrap(),
            };
            let pieces = self.found_in(&contents);
            if pieces > 0 {
                found.push((path, pieces));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_anywhere_in_any_file_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let secret: Vec<u8> = (100..148).collect();
        let wanted = Wanted::new([secret.as_slice()]);
        assert_eq!(wanted.pieces(), 3);
        fs::create_dir(folder.path().join("below")).unwrap();
        fs::write(folder.path().join("innocent"), [100; 1000]).unwrap();
        let guilty = folder.path().join("below/guilty");
        fs::write(&guilty, [&[0; 777][..], secret.get(16..).unwrap()].concat()).unwrap();
        assert_eq!(wanted.found_below(folder.path()), [(guilty, 2)]);
    }
}
