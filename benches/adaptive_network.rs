//! A training step of two layers of 128 adaptive neurons (snn-models/recipes/adlif-2x128.toml, batch 64) on real spikes,
//! clipping and dropout included.
//!
//! Times are of a whole batch; criterion's throughput is samples a second. The network has been trained for 20 epochs on
//! the batch, so that it is as active as trained networks are.

mod common;

use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use respike::dataset::DatasetBuilder;
use respike::network::{Network, Stage};
use respike::random::{MasterSeed, Purpose};
use respike::recipe::Recipe;
use respike::train::{DatasetExamples, Trainer};

const WARM_UP_EPOCHS: usize = 20;

fn adaptive_network(criterion: &mut Criterion) {
    let path = "snn-models/recipes/adlif-2x128.toml";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let recipe = Recipe::read(&path).expect("it ships");
    let names = (0..10).map(|class| class.to_string()).collect();
    let builder = DatasetBuilder::with_format(recipe.network.input_format(), names);
    let mut builder = builder.expect("10 names");
    for mut recording in common::repeated(&common::recordings(), common::BATCH) {
        recording.class.0 %= 10;
        builder.push(&recording).expect("it fits");
    }
    let data = builder.build().expect("samples");
    let examples = DatasetExamples::all(&data);
    let (seed, settings) = (MasterSeed(0), recipe.plan.training);
    let network = Network::new(recipe.network, seed);
    let trainer = Trainer::new(network, Stage::Whole, settings, seed, Purpose::Shuffle);
    let mut trainer = trainer.expect("a recipe that ships is valid");
    for _ in 0..WARM_UP_EPOCHS {
        trainer.epoch(&examples).expect("a valid batch");
    }
    let mut group = criterion.benchmark_group("adaptive network");
    group.throughput(Throughput::Elements(common::BATCH as u64));
    group.bench_function("training step", |bencher| {
        bencher.iter(|| trainer.epoch(&examples).expect("a valid batch"));
    });
    group.finish();
}

criterion_group!(benches, adaptive_network);
criterion_main!(benches);
