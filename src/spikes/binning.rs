use super::{EventStream, MAX_EXTENT, SpikeCounts, SpikeError};
use crate::ids::TimeStep;

/// The time axis of a network: `steps` bins over `max_time_s` seconds, as the reference code has it.
///
/// An event at time t falls into bin `np.digitize(t, np.linspace(0, max_time_s, steps))`: the edges
/// are `steps` points, the first at 0 and the last at `max_time_s`. So bin 0 stays empty, bin k
/// covers `[edge(k-1), edge(k))`, and what lies at or past `max_time_s` has no bin.
///
/// ```
/// let grid = respike::spikes::TimeGrid::new(100, 1.4)?;
/// assert_eq!(grid.step_of(0.0).map(|step| step.0), Some(1));
/// assert_eq!(grid.step_of(1.4), None);
/// # Ok::<(), respike::spikes::SpikeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeGrid {
    steps: usize,
    max_time_s: f64,
}

/// Events put on a [`TimeGrid`], and how many did not fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Binned {
    /// Events per step and unit.
    pub counts: SpikeCounts,
    /// Events at or past the grid's end, in no bin.
    pub past_end: usize,
}

impl TimeGrid {
    /// A grid of `steps` bins that ends at `max_time_s` seconds.
    ///
    /// # Errors
    /// [`SpikeError::BadSteps`] below 2 or above 65536 steps, [`SpikeError::BadMaxTime`] for an end
    /// that is not a finite number above 0.
    pub fn new(steps: usize, max_time_s: f64) -> Result<Self, SpikeError> {
        if !(2..=MAX_EXTENT).contains(&steps) {
            return Err(SpikeError::BadSteps(steps));
        }
        if !(max_time_s.is_finite() && max_time_s > 0.0) {
            return Err(SpikeError::BadMaxTime(max_time_s));
        }
        Ok(TimeGrid { steps, max_time_s })
    }

    /// Number of bins, the empty bin 0 included.
    pub fn steps(self) -> usize {
        self.steps
    }

    /// The end of the grid in seconds.
    pub fn max_time_s(self) -> f64 {
        self.max_time_s
    }

    /// The width of a bin in milliseconds.
    pub fn step_ms(self) -> f64 {
        self.spacing_s() * 1e3
    }

    /// The bin of a time in seconds, or `None` at or past the end.
    pub fn step_of(self, time_s: f64) -> Option<TimeStep> {
        // The quotient is right up to rounding; the comparisons with the edges settle it as
        // NumPy's binary search does.
        let mut step = ((time_s / self.spacing_s()) as usize).min(self.steps - 1) + 1;
        while step > 0 && time_s < self.edge_s(step - 1) {
            step -= 1;
        }
        while step < self.steps && time_s >= self.edge_s(step) {
            step += 1;
        }
        (step < self.steps).then_some(TimeStep(step))
    }

    /// Counts the events of each step and unit, for a network of `units` inputs.
    ///
    /// # Errors
    /// [`SpikeError::UnitPastEnd`] for an event of a unit that is not there, and
    /// [`SpikeError::TooManyInOneBin`].
    pub fn bin(self, events: &EventStream, units: usize) -> Result<Binned, SpikeError> {
        if units == 0 || units > MAX_EXTENT {
            return Err(SpikeError::BadUnits(units));
        }
        let mut cells = Vec::with_capacity(events.len());
        let mut past_end = 0;
        for (event, (&time_s, &unit)) in events.times_s().iter().zip(events.units()).enumerate() {
            if usize::from(unit) >= units {
                return Err(SpikeError::UnitPastEnd {
                    event,
                    unit: usize::from(unit),
                    units,
                });
            }
            match self.step_of(time_s) {
                Some(step) => cells.push((step.0 as u32) << 16 | u32::from(unit)),
                None => past_end += 1,
            }
        }
        cells.sort_unstable();
        let counts = SpikeCounts::from_sorted_cells(self.steps, units, &cells)?;
        Ok(Binned { counts, past_end })
    }

    fn spacing_s(self) -> f64 {
        self.max_time_s / (self.steps - 1) as f64
    }

    /// Edge `index` of `np.linspace(0, max_time_s, steps)`.
    fn edge_s(self, index: usize) -> f64 {
        if index + 1 == self.steps {
            self.max_time_s
        } else {
            index as f64 * self.spacing_s()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `np.digitize` by its definition: the number of edges at or below the time.
    fn digitize(time_s: f64, steps: usize, max_time_s: f64) -> usize {
        let spacing = max_time_s / (steps - 1) as f64;
        (0..steps)
            .filter(|&i| {
                let edge = if i + 1 == steps {
                    max_time_s
                } else {
                    i as f64 * spacing
                };
                edge <= time_s
            })
            .count()
    }

    #[test]
    fn edges_fall_as_in_numpy() {
        // Every edge of the reference grid and its neighbours in f64.
        let grid = TimeGrid::new(100, 1.4).expect("valid");
        for index in 0..100 {
            let edge = grid.edge_s(index);
            for time_s in [edge.next_down(), edge, edge.next_up()] {
                if time_s >= 0.0 {
                    let expected = Some(digitize(time_s, 100, 1.4)).filter(|&s| s < 100);
                    assert_eq!(grid.step_of(time_s).map(|s| s.0), expected, "{time_s}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn binning_is_digitize_and_loses_no_event(
            steps in 2usize..300,
            max_time_s in 0.01f64..10.0,
            events in prop::collection::vec((0.0f64..12.0, 0u16..9), 0..200),
        ) {
            let grid = TimeGrid::new(steps, max_time_s).expect("valid");
            let (times, units): (Vec<_>, Vec<_>) = events.iter().copied().unzip();
            let stream = EventStream::new(times, units).expect("valid");
            let binned = grid.bin(&stream, 9).expect("units fit");
            let inside = events.iter().filter(|e| e.0 < max_time_s).count();
            prop_assert_eq!(binned.counts.total() as usize, inside);
            prop_assert_eq!(binned.past_end, events.len() - inside);
            let dense = binned.counts.to_dense();
            let mut expected = ndarray::Array2::<u16>::zeros((steps, 9));
            for &(time_s, unit) in &events {
                let step = digitize(time_s, steps, max_time_s);
                if step < steps {
                    expected[[step, usize::from(unit)]] += 1;
                }
            }
            prop_assert_eq!(dense, expected);
        }
    }
}
