use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::arguments::Machine;
use super::cochleagram::{CochleagramArguments, plot_cochleagram};
use super::failure::Failure;
use super::reading::{say_what_is_lost, say_which_channels};
use respike::dataset::{DatasetBuilder, DatasetError, ShdFile};
use respike::ids::SampleIndex;
use respike::network::{NetworkSpec, Stage, StageInput};
use respike::report::plot::{RasterFigure, RasterPanel, comparison, confusion, curves, raster};
use respike::report::{RunFolder, RunRecord};
use respike::spikes::{EventStream, InputFormat, TimeGrid};
use respike::train::Checkpoint;

/// Draw rasters, cochleagrams, learning curves and confusion matrices, as .png or .svg.
#[derive(Subcommand)]
#[command(
    after_help = "Example:\n  respike plot curves runs/demo/class-naive runs/demo/class-latent --out curves.png"
)]
pub(super) enum PlotCommand {
    /// The spikes of one sample, and of every layer if a trained network is given.
    #[command(
        after_help = "Example:\n  respike plot raster --data data/fsdd70_test.h5 --sample 7 \\\n      --checkpoint runs/demo/class-latent/learned.safetensors --out raster.png"
    )]
    Raster(RasterArguments),
    /// A recording on its way through the ear: waveform, motion of the basilar membrane, spikes.
    #[command(
        after_help = "Example:\n  respike plot cochleagram tests/golden/spoken_digit.flac --out cochleagram.png"
    )]
    Cochleagram(CochleagramArguments),
    /// Accuracy over epochs, one panel a run.
    #[command(
        after_help = "Example:\n  respike plot curves runs/demo/class-naive runs/demo/class-latent --out curves.png"
    )]
    Curves(RunsArguments),
    /// Which class was taken for which at the end, one panel a run.
    #[command(
        after_help = "Example:\n  respike plot confusion runs/demo/class-latent --out confusion.svg"
    )]
    Confusion(RunsArguments),
    /// Accuracy of several continual-learning runs side by side.
    #[command(
        after_help = "Example:\n  respike plot comparison runs/demo/*-naive runs/demo/*-latent --out comparison.png"
    )]
    Comparison(RunsArguments),
}

#[derive(Args)]
pub(super) struct RasterArguments {
    /// The file with the sample.
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Which sample of the file, 0 first.
    #[arg(long, value_name = "I")]
    sample: usize,
    /// A trained network, whose layers are drawn below the input.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    #[command(flatten)]
    target: Target,
}

/// Where a plot goes.
#[derive(Args)]
pub(super) struct Target {
    /// Where to write: a .png or .svg file.
    #[arg(long, value_name = "FILE")]
    pub(super) out: PathBuf,
    /// Replace the file if it is there.
    #[arg(long)]
    force: bool,
}

#[derive(Args)]
pub(super) struct RunsArguments {
    /// Folders of runs.
    #[arg(required = true, value_name = "DIR")]
    runs: Vec<PathBuf>,
    #[command(flatten)]
    target: Target,
}

pub(super) fn run(command: PlotCommand) -> Result<(), Failure> {
    match command {
        PlotCommand::Raster(arguments) => plot_raster(&arguments),
        PlotCommand::Cochleagram(arguments) => plot_cochleagram(&arguments),
        PlotCommand::Curves(arguments) => Ok(curves(&arguments.read()?, &arguments.target.out)?),
        PlotCommand::Confusion(arguments) => {
            Ok(confusion(&arguments.read()?, &arguments.target.out)?)
        }
        PlotCommand::Comparison(arguments) => {
            Ok(comparison(&arguments.read()?, &arguments.target.out)?)
        }
    }
}

impl RunsArguments {
    fn read(&self) -> Result<Vec<RunRecord>, Failure> {
        self.target.refuse_existing()?;
        let records = self.runs.iter().map(|path| RunFolder::read(path));
        let mut records = records.collect::<Result<Vec<RunRecord>, _>>()?;
        tell_apart(&mut records, &self.runs);
        Ok(records)
    }
}

/// Runs in folders of the same name are called by their whole paths.
fn tell_apart(records: &mut [RunRecord], paths: &[PathBuf]) {
    let names: Vec<String> = records.iter().map(|record| record.name.clone()).collect();
    for (record, path) in records.iter_mut().zip(paths) {
        if names.iter().filter(|name| **name == record.name).count() > 1 {
            record.name = path.to_string_lossy().into_owned();
        }
    }
}

impl Target {
    pub(super) fn refuse_existing(&self) -> Result<(), Failure> {
        match self.out.exists() && !self.force {
            true => Err(Failure::bad(format!(
                "{} is there already; choose another --out, or give --force to replace it",
                self.out.display()
            ))),
            false => Ok(()),
        }
    }
}

fn plot_raster(arguments: &RasterArguments) -> Result<(), Failure> {
    Machine::default().prepare()?;
    arguments.target.refuse_existing()?;
    let saved = arguments.checkpoint.as_deref().map(Checkpoint::load);
    let saved = saved.transpose()?;
    let file = ShdFile::open(&arguments.data)?;
    if let Some(saved) = &saved {
        // A network of some of the classes may be shown the others, too.
        let is_there = |name| file.class_names().contains(name);
        if !saved.class_names.iter().all(is_there) {
            file.check_class_names(&saved.class_names)?;
        }
    }
    if arguments.sample >= file.len() {
        return Err(Failure::bad(format!(
            "{} has {} samples, so 0 to {} can be drawn, not {}",
            arguments.data.display(),
            file.len(),
            file.len() - 1,
            arguments.sample
        )));
    }
    let recording = file.read(arguments.sample..arguments.sample + 1)?.remove(0);
    let format = match &saved {
        Some(saved) => saved.network.spec().input_format(),
        None => {
            let (grid, units) = default_grid(&recording.events)?;
            InputFormat::plain(grid, units)
        }
    };
    let (grid, units) = (format.grid, format.inputs);
    let mut builder = DatasetBuilder::with_format(format, file.class_names().to_vec())?;
    builder.name_speakers(file.speaker_names().clone());
    builder.push(&recording).map_err(|error| {
        // The builder counts from the one sample that it was given.
        let sample = SampleIndex(arguments.sample);
        let error = match error {
            DatasetError::BadEvents { source, .. } => DatasetError::BadEvents { sample, source },
            DatasetError::ClassPastEnd { class, classes, .. } => DatasetError::ClassPastEnd {
                sample,
                class,
                classes,
            },
            other => other,
        };
        Failure::bad(format!("in {}: {error}", arguments.data.display()))
    })?;
    let data = builder.build()?;
    say_what_is_lost(&data)?;
    if saved.is_some() {
        say_which_channels(&data);
    }
    let (all, lost) = (data.events(), data.events_past_end());
    let remarks = vec![
        format!("{units} channels"),
        match lost {
            0 => format!("{all} events"),
            lost => format!(
                "{lost} of {all} events at or past {} s are not drawn",
                grid.max_time_s()
            ),
        },
    ];
    let sample = data.sample(SampleIndex(0));
    let (speaker, truth) = (
        data.speaker_name(sample.speaker),
        data.class_name(sample.class),
    );
    let file_name = arguments.data.file_name().unwrap_or_default();
    let mut title = format!(
        "sample {} of {}, {speaker}: “{truth}”",
        arguments.sample,
        file_name.to_string_lossy()
    );
    let mut panels = vec![RasterPanel::input(sample.counts.clone())];
    if let Some(saved) = &saved {
        let activity = saved
            .network
            .run(Stage::Whole, &StageInput::counts(&sample.counts))?;
        let taken = saved.class_names.get(activity.predicted().index());
        let taken = taken
            .cloned()
            .unwrap_or_else(|| activity.predicted().to_string());
        title += &format!(", taken for “{}”", taken);
        panels.extend(RasterPanel::layers(&activity.spikes));
    }
    let figure = RasterFigure {
        title,
        remarks,
        grid,
        panels,
    };
    Ok(raster(&figure, &arguments.target.out)?)
}

/// Without a network: the grid of the reference paper, and 70 or 700 channels or as many as spike.
fn default_grid(events: &EventStream) -> Result<(TimeGrid, usize), Failure> {
    let spec = NetworkSpec::dequino2024();
    let largest = events.units().iter().max().copied().unwrap_or(0);
    let needed = usize::from(largest) + 1;
    let units = [70, spec.inputs()].into_iter().find(|&u| u >= needed);
    Ok((spec.grid(), units.unwrap_or(needed)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_one_name_are_told_apart_by_their_paths() {
        let start = include_str!("../../tests/formats/train/run.jsonl");
        let record = |name: &str| RunRecord::parse(name, start).expect("a record");
        let mut records = ["seed-0", "seed-0", "other"].map(record);
        let paths = ["a/seed-0", "b/seed-0", "a/other"].map(PathBuf::from);
        tell_apart(&mut records, &paths);
        let names = records.map(|record| record.name);
        assert_eq!(names, ["a/seed-0", "b/seed-0", "other"]);
    }
}
