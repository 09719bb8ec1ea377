//! A spiking network that goes on learning on a small machine without forgetting.
//!
//! Recurrent layers of spiking neurons are trained with surrogate gradients. The spike trains of a middle layer are
//! compressed in time, packed as bits into a replay memory, and replayed while new speakers, a new
//! class or many classes one by one are learned. The method is that of Dequino et al. 2024
//! (*Compressed Latent Replays for Lightweight Continual Learning on Spiking Neural Networks*,
//! arXiv:2407.03111); the benchmark is SHD, the Spiking Heidelberg Digits (Cramer et al. 2020).
//!
//! ```text
//! events ──bin──▶ counts ──frozen stage──▶ latent raster ──compress──▶ replay memory
//! (SHD HDF5)      (T × N)  (layers ≤ L)     (T × N, 1 bit)   (codec)    (byte budget)
//!                    │                                                     │
//!                    └────────▶ learning stage (layers > L) ◀──decode──────┘
//!                                        │ BPTT, surrogate gradient, optimiser
//!                                        ▼
//!                     accuracy matrix ──▶ run record (JSON lines) ──▶ tables and plots
//! ```
//!
//! The modules follow that line: [`spikes`], `encode` (from sound to events, as SHD was made; feature
//! `encode`), [`dataset`], [`network`] with what it is made of ([`neuron`], [`surrogate`], [`readout`]),
//! [`train`] (objectives, regularisers, optimisers), [`replay`], [`generator`] (replays made anew), [`closed_form`]
//! (classifiers that keep sums and no sample), [`head`] (what becomes of the readout), [`method`] (how all of these are put
//! together), [`continual`], [`suite`] (grids of experiments), [`report`]. [`registry`] has the parts by name, one's own
//! too, and [`check`] tells whether gradients are right; [`random`], [`ids`], [`simd`], [`ceiling`] and [`storage`] are
//! for all, and [`shipped`] has the networks, methods and suites that ship.
//!
//! # Example
//!
//! Two classes of noise are learned from memory, no file needed; then the spikes of layer 2 of one
//! sample are packed for a replay memory, ten steps to a bit.
//!
//! ```
//! use respike::dataset::{DatasetBuilder, LabelledEvents};
//! use respike::ids::{ClassId, SpeakerId};
//! use respike::network::{Latent, Network, NetworkSpec, Stage};
//! use respike::random::{MasterSeed, Purpose};
//! use respike::replay::{CodecSettings, encode_spikes};
//! use respike::spikes::EventStream;
//! use respike::train::{DatasetExamples, Trainer, TrainingSettings};
//!
//! let (spec, seed) = (NetworkSpec::dequino2024(), MasterSeed(1));
//! let names = vec!["low".to_string(), "high".to_string()];
//! let mut builder = DatasetBuilder::new(spec.grid(), spec.inputs(), names)?;
//! for sample in 0..8u16 {
//!     let times = (0..5000).map(|event| f64::from(event) * 0.0002).collect();
//!     let units = (0..5000).map(|event| (event * 7 + sample) % 300 + sample % 2 * 400);
//!     builder.push(&LabelledEvents {
//!         events: EventStream::new(times, units.collect())?,
//!         class: ClassId(sample % 2),
//!         speaker: SpeakerId(0),
//!         sound: None,
//!     })?;
//! }
//! let data = builder.build()?;
//! let network = Network::new(spec, seed);
//! let settings = TrainingSettings::default();
//! let mut trainer = Trainer::new(network, Stage::Whole, settings, seed, Purpose::Shuffle)?;
//! let before = trainer.epoch(&DatasetExamples::all(&data))?.loss;
//! let after = (0..20).map(|_| trainer.epoch(&DatasetExamples::all(&data))).last().unwrap()?.loss;
//! assert!(after < before);
//!
//! let network = trainer.network();
//! let (_, sample) = data.iter().next().unwrap();
//! if let Latent::Spikes(spikes) = network.latent(network.spec().replay_layer(2)?, &sample.counts)? {
//!     assert_eq!(encode_spikes(&CodecSettings::or(10)?, &spikes).len(), 100 * 10); // units × windows
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! - `shd` (default): SHD-layout files, read; in Rust alone.
//! - `hdf5`: such files written, too, by the system's libhdf5; `hdf5-static` builds HDF5 from source.
//! - `plots`: rasters, curves and confusion matrices as PNG and SVG.
//! - `encode`: recordings (WAV, FLAC) to spikes, with a model of the inner ear.
//! - `fetch`: public datasets over HTTPS, resumed, checked and unpacked.
//!
//! Without features the library trains on data from memory. The program `respike` is a crate of its own,
//! `respike-cli`.

#![forbid(unsafe_code)]

pub mod augment;
pub mod baseline;
pub mod ceiling;
pub mod check;
pub mod closed_form;
pub mod concepts;
pub mod continual;
pub mod dataset;
#[cfg(feature = "encode")]
pub mod encode;
mod formats;
pub mod generator;
mod hash;
pub mod head;
pub mod ids;
mod kernels;
pub mod method;
pub mod names;
pub mod network;
pub mod neuron;
pub mod random;
pub mod readout;
pub mod real;
pub mod recipe;
pub mod registry;
pub mod replay;
pub mod report;
pub mod shipped;
pub mod simd;
pub mod spikes;
pub mod storage;
pub mod suite;
pub mod surrogate;
pub mod train;
pub mod tune;

// What our functions take and give.
pub use {ndarray, rand_chacha, serde, serde_json};

/// Which source this is a build of: a hash of the library's and the program's code, its dependencies and
/// the networks and suites that ship, as 16 hexadecimal digits.
pub const BUILD: &str = env!("RESPIKE_BUILD");

/// The examples of the README, compiled and run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;

/// The examples of the pages for those who extend the crate.
#[cfg(doctest)]
#[doc = include_str!("../docs/EXTENDING.md")]
struct ExtendingExamples;

/// The examples of the page for those who know other frameworks.
#[cfg(doctest)]
#[doc = include_str!("../docs/COMING_FROM.md")]
struct ComingFromExamples;
