//! Surrogates over many units at once.

use super::lanes::{Kernel, Lanes, Vector};
use crate::surrogate::Surrogate;

/// Puts the derivative in the place of each x, in whole vectors.
pub(crate) struct Slopes<'a, S>(pub &'a S, pub &'a mut [f32]);

impl<S: Surrogate> Kernel for Slopes<'_, S> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        for x in L::as_mut_simd_f32s(self.1).0 {
            *x = self.0.derivative(Vector(lanes, *x)).1;
        }
    }
}
