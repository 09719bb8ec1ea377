//! Damaged files, by the thousand: whatever a file holds, reading it ends soon, in memory of a stated
//! size, with what is in it or with one line that says what is wrong.
//!
//! In: whole files of every kind, and a seed. Out: for each kind the number of inputs that were read and
//! refused, or the first that made its reader panic, hang, or ask for a gigabyte.
//!
//! `cargo test` tries some thousands of each kind; `make fuzz` many more, and writes the record in
//! `docs/records/fuzz.md`. An input that ends the process is left in the folder that is named first.

#![cfg(all(feature = "encode", feature = "fetch", feature = "shd"))]
#![allow(
    clippy::print_stdout,
    reason = "the record of `make fuzz` is read from what is printed"
)]

mod memory;
mod mutate;
mod readers;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// How many inputs of each kind, instead of some thousands: `100000`.
const INPUTS: &str = "RESPIKE_FUZZ_INPUTS";
/// The first seed, instead of 0.
const FIRST: &str = "RESPIKE_FUZZ_FIRST";
/// The longest that an input may take, in seconds.
const PATIENCE_S: u64 = 5;

/// Reads all that is in a file; gives the words of the error.
pub type Read = Box<dyn Fn(&Path) -> Result<(), String> + Send>;

/// A kind of file and what reads it.
pub struct Kind {
    /// For messages and the record.
    pub name: &'static str,
    /// The file's name, in a folder of its own.
    pub file: &'static str,
    /// Whole files.
    pub seeds: Vec<Vec<u8>>,
    /// What its text is made of; nothing where it is no text.
    pub words: &'static [&'static str],
    /// Makes a changed file whole again as far as checksums go.
    pub mend: fn(&mut [u8]),
    /// What is tried.
    pub read: Read,
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is no number")),
    )
}

/// Tries mutants of a kind.
fn try_kind(kind: Kind, usual: u64) {
    let inputs = number(INPUTS).unwrap_or(usual);
    let first = number(FIRST).unwrap_or(0);
    let folder = tempfile::Builder::new()
        .prefix(&format!("respike-fuzz-{}-", kind.name))
        .tempdir_in(fast_folder())
        .expect("a folder");
    let path = folder.path().join(kind.file);
    println!("{}: inputs are in {}", kind.name, path.display());
    let begun = Instant::now();
    let since = Arc::new(AtomicU64::new(0));
    let (seed_now, ended) = (Arc::new(AtomicU64::new(first)), Arc::new(AtomicU64::new(0)));
    let (name, clock, watched, done) = (kind.name, since.clone(), seed_now.clone(), ended.clone());
    let worker = std::thread::spawn(move || {
        let (mut read, mut refused) = (0u64, 0u64);
        for seed in first..first + inputs {
            clock.store(begun.elapsed().as_millis() as u64, Ordering::Relaxed);
            watched.store(seed, Ordering::Relaxed);
            let mut chance = ChaCha8Rng::seed_from_u64(seed);
            let mut bytes = mutate::mutant(&kind.seeds, kind.words, &mut chance);
            (kind.mend)(&mut bytes);
            std::fs::write(&path, &bytes).expect("room in memory");
            let outcome = catch_unwind(AssertUnwindSafe(|| (kind.read)(&path)));
            match outcome {
                Ok(Ok(())) => read += 1,
                Ok(Err(words)) => {
                    refused += 1;
                    let plain = !words.is_empty() && !words.chars().any(char::is_control);
                    assert!(plain, "{name} {seed}: not a plain line: {words:?}");
                }
                Err(_) => {
                    let kept = keep(name, seed, &bytes);
                    panic!("{name} {seed}: a panic; the input is {}", kept.display());
                }
            }
        }
        done.store(1, Ordering::Relaxed);
        (read, refused)
    });
    while !worker.is_finished() {
        std::thread::sleep(Duration::from_millis(20));
        let now = begun.elapsed().as_millis() as u64;
        // The next input may have begun since.
        let spent = now.saturating_sub(since.load(Ordering::Relaxed));
        let seed = seed_now.load(Ordering::Relaxed);
        // The thread can't be ended from here; the process ends with the test.
        if spent >= PATIENCE_S * 1000 && ended.load(Ordering::Relaxed) == 0 {
            let kept = folder.keep().join(kind.file);
            panic!(
                "{name} {seed}: not read after {PATIENCE_S} s; the input is {}",
                kept.display()
            );
        }
    }
    match worker.join() {
        Ok((read, refused)) => println!(
            "fuzz | {name} | {inputs} | {read} | {refused} | {:.0}",
            begun.elapsed().as_secs_f64()
        ),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// A folder in memory, where there is one.
fn fast_folder() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    match memory.is_dir() {
        true => memory,
        false => std::env::temp_dir(),
    }
}

/// Leaves an input where it can be looked at.
fn keep(name: &str, seed: u64, bytes: &[u8]) -> PathBuf {
    let path = std::env::temp_dir().join(format!("respike-fuzz-{name}-{seed}"));
    std::fs::write(&path, bytes).expect("room on disk");
    path
}

#[test]
fn checkpoints() {
    try_kind(readers::checkpoint(), 4000);
}

#[test]
fn memories() {
    try_kind(readers::memory(), 4000);
}

#[test]
fn records() {
    try_kind(readers::record(), 4000);
}

#[test]
fn cells_of_suites() {
    try_kind(readers::cells(), 4000);
}

#[test]
fn networks_as_toml() {
    try_kind(readers::network(), 4000);
}

#[test]
fn suites_as_toml() {
    try_kind(readers::suite(), 4000);
}

#[test]
fn wav() {
    try_kind(readers::wav(), 4000);
}

#[test]
fn flac() {
    try_kind(readers::flac(), 1000);
}

#[test]
fn journals() {
    try_kind(readers::journal(), 2000);
}

#[test]
fn archives() {
    try_kind(readers::archive(), 1000);
}

#[test]
fn hdf5() {
    try_kind(readers::hdf5(), 4000);
}

#[test]
fn tables_of_labels() {
    try_kind(readers::labels(), 4000);
}
