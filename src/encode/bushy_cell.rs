//! Bushy cells: from firing probabilities to the spikes that leave the ear.
//!
//! In: the probability, step by step, that a fibre of a channel fires. Out: one train of spikes a
//! channel, from a cell on which its fibres converge.

use ndarray::Array2;
use ndarray_rand::rand_distr::{Distribution, Exp1};
use rand_chacha::ChaCha8Rng;

use super::{BushyCellConstants, EarPreset, EarSettings, EncodeError, LANES, STEPS_PER_S};
use crate::ids::SoundPrint;
use crate::random::{MasterSeed, Purpose};
use crate::spikes::EventStream;

/// The longest refractory period in steps.
const HISTORY: usize = 256;
/// The bit that says that a float is negative.
const SIGN: u32 = 1 << 31;
/// Above this probability the series for −ln(1 − p) is not good enough.
const SERIES_UP_TO: f32 = 0.0625;

/// Bushy cells as in Cramer et al. 2020: leaky integrate-and-fire cells with an exponential synapse,
/// each driven by the fibres of its channel.
///
/// Per step of dt, with s fibres firing:
///
/// ```text
/// I ← e^(−dt/τ_syn)·I + s
/// V ← e^(−dt/τ_mem)·V + I·dt·(w / fibres), or 0 while refractory; a spike where V ≥ 1, then V ← 0
/// ```
///
/// A fibre fires with probability p at each step unless it has fired within the refractory period.
/// Asking one free fibre after the other, step by step, the next that fires is that at which the sum
/// of −ln(1 − p) over those asked passes an exponential variate. So one variate a spike has the same
/// law as a draw for every fibre at every step.
#[derive(Debug, Clone)]
pub struct BushyCell {
    fibres: u8,
    refractory_steps: usize,
    membrane_decay: f32,
    synapse_decay: f32,
    weight: f32,
}

/// The stream of random numbers of a channel's fibres.
pub(super) fn fibres(seed: MasterSeed, sound: SoundPrint, channel: usize) -> ChaCha8Rng {
    seed.named_stream(Purpose::Fibres, &sound.0.to_le_bytes(), channel as u64)
}

/// Step and unit of the spikes of the set bits of `lanes`, the first of which is channel `first`.
pub(super) fn spikes_of(step: usize, first: usize, lanes: u32) -> impl Iterator<Item = (u32, u16)> {
    let set = (0..LANES).filter(move |lane| lanes >> lane & 1 == 1);
    // Steps of a minute and channels up to 65536 fit their types.
    set.map(move |lane| (step as u32, (first + lane) as u16))
}

/// Spikes as events, in the order of their times and then of their units.
pub(super) fn in_order(mut spikes: Vec<(u32, u16)>) -> EventStream {
    spikes.sort_unstable();
    let times_s = spikes
        .iter()
        .map(|&(step, _)| f64::from(step) / STEPS_PER_S);
    let units = spikes.iter().map(|&(_, unit)| unit);
    // Every step divided by a rate is finite and not negative, and there are as many units.
    EventStream::new(times_s.collect(), units.collect()).unwrap_or_default()
}

/// State of neighbouring cells and of their fibres, one a lane.
#[derive(Clone)]
pub(super) struct Cells {
    /// What is left of the exponential variate.
    until_next: [f32; LANES],
    free: [f32; LANES],
    /// Fibres that fired at each of the last steps, in a ring.
    fired: Box<[[f32; LANES]; HISTORY]>,
    current: [f32; LANES],
    potential: [f32; LANES],
    /// Steps of the refractory period that are left.
    refractory: [f32; LANES],
    random: Vec<ChaCha8Rng>,
}

impl BushyCell {
    /// Cells with these constants, for themselves.
    ///
    /// # Errors
    /// [`EncodeError::BadSetting`].
    pub fn new(constants: &BushyCellConstants) -> Result<Self, EncodeError> {
        let settings = EarSettings {
            bushy_cell: constants.clone(),
            ..EarPreset::default().settings(1)
        };
        settings.check()?;
        Ok(Self::of_checked(constants))
    }

    /// The spikes that follow from firing probabilities, channels × steps, in the order of their
    /// times; units are the channels, of which there are up to 65536.
    ///
    /// The fibres' chance is that of [`InnerEar::encode`](super::InnerEar::encode) for the same seed
    /// and sound.
    pub fn fire(
        &self,
        probability: &Array2<f32>,
        seed: MasterSeed,
        sound: SoundPrint,
    ) -> EventStream {
        let (channels, steps) = probability.dim();
        let mut spikes = Vec::new();
        for first in (0..channels).step_by(LANES) {
            let lanes = LANES.min(channels - first);
            let random = (first..first + lanes).map(|channel| fibres(seed, sound, channel));
            let mut cells = self.at_rest(random.collect());
            for step in 0..steps {
                let mut p = [0.0; LANES];
                for (lane, p) in p[..lanes].iter_mut().enumerate() {
                    *p = probability[(first + lane, step)];
                }
                let fired = self.step(&mut cells, step, &p);
                spikes.extend(spikes_of(step, first, fired));
            }
        }
        in_order(spikes)
    }

    /// Cells with these constants, which have been checked.
    pub(super) fn of_checked(constants: &BushyCellConstants) -> Self {
        let k = constants;
        let decay = |tau_s: f64| (-1.0 / (STEPS_PER_S * tau_s)).exp() as f32;
        // A fibre that fired at step t fires again at t + refractory_steps at the earliest.
        let steps = (k.refractory_s * STEPS_PER_S).ceil() as usize;
        BushyCell {
            fibres: k.fibres,
            refractory_steps: steps.clamp(1, HISTORY - 1),
            membrane_decay: decay(k.tau_mem_s),
            synapse_decay: decay(k.tau_syn_s),
            weight: (k.weight / f64::from(k.fibres) / STEPS_PER_S) as f32,
        }
    }

    /// Cells that have been silent, with a stream of random numbers each.
    pub(super) fn at_rest(&self, mut random: Vec<ChaCha8Rng>) -> Cells {
        let mut until_next = [f32::INFINITY; LANES];
        for (slot, random) in until_next.iter_mut().zip(&mut random) {
            *slot = Exp1.sample(random);
        }
        Cells {
            until_next,
            free: [f32::from(self.fibres); LANES],
            fired: Box::new([[0.0; LANES]; HISTORY]),
            current: [0.0; LANES],
            potential: [0.0; LANES],
            refractory: [0.0; LANES],
            random,
        }
    }

    /// One step of every lane; bit `lane` of what it returns is set where the cell spikes.
    #[inline(always)]
    pub(super) fn step(&self, cells: &mut Cells, step: usize, p: &[f32; LANES]) -> u32 {
        let recovered = (step + HISTORY - self.refractory_steps) % HISTORY;
        let recovered = cells.fired[recovered];
        let mut hazard = [0.0; LANES];
        for (lane, &p) in p.iter().enumerate() {
            let series = 1.0 / 3.0 + p * (0.25 + p * (0.2 + p * (1.0 / 6.0)));
            hazard[lane] = p * (1.0 + p * (0.5 + p * series));
            cells.free[lane] += recovered[lane];
            cells.until_next[lane] -= cells.free[lane] * hazard[lane];
        }
        let fired = &mut cells.fired[step % HISTORY];
        *fired = [0.0; LANES];
        // What is negative has its first bit set: the lanes in which fibres are due, and in which the
        // series is not good enough.
        let mut due = 0;
        for (lane, (left, p)) in cells.until_next.iter().zip(p).enumerate() {
            due |= ((left.to_bits() | (SERIES_UP_TO - p).to_bits()) >> 31) << lane;
        }
        if due != 0 {
            self.fire_fibres(cells, step % HISTORY, due, p, &hazard);
        }

        let fired = &cells.fired[step % HISTORY];
        let mut below = SIGN;
        for (lane, fired) in fired.iter().enumerate() {
            let current = cells.current[lane] * self.synapse_decay + fired;
            let integrated = cells.potential[lane] * self.membrane_decay + current * self.weight;
            let resting = cells.refractory[lane] > 0.0;
            let potential = if resting { 0.0 } else { integrated };
            cells.current[lane] = current;
            cells.potential[lane] = potential;
            cells.refractory[lane] -= 1.0;
            below &= (potential - 1.0).to_bits();
        }
        match below & SIGN {
            0 => self.spike(cells),
            _ => 0,
        }
    }

    /// Resets the cells that have reached the threshold, and says which.
    #[inline(never)]
    fn spike(&self, cells: &mut Cells) -> u32 {
        let mut spikes = 0;
        for lane in 0..LANES {
            if cells.potential[lane] >= 1.0 {
                cells.potential[lane] = 0.0;
                cells.refractory[lane] = self.refractory_steps as f32;
                spikes |= 1 << lane;
            }
        }
        spikes
    }

    /// Lets fibres fire in the lanes in which some are due.
    #[inline(always)]
    fn fire_fibres(
        &self,
        cells: &mut Cells,
        now: usize,
        mut due: u32,
        p: &[f32; LANES],
        hazard: &[f32; LANES],
    ) {
        while due != 0 {
            let lane = due.trailing_zeros() as usize;
            due &= due - 1;
            let Some(random) = cells.random.get_mut(lane) else {
                continue;
            };
            let (free, mut hazard) = (cells.free[lane], hazard[lane]);
            let mut left = cells.until_next[lane];
            if p[lane] > SERIES_UP_TO {
                // The series was too small: the hazard is taken from the logarithm instead.
                left += free * hazard;
                hazard = -(-p[lane].min(1.0)).ln_1p();
                if free > 0.0 {
                    left -= free * hazard;
                }
                cells.until_next[lane] = left;
            }
            if left < 0.0 && free > 0.0 {
                let before = (left + free * hazard).max(0.0);
                let (fired, left) = ask_fibres(free, hazard, before, random);
                cells.fired[now][lane] = fired;
                cells.free[lane] = free - fired;
                cells.until_next[lane] = left;
            }
        }
    }
}

/// Asks `free` fibres in turn, each of which uses up `hazard` of `left`, and fires when nothing is
/// left; then a new variate is drawn. Returns how many fire, and what is left.
#[inline(always)]
fn ask_fibres(free: f32, hazard: f32, mut left: f32, random: &mut ChaCha8Rng) -> (f32, f32) {
    let (mut to_ask, mut fired) = (free, 0.0);
    while to_ask > 0.0 {
        let asked = (left / hazard).floor() + 1.0;
        if asked > to_ask {
            return (fired, left - to_ask * hazard);
        }
        fired += 1.0;
        to_ask -= asked;
        left = Exp1.sample(random);
    }
    (fired, left)
}
