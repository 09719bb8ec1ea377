//! Training and inference of the reference network (700–200–100–50–20, T 100, batch 64) on real spikes.
//!
//! The input is the three real samples of `tests/golden/network_full.safetensors`, repeated to fill a
//! batch. Times are of a whole batch: criterion's throughput is samples a second.

use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ndarray::Array3;
use respike::ids::ClassId;
use respike::network::{Network, NetworkSpec, Stage, StageInput};
use respike::random::{MasterSeed, Purpose};
use respike::spikes::SpikeCounts;
use respike::train::{StoredExamples, Trainer, TrainingSettings, evaluate};
use safetensors::SafeTensors;

const BATCH: usize = 64;

fn real_samples() -> Vec<SpikeCounts> {
    let golden =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/network_full.safetensors");
    let bytes = std::fs::read(golden).expect("it ships with the tests");
    let file = SafeTensors::deserialize(&bytes).expect("whole");
    let input = file.tensor("input").expect("it has an input");
    let &[samples, steps, units] = input.shape() else {
        panic!("samples × steps × units");
    };
    let counts = input.data().iter().map(|&count| u16::from(count)).collect();
    let dense = Array3::from_shape_vec((samples, steps, units), counts).expect("its shape");
    let samples = dense.outer_iter();
    samples
        .map(|sample| SpikeCounts::from_dense(sample).expect("extents fit"))
        .collect()
}

fn reference_network(criterion: &mut Criterion) {
    let samples = real_samples();
    let batch = (0..BATCH).map(|index| {
        let counts = &samples[index % samples.len()];
        (StageInput::counts(counts), ClassId((index % 10) as u16))
    });
    let examples = StoredExamples {
        samples: batch.collect(),
    };
    let (spec, seed) = (NetworkSpec::dequino2024(), MasterSeed(0));
    let network = Network::new(spec, seed);
    let settings = TrainingSettings::default();
    let trainer = Trainer::new(
        network.clone(),
        Stage::Whole,
        settings,
        seed,
        Purpose::Shuffle,
    );
    let mut trainer = trainer.expect("default settings are valid");

    let mut group = criterion.benchmark_group("reference network, batch 64");
    group.throughput(Throughput::Elements(BATCH as u64));
    group.bench_function("training step", |bencher| {
        bencher.iter(|| trainer.epoch(&examples).expect("a valid batch"));
    });
    group.bench_function("inference", |bencher| {
        bencher.iter(|| evaluate(&network, Stage::Whole, &examples).expect("a valid batch"));
    });
    group.finish();
}

criterion_group!(benches, reference_network);
criterion_main!(benches);
