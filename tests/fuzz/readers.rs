//! Every reader of files that come from elsewhere, with whole files to begin from.

use std::path::{Path, PathBuf};

use respike::dataset::ShdFile;
use respike::dataset::fetch::{Contents, Md5Sum, RecordingsArchive, Settings, Source, place};
use respike::encode::{EarPreset, InnerEar, LabelRule, encode_files, read_audio};
use respike::network::NetworkSpec;
use respike::random::MasterSeed;
use respike::replay::ReplayMemory;
use respike::report::RunFolder;
use respike::suite::{ResultLine, SuiteSettings};
use respike::train::Checkpoint;

use super::Kind;

/// Seeds are not longer than this, in bytes: mutants of long files are mostly unharmed.
const LONGEST_SEED: u64 = 80_000;

const JSON: &[&str] = &[
    "null",
    "true",
    "-1",
    "0",
    "1e308",
    "1e999",
    "18446744073709551615",
    "18446744073709551616",
    "0.1",
    "[",
    "]",
    "{",
    "}",
    "{}",
    "[]",
    "\"\"",
    "\"\\u0000\"",
    "\"\\u001b[2J\"",
    "NaN",
    ",",
    ":",
    "format",
    "data",
    "kind",
    "4294967295",
    "65535",
    "65536",
    "1099511627776",
];

const TOML: &[&str] = &[
    "true",
    "-1",
    "0",
    "1",
    "1e308",
    "inf",
    "nan",
    "-inf",
    "9223372036854775807",
    "4294967295",
    "65536",
    "1099511627776",
    "0.0",
    "-0.0",
    "1e-320",
    "\"\"",
    "[]",
    "[[",
    "]]",
    "{}",
    "[layers]",
    "[[layers]]",
    "\"\\u0000\"",
    "\"\\u001b[2J\"",
    "units",
    "steps",
    "kind",
    "sample",
    "class",
    "multi-class",
    "or:0",
    "or:10",
    "counts:65535",
    "latent",
    "naive",
    "1979-05-27",
];

const CSV: &[&str] = &[
    "file",
    "label",
    "speaker",
    "language",
    "take",
    "\"",
    "\"\"",
    ",",
    ";",
    "\r\n",
    "\n",
    "\t",
    "4294967296",
    "-1",
    "\u{feff}",
    "\u{301}",
    "\u{1b}[2J",
    "r0.wav",
];

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn seed(path: &str) -> Vec<u8> {
    std::fs::read(root(path)).expect("it ships with the tests")
}

/// All files in a folder, and below it, with this ending.
fn seeds(folder: &str, ending: &str) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut folders = vec![root(folder)];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(folder).expect("it ships with the tests");
        for path in entries.map(|entry| entry.expect("readable").path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    // The order of a folder is that of the file system.
    found.sort();
    found.retain(|path| {
        path.metadata()
            .is_ok_and(|about| about.len() <= LONGEST_SEED)
    });
    assert!(!found.is_empty(), "{folder} has no {ending}");
    let read = found.iter().map(std::fs::read);
    read.collect::<Result<_, _>>().expect("readable")
}

fn whole(_: &mut [u8]) {}

fn kind(
    name: &'static str,
    file: &'static str,
    seeds: Vec<Vec<u8>>,
    read: impl Fn(&Path) -> Result<(), String> + Send + 'static,
) -> Kind {
    Kind {
        name,
        file,
        seeds,
        words: &[],
        mend: whole,
        read: Box::new(read),
    }
}

fn words<T, E: std::fmt::Display>(done: Result<T, E>) -> Result<(), String> {
    done.map(drop).map_err(|error| error.to_string())
}

pub fn hdf5() -> Kind {
    kind("hdf5", "x.h5", seeds("tests/cases", ".h5"), |path| {
        let file = ShdFile::open(path).map_err(|error| error.to_string())?;
        words(file.for_each(|_, _| Ok(())))
    })
}

pub fn checkpoint() -> Kind {
    let seeds = seeds("tests/formats", ".safetensors");
    let kind = kind("checkpoint", "x.safetensors", seeds, |path| {
        words(Checkpoint::load(path))
    });
    Kind {
        words: JSON,
        ..kind
    }
}

pub fn memory() -> Kind {
    let seeds = seeds("tests/formats", "memory.safetensors");
    let kind = kind("memory", "x.safetensors", seeds, |path| {
        words(ReplayMemory::load(path))
    });
    Kind {
        words: JSON,
        ..kind
    }
}

pub fn record() -> Kind {
    let kind = kind(
        "record",
        "run.jsonl",
        seeds("tests/formats", "run.jsonl"),
        |path| words(RunFolder::read(path.parent().expect("a folder"))),
    );
    Kind {
        words: JSON,
        ..kind
    }
}

pub fn cells() -> Kind {
    let seeds = seeds("tests/formats/suite/cells", ".jsonl");
    let kind = kind("cells", "seed-0.jsonl", seeds, |path| {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        let read = |line| serde_json::from_str::<ResultLine>(line).is_ok();
        match text.lines().all(read) {
            true => Ok(()),
            false => Err("a line is no result".to_string()),
        }
    });
    Kind {
        words: JSON,
        ..kind
    }
}

pub fn network() -> Kind {
    let kind = kind("network", "x.toml", seeds("snn-models", "0.toml"), |path| {
        words(NetworkSpec::read(path))
    });
    Kind {
        words: TOML,
        ..kind
    }
}

pub fn suite() -> Kind {
    let kind = kind(
        "suite",
        "x.toml",
        seeds("snn-models/suites", ".toml"),
        |path| words(SuiteSettings::read(path)),
    );
    Kind {
        words: TOML,
        ..kind
    }
}

pub fn wav() -> Kind {
    let mut all = seeds("tests/cases/audio", ".wav");
    all.push(seed("tests/golden/recordings/7_theo_0.wav"));
    kind("wav", "x.wav", all, |path| words(read_audio(path)))
}

pub fn flac() -> Kind {
    let mut all = seeds("tests/cases/audio", ".flac");
    all.extend(seeds("tests/golden/flac", ".flac"));
    kind("flac", "x.flac", all, |path| words(read_audio(path)))
}

pub fn labels() -> Kind {
    let kind = kind("labels", "x.csv", seeds("tests/cases", ".csv"), |path| {
        words(LabelRule::parse(&path.to_string_lossy()))
    });
    Kind { words: CSV, ..kind }
}

pub fn journal() -> Kind {
    let ear = InnerEar::new(EarPreset::Shd.settings(8)).expect("valid");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.encoding");
    let files =
        respike::encode::find_audio(&[root("tests/golden/recordings")]).expect("recordings");
    encode_files(&ear, MasterSeed(0), &files[..3], &path, &|_| {}).expect("encoded");
    let whole = std::fs::read(&path).expect("written");
    kind("journal", "x.encoding", vec![whole], move |path| {
        words(encode_files(&ear, MasterSeed(0), &[], path, &|_| {}))
    })
}

pub fn archive() -> Kind {
    let mut packed = tar::Builder::new(Vec::new());
    for (name, bytes) in [
        ("recordings/0_ann_0.wav", &b"zero"[..]),
        ("recordings/1_bob_0.wav", b""),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        packed
            .append_data(&mut header, format!("x/{name}"), bytes)
            .expect("in memory");
    }
    let packed = packed.into_inner().expect("in memory");
    let source = Source {
        name: "toy".to_string(),
        home: "http://localhost".to_string(),
        contents: Contents::Recordings(RecordingsArchive {
            packed_name: "x.tar".to_string(),
            folder: "toy".to_string(),
            listing_sum: Md5Sum(0),
        }),
    };
    let kind = kind("archive", "x.tar", vec![packed], move |path| {
        let folder = path.with_extension("unpacked");
        let given = [path.to_path_buf()];
        let placed = place(&source, &folder, &given, &Settings::default(), &mut |_| {});
        words(placed)
    });
    Kind {
        mend: sum_headers,
        ..kind
    }
}

/// Gives every header of an archive the sum that it says it has.
fn sum_headers(bytes: &mut [u8]) {
    for block in bytes.as_chunks_mut::<512>().0 {
        if block[257..262] == *b"ustar" {
            let mut header = tar::Header::new_old();
            header.as_mut_bytes().copy_from_slice(block);
            header.set_cksum();
            block.copy_from_slice(header.as_bytes());
        }
    }
}
