//! `respike plot curves`.

use clap::{Args, ValueEnum};

use super::RunsArguments;
use crate::failure::Failure;
use respike::report::plot::{CurvesOf, curves, curves_of};

#[derive(Args)]
pub(crate) struct CurvesArguments {
    #[command(flatten)]
    runs: RunsArguments,
    /// What to show, such as accuracy,loss; all that is recorded of runs of `train` if not given. Of continual
    /// learning, accuracy alone is drawn.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHAT")]
    of: Vec<Of>,
}

#[derive(ValueEnum, Clone, Copy)]
enum Of {
    /// On training, validation and test samples.
    Accuracy,
    /// Its mean on training samples.
    Loss,
    /// The firing rate of each layer, in Hz.
    Activity,
    /// The norm of the gradient of each layer and the readout.
    Gradients,
}

impl From<Of> for CurvesOf {
    fn from(of: Of) -> Self {
        match of {
            Of::Accuracy => CurvesOf::Accuracy,
            Of::Loss => CurvesOf::Loss,
            Of::Activity => CurvesOf::Activity,
            Of::Gradients => CurvesOf::Gradients,
        }
    }
}

pub(super) fn plot(arguments: &CurvesArguments) -> Result<(), Failure> {
    let runs = arguments.runs.read()?;
    let out = &arguments.runs.target.out;
    let of: Vec<CurvesOf> = arguments.of.iter().copied().map(CurvesOf::from).collect();
    match of.is_empty() {
        true => curves(&runs, out)?,
        false => curves_of(&runs, &of, out)?,
    }
    Ok(())
}
