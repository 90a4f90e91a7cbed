//! The Merkle tree of a log: RFC 9162 §2.1 with SHA-256.
//!
//! The tree grows to the right only. What is kept of it are [tiles](tiles): 256 hashes of one level in a row, as C2SP
//! tlog-tiles lays them out. A full tile never changes; the partial ones are the tree's [edge](Edge). Out of tiles come
//! roots and proofs ([`tiles`]); [`proof`] checks proofs and needs nothing else.
//!
//! This module does not know what a leaf says, where tiles are stored, or who signs a root.

mod edge;
pub mod proof;
mod range;
pub mod tiles;

pub use edge::Edge;
pub use range::CompactRange;

use crate::sha256;
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// A SHA-256 hash: of a leaf, or of a subtree.
pub type Hash = [u8; 32];

const LEAF_PREFIX: &[u8] = &[0];
const NODE_PREFIX: &[u8] = &[1];

/// The hash of a leaf. The prefix tells leaves from nodes, so that neither can pass for the other.
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    sha256(&[LEAF_PREFIX, leaf].concat())
}

/// The hash of a node over its two subtrees.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut node = [0; 1 + 2 * size_of::<Hash>()];
    let (prefix, subtrees) = node.split_at_mut(NODE_PREFIX.len());
    prefix.copy_from_slice(NODE_PREFIX);
    subtrees.copy_from_slice([*left, *right].as_flattened());
    sha256(&node)
}

/// A hash as text: base64.
#[must_use]
pub fn encode(hash: &Hash) -> String {
    STANDARD.encode(hash)
}

/// The hash in a text.
#[must_use]
pub fn decode(text: &str) -> Option<Hash> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

/// The root of the tree without leaves.
#[must_use]
pub fn empty_root() -> Hash {
    sha256(&[])
}

/// The root over perfect subtrees that stand side by side, each smaller than the one before it.
fn join(peaks: impl DoubleEndedIterator<Item = Hash>) -> Hash {
    peaks.rev().reduce(|right, left| node_hash(&left, &right)).unwrap_or_else(empty_root)
}

/// The hash over a power of two of hashes of one level.
fn perfect(hashes: &[Hash]) -> Hash {
    match hashes {
        [] => empty_root(),
        [one] => *one,
        many => {
            let (left, right) = many.split_at(many.len() / 2);
            node_hash(&perfect(left), &perfect(right))
        }
    }
}
