//! An epoch of continual learning at LR index 2: 450 new samples and 2560 replays under OR 1:10.
//!
//! What the frozen stage makes of the new samples is computed once in a run, and timed for itself.

mod common;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use respike::network::{Latent, NetworkSpec, Stage, StageInput};
use respike::random::{MasterSeed, Purpose};
use respike::replay::{Capacity, CodecSettings, Kept, PolicySettings, ReplayMemory, StoredShape};
use respike::train::{
    Examples, JoinedExamples, SAMPLES_PER_BLOCK, StoredExamples, Trainer, TrainingSettings,
};

const NEW: usize = 450;
const REPLAYS: usize = 2560;

fn continual(criterion: &mut Criterion) {
    let data = common::dataset(NEW + REPLAYS);
    let spec = NetworkSpec::dequino2024();
    let batch = common::dataset(common::BATCH);
    let network = common::trainer(spec.clone(), &batch).into_network();
    let index = spec.replay_layer(2).expect("three layers");
    let inputs: Vec<StageInput<'_>> = data
        .iter()
        .map(|(_, sample)| StageInput::counts(&sample.counts))
        .collect();
    let latents = |inputs: &[StageInput<'_>]| -> Vec<Latent> {
        let frozen = network.prepare_frozen(index).expect("its own");
        let blocks = inputs.chunks(SAMPLES_PER_BLOCK);
        blocks
            .flat_map(|block| frozen.latents(block).expect("they fit"))
            .collect()
    };
    let all = latents(&inputs);
    let classes: Vec<_> = data.iter().map(|(_, sample)| sample.class).collect();
    let new = all[..NEW].iter().zip(&classes);
    let new = StoredExamples {
        samples: new
            .map(|(latent, &class)| (latent.as_input(), class))
            .collect(),
    };
    let codec = CodecSettings::or(10).expect("a window");
    let shape = StoredShape::new(Kept::Spikes, codec, 100, 100).expect("valid");
    let memory = ReplayMemory::new(shape, PolicySettings::uniform(), Capacity::Samples(REPLAYS));
    let mut memory = memory.expect("it fits");
    for (latent, &class) in all[NEW..].iter().zip(&classes[NEW..]) {
        memory
            .append(class, &latent.as_input())
            .expect("there is room");
    }
    let (seed, settings) = (MasterSeed(0), TrainingSettings::default());
    let stage = Stage::Learning(index);
    let trainer = Trainer::new(
        network.clone(),
        stage,
        settings,
        seed,
        Purpose::LearningShuffle,
    );
    let mut trainer = trainer.expect("default settings are valid");
    let joined = JoinedExamples::new(vec![&new, &memory]);
    let mut group = criterion.benchmark_group("continual learning");
    group.sample_size(20);
    group.throughput(Throughput::Elements(joined.len() as u64));
    group.bench_function("epoch", |bencher| {
        bencher.iter(|| trainer.epoch(&joined).expect("valid examples"));
    });
    group.throughput(Throughput::Elements(NEW as u64));
    group.bench_function("latents of the new samples, one thread", |bencher| {
        bencher.iter(|| black_box(latents(&inputs[..NEW])));
    });
    group.finish();
}

criterion_group!(benches, continual);
criterion_main!(benches);
