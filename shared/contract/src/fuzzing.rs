//! Feeds a parser with what came of a corpus: bytes changed, removed, doubled, and pieces of other entries put in.
//!
//! The corpus is `checks/fuzz/corpus`, a folder for each parser. A run in the tests is the same every time; `scripts/fuzz`
//! runs longer, from another seed (FUZZ_MINUTES, FUZZ_SEED).

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use crate::random::Random;

/// Inputs of a run in the tests.
const INPUTS: u64 = 20_000;
/// No input is longer.
const BYTES_MAX: usize = 16 * 1024;
/// What breaks parsers more often than chance finds it.
const TOKENS: [&[u8]; 16] = [
    b"0",
    b"-1",
    b"9223372036854775807",
    b"9223372036854775808",
    b"1e400",
    b"0.000",
    b"null",
    b"{",
    b"[[[[",
    b"\"",
    b"%00",
    b"&",
    b"=",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\r\n",
];

/// Runs `check` on every entry of the corpus and on changed ones. An input on which it panics is kept in `target/fuzz`.
///
/// # Panics
/// As `check` does, and when there is no corpus.
pub fn fuzz(parser: &str, check: impl Fn(&[u8])) {
    fuzz_some(parser, INPUTS, check);
}

/// The same with another number of inputs, for a parser that takes longer.
///
/// # Panics
/// As [`fuzz`].
pub fn fuzz_some(parser: &str, inputs: u64, check: impl Fn(&[u8])) {
    let corpus = corpus_of(parser);
    assert!(!corpus.is_empty(), "checks/fuzz/corpus/{parser} is empty");
    for entry in &corpus {
        check_one(parser, entry, &check);
    }
    let number = |name| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let minutes = number("FUZZ_MINUTES").map(|minutes| Duration::from_secs(60 * minutes));
    let mut random = Random::new(number("FUZZ_SEED").unwrap_or(1));
    let began = Instant::now();
    let mut done = 0;
    while minutes.map_or(done < inputs, |minutes| began.elapsed() < minutes) {
        check_one(parser, &changed(&corpus, &mut random), &check);
        done += 1;
    }
}

fn corpus_of(parser: &str) -> Vec<Vec<u8>> {
    let folder = root().join("checks/fuzz/corpus").join(parser);
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths.iter().filter_map(|path| fs::read(path).ok()).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn check_one(parser: &str, input: &[u8], check: &impl Fn(&[u8])) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| check(input))) {
        let folder = root().join("target/fuzz");
        let file = folder.join(format!("{parser}-{}", input.len()));
        // Where it cannot be written, the panic still says what is wrong.
        drop(fs::create_dir_all(&folder).and_then(|()| fs::write(file, input)));
        resume_unwind(panic);
    }
}

/// An entry of the corpus with a few changes.
fn changed(corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut input = random.pick(corpus).unwrap_or_default();
    for _ in 0..=random.below(4) {
        let (from, to) = range_in(&input, random);
        match random.below(7) {
            0 => {
                if let Some(byte) = input.get_mut(from) {
                    *byte ^= 1 << random.below(8);
                }
            }
            1 => drop(input.drain(from..to)),
            2 => {
                let twice: Vec<u8> = input.get(from..to).unwrap_or_default().to_vec();
                input.splice(to..to, twice);
            }
            3 => {
                let token = random.pick(&TOKENS).unwrap_or_default();
                input.splice(from..to.min(from + 3), token.iter().copied());
            }
            4 => {
                let other = random.pick(corpus).unwrap_or_default();
                let (other_from, other_to) = range_in(&other, random);
                let piece = other.get(other_from..other_to).unwrap_or_default().to_vec();
                input.splice(from..to, piece);
            }
            5 => input.truncate(from),
            _ => {
                let byte = u8::try_from(random.below(256)).unwrap_or_default();
                input.insert(from, byte);
            }
        }
    }
    input.truncate(BYTES_MAX);
    input
}

/// A short range, as a rule, within the input.
fn range_in(input: &[u8], random: &mut Random) -> (usize, usize) {
    let length = u64::try_from(input.len()).unwrap_or(0);
    let from = random.below(length + 1);
    let longest = if random.below(4) == 0 { length } else { 12 };
    let to = (from + random.below(longest + 1)).min(length);
    let place = |place| usize::try_from(place).unwrap_or(0);
    (place(from), place(to))
}
