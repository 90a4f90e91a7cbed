//! Every fuzz entry on a fixed number of random inputs. cargo-fuzz goes further, with a nightly compiler; this runs
//! everywhere, and the same inputs each time.

#[path = "../../fuzz/src/lib.rs"]
mod entries;

use entries::ENTRIES;

const INPUTS_PER_ENTRY: usize = 20_000;

/// xorshift64*: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }

    fn byte(&mut self) -> u8 {
        self.below(256) as u8
    }
}

/// A seed with a few bytes changed, inserted, removed, or repeated.
fn mutated(random: &mut Random, seeds: &[&[u8]]) -> Vec<u8> {
    let mut input = seeds[random.below(seeds.len())].to_vec();
    for _ in 0..random.below(6) {
        let at = random.below(input.len() + 1);
        match random.below(5) {
            0 => input.insert(at, random.byte()),
            1 if at < input.len() => input[at] = random.byte(),
            2 if at < input.len() => drop(input.remove(at)),
            3 => input.truncate(at),
            _ => {
                // A piece of any seed, where structure is more likely to survive.
                let other = seeds[random.below(seeds.len())];
                let from = random.below(other.len() + 1);
                let to = from + random.below(other.len() - from + 1);
                input.splice(at..at, other[from..to].iter().copied());
            }
        }
    }
    input
}

#[test]
fn no_parser_breaks_on_random_input() {
    for entry in ENTRIES {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        entry.seeds.iter().for_each(|seed| (entry.run)(seed));
        for _ in 0..INPUTS_PER_ENTRY {
            let input = mutated(&mut random, entry.seeds);
            (entry.run)(&input);
        }
    }
}

#[test]
fn every_entry_has_a_fuzz_target() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    for entry in ENTRIES {
        let target = std::fs::read_to_string(folder.join(format!("fuzz_targets/{}.rs", entry.name))).unwrap();
        assert!(target.contains(&format!("strongroom_fuzz::{}(input)", entry.name)), "{}", entry.name);
        assert!(manifest.contains(&format!("name = \"{}\"", entry.name)), "{}", entry.name);
    }
}
