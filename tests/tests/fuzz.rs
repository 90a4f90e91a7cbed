//! Every fuzz entry on a fixed number of random inputs. cargo-fuzz goes further, with a nightly compiler; this runs
//! everywhere, and the same inputs each time.
//!
//! Random bytes rarely pass a parser's first check, so inputs are valid ones with little changed: in their bytes, in
//! their words, or, where they are JSON, in their tree.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

#[path = "../../fuzz/src/lib.rs"]
mod entries;

use entries::{ENTRIES, Entry};
use serde_json::{Value, json};
use std::panic::catch_unwind;

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

    fn one_of<'all, T>(&mut self, all: &'all [T]) -> &'all T {
        &all[self.below(all.len())]
    }
}

/// Words that parsers trip over, whatever they parse.
const WORDS: &[&str] = &[
    "",
    "0",
    "-1",
    "1e400",
    "9223372036854775807",
    "18446744073709551616",
    "null",
    "true",
    "[]",
    "{}",
    "\"",
    "\\u0000",
    "\u{0}",
    "\u{e9}",
    "\u{130}",
    "\u{1f511}",
    "%",
    "%00",
    "%2f",
    "%ff",
    "..",
    "//",
    "''",
    " ",
    "\r\n",
    "+",
    "=",
    "&",
    ":",
];

/// An entry's inputs to begin from, the words in them, and the JSON objects.
struct Corpus {
    seeds: &'static [&'static [u8]],
    words: Vec<Vec<u8>>,
    trees: Vec<Tree>,
}

/// A line that is a JSON object, and what stands around it.
struct Tree {
    before: &'static [u8],
    value: Value,
    after: &'static [u8],
}

impl Tree {
    fn all_in(seed: &'static [u8]) -> Vec<Self> {
        let mut found = Vec::new();
        let mut start = 0;
        for line in seed.split_inclusive(|byte| *byte == b'\n') {
            let (end, text) = (start + line.len(), line.trim_ascii_end());
            if let Some(value) = serde_json::from_slice(text).ok().filter(Value::is_object) {
                found.push(Self { before: &seed[..start], value, after: &seed[start + text.len()..] });
            }
            start = end;
        }
        found
    }

    /// One or two values or members changed.
    fn with_other_values(&self, random: &mut Random) -> Vec<u8> {
        let mut value = self.value.clone();
        for _ in 0..=random.below(2) {
            change(random, &mut value);
        }
        [self.before, value.to_string().as_bytes(), self.after].concat()
    }
}

impl Corpus {
    fn of(entry: &Entry) -> Self {
        let known = WORDS.iter().map(|word| word.as_bytes().to_vec());
        Self {
            seeds: entry.seeds,
            words: entry.seeds.iter().flat_map(|seed| words(seed)).chain(known).collect(),
            trees: entry.seeds.iter().flat_map(|seed| Tree::all_in(seed)).collect(),
        }
    }

    fn input(&self, random: &mut Random) -> Vec<u8> {
        let seed = *random.one_of(self.seeds);
        match random.below(5) {
            0 | 1 => self.with_other_bytes(random, seed),
            3 | 4 if !self.trees.is_empty() => random.one_of(&self.trees).with_other_values(random),
            _ => self.with_other_words(random, seed),
        }
    }

    /// A few bytes changed, inserted, removed, or repeated.
    fn with_other_bytes(&self, random: &mut Random, seed: &[u8]) -> Vec<u8> {
        let mut input = seed.to_vec();
        for _ in 0..random.below(6) {
            let at = random.below(input.len() + 1);
            match random.below(5) {
                0 => input.insert(at, random.byte()),
                1 if at < input.len() => input[at] = random.byte(),
                2 if at < input.len() => drop(input.remove(at)),
                3 => input.truncate(at),
                _ => {
                    // A piece of any seed, where structure is more likely to survive.
                    let other = random.one_of(self.seeds);
                    let from = random.below(other.len() + 1);
                    let to = from + random.below(other.len() - from + 1);
                    input.splice(at..at, other[from..to].iter().copied());
                }
            }
        }
        input
    }

    /// A few words exchanged, removed, repeated, swapped, or percent-encoded.
    fn with_other_words(&self, random: &mut Random, seed: &[u8]) -> Vec<u8> {
        let mut input = words(seed);
        for _ in 0..=random.below(3) {
            if input.is_empty() {
                break;
            }
            let at = random.below(input.len());
            match random.below(6) {
                0 | 1 => input[at].clone_from(random.one_of(&self.words)),
                2 => drop(input.remove(at)),
                3 => input.insert(at, input[at].clone()),
                4 => {
                    let other = random.below(input.len());
                    input.swap(at, other);
                }
                _ => input[at] = input[at].iter().flat_map(|byte| format!("%{byte:02X}").into_bytes()).collect(),
            }
        }
        input.concat()
    }
}

/// Letters and digits together; every other byte alone.
fn words(text: &[u8]) -> Vec<Vec<u8>> {
    text.chunk_by(|one, other| one.is_ascii_alphanumeric() && other.is_ascii_alphanumeric())
        .map(<[u8]>::to_vec)
        .collect()
}

/// Goes down into the tree by chance, and changes the value it comes to.
fn change(random: &mut Random, value: &mut Value) {
    let stops = random.below(6) == 0;
    match value {
        Value::Object(members) if !stops && !members.is_empty() => {
            let key = members.keys().nth(random.below(members.len())).cloned().unwrap_or_default();
            match random.below(8) {
                0 => drop(members.remove(&key)),
                1 => {
                    let moved = members.remove(&key).unwrap_or_default();
                    members.insert(if random.below(2) == 0 { key.to_uppercase() } else { format!("{key} ") }, moved);
                }
                _ => change(random, &mut members[&key]),
            }
        }
        Value::Array(items) if !stops && !items.is_empty() => {
            let at = random.below(items.len());
            match random.below(6) {
                0 => drop(items.remove(at)),
                1 => items.push(items[at].clone()),
                _ => change(random, &mut items[at]),
            }
        }
        Value::String(text) if random.below(3) > 0 => *text = changed_text(random, text),
        other => *other = strange_value(random, other.clone()),
    }
}

fn changed_text(random: &mut Random, text: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let at = random.below(chars.len() + 1);
    match random.below(6) {
        0 => chars.truncate(at),
        1 => chars.extend(chars.clone()),
        2 => chars.iter_mut().for_each(|char| *char = char.to_ascii_uppercase()),
        3 if at < chars.len() => drop(chars.remove(at)),
        4 if at < chars.len() => chars[at] = char::from(random.byte()),
        _ => drop(chars.splice(at..at, random.one_of(WORDS).chars())),
    }
    chars.into_iter().collect()
}

fn strange_value(random: &mut Random, value: Value) -> Value {
    match random.below(14) {
        0 => Value::Null,
        1 => json!(random.below(2) == 0),
        2 => json!(-1),
        3 => json!(i64::MAX),
        4 => json!(u64::MAX),
        5 => json!(0.5),
        6 => json!(1e300),
        7 => json!(random.below(256)),
        8 => json!(random.one_of(WORDS)),
        9 => json!("A".repeat(1 + random.below(600))),
        10 => Value::Array(vec![value]),
        11 => Value::Object([("properties".to_owned(), value)].into_iter().collect()),
        12 => (0..130).fold(value, |inner, _| Value::Array(vec![inner])),
        _ => Value::Array(vec![value; 1 + random.below(20)]),
    }
}

#[test]
fn no_parser_breaks_on_random_input() {
    std::thread::scope(|scope| {
        for half in 0..2 {
            scope.spawn(move || ENTRIES.iter().skip(half).step_by(2).for_each(run));
        }
    });
}

fn run(entry: &Entry) {
    let corpus = Corpus::of(entry);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    entry.seeds.iter().for_each(|seed| (entry.run)(seed));
    for _ in 0..INPUTS_PER_ENTRY {
        let input = corpus.input(&mut random);
        let broke = catch_unwind(|| (entry.run)(&input)).is_err();
        assert!(!broke, "{} broke on b\"{}\"", entry.name, input.escape_ascii());
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
    let targets = std::fs::read_dir(folder.join("fuzz_targets")).unwrap().count();
    assert_eq!(targets, ENTRIES.len(), "a fuzz target without an entry");
}

/// The modules named `fuzz` of all crates, as paths, and the functions that they export.
fn exported() -> Vec<String> {
    let crates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let mut exported = Vec::new();
    let mut folders = vec![crates.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else if entry.file_name() == "fuzz.rs" {
                let steps: Vec<_> =
                    folder.strip_prefix(&crates).unwrap().iter().map(|step| step.to_string_lossy()).collect();
                let module: Vec<_> = steps.iter().filter(|step| **step != "src").map(AsRef::as_ref).collect();
                let text = std::fs::read_to_string(entry.path()).unwrap();
                let functions = text.lines().filter_map(|line| line.strip_prefix("pub fn ")?.split_once('('));
                exported.extend(functions.map(|(name, _)| format!("{}::fuzz::{name}", module.join("::"))));
            }
        }
    }
    exported
}

/// What the entries name of those modules: `azure::arm::fuzz::route`, also where several are named at once.
fn named(entries: &str) -> Vec<String> {
    let mut named = Vec::new();
    for (at, _) in entries.match_indices("::fuzz::") {
        let is_path = |char: char| char.is_ascii_alphanumeric() || char == '_' || char == ':';
        let module = entries[..at].rsplit(|char| !is_path(char)).next().unwrap_or_default();
        let rest = &entries[at + "::fuzz::".len()..];
        let items = match rest.strip_prefix('{') {
            Some(several) => several.split('}').next().unwrap_or_default(),
            None => rest.split(|char| !is_path(char)).next().unwrap_or_default(),
        };
        let names = items.split(',').filter_map(|item| item.split_whitespace().next());
        named.extend(names.map(|name| format!("{module}::fuzz::{name}")));
    }
    named
}

#[test]
fn every_exported_parser_has_an_entry() {
    let (exported, named) = (exported(), named(include_str!("../../fuzz/src/lib.rs")));
    assert!(exported.len() > 30, "{exported:?}");
    let missing: Vec<_> = exported.iter().filter(|function| !named.contains(function)).collect();
    assert!(missing.is_empty(), "no entry names {missing:?}");
}
