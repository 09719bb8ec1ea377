//! The hot loops: sums of weight rows picked by spikes, the recurrences, dense products.
//!
//! In: plain slices, row-major. Out: the same, written in place. Each loop is written once over
//! vectors of any width ([`lanes`]) and compiled for every set of instructions that
//! [`Simd`](crate::simd::Simd) names; which one runs is chosen at run time.
//!
//! The forward loops add in one fixed order whatever the width and never fuse a multiplication with
//! an addition, so the forward pass gives the same bits on every processor. The backward loops keep
//! the order too, but fuse where the processor can; their results differ in the last bits between
//! [`Simd::Portable`](crate::simd::Simd::Portable) and the others, never between thread counts.
//!
//! No `unsafe` is written here or anywhere else in the library: the one kind that is needed, calling
//! a function compiled for a vector extension after checking that the processor has it, is `pulp`'s.

pub(crate) mod backward;
pub(crate) mod buffers;
pub(crate) mod dense;
pub(crate) mod gather;
pub(crate) mod lanes;
pub(crate) mod layer;
pub(crate) mod readout;
pub(crate) mod surrogate;
pub(crate) mod weights;

/// Values below this are taken as zero where they decay step by step.
///
/// Left alone they would sink into subnormal numbers, which processors handle a hundred times more
/// slowly. A gradient or a current of 1e-30 is far below what f32 sums can notice.
pub(crate) const NEGLIGIBLE: f32 = 1e-30;

/// Zero for a value too small to matter.
#[inline(always)]
pub(crate) fn flush(value: f32) -> f32 {
    if value.abs() < NEGLIGIBLE { 0.0 } else { value }
}
