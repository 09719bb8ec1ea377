//! Records and rasters made up for plots.

use ndarray::Array2;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use respike::continual::{
    Accuracies, AccuracyMatrix, Experiment, LearningDefaults, ManyClasses, NewClass, NewSpeaker,
    Protocol, RunSeconds, ScenarioSettings,
};
use respike::ids::{ClassId, SpeakerId, TimeStep, Unit};
use respike::method::Method;
use respike::network::{NetworkSettings, NetworkSpec};
use respike::random::{MasterSeed, Purpose};
use respike::replay::{Capacity, CodecSettings, Memory, PolicySettings, ReplayFigures};
use respike::report::plot::{RasterFigure, RasterPanel};
use respike::report::{
    DataNote, Description, EpochLine, LearnSummary, Pair, PhaseName, PickedNote, RunRecord,
    StartLine, Summary, TaskNote, TrainSeconds, TrainSummary,
};
use respike::spikes::{SpikeCounts, SpikeRaster, TimeGrid};
use respike::train::TrainingPlan;

pub const DIGITS: [&str; 10] = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
];
pub const ZIFFERN: [&str; 10] = [
    "null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun",
];

/// Names of 10 or 20 classes, as in SHD.
pub fn class_names(classes: usize) -> Vec<String> {
    let names = DIGITS.iter().chain(&ZIFFERN).take(classes);
    names.copied().map(String::from).collect()
}

pub fn spec(classes: usize) -> NetworkSpec {
    let text = format!(
        r#"
name = "small"
input = {{ units = 70, steps = 100, max_time_s = 1.4 }}
neuron = {{ tau_syn_steps = 5.0, tau_mem_steps = 10.0, threshold = 1.0, surrogate = {{ kind = "fast-sigmoid", slope = 100.0 }} }}
layers = [{{ units = 20, recurrent = true }}]
readout = {{ classes = {classes}, tau_syn_steps = 5.0, tau_mem_steps = 10.0, over_time = "max" }}
init = {{ weight_scale = 0.2 }}
"#
    );
    let settings: NetworkSettings = toml::from_str(&text).expect("a network spec");
    settings.check().expect("valid settings")
}

/// A layer whose units spike in a wave, with so many spikes per unit and step.
pub fn layer(label: &str, steps: usize, units: usize, density: f64, seed: u64) -> RasterPanel {
    let mut random: ChaCha8Rng = MasterSeed(seed).stream(Purpose::Weights);
    let mut raster = SpikeRaster::new(steps, units).expect("valid extents");
    for step in 0..steps {
        for unit in 0..units {
            let wave = (step as f64 / 9.0 + unit as f64 / units as f64 * 5.0).sin();
            if random.random::<f64>() < density * (1.0 + wave) {
                raster.set(TimeStep(step), Unit(unit));
            }
        }
    }
    RasterPanel {
        label: label.to_string(),
        unit_name: "neuron".to_string(),
        counts: SpikeCounts::from_raster(&raster),
    }
}

/// A sample's way through a network of 100 steps.
pub fn spikes(inputs: usize, density: f64) -> RasterFigure {
    RasterFigure {
        title: "test sample 17: spoken “seven” & taken for “zero”".into(),
        remarks: vec!["one <remark> & no more".into()],
        grid: TimeGrid::new(100, 1.4).expect("a grid"),
        panels: vec![
            layer("input", 100, inputs, density, 1),
            layer("hidden 1", 100, 200, density, 2),
            layer("hidden 2", 100, 100, density, 3),
            layer("hidden 3", 100, 50, density, 4),
        ],
    }
}

pub fn start(settings: Description, classes: usize) -> StartLine {
    let data = DataNote {
        files: vec!["digits.h5".into()],
        test_files: Vec::new(),
        samples: 2000,
        class_names: class_names(classes),
        speakers: 6,
        events_past_end: 0,
        fingerprint: "0123456789abcdef".to_string(),
        test_fingerprint: None,
    };
    StartLine::new(
        Vec::new(),
        MasterSeed(0),
        spec(classes),
        settings,
        data,
        Vec::new(),
    )
}

pub fn epoch(phase: PhaseName, task: usize, epoch: usize, accuracy: &[(&str, f64)]) -> EpochLine {
    EpochLine {
        phase,
        task,
        epoch,
        loss: Some(1.0),
        train_accuracy: Some(accuracy.first().map_or(0.5, |(_, value)| value * 0.5 + 0.5)),
        learning_rate: 1e-3,
        samples: 1800,
        accuracy: accuracy
            .iter()
            .map(|(name, value)| (name.to_string(), *value))
            .collect(),
        tasks: Vec::new(),
        layers: Vec::new(),
    }
}

/// Counts with most on the diagonal.
pub fn matrix(classes: usize, samples: u32) -> Array2<u32> {
    Array2::from_shape_fn((classes, classes), |(row, column)| match (row, column) {
        (row, column) if row == column => samples - (row as u32 * 7) % (samples / 2),
        (row, column) if (row * 3 + 1) % classes == column => (row as u32 * 7) % (samples / 2),
        (row, column) => u32::from((row * 5 + column) % 9 == 0),
    })
}

/// A finished run of plain training, one epoch after the other.
pub fn train_run(name: &str, epochs: usize, classes: usize) -> RunRecord {
    let accuracy = |index: usize| 0.97 - 0.85 * (-(index as f64) / 8.0).exp();
    let lines =
        (1..=epochs).map(|index| epoch(PhaseName::Train, 0, index, &[("test", accuracy(index))]));
    RunRecord {
        name: name.to_string(),
        start: start(
            Description::Train {
                plan: TrainingPlan::new(epochs, LearningDefaults::training(1e-3)),
                init: None,
            },
            classes,
        ),
        epochs: lines.collect(),
        summary: Some(Summary::Train(TrainSummary {
            seed: MasterSeed(0),
            epochs,
            train_accuracy: 0.99,
            test_accuracy: Some(accuracy(epochs)),
            picked: None,
            confusion: matrix(classes, 50).into(),
            seconds: TrainSeconds { train: 60.0 },
        })),
    }
}

/// A finished run of plain training with all that is recorded today: networks of so many layers, and a best epoch
/// picked by validation samples where there are any.
pub fn full_train_run(name: &str, epochs: usize, layers: usize, validates: bool) -> RunRecord {
    let mut run = train_run(name, epochs, 10);
    for (index, line) in run.epochs.iter_mut().enumerate() {
        let part = 1.0 - (-(index as f64) / (epochs as f64 / 4.0)).exp();
        line.loss = Some(2.3 * (1.0 - 0.99 * part));
        line.train_accuracy = Some(0.1 + 0.9 * part);
        line.accuracy.clear();
        if validates {
            let wave = 0.02 * (index as f64).sin();
            line.accuracy
                .insert("validation".into(), 0.1 + 0.75 * part + wave);
        }
        let places = (0..layers).map(Some).chain([None]);
        let figures = places.map(|layer| {
            let height = layer.map_or(0.5, |layer| 3.0 / 10f64.powi(layer as i32));
            let spikes = layer.map(|layer| 0.02 * (layer + 1) as f64 + 0.05 * part);
            let figures = serde_json::json!({
                "layer": layer, "gradient_norm": height * (1.1 - part), "spikes_per_step": spikes,
            });
            serde_json::from_value(figures).expect("figures of a layer")
        });
        line.layers = figures.collect();
    }
    run.start.tasks = vec![TaskNote {
        name: "all".into(),
        train: 1500,
        test: 200,
        validation: if validates { 300 } else { 0 },
    }];
    if let Some(Summary::Train(summary)) = &mut run.summary {
        let by = if validates { "best-validation" } else { "last" };
        summary.test_accuracy = Some(0.81);
        summary.picked = Some(PickedNote {
            epoch: if validates {
                epochs.div_ceil(2)
            } else {
                epochs
            },
            by: by.to_string(),
            validation_accuracy: validates.then_some(0.8),
            validation_samples: if validates { 300 } else { 0 },
            file: "best.safetensors".into(),
        });
    }
    run
}

/// A memory of 160 samples.
pub fn memory() -> Memory {
    let codec = CodecSettings::or(10).expect("a window");
    let policy = PolicySettings::class_balanced();
    Memory::new(codec, policy, Capacity::Samples(160))
}

/// A finished continual-learning run: `tasks` new ones after 30 epochs of pre-training.
pub fn learn_run(name: &str, method: Method, tasks: usize, epochs: usize) -> RunRecord {
    let remembers = method.codec().is_some();
    let scenario: ScenarioSettings = match tasks {
        1 if method.replay.is_empty() => NewClass { class: ClassId(9) }.into(),
        1 => {
            let speaker = SpeakerId(3);
            NewSpeaker { speaker }.into()
        }
        _ => ManyClasses { base_classes: 4 }.into(),
    };
    let training = LearningDefaults::training(1e-3);
    let experiment = Experiment::new(scenario, method, Protocol::Strict, MasterSeed(0))
        .with_pretraining(30, training.clone())
        .with_learning(epochs, training);
    let mut lines = Vec::new();
    let risen = |index: usize| 1.0 - (-(index as f64) / 6.0).exp();
    for index in 1..=30 {
        let old = 0.95 * risen(index);
        lines.push(epoch(
            PhaseName::Pretrain,
            0,
            index,
            &[("old", old), ("new", 0.0), ("all", old * 0.9)],
        ));
    }
    let lost = if remembers { 0.08 } else { 0.8 };
    for task in 1..=tasks {
        for index in 1..=epochs {
            let done = (task as f64 - 1.0 + risen(index)) / tasks as f64;
            let old = 0.95 - lost * done + 0.02 * (index as f64 * 1.7).sin();
            let new = 0.93 * done;
            let all = old * 0.8 + new * 0.2;
            lines.push(epoch(
                PhaseName::Learn,
                task,
                index,
                &[("old", old), ("new", new), ("all", all)],
            ));
        }
    }
    let last = |name: &str, line: Option<&EpochLine>| line.map_or(0.0, |line| line.accuracy[name]);
    let accuracies = |line: Option<&EpochLine>| Accuracies {
        old: last("old", line),
        new: last("new", line),
        all: last("all", line),
    };
    let summary = LearnSummary {
        scenario: experiment.scenario.title(None),
        experiment: experiment.clone(),
        protocol: "strict".into(),
        seed: MasterSeed(0),
        accuracy: Pair {
            before: accuracies(lines.get(29)),
            after: accuracies(lines.last()),
        },
        metrics: None,
        matrix: AccuracyMatrix::default(),
        confusion: Pair {
            before: matrix(10, 50).into(),
            after: matrix(10, 120).into(),
        },
        replay: ReplayFigures {
            samples: if remembers { 160 } else { 0 },
            bytes: 44_000,
            payload_bits: 350_000,
            raw_input_bits: 1_120_000,
        }
        .into(),
        other_bytes: 0,
        aged: None,
        started_from: None,
        measured_after: None,
        test_samples: None,
        seconds: RunSeconds {
            pretrain: 10.0,
            learn: 5.0,
        },
    };
    let mut start = start(Description::Learn(experiment), 10);
    start.tasks = (0..=tasks)
        .map(|task| TaskNote {
            name: format!("task {task}"),
            train: 400,
            test: 100,
            validation: 0,
        })
        .collect();
    RunRecord {
        name: name.to_string(),
        start,
        epochs: lines,
        summary: Some(Summary::Learn(Box::new(summary))),
    }
}

/// A finished run over six classes, of which *four* and *five* are learned after two epochs of
/// pre-training, an epoch each; they have 10 and 30 test samples, the base has 40.
pub fn two_classes_one_by_one(name: &str) -> RunRecord {
    let mut run = learn_run(name, Method::naive(), 2, 1);
    run.start.data.class_names = class_names(6);
    let task = |name: &str, test: usize| TaskNote {
        name: name.to_string(),
        train: 4 * test,
        test,
        validation: 0,
    };
    run.start.tasks = vec![
        task("4 base classes", 40),
        task("four", 10),
        task("five", 30),
    ];
    let tasks = [
        (PhaseName::Pretrain, 0, 1, [0.8, 0.0, 0.2]),
        (PhaseName::Pretrain, 0, 2, [0.9, 0.0, 0.2]),
        (PhaseName::Learn, 1, 1, [0.7, 0.5, 0.2]),
        (PhaseName::Learn, 2, 1, [0.6, 0.4, 0.8]),
    ];
    let lines = tasks.map(|(phase, task, index, accuracies)| {
        let [base, four, five] = accuracies;
        let new = (four * 10.0 + five * 30.0) / 40.0;
        let all = [("old", base), ("new", new), ("all", (base + new) / 2.0)];
        EpochLine {
            tasks: accuracies.to_vec(),
            ..epoch(phase, task, index, &all)
        }
    });
    run.epochs = lines.to_vec();
    if let Some(Summary::Learn(summary)) = &mut run.summary {
        let mut counts = Array2::zeros((6, 6));
        for class in 0..6 {
            counts[[class, class]] = [8, 7, 6, 5, 4, 24][class];
            counts[[class, (class + 1) % 6]] = [2, 3, 4, 5, 6, 6][class];
        }
        summary.confusion.after = counts.into();
        let mut matrix = AccuracyMatrix::default();
        matrix.push(tasks[1].3.to_vec());
        summary.matrix = matrix;
    }
    run
}

/// Runs of every strategy, for figures with six panels or groups.
pub fn six_runs() -> Vec<RunRecord> {
    vec![
        learn_run("class-naive", Method::naive(), 1, 30),
        learn_run("sample-joint", Method::joint(), 1, 30),
        learn_run(
            "sample-native-class-balanced",
            Method::native(memory()),
            1,
            30,
        ),
        learn_run(
            "sample-latent-lr2-or10-160-samples-seed-0",
            Method::latent(2, memory()),
            1,
            30,
        ),
        learn_run("multi-class-naive", Method::naive(), 6, 20),
        learn_run("multi-class-latent", Method::latent(2, memory()), 6, 20),
    ]
}
