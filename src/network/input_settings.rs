#[cfg(doc)]
use crate::spikes::TimeGrid;

/// Input channels and time grid.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct InputSettings {
    /// Inputs.
    pub units: usize,
    /// Steps of the time grid, T.
    pub steps: usize,
    /// End of the time grid in seconds.
    pub max_time_s: f64,
    /// How the bins of the grid lie.
    pub bins: BinSettings,
    /// Channels next to one another whose events are summed up for one input: 5 make 140 inputs of 700.
    pub channels_per_input: usize,
    /// A cell counts at most so many events: 1 makes the input binary.
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

    /// The same with bins that lie so.
    #[must_use]
    pub fn with_bins(mut self, bins: BinSettings) -> Self {
        self.bins = bins;
        self
    }

    /// The same with the events of so many channels next to one another summed up for one input.
    #[must_use]
    pub fn with_channels_per_input(mut self, channels: usize) -> Self {
        self.channels_per_input = channels;
        self
    }

    /// The same with at most so many events counted in a cell.
    #[must_use]
    pub fn with_largest_count(mut self, count: u16) -> Self {
        self.largest_count = Some(count);
        self
    }
}

/// How the bins of a time grid lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum BinSettings {
    /// As `np.digitize` over `np.linspace` puts them: bin 0 is always empty ([`TimeGrid::new`]).
    #[default]
    Digitize,
    /// Equally wide, and none always empty ([`TimeGrid::even`]).
    Even,
}
