use ndarray::{Array2, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::BaselineError;
use crate::ceiling;
use crate::dataset::{Dataset, DatasetError};
use crate::ids::SampleIndex;
use crate::spikes::{EventStream, SpikeError};

/// How many groups of channels are counted in where nobody says, or one for each channel if these are fewer.
pub const GROUPS: usize = 50;
/// How many windows of the time axis are counted in where nobody says.
pub const WINDOWS: usize = 10;
/// How many windows between the first and the last event are counted in where nobody says.
pub const STRETCHED_WINDOWS: usize = 4;

/// Where the windows of a recording lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WindowSpan {
    /// From 0 to the end of the time axis: the same for all recordings.
    Fixed,
    /// From the recording's first event to its last: how fast somebody speaks, and when they begin, does not count.
    FirstToLast,
}

/// Events counted in groups of neighbouring channels and in windows of time.
///
/// ```
/// use respike::baseline::{EventWindows, WindowSpan};
/// use respike::spikes::EventStream;
///
/// let events = EventStream::new(vec![0.1, 0.15, 0.2, 0.3, 1.5], vec![0, 1, 1, 3, 3])?;
/// // Two groups of two channels, two windows of 0.7 s; the last event comes after the end.
/// let fixed = EventWindows::new(4, 1.4, (2, 2), WindowSpan::Fixed)?;
/// assert_eq!(fixed.of(&events)?, [3.0, 1.0, 0.0, 0.0]); // all groups of the first window come first
/// // From 0.1 to 0.3 s: the windows meet at 0.2 s.
/// let stretched = EventWindows::new(4, 1.4, (2, 2), WindowSpan::FirstToLast)?;
/// assert_eq!(stretched.of(&events)?, [2.0, 0.0, 1.0, 1.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EventWindows {
    channels: usize,
    end_s: f64,
    groups: usize,
    windows: usize,
    span: WindowSpan,
}

impl EventWindows {
    /// For recordings from so many channels up to `end_s` seconds; what comes at or past it is left out. Groups of
    /// channels are as equal as they can be.
    ///
    /// # Errors
    /// [`BaselineError::BadGroups`] unless there are 1 to `channels` groups, [`BaselineError::BadWindows`] for no
    /// window, [`BaselineError::BadEnd`] for an end that is not a finite number above 0.
    pub fn new(
        channels: usize,
        end_s: f64,
        (groups, windows): (usize, usize),
        span: WindowSpan,
    ) -> Result<Self, BaselineError> {
        if !(1..=channels).contains(&groups) {
            return Err(BaselineError::BadGroups { groups, channels });
        }
        if windows == 0 {
            return Err(BaselineError::BadWindows);
        }
        if !(end_s.is_finite() && end_s > 0.0) {
            return Err(BaselineError::BadEnd(end_s));
        }
        Ok(EventWindows {
            channels,
            end_s,
            groups,
            windows,
            span,
        })
    }

    /// Features of a recording: groups × windows, none if that cannot be counted.
    fn features(&self) -> Option<usize> {
        self.groups.checked_mul(self.windows)
    }

    /// The features of a recording, all groups of the first window first.
    ///
    /// # Errors
    /// [`SpikeError::UnitPastEnd`] for an event of a channel that is not there.
    pub fn of(&self, events: &EventStream) -> Result<Vec<f64>, SpikeError> {
        let all = events.times_s().iter().zip(events.units());
        let inside = all.clone().filter(|(time_s, _)| **time_s < self.end_s);
        let times = inside.clone().map(|(time_s, _)| *time_s);
        let (begin, end) = match self.span {
            WindowSpan::Fixed => (0.0, self.end_s),
            WindowSpan::FirstToLast => times.fold((f64::INFINITY, 0.0), |(first, last), time_s| {
                (time_s.min(first), time_s.max(last))
            }),
        };
        let mut counts = vec![0.0; self.groups * self.windows];
        for (event, (_, &unit)) in all.enumerate() {
            let unit = usize::from(unit);
            if unit >= self.channels {
                let units = self.channels;
                return Err(SpikeError::UnitPastEnd { event, unit, units });
            }
        }
        for (time_s, &unit) in inside {
            let share = match end > begin {
                true => (time_s - begin) / (end - begin),
                // All events come at once.
                false => 0.0,
            };
            // The last event ends the last window.
            let window = ((share * self.windows as f64) as usize).min(self.windows - 1);
            let group = usize::from(unit) * self.groups / self.channels;
            counts[window * self.groups + group] += 1.0;
        }
        Ok(counts)
    }

    /// The features of all samples of a dataset that keeps its events: samples × features.
    ///
    /// # Errors
    /// [`DatasetError::NoEvents`] and [`DatasetError::BadEvents`] in [`BaselineError::Dataset`], and
    /// [`BaselineError::TooLarge`].
    pub fn of_dataset(&self, dataset: &Dataset) -> Result<Array2<f64>, BaselineError> {
        let (samples, features) = (dataset.len(), self.features());
        let bytes = features.and_then(|features| ceiling::product(&[samples, features, 8, 2]));
        let (groups, windows) = (self.groups, self.windows);
        let what = format!("{groups} × {windows} features of {samples} samples");
        ceiling::check(&what, bytes)?;
        let mut table = Array2::zeros((samples, groups * windows));
        let rows = table.axis_iter_mut(Axis(0)).into_par_iter().enumerate();
        let filled: Vec<Result<(), DatasetError>> = rows
            .map(|(place, mut row)| {
                let sample = SampleIndex(place);
                let events = dataset.sample(sample).events.as_ref();
                let counts = self.of(events.ok_or(DatasetError::NoEvents)?);
                let counts = counts.map_err(|source| DatasetError::BadEvents { sample, source })?;
                row.iter_mut()
                    .zip(counts)
                    .for_each(|(slot, count)| *slot = count);
                Ok(())
            })
            .collect();
        // The first in the samples' order is told, whichever thread was first.
        filled.into_iter().collect::<Result<(), _>>()?;
        Ok(table)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn groups_are_as_equal_as_they_can_be() {
        let windows = EventWindows::new(7, 1.0, (3, 1), WindowSpan::Fixed).expect("valid");
        let one_each = EventStream::new(vec![0.5; 7], (0..7).collect()).expect("valid");
        assert_eq!(windows.of(&one_each).expect("they fit"), [3.0, 2.0, 2.0]);
    }

    #[test]
    fn silence_and_a_single_moment_are_no_trouble() {
        for span in [WindowSpan::Fixed, WindowSpan::FirstToLast] {
            let windows = EventWindows::new(2, 1.0, (1, 3), span).expect("valid");
            let silent = windows.of(&EventStream::default()).expect("nothing to fit");
            assert_eq!(silent, [0.0; 3]);
        }
        let windows = EventWindows::new(2, 1.0, (1, 3), WindowSpan::FirstToLast).expect("valid");
        let at_once = EventStream::new(vec![0.5, 0.5], vec![0, 1]).expect("valid");
        assert_eq!(windows.of(&at_once).expect("they fit"), [2.0, 0.0, 0.0]);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let new = |groups, windows, end_s| {
            EventWindows::new(4, end_s, (groups, windows), WindowSpan::Fixed)
        };
        assert!(matches!(
            new(0, 1, 1.0),
            Err(BaselineError::BadGroups { .. })
        ));
        assert!(matches!(
            new(5, 1, 1.0),
            Err(BaselineError::BadGroups { .. })
        ));
        assert!(matches!(new(2, 0, 1.0), Err(BaselineError::BadWindows)));
        assert!(matches!(new(2, 1, 0.0), Err(BaselineError::BadEnd(_))));
        assert!(matches!(new(2, 1, f64::NAN), Err(BaselineError::BadEnd(_))));
        // An event past the end of the time axis is of a channel that is not there, all the same.
        let late = EventStream::new(vec![2.0], vec![4]).expect("valid");
        let refused = new(2, 1, 1.0).expect("valid").of(&late);
        assert!(matches!(
            refused,
            Err(SpikeError::UnitPastEnd {
                unit: 4,
                units: 4,
                ..
            })
        ));
    }

    proptest! {
        /// Stretching and shifting a recording changes nothing between its first and its last event; every event
        /// is counted once.
        #[test]
        fn between_first_and_last_speed_does_not_count(
            events in prop::collection::vec((0u32..64, 0u16..10), 2..40),
            factor in 1u32..4,
            shift in 0u32..8,
        ) {
            let windows = EventWindows::new(10, 1e3, (5, 4), WindowSpan::FirstToLast).expect("valid");
            let stream = |move_it: &dyn Fn(u32) -> u32| {
                let times = events.iter().map(|event| f64::from(move_it(event.0)));
                let units = events.iter().map(|event| event.1);
                EventStream::new(times.collect(), units.collect()).expect("valid")
            };
            let plain = windows.of(&stream(&|time| time)).expect("they fit");
            // Powers of two, so that no quotient is rounded otherwise.
            let moved = stream(&|time| (time << factor) + shift);
            prop_assert_eq!(&windows.of(&moved).expect("they fit"), &plain);
            prop_assert_eq!(plain.iter().sum::<f64>(), events.len() as f64);
        }
    }
}
