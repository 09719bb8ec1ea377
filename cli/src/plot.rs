mod curves;
mod one_sample;
mod player;
mod rates;
mod time_constants;
mod traces;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::arguments::Machine;
use super::cochleagram::{CochleagramArguments, plot_cochleagram};
use super::failure::Failure;
use curves::CurvesArguments;
use one_sample::{OneSample, SampleArguments, taken_for};
use player::PlayerArguments;
use rates::RatesArguments;
use respike::report::player::check_page_name;
use respike::report::plot::{
    RasterFigure, RasterPanel, check_format, comparison, confusion, raster,
};
use respike::report::{RunFolder, RunRecord};
use respike::train::Checkpoint;
use time_constants::TimeConstantsArguments;
use traces::TracesArguments;

/// Draw rasters, traces of neurons, learned time constants, rates, cochleagrams, learning curves and confusion
/// matrices, as .png or .svg, or play a raster, as .html.
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
    /// Membrane, threshold, other states and spikes of some neurons of one layer, step by step.
    #[command(
        after_help = "Example:\n  respike plot traces --data data/fsdd70_test.h5 --sample 7 --layer 2 --neurons 3,17 \\\n      --checkpoint runs/demo/class-latent/learned.safetensors --out traces.png"
    )]
    Traces(TracesArguments),
    /// How learned time constants, thresholds and the like are spread over neurons, before and after training.
    #[command(
        after_help = "Example:\n  respike plot time-constants runs/first/network.safetensors --out learned.png"
    )]
    TimeConstants(TimeConstantsArguments),
    /// How often neurons spike, by layer and class, and how many never do.
    #[command(
        after_help = "Example:\n  respike plot rates --data data/fsdd70_test.h5 --checkpoint runs/first/network.safetensors \\\n      --csv rates.csv --out rates.png"
    )]
    Rates(RatesArguments),
    /// A page that plays the spikes of one sample, and of every layer if a trained network is given.
    #[command(
        after_help = "Example:\n  respike plot player --data data/fsdd70_test.h5 --sample 7 \\\n      --checkpoint runs/demo/class-latent/learned.safetensors --out raster.html"
    )]
    Player(PlayerArguments),
    /// A recording on its way through the ear: waveform, motion of the basilar membrane, spikes.
    #[command(
        after_help = "Example:\n  respike plot cochleagram tests/golden/spoken_digit.flac --out cochleagram.png"
    )]
    Cochleagram(CochleagramArguments),
    /// Accuracy over epochs, and of runs of `train` the loss, firing rates and gradients.
    #[command(
        after_help = "Example:\n  respike plot curves runs/first --out curves.png\n  respike plot curves runs/demo/class-naive runs/demo/class-latent --out curves.png"
    )]
    Curves(CurvesArguments),
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
    #[command(flatten)]
    sample: SampleArguments,
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
        PlotCommand::Player(arguments) => player::plot(&arguments),
        PlotCommand::Traces(arguments) => traces::plot(&arguments),
        PlotCommand::TimeConstants(arguments) => time_constants::plot(&arguments),
        PlotCommand::Rates(arguments) => rates::plot(&arguments),
        PlotCommand::Cochleagram(arguments) => plot_cochleagram(&arguments),
        PlotCommand::Curves(arguments) => curves::plot(&arguments),
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
        refuse_existing(&self.out, "--out", self.force)
    }
}

/// Refuses to write over a file that is there, unless it is to be replaced.
fn refuse_existing(file: &Path, flag: &str, replace: bool) -> Result<(), Failure> {
    match file.exists() && !replace {
        true => Err(Failure::bad(format!(
            "{} is there already; choose another {flag}, or give --force to replace it",
            file.display()
        ))),
        false => Ok(()),
    }
}

fn plot_raster(arguments: &RasterArguments) -> Result<(), Failure> {
    Machine::default().prepare()?;
    arguments.target.refuse_existing()?;
    if check_page_name(&arguments.target.out).is_ok() {
        return Err(Failure::bad(format!(
            "{}: rasters are written as .png or .svg; `respike plot player` writes a page that plays one",
            arguments.target.out.display()
        )));
    }
    check_format(&arguments.target.out)?;
    let saved = arguments.checkpoint.as_deref().map(Checkpoint::load);
    let saved = saved.transpose()?;
    let shown = OneSample::read(&arguments.sample, saved.as_ref())?;
    let mut title = shown.name();
    let mut panels = vec![RasterPanel::input(shown.counts().clone())];
    if let Some(saved) = &saved {
        let activity = shown.run(saved)?;
        title += &format!(", taken for “{}”", taken_for(saved, &activity));
        panels.extend(RasterPanel::layers(&activity.spikes));
    }
    let figure = RasterFigure {
        title,
        remarks: shown.remarks(),
        grid: shown.grid(),
        panels,
    };
    Ok(raster(&figure, &arguments.target.out)?)
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
