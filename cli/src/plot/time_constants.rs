//! `respike plot time-constants`.

use std::path::PathBuf;

use clap::Args;

use super::Target;
use crate::failure::Failure;
use crate::output::note;
use respike::network::Network;
use respike::report::plot::{BeforeAfterFigure, before_after, check_format};
use respike::train::Checkpoint;

#[derive(Args)]
pub(crate) struct TimeConstantsArguments {
    /// The network before and after training; one alone is compared with what its seed began with.
    #[arg(required = true, num_args = 1..=2, value_name = "FILE")]
    checkpoints: Vec<PathBuf>,
    #[command(flatten)]
    target: Target,
}

pub(super) fn plot(arguments: &TimeConstantsArguments) -> Result<(), Failure> {
    arguments.target.refuse_existing()?;
    check_format(&arguments.target.out)?;
    let saved = arguments
        .checkpoints
        .iter()
        .map(|path| Checkpoint::load(path));
    let mut saved = saved.collect::<Result<Vec<Checkpoint>, _>>()?;
    let figure = match (saved.pop(), saved.pop()) {
        (Some(after), Some(before)) => {
            BeforeAfterFigure::of_networks(("before", &before.network), ("after", &after.network))?
        }
        (Some(after), None) => {
            let start = start_of(&after, &arguments.checkpoints[0])?;
            BeforeAfterFigure::of_networks(
                ("at the start", &start),
                ("after training", &after.network),
            )?
        }
        (None, _) => return Err(Failure::bad("no checkpoint was given")),
    };
    Ok(before_after(&figure, &arguments.target.out)?)
}

/// The network as its seed drew it.
fn start_of(saved: &Checkpoint, path: &std::path::Path) -> Result<Network, Failure> {
    let Some(training) = saved.past_training() else {
        return Err(Failure::bad(format!(
            "{} does not say from which seed it began, as after `learn`; give the network before training, too",
            path.display()
        )));
    };
    note(&format!(
        "the start is drawn again from seed {}, after which there were {} epochs",
        training.seed.0, training.epochs
    ));
    Ok(Network::new(saved.network.spec().clone(), training.seed))
}
