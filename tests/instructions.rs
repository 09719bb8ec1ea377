//! Guards the hot loops against growing slower: their instructions are counted under valgrind, which
//! gives the same number on a busy machine and an idle one, and compared with those on record.
//!
//! `tests/instructions.json` has the record. A work that needs 5 % more than it had fails the test, and
//! one that needs 5 % less is told; `RESPIKE_RECORD_INSTRUCTIONS=1 cargo test --test instructions`
//! records what got fewer, and what is new. It never takes more in place of less: a hot loop that has to
//! grow needs a hand in the file, and a reason beside it.
//!
//! Under another compiler than that of the record the same is counted and compared, and the difference
//! of compilers is said. Valgrind knows no AVX-512, so that path is not counted. Where there is no
//! valgrind the test says so and counts nothing, unless `RESPIKE_REQUIRE_TOOLS` is set.

#![allow(
    clippy::print_stdout,
    reason = "a program of its own, which prints what it found"
)]

#[path = "common/golden.rs"]
mod golden_file;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use golden_file::Golden;
use ndarray::Array3;
use respike::ids::ClassId;
use respike::network::{Latent, Network, NetworkSpec, Stage, StageInput};
use respike::random::{MasterSeed, Purpose};
use respike::replay::{CodecSettings, decode_spikes_into, encode_spikes};
use respike::simd::Simd;
use respike::spikes::{EventStream, SpikeCounts, SpikeRaster};
use respike::train::{StoredExamples, Trainer, TrainingSettings, evaluate};
use serde::{Deserialize, Serialize};

/// Says what the program started under valgrind is to do: `WORK TIMES SIMD`.
const WORK: &str = "RESPIKE_COUNTED_WORK";
const RECORD: &str = "RESPIKE_RECORD_INSTRUCTIONS";
const WORKS: [&str; 8] = [
    "training step",
    "inference",
    "learning stage",
    "binning",
    "encode or:10",
    "decode or:10",
    "encode counts:10",
    "decode counts:10",
];
const ALLOWED: f64 = 1.05;

#[derive(Serialize, Deserialize)]
struct Record {
    rustc: String,
    /// By instruction set and work: instructions of doing it once.
    instructions: BTreeMap<Simd, BTreeMap<String, u64>>,
}

fn main() -> ExitCode {
    if let Ok(work) = std::env::var(WORK) {
        let mut words = work.rsplitn(3, ' ');
        let simd: Simd = words.next().and_then(|w| w.parse().ok()).expect("a set");
        let times = words.next().and_then(|w| w.parse().ok()).expect("a number");
        simd.choose().expect("available");
        run(words.next().expect("a work"), times);
        return ExitCode::SUCCESS;
    }
    // `cargo test FILTER` runs every target; only one that names this one is meant for it.
    let filter = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'));
    if filter.is_some_and(|filter| !"instructions".contains(&filter)) {
        println!("running 0 tests\n\ntest result: ok. 0 passed; 0 failed; 1 filtered out");
        return ExitCode::SUCCESS;
    }
    println!("running 1 test");
    match check() {
        Ok(said) => {
            println!("test instructions ... ok ({said})\n\ntest result: ok. 1 passed; 0 failed");
            ExitCode::SUCCESS
        }
        Err(failures) => {
            println!(
                "{failures}\ntest instructions ... FAILED\n\ntest result: FAILED. 0 passed; 1 failed"
            );
            ExitCode::FAILURE
        }
    }
}

fn check() -> Result<String, String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/instructions.json");
    let rustc = first_line("rustc").unwrap_or_else(|| "an unknown compiler".to_string());
    if first_line("valgrind").is_none() {
        return match std::env::var_os("RESPIKE_REQUIRE_TOOLS") {
            Some(_) => {
                Err("valgrind is not installed, and RESPIKE_REQUIRE_TOOLS is set".to_string())
            }
            None => Ok("NOTHING COUNTED: valgrind is not installed".to_string()),
        };
    }
    let text = std::fs::read_to_string(&path).expect("it ships with the tests");
    let mut record: Record = serde_json::from_str(&text).expect("as written below");
    let recording = std::env::var_os(RECORD).is_some();
    let sets = Simd::available();
    let mut failures = String::new();
    let mut fewer = Vec::new();
    for simd in sets.into_iter().filter(|&set| set != Simd::Avx512) {
        let known = record.instructions.entry(simd).or_default();
        for work in WORKS {
            let now = instructions(work, simd);
            let Some(&before) = known.get(work) else {
                match recording {
                    true => drop(known.insert(work.to_string(), now)),
                    false => failures += &format!("{work} under {simd} is not on record; "),
                }
                continue;
            };
            let ratio = now as f64 / before as f64;
            println!("  {simd:8} {work:18} {now:>12} instructions, {ratio:.3} of the record");
            if ratio > ALLOWED {
                failures +=
                    &format!("{work} under {simd} needs {now} instructions, not {before}; ");
            } else if recording && now < before {
                known.insert(work.to_string(), now);
            } else if ratio < 1.0 / ALLOWED {
                fewer.push(format!("{work} under {simd}"));
            }
        }
    }
    if !failures.is_empty() {
        let compilers = match record.rustc == rustc {
            true => String::new(),
            false => format!("the record is by {}, and this is {rustc}", record.rustc),
        };
        return Err(format!("{failures}{compilers}"));
    }
    if recording {
        record.rustc = rustc;
        let text = serde_json::to_string_pretty(&record).expect("plain data");
        std::fs::write(&path, text + "\n").expect("a file of this project");
        return Ok("recorded what got fewer".to_string());
    }
    let fewer = match fewer.is_empty() {
        true => String::new(),
        false => format!("; fewer, to be kept by {RECORD}=1: {}", fewer.join(", ")),
    };
    Ok(format!(
        "none needs more than on record, by {}{fewer}",
        record.rustc
    ))
}

/// What a program says of its version, if it is there.
fn first_line(program: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().next().map(str::to_string)
}

/// Instructions of doing a work once: those of a program that does it three times less those of one
/// that does it once, halved, so that what comes before is not counted.
fn instructions(work: &str, simd: Simd) -> u64 {
    let of = |times: u32| {
        let this = std::env::current_exe().expect("this program");
        let output = Command::new("valgrind")
            .args([
                "--tool=cachegrind",
                "--cache-sim=no",
                "--cachegrind-out-file=/dev/null",
            ])
            .arg(this)
            .env(WORK, format!("{work} {times} {simd}"))
            .env("RAYON_NUM_THREADS", "1")
            .output()
            .expect("valgrind was there");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{work} under {simd}: {said}");
        let line = said
            .lines()
            .find_map(|line| line.split_once("I   refs:").or(line.split_once("I refs:")));
        let digits: String = line
            .expect(&said)
            .1
            .chars()
            .filter(char::is_ascii_digit)
            .collect();
        digits.parse::<u64>().expect("a number of instructions")
    };
    (of(3) - of(1)) / 2
}

fn samples() -> Vec<SpikeCounts> {
    let input: Array3<f32> = Golden::read("network_full.safetensors").get("input");
    let samples = input.outer_iter().map(|sample| {
        let counts = sample.mapv(|count| count as u16);
        SpikeCounts::from_dense(counts.view()).expect("extents fit")
    });
    samples.collect()
}

/// Does a work so many times, after all that it needs has been made.
fn run(work: &str, times: usize) {
    let samples = samples();
    let (spec, seed) = (NetworkSpec::dequino2024(), MasterSeed(3));
    let network = Network::new(spec.clone(), seed);
    let settings = TrainingSettings::default();
    let index = spec.replay_layer(2).expect("three layers");
    let latents: Vec<Latent> = samples
        .iter()
        .map(|counts| network.latent(index, counts).expect("it fits"))
        .collect();
    let of_class = |(class, input)| (input, ClassId(class as u16));
    let whole = StoredExamples {
        samples: samples
            .iter()
            .map(StageInput::counts)
            .enumerate()
            .map(of_class)
            .collect(),
    };
    let above = StoredExamples {
        samples: latents
            .iter()
            .map(Latent::as_input)
            .enumerate()
            .map(of_class)
            .collect(),
    };
    let rasters: Vec<SpikeRaster> = latents
        .iter()
        .filter_map(|latent| match latent {
            Latent::Spikes(raster) => Some(raster.clone()),
            _ => None,
        })
        .collect();
    let train = |stage: Stage, examples: &StoredExamples<'_>| {
        let trainer = Trainer::new(network.clone(), stage, settings, seed, Purpose::Shuffle);
        let mut trainer = trainer.expect("default settings are valid");
        for _ in 0..times {
            trainer.epoch(examples).expect("a valid batch");
        }
    };
    match work {
        "training step" => train(Stage::Whole, &whole),
        "learning stage" => train(Stage::Learning(index), &above),
        "inference" => {
            for _ in 0..times {
                black_box(evaluate(&network, Stage::Whole, &whole).expect("a valid batch"));
            }
        }
        "binning" => {
            let times_s = (0..5000)
                .map(|event| f64::from(event) * 1.3 / 5000.0)
                .collect();
            let units = (0..5000u32)
                .map(|event| (event * 37 % 700) as u16)
                .collect();
            let events = EventStream::new(times_s, units).expect("valid events");
            for _ in 0..times {
                black_box(spec.grid().bin(&events, 700).expect("they fit"));
            }
        }
        coding => {
            let (way, codec) = coding.split_once(' ').expect("two words");
            let codec: CodecSettings = codec.parse().expect("a codec");
            let packed: Vec<_> = rasters.iter().map(|r| encode_spikes(&codec, r)).collect();
            let mut raster = rasters[0].clone();
            for _ in 0..1000 * times {
                match way {
                    "encode" => {
                        black_box(encode_spikes(&codec, &rasters[1]));
                    }
                    _ => decode_spikes_into(&codec, &packed[1], &mut raster).expect("just packed"),
                }
            }
        }
    }
}
