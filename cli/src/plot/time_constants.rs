//! `respike plot time-constants`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::Target;
use crate::failure::Failure;
use crate::output::note;
use respike::network::Network;
use respike::report::plot::{BeforeAfterFigure, before_after, check_format};
use respike::report::{Description, RunFolder};
use respike::storage::folder_of;
use respike::train::{Checkpoint, StartedFrom};

#[derive(Args)]
pub(crate) struct TimeConstantsArguments {
    /// The network before and after training; one alone is compared with what it began with: the network of
    /// `train --init`, or what its seed drew.
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
        (Some(after), None) => match start_of(&after, &arguments.checkpoints[0])? {
            Some(start) => BeforeAfterFigure::of_networks(
                ("at the start", &start),
                ("after training", &after.network),
            )?,
            None => BeforeAfterFigure::of_network("after training", &after.network)?,
        },
        (None, _) => return Err(Failure::bad("no checkpoint was given")),
    };
    Ok(before_after(&figure, &arguments.target.out)?)
}

/// The network that training began with, if there is a way to know.
fn start_of(saved: &Checkpoint, path: &Path) -> Result<Option<Network>, Failure> {
    let Some(training) = saved.past_training() else {
        return Err(Failure::bad(format!(
            "{} does not say from which seed it began, as after `learn`; give the network before training, too",
            path.display()
        )));
    };
    let drawn = Network::new(saved.network.spec().clone(), training.seed);
    let Some(start) = started_from(saved, path) else {
        note(&format!(
            "the start is drawn again from seed {}, after which there were {} epochs",
            training.seed.0, training.epochs
        ));
        return Ok(Some(drawn));
    };
    match trained_start(drawn, &start) {
        Ok(network) => {
            note(&format!("the start is {}, as training began", start.file));
            Ok(Some(network))
        }
        Err(reason) => {
            note(&format!(
                "the start is not known, and not drawn: training began with {}, {reason}",
                start.file
            ));
            Ok(None)
        }
    }
}

/// The trained network that training began with, if it began with one.
fn started_from(saved: &Checkpoint, path: &Path) -> Option<StartedFrom> {
    // Checkpoints of before they said so themselves lie beside a record that does.
    let of_record = || match RunFolder::read(folder_of(path)).ok()?.start.settings {
        Description::Train { init, .. } => init,
        _ => None,
    };
    saved.started_from.clone().or_else(of_record)
}

/// A fresh network with the weights of the one that training began with; or why there are none.
fn trained_start(fresh: Network, start: &StartedFrom) -> Result<Network, String> {
    let file = Path::new(&start.file);
    if !file.is_file() {
        return Err("which is not there".to_string());
    }
    let trained = Checkpoint::load(file).map_err(|_| "which cannot be read".to_string())?;
    if !StartedFrom::new(&start.file, &trained.network).is_like(start) {
        return Err("which is another network now".to_string());
    }
    // Weights of classes are not drawn.
    let started = fresh.starting_from(&trained.network, &[]);
    started.map_err(|_| "which does not fit it".to_string())
}
