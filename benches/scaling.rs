//! How the cost of training and of inference grows with samples, steps, events, width and threads.
//!
//! Prints CSV: the axis, the value on it, milliseconds a sample of a training step and of inference
//! (medians), events a sample, and spikes a sample of all layers. The network is trained for 20
//! epochs before each measurement. `tools/plot-scaling` draws it.

#![allow(
    clippy::print_stdout,
    reason = "a program of its own, which prints what it found"
)]

mod common;

use std::time::Instant;

use respike::dataset::{Dataset, LabelledEvents};
use respike::network::{NetworkSpec, Stage, StageInput};
use respike::spikes::{EventStream, SpikeRaster};
use respike::train::{DatasetExamples, evaluate};

const REPEATS: usize = 15;

fn main() {
    let recordings = common::recordings();
    let batch = common::repeated(&recordings, common::BATCH);
    println!("axis,value,train_ms,infer_ms,events,spikes");
    for samples in [64, 256, 1024] {
        let many = common::repeated(&recordings, samples);
        measure("samples", samples, &many, spec(100, 200), None);
    }
    for steps in [50, 100, 200, 400] {
        measure("steps", steps, &batch, spec(steps, 200), None);
    }
    for percent in [0, 12, 25, 50, 100] {
        let fewer: Vec<_> = batch
            .iter()
            .map(|recording| thinned(recording, percent))
            .collect();
        measure("percent of events", percent, &fewer, spec(100, 200), None);
    }
    for width in [50, 100, 200, 400, 800] {
        measure("width", width, &batch, spec(100, width), None);
    }
    let all = rayon::current_num_threads();
    for threads in (0..)
        .map(|power| 1 << power)
        .take_while(|&threads| threads <= all)
    {
        measure("threads", threads, &batch, spec(100, 200), Some(threads));
    }
}

/// The reference network with another number of steps and of units in its first layer.
fn spec(steps: usize, width: usize) -> NetworkSpec {
    let mut settings = NetworkSpec::dequino2024().settings().clone();
    settings.input.steps = steps;
    settings.layers[0].units = width;
    settings.check().expect("valid sizes")
}

/// A recording with that share of its events, spread evenly.
fn thinned(recording: &LabelledEvents, percent: usize) -> LabelledEvents {
    let events = recording
        .events
        .times_s()
        .iter()
        .zip(recording.events.units());
    let kept = events
        .enumerate()
        .filter(|(index, _)| index * 37 % 100 < percent);
    let (times, units) = kept.map(|(_, (&time_s, &unit))| (time_s, unit)).unzip();
    LabelledEvents {
        events: EventStream::new(times, units).expect("as valid as before"),
        ..recording.clone()
    }
}

fn measure(
    axis: &str,
    value: usize,
    recordings: &[LabelledEvents],
    spec: NetworkSpec,
    threads: Option<usize>,
) {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.unwrap_or(0))
        .build();
    let pool = pool.expect("threads");
    pool.install(|| {
        let data = common::binned(recordings, &spec);
        let examples = DatasetExamples::all(&data);
        let mut trainer = common::trainer(spec, &data);
        let network = trainer.network().clone();
        let train = median_ms(|| {
            trainer.epoch(&examples).expect("valid examples");
        });
        let infer = median_ms(|| {
            evaluate(&network, Stage::Whole, &examples).expect("valid examples");
        });
        let samples = data.len() as f64;
        let events: u64 = data.iter().map(|(_, sample)| sample.counts.total()).sum();
        let spikes = spikes(&network, &data);
        println!(
            "{axis},{value},{:.4},{:.4},{:.0},{:.0}",
            train / samples,
            infer / samples,
            events as f64 / samples,
            spikes as f64 / samples.min(64.0)
        );
    });
}

/// Spikes of all layers in the first samples, 64 at most.
fn spikes(network: &respike::network::Network, data: &Dataset) -> u64 {
    let samples = data.iter().take(64).map(|(_, sample)| {
        let input = StageInput::counts(&sample.counts);
        let activity = network.run(Stage::Whole, &input).expect("it fits");
        activity.spikes.iter().map(SpikeRaster::count).sum::<u64>()
    });
    samples.sum()
}

fn median_ms(mut work: impl FnMut()) -> f64 {
    let mut took: Vec<f64> = (0..REPEATS)
        .map(|_| {
            let clock = Instant::now();
            work();
            clock.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    took.sort_by(f64::total_cmp);
    took[REPEATS / 2]
}
