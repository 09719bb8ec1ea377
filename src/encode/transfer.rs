//! How much, and how late, each place of the basilar membrane moves at each frequency.
//!
//! In: the membrane's constants. Out: tables of the complex transfer function, a row for each
//! channel, from which it is interpolated at the frequencies of any sound: it depends on frequency
//! and place only, so nothing of it need be computed again for another recording.

use std::f64::consts::PI;

use complex_bessel::{hankel1, hankel2};
use num_complex::Complex;
use rayon::prelude::*;

use super::BasilarMembraneConstants;

type C64 = Complex<f64>;

/// Nodes of a channel's table.
const NODES: usize = 1024;
/// A channel's table ends at so many times the resonance of its place; beyond, it moves less than a
/// millionth of its most.
const BAND: f64 = 2.8;
/// The frequency of the first node, in hertz; the function has a logarithmic singularity at 0.
pub(super) const LOWEST_HZ: f64 = 1.0;
/// Distance between the nodes of what all channels share, in hertz.
const SHARED_STEP_HZ: f64 = 2.0;

/// Values at equally spaced frequencies from [`LOWEST_HZ`] on, with cubics in between.
#[derive(Debug)]
pub(super) struct Table<T> {
    step_hz: f64,
    values: Vec<Complex<T>>,
}

impl Table<f64> {
    fn new(step_hz: f64, values: Vec<C64>) -> Self {
        Table { step_hz, values }
    }

    fn at(&self, frequency_hz: f64) -> C64 {
        let place = (frequency_hz - LOWEST_HZ) / self.step_hz;
        let cell = self.cell(place);
        self.cubic(cell).at(place - cell as f64)
    }
}

impl<T: Copy + Into<f64>> Table<T> {
    /// The first of the four nodes that are used at `place`, in steps from the first node.
    #[inline(always)]
    fn cell(&self, place: f64) -> usize {
        (place as usize)
            .saturating_sub(1)
            .min(self.values.len() - 4)
    }

    /// The cubic through four nodes from `cell` on.
    #[inline(always)]
    fn cubic(&self, cell: usize) -> Cubic {
        let node = |i: usize| {
            let value = self.values[cell + i];
            C64::new(value.re.into(), value.im.into())
        };
        Cubic::through([node(0), node(1), node(2), node(3)])
    }

    /// Fills `re` and `im` with the values at `LOWEST_HZ + k·bin_hz` for k from 0 on, up to the
    /// table's end or `bins` of them.
    #[inline(always)]
    pub(super) fn sweep(&self, bin_hz: f64, bins: usize, re: &mut Vec<f32>, im: &mut Vec<f32>) {
        let step = bin_hz / self.step_hz;
        let end = (self.values.len() - 1) as f64;
        let bins = bins.min((end / step) as usize + 1);
        re.resize(bins, 0.0);
        im.resize(bins, 0.0);
        let mut bin = 0;
        while bin < bins {
            let place = bin as f64 * step;
            let cell = self.cell(place);
            // The cubic serves as long as the place is between the two middle nodes; the first and
            // the last serve up to the table's ends.
            let until = match cell + 4 == self.values.len() {
                true => bins,
                false => (((cell + 2) as f64 / step).ceil() as usize).clamp(bin + 1, bins),
            };
            let start = (place - cell as f64) as f32;
            let (re, im) = (&mut re[bin..until], &mut im[bin..until]);
            fill(&self.cubic(cell), start, step as f32, re, im);
            bin = until;
        }
    }
}

/// Values of a cubic at equal steps from `start` on.
#[inline(always)]
fn fill(cubic: &Cubic, start: f32, step: f32, re: &mut [f32], im: &mut [f32]) {
    let a = cubic.0.map(|c| c.re as f32);
    let b = cubic.0.map(|c| c.im as f32);
    for (i, (re, im)) in re.iter_mut().zip(im).enumerate() {
        let x = start + step * i as u32 as f32;
        *re = ((a[3] * x + a[2]) * x + a[1]) * x + a[0];
        *im = ((b[3] * x + b[2]) * x + b[1]) * x + b[0];
    }
}

/// A polynomial of degree three in steps from the first of its four nodes.
struct Cubic([C64; 4]);

impl Cubic {
    #[inline(always)]
    fn through(y: [C64; 4]) -> Self {
        // Newton's divided differences at 0, 1, 2, 3, multiplied out.
        let first = y[1] - y[0];
        let second = (y[2] - y[1] * 2.0 + y[0]) / 2.0;
        let third = (y[3] - (y[2] - y[1]) * 3.0 - y[0]) / 6.0;
        Cubic([
            y[0],
            first - second + third * 2.0,
            second - third * 3.0,
            third,
        ])
    }

    fn at(&self, x: f64) -> C64 {
        ((self.0[3] * x + self.0[2]) * x + self.0[1]) * x + self.0[0]
    }
}

/// The membrane's shallow-water solution (Sieroka, Dosch & Rupp 2006, JASA 120, 297).
///
/// In the text's symbols, at place c and angular frequency ω: stiffness S = C₀·e^(−αc) − a, damping
/// R = δ·√(C₀m)·e^(−αc/2), impedance ξ = S − mω² − iωR, wave number g = ω·√(ρ / (hξ)), and
/// G its integral along the membrane, in closed form.
pub(super) struct ShallowWater<'a>(pub(super) &'a BasilarMembraneConstants);

impl ShallowWater<'_> {
    fn impedance(&self, omega: f64, place_cm: f64) -> C64 {
        let k = self.0;
        let decay = (-k.stiffness_decay * place_cm / 2.0).exp();
        let damping = k.damping * (k.stiffness * k.mass).sqrt() * decay;
        let stiffness = k.stiffness * decay * decay - k.stiffness_offset;
        C64::new(stiffness - k.mass * omega * omega, -omega * damping)
    }

    fn wave_number(&self, omega: f64, place_cm: f64) -> C64 {
        let k = self.0;
        let ratio = self.impedance(omega, place_cm).inv() * (k.fluid_density / k.scala_height_cm);
        ratio.sqrt() * omega
    }

    /// The antiderivative whose values at two places make up the integral of the wave number.
    fn antiderivative(&self, omega: f64, place_cm: f64) -> C64 {
        let k = self.0;
        let decay = (-k.stiffness_decay * place_cm / 2.0).exp();
        let damping = k.damping * (k.stiffness * k.mass).sqrt() * decay;
        let a = k.stiffness_offset;
        let root = (a + k.mass * omega * omega).sqrt();
        let inner = C64::new(2.0 * a + 2.0 * k.mass * omega * omega, omega * damping);
        let sum = self.impedance(omega, place_cm).sqrt() * -2.0 + C64::i() * inner / root;
        sum / decay
    }

    fn phase(&self, omega: f64, place_cm: f64) -> C64 {
        let k = self.0;
        let root = (k.scala_height_cm * (k.mass * omega * omega + k.stiffness_offset)).sqrt();
        let ratio = self.antiderivative(omega, 0.0) / self.antiderivative(omega, place_cm);
        let way = C64::new(0.0, 2.0 * omega / root) * ratio.ln();
        (self.wave_number(omega, 0.0) * 2.0 - way) / k.stiffness_decay
    }

    /// Pressure at a place, up to what is the same everywhere.
    fn pressure(&self, omega: f64, place_cm: f64) -> C64 {
        let phase = self.phase(omega, place_cm);
        let amplitude = (phase / self.wave_number(omega, place_cm)).sqrt();
        // The function fails only for arguments so large that the value would be zero: |G| stays
        // below 100 within a channel's band.
        amplitude * hankel1(0.0, phase).unwrap_or_default()
    }

    /// What the motion at every place is multiplied by: 2ω times the pressure at the base for a sound
    /// of unit amplitude, over that of [`pressure`](Self::pressure).
    fn at_base(&self, omega: f64) -> C64 {
        let k = self.0;
        let scale = (2.0 / (k.scala_height_cm * k.stiffness)).sqrt();
        let argument = C64::from(2.0 * omega / k.stiffness_decay * scale);
        // i·J₀ + Y₀ over J₁ − i·Y₁ is i times the ratio of Hankel functions of the second kind. The
        // argument is real and above zero, where these have neither poles nor zeros.
        let order0 = hankel2(0.0, argument).unwrap_or_default();
        let order1 = hankel2(1.0, argument).unwrap_or_default();
        let input = C64::i() * order0 / order1 * (2.0 * k.stiffness / k.scala_height_cm).sqrt();
        input * 2.0 * omega / self.pressure(omega, 0.0)
    }

    /// Velocity of the membrane at a place for a sound of unit amplitude.
    #[cfg(test)]
    fn velocity(&self, frequency_hz: f64, place_cm: f64) -> C64 {
        let omega = 2.0 * PI * frequency_hz;
        self.pressure(omega, place_cm) / self.impedance(omega, place_cm) * self.at_base(omega)
    }

    fn resonance_hz(&self, place_cm: f64) -> f64 {
        let stiffness = self.impedance(0.0, place_cm).re;
        (stiffness / self.0.mass).sqrt() / (2.0 * PI)
    }
}

/// Tables of the transfer function at so many places, from base to apex.
pub(super) fn tables(
    constants: &BasilarMembraneConstants,
    channels: usize,
    highest_hz: f64,
) -> Vec<Table<f32>> {
    let membrane = ShallowWater(constants);
    let shared_nodes = ((highest_hz - LOWEST_HZ) / SHARED_STEP_HZ).ceil() as usize + 4;
    let shared: Vec<C64> = (0..shared_nodes)
        .into_par_iter()
        .map(|i| membrane.at_base(2.0 * PI * (LOWEST_HZ + SHARED_STEP_HZ * i as f64)))
        .collect();
    let shared = Table::new(SHARED_STEP_HZ, shared);
    let table = |channel: usize| {
        let place_cm = place_cm(constants, channels, channel);
        let end_hz = (BAND * membrane.resonance_hz(place_cm)).clamp(2.0 * LOWEST_HZ, highest_hz);
        let step_hz = (end_hz - LOWEST_HZ) / (NODES - 1) as f64;
        let nodes = (0..NODES).map(|i| {
            let frequency_hz = LOWEST_HZ + step_hz * i as f64;
            let omega = 2.0 * PI * frequency_hz;
            let local = membrane.pressure(omega, place_cm) / membrane.impedance(omega, place_cm);
            let value = local * shared.at(frequency_hz);
            Complex::new(value.re as f32, value.im as f32)
        });
        let values = nodes.collect();
        Table { step_hz, values }
    };
    (0..channels).into_par_iter().map(table).collect()
}

/// Channels lie at equal distances, the first at the base and the last at the apex.
fn place_cm(constants: &BasilarMembraneConstants, channels: usize, channel: usize) -> f64 {
    constants.length_cm * channel as f64 / (channels.max(2) - 1) as f64
}

/// The frequency at which a table is largest.
pub(super) fn best_frequency_hz(table: &Table<f32>) -> f64 {
    let values = table.values.iter().enumerate();
    let best = values.max_by(|(_, a), (_, b)| a.norm_sqr().total_cmp(&b.norm_sqr()));
    LOWEST_HZ + table.step_hz * best.map_or(0, |(i, _)| i) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::EarPreset;

    #[test]
    fn tables_agree_with_the_function_and_end_where_it_is_negligible() {
        let constants = EarPreset::Shd.settings(8).basilar_membrane;
        let membrane = ShallowWater(&constants);
        for (channel, table) in tables(&constants, 8, 24_001.0).iter().enumerate() {
            let place_cm = place_cm(&constants, 8, channel);
            let largest = membrane.velocity(best_frequency_hz(table), place_cm).norm();
            let bin_hz = 1.257;
            let (mut re, mut im) = (Vec::new(), Vec::new());
            table.sweep(bin_hz, 20_000, &mut re, &mut im);
            for (bin, (&re, &im)) in re.iter().zip(&im).enumerate() {
                let exact = membrane.velocity(LOWEST_HZ + bin_hz * bin as f64, place_cm);
                let error = (C64::new(re.into(), im.into()) - exact).norm() / largest;
                assert!(error < 1e-5, "channel {channel}, bin {bin}: {error}");
            }
            let highest_hz = LOWEST_HZ + table.step_hz * (NODES - 1) as f64;
            let last_hz = LOWEST_HZ + bin_hz * (re.len() - 1) as f64;
            assert!(
                highest_hz - last_hz < bin_hz,
                "channel {channel} ends at {last_hz}"
            );
            if highest_hz < 24_000.0 {
                let beyond = membrane.velocity(highest_hz, place_cm).norm();
                assert!(beyond < 1e-6 * largest, "channel {channel}");
            }
        }
    }

    #[test]
    fn a_cubic_goes_through_its_nodes() {
        let nodes = [1.0, -2.0, 0.5, 7.0].map(|re| C64::new(re, -re * re));
        let cubic = Cubic::through(nodes);
        for (x, node) in nodes.iter().enumerate() {
            assert!((cubic.at(x as f64) - node).norm() < 1e-12);
        }
    }
}
