//! Spikes in windows of time: whether there are any, how many, and back again, 64 units at a time.

use ndarray::Array2;

use super::Window;
use super::bits::{BitWriter, PackedBits};
use crate::ids::TimeStep;
use crate::spikes::SpikeRaster;

/// Runs the first block with the number of words of a row as the constant `$w`, if it is a usual
/// one, and else the second, once or for every column.
macro_rules! by_width {
    ($words:expr, $w:ident => $known:expr, for _ in once $other:block) => {
        by_width!(@ $words, $w => $known, $other)
    };
    ($words:expr, $w:ident => $known:expr, for $column:ident in columns $other:block) => {
        by_width!(@ $words, $w => $known, { for $column in 0..$words $other })
    };
    (@ $words:expr, $w:ident => $known:expr, $other:block) => {
        match $words {
            1 => { const $w: usize = 1; $known }
            2 => { const $w: usize = 2; $known }
            3 => { const $w: usize = 3; $known }
            4 => { const $w: usize = 4; $known }
            _ => $other
        }
    };
}

/// Whether each window has any spike: windows × units.
pub fn windows_with_spikes(spikes: &SpikeRaster, window: Window) -> SpikeRaster {
    let words = spikes.words_per_step();
    let mut any = SpikeRaster::silent(spikes.steps().div_ceil(window.steps()), spikes.units());
    let targets = any.words_mut().chunks_exact_mut(words);
    for (target, source) in targets.zip(spikes.words().chunks(words * window.steps())) {
        by_width!(words, W => target.copy_from_slice(&any_of::<W>(source)), for column in columns {
            target[column] = source[column..].iter().step_by(words).fold(0, |any, word| any | word);
        });
    }
    any
}

/// The number of spikes of each unit in each window: windows × units.
pub fn window_counts(spikes: &SpikeRaster, window: Window) -> Array2<u32> {
    let windows = spikes.steps().div_ceil(window.steps());
    let mut counts = Array2::zeros((windows, spikes.units()));
    for step in 0..spikes.steps() {
        let mut row = counts.row_mut(step / window.steps());
        for unit in spikes.active(TimeStep(step)) {
            row[unit.0] += 1;
        }
    }
    counts
}

/// All rows in one.
#[inline(always)]
fn any_of<const W: usize>(rows: &[u64]) -> [u64; W] {
    let mut any = [0; W];
    for row in rows.as_chunks::<W>().0 {
        for (any, word) in any.iter_mut().zip(row) {
            *any |= word;
        }
    }
    any
}

/// Packs every row of a raster, units after units.
pub(super) fn pack_rows(spikes: &SpikeRaster, mut writer: BitWriter<'_>) {
    let units = spikes.units();
    let words = spikes.words_per_step();
    by_width!(words, W => {
        for row in spikes.words().as_chunks::<W>().0 {
            writer.push_row(row, units);
        }
    }, for _ in once {
        for row in spikes.words().chunks_exact(words) {
            writer.push_row(row, units);
        }
    });
    writer.finish();
}

/// Packs for each window whether there is any spike.
pub(super) fn pack_windows(spikes: &SpikeRaster, window: Window, mut writer: BitWriter<'_>) {
    let words = spikes.words_per_step();
    by_width!(words, W => {
        for rows in spikes.words().chunks(W * window.steps()) {
            writer.push_row(&any_of::<W>(rows), spikes.units());
        }
        writer.finish();
    }, for _ in once {
        pack_rows(&windows_with_spikes(spikes, window), writer);
    });
}

/// Unpacks a row into every `width`-th step of a raster, and makes the other steps silent.
pub(super) fn unpack_rows(packed: PackedBits<'_>, width: usize, spikes: &mut SpikeRaster) {
    let (units, words) = (spikes.units(), spikes.words_per_step());
    let rows = spikes.words_mut();
    if width > 1 {
        rows.fill(0);
    }
    by_width!(words, W => {
        let rows = rows.as_chunks_mut::<W>().0;
        for (index, row) in rows.iter_mut().step_by(width).enumerate() {
            packed.read_row(index * units, units, row);
        }
    }, for _ in once {
        for (index, rows) in rows.chunks_mut(words * width).enumerate() {
            packed.read_row(index * units, units, &mut rows[..words]);
        }
    });
}

/// Packs the number of spikes in each window: the lowest bits of all units first, then the next ones.
pub(super) fn pack_counts(spikes: &SpikeRaster, window: Window, writer: BitWriter<'_>) {
    match window.count_bits() {
        1 => pack_planes::<1>(spikes, window, writer),
        2 => pack_planes::<2>(spikes, window, writer),
        3 => pack_planes::<3>(spikes, window, writer),
        4 => pack_planes::<4>(spikes, window, writer),
        5 => pack_planes::<5>(spikes, window, writer),
        6 => pack_planes::<6>(spikes, window, writer),
        7 => pack_planes::<7>(spikes, window, writer),
        _ => pack_planes::<MOST_PLANES>(spikes, window, writer),
    }
}

/// Bits of the largest count: of 65536 spikes.
const MOST_PLANES: usize = 17;

/// [`pack_counts`] with `P` bits to count with, and as many of them packed as the window needs.
#[inline(always)]
fn pack_planes<const P: usize>(spikes: &SpikeRaster, window: Window, mut writer: BitWriter<'_>) {
    let (words, units, planes) = (spikes.words_per_step(), spikes.units(), window.count_bits());
    by_width!(words, W => {
        for rows in spikes.words().chunks(W * window.steps()) {
            let sums: [[u64; W]; P] = count_rows(rows.as_chunks::<W>().0);
            for row in &sums[..planes] {
                writer.push_row(row, units);
            }
        }
    }, for _ in once {
        for rows in spikes.words().chunks(words * window.steps()) {
            let columns = (0..words).map(|column| {
                let column: Vec<[u64; 1]> = rows[column..].iter().step_by(words).map(|&w| [w]).collect();
                count_rows::<P, 1>(&column)
            });
            let columns: Vec<[[u64; 1]; P]> = columns.collect();
            for plane in 0..planes {
                for (column, sums) in columns.iter().enumerate() {
                    writer.push(sums[plane][0], (units - column * 64).min(64));
                }
            }
        }
    });
    writer.finish();
}

/// Adds up bits at the same place in every row; row k of the result has bit k of the sums.
#[inline(always)]
fn count_rows<const P: usize, const W: usize>(rows: &[[u64; W]]) -> [[u64; W]; P] {
    let mut sums = [[0; W]; P];
    // A full adder takes two rows and the lowest sum; what it carries ripples upwards.
    let mut add = |first: &[u64; W], second: &[u64; W]| {
        let mut carry = [0; W];
        for c in 0..W {
            let half = first[c] ^ second[c];
            carry[c] = (first[c] & second[c]) | (half & sums[0][c]);
            sums[0][c] ^= half;
        }
        for sum in &mut sums[1..] {
            for c in 0..W {
                let both = sum[c] & carry[c];
                sum[c] ^= carry[c];
                carry[c] = both;
            }
        }
    };
    let (pairs, rest) = rows.as_chunks::<2>();
    for [first, second] in pairs {
        add(first, second);
    }
    if let [last] = rest {
        add(last, &[0; W]);
    }
    sums
}

/// Unpacks counts into a raster: that many spikes at the window's start, one a step.
pub(super) fn unpack_counts(packed: PackedBits<'_>, window: Window, spikes: &mut SpikeRaster) {
    match window.count_bits() {
        1 => unpack_planes::<1, 1>(packed, window, spikes),
        2 => unpack_planes::<2, 3>(packed, window, spikes),
        3 => unpack_planes::<3, 7>(packed, window, spikes),
        4 => unpack_planes::<4, 15>(packed, window, spikes),
        _ => unpack_long_counts(packed, window, spikes),
    }
}

/// [`unpack_counts`] with `P` bits a count, up to `N`.
fn unpack_planes<const P: usize, const N: usize>(
    packed: PackedBits<'_>,
    window: Window,
    spikes: &mut SpikeRaster,
) {
    let (units, words) = (spikes.units(), spikes.words_per_step());
    let windows = spikes.words_mut().chunks_mut(words * window.steps());
    for (index, rows) in windows.enumerate() {
        let start = index * P * units;
        for column in 0..words {
            let bits = (units - column * 64).min(64);
            let mut more = [0; N];
            for plane in 0..P {
                let bit = packed.read(start + plane * units + column * 64, bits);
                add_plane(bit, plane, &mut more);
            }
            if rows.len() >= N * words {
                // All steps that a count can reach lie in the window.
                for (step, &more) in more.iter().enumerate() {
                    rows[step * words + column] = more;
                }
                let rest = rows[N * words..].iter_mut();
                rest.skip(column).step_by(words).for_each(|word| *word = 0);
                continue;
            }
            let targets = rows[column..].iter_mut().step_by(words);
            for (target, &more) in targets.zip(&more) {
                *target = more;
            }
        }
    }
}

/// [`unpack_counts`] for windows of any length.
fn unpack_long_counts(packed: PackedBits<'_>, window: Window, spikes: &mut SpikeRaster) {
    let (units, words) = (spikes.units(), spikes.words_per_step());
    let planes = window.count_bits();
    let mut more = vec![0; (1 << planes) - 1];
    let windows = spikes.words_mut().chunks_mut(words * window.steps());
    for (index, rows) in windows.enumerate() {
        let start = index * planes * units;
        for column in 0..words {
            let bits = (units - column * 64).min(64);
            for plane in 0..planes {
                let bit = packed.read(start + plane * units + column * 64, bits);
                add_plane(bit, plane, &mut more);
            }
            let targets = rows[column..].iter_mut().step_by(words);
            for (target, &more) in targets.zip(&more) {
                *target = more;
            }
        }
    }
}

/// Word k of `more` says which of 64 counts are more than k, as far as the bits below `plane` tell;
/// on return as far as that bit, which is given, tells too.
#[inline(always)]
fn add_plane(bit: u64, plane: usize, more: &mut [u64]) {
    // With the bit set, a count is more than all it could be before.
    let known = (1 << plane) - 1;
    more[known] = bit;
    for k in 0..known {
        more[known + 1 + k] = more[k] & bit;
        more[k] |= bit;
    }
}
