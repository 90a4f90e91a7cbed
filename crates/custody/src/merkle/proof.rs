//! Checking proofs: by the algorithms of RFC 9162 §2.1.3.2 and §2.1.4.2, word for word.

use super::{Hash, node_hash};

/// Whether a leaf is number `index` of the tree of `size` leaves that has this root.
#[must_use]
pub fn is_included(leaf: &Hash, index: u64, size: u64, path: &[Hash], root: &Hash) -> bool {
    let Some(last) = size.checked_sub(1).filter(|last| index <= *last) else { return false };
    let mut place = Place { first: index, second: last };
    let mut hash = *leaf;
    for sibling in path {
        if place.second == 0 {
            return false;
        }
        if place.is_right() {
            hash = node_hash(sibling, &hash);
            place.climb_to_right_turn();
        } else {
            hash = node_hash(&hash, sibling);
        }
        place.climb();
    }
    place.second == 0 && hash == *root
}

/// Whether the tree of `to` leaves with root `to_root` begins with all of the tree of `from` leaves with root
/// `from_root`.
#[must_use]
pub fn is_consistent(from: u64, to: u64, path: &[Hash], from_root: &Hash, to_root: &Hash) -> bool {
    if from == to {
        return path.is_empty() && from_root == to_root;
    }
    let (Some(first), Some(second)) = (from.checked_sub(1), to.checked_sub(1)) else { return false };
    if from > to {
        return false;
    }
    let mut place = Place { first, second };
    while place.first & 1 == 1 {
        place.climb();
    }
    // The root of a perfect older tree is a node of the newer one: it is not in the path, for it is known.
    let mut nodes = from.is_power_of_two().then_some(from_root).into_iter().chain(path);
    let Some(start) = nodes.next() else { return false };
    // Both roots, rebuilt from what they share.
    let (mut older, mut newer) = (*start, *start);
    for node in nodes {
        if place.second == 0 {
            return false;
        }
        if place.is_right() {
            older = node_hash(node, &older);
            newer = node_hash(node, &newer);
            place.climb_to_right_turn();
        } else {
            newer = node_hash(&newer, node);
        }
        place.climb();
    }
    place.second == 0 && older == *from_root && newer == *to_root
}

/// `fn` and `sn` of the algorithms: a node's place in its level, and the last place there.
struct Place {
    first: u64,
    second: u64,
}

impl Place {
    fn is_right(&self) -> bool {
        self.first & 1 == 1 || self.first == self.second
    }

    /// Up through levels in which the node has no sibling.
    fn climb_to_right_turn(&mut self) {
        while self.first & 1 == 0 && self.first != 0 {
            self.climb();
        }
    }

    fn climb(&mut self) {
        self.first >>= 1;
        self.second >>= 1;
    }
}
