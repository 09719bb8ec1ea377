use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;

use super::arguments::{RunFlags, Seed, names_of, read_data};
use super::failure::Failure;
use super::learn::{Begins, run_recorded};
use super::output::{LearnBars, print, print_json, table};
use respike::continual::{
    Experiment, Learns, ManyClasses, NewClass, NewSpeaker, Protocol, ScenarioSettings, Start,
};
use respike::dataset::Dataset;
use respike::ids::{ClassId, SampleIndex, SpeakerId};
use respike::method::Method;
use respike::network::{Network, NetworkSettings, NetworkSpec, Stage, StageInput};
use respike::replay::{Capacity, CodecSettings, Memory, PolicySettings};
use respike::report::plot::{RasterFigure, RasterPanel, comparison, confusion, curves, raster};
use respike::report::{LearnSummary, RunFolder, RunFolderError, Summary, learn_table, markdown};
use respike::shipped::DIGITS70;
use respike::storage::{Shown, shown, write_whole};
use respike::train::{Adam, Schedule, TrainingSettings};

/// As snn-models/recipes/digits70.toml trains the network.
const PRETRAIN_EPOCHS: usize = 32;
const PRETRAIN_RATE: f32 = 1e-2;
const CLIP_NORM: f32 = 1.5;
/// Of naive training and replay, which move what lies above the frozen layers.
const EPOCHS: usize = 15;
const RATE: f32 = 2e-3;
/// Of joint training, which goes on as pre-training did.
const JOINT_EPOCHS: usize = 12;
const REPLAY_LAYER: usize = 2;
const WINDOW_STEPS: usize = 5;
const BUDGET_BYTES: u64 = 1_000_000;
const BASE_CLASSES: usize = 5;

/// Learn a new speaker, a new class and five classes one by one, with and without replay.
///
/// Works on the spoken digits in data/. Prints one table, and writes records and plots. Naive training
/// and replay train what lies above layer 2; joint training, to compare with, keeps all old data and
/// trains the whole network.
#[derive(Args)]
#[command(after_help = "Example:\n  respike demo --out runs/demo")]
pub(super) struct DemoArguments {
    /// The folder with fsdd70_train.h5 and fsdd70_test.h5.
    #[arg(long, value_name = "DIR", default_value = "data")]
    data: PathBuf,
    /// Where to write.
    #[arg(long, value_name = "DIR", default_value = "runs/demo")]
    out: PathBuf,
    #[command(flatten)]
    run: RunFlags,
}

pub(super) fn run(arguments: DemoArguments) -> Result<(), Failure> {
    arguments.run.machine.prepare()?;
    let clock = Instant::now();
    let spec = shipped_network(DIGITS70);
    let files = ["fsdd70_train.h5", "fsdd70_test.h5"].map(|name| arguments.data.join(name));
    if let Some(missing) = files.iter().find(|file| !file.exists()) {
        return Err(Failure::bad(format!(
            "{} is not there; run the demo in a checkout of respike, or say with --data where its \
             data folder is",
            missing.display()
        )));
    }
    let runs: [(&str, ScenarioSettings); 3] = [
        (
            "speaker",
            NewSpeaker {
                speaker: SpeakerId(3),
            }
            .into(),
        ),
        ("class", NewClass { class: ClassId(9) }.into()),
        (
            "classes",
            ManyClasses {
                base_classes: BASE_CLASSES,
            }
            .into(),
        ),
    ];
    let folders = runs.each_ref().map(|(name, _)| {
        methods().map(|method| arguments.out.join(format!("{name}-{}", method.name)))
    });
    let replace = arguments.run.replace();
    for folder in folders.iter().flatten() {
        RunFolder::refuse_occupied(folder, replace).map_err(|error| match error {
            RunFolderError::Occupied(_) => RunFolderError::Occupied(arguments.out.clone()),
            other => other,
        })?;
    }
    let data = read_data(&files, &spec)?;

    let mut summaries = Vec::new();
    let mut drawn = None;
    for ((name, scenario), folders) in runs.into_iter().zip(&folders) {
        let mut pretrained = None;
        for (method, folder) in methods().into_iter().zip(folders) {
            let experiment = demo_experiment(&scenario, &method, arguments.run.seed);
            let start = pretrained.take();
            let start = start.unwrap_or_else(|| {
                let network = Network::new(spec.clone(), experiment.seed);
                Start::Fresh(Box::new(network)).into()
            });
            let label = format!("{name}, {}, ", method.name);
            let mut bars = LearnBars::new(&label);
            let files = names_of(&files);
            let out = (folder.as_path(), replace);
            let recorded = run_recorded(&experiment, &data, files, start, out, &mut bars)?;
            summaries.push(recorded.summary.clone());
            let [before, learned] = recorded.networks(folder)?;
            let is_class = scenario.learns() == Learns::Classes && scenario.is_single();
            if is_class && !method.is_ceiling() && !method.replay.is_empty() {
                drawn = Some(learned.network);
            }
            let file = folder.join("pretrained.safetensors");
            let before = Start::Pretrained(Box::new(before));
            pretrained = Some(Begins::with(before, &file));
        }
    }

    // One row of panels for each strategy.
    let by_strategy = [0, 1, 2].map(|strategy| folders.each_ref().map(|all| all[strategy].clone()));
    let plots = draw(&arguments.out, &by_strategy.concat(), &folders.concat())?;
    if let Some(network) = drawn {
        let figure = raster_of_first(&network, &data, ClassId(9))?;
        raster(&figure, &arguments.out.join("raster.png"))?;
    }
    let (heading, rows) = learn_table(&summaries);
    let file = arguments.out.join("table.md");
    write_whole(&file, markdown(&heading, &rows).as_bytes())
        .map_err(|error| Failure::fault(format!("cannot write {}: {error}", file.display())))?;
    if arguments.run.json {
        let all = summaries.into_iter().map(Box::new).map(Summary::Learn);
        return print_json(&all.collect::<Vec<_>>());
    }
    print(&table(&heading, &rows, 3))?;
    tell(
        &summaries,
        &arguments.out,
        &plots,
        clock.elapsed().as_secs_f64(),
    )
}

/// A network that ships.
pub(super) fn shipped_network(text: &str) -> NetworkSpec {
    let settings: Result<NetworkSettings, _> = toml::from_str(text);
    let settings = settings.expect("a test reads this file");
    settings.check().expect("a test checks this file")
}

/// Naive training and replay above the frozen layers, and joint training of the whole network.
fn methods() -> [Method; 3] {
    let codec = CodecSettings::counts(WINDOW_STEPS).expect("a window of 5 steps is valid");
    let capacity = Capacity::Bytes(BUDGET_BYTES);
    let memory = Memory::new(codec, PolicySettings::class_balanced(), capacity);
    [
        Method::naive().with_replay_layer(REPLAY_LAYER),
        Method::latent(REPLAY_LAYER, memory),
        Method::joint(),
    ]
}

fn demo_experiment(scenario: &ScenarioSettings, method: &Method, seed: Seed) -> Experiment {
    let (scenario, seed) = (scenario.clone(), seed.master());
    let (rate, epochs) = match method.is_ceiling() {
        true => (PRETRAIN_RATE, JOINT_EPOCHS),
        false => (RATE, EPOCHS),
    };
    Experiment::new(scenario, method.clone(), Protocol::Strict, seed)
        .with_pretraining(PRETRAIN_EPOCHS, falling(PRETRAIN_RATE, PRETRAIN_EPOCHS))
        .with_learning(epochs, falling(rate, epochs))
}

/// Adam at a rate that falls to zero over so many epochs, so that the last epoch, which is the one
/// reported, is not one of a restless training.
fn falling(rate: f32, epochs: usize) -> TrainingSettings {
    TrainingSettings::default()
        .with_learning_rate(rate)
        .with_optimiser(Adam::default())
        .with_schedule(Schedule::Cosine { epochs })
        .with_clip_norm(CLIP_NORM)
}

/// Draws from the records alone, and names what was drawn.
fn draw(
    out: &Path,
    by_strategy: &[PathBuf],
    by_scenario: &[PathBuf],
) -> Result<Vec<&'static str>, Failure> {
    let read = |folders: &[PathBuf]| {
        let records = folders.iter().map(|folder| RunFolder::read(folder));
        records.collect::<Result<Vec<_>, _>>()
    };
    let rows = read(by_strategy)?;
    curves(&rows, &out.join("curves.png"))?;
    confusion(&rows, &out.join("confusion.png"))?;
    comparison(&read(by_scenario)?, &out.join("comparison.png"))?;
    Ok(vec![
        "raster.png",
        "curves.png",
        "comparison.png",
        "confusion.png",
    ])
}

/// The first sample of a class as it runs through a network.
fn raster_of_first(
    network: &Network,
    data: &Dataset,
    class: ClassId,
) -> Result<RasterFigure, Failure> {
    let first = data.iter().find(|(_, sample)| sample.class == class);
    let (index, sample): (SampleIndex, _) =
        first.ok_or_else(|| Failure::bad("the demo's data has no sample of class 9"))?;
    let activity = network.run(Stage::Whole, &StageInput::counts(&sample.counts))?;
    let (truth, taken) = (
        data.class_name(class),
        data.class_name(activity.predicted()),
    );
    let mut panels = vec![RasterPanel::input(sample.counts.clone())];
    panels.extend(RasterPanel::layers(&activity.spikes));
    Ok(RasterFigure {
        title: format!(
            "{index} of fsdd70_train.h5 + fsdd70_test.h5, {}: “{truth}”, taken for “{taken}”",
            data.speaker_name(sample.speaker)
        ),
        remarks: vec![
            format!("{} channels", sample.counts.units()),
            format!("{} events", sample.counts.total()),
        ],
        grid: data.grid(),
        panels,
    })
}

fn tell(
    summaries: &[LearnSummary],
    out: &Path,
    plots: &[&str],
    seconds: f64,
) -> Result<(), Failure> {
    let lost =
        |summary: &LearnSummary| (summary.accuracy.before.old - summary.accuracy.after.old) * 1e2;
    print("Old, new and all are accuracies on test samples, before → after learning.")?;
    print(&format!(
        "Naive training and replay train what lies above layer {REPLAY_LAYER}; joint training keeps all old \
         data and trains the whole network."
    ))?;
    print("Points lost on what was known before:   naive  replay  joint")?;
    for [naive, latent, joint] in summaries.as_chunks().0 {
        print(&format!(
            "  {:37} {:6.1} {:7.1} {:6.1}",
            shown(&naive.scenario),
            lost(naive),
            lost(latent),
            lost(joint)
        ))?;
    }
    let out = out.display().to_string();
    print(&format!(
        "{seconds:.0} s in all. Records, networks and memories are in {}/, with {}.",
        Shown(&out),
        plots.join(", ")
    ))
}
