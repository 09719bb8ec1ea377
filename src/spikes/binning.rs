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
    is_even: bool,
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
        Self::checked(steps, max_time_s, false)
    }

    /// A grid of `steps` bins that are equally wide and none of which is always empty: bin k covers
    /// `[k, k + 1) · max_time_s / steps`.
    ///
    /// # Errors
    /// [`SpikeError::BadSteps`] for no step or more than 65535, [`SpikeError::BadMaxTime`] for an end that
    /// is not a finite number above 0.
    pub fn even(steps: usize, max_time_s: f64) -> Result<Self, SpikeError> {
        if !(1..MAX_EXTENT).contains(&steps) {
            return Err(SpikeError::BadSteps(steps));
        }
        Self::checked(steps, max_time_s, true)
    }

    fn checked(steps: usize, max_time_s: f64, is_even: bool) -> Result<Self, SpikeError> {
        if !(max_time_s.is_finite() && max_time_s > 0.0) {
            return Err(SpikeError::BadMaxTime(max_time_s));
        }
        Ok(TimeGrid {
            steps,
            max_time_s,
            is_even,
        })
    }

    /// Number of bins, those that are always empty included.
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

    /// Where a bin begins, in seconds; a bin 0 that is always empty lies before time 0.
    pub fn start_s(self, step: TimeStep) -> f64 {
        (step.0 as f64 - self.empty_bins() as f64) * self.spacing_s()
    }

    /// Bins before time 0.
    fn empty_bins(self) -> usize {
        usize::from(!self.is_even)
    }

    /// The bin of a time in seconds, or `None` at or past the end.
    pub fn step_of(self, time_s: f64) -> Option<TimeStep> {
        let step = StepFinder::new(self).step_of(time_s);
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
        if let Some(event) = events.units().iter().position(|&u| usize::from(u) >= units) {
            return Err(SpikeError::UnitPastEnd {
                event,
                unit: usize::from(events.units()[event]),
                units,
            });
        }
        let place = StepFinder::new(self);
        let steps = events
            .times_s()
            .iter()
            .map(|&time_s| place.step_of(time_s) as u32);
        let steps: Vec<u32> = steps.collect();
        match steps.is_sorted() {
            true => self.count(&steps, events.units(), units),
            false => {
                let (steps, by_step) = in_order(&steps, events.units(), self.steps);
                self.count(&steps, &by_step, units)
            }
        }
    }

    /// Counts events whose steps are in order; `self.steps` stands for past the end.
    fn count(self, steps: &[u32], event_units: &[u16], units: usize) -> Result<Binned, SpikeError> {
        let mut counter = UnitCounter::new(units);
        let mut counts = SpikeCounts::with_units(units);
        let mut done = 0;
        for step in 0..self.steps {
            let events = steps[done..]
                .iter()
                .take_while(|&&s| s as usize == step)
                .count();
            let counted = counter.count(&event_units[done..done + events], &mut counts);
            counted.map_err(|unit| SpikeError::TooManyInOneBin { unit, step })?;
            done += events;
        }
        counts.shrink();
        Ok(Binned {
            counts,
            past_end: steps.len() - done,
        })
    }

    fn spacing_s(self) -> f64 {
        self.max_time_s / (self.steps - self.empty_bins()) as f64
    }
}

/// Finds the bins of times.
struct StepFinder {
    max_time_s: f64,
    spacing_s: f64,
    steps_per_s: f64,
    /// Edges of the bins, 0 and the end among them.
    edges: usize,
    /// Edges at or below a time less its bin.
    ahead: usize,
}

impl StepFinder {
    fn new(grid: TimeGrid) -> Self {
        let spacing_s = grid.spacing_s();
        StepFinder {
            max_time_s: grid.max_time_s,
            spacing_s,
            steps_per_s: 1.0 / spacing_s,
            edges: grid.steps + 1 - grid.empty_bins(),
            ahead: 1 - grid.empty_bins(),
        }
    }

    /// The bin of a time in seconds, or the number of bins at or past the end.
    #[inline]
    fn step_of(&self, time_s: f64) -> usize {
        let edges = self.edges;
        // The product is right up to rounding; the comparisons with the edges settle it as NumPy's
        // binary search does.
        let mut step = ((time_s * self.steps_per_s) as usize).min(edges - 1) + 1;
        while step > 0 && time_s < self.edge_s(step - 1) {
            step -= 1;
        }
        while step < edges && time_s >= self.edge_s(step) {
            step += 1;
        }
        // No time is below 0.
        step - self.ahead
    }

    /// Edge `index` of `np.linspace(0, max_time_s, steps)`.
    #[inline]
    fn edge_s(&self, index: usize) -> f64 {
        match index + 1 == self.edges {
            true => self.max_time_s,
            false => index as f64 * self.spacing_s,
        }
    }
}

/// Events in the order of their steps, in the order that they had within each.
fn in_order(steps: &[u32], units: &[u16], count: usize) -> (Vec<u32>, Vec<u16>) {
    let mut starts = vec![0u32; count + 1];
    for &step in steps {
        starts[step as usize] += 1;
    }
    let mut sum = 0;
    for start in &mut starts {
        (*start, sum) = (sum, sum + *start);
    }
    let mut sorted = (vec![0; steps.len()], vec![0; steps.len()]);
    for (&step, &unit) in steps.iter().zip(units) {
        let place = &mut starts[step as usize];
        (sorted.0[*place as usize], sorted.1[*place as usize]) = (step, unit);
        *place += 1;
    }
    sorted
}

/// Counts the events of each unit in one step after the other.
struct UnitCounter {
    counts: Vec<u32>,
    /// A bit for each unit that has been counted.
    counted: Vec<u64>,
}

impl UnitCounter {
    fn new(units: usize) -> Self {
        UnitCounter {
            counts: vec![0; units],
            counted: vec![0; units.div_ceil(64)],
        }
    }

    /// Adds a step with these events, or says which unit has too many.
    fn count(&mut self, events: &[u16], counts: &mut SpikeCounts) -> Result<(), usize> {
        for &unit in events {
            let unit = usize::from(unit);
            self.counts[unit] += 1;
            self.counted[unit / 64] |= 1 << (unit % 64);
        }
        for (index, word) in self.counted.iter_mut().enumerate() {
            while *word != 0 {
                let unit = index * 64 + word.trailing_zeros() as usize;
                let count = std::mem::take(&mut self.counts[unit]);
                counts.push(unit as u16, u16::try_from(count).map_err(|_| unit)?);
                *word &= *word - 1;
            }
        }
        counts.end_step();
        Ok(())
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
            let edge = StepFinder::new(grid).edge_s(index);
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
