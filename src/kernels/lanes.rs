//! A kernel is written once over vectors of unknown width, and run with the instructions chosen.

use pulp::{NullaryFnOnce, Scalar128b};

use crate::real::Real;
use crate::simd::Simd;

/// Vectors of f32 and what the kernels do with them beyond [`pulp::Simd`].
pub(crate) trait Lanes: pulp::Simd {
    /// `a·b + c`, rounded once where the processor does that as fast as anything.
    fn multiply_add(self, a: Self::f32s, b: Self::f32s, c: Self::f32s) -> Self::f32s;

    /// The mask as bits, the first lane lowest.
    fn mask_bits(self, mask: Self::m32s) -> u64;
}

impl Lanes for Scalar128b {
    #[inline(always)]
    fn multiply_add(self, a: Self::f32s, b: Self::f32s, c: Self::f32s) -> Self::f32s {
        use pulp::Simd as _;
        self.add_f32s(self.mul_f32s(a, b), c)
    }

    #[inline(always)]
    fn mask_bits(self, mask: Self::m32s) -> u64 {
        let lanes = [mask.0, mask.1, mask.2, mask.3];
        let bits = lanes.iter().enumerate();
        bits.fold(0, |bits, (lane, mask)| {
            bits | u64::from(mask.is_set()) << lane
        })
    }
}

#[cfg(target_arch = "x86_64")]
impl Lanes for pulp::x86::V3 {
    #[inline(always)]
    fn multiply_add(self, a: Self::f32s, b: Self::f32s, c: Self::f32s) -> Self::f32s {
        self.mul_add_f32x8(a, b, c)
    }

    #[inline(always)]
    fn mask_bits(self, mask: Self::m32s) -> u64 {
        self.avx._mm256_movemask_ps(pulp::cast(mask)) as u32 as u64
    }
}

#[cfg(target_arch = "x86_64")]
impl Lanes for pulp::x86::V4 {
    #[inline(always)]
    fn multiply_add(self, a: Self::f32s, b: Self::f32s, c: Self::f32s) -> Self::f32s {
        self.mul_add_f32x16(a, b, c)
    }

    #[inline(always)]
    fn mask_bits(self, mask: Self::m32s) -> u64 {
        u64::from(mask.0)
    }
}

/// A vector of f32 as a [`Real`] number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Vector<L: Lanes>(pub L, pub L::f32s);

macro_rules! operator {
    ($trait:ident, $method:ident, $of_lanes:ident) => {
        impl<L: Lanes> std::ops::$trait for Vector<L> {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Vector(self.0, self.0.$of_lanes(self.1, other.1))
            }
        }
    };
}

operator!(Add, add, add_f32s);
operator!(Sub, sub, sub_f32s);
operator!(Mul, mul, mul_f32s);
operator!(Div, div, div_f32s);

impl<L: Lanes> std::ops::Neg for Vector<L> {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        Vector(self.0, self.0.neg_f32s(self.1))
    }
}

impl<L: Lanes> Vector<L> {
    /// The same function of every lane.
    #[inline(always)]
    fn each(self, function: impl Fn(f32) -> f32) -> Self {
        let mut values = self.1;
        let lanes = std::slice::from_mut(&mut values);
        for value in pulp::bytemuck::cast_slice_mut::<L::f32s, f32>(lanes) {
            *value = function(*value);
        }
        Vector(self.0, values)
    }
}

/// A mask, and the lanes that it is of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct VectorMask<L: Lanes>(pub L, pub L::m32s);

impl<L: Lanes> Real for Vector<L> {
    type Mask = VectorMask<L>;

    #[inline(always)]
    fn constant(self, value: f32) -> Self {
        Vector(self.0, self.0.splat_f32s(value))
    }

    #[inline(always)]
    fn abs(self) -> Self {
        Vector(self.0, self.0.abs_f32s(self.1))
    }

    #[inline(always)]
    fn exp(self) -> Self {
        self.each(f32::exp)
    }

    #[inline(always)]
    fn exp_m1(self) -> Self {
        self.each(f32::exp_m1)
    }

    #[inline(always)]
    fn greater(self, than: Self) -> VectorMask<L> {
        VectorMask(self.0, self.0.greater_than_f32s(self.1, than.1))
    }

    #[inline(always)]
    fn select(mask: VectorMask<L>, yes: Self, no: Self) -> Self {
        Vector(mask.0, mask.0.select_f32s(mask.1, yes.1, no.1))
    }

    #[inline(always)]
    fn flush(self) -> Self {
        Vector(self.0, flush(self.0, self.1))
    }
}

/// A hot loop with its arguments; `run` and all that it calls must be `#[inline(always)]`, so that
/// it is compiled with the instructions at hand.
pub(crate) trait Kernel {
    type Output;

    fn run<L: Lanes>(self, lanes: L) -> Self::Output;
}

/// Runs a kernel.
///
/// # Panics
/// If the processor does not have the instructions: [`Simd::choose`] and [`Simd::current`] see to
/// it that it has.
pub(crate) fn run<K: Kernel>(simd: Simd, kernel: K) -> K::Output {
    let missing = "the choice of instructions was checked";
    match simd {
        Simd::Portable => With(Scalar128b, kernel).call(),
        #[cfg(target_arch = "x86_64")]
        Simd::Avx2 => {
            let lanes = pulp::x86::V3::try_new().expect(missing);
            lanes.vectorize(With(lanes, kernel))
        }
        #[cfg(target_arch = "x86_64")]
        Simd::Avx512 => {
            let lanes = pulp::x86::V4::try_new().expect(missing);
            lanes.vectorize(With(lanes, kernel))
        }
        #[cfg(not(target_arch = "x86_64"))]
        Simd::Avx2 | Simd::Avx512 => unreachable!("{missing}"),
    }
}

struct With<L, K>(L, K);

impl<L: Lanes, K: Kernel> NullaryFnOnce for With<L, K> {
    type Output = K::Output;

    #[inline(always)]
    fn call(self) -> K::Output {
        self.1.run(self.0)
    }
}

/// Numbers of a vector.
pub(crate) fn width(simd: Simd) -> usize {
    match simd {
        Simd::Portable => 4,
        Simd::Avx2 => 8,
        Simd::Avx512 => 16,
    }
}

/// Numbers that a row of `units` takes in a buffer: whole vectors, so that kernels need no
/// remainders. The rest of a row is 0.
pub(crate) fn padded(simd: Simd, units: usize) -> usize {
    units.next_multiple_of(match simd {
        Simd::Portable | Simd::Avx2 => 8,
        Simd::Avx512 => 16,
    })
}

/// Vectors that are summed up at a time, so that the sums stay in registers.
pub(super) const PASS: usize = 13;

/// Work on some vectors of every row.
pub(super) trait Pass<L: Lanes> {
    /// Works on `N` vectors from `first` on.
    fn pass<const N: usize>(&mut self, lanes: L, first: usize);
}

/// Works on `vectors` vectors, at most [`PASS`] at a time and about equally many.
#[inline(always)]
pub(super) fn passes<L: Lanes>(lanes: L, vectors: usize, work: &mut impl Pass<L>) {
    let count = vectors.div_ceil(PASS);
    for pass in 0..count {
        let first = vectors * pass / count;
        match vectors * (pass + 1) / count - first {
            1 => work.pass::<1>(lanes, first),
            2 => work.pass::<2>(lanes, first),
            3 => work.pass::<3>(lanes, first),
            4 => work.pass::<4>(lanes, first),
            5 => work.pass::<5>(lanes, first),
            6 => work.pass::<6>(lanes, first),
            7 => work.pass::<7>(lanes, first),
            8 => work.pass::<8>(lanes, first),
            9 => work.pass::<9>(lanes, first),
            10 => work.pass::<10>(lanes, first),
            11 => work.pass::<11>(lanes, first),
            12 => work.pass::<12>(lanes, first),
            _ => work.pass::<PASS>(lanes, first),
        }
    }
}

/// `N` vectors of a row of whole vectors, from vector `first` on.
#[inline(always)]
pub(super) fn load<L: Lanes, const N: usize>(row: &[f32], first: usize) -> [L::f32s; N] {
    let (vectors, _) = L::as_simd_f32s(&row[first * L::F32_LANES..][..N * L::F32_LANES]);
    let mut loaded = [vectors[0]; N];
    loaded.copy_from_slice(vectors);
    loaded
}

/// The opposite of [`load`].
#[inline(always)]
pub(super) fn store<L: Lanes, const N: usize>(row: &mut [f32], first: usize, values: [L::f32s; N]) {
    let (vectors, _) = L::as_mut_simd_f32s(&mut row[first * L::F32_LANES..][..N * L::F32_LANES]);
    vectors.copy_from_slice(&values);
}

/// Zero for values too small to matter; see [`flush`](super::flush).
#[inline(always)]
pub(super) fn flush<L: Lanes>(lanes: L, values: L::f32s) -> L::f32s {
    let zero = lanes.splat_f32s(0.0);
    let negligible = lanes.splat_f32s(super::NEGLIGIBLE);
    let small = lanes.less_than_f32s(lanes.abs_f32s(values), negligible);
    lanes.select_f32s(small, zero, values)
}
