//! `respike plot player`.

use std::path::PathBuf;

use clap::Args;

use super::one_sample::{OneSample, SampleArguments, taken_for};
use super::refuse_existing;
use crate::arguments::Machine;
use crate::failure::Failure;
use respike::report::player::{PlayerAnswer, PlayerPage, check_page_name};
use respike::report::plot::RasterPanel;
use respike::train::Checkpoint;

#[derive(Args)]
pub(crate) struct PlayerArguments {
    #[command(flatten)]
    sample: SampleArguments,
    /// A trained network, whose layers and readout are played below the input.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Where to write: an .html file, for any browser.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Replace the file if it is there.
    #[arg(long)]
    force: bool,
}

pub(super) fn plot(arguments: &PlayerArguments) -> Result<(), Failure> {
    Machine::default().prepare()?;
    refuse_existing(&arguments.out, "--out", arguments.force)?;
    check_page_name(&arguments.out)?;
    let saved = arguments.checkpoint.as_deref().map(Checkpoint::load);
    let saved = saved.transpose()?;
    let shown = OneSample::read(&arguments.sample, saved.as_ref())?;
    let mut title = shown.name();
    let mut panels = vec![RasterPanel::input(shown.counts().clone())];
    let mut answer = None;
    if let Some(saved) = &saved {
        let activity = shown.run(saved)?;
        title += &format!(", taken for “{}”", taken_for(saved, &activity));
        panels.extend(RasterPanel::layers(&activity.spikes));
        let truth = shown.class_of(saved);
        answer = Some(PlayerAnswer::new(&saved.class_names, &activity).with_truth(truth));
    }
    let mut page = PlayerPage::new(title, shown.grid(), panels).with_remarks(shown.remarks());
    page.answer = answer;
    Ok(page.write(&arguments.out)?)
}
