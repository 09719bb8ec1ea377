use std::path::PathBuf;

use clap::Args;

use super::arguments::Machine;
use super::failure::Failure;
use super::output::{note, print, print_json, table};
use super::reading::{in_order_of, read_data_for, say_what_is_not_seen};
use respike::continual::Trained;
use respike::report::{
    EvaluationSummary, GroupAccuracy, refuse_evaluation_folder, write_evaluation,
};
use respike::storage::{Shown, shown};

/// Test a trained network, or a learner with its head, on SHD-layout files.
#[derive(Args)]
#[command(
    after_help = "Example:\n  respike eval --data data/fsdd70_test.h5 --checkpoint runs/first/network.safetensors \\\n      --out runs/first-tested\n  respike eval --data data/fsdd70_test.h5 --checkpoint runs/nine/learner.safetensors"
)]
pub(super) struct EvalArguments {
    /// Files to test with; several are merged.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    data: Vec<PathBuf>,
    /// The trained network, or the learner that a run of `learn` left (learner.safetensors), which is tested as its run
    /// tested it: with its head, where that classifies in place of the readout.
    #[arg(long, value_name = "FILE")]
    checkpoint: PathBuf,
    /// A folder to write confusion matrix, accuracy by class and by speaker, and the logits of every sample
    /// into, as CSV, with summary.json and a figure; all of it is there, or none.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace what a test before left in --out.
    #[arg(long, requires = "out")]
    force: bool,
    /// Print the figures as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    machine: Machine,
}

pub(super) fn run(arguments: EvalArguments) -> Result<(), Failure> {
    arguments.machine.prepare()?;
    if let Some(out) = &arguments.out {
        refuse_evaluation_folder(out, arguments.force)?;
    }
    let trained = Trained::load(&arguments.checkpoint)?;
    let saved = trained.checkpoint();
    if let Some(with) = &saved.tested_with {
        note(&format!(
            "this tests the network by itself, but its run tested it with {with}; learner.safetensors of the same run \
             has both: test that file for what the run came to",
        ));
    }
    let data = read_data_for(&arguments.data, saved.network.spec(), &saved.class_names)?;
    let data = in_order_of(saved, data)?;
    say_what_is_not_seen(saved);
    let tested = trained.evaluate(&data)?;
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
    let summary = EvaluationSummary::new(&tested, &data, trained_on);
    if let Some(out) = &arguments.out {
        write_evaluation(out, arguments.force, (&summary, &tested, &data))?;
    }
    if arguments.json {
        return print_json(&summary);
    }
    print_accuracy("class", &summary.accuracy_of_classes)?;
    if summary.accuracy_of_speakers.len() > 1 {
        print_accuracy("speaker", &summary.accuracy_of_speakers)?;
    }
    print(&format!(
        "{} of {} samples right: {:.1} %",
        summary.correct,
        summary.samples,
        summary.accuracy * 1e2
    ))?;
    match &arguments.out {
        Some(out) => print(&format!("written to {}", Shown(&out.display().to_string()))),
        None => Ok(()),
    }
}

fn print_accuracy(what: &str, groups: &[GroupAccuracy]) -> Result<(), Failure> {
    let rows = groups.iter().map(|group| {
        vec![
            shown(&group.name).into_owned(),
            group.samples.to_string(),
            group.correct.to_string(),
            format!("{:.1}", group.accuracy * 1e2),
        ]
    });
    let heading = [what, "samples", "right", "accuracy %"];
    print(&table(&heading, &rows.collect::<Vec<_>>(), 1))
}
