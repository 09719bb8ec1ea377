//! Training and inference of the reference network (700–200–100–50–20, T 100, batch 64) on real spikes.
//!
//! Times are of a whole batch; criterion's throughput is samples a second. The network has been
//! trained for 20 epochs on the batch, so that it is as active as trained networks are.

mod common;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use respike::network::{NetworkSpec, Stage};
use respike::train::{DatasetExamples, evaluate};

fn reference_network(criterion: &mut Criterion) {
    let data = common::dataset(common::BATCH);
    let examples = DatasetExamples::all(&data);
    let mut trainer = common::trainer(NetworkSpec::dequino2024(), &data);
    let network = trainer.network().clone();
    let mut group = criterion.benchmark_group("reference network");
    group.throughput(Throughput::Elements(common::BATCH as u64));
    group.bench_function("inference", |bencher| {
        bencher.iter(|| evaluate(&network, Stage::Whole, &examples).expect("a valid batch"));
    });
    group.bench_function("training step", |bencher| {
        bencher.iter(|| trainer.epoch(&examples).expect("a valid batch"));
    });
    group.finish();
}

criterion_group!(benches, reference_network);
criterion_main!(benches);
