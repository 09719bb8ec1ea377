//! From an SHD-layout file of 10 000 samples to a dataset that can be trained on.

mod common;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use respike::dataset::{ShdFile, read_dataset};
use respike::network::NetworkSpec;

const SAMPLES: usize = 10_000;

fn cold_start(criterion: &mut Criterion) {
    let path = common::big_file(SAMPLES);
    let samples = ShdFile::open(&path).expect("a file").len();
    let target = NetworkSpec::dequino2024().binning();
    let paths = [path];
    let mut group = criterion.benchmark_group("cold start");
    group.sample_size(10);
    group.throughput(Throughput::Elements(samples as u64));
    group.bench_function("read and bin", |bencher| {
        bencher.iter(|| read_dataset(&paths, target).expect("a whole file"));
    });
    group.finish();
}

criterion_group!(benches, cold_start);
criterion_main!(benches);
