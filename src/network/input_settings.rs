use serde::{Deserialize, Serialize};

#[cfg(doc)]
use crate::spikes::TimeGrid;

/// Input channels and time grid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputSettings {
    /// Inputs.
    pub units: usize,
    /// Steps of the time grid, T.
    pub steps: usize,
    /// End of the time grid in seconds.
    pub max_time_s: f64,
    /// How the bins of the grid lie.
    #[serde(default, skip_serializing_if = "BinSettings::is_digitize")]
    pub bins: BinSettings,
    /// Channels next to one another whose events are summed up for one input: 5 make 140 inputs of 700.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub channels_per_input: usize,
    /// A cell counts at most so many events: 1 makes the input binary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub largest_count: Option<u16>,
}

impl InputSettings {
    /// Counts of every channel as they are, in bins as the reference code has them.
    pub fn plain(units: usize, steps: usize, max_time_s: f64) -> Self {
        InputSettings {
            units,
            steps,
            max_time_s,
            bins: BinSettings::Digitize,
            channels_per_input: 1,
            largest_count: None,
        }
    }
}

fn one() -> usize {
    1
}

fn is_one(number: &usize) -> bool {
    *number == 1
}

/// How the bins of a time grid lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BinSettings {
    /// As `np.digitize` over `np.linspace` puts them: bin 0 is always empty ([`TimeGrid::new`]).
    #[default]
    Digitize,
    /// Equally wide, and none always empty ([`TimeGrid::even`]).
    Even,
}

impl BinSettings {
    fn is_digitize(&self) -> bool {
        *self == BinSettings::Digitize
    }
}
