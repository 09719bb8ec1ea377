use std::borrow::Cow;
use std::fmt;

use ndarray::Array2;

use super::{NetworkError, NetworkSpec, ParameterName};
use crate::ids::TimeStep;
use crate::spikes::{SpikeCounts, SpikeRaster};

/// Where a network is split: how many hidden layers are frozen. Papers, reports and files call it the LR
/// index, for latent replay.
///
/// 0 keeps the input current x·W₁ and freezes W₁; k ≥ 1 keeps the spikes of layer k and freezes
/// everything up to it; the number of hidden layers leaves only W_out to be trained. Made by
/// [`NetworkSpec::replay_layer`], for networks with as many layers and as many units there: no other takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplayLayer {
    pub(super) index: usize,
    /// Hidden layers of the network.
    pub(super) layers: usize,
    /// Units of what is kept.
    pub(super) units: usize,
}

impl ReplayLayer {
    /// The index as a number.
    pub fn get(self) -> usize {
        self.index
    }
}

impl fmt::Display for ReplayLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LR index {}", self.index)
    }
}

/// Which part of a network runs or is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// All of it, from event counts to logits.
    Whole,
    /// What lies above an LR index, from latents to logits.
    Learning(ReplayLayer),
}

impl Stage {
    /// The first hidden layer (0 first) whose spikes this stage computes.
    pub(crate) fn first_layer(self) -> usize {
        match self {
            Stage::Whole => 0,
            Stage::Learning(split) => split.index,
        }
    }

    /// Whether training this stage changes the weight.
    pub fn trains(self, name: ParameterName) -> bool {
        match (self, name) {
            (Stage::Whole, _) | (_, ParameterName::Readout) => true,
            // At LR index 0 what is kept are the currents that it makes; above, the layer is frozen.
            (Stage::Learning(_), ParameterName::Input(0)) => false,
            (Stage::Learning(split), name) => name.layer().is_none_or(|layer| layer >= split.index),
        }
    }

    /// Units of what enters the stage.
    pub fn input_units(self, spec: &NetworkSpec) -> usize {
        match self {
            Stage::Whole => spec.inputs(),
            Stage::Learning(layer) => spec.fan_in(layer.index.max(1)),
        }
    }

    fn expected_input(self) -> &'static str {
        match self {
            Stage::Whole => "event counts",
            Stage::Learning(ReplayLayer { index: 0, .. }) => "input currents",
            Stage::Learning(_) => "spikes",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stage::Whole => write!(f, "the whole network"),
            Stage::Learning(index) => write!(f, "the learning stage at {index}"),
        }
    }
}

/// One sample as it enters a stage, borrowed or owned.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum StageInput<'a> {
    /// Event counts, steps × inputs, for the whole network.
    Counts(Cow<'a, SpikeCounts>),
    /// Spikes of layer k, steps × units, for the learning stage at LR index k ≥ 1.
    Spikes(Cow<'a, SpikeRaster>),
    /// The input current of layer 1, steps × units, for the learning stage at LR index 0.
    Currents(Cow<'a, Array2<f32>>),
}

impl<'a> StageInput<'a> {
    /// Borrows event counts.
    pub fn counts(counts: &'a SpikeCounts) -> Self {
        StageInput::Counts(Cow::Borrowed(counts))
    }

    /// Borrows spikes.
    pub fn spikes(raster: &'a SpikeRaster) -> Self {
        StageInput::Spikes(Cow::Borrowed(raster))
    }

    /// Borrows input currents, steps × units.
    pub fn currents(currents: &'a Array2<f32>) -> Self {
        StageInput::Currents(Cow::Borrowed(currents))
    }

    /// Number of steps.
    pub fn steps(&self) -> usize {
        match self {
            StageInput::Counts(counts) => counts.steps(),
            StageInput::Spikes(raster) => raster.steps(),
            StageInput::Currents(currents) => currents.nrows(),
        }
    }

    /// Number of units.
    pub fn units(&self) -> usize {
        match self {
            StageInput::Counts(counts) => counts.units(),
            StageInput::Spikes(raster) => raster.units(),
            StageInput::Currents(currents) => currents.ncols(),
        }
    }

    /// How much there is of each unit over all steps: events, spikes, or current.
    pub fn sums_of_units(&self) -> Vec<f32> {
        let mut sums = vec![0.0; self.units()];
        match self {
            StageInput::Counts(counts) => {
                for step in 0..counts.steps() {
                    for (unit, count) in counts.row(TimeStep(step)) {
                        sums[unit.0] += f32::from(count);
                    }
                }
            }
            StageInput::Spikes(raster) => {
                for step in 0..raster.steps() {
                    for unit in raster.active(TimeStep(step)) {
                        sums[unit.0] += 1.0;
                    }
                }
            }
            StageInput::Currents(currents) => {
                for row in currents.rows() {
                    for (sum, current) in sums.iter_mut().zip(row) {
                        *sum += current;
                    }
                }
            }
        }
        sums
    }

    /// Refuses an input that the stage cannot read.
    pub(super) fn check(&self, spec: &NetworkSpec, stage: Stage) -> Result<(), NetworkError> {
        if let Stage::Learning(index) = stage {
            spec.check_replay_layer(index)?;
        }
        let fits = matches!(
            (stage, self),
            (Stage::Whole, StageInput::Counts(_))
                | (
                    Stage::Learning(ReplayLayer { index: 0, .. }),
                    StageInput::Currents(_)
                )
                | (
                    Stage::Learning(ReplayLayer { index: 1.., .. }),
                    StageInput::Spikes(_)
                )
        );
        if !fits {
            return Err(NetworkError::WrongInput {
                stage: stage.to_string(),
                expected: stage.expected_input(),
                found: match self {
                    StageInput::Counts(_) => "event counts",
                    StageInput::Spikes(_) => "spikes",
                    StageInput::Currents(_) => "input currents",
                },
            });
        }
        if self.steps() == 0 {
            return Err(NetworkError::NoSteps);
        }
        let (found, expected) = (self.units(), stage.input_units(spec));
        if found != expected {
            return Err(NetworkError::WrongUnits { found, expected });
        }
        if let StageInput::Currents(currents) = self
            && !currents.is_standard_layout()
        {
            return Err(NetworkError::NotRowMajor);
        }
        Ok(())
    }
}

/// What the frozen stage makes of a sample: what a latent replay keeps.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Latent {
    /// At LR index 0: the input current of layer 1, steps × units.
    Currents(Array2<f32>),
    /// At LR index k ≥ 1: the spikes of layer k.
    Spikes(SpikeRaster),
}

impl Latent {
    /// The latent as the learning stage's input.
    pub fn as_input(&self) -> StageInput<'_> {
        match self {
            Latent::Currents(currents) => StageInput::currents(currents),
            Latent::Spikes(raster) => StageInput::spikes(raster),
        }
    }
}

impl From<Latent> for StageInput<'static> {
    fn from(latent: Latent) -> Self {
        match latent {
            Latent::Currents(currents) => StageInput::Currents(Cow::Owned(currents)),
            Latent::Spikes(raster) => StageInput::Spikes(Cow::Owned(raster)),
        }
    }
}
