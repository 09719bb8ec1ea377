//! What several tests need: small datasets, good and bad, as files.
#![allow(dead_code)] // each test file uses some of it

use std::path::{Path, PathBuf};

use hdf5::types::{FixedAscii, VarLenArray};
use respike::dataset::{LabelledEvents, ShdContents, write_shd};
use respike::ids::{ClassId, SpeakerId};
use respike::spikes::EventStream;

/// Inputs of the small network.
pub const INPUTS: u16 = 12;
/// Classes of the small datasets.
pub const CLASSES: u16 = 4;
/// Speakers of the small datasets.
pub const SPEAKERS: u16 = 3;

/// A network that trains in milliseconds: 12–16–12–8 and 4 readouts over 30 steps.
pub const SMALL_SPEC: &str = r#"
name = "small"
[input]
units = 12
steps = 30
max_time_s = 0.6
[neuron]
tau_syn_steps = 5.0
tau_mem_steps = 10.0
threshold = 1.0
surrogate = { kind = "fast-sigmoid", slope = 100.0 }
[[layers]]
units = 16
recurrent = true
[[layers]]
units = 12
recurrent = true
[[layers]]
units = 8
recurrent = true
[readout]
classes = 4
tau_syn_steps = 5.0
tau_mem_steps = 10.0
over_time = "max"
[init]
weight_scale = 1.0
"#;

/// Names of the classes of the small datasets.
pub fn names() -> Vec<String> {
    ["red", "green", "blue", "grey"].map(String::from).to_vec()
}

/// Recordings that can be told apart: a class is a group of channels, a speaker a delay.
pub fn recordings(each: usize, salt: u32) -> Vec<LabelledEvents> {
    let mut all = Vec::new();
    for take in 0..each {
        for class in 0..CLASSES {
            for speaker in 0..SPEAKERS {
                let mut noise =
                    (take as u32 * 7919 + u32::from(class * 31 + speaker) * 104_729) ^ salt;
                let mut times = Vec::new();
                let mut units = Vec::new();
                for event in 0..40 {
                    noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let jitter = f64::from(noise >> 16) / 65536.0;
                    times.push(
                        0.02 + 0.012 * f64::from(event) + 0.02 * f64::from(speaker) + 0.01 * jitter,
                    );
                    let channel = u32::from(class) * 3 + (noise >> 8) % 3;
                    units.push(if noise.is_multiple_of(10) {
                        (noise >> 4) as u16 % INPUTS
                    } else {
                        channel as u16
                    });
                }
                all.push(LabelledEvents {
                    events: EventStream::new(times, units).expect("valid"),
                    class: ClassId(class),
                    speaker: SpeakerId(speaker),
                    sound: None,
                });
            }
        }
    }
    all
}

/// A folder with `train.h5`, `test.h5` and `small.toml`.
pub struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let bench = Bench { folder };
        write_shd(
            &bench.path("train.h5"),
            &ShdContents::new(&names(), &recordings(10, 1)),
        )
        .expect("written");
        write_shd(
            &bench.path("test.h5"),
            &ShdContents::new(&names(), &recordings(3, 2)),
        )
        .expect("written");
        std::fs::write(bench.path("small.toml"), SMALL_SPEC).expect("written");
        bench
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }
}

/// What goes into a file that is wrong in one way.
pub struct Parts {
    pub times: Option<Vec<Vec<f32>>>,
    pub units: Option<Vec<Vec<u32>>>,
    pub labels: Option<Vec<u16>>,
    pub speakers: Option<Vec<u16>>,
    pub keys: Option<Vec<&'static str>>,
}

impl Parts {
    /// Three good samples.
    pub fn good() -> Self {
        Parts {
            times: Some(vec![vec![0.1, 0.2], vec![0.3], vec![]]),
            units: Some(vec![vec![0, 1], vec![2], vec![]]),
            labels: Some(vec![0, 1, 2]),
            speakers: Some(vec![0, 0, 1]),
            keys: Some(vec!["red", "green", "blue", "grey"]),
        }
    }

    pub fn write(self, path: &Path) {
        let file = hdf5::File::create(path).expect("made");
        let spikes = file.create_group("spikes").expect("made");
        if let Some(times) = self.times {
            let lists: Vec<VarLenArray<f32>> =
                times.iter().map(|t| VarLenArray::from_slice(t)).collect();
            spikes
                .new_dataset_builder()
                .with_data(&lists)
                .create("times")
                .expect("made");
        }
        if let Some(units) = self.units {
            let lists: Vec<VarLenArray<u32>> =
                units.iter().map(|u| VarLenArray::from_slice(u)).collect();
            spikes
                .new_dataset_builder()
                .with_data(&lists)
                .create("units")
                .expect("made");
        }
        if let Some(labels) = self.labels {
            file.new_dataset_builder()
                .with_data(&labels)
                .create("labels")
                .expect("made");
        }
        let extra = file.create_group("extra").expect("made");
        if let Some(speakers) = self.speakers {
            extra
                .new_dataset_builder()
                .with_data(&speakers)
                .create("speaker")
                .expect("made");
        }
        if let Some(keys) = self.keys {
            let keys: Vec<FixedAscii<16>> = keys
                .iter()
                .map(|k| FixedAscii::from_ascii(k).expect("short"))
                .collect();
            extra
                .new_dataset_builder()
                .with_data(&keys)
                .create("keys")
                .expect("made");
        }
    }
}
