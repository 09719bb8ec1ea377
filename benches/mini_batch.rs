//! A mini-batch as a device learns it while sound comes in, on one core: 21 new samples and 107 replays (Pellegrini et
//! al. 2020), with where its time goes.
//!
//! New samples enter the bottom and replays a layer further up, where they are decoded from a packed memory. All layers
//! learn, those below slowly (`snn-models/methods/ar1-star-free.toml`).

mod common;

use std::path::{Path, PathBuf};

use criterion::{Criterion, criterion_group, criterion_main};
use rayon::ThreadPoolBuilder;
use respike::dataset::{Dataset, ShdFile};
use respike::ids::ClassId;
use respike::network::{Latent, Network, NetworkSpec, Stage, StageInput};
use respike::random::{MasterSeed, Purpose};
use respike::replay::{Capacity, CodecSettings, Kept, PolicySettings, ReplayMemory, StoredShape};
use respike::train::{
    Checkpoint, Examples, JoinedExamples, Replayed, StoredExamples, Trainer, TrainingSettings,
};

const NEW: usize = 21;
const REPLAYS: usize = 107;

fn mini_batch(criterion: &mut Criterion) {
    let shipped = |path: &str| -> PathBuf { Path::new(env!("CARGO_MANIFEST_DIR")).join(path) };
    let digits = Checkpoint::load(&shipped("snn-models/trained/digits70.safetensors"));
    let digits = digits.expect("it ships").network;
    let file = shipped("data/fsdd70_train.h5");
    let recordings = ShdFile::open(&file).expect("it ships");
    let recordings = recordings.read(0..NEW + REPLAYS).expect("2400 samples");
    let data = common::binned(&recordings, digits.spec());
    learned(criterion, "adLIF 2 x 128, 70 channels", digits, &data);

    let spec = NetworkSpec::dequino2024();
    let data = common::dataset(common::BATCH);
    let reference = common::trainer(spec, &data).into_network();
    let data = common::dataset(NEW + REPLAYS);
    learned(
        criterion,
        "reference network, 700 channels",
        reference,
        &data,
    );
}

/// Times a mini-batch, from inputs and a packed memory to moved weights.
#[expect(
    clippy::print_stderr,
    reason = "criterion has no place for where the time went"
)]
fn learned(criterion: &mut Criterion, name: &str, network: Network, data: &Dataset) {
    let index = network.spec().replay_layer(1).expect("a hidden layer");
    let inputs = data
        .iter()
        .map(|(_, sample)| (StageInput::counts(&sample.counts), sample.class));
    let inputs: Vec<_> = inputs.collect();
    let (new, old) = inputs.split_at(NEW);
    let old = old.iter().map(|(input, class)| {
        let frozen = network.prepare_frozen(index).expect("its own");
        let latents = frozen.latents(std::slice::from_ref(input));
        (latents.expect("it fits").swap_remove(0), *class)
    });
    let old: Vec<(Latent, ClassId)> = old.collect();
    let shape = old[0].0.as_input();
    let codec = CodecSettings::counts(5).expect("a window");
    let shape = StoredShape::new(Kept::Spikes, codec, shape.steps(), shape.units());
    let shape = shape.expect("valid");
    let memory = ReplayMemory::new(shape, PolicySettings::uniform(), Capacity::Samples(REPLAYS));
    let mut memory = memory.expect("it fits");
    for (latent, class) in &old {
        memory
            .append(*class, &latent.as_input())
            .expect("there is room");
    }
    let new = StoredExamples {
        samples: new.to_vec(),
    };
    let replays = Replayed::new(&memory).entering(Stage::Learning(index));
    let joined = JoinedExamples::new(vec![&new, &replays]);
    let batch: Vec<usize> = (0..joined.len()).collect();
    let (seed, settings) = (MasterSeed(0), TrainingSettings::default());
    let purpose = Purpose::LearningShuffle;
    let trainer = Trainer::new(network.clone(), Stage::Whole, settings, seed, purpose);
    let mut trainer = trainer.expect("default settings are valid");
    let core = ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .expect("a thread");

    let mut group =
        criterion.benchmark_group("a mini-batch of 21 new samples and 107 replays, one core");
    group.sample_size(20);
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            core.install(|| {
                trainer
                    .epoch_of_batches(&joined, &[&batch])
                    .expect("valid examples")
            })
        });
    });
    group.finish();
    let spent = trainer.time_spent();
    let batches = spent.samples as f64 / joined.len() as f64;
    let parts = spent.parts().into_iter();
    let parts = parts.map(|(part, seconds)| format!("{part} {:.2} ms", 1e3 * seconds / batches));
    eprintln!(
        "{name}, by part: {}\n",
        parts.collect::<Vec<_>>().join(", ")
    );
}

criterion_group!(benches, mini_batch);
criterion_main!(benches);
