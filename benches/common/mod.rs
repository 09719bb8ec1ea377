//! What the benches run on: the reference network and real spikes.
//!
//! In: the SHD-layout file that `RESPIKE_BENCH_DATA` names, or else the recordings of
//! `tests/golden`, encoded at 700 channels. Out: samples, a network that has been trained a little
//! (an untrained one is unusually silent), and files of any size.

#![allow(dead_code, reason = "each bench uses a part")]

use std::path::{Path, PathBuf};

use respike::dataset::{Dataset, DatasetBuilder, LabelledEvents, ShdContents, ShdFile, write_shd};
use respike::encode::{EarPreset, InnerEar, read_audio};
use respike::ids::{ClassId, SpeakerId};
use respike::network::{Network, NetworkSpec, Stage};
use respike::random::{MasterSeed, Purpose};
use respike::spikes::EventStream;
use respike::train::{DatasetExamples, Trainer, TrainingSettings};

/// Samples of an optimiser step.
pub const BATCH: usize = 64;
/// Epochs on one batch, after which about 5 % of all neurons spike in a step.
const WARM_UP_EPOCHS: usize = 20;

/// Recordings: those of the file, or `tests/golden`'s.
pub fn recordings() -> Vec<LabelledEvents> {
    match std::env::var_os("RESPIKE_BENCH_DATA") {
        Some(path) => {
            let file = ShdFile::open(Path::new(&path)).expect("RESPIKE_BENCH_DATA names a file");
            file.read(0..file.len()).expect("a whole file")
        }
        None => encoded(),
    }
}

/// The recordings that ship with the tests, heard by the inner ear.
fn encoded() -> Vec<LabelledEvents> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/recordings");
    let ear = InnerEar::new(EarPreset::Shd.settings(700)).expect("a preset");
    let files = std::fs::read_dir(folder).expect("it ships with the tests");
    let mut paths: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    paths.sort();
    let recordings = paths.iter().enumerate().map(|(index, path)| {
        let sound = read_audio(path).expect("it ships with the tests").sound;
        LabelledEvents {
            events: ear.encode(&sound, MasterSeed(0)).expect("a sound"),
            class: ClassId(index as u16),
            speaker: SpeakerId(0),
            sound: None,
        }
    });
    recordings.collect()
}

/// So many recordings: those given again and again, each time moved by a channel more, so that no
/// two are alike.
pub fn repeated(recordings: &[LabelledEvents], count: usize) -> Vec<LabelledEvents> {
    let repeats = (0..count).map(|index| {
        let original = &recordings[index % recordings.len()];
        let shift = (index / recordings.len()) as u16;
        let units = original.events.units().iter();
        let units = units.map(|unit| (unit + shift) % 700).collect();
        let times = original.events.times_s().to_vec();
        LabelledEvents {
            events: EventStream::new(times, units).expect("as valid as before"),
            class: original.class,
            speaker: original.speaker,
            sound: None,
        }
    });
    repeats.collect()
}

/// So many samples for the reference network.
pub fn dataset(count: usize) -> Dataset {
    binned(&repeated(&recordings(), count), &NetworkSpec::dequino2024())
}

/// Recordings binned for a network.
pub fn binned(recordings: &[LabelledEvents], spec: &NetworkSpec) -> Dataset {
    let names = (0..20).map(|class| class.to_string()).collect();
    let builder = DatasetBuilder::new(spec.grid(), spec.inputs(), names);
    let mut builder = builder.expect("20 names");
    for recording in recordings {
        builder.push(recording).expect("it fits");
    }
    builder.build().expect("samples")
}

/// A trainer of a network, after some epochs on the data.
pub fn trainer(spec: NetworkSpec, data: &Dataset) -> Trainer {
    let seed = MasterSeed(0);
    let settings = TrainingSettings::default();
    let network = Network::new(spec, seed);
    let trainer = Trainer::new(network, Stage::Whole, settings, seed, Purpose::Shuffle);
    let mut trainer = trainer.expect("default settings are valid");
    for _ in 0..WARM_UP_EPOCHS {
        trainer
            .epoch(&DatasetExamples::all(data))
            .expect("a valid batch");
    }
    trainer
}

/// An SHD-layout file of so many samples: the one that `RESPIKE_BENCH_BIG` names, or one made now.
pub fn big_file(samples: usize) -> PathBuf {
    if let Some(path) = std::env::var_os("RESPIKE_BENCH_BIG") {
        return path.into();
    }
    // Another source makes another file.
    let source = PathBuf::from(std::env::var_os("RESPIKE_BENCH_DATA").unwrap_or_default());
    let name = source.file_stem().unwrap_or_default().to_string_lossy();
    let bytes = source.metadata().map_or(0, |file| file.len());
    let file = format!("bench_{name}_{bytes}_{samples}.h5");
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(file);
    if !path.exists() {
        let names: Vec<String> = (0..20).map(|class| class.to_string()).collect();
        let recordings = repeated(&recordings(), samples);
        write_shd(&path, &ShdContents::new(&names, &recordings)).expect("a file");
    }
    path
}
