use thiserror::Error;

/// What can be wrong with events or with the grid they are put on.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum SpikeError {
    /// Every event needs a time and a unit.
    #[error("{times} event times but {units} event units; every event needs one of each")]
    UnequalLengths {
        /// Number of times.
        times: usize,
        /// Number of units.
        units: usize,
    },
    /// A time was NaN, infinite or negative.
    #[error("event {event} has time {time_s} s; times must be finite and not negative")]
    BadTime {
        /// Which event of the stream.
        event: usize,
        /// Its time in seconds.
        time_s: f64,
    },
    /// A time is too large for the type that it is to be stored in.
    #[error("an event at {time_s} s is too late: times of this type end at {largest_s} s")]
    TooLate {
        /// The time in seconds.
        time_s: f64,
        /// The last time that can be stored, in seconds.
        largest_s: f64,
    },
    /// An event came from a unit that the network has no input for.
    #[error(
        "event {event} comes from unit {unit}, but there are only {units} inputs (0 to {})",
        units - 1
    )]
    UnitPastEnd {
        /// Which event of the stream.
        event: usize,
        /// Its unit.
        unit: usize,
        /// How many units there are.
        units: usize,
    },
    /// More events in one bin of one unit than 16 bits can count.
    #[error("more than {} events of unit {unit} fall into step {step}", u16::MAX)]
    TooManyInOneBin {
        /// The unit.
        unit: usize,
        /// The step.
        step: usize,
    },
    /// A grid needs at least two edges.
    #[error("a time grid needs 2 to 65536 steps, not {0}")]
    BadSteps(usize),
    /// A grid needs an end.
    #[error("the end of a time grid must be a finite number of seconds above 0, not {0}")]
    BadMaxTime(f64),
    /// Rasters need units, and index them in 16 bits.
    #[error("1 to 65536 units can be held, not {0}")]
    BadUnits(usize),
}
