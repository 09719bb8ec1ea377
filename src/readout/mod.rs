//! Readouts: what the spikes of the last layer become, one number a class.
//!
//! In: for each class and step a drive, s·W_out. Out: a trace over time, and one logit a class. One file a
//! readout, written once over any [`Real`] number.
//!
//! | kind | what it is |
//! |---|---|
//! | `leaky` | [`LeakySettings`]: leaky integrators, read by their maximum, sum, last value or sum of softmax |
//! | `accumulate` | [`AccumulateReadout`]: weighted spikes, added up without a leak |
//! | `spike-counts` | [`SpikeCountReadout`]: how often each unit of the last layer, one a class, spiked |

mod accumulate;
mod any;
mod leaky;
mod spike_counts;

pub use accumulate::AccumulateReadout;
pub use any::AnyReadout;
pub use leaky::{Filtered, Leaky, LeakySettings, OverTime};
pub use spike_counts::SpikeCountReadout;

use std::fmt::Debug;

use ndarray::{ArrayView2, ArrayViewMut2};

use crate::real::{Fields, Real};
use crate::registry::Chosen;

/// A readout of any kind, as a spec names it.
pub type ReadoutModel = Chosen<dyn AnyReadout>;

/// What becomes of the drive of a class, step by step, and of the trace that it leaves.
///
/// The adjoint of a step goes the same way back as that of a [`Neuron`](crate::neuron::Neuron).
pub trait Readout: Debug + Send + Sync + 'static {
    /// What goes from step to step; 0 before the first.
    type State<R: Real>: Fields<R>;

    /// Whether spikes drive it through weights that are learned, W_out: last layer × classes. Without them
    /// each unit of the last layer drives the class of its number, so that there must be as many.
    fn has_weights(&self) -> bool {
        true
    }

    /// Takes a step; gives the trace after it.
    fn step<R: Real>(&self, state: &mut Self::State<R>, drive: R) -> R;

    /// Takes a step back. `errors` are ∂L/∂state after the step on entry, and before it on return; `reaching`
    /// is ∂L/∂trace of the step. Gives ∂L/∂drive.
    fn back<R: Real>(&self, errors: &mut Self::State<R>, reaching: R) -> R;

    /// Where logits are a maximum, a sum or a last value of the trace, which: the kernels then collect it as
    /// the trace goes by, and ask [`logits`](Self::logits) only to check gradients.
    fn collect(&self) -> Option<Collect>;

    /// Logits from the trace, steps × classes; they are 0 on entry. By default what
    /// [`collect`](Self::collect) says, the sum if it says nothing.
    fn logits<R: Real>(&self, trace: ArrayView2<'_, R>, logits: &mut [R]) {
        self.collect().unwrap_or(Collect::Sum).logits(trace, logits);
    }

    /// ∂L/∂trace, steps × classes and 0 on entry, from ∂L/∂logits. By default that of the default of
    /// [`logits`](Self::logits).
    fn logits_back<R: Real>(
        &self,
        trace: ArrayView2<'_, R>,
        errors: &[R],
        of_trace: ArrayViewMut2<'_, R>,
    ) {
        let collect = self.collect().unwrap_or(Collect::Sum);
        collect.logits_back(trace, errors, of_trace);
    }
}

/// What the kernels make of a trace as it goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Collect {
    /// The first maximum, a zero before the first step included.
    Max,
    /// The sum.
    Sum,
    /// The last value.
    Last,
}

impl Collect {
    fn logits<R: Real>(self, trace: ArrayView2<'_, R>, logits: &mut [R]) {
        for row in trace.rows() {
            for (logit, &value) in logits.iter_mut().zip(row) {
                *logit = match self {
                    Collect::Max => value.max(*logit),
                    Collect::Sum => *logit + value,
                    Collect::Last => value,
                };
            }
        }
    }

    fn logits_back<R: Real>(
        self,
        trace: ArrayView2<'_, R>,
        errors: &[R],
        mut of_trace: ArrayViewMut2<'_, R>,
    ) {
        let steps = trace.nrows();
        match self {
            Collect::Sum => {
                for row in of_trace.rows_mut() {
                    row.into_iter()
                        .zip(errors)
                        .for_each(|(slot, &error)| *slot = error);
                }
            }
            Collect::Last => {
                if steps > 0 {
                    let row = of_trace.row_mut(steps - 1);
                    row.into_iter()
                        .zip(errors)
                        .for_each(|(slot, &error)| *slot = error);
                }
            }
            // What is left of the error goes to the first step that has the maximum.
            Collect::Max => {
                for (class, &error) in errors.iter().enumerate() {
                    let column = trace.column(class);
                    let zero = error.zero();
                    let largest = column.iter().fold(zero, |most, &value| value.max(most));
                    let above_zero = largest.greater(zero);
                    let mut left = R::select(above_zero, error, zero);
                    for (slot, &value) in of_trace.column_mut(class).iter_mut().zip(column) {
                        let is_below = largest.greater(value);
                        *slot = R::select(is_below, zero, left);
                        left = R::select(is_below, left, zero);
                    }
                }
            }
        }
    }
}
