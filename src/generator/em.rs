//! Expectation maximisation of Bernoulli mixtures whose components are shared by groups of samples.
//!
//! In: samples by concept. Out: probabilities of every bit in every component, and each concept's
//! weights of the components, at a maximum of the likelihood under the prior that
//! [`FitSettings::smoothing`] says. One group is a mixture of its own.
//!
//! Probabilities are kept between the smallest and the largest that a byte can stand for. What a step
//! maximises is concave in each of them, so cutting off gives the best within these bounds, and no step
//! makes the objective smaller. Sums are taken in the order of the samples, whatever the threads.

use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::log_table::{LogTable, add, shares};
use super::rounding::probability;
use super::samples::{BitSamples, WORD_BITS, for_each_set_bit};
use super::seeding::{first_probabilities, seeds};
use super::{FitSettings, FitTrace};
use crate::ceiling::{self, TooLarge};

/// Samples whose shares are computed at a time.
const SAMPLES_PER_BLOCK: usize = 16;
/// Words of every sample that are summed at a time.
const WORDS_PER_CHUNK: usize = 4;

/// A fitted mixture, before it is rounded.
pub(super) struct Fitted {
    /// Bits × components.
    pub(super) probabilities: Vec<f64>,
    /// Groups × components; each row sums to 1.
    pub(super) weights: Vec<f64>,
    pub(super) trace: FitTrace,
}

/// Fits components to groups of samples, the best of the starts that the settings want.
///
/// There is at least one group, none is empty, and all have as many bits.
///
/// # Errors
/// [`TooLarge`].
pub(super) fn fit(
    groups: &[&BitSamples],
    components: usize,
    settings: &FitSettings,
    random: &mut ChaCha8Rng,
) -> Result<Fitted, TooLarge> {
    let problem = Problem::new(groups, components, settings)?;
    let mut best: Option<Fitted> = None;
    for _ in 0..settings.starts {
        let fitted = problem.solve(random);
        if best
            .as_ref()
            .is_none_or(|best| fitted.trace.objective() > best.trace.objective())
        {
            best = Some(fitted);
        }
    }
    Ok(best.expect("settings were checked: one start or more"))
}

struct Problem<'a> {
    groups: &'a [&'a BitSamples],
    /// All samples with the number of their group.
    rows: Vec<(usize, &'a [u64])>,
    bits: usize,
    components: usize,
    settings: &'a FitSettings,
}

impl<'a> Problem<'a> {
    fn new(
        groups: &'a [&'a BitSamples],
        components: usize,
        settings: &'a FitSettings,
    ) -> Result<Self, TooLarge> {
        let bits = groups[0].bits();
        let of_group = |(index, group): (usize, &&'a BitSamples)| {
            let samples: &'a BitSamples = group;
            samples.iter().map(move |row| (index, row))
        };
        let rows: Vec<_> = groups.iter().enumerate().flat_map(of_group).collect();
        // Probabilities, two tables and sums; shares.
        let numbers = bits.saturating_mul(4).saturating_add(rows.len());
        let needed = ceiling::product(&[numbers, components, size_of::<f64>()]);
        let samples = rows.len();
        let what = format!("fitting {components} components to {samples} samples of {bits} bits");
        ceiling::check(&what, needed)?;
        Ok(Problem {
            groups,
            rows,
            bits,
            components,
            settings,
        })
    }

    fn solve(&self, random: &mut ChaCha8Rng) -> Fitted {
        let seeds = seeds(self.groups, self.components, random);
        let mut probabilities = first_probabilities(self.groups, &seeds, self.bits);
        probabilities.iter_mut().for_each(bound);
        let even = 1.0 / self.components as f64;
        let mut weights = vec![even; self.groups.len() * self.components];
        let enough = self.settings.tolerance * self.rows.len() as f64;
        let mut trace = FitTrace::default();
        let mut shares = vec![0.0; self.rows.len() * self.components];
        loop {
            let table = LogTable::new(&probabilities, self.components);
            let likelihood = self.expect(&table, &weights, &mut shares);
            let before = trace.objectives.last().copied();
            let objective = likelihood + self.log_prior(&table, &weights);
            trace.log_likelihoods.push(likelihood);
            trace.objectives.push(objective);
            let little = before.is_some_and(|before| objective - before <= enough);
            if little || trace.objectives.len() > self.settings.iterations {
                return Fitted {
                    probabilities,
                    weights,
                    trace,
                };
            }
            self.maximise(&shares, &mut probabilities, &mut weights);
        }
    }

    /// The components' shares in each sample (samples × components), and the log-likelihood of all.
    fn expect(&self, table: &LogTable, weights: &[f64], all_shares: &mut [f64]) -> f64 {
        let log_weights: Vec<f64> = weights.iter().map(|weight| weight.ln()).collect();
        let mut likelihoods = vec![0.0; self.rows.len()];
        let blocks = all_shares.par_chunks_mut(SAMPLES_PER_BLOCK * self.components);
        let blocks = blocks.zip(likelihoods.par_chunks_mut(SAMPLES_PER_BLOCK));
        let rows = self.rows.par_chunks(SAMPLES_PER_BLOCK);
        blocks.zip(rows).for_each(|((block, likelihoods), rows)| {
            let samples = block.chunks_exact_mut(self.components).zip(likelihoods);
            for ((scores, likelihood), &(group, row)) in samples.zip(rows) {
                let log_weights = &log_weights[group * self.components..][..self.components];
                table.scores(row, log_weights, scores);
                *likelihood = shares(scores);
            }
        });
        likelihoods.iter().sum()
    }

    /// The logarithm of the prior's density, but for a constant.
    fn log_prior(&self, table: &LogTable, weights: &[f64]) -> f64 {
        let smoothing = self.settings.smoothing;
        if smoothing == 0.0 {
            // A weight may be 0 then.
            return 0.0;
        }
        let of_weights: f64 = weights.iter().map(|weight| weight.ln()).sum();
        smoothing * (table.sum_of_logs() + of_weights)
    }

    fn maximise(&self, shares: &[f64], probabilities: &mut [f64], weights: &mut [f64]) {
        let (components, smoothing) = (self.components, self.settings.smoothing);
        let mut sums = vec![0.0; weights.len()];
        for (&(group, _), shares) in self.rows.iter().zip(shares.chunks_exact(components)) {
            add(&mut sums[group * components..][..components], shares);
        }
        let mut all = vec![0.0; components];
        for (group, sums) in sums.chunks_exact(components).enumerate() {
            add(&mut all, sums);
            let samples = self.groups[group].len() as f64;
            let whole = samples + components as f64 * smoothing;
            let weights = &mut weights[group * components..][..components];
            for (weight, sum) in weights.iter_mut().zip(sums) {
                *weight = (sum + smoothing) / whole;
            }
        }
        let chunk = WORDS_PER_CHUNK * WORD_BITS * components;
        let chunks = probabilities.par_chunks_mut(chunk).enumerate();
        chunks.for_each(|(index, probabilities)| {
            let mut set = vec![0.0; probabilities.len()];
            let first = index * WORDS_PER_CHUNK;
            for (&(_, row), shares) in self.rows.iter().zip(shares.chunks_exact(components)) {
                let last = (first + WORDS_PER_CHUNK).min(row.len());
                for_each_set_bit(&row[first..last], |bit| {
                    add(&mut set[bit * components..][..components], shares);
                });
            }
            let bits = probabilities.chunks_exact_mut(components);
            for (probabilities, set) in bits.zip(set.chunks_exact(components)) {
                for ((p, set), all) in probabilities.iter_mut().zip(set).zip(&all) {
                    let whole = all + 2.0 * smoothing;
                    // A component that has no part in any sample is as good as any: it stays.
                    if whole > 0.0 {
                        *p = (set + smoothing) / whole;
                        bound(p);
                    }
                }
            }
        });
    }
}

/// Cuts off what no byte can stand for.
fn bound(p: &mut f64) {
    *p = p.clamp(probability(0), probability(u8::MAX));
}
