//! The hot loops: sums of weight rows picked by spikes, the LIF recurrences, dense products.
//!
//! In: plain slices, row-major. Out: the same, written in place. Each loop is compiled for several
//! vector widths and picked at run time. All but [`dense`] add in one fixed order whatever the width
//! and never fuse a multiplication with an addition, so the forward pass gives the same bits on
//! every processor; the dense products of the backward pass may differ in the last bits between
//! processors, never between thread counts.
//!
//! No `unsafe` is written here or anywhere else in the library: the one kind that is needed, calling
//! a function compiled for a vector extension after checking that the processor has it, is
//! `multiversion`'s, and the one in the dense products is `matrixmultiply`'s.

pub(crate) mod buffers;
pub(crate) mod dense;
pub(crate) mod gather;
pub(crate) mod lif;

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
