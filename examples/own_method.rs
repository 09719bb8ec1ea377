//! A method of continual learning of one's own, and a scenario to try it in: five types, none of which is known to the
//! crate, put together with what is.
//!
//! ```sh
//! cargo run --release --example own_method
//! ```

#![allow(clippy::print_stdout, reason = "a program that says what came out")]

use std::ops::ControlFlow;

use bitvec::prelude::{BitVec, Lsb0};
use rand_chacha::ChaCha8Rng;
use respike::continual::{
    ContinualError, DataNames, Experiment, HeldOut, HeldOutWords, HoldsOut, Learns, NewTask, Parts,
    Protocol, Scenario, SplitSamples, Start, parts_by_class, run,
};
use respike::dataset::{Dataset, DatasetBuilder, LabelledEvents};
use respike::head::{Head, HeadError, HeadPlace, HeadState, TaskClasses};
use respike::ids::{ClassId, SampleIndex, SpeakerId, TimeStep, Unit};
use respike::method::Method;
use respike::network::{Network, NetworkSettings, NetworkSpec, ParameterName};
use respike::random::MasterSeed;
use respike::registry::{Member, Registry};
use respike::replay::{
    Admission, Capacity, Codec, LearnedSamples, Memory, Offer, PackedBits, Places, Policy,
    PolicyState, ReplayError, ReplayFigures, SampleStore, Source, SourcePlace, SourceState,
};
use respike::spikes::{EventStream, SpikeRaster, TimeGrid};
use respike::storage::{SavedState, Tensor};
use respike::train::{Adam, Examples, TrainingSettings};
use serde::{Deserialize, Serialize};

/// A codec: the first spike of each unit alone, as the bits of its step.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct FirstSpike {}

impl Member for FirstSpike {
    const KIND: &'static str = "first-spike";
    const ABOUT: &'static str = "when each unit spikes first";
}

/// Bits of a step, and of none.
fn step_bits(steps: usize) -> usize {
    (usize::BITS - steps.leading_zeros()) as usize
}

impl Codec for FirstSpike {
    fn window_steps(&self) -> usize {
        1
    }

    fn bits(&self, steps: usize, units: usize) -> u64 {
        (units * step_bits(steps)) as u64
    }

    fn encode(&self, spikes: &SpikeRaster) -> BitVec<u64, Lsb0> {
        let steps = spikes.steps();
        let first = |unit| (0..steps).find(|&step| spikes.get(TimeStep(step), Unit(unit)));
        let mut packed = BitVec::new();
        for unit in 0..spikes.units() {
            let step = first(unit).unwrap_or(steps);
            packed.extend((0..step_bits(steps)).map(|bit| step >> bit & 1 == 1));
        }
        packed
    }

    fn decode(&self, packed: PackedBits<'_>, spikes: &mut SpikeRaster) -> Result<(), ReplayError> {
        let (steps, bits) = (spikes.steps(), step_bits(spikes.steps()));
        for unit in 0..spikes.units() {
            let step = packed.read(unit * bits, bits) as usize;
            if step < steps {
                spikes.set(TimeStep(step), Unit(unit));
            }
        }
        Ok(())
    }
}

/// A policy: the newest takes the place of the oldest.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Ring {}

impl Member for Ring {
    const KIND: &'static str = "ring";
    const ABOUT: &'static str = "the newest";
}

impl Policy for Ring {
    fn admit(
        &self,
        state: &mut PolicyState,
        offer: &Offer<'_>,
        _: &mut ChaCha8Rng,
    ) -> Result<Vec<Admission>, ReplayError> {
        let mut places = Places::of(offer);
        for (candidate, &class) in offer.candidates.iter().enumerate() {
            let oldest = state.offered as usize % offer.capacity;
            places.put(places.free().unwrap_or(oldest), candidate, class);
            state.offered += 1;
        }
        Ok(places.admissions())
    }
}

/// A replay source: what the last task was learned from, whole.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct LastTask {}

impl Member for LastTask {
    const KIND: &'static str = "last-task";
    const ABOUT: &'static str = "all samples of the task before";
}

impl Source for LastTask {
    fn begin(&self, place: &SourcePlace) -> Result<Box<dyn SourceState>, ReplayError> {
        Ok(Box::new(Last {
            bytes_each: (place.steps * place.units).div_ceil(8) as u64,
            samples: Vec::new(),
        }))
    }
}

#[derive(Debug)]
struct Last {
    bytes_each: u64,
    samples: Vec<SampleIndex>,
}

impl SourceState for Last {
    fn task_ended(
        &mut self,
        learned: &LearnedSamples<'_>,
        _: &mut ChaCha8Rng,
    ) -> Result<(), ReplayError> {
        self.samples = learned.indices.to_vec();
        Ok(())
    }

    fn replays<'a>(&'a self, samples: &'a dyn SampleStore) -> Box<dyn Examples + 'a> {
        samples.examples(self.samples.clone())
    }

    fn figures(&self) -> ReplayFigures {
        ReplayFigures {
            samples: self.samples.len(),
            bytes: self.samples.len() as u64 * self.bytes_each,
            ..ReplayFigures::default()
        }
    }

    fn save(&self) -> SavedState {
        let samples = self.samples.iter().map(|index| index.0 as u64).collect();
        SavedState::default().with("samples", Tensor::U64(samples))
    }

    fn restore(&mut self, mut saved: SavedState) -> Result<(), String> {
        let Tensor::U64(samples) = saved.take("samples")? else {
            return Err("`samples` is not a list of numbers".to_string());
        };
        let samples = samples.into_iter();
        self.samples = samples.map(|index| SampleIndex(index as usize)).collect();
        Ok(())
    }
}

/// A head: readout weights are made smaller before each task.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Fading {
    factor: f32,
}

impl Member for Fading {
    const KIND: &'static str = "fading";
    const ABOUT: &'static str = "readout weights times a factor before each task";
    const SHORT: Option<&'static str> = Some("factor");
}

impl Head for Fading {
    fn begin(&self, _: &HeadPlace<'_>) -> Result<Box<dyn HeadState>, HeadError> {
        Ok(Box::new(Fades(self.factor)))
    }
}

#[derive(Debug)]
struct Fades(f32);

impl HeadState for Fades {
    fn task_begins(
        &mut self,
        network: &mut Network,
        _: &TaskClasses,
        _: &mut ChaCha8Rng,
    ) -> Result<(), HeadError> {
        for (name, mut weights) in network.parameters_mut() {
            if name == ParameterName::Readout {
                weights *= self.0;
            }
        }
        Ok(())
    }
}

/// A scenario: samples in parts, as they lie in the files.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct AsTheyCome {
    parts: usize,
}

impl Member for AsTheyCome {
    const KIND: &'static str = "as-they-come";
    const ABOUT: &'static str = "samples in parts, as they lie in the files";
    const SHORT: Option<&'static str> = Some("parts");
}

impl Scenario for AsTheyCome {
    fn label(&self) -> String {
        format!("{} parts as they come", self.parts)
    }

    fn section(&self) -> String {
        self.slug()
    }

    fn title(&self, _: Option<&Dataset>) -> String {
        self.label()
    }

    fn slug(&self) -> String {
        format!("as-they-come-{}", self.parts)
    }

    fn fits(&self, _: &Dataset) -> Result<(), ContinualError> {
        Ok(())
    }

    fn tasks(&self, samples: &SplitSamples<'_>) -> Result<Vec<NewTask>, ContinualError> {
        let all = &samples.split.train;
        let parts = all.chunks(all.len().div_ceil(self.parts)).enumerate();
        let tasks = parts.map(|(place, part)| NewTask {
            name: format!("part {}", place + 1),
            train: part.to_vec(),
        });
        Ok(tasks.collect())
    }

    fn parts(
        &self,
        samples: &SplitSamples<'_>,
        tasks: &[NewTask],
    ) -> Result<Parts, ContinualError> {
        parts_by_class(samples, tasks)
    }

    fn learns(&self) -> Learns {
        Learns::Samples
    }

    fn command_words(&self, _: &dyn DataNames) -> Vec<String> {
        vec![format!("{}:{}", Self::KIND, self.parts)]
    }

    fn held_out_words(&self, _: &dyn DataNames) -> HeldOutWords {
        HeldOutWords {
            place: self.parts,
            word: self.parts.to_string(),
            one: "parts",
            several: ("parts", ""),
        }
    }
}

impl HoldsOut for AsTheyCome {
    fn holding_out(_: &dyn DataNames, _: Option<&[HeldOut]>) -> Result<Vec<Self>, String> {
        Ok(vec![AsTheyCome { parts: 10 }])
    }
}

/// Four sounds of 70 channels: rising and falling, slow and fast.
fn sounds() -> Result<Dataset, Box<dyn std::error::Error>> {
    let names = ["rising", "falling", "rising fast", "falling fast"].map(String::from);
    let mut builder = DatasetBuilder::new(TimeGrid::new(100, 1.4)?, 70, names.to_vec())?;
    for sample in 0..160u16 {
        let class = sample / 10 % 4;
        let pace = if class < 2 { 0.014 } else { 0.007 };
        let start = f64::from(sample % 7) * 0.02;
        let times = (0..70).map(|event| start + f64::from(event) * pace);
        let mut units: Vec<u16> = (0..70).collect();
        if class % 2 == 1 {
            units.reverse();
        }
        builder.push(&LabelledEvents {
            events: EventStream::new(times.collect(), units)?,
            class: ClassId(class),
            speaker: SpeakerId(sample % 3),
            sound: None,
        })?;
    }
    Ok(builder.build()?)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A program of one's own gives this registry to `respike_cli::main_with`, and has all of respike with these names in
    // its flags, files and help.
    Registry::builtin()
        .with_codec::<FirstSpike>()
        .with_policy::<Ring>()
        .with_source::<LastTask>()
        .with_head::<Fading>()
        .with_scenario::<AsTheyCome>()
        .install();
    let data = sounds()?;
    let settings: NetworkSettings = toml::from_str(respike::shipped::DEMO70)?;
    let spec: NetworkSpec = settings.check()?;

    let training = TrainingSettings::default()
        .with_batch_size(16)
        .with_learning_rate(5e-3)
        .with_optimiser(Adam::default());
    let ring = Memory::new(FirstSpike {}.into(), Ring {}.into(), Capacity::Bytes(4_000));
    let methods = [
        Method::naive().with_replay_layer(1),
        Method::new("last task and a ring")
            .with_replay_layer(1)
            .with_replay(LastTask {})
            .with_replay(ring)
            .with_head(Fading { factor: 0.9 }),
    ];
    for method in methods {
        let title = method.title();
        let scenario = AsTheyCome { parts: 4 };
        let experiment = Experiment::new(scenario, method, Protocol::Strict, MasterSeed(1))
            .with_pretraining(10, training.clone())
            .with_learning(5, training.clone());
        // As a record has it, and back.
        let text = serde_json::to_string(&experiment)?;
        assert_eq!(serde_json::from_str::<Experiment>(&text)?, experiment);
        let start = Start::Fresh(Box::new(Network::new(spec.clone(), experiment.seed)));
        let outcome = run(
            &experiment,
            &data,
            start,
            &mut |_| ControlFlow::Continue(()),
        )?;
        let (before, after) = (outcome.before.all, outcome.after.all);
        println!(
            "{title}: {before:.2} → {after:.2}, {} samples in {} bytes",
            outcome.replay.samples, outcome.replay.bytes
        );
    }
    Ok(())
}
