//! Readouts of any kind behind one interface: one call a sample.

#![allow(
    private_interfaces,
    reason = "what takes types of the kernels is for the engine alone"
)]

use std::fmt::Debug;

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis};

use super::{Collect, Readout};
use crate::kernels::lanes::run;
use crate::kernels::layer::Of;
use crate::kernels::readout::{ReadoutBackward, ReadoutForward};
use crate::real::Fields;
use crate::simd::Simd;

/// A [`Readout`] whose type is not known.
pub trait AnyReadout: Debug + Send + Sync {
    /// [`Readout::has_weights`].
    fn has_weights(&self) -> bool;
    /// [`Readout::collect`].
    fn collect(&self) -> Option<Collect>;
    /// [`Readout::logits`] of one sample, whose trace has rows of `stride` numbers.
    #[doc(hidden)]
    fn logits(&self, trace: &[f32], stride: usize, logits: &mut [f32]);
    /// [`Readout::logits_back`], in rows of as many numbers as the trace's.
    #[doc(hidden)]
    fn logits_back(&self, trace: &[f32], stride: usize, errors: &[f32], of_trace: &mut [f32]);
    #[doc(hidden)]
    fn forward(&self, simd: Simd, work: ReadoutForward<'_>);
    #[doc(hidden)]
    fn backward(&self, simd: Simd, work: ReadoutBackward<'_>);
    /// Trace and logits of a drive, steps × classes, in f64.
    #[doc(hidden)]
    fn exact(&self, drive: ArrayView2<'_, f64>) -> (Array2<f64>, Vec<f64>);
    /// ∂L/∂drive from ∂L/∂logits and what else there is of ∂L/∂trace, in f64.
    #[doc(hidden)]
    fn exact_back(
        &self,
        trace: ArrayView2<'_, f64>,
        errors: &[f64],
        of_trace: Array2<f64>,
    ) -> Array2<f64>;
}

impl<T: Readout> AnyReadout for T {
    fn has_weights(&self) -> bool {
        Readout::has_weights(self)
    }

    fn collect(&self) -> Option<Collect> {
        Readout::collect(self)
    }

    fn logits(&self, trace: &[f32], stride: usize, logits: &mut [f32]) {
        // Whole rows, as many as there are.
        let rows = ArrayView2::from_shape((trace.len() / stride, stride), trace);
        let rows = rows.expect("rows of `stride` numbers");
        Readout::logits(
            self,
            rows.slice_axis(Axis(1), (..logits.len()).into()),
            logits,
        );
    }

    fn logits_back(&self, trace: &[f32], stride: usize, errors: &[f32], of_trace: &mut [f32]) {
        let shape = (trace.len() / stride, stride);
        let rows = ArrayView2::from_shape(shape, trace).expect("rows of `stride` numbers");
        let of_rows = ArrayViewMut2::from_shape(shape, of_trace);
        let mut of_rows = of_rows.expect("as many");
        let classes = ndarray::Slice::from(..errors.len());
        let of_trace = of_rows.slice_axis_mut(Axis(1), classes);
        Readout::logits_back(self, rows.slice_axis(Axis(1), classes), errors, of_trace);
    }

    fn forward(&self, simd: Simd, work: ReadoutForward<'_>) {
        run(simd, Of { model: self, work });
    }

    fn backward(&self, simd: Simd, work: ReadoutBackward<'_>) {
        run(simd, Of { model: self, work });
    }

    fn exact(&self, drive: ArrayView2<'_, f64>) -> (Array2<f64>, Vec<f64>) {
        let mut trace = Array2::zeros(drive.dim());
        let mut logits = vec![0.0; drive.ncols()];
        for (mut trace, drive) in trace.columns_mut().into_iter().zip(drive.columns()) {
            let mut state = T::State::<f64>::from_fn(|_| 0.0);
            for (slot, &drive) in trace.iter_mut().zip(drive) {
                *slot = self.step(&mut state, drive);
            }
        }
        Readout::logits(self, trace.view(), &mut logits);
        (trace, logits)
    }

    fn exact_back(
        &self,
        trace: ArrayView2<'_, f64>,
        errors: &[f64],
        of_trace: Array2<f64>,
    ) -> Array2<f64> {
        let mut reaching = Array2::zeros(trace.dim());
        Readout::logits_back(self, trace, errors, reaching.view_mut());
        reaching += &of_trace;
        for mut column in reaching.columns_mut() {
            let mut errors = T::State::<f64>::from_fn(|_| 0.0);
            for slot in column.iter_mut().rev() {
                *slot = self.back(&mut errors, *slot);
            }
        }
        reaching
    }
}
