//! Times the inner ear at 700 channels, stage by stage, on one thread.

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use respike::encode::{EarPreset, InnerEar, Sound, read_audio};
use respike::random::MasterSeed;

/// A second of speech: the recording that LAUSCHER comes with, begun again at its end.
fn second() -> Sound {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/spoken_digit.flac");
    let digit = read_audio(&path).expect("it ships with the tests").sound;
    let samples = digit.samples().iter().cycle().take(48_000);
    Sound::new(samples.copied().collect(), 48_000).expect("a second")
}

fn ear(c: &mut Criterion) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let pool = pool.expect("one thread");
    let mut group = c.benchmark_group("inner ear, 700 channels, one thread");
    group.sample_size(10);
    let settings = EarPreset::Shd.settings(700);
    group.bench_function("tables of the membrane", |b| {
        b.iter(|| pool.install(|| InnerEar::new(black_box(settings.clone()))));
    });
    let ear = InnerEar::new(settings).expect("a preset");
    let sound = second();
    group.bench_function("a second of speech, all stages", |b| {
        b.iter(|| pool.install(|| ear.encode(black_box(&sound), MasterSeed(0))));
    });
    let prepared = ear.prepare(&sound).expect("a sound");
    group.bench_function("a second of speech, membrane only", |b| {
        b.iter(|| pool.install(|| ear.membrane().motion(black_box(&prepared))));
    });
    group.finish();
}

criterion_group!(benches, ear);
criterion_main!(benches);
