use std::num::NonZeroU16;

use crate::ids::TimeStep;
use crate::network::StageInput;

/// Features of a latent: for each unit its spikes in each of some windows of time; the sum of its currents, or of its
/// events, where a latent has these.
///
/// Features go by window, in it by unit: all units of the first window first. Windows are equal: of a sample of T steps
/// each has T / windows of them, rounded down, and the last one the rest, too. A sample of fewer steps than windows has
/// a step in each of the first ones, and zeros in the others.
///
/// ```
/// use std::num::NonZeroU16;
///
/// use ndarray::array;
/// use respike::closed_form::WindowCounts;
/// use respike::network::StageInput;
/// use respike::spikes::SpikeRaster;
///
/// // Five steps of two units: the first window has two steps, the second three.
/// let spikes = array![[1, 0], [1, 0], [0, 0], [0, 1], [1, 1]];
/// let spikes = SpikeRaster::from_dense(spikes.mapv(|bit| bit == 1).view())?;
/// let windows = WindowCounts::new(NonZeroU16::new(2).expect("above 0"));
/// assert_eq!(windows.features(2), 4);
/// assert_eq!(windows.of(&StageInput::spikes(&spikes)), [2.0, 0.0, 1.0, 2.0]);
/// # Ok::<(), respike::spikes::SpikeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WindowCounts {
    windows: NonZeroU16,
}

impl WindowCounts {
    /// In so many windows.
    pub fn new(windows: NonZeroU16) -> Self {
        WindowCounts { windows }
    }

    /// The number of windows.
    pub fn windows(self) -> NonZeroU16 {
        self.windows
    }

    /// Features of a sample of so many units; `usize::MAX` for more than can be counted.
    pub fn features(self, units: usize) -> usize {
        units.saturating_mul(usize::from(self.windows.get()))
    }

    /// The features of a sample.
    ///
    /// ```
    /// use std::num::NonZeroU16;
    ///
    /// use ndarray::array;
    /// use respike::closed_form::WindowCounts;
    /// use respike::network::StageInput;
    ///
    /// // Input currents, as at LR index 0: two steps of one unit.
    /// let currents = array![[0.5], [-0.25]];
    /// let whole = WindowCounts::new(NonZeroU16::MIN);
    /// assert_eq!(whole.of(&StageInput::currents(&currents)), [0.25]);
    /// ```
    pub fn of(self, input: &StageInput<'_>) -> Vec<f32> {
        let mut features = vec![0.0; self.features(input.units())];
        self.write(input, &mut features);
        features
    }

    /// Writes the features of a sample into a place for them.
    ///
    /// # Panics
    /// Unless there is a place for each of the features.
    pub fn write(self, input: &StageInput<'_>, features: &mut [f32]) {
        let (steps, units) = (input.steps(), input.units());
        assert_eq!(features.len(), self.features(units), "places for features");
        features.fill(0.0);
        let windows = usize::from(self.windows.get());
        let length = (steps / windows).max(1);
        for step in 0..steps {
            let window = (step / length).min(windows - 1);
            let sums = &mut features[window * units..][..units];
            match input {
                StageInput::Spikes(spikes) => {
                    for unit in spikes.active(TimeStep(step)) {
                        sums[unit.0] += 1.0;
                    }
                }
                StageInput::Counts(counts) => {
                    for (unit, count) in counts.row(TimeStep(step)) {
                        sums[unit.0] += f32::from(count);
                    }
                }
                StageInput::Currents(currents) => {
                    let row = currents.row(step);
                    sums.iter_mut().zip(row).for_each(|(sum, new)| *sum += new);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use proptest::prelude::*;

    use super::*;
    use crate::spikes::{SpikeCounts, SpikeRaster};

    fn windows(number: u16) -> WindowCounts {
        WindowCounts::new(NonZeroU16::new(number).expect("above 0"))
    }

    #[test]
    fn fewer_steps_than_windows_leave_the_last_windows_empty() {
        let counts = ndarray::array![[3, 0], [0, 2]];
        let counts = SpikeCounts::from_dense(counts.view()).expect("valid");
        let found = windows(3).of(&StageInput::counts(&counts));
        assert_eq!(found, [3.0, 0.0, 0.0, 2.0, 0.0, 0.0]);
    }

    #[test]
    fn features_that_cannot_be_counted_are_many() {
        assert_eq!(windows(2).features(usize::MAX), usize::MAX);
    }

    /// Rows of an array that is laid out by columns are not next to each other.
    #[test]
    fn currents_may_lie_in_any_order() {
        let currents = ndarray::array![[1.0, 2.0], [3.0, 4.0]];
        let turned = currents.t().to_owned();
        let turned = turned.reversed_axes();
        assert_eq!(currents, turned);
        let both = [&currents, &turned].map(|one| windows(1).of(&StageInput::currents(one)));
        assert_eq!(both, [[4.0, 6.0], [4.0, 6.0]]);
    }

    proptest! {
        /// Each spike is counted once, in the window that its step belongs to, whatever a latent is kept as.
        #[test]
        fn every_spike_is_in_its_window(
            (steps, units, number) in (1usize..40, 1usize..70, 1u16..12),
            spikes in prop::collection::vec((0usize..40, 0usize..70), 0..120),
        ) {
            let mut dense = Array2::from_elem((steps, units), false);
            spikes.iter().for_each(|(step, unit)| dense[[step % steps, unit % units]] = true);
            let raster = SpikeRaster::from_dense(dense.view()).expect("valid");
            let found = windows(number).of(&StageInput::spikes(&raster));
            // The windows as slices of the table, the last one to the end.
            let length = (steps / usize::from(number)).max(1);
            for window in 0..usize::from(number) {
                let start = (window * length).min(steps);
                let end = match window + 1 == usize::from(number) {
                    true => steps,
                    false => (start + length).min(steps),
                };
                for unit in 0..units {
                    let spikes = (start..end).filter(|&step| dense[[step, unit]]).count();
                    prop_assert_eq!(found[window * units + unit], spikes as f32);
                }
            }
            let counts = SpikeCounts::from_raster(&raster);
            prop_assert_eq!(&windows(number).of(&StageInput::counts(&counts)), &found);
            let currents = dense.mapv(|spike| f32::from(u8::from(spike)));
            prop_assert_eq!(&windows(number).of(&StageInput::currents(&currents)), &found);
        }
    }
}
