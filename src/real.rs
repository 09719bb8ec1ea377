//! Numbers that neurons and surrogates are written over: one number, or a vector of them.
//!
//! In: an equation, written once over any [`Real`]. Out: the same equation over vectors of f32 with the
//! instructions of the processor at hand, which is how networks run, and over f64, which is how
//! gradients are checked.

use std::fmt::Debug;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A number, or a vector of numbers that are all treated alike.
///
/// There are no comparisons that branch: what depends on a comparison is chosen by
/// [`select`](Real::select).
pub trait Real:
    Copy
    + Debug
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// What a comparison gives.
    type Mask: Copy + Debug;

    /// A constant, of this number's kind.
    fn constant(self, value: f32) -> Self;

    /// The absolute value.
    fn abs(self) -> Self;

    /// e to the power of this.
    fn exp(self) -> Self;

    /// e to the power of this, less 1, without the loss of digits near 0.
    fn exp_m1(self) -> Self;

    /// Whether this is greater than another.
    fn greater(self, than: Self) -> Self::Mask;

    /// `yes` where the mask is set, else `no`.
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;

    /// Zero for values too small to matter (below 1e-30), which would otherwise sink into subnormal
    /// numbers as they decay; processors handle those a hundred times more slowly.
    fn flush(self) -> Self;

    /// 0.
    #[inline(always)]
    fn zero(self) -> Self {
        self.constant(0.0)
    }

    /// 1.
    #[inline(always)]
    fn one(self) -> Self {
        self.constant(1.0)
    }

    /// The larger of two.
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Self::select(self.greater(other), self, other)
    }
}

impl Real for f64 {
    /// How far the one holds, and not the other: 0 or 1 after a comparison, and between them where
    /// spikes are smoothed.
    type Mask = f64;

    fn constant(self, value: f32) -> Self {
        f64::from(value)
    }

    fn abs(self) -> Self {
        self.abs()
    }

    fn exp(self) -> Self {
        self.exp()
    }

    fn exp_m1(self) -> Self {
        self.exp_m1()
    }

    fn greater(self, than: Self) -> f64 {
        f64::from(u8::from(self > than))
    }

    fn select(mask: f64, yes: Self, no: Self) -> Self {
        match mask {
            0.0 => no,
            1.0 => yes,
            share => share * yes + (1.0 - share) * no,
        }
    }

    fn flush(self) -> Self {
        self
    }
}

impl Real for f32 {
    type Mask = bool;

    #[inline(always)]
    fn constant(self, value: f32) -> Self {
        value
    }

    #[inline(always)]
    fn abs(self) -> Self {
        self.abs()
    }

    #[inline(always)]
    fn exp(self) -> Self {
        self.exp()
    }

    #[inline(always)]
    fn exp_m1(self) -> Self {
        self.exp_m1()
    }

    #[inline(always)]
    fn greater(self, than: Self) -> bool {
        self > than
    }

    #[inline(always)]
    fn select(mask: bool, yes: Self, no: Self) -> Self {
        if mask { yes } else { no }
    }

    #[inline(always)]
    fn flush(self) -> Self {
        crate::kernels::flush(self)
    }
}

/// Some numbers of a unit, such as its state: an array `[R; N]`.
pub trait Fields<R>: Copy + AsRef<[R]> + AsMut<[R]> {
    /// How many there are.
    const COUNT: usize;

    /// So many, each made from its place.
    fn from_fn(make: impl FnMut(usize) -> R) -> Self;
}

impl<R: Copy, const N: usize> Fields<R> for [R; N] {
    const COUNT: usize = N;

    #[inline(always)]
    fn from_fn(make: impl FnMut(usize) -> R) -> Self {
        std::array::from_fn(make)
    }
}
