//! A mini-batch as a device learns it while sound comes in, on one core: 21 new samples and 107 replays (Pellegrini et
//! al. 2020), with where its time goes.
//!
//! In: two trained networks, and methods that ship (`snn-models/methods/ar1-star-free.toml` and `ar1-star.toml`). New
//! samples enter the bottom and replays a layer further up, where they are decoded from a packed memory. All layers
//! learn, those below slowly, the readout as CWR\* has it, and with the second method under synaptic intelligence. Out:
//! the median and the smallest time, and the parts of the latter.

mod common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use rayon::ThreadPoolBuilder;
use respike::continual::LearningDefaults;
use respike::dataset::{Dataset, ShdFile};
use respike::head::{HeadPlace, TaskClasses};
use respike::ids::ClassId;
use respike::method::MethodFile;
use respike::network::{Latent, Network, NetworkSpec, Stage, StageInput};
use respike::random::{MasterSeed, Purpose};
use respike::replay::{Capacity, Kept, ReplayMemory, StoredShape};
use respike::train::{
    Checkpoint, Examples, JoinedExamples, RegulariserStates, Replayed, StoredExamples, TaskFacts,
    Trainer,
};

const METHODS: [&str; 2] = ["ar1-star-free", "ar1-star"];
const SEED: MasterSeed = MasterSeed(0);

fn mini_batch(criterion: &mut Criterion) {
    let shipped = |path: &str| -> PathBuf { Path::new(env!("CARGO_MANIFEST_DIR")).join(path) };
    let digits = Checkpoint::load(&shipped("snn-models/trained/digits70.safetensors"));
    let digits = digits.expect("it ships").network;
    let file = shipped("data/fsdd70_train.h5");
    let recordings = ShdFile::open(&file).expect("it ships");
    let samples: usize = METHODS
        .map(|name| counts(&method(name)).iter().sum())
        .into_iter()
        .max()
        .expect("two");
    let recordings = recordings.read(0..samples).expect("2700 samples");
    let digits_data = common::binned(&recordings, digits.spec());

    let spec = NetworkSpec::dequino2024();
    let data = common::dataset(common::BATCH);
    let reference = common::trainer(spec, &data).into_network();
    let data = common::dataset(samples);
    for name in METHODS {
        let method = method(name);
        for (network, data, what) in [
            (&digits, &digits_data, "adLIF 2 x 128, 70 channels"),
            (&reference, &data, "reference network, 700 channels"),
        ] {
            learned(
                criterion,
                &format!("{name}, {what}"),
                &method,
                network,
                data,
            );
        }
    }
}

fn method(name: &str) -> MethodFile {
    MethodFile::find(name, Path::new("")).expect("it ships")
}

/// New samples and replays of a batch.
fn counts(file: &MethodFile) -> [usize; 2] {
    let mixing = file.mixing;
    let counts = [mixing.new_per_batch, mixing.replayed_per_batch];
    counts.map(|count| count.expect("its batches are mixed"))
}

/// A batch of a task, with wall time and its parts.
struct Timed {
    all: Duration,
    parts: Vec<(&'static str, f64)>,
}

/// Times a mini-batch, from inputs and a packed memory to moved weights.
#[expect(
    clippy::print_stderr,
    reason = "criterion has no place for where the time went"
)]
fn learned(
    criterion: &mut Criterion,
    name: &str,
    file: &MethodFile,
    network: &Network,
    data: &Dataset,
) {
    let (method, [new, replayed]) = (file.method(), counts(file));
    let index = method.kept_at(network.spec()).expect("a hidden layer");
    let index = index.expect("it replays latents");
    let stage = method.stage(network.spec()).expect("it has the layer");
    let inputs = data
        .iter()
        .map(|(_, sample)| (StageInput::counts(&sample.counts), sample.class));
    let inputs: Vec<_> = inputs.take(new + replayed).collect();
    let (new, old) = inputs.split_at(new);
    let old = old.iter().map(|(input, class)| {
        let frozen = network.prepare_frozen(index).expect("its own");
        let latents = frozen.latents(std::slice::from_ref(input));
        (latents.expect("it fits").swap_remove(0), *class)
    });
    let old: Vec<(Latent, ClassId)> = old.collect();
    let shape = old[0].0.as_input();
    let codec = method.codec().expect("it keeps samples").clone();
    let shape = StoredShape::new(Kept::Spikes, codec, shape.steps(), shape.units());
    let policy = respike::replay::PolicySettings::uniform();
    let memory = ReplayMemory::new(shape.expect("valid"), policy, Capacity::Samples(replayed));
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

    // As a run begins a task: pre-training taught the classes of the replays.
    let mut network = network.clone();
    let per_class = |examples: &dyn Examples| {
        let mut all = vec![0; network.spec().classes()];
        (0..examples.len()).for_each(|one| all[examples.class(one).index()] += 1);
        all
    };
    let known: BTreeSet<ClassId> = old.iter().map(|(_, class)| *class).collect();
    let before = TaskClasses::new(
        per_class(&replays),
        vec![0; network.spec().classes()],
        BTreeSet::new(),
    );
    let task = TaskClasses::new(per_class(&new), per_class(&replays), known.clone());
    let usual = LearningDefaults::training(1e-3);
    let settings = file.training.over(usual, 1).expect("it ships");
    let mut states = RegulariserStates::begin(&settings.losses, &network, stage);
    let taught = StoredExamples {
        samples: inputs[new.len()..].to_vec(),
    };
    states
        .learned_before(&network, stage, &taught)
        .expect("they fit");
    let place = HeadPlace::new(&network, stage, SEED);
    let mut head = method.head.begin(&place).expect("it fits");
    let mut generator = SEED.stream(Purpose::NewClass);
    for (classes, ends) in [(&before, true), (&task, false)] {
        head.task_begins(&mut network, classes, &mut generator)
            .expect("its own");
        if ends {
            head.task_ends(&mut network, classes).expect("its own");
        }
    }
    let settings = method.slowed(settings);
    let trainer = Trainer::new(network, stage, settings, SEED, Purpose::LearningShuffle);
    let trainer = trainer.expect("its settings are valid");
    let mut trainer = trainer.with_regulariser_states(&states).expect("its own");
    trainer
        .begin_task(TaskFacts::new(known, task.current()))
        .expect("its own");
    let core = ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .expect("a thread");

    let mut timed: Vec<Timed> = Vec::new();
    let mut group =
        criterion.benchmark_group("a mini-batch of 21 new samples and 107 replays, one core");
    group.sample_size(20);
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|batches| {
            let batches = (0..batches).map(|_| {
                let (before, clock) = (trainer.time_spent(), Instant::now());
                let one = core.install(|| trainer.epoch_mixed(&joined, &method.mixing));
                one.expect("valid examples");
                let all = clock.elapsed();
                let (before, mut parts) = (before.parts(), trainer.time_spent().parts());
                for (part, seconds) in &mut parts {
                    let spent = before.iter().find(|(before, _)| before == part);
                    *seconds -= spent.map_or(0.0, |(_, seconds)| *seconds);
                }
                timed.push(Timed { all, parts });
                all
            });
            batches.sum()
        });
    });
    group.finish();
    timed.sort_by_key(|batch| batch.all);
    let (fastest, median) = (&timed[0], &timed[timed.len() / 2]);
    let ms = |time: Duration| 1e3 * time.as_secs_f64();
    // Others on the same machine have least to do with this one.
    let parts = fastest.parts.iter();
    let parts = parts.map(|(part, seconds)| format!("{part} {:.2} ms", 1e3 * seconds));
    eprintln!(
        "{name}, {} batches: the median {:.1} ms, the smallest {:.1} ms, of which {}\n",
        timed.len(),
        ms(median.all),
        ms(fastest.all),
        parts.collect::<Vec<_>>().join(", ")
    );
}

criterion_group!(benches, mini_batch);
criterion_main!(benches);
