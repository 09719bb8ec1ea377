use super::{Binned, EventStream, SpikeCounts, SpikeError, TimeGrid};

/// How events become the input of a network: a time grid, channels that are summed up in groups, and how
/// many events a cell may count.
///
/// ```
/// use respike::spikes::{EventStream, InputFormat, TimeGrid};
///
/// let grid = TimeGrid::even(4, 1.0)?;
/// let format = InputFormat { channels_per_input: 5, largest_count: Some(1), ..InputFormat::plain(grid, 140) };
/// // Channels 5 to 9 are input 1; two events in one cell count once.
/// let events = EventStream::new(vec![0.0, 0.1, 0.9], vec![5, 9, 699])?;
/// let counts = format.bin(&events)?.counts;
/// assert_eq!((counts.total(), counts.to_dense()[[0, 1]], counts.to_dense()[[3, 139]]), (2, 1, 1));
/// # Ok::<(), respike::spikes::SpikeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InputFormat {
    /// The time axis.
    pub grid: TimeGrid,
    /// Inputs of the network.
    pub inputs: usize,
    /// Channels next to one another whose events are summed up for one input; 1 or more.
    pub channels_per_input: usize,
    /// A cell counts at most so many events: 1 makes it binary.
    pub largest_count: Option<u16>,
}

impl InputFormat {
    /// Counts of every channel as they are.
    pub fn plain(grid: TimeGrid, inputs: usize) -> Self {
        InputFormat {
            grid,
            inputs,
            channels_per_input: 1,
            largest_count: None,
        }
    }

    /// Counts the events of each step and input.
    ///
    /// # Errors
    /// As [`TimeGrid::bin`]; [`SpikeError::UnitPastEnd`] tells channels.
    pub fn bin(self, events: &EventStream) -> Result<Binned, SpikeError> {
        let mut binned = match self.channels_per_input {
            0 | 1 => self.grid.bin(events, self.inputs)?,
            group => self.grid.bin(&self.pooled(events, group)?, self.inputs)?,
        };
        if let Some(largest) = self.largest_count {
            binned.counts.clip(largest);
        }
        Ok(binned)
    }

    fn pooled(self, events: &EventStream, group: usize) -> Result<EventStream, SpikeError> {
        let channels = self.inputs.saturating_mul(group);
        let past_end = events
            .units()
            .iter()
            .position(|&unit| usize::from(unit) >= channels);
        if let Some(event) = past_end {
            return Err(SpikeError::UnitPastEnd {
                event,
                unit: usize::from(events.units()[event]),
                units: channels,
            });
        }
        let units = events
            .units()
            .iter()
            .map(|&unit| (usize::from(unit) / group) as u16);
        EventStream::new(events.times_s().to_vec(), units.collect())
    }
}

impl SpikeCounts {
    /// No cell counts more than so many.
    pub(super) fn clip(&mut self, largest: u16) {
        self.count_mut()
            .iter_mut()
            .for_each(|count| *count = largest.min(*count));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_grid_has_no_empty_bin_and_equal_ones() {
        let grid = TimeGrid::even(10, 1.0).expect("valid");
        assert_eq!(grid.steps(), 10);
        for step in 0..10 {
            let start = grid.start_s(crate::ids::TimeStep(step));
            assert!((start - step as f64 * 0.1).abs() < 1e-12);
            for (time_s, expected) in [(start, step), (start + 0.0999, step)] {
                assert_eq!(
                    grid.step_of(time_s).map(|step| step.0),
                    Some(expected),
                    "{time_s}"
                );
            }
        }
        assert_eq!(grid.step_of(1.0), None);
        let events = EventStream::new(vec![0.0, 0.05, 0.95, 1.0], vec![0; 4]).expect("valid");
        let binned = grid.bin(&events, 1).expect("they fit");
        assert_eq!(
            (
                binned.counts.to_dense()[[0, 0]],
                binned.counts.to_dense()[[9, 0]]
            ),
            (2, 1)
        );
        assert_eq!(binned.past_end, 1);
    }

    #[test]
    fn channels_past_the_last_group_are_told_as_channels() {
        let grid = TimeGrid::new(4, 1.0).expect("valid");
        let format = InputFormat {
            channels_per_input: 5,
            ..InputFormat::plain(grid, 2)
        };
        let of = |unit| format.bin(&EventStream::new(vec![0.5], vec![unit]).expect("valid"));
        assert_eq!(of(9).expect("input 1").counts.to_dense()[[2, 1]], 1);
        let error = of(10).expect_err("two groups of five").to_string();
        assert!(error.contains("10"), "{error}");
    }
}
