//! Inner hair cells: from the membrane's motion to release of transmitter.
//!
//! In: velocities at 24 000 steps a second. Out: the probability, step by step, that an auditory
//! nerve fibre of the channel fires.

use ndarray::Array2;

use super::{EarPreset, EarSettings, EncodeError, HairCellConstants, LANES, STEPS_PER_S};

/// Hair cells of Meddis 1986 (JASA 79, 702) and 1988 (JASA 83, 1056), integrated by Euler steps.
///
/// Per step of dt, with the motion x and three pools q (free), c (cleft) and w (reprocessing store):
///
/// ```text
/// k = g·(x + A) / (x + A + B), or 0 where x + A ≤ 0
/// q ← q + dt·(y·(m − q) − k·q + x_r·w)      (y·(m − q) only where q < m)
/// c ← c + dt·(k·q − (l + r)·c)
/// w ← w + dt·(r·c − x_r·w)                  (all from the values before the step)
/// p = h·dt·c
/// ```
#[derive(Debug, Clone)]
pub struct HairCell {
    replenishment: f32,
    release: f32,
    clearing: f32,
    reuptake: f32,
    reprocessing: f32,
    permeability_offset: f32,
    permeability_half: f32,
    firing: f32,
    pool: f32,
    /// Pools of a cell that has heard nothing for long: free, cleft, store.
    at_rest: [f32; 3],
}

/// The pools of neighbouring hair cells, one a lane.
#[derive(Debug, Clone)]
pub(super) struct Pools {
    free: [f32; LANES],
    cleft: [f32; LANES],
    store: [f32; LANES],
}

impl HairCell {
    /// Cells with these constants, for themselves.
    ///
    /// # Errors
    /// [`EncodeError::BadSetting`].
    pub fn new(constants: &HairCellConstants) -> Result<Self, EncodeError> {
        let settings = EarSettings {
            hair_cell: constants.clone(),
            ..EarPreset::default().settings(1)
        };
        settings.check()?;
        Ok(Self::of_checked(constants))
    }

    /// Cells with these constants, which have been checked.
    pub(super) fn of_checked(constants: &HairCellConstants) -> Self {
        let k = constants;
        let permeability =
            k.release * k.permeability_offset / (k.permeability_offset + k.permeability_half);
        let clearing = k.loss + k.reuptake;
        let cleft = k.pool * k.replenishment * permeability
            / (k.loss * permeability + k.replenishment * clearing);
        let per_step = |rate: f64| (rate / STEPS_PER_S) as f32;
        HairCell {
            replenishment: per_step(k.replenishment),
            release: per_step(k.release),
            clearing: per_step(clearing),
            reuptake: per_step(k.reuptake),
            reprocessing: per_step(k.reprocessing),
            permeability_offset: k.permeability_offset as f32,
            permeability_half: k.permeability_half as f32,
            firing: per_step(k.firing),
            pool: k.pool as f32,
            at_rest: [
                (cleft * clearing / permeability) as f32,
                cleft as f32,
                (cleft * k.reuptake / k.reprocessing) as f32,
            ],
        }
    }

    /// Firing probabilities for the motion of any number of channels, channels × steps each.
    pub fn firing_probability(&self, motion: &Array2<f32>) -> Array2<f32> {
        let (channels, steps) = motion.dim();
        let mut probability = Array2::zeros((channels, steps));
        for first in (0..channels).step_by(LANES) {
            let lanes = LANES.min(channels - first);
            let mut pools = self.at_rest();
            for step in 0..steps {
                let mut x = [0.0; LANES];
                for (lane, x) in x[..lanes].iter_mut().enumerate() {
                    *x = motion[(first + lane, step)];
                }
                let p = self.step(&mut pools, &x);
                for (lane, &p) in p[..lanes].iter().enumerate() {
                    probability[(first + lane, step)] = p;
                }
            }
        }
        probability
    }

    pub(super) fn at_rest(&self) -> Pools {
        let [free, cleft, store] = self.at_rest.map(|pool| [pool; LANES]);
        Pools { free, cleft, store }
    }

    /// One step of every lane; returns the firing probabilities after it.
    #[inline(always)]
    pub(super) fn step(&self, pools: &mut Pools, motion: &[f32; LANES]) -> [f32; LANES] {
        let mut probability = [0.0; LANES];
        for lane in 0..LANES {
            let open = motion[lane] + self.permeability_offset;
            let permeability = self.release * open / (open + self.permeability_half);
            let permeability = if open > 0.0 { permeability } else { 0.0 };
            let (free, cleft, store) = (pools.free[lane], pools.cleft[lane], pools.store[lane]);
            let missing = self.pool - free;
            let replenished = self.replenishment * if missing > 0.0 { missing } else { 0.0 };
            let ejected = permeability * free;
            let reprocessed = self.reprocessing * store;
            let free = free + replenished - ejected + reprocessed;
            let next = cleft + ejected - self.clearing * cleft;
            let store = store + self.reuptake * cleft - reprocessed;
            pools.free[lane] = if free > 0.0 { free } else { 0.0 };
            pools.cleft[lane] = if next > 0.0 { next } else { 0.0 };
            pools.store[lane] = if store > 0.0 { store } else { 0.0 };
            probability[lane] = self.firing * pools.cleft[lane];
        }
        probability
    }
}
