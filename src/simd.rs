//! Which vector instructions the hot loops use.
//!
//! In: what the processor has, or what the user chose. Out: one choice for the whole program, which
//! the loops of `kernels` are run with.
//!
//! Forward passes, latents and codecs give the same bits under every choice. Training under
//! [`Simd::Avx2`] and [`Simd::Avx512`] gives the same bits too; under [`Simd::Portable`] products and
//! sums are rounded separately, so trained weights differ in their last bits. `Portable` is the same
//! on every processor, as far as the system's `exp` and `ln` are, which losses and decays need.
//!
//! The inner ear (feature `encode`) chooses for itself: its loops give the same bits whatever they are
//! compiled for.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU8, Ordering};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A set of vector instructions.
///
/// ```
/// use respike::simd::Simd;
/// assert!(Simd::available().contains(&Simd::Portable));
/// assert!(Simd::available().contains(&Simd::current()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Simd {
    /// Four numbers at a time, with what every processor of the target has.
    Portable,
    /// Eight numbers at a time: AVX2 and fused multiply-add.
    Avx2,
    /// Sixteen numbers at a time: AVX-512 F, BW, CD, DQ and VL.
    Avx512,
}

/// What can be wrong with a choice of vector instructions.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SimdError {
    /// The processor does not have them.
    #[error("this processor has no {wanted}; it has {}", list(available))]
    NotAvailable {
        /// What was asked for.
        wanted: Simd,
        /// What there is.
        available: Vec<Simd>,
    },
    /// There is no such set.
    #[error("`{0}` is no set of vector instructions; use portable, avx2 or avx512")]
    Unknown(String),
}

fn list(available: &[Simd]) -> String {
    let names: Vec<String> = available.iter().map(Simd::to_string).collect();
    names.join(", ")
}

/// The choice, as its number plus one; 0 while nothing was chosen.
static CHOSEN: AtomicU8 = AtomicU8::new(0);

impl Simd {
    const ALL: [Simd; 3] = [Simd::Portable, Simd::Avx2, Simd::Avx512];

    /// What this processor has, the widest last.
    pub fn available() -> Vec<Simd> {
        let has = |simd: &Simd| simd.is_available();
        Simd::ALL.into_iter().filter(has).collect()
    }

    fn is_available(self) -> bool {
        match self {
            Simd::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Simd::Avx2 => pulp::x86::V3::is_available(),
            #[cfg(target_arch = "x86_64")]
            Simd::Avx512 => pulp::x86::V4::is_available(),
            #[cfg(not(target_arch = "x86_64"))]
            Simd::Avx2 | Simd::Avx512 => false,
        }
    }

    /// What the hot loops use now: what was chosen, or else the widest that there is.
    pub fn current() -> Simd {
        let chosen = CHOSEN.load(Ordering::Relaxed);
        match Simd::ALL.get(usize::from(chosen).wrapping_sub(1)) {
            Some(&simd) => simd,
            None => {
                let widest = Simd::available().pop().unwrap_or(Simd::Portable);
                CHOSEN.store(widest as u8 + 1, Ordering::Relaxed);
                widest
            }
        }
    }

    /// Whether training under both gives the same bits.
    ///
    /// ```
    /// use respike::simd::Simd;
    /// assert!(Simd::Avx2.trains_like(Simd::Avx512));
    /// assert!(!Simd::Avx2.trains_like(Simd::Portable));
    /// ```
    pub fn trains_like(self, other: Simd) -> bool {
        (self == Simd::Portable) == (other == Simd::Portable)
    }

    /// Makes the hot loops use these instructions from now on, in the whole program.
    ///
    /// # Errors
    /// [`SimdError::NotAvailable`] if the processor does not have them.
    pub fn choose(self) -> Result<(), SimdError> {
        if !self.is_available() {
            return Err(SimdError::NotAvailable {
                wanted: self,
                available: Simd::available(),
            });
        }
        CHOSEN.store(self as u8 + 1, Ordering::Relaxed);
        Ok(())
    }
}

impl fmt::Display for Simd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Simd::Portable => "portable",
            Simd::Avx2 => "avx2",
            Simd::Avx512 => "avx512",
        })
    }
}

impl FromStr for Simd {
    type Err = SimdError;

    fn from_str(text: &str) -> Result<Self, SimdError> {
        let named = Simd::ALL.into_iter().find(|simd| simd.to_string() == text);
        named.ok_or_else(|| SimdError::Unknown(text.to_string()))
    }
}
