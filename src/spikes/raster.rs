use bitvec::prelude::{BitSlice, BitVec, Lsb0};
use ndarray::{Array2, ArrayView2};

use super::{MAX_EXTENT, SpikeCounts, SpikeError};
use crate::ids::{TimeStep, Unit};

const WORD_BITS: usize = u64::BITS as usize;

/// Which unit spiked in which step: steps × units, one bit each.
///
/// Every step's row begins on a new 64-bit word, so rows can be counted and walked word by word;
/// the padding bits are always 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpikeRaster {
    steps: usize,
    units: usize,
    bits: BitVec<u64, Lsb0>,
}

impl SpikeRaster {
    /// A raster without spikes.
    ///
    /// # Errors
    /// [`SpikeError::BadSteps`] or [`SpikeError::BadUnits`] for extents of 0 or above 65536.
    pub fn new(steps: usize, units: usize) -> Result<Self, SpikeError> {
        if steps == 0 || steps > MAX_EXTENT {
            return Err(SpikeError::BadSteps(steps));
        }
        if units == 0 || units > MAX_EXTENT {
            return Err(SpikeError::BadUnits(units));
        }
        Ok(Self::silent(steps, units))
    }

    /// A raster without spikes, of extents known to be valid.
    pub(crate) fn silent(steps: usize, units: usize) -> Self {
        let words = steps * units.div_ceil(WORD_BITS);
        SpikeRaster {
            steps,
            units,
            bits: BitVec::from_vec(vec![0; words]),
        }
    }

    /// Spikes where the array (steps × units) is `true`.
    ///
    /// # Errors
    /// As [`SpikeRaster::new`].
    pub fn from_dense(dense: ArrayView2<'_, bool>) -> Result<Self, SpikeError> {
        let mut raster = Self::new(dense.nrows(), dense.ncols())?;
        for ((step, unit), _) in dense.indexed_iter().filter(|(_, spike)| **spike) {
            raster.set(TimeStep(step), Unit(unit));
        }
        Ok(raster)
    }

    /// Spikes where there is any event.
    pub fn from_counts(counts: &SpikeCounts) -> Self {
        let mut raster = Self::silent(counts.steps(), counts.units());
        for step in (0..counts.steps()).map(TimeStep) {
            for (unit, _) in counts.row(step) {
                raster.set(step, unit);
            }
        }
        raster
    }

    /// Number of steps.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Number of units.
    pub fn units(&self) -> usize {
        self.units
    }

    /// Whether `unit` spiked in `step`.
    ///
    /// # Panics
    /// If the step or the unit lies outside the raster.
    pub fn get(&self, step: TimeStep, unit: Unit) -> bool {
        self.row(step)[unit.0]
    }

    /// Puts a spike.
    ///
    /// # Panics
    /// If the step or the unit lies outside the raster.
    pub fn set(&mut self, step: TimeStep, unit: Unit) {
        assert!(unit.0 < self.units, "{unit} of {}", self.units);
        let at = step.0 * self.padded_units() + unit.0;
        self.bits.set(at, true);
    }

    /// The spikes of one step, a bit for each unit.
    ///
    /// # Panics
    /// If the step lies outside the raster.
    pub fn row(&self, step: TimeStep) -> &BitSlice<u64, Lsb0> {
        let start = step.0 * self.padded_units();
        &self.bits[start..start + self.units]
    }

    /// The words of one step, padding bits 0.
    ///
    /// # Panics
    /// If the step lies outside the raster.
    pub fn row_words(&self, step: TimeStep) -> &[u64] {
        let words = self.words_per_step();
        &self.bits.as_raw_slice()[step.0 * words..][..words]
    }

    /// All words, step after step; the writer keeps padding bits 0.
    /// The same with the spikes of each unit later by so many steps; what would come after the end is lost.
    pub(crate) fn delayed(&self, by: &[u16]) -> Self {
        let mut delayed = SpikeRaster::silent(self.steps(), self.units());
        for (step, row) in self.words().chunks_exact(self.words_per_step()).enumerate() {
            for (index, &word) in row.iter().enumerate() {
                let mut rest = word;
                while rest != 0 {
                    let unit = index * 64 + rest.trailing_zeros() as usize;
                    let late = step + usize::from(by[unit]);
                    if late < self.steps() {
                        delayed.set(TimeStep(late), Unit(unit));
                    }
                    rest &= rest - 1;
                }
            }
        }
        delayed
    }

    pub(crate) fn words_mut(&mut self) -> &mut [u64] {
        self.bits.as_raw_mut_slice()
    }

    /// All words, step after step.
    pub fn words(&self) -> &[u64] {
        self.bits.as_raw_slice()
    }

    /// Words of a step's row.
    pub fn words_per_step(&self) -> usize {
        self.units.div_ceil(WORD_BITS)
    }

    /// Number of steps up to the last one with a spike; 0 without spikes.
    pub(crate) fn steps_to_last(&self) -> usize {
        let last = self.words().iter().rposition(|&word| word != 0);
        last.map_or(0, |word| word / self.words_per_step() + 1)
    }

    /// The units that spiked in `step`, in rising order.
    ///
    /// # Panics
    /// If the step lies outside the raster.
    pub fn active(&self, step: TimeStep) -> ActiveUnits<'_> {
        ActiveUnits::new(self.row_words(step))
    }

    /// Number of spikes.
    pub fn count(&self) -> u64 {
        let ones = self.words().iter().map(|word| u64::from(word.count_ones()));
        ones.sum()
    }

    /// Number of spikes in one step.
    ///
    /// # Panics
    /// If the step lies outside the raster.
    pub fn count_in_step(&self, step: TimeStep) -> u64 {
        let words = self.row_words(step).iter();
        words.map(|word| u64::from(word.count_ones())).sum()
    }

    /// Number of spikes of each unit.
    pub fn counts_per_unit(&self) -> Vec<u32> {
        let mut counts = vec![0; self.units];
        for step in (0..self.steps).map(TimeStep) {
            for unit in self.active(step) {
                counts[unit.0] += 1;
            }
        }
        counts
    }

    /// Spikes per unit and step, between 0 and 1.
    pub fn density(&self) -> f64 {
        self.count() as f64 / (self.steps * self.units) as f64
    }

    /// A raster of its own that holds the steps of `range` only.
    ///
    /// # Errors
    /// [`SpikeError::BadSteps`] if the range is empty or reaches past the end.
    pub fn slice(&self, range: std::ops::Range<TimeStep>) -> Result<Self, SpikeError> {
        let (start, end) = (range.start.0, range.end.0);
        if start >= end || end > self.steps {
            return Err(SpikeError::BadSteps(end.saturating_sub(start)));
        }
        let words = self.words_per_step();
        Ok(SpikeRaster {
            steps: end - start,
            units: self.units,
            bits: BitVec::from_slice(&self.words()[start * words..end * words]),
        })
    }

    /// One `bool` for each step and unit: steps × units.
    pub fn to_dense(&self) -> Array2<bool> {
        let mut dense = Array2::default((self.steps, self.units));
        for step in 0..self.steps {
            for unit in self.active(TimeStep(step)) {
                dense[[step, unit.0]] = true;
            }
        }
        dense
    }

    fn padded_units(&self) -> usize {
        self.words_per_step() * WORD_BITS
    }
}

/// The set bits of a row, walked word by word.
#[derive(Debug, Clone)]
pub struct ActiveUnits<'a> {
    rest: &'a [u64],
    word: u64,
    base: usize,
}

impl<'a> ActiveUnits<'a> {
    fn new(words: &'a [u64]) -> Self {
        ActiveUnits {
            rest: words.get(1..).unwrap_or_default(),
            word: words.first().copied().unwrap_or(0),
            base: 0,
        }
    }
}

impl Iterator for ActiveUnits<'_> {
    type Item = Unit;

    fn next(&mut self) -> Option<Unit> {
        while self.word == 0 {
            let (&next, rest) = self.rest.split_first()?;
            self.word = next;
            self.rest = rest;
            self.base += WORD_BITS;
        }
        let unit = self.base + self.word.trailing_zeros() as usize;
        self.word &= self.word - 1;
        Some(Unit(unit))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn packed_and_dense_say_the_same(
            steps in 1usize..20,
            units in 1usize..140,
            seed in prop::collection::vec((0usize..20, 0usize..140), 0..200),
        ) {
            let mut dense = Array2::from_elem((steps, units), false);
            for (step, unit) in seed {
                dense[[step % steps, unit % units]] = true;
            }
            let raster = SpikeRaster::from_dense(dense.view()).expect("valid extents");
            prop_assert_eq!(&raster.to_dense(), &dense);
            let spikes = dense.iter().filter(|spike| **spike).count();
            prop_assert_eq!(raster.count() as usize, spikes);
            let per_unit: u32 = raster.counts_per_unit().iter().sum();
            prop_assert_eq!(per_unit as usize, spikes);
            for step in 0..steps {
                let expected = dense.row(step).iter().filter(|spike| **spike).count();
                prop_assert_eq!(raster.count_in_step(TimeStep(step)) as usize, expected);
                prop_assert_eq!(raster.row(TimeStep(step)).count_ones(), expected);
            }
            let half = raster.slice(TimeStep(0)..TimeStep(steps.div_ceil(2))).expect("in range");
            let first = dense.slice_axis(ndarray::Axis(0), (..steps.div_ceil(2)).into());
            prop_assert_eq!(half.to_dense(), first);
        }
    }

    #[test]
    fn a_raster_of_nothing_is_refused() {
        assert_eq!(SpikeRaster::new(0, 5), Err(SpikeError::BadSteps(0)));
        assert_eq!(SpikeRaster::new(5, 0), Err(SpikeError::BadUnits(0)));
        let raster = SpikeRaster::new(5, 5).expect("valid");
        assert!(raster.slice(TimeStep(4)..TimeStep(9)).is_err());
    }
}
