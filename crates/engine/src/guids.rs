//! Random GUIDs, drawn many at a time: every request gets one, and asking the generator costs the same for a hundred.

use custody::Entropy;
use domain::Guid;
use parking_lot::Mutex;

const BYTES: usize = 16;
const AT_ONCE: usize = 64;

/// GUIDs that nobody has yet.
#[derive(Default)]
pub(crate) struct Guids(Mutex<Vec<[u8; BYTES]>>);

impl Guids {
    pub(crate) fn next(&self, entropy: &dyn Entropy) -> Guid {
        let mut drawn = self.0.lock();
        let next = drawn.pop().unwrap_or_else(|| {
            let mut fresh = [[0; BYTES]; AT_ONCE];
            entropy.fill(fresh.as_flattened_mut());
            let [next, rest @ ..] = fresh;
            drawn.extend(rest);
            next
        });
        Guid::from_random(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use custody::SystemEntropy;
    use std::collections::HashSet;

    #[test]
    fn no_guid_is_given_twice() {
        let guids = Guids::default();
        let given: HashSet<Guid> = (0..3 * AT_ONCE).map(|_| guids.next(&SystemEntropy)).collect();
        assert_eq!(given.len(), 3 * AT_ONCE);
    }
}
