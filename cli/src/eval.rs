use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::arguments::Machine;
use super::failure::Failure;
use super::output::{note, print, print_json, table};
use super::reading::{in_order_of, read_data_for, say_what_is_not_seen};
use respike::ids::ClassId;
use respike::network::Stage;
use respike::report::ConfusionMatrix;
use respike::storage::shown;
use respike::train::{Checkpoint, DatasetExamples, evaluate};

/// Test a trained network on SHD-layout files.
#[derive(Args)]
#[command(
    after_help = "Example:\n  respike eval --data data/fsdd70_test.h5 --checkpoint runs/first/checkpoint.safetensors"
)]
pub(super) struct EvalArguments {
    /// Files to test with; several are merged.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    data: Vec<PathBuf>,
    /// The trained network.
    #[arg(long, value_name = "FILE")]
    checkpoint: PathBuf,
    /// Print the figures as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    machine: Machine,
}

#[derive(Serialize)]
struct EvalSummary {
    samples: usize,
    correct: usize,
    accuracy: f64,
    /// Samples that the network was trained on: a test with them proves nothing.
    trained_on: usize,
    confusion: ConfusionMatrix,
}

pub(super) fn run(arguments: EvalArguments) -> Result<(), Failure> {
    arguments.machine.prepare()?;
    let saved = Checkpoint::load(&arguments.checkpoint)?;
    let data = read_data_for(&arguments.data, saved.network.spec(), &saved.class_names)?;
    let data = in_order_of(&saved, data)?;
    say_what_is_not_seen(&saved);
    let tested = evaluate(&saved.network, Stage::Whole, &DatasetExamples::all(&data))?;
    let seen = data
        .iter()
        .filter(|(_, sample)| saved.trained_on.contains(sample));
    let trained_on = seen.count();
    if trained_on > 0 {
        note(&format!(
            "{trained_on} of the {} samples are ones that the network was trained on",
            data.len()
        ));
    }
    let summary = EvalSummary {
        samples: tested.samples(),
        correct: tested.correct(),
        accuracy: tested.accuracy(),
        trained_on,
        confusion: tested.confusion.into(),
    };
    if arguments.json {
        return print_json(&summary);
    }
    let rows = data.classes().into_iter().map(|class: ClassId| {
        let row = summary.confusion.counts().row(class.index());
        let (right, all) = (row[class.index()], row.sum());
        vec![
            shown(&data.class_name(class)).into_owned(),
            all.to_string(),
            right.to_string(),
            format!("{:.1}", f64::from(right) / f64::from(all) * 1e2),
        ]
    });
    let heading = ["class", "samples", "right", "accuracy %"];
    print(&table(&heading, &rows.collect::<Vec<_>>(), 1))?;
    print(&format!(
        "{} of {} samples right: {:.1} %",
        summary.correct,
        summary.samples,
        summary.accuracy * 1e2
    ))
}
