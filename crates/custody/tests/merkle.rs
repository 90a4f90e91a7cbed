//! The log's tree: known answers, and the definition of RFC 9162 §2.1 written down plainly as the model.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, wherever in it")]

use custody::merkle::{
    CompactRange, Edge, Hash, empty_root, leaf_hash, node_hash,
    proof::{is_consistent, is_included},
    tiles::{self, Missing, Tile},
};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// The eight leaves that Certificate Transparency's implementations share as their test, and the roots over the first
/// one, two, … of them.
const LEAVES: [&str; 8] =
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];
/// Index, size, path.
const INCLUSIONS: [(u64, u64, &[&str]); 4] = [
    (
        0,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        &[
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        &[
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
];
/// From, to, path.
const CONSISTENCIES: [(u64, u64, &[&str]); 4] = [
    (1, 1, &[]),
    (
        1,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        &[
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        &[
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
];

fn hash(text: &str) -> Hash {
    hex::decode(text).unwrap().try_into().unwrap()
}

fn hashes(texts: &[&str]) -> Vec<Hash> {
    texts.iter().map(|text| hash(text)).collect()
}

/// Leaves of a test that are as many as it likes.
fn numbered(count: u64) -> Vec<Hash> {
    (0..count).map(|number| leaf_hash(&number.to_be_bytes())).collect()
}

/// The definitions of RFC 9162, as they stand there.
mod definition {
    use super::*;

    fn split(length: usize) -> usize {
        let mut power = 1;
        while power * 2 < length {
            power *= 2;
        }
        power
    }

    pub fn root(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => empty_root(),
            [one] => *one,
            many => {
                let (left, right) = many.split_at(split(many.len()));
                node_hash(&root(left), &root(right))
            }
        }
    }

    pub fn path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
        if leaves.len() == 1 {
            return Vec::new();
        }
        let middle = split(leaves.len());
        let (left, right) = leaves.split_at(middle);
        let (mut path, sibling) =
            if index < middle { (path(index, left), root(right)) } else { (path(index - middle, right), root(left)) };
        path.push(sibling);
        path
    }

    pub fn proof(from: usize, leaves: &[Hash]) -> Vec<Hash> {
        subproof(from, leaves, true)
    }

    fn subproof(from: usize, leaves: &[Hash], is_whole: bool) -> Vec<Hash> {
        if from == leaves.len() {
            return if is_whole { Vec::new() } else { vec![root(leaves)] };
        }
        let middle = split(leaves.len());
        let (left, right) = leaves.split_at(middle);
        let (mut path, other) = if from <= middle {
            (subproof(from, left, is_whole), root(right))
        } else {
            (subproof(from - middle, right, false), root(left))
        };
        path.push(other);
        path
    }
}

/// A log that keeps its tiles.
#[derive(Default)]
struct Log {
    edge: Edge,
    tiles: BTreeMap<Tile, Vec<Hash>>,
}

impl Log {
    fn of(leaves: &[Hash]) -> Self {
        let mut log = Self::default();
        log.grow(leaves);
        log
    }

    fn grow(&mut self, leaves: &[Hash]) {
        let Self { edge, tiles } = self;
        for leaf in leaves {
            edge.push(*leaf, &mut |tile, hashes| {
                tiles.insert(tile, hashes.to_vec());
            });
        }
        tiles.extend(edge.partial().map(|(tile, hashes)| (tile, hashes.to_vec())));
    }

    fn read(&self, tile: Tile) -> Result<Vec<Hash>, Missing> {
        self.tiles.get(&tile).cloned().ok_or(Missing(tile))
    }

    fn root(&self, size: u64) -> Hash {
        tiles::root(size, &mut |tile| self.read(tile)).unwrap()
    }

    fn inclusion(&self, index: u64, size: u64) -> Vec<Hash> {
        tiles::inclusion(index, size, &mut |tile| self.read(tile)).unwrap().unwrap()
    }

    fn consistency(&self, from: u64, to: u64) -> Vec<Hash> {
        tiles::consistency(from, to, &mut |tile| self.read(tile)).unwrap().unwrap()
    }
}

#[test]
fn the_known_trees_have_their_roots() {
    let leaves: Vec<Hash> = LEAVES.iter().map(|leaf| leaf_hash(&hex::decode(leaf).unwrap())).collect();
    assert_eq!(empty_root(), hash("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    let (mut range, mut log) = (CompactRange::default(), Log::default());
    assert_eq!((range.root(), log.edge.root(), log.root(0)), (empty_root(), empty_root(), empty_root()));
    for (size, (leaf, root)) in (1..).zip(leaves.iter().zip(ROOTS)) {
        range.push(*leaf);
        log.grow(std::slice::from_ref(leaf));
        assert_eq!((range.root(), log.edge.root(), log.root(size)), (hash(root), hash(root), hash(root)));
    }
}

#[test]
fn the_known_proofs_come_out_of_tiles_and_are_accepted() {
    let leaves: Vec<Hash> = LEAVES.iter().map(|leaf| leaf_hash(&hex::decode(leaf).unwrap())).collect();
    let log = Log::of(&leaves);
    let root = |size: u64| hash(ROOTS[usize::try_from(size).unwrap() - 1]);
    for (index, size, path) in INCLUSIONS {
        assert_eq!(log.inclusion(index, size), hashes(path), "{index} of {size}");
        assert!(is_included(&leaves[usize::try_from(index).unwrap()], index, size, &hashes(path), &root(size)));
    }
    for (from, to, path) in CONSISTENCIES {
        assert_eq!(log.consistency(from, to), hashes(path), "{from} to {to}");
        assert!(is_consistent(from, to, &hashes(path), &root(from), &root(to)));
    }
}

#[test]
fn a_tree_of_70_000_has_the_tiles_that_the_specification_counts() {
    let log = Log::of(&numbered(70_000));
    let width = |level, number| log.tiles.get(&Tile { level, number }).map_or(0, Vec::len);
    assert!((0..273).all(|number| width(0, number) == 256));
    assert_eq!((width(0, 273), width(0, 274)), (112, 0));
    assert_eq!((width(1, 0), width(1, 1), width(2, 0), width(3, 0)), (256, 17, 1, 0));
    for (tile, hashes) in &log.tiles {
        assert_eq!(hashes.len(), tile.width(70_000), "{tile:?}");
    }
    assert_eq!(log.root(70_000), definition::root(&numbered(70_000)));
    assert_eq!(log.edge.root(), log.root(70_000));
}

#[test]
fn an_edge_goes_on_from_what_was_kept_of_it() {
    for size in [0, 1, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 66_000] {
        let all = numbered(size + 300);
        let (before, after) = all.split_at(usize::try_from(size).unwrap());
        let mut log = Log::of(before);
        let mut edge = Edge::load(size, &mut |tile| log.read(tile)).unwrap();
        assert_eq!(edge, log.edge);
        assert_eq!(edge.size(), size);
        for leaf in after {
            edge.push(*leaf, &mut |_, _| ());
        }
        log.grow(after);
        assert_eq!(edge.root(), log.root(size + 300), "{size}");
    }
}

#[test]
fn a_tile_that_is_missing_or_short_is_named() {
    let mut log = Log::of(&numbered(600));
    let first = Tile { level: 0, number: 0 };
    let hashes = log.tiles.remove(&first).unwrap();
    let inclusion = |log: &Log| tiles::inclusion(3, 600, &mut |tile| log.read(tile));
    assert_eq!(inclusion(&log), Err(Missing(first)));
    log.tiles.insert(first, hashes[..200].to_vec());
    assert_eq!(inclusion(&log), Err(Missing(first)));
    assert_eq!(Missing(first).to_string(), "hash tile 0/0 is missing or too short");
    let partial = Tile { level: 0, number: 2 };
    log.tiles.insert(partial, Vec::new());
    assert_eq!(Edge::load(600, &mut |tile| log.read(tile)).unwrap_err(), Missing(partial));
    assert_eq!(tiles::parse(&[0; 33]), None);
    assert_eq!(tiles::parse(&[7; 64]), Some(vec![[7; 32]; 2]));
}

#[test]
fn there_is_no_proof_of_what_is_not_in_the_tree() {
    let log = Log::of(&numbered(8));
    let mut read = |tile| log.read(tile);
    assert_eq!(tiles::inclusion::<Missing>(8, 8, &mut read), Ok(None));
    assert_eq!(tiles::inclusion::<Missing>(0, 0, &mut read), Ok(None));
    assert_eq!(tiles::consistency::<Missing>(0, 8, &mut read), Ok(None));
    assert_eq!(tiles::consistency::<Missing>(5, 4, &mut read), Ok(None));
    let root = log.root(8);
    assert!(!is_included(&numbered(1)[0], 8, 8, &[], &root));
    assert!(!is_included(&numbered(1)[0], 0, 0, &[], &empty_root()));
    assert!(!is_consistent(0, 8, &[], &empty_root(), &root));
    assert!(!is_consistent(9, 8, &[root], &root, &root));
    assert!(!is_consistent(8, 8, &[root], &root, &root));
}

#[test]
fn a_range_has_as_many_peaks_as_its_size_has_ones() {
    let log = Log::of(&numbered(300));
    for size in 0..=300 {
        let peaks = tiles::peaks(size, &mut |tile| log.read(tile)).unwrap();
        let range = CompactRange::new(size, peaks.clone()).unwrap();
        assert_eq!(range.root(), log.root(size));
        assert_eq!((range.size(), range.peaks()), (size, &peaks[..]));
        assert_eq!(CompactRange::new(size, [peaks, vec![[0; 32]]].concat()), None);
    }
}

/// A number of leaves that is often near a boundary of tiles.
fn size() -> impl Strategy<Value = u64> {
    prop_oneof![1..40_u64, 250..262_u64, 500..530_u64, 1..1_400_u64]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn roots_and_proofs_are_those_of_the_definition(
        to in size(),
        index in any::<prop::sample::Index>(),
        from in any::<prop::sample::Index>(),
        later in 0..600_u64,
    ) {
        let leaves = numbered(to + later);
        // The tiles know of later leaves: a proof must not.
        let log = Log::of(&leaves);
        let whole = &leaves[..usize::try_from(to).unwrap()];
        let (index, from) = (index.index(whole.len()), from.index(whole.len()) + 1);
        let (index_number, from_number) = (u64::try_from(index).unwrap(), u64::try_from(from).unwrap());
        let (root, from_root) = (definition::root(whole), definition::root(&whole[..from]));
        prop_assert_eq!(log.root(to), root);
        let mut range = CompactRange::default();
        whole.iter().for_each(|leaf| range.push(*leaf));
        prop_assert_eq!(range.root(), root);

        let inclusion = log.inclusion(index_number, to);
        prop_assert_eq!(&inclusion, &definition::path(index, whole));
        prop_assert!(is_included(&leaves[index], index_number, to, &inclusion, &root));
        let consistency = log.consistency(from_number, to);
        prop_assert_eq!(&consistency, &definition::proof(from, whole));
        prop_assert!(is_consistent(from_number, to, &consistency, &from_root, &root));
    }

    #[test]
    fn a_proof_that_was_changed_is_refused(
        to in size(),
        index in any::<prop::sample::Index>(),
        from in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        bit in 0..8_u32,
    ) {
        let leaves = numbered(to);
        let log = Log::of(&leaves);
        let index = u64::try_from(index.index(leaves.len())).unwrap();
        let from = u64::try_from(from.index(leaves.len()) + 1).unwrap();
        let (root, from_root) = (log.root(to), log.root(from));
        let leaf = leaves[usize::try_from(index).unwrap()];
        let inclusion = log.inclusion(index, to);
        let consistency = log.consistency(from, to);
        for (path, is_inclusion) in [(&inclusion, true), (&consistency, false)] {
            let accepts = |path: &[Hash]| {
                if is_inclusion { is_included(&leaf, index, to, path, &root) }
                else { is_consistent(from, to, path, &from_root, &root) }
            };
            prop_assert!(accepts(path));
            let mut longer = path.clone();
            longer.insert(at.index(path.len() + 1), [7; 32]);
            prop_assert!(!accepts(&longer));
            if !path.is_empty() {
                let at = at.index(path.len());
                let mut flipped = path.clone();
                flipped[at][5] ^= 1 << bit;
                prop_assert!(!accepts(&flipped));
                let mut shorter = path.clone();
                shorter.remove(at);
                prop_assert!(!accepts(&shorter));
            }
        }
        prop_assert!(!is_included(&[9; 32], index, to, &inclusion, &root));
        prop_assert!(!is_included(&leaf, index, to, &inclusion, &[9; 32]));
        prop_assert!(to < 2 || !is_included(&leaf, (index + 1) % to, to, &inclusion, &root));
        prop_assert!(!is_consistent(from, to, &consistency, &[9; 32], &root));
        prop_assert!(!is_consistent(from, to, &consistency, &from_root, &[9; 32]));
    }
}

#[test]
fn width_counts_hashes_by_level() {
    let tile = |level, number| Tile { level, number };
    assert_eq!(tile(0, 0).width(5), 5);
    assert_eq!(tile(0, 1).width(5), 0);
    assert_eq!(tile(0, 0).width(257), 256);
    assert_eq!(tile(1, 0).width(70_000), 256);
    assert_eq!(tile(63, 0).width(u64::MAX), 0);
    assert_eq!(tile(0, u64::MAX).width(u64::MAX), 0);
}
