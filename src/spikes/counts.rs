use ndarray::{Array2, ArrayView2};

use super::{MAX_EXTENT, SpikeError, SpikeRaster};
use crate::ids::{TimeStep, Unit};

/// How many events fell into each step and unit; only the cells with any are kept.
///
/// Shape: steps × units. Within a step, units are in rising order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpikeCounts {
    units: usize,
    /// Where each step's cells begin; one more entry than there are steps.
    starts: Vec<u32>,
    unit: Vec<u16>,
    count: Vec<u16>,
}

impl SpikeCounts {
    /// Keeps the non-zero cells of a dense array of shape steps × units.
    ///
    /// # Errors
    /// [`SpikeError::BadSteps`] or [`SpikeError::BadUnits`] for an array that is empty or too large.
    pub fn from_dense(dense: ArrayView2<'_, u16>) -> Result<Self, SpikeError> {
        let (steps, units) = dense.dim();
        if steps == 0 || steps > MAX_EXTENT {
            return Err(SpikeError::BadSteps(steps));
        }
        if units == 0 || units > MAX_EXTENT {
            return Err(SpikeError::BadUnits(units));
        }
        let mut counts = SpikeCounts::with_units(units);
        for row in dense.rows() {
            for (unit, &count) in row.iter().enumerate().filter(|(_, count)| **count > 0) {
                counts.push(unit as u16, count);
            }
            counts.end_step();
        }
        Ok(counts)
    }

    /// One event for every spike.
    pub fn from_raster(raster: &SpikeRaster) -> Self {
        let mut counts = SpikeCounts::with_units(raster.units());
        for step in (0..raster.steps()).map(TimeStep) {
            for unit in raster.active(step) {
                counts.push(unit.0 as u16, 1);
            }
            counts.end_step();
        }
        counts
    }

    /// No steps yet, for cells to be pushed step by step.
    pub(crate) fn with_units(units: usize) -> Self {
        SpikeCounts {
            units,
            starts: vec![0],
            unit: Vec::new(),
            count: Vec::new(),
        }
    }

    /// Adds a cell to the step at hand; units must come in rising order, counts above 0.
    pub(crate) fn push(&mut self, unit: u16, count: u16) {
        self.unit.push(unit);
        self.count.push(count);
    }

    /// How often, in each cell that has an event.
    pub(super) fn count_mut(&mut self) -> &mut [u16] {
        &mut self.count
    }

    /// Ends the step at hand.
    pub(crate) fn end_step(&mut self) {
        self.starts.push(self.unit.len() as u32);
    }

    /// Gives back room that is not needed.
    pub(super) fn shrink(&mut self) {
        self.unit.shrink_to_fit();
        self.count.shrink_to_fit();
    }

    /// Number of steps.
    pub fn steps(&self) -> usize {
        self.starts.len() - 1
    }

    /// Number of units.
    pub fn units(&self) -> usize {
        self.units
    }

    /// The units with events in `step`, and how many each has.
    pub fn row(&self, step: TimeStep) -> impl Iterator<Item = (Unit, u16)> + '_ {
        let (units, counts) = self.row_slices(step.0);
        let units = units.iter().map(|&unit| Unit(usize::from(unit)));
        units.zip(counts.iter().copied())
    }

    /// The units with events in a step and their counts, as stored.
    pub(crate) fn row_slices(&self, step: usize) -> (&[u16], &[u16]) {
        let cells = self.starts[step] as usize..self.starts[step + 1] as usize;
        (&self.unit[cells.clone()], &self.count[cells])
    }

    /// The units and counts of all cells before a step, as stored.
    pub(crate) fn cells_before(&self, step: usize) -> (&[u16], &[u16]) {
        let end = self.starts[step] as usize;
        (&self.unit[..end], &self.count[..end])
    }

    /// The same with the events of each unit later by so many steps; what would come after the end is lost.
    pub(crate) fn delayed(&self, steps: &[u16]) -> Self {
        let mut cells: Vec<(usize, u16, u16)> = Vec::with_capacity(self.unit.len());
        for step in 0..self.steps() {
            let (units, counts) = self.row_slices(step);
            for (&unit, &count) in units.iter().zip(counts) {
                cells.push((step + usize::from(steps[usize::from(unit)]), unit, count));
            }
        }
        cells.sort_unstable();
        let mut delayed = SpikeCounts::with_units(self.units);
        let mut rest = cells.into_iter().peekable();
        for step in 0..self.steps() {
            while let Some((_, unit, count)) = rest.next_if(|cell| cell.0 == step) {
                delayed.push(unit, count);
            }
            delayed.end_step();
        }
        delayed
    }

    /// Number of steps up to the last one with an event; 0 without events.
    pub(crate) fn steps_to_last(&self) -> usize {
        let end = self.unit.len() as u32;
        self.starts.partition_point(|&start| start < end)
    }

    /// Number of events.
    pub fn total(&self) -> u64 {
        self.count.iter().map(|&count| u64::from(count)).sum()
    }

    /// Number of events in a step.
    pub fn count_in_step(&self, step: TimeStep) -> u64 {
        let (_, counts) = self.row_slices(step.0);
        counts.iter().map(|&count| u64::from(count)).sum()
    }

    /// Number of events of each unit.
    pub fn counts_per_unit(&self) -> Vec<u64> {
        let mut sums = vec![0; self.units];
        for (&unit, &count) in self.unit.iter().zip(&self.count) {
            sums[usize::from(unit)] += u64::from(count);
        }
        sums
    }

    /// Number of cells (steps × units) with any event.
    pub fn active_cells(&self) -> usize {
        self.unit.len()
    }

    /// The largest count of any cell; 0 without events.
    pub fn largest(&self) -> u16 {
        self.count.iter().copied().max().unwrap_or(0)
    }

    /// All cells, zeros too: steps × units.
    pub fn to_dense(&self) -> Array2<u16> {
        let mut dense = Array2::zeros((self.steps(), self.units));
        for step in 0..self.steps() {
            for (unit, count) in self.row(TimeStep(step)) {
                dense[[step, unit.0]] = count;
            }
        }
        dense
    }
}
