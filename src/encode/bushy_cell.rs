//! Bushy cells: from firing probabilities to the spikes that leave the ear.
//!
//! In: the probability, step by step, that a fibre of a channel fires. Out: one train of spikes a
//! channel, from a cell on which its fibres converge.

use ndarray_rand::rand_distr::{Distribution, Exp1};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::{BushyCellConstants, LANES, STEPS_PER_S};

/// The longest refractory period in steps.
const HISTORY: usize = 256;
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
/// The fibres of a channel are alike and the cell sums them, so only their number matters, and it is
/// drawn with the same law as fibre by fibre: while F fibres are free, no fibre fires with
/// probability (1 − p)^F, so the time to the next step with any spike is that at which the sum of
/// −F·ln(1 − p) passes an exponential variate, and the number then follows the binomial law without
/// its zero.
#[derive(Debug, Clone)]
pub struct BushyCell {
    fibres: u8,
    refractory_steps: usize,
    membrane_decay: f32,
    synapse_decay: f32,
    weight: f32,
}

/// State of neighbouring cells and of their fibres, one a lane.
pub(super) struct Cells {
    /// What is left of the exponential variate.
    until_next: [f32; LANES],
    free: [f32; LANES],
    /// Fibres that fired at each of the last steps, in a ring.
    fired: Box<[[u8; LANES]; HISTORY]>,
    current: [f32; LANES],
    potential: [f32; LANES],
    /// Steps of the refractory period that are left.
    refractory: [f32; LANES],
    random: Vec<ChaCha8Rng>,
}

impl BushyCell {
    /// Cells with these constants, which have been checked.
    pub(super) fn new(constants: &BushyCellConstants) -> Self {
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
            fired: Box::new([[0; LANES]; HISTORY]),
            current: [0.0; LANES],
            potential: [0.0; LANES],
            refractory: [0.0; LANES],
            random,
        }
    }

    /// One step of every lane; bit `lane` of what it returns is set where the cell spikes.
    #[inline(always)]
    pub(super) fn step(&self, cells: &mut Cells, step: usize, p: &[f32; LANES]) -> u32 {
        let now = step % HISTORY;
        let recovered = (step + HISTORY - self.refractory_steps) % HISTORY;
        let recovered = cells.fired[recovered];
        let mut due = false;
        let mut likely = false;
        for lane in 0..LANES {
            cells.free[lane] += f32::from(recovered[lane]);
            let p = p[lane];
            let hazard = p * (1.0 + p * (0.5 + p * (1.0 / 3.0 + p * (0.25 + p * (0.2 + p / 6.0)))));
            cells.until_next[lane] -= cells.free[lane] * hazard;
            due |= cells.until_next[lane] <= 0.0;
            likely |= p > SERIES_UP_TO;
        }
        cells.fired[now] = [0; LANES];
        if due || likely {
            self.fire_fibres(cells, now, p);
        }

        let mut spikes = 0;
        let fired = cells.fired[now];
        for lane in 0..LANES {
            let current = cells.current[lane] * self.synapse_decay + f32::from(fired[lane]);
            let integrated = cells.potential[lane] * self.membrane_decay + current * self.weight;
            let resting = cells.refractory[lane] > 0.0;
            let potential = if resting { 0.0 } else { integrated };
            let spike = potential >= 1.0;
            let waited = cells.refractory[lane] - 1.0;
            let refractory = if resting { waited } else { 0.0 };
            cells.current[lane] = current;
            cells.potential[lane] = if spike { 0.0 } else { potential };
            cells.refractory[lane] = if spike {
                self.refractory_steps as f32
            } else {
                refractory
            };
            spikes |= u32::from(spike) << lane;
        }
        spikes
    }

    /// Draws how many fibres fire in the lanes in which any does.
    #[cold]
    #[inline(never)]
    fn fire_fibres(&self, cells: &mut Cells, now: usize, p: &[f32; LANES]) {
        for (lane, random) in cells.random.iter_mut().enumerate() {
            let p = f64::from(p[lane]);
            let free = cells.free[lane];
            if p > f64::from(SERIES_UP_TO) {
                // The series was too small: the rest of the hazard is subtracted here.
                let p = p.min(1.0);
                let series =
                    p * (1.0 + p * (0.5 + p * (1.0 / 3.0 + p * (0.25 + p * (0.2 + p / 6.0)))));
                let rest = (-(-p).ln_1p() - series) as f32;
                // No fibre that is free: nothing, even where the hazard is infinite.
                if free > 0.0 {
                    cells.until_next[lane] -= free * rest;
                }
            }
            if cells.until_next[lane] <= 0.0 && free > 0.0 {
                let count = some_of(free as u8, p.min(1.0), random.random());
                cells.fired[now][lane] = count;
                cells.free[lane] -= f32::from(count);
                cells.until_next[lane] = Exp1.sample(random);
            }
        }
    }
}

/// A binomial variate of `n` draws with probability `p`, given that it is not zero; `uniform` lies
/// in [0, 1).
fn some_of(n: u8, p: f64, uniform: f64) -> u8 {
    let none = (1.0 - p).powi(i32::from(n));
    let mut left = uniform * (1.0 - none);
    let mut probability = none;
    for count in 1..n {
        probability *= f64::from(n - count + 1) / f64::from(count) * p / (1.0 - p);
        left -= probability;
        if left < 0.0 {
            return count;
        }
    }
    n
}
