use std::sync::Arc;

use ndarray::{ArrayView1, ArrayView2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use super::{AnyReadout, Collect, Readout};
use crate::neuron::decay;
use crate::real::Real;
use crate::registry::{BadSetting, Member, Part};

/// A leaky integrator for each class, which does not spike.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LeakySettings {
    /// Time constant of the filtered current in steps, α = exp(−1/tau): out ← β·out + flt, then
    /// flt ← α·flt + s·W. Without it nothing is filtered: out ← β·out + (1 − β)·s·W.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tau_syn_steps: Option<f64>,
    /// Time constant of the readout's potential in steps, β = exp(−1/tau).
    pub tau_mem_steps: f64,
    /// How a trace over time becomes one logit.
    pub over_time: OverTime,
    /// The first steps that a sum of softmax leaves out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skip_steps: usize,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// How the readout's trace over time becomes one logit a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum OverTime {
    /// The largest value; the first zero of the trace counts, so a logit is never negative.
    Max,
    /// The sum of all values.
    Sum,
    /// The last value.
    Last,
    /// The sum over time of the softmax over classes (Bittar & Garner 2022; Baronig et al. 2025), the first
    /// zero of the trace left out.
    SumOfSoftmax,
}

impl LeakySettings {
    /// The reference network's: filtered, 5 and 10 steps, read by its maximum.
    pub const DEQUINO2024: Self = LeakySettings {
        tau_syn_steps: Some(5.0),
        tau_mem_steps: 10.0,
        over_time: OverTime::Max,
        skip_steps: 0,
    };

    /// One without a filter, which reads from the first step on.
    pub fn new(tau_mem_steps: f64, over_time: OverTime) -> Self {
        LeakySettings {
            tau_syn_steps: None,
            tau_mem_steps,
            over_time,
            skip_steps: 0,
        }
    }

    /// The same with a filtered current of that time constant in steps.
    #[must_use]
    pub fn with_tau_syn_steps(mut self, tau_syn_steps: f64) -> Self {
        self.tau_syn_steps = Some(tau_syn_steps);
        self
    }

    /// The same, its trace read so.
    #[must_use]
    pub fn with_over_time(mut self, over_time: OverTime) -> Self {
        self.over_time = over_time;
        self
    }

    /// The same with so many first steps left out of a sum of softmax.
    #[must_use]
    pub fn with_skip_steps(mut self, skip_steps: usize) -> Self {
        self.skip_steps = skip_steps;
        self
    }
}

impl Member for LeakySettings {
    const KIND: &'static str = "leaky";
    const ABOUT: &'static str =
        "leaky integrators, read by over_time: max, sum, last or sum-of-softmax";

    fn check(&self) -> Result<(), BadSetting> {
        if let Some(tau) = self.tau_syn_steps {
            BadSetting::unless_positive("tau_syn_steps", tau)?;
        }
        BadSetting::unless_positive("tau_mem_steps", self.tau_mem_steps)?;
        if self.skip_steps > 0 && self.over_time != OverTime::SumOfSoftmax {
            let reason = "changes nothing unless over_time is \"sum-of-softmax\"; leave it out";
            return Err(BadSetting::new("skip_steps", reason));
        }
        Ok(())
    }

    fn in_longer_steps(mut self, factor: f64) -> Self {
        self.tau_syn_steps = self.tau_syn_steps.map(|tau| tau / factor);
        self.tau_mem_steps /= factor;
        // As much time as before, in whole steps.
        self.skip_steps = (self.skip_steps as f64 / factor).round() as usize;
        self
    }
}

impl Part<dyn AnyReadout> for LeakySettings {
    fn part(self) -> Arc<dyn AnyReadout> {
        let reading = Reading {
            over_time: self.over_time,
            skip_steps: self.skip_steps,
        };
        let beta = decay(self.tau_mem_steps);
        match self.tau_syn_steps {
            Some(tau_syn_steps) => Arc::new(Filtered {
                alpha: decay(tau_syn_steps),
                beta,
                reading,
            }),
            None => Arc::new(Leaky {
                decay: beta,
                // Without the loss of digits of 1 − d.
                gain: -(-1.0 / self.tau_mem_steps).exp_m1() as f32,
                reading,
            }),
        }
    }
}

/// How a trace becomes logits.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Reading {
    over_time: OverTime,
    skip_steps: usize,
}

impl Reading {
    fn collect(self) -> Option<Collect> {
        match self.over_time {
            OverTime::Max => Some(Collect::Max),
            OverTime::Sum => Some(Collect::Sum),
            OverTime::Last => Some(Collect::Last),
            OverTime::SumOfSoftmax => None,
        }
    }

    fn logits<R: Real>(self, trace: ArrayView2<'_, R>, logits: &mut [R]) {
        let Some(collect) = self.collect() else {
            let mut shares = logits.to_vec();
            for row in trace.rows().into_iter().skip(self.skip_steps) {
                softmax(row, &mut shares);
                for (sum, &share) in logits.iter_mut().zip(&shares) {
                    *sum = *sum + share;
                }
            }
            return;
        };
        collect.logits(trace, logits);
    }

    /// For a sum of softmax, with p the softmax of a step and e the error of the logits, p·(e − Σ p·e).
    fn logits_back<R: Real>(
        self,
        trace: ArrayView2<'_, R>,
        errors: &[R],
        mut of_trace: ArrayViewMut2<'_, R>,
    ) {
        if let Some(collect) = self.collect() {
            return collect.logits_back(trace, errors, of_trace);
        }
        let mut shares = errors.to_vec();
        let rows = of_trace.rows_mut().into_iter().zip(trace.rows());
        for (of_step, row) in rows.skip(self.skip_steps) {
            softmax(row, &mut shares);
            let products = shares
                .iter()
                .zip(errors)
                .map(|(&share, &error)| share * error);
            let Some(mean) = products.reduce(|sum, product| sum + product) else {
                return;
            };
            for ((slot, &share), &error) in of_step.into_iter().zip(&shares).zip(errors) {
                *slot = share * (error - mean);
            }
        }
    }
}

/// e^value over the sum of them all.
fn softmax<R: Real>(values: ArrayView1<'_, R>, shares: &mut [R]) {
    let Some(largest) = values.iter().copied().reduce(|most, value| value.max(most)) else {
        return;
    };
    let mut sum = largest.zero();
    for (share, &value) in shares.iter_mut().zip(values) {
        *share = (value - largest).exp();
        sum = sum + *share;
    }
    for share in shares {
        *share = *share / sum;
    }
}

/// out ← β·out + flt, then flt ← α·flt + drive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Filtered {
    /// Decay of the filtered input, α.
    alpha: f32,
    /// Decay of the output, β.
    beta: f32,
    reading: Reading,
}

impl Readout for Filtered {
    type State<R: Real> = [R; 2];

    #[inline(always)]
    fn step<R: Real>(&self, [out, filtered]: &mut [R; 2], drive: R) -> R {
        *out = (drive.constant(self.beta) * *out + *filtered).flush();
        *filtered = (drive.constant(self.alpha) * *filtered + drive).flush();
        *out
    }

    #[inline(always)]
    fn back<R: Real>(&self, [out, filtered]: &mut [R; 2], reaching: R) -> R {
        // The drive of a step reaches the output of the next.
        let of_drive = *filtered;
        *out = (reaching.constant(self.beta) * *out + reaching).flush();
        *filtered = (reaching.constant(self.alpha) * *filtered + *out).flush();
        of_drive
    }

    fn collect(&self) -> Option<Collect> {
        self.reading.collect()
    }

    fn logits<R: Real>(&self, trace: ArrayView2<'_, R>, logits: &mut [R]) {
        self.reading.logits(trace, logits);
    }

    fn logits_back<R: Real>(
        &self,
        trace: ArrayView2<'_, R>,
        errors: &[R],
        of_trace: ArrayViewMut2<'_, R>,
    ) {
        self.reading.logits_back(trace, errors, of_trace);
    }
}

/// out ← d·out + (1 − d)·drive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Leaky {
    /// Decay of the output, d.
    decay: f32,
    /// 1 − d.
    gain: f32,
    reading: Reading,
}

impl Readout for Leaky {
    type State<R: Real> = [R; 1];

    #[inline(always)]
    fn step<R: Real>(&self, [out]: &mut [R; 1], drive: R) -> R {
        let driven = drive.constant(self.gain) * drive;
        *out = (drive.constant(self.decay) * *out + driven).flush();
        *out
    }

    #[inline(always)]
    fn back<R: Real>(&self, [out]: &mut [R; 1], reaching: R) -> R {
        *out = (reaching.constant(self.decay) * *out + reaching).flush();
        reaching.constant(self.gain) * *out
    }

    fn collect(&self) -> Option<Collect> {
        self.reading.collect()
    }

    fn logits<R: Real>(&self, trace: ArrayView2<'_, R>, logits: &mut [R]) {
        self.reading.logits(trace, logits);
    }

    fn logits_back<R: Real>(
        &self,
        trace: ArrayView2<'_, R>,
        errors: &[R],
        of_trace: ArrayViewMut2<'_, R>,
    ) {
        self.reading.logits_back(trace, errors, of_trace);
    }
}
