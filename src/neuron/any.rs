//! Neurons of any model behind one interface: one call a layer and block, or a layer and sample.

#![allow(
    private_interfaces,
    reason = "what takes types of the kernels is for the engine alone"
)]

use std::fmt::Debug;

use super::{Neuron, Quantity, Role, Start};
use crate::check::{ExactLayer, ExactNeurons};
use crate::kernels::backward::LayerBackward;
use crate::kernels::buffers::Buffer;
use crate::kernels::lanes::{padded, run, width};
use crate::kernels::layer::{FreeDecay, LayerForward, Observe, Of, count, tape_numbers};
use crate::real::Fields;
use crate::registry::BadSetting;
use crate::simd::Simd;

/// A [`Neuron`] whose type is not known.
pub trait AnyNeuron: Debug + Send + Sync {
    /// [`Neuron::roles`].
    fn roles(&self) -> Vec<Role>;
    /// [`Neuron::observed`].
    fn observed(&self) -> &'static [&'static str];
    /// [`Neuron::observed_in_words`].
    fn observed_in_words(&self) -> &'static [&'static str];
    /// [`Neuron::quantity`].
    fn quantity(&self, role: &Role, raw: f64) -> Quantity;
    #[doc(hidden)]
    /// Refuses roles that contradict themselves.
    #[doc(hidden)]
    fn check_roles(&self) -> Result<(), BadSetting>;
    #[doc(hidden)]
    /// Numbers of a unit: state variables, tape, and parameters of a step.
    fn counts(&self) -> Counts;

    #[doc(hidden)]
    /// Parameters of a step for the kernels, from raw ones: one list a role, as long as there are units, or
    /// with one number for all. Units that fill up the last vector have what the last unit has.
    fn parameters(&self, simd: Simd, raw: &[&[f32]], units: usize) -> Buffer;

    #[doc(hidden)]
    /// A row from which the neuron proves silence, if it can.
    fn silence(
        &self,
        simd: Simd,
        parameters: &[f32],
        units: usize,
        is_uniform: bool,
    ) -> Option<Buffer>;

    #[doc(hidden)]
    /// Adds ∂L/∂raw of so many units to lists like `raw`, from ∂L/∂parameters as the kernels leave them.
    fn raw_gradient(
        &self,
        simd: Simd,
        raw: &[&[f32]],
        gradient: &[f32],
        units: usize,
        sums: &mut [Vec<f32>],
    );

    /// A layer of so many units in f64, from raw parameters.
    #[doc(hidden)]
    fn exact(&self, raw: Vec<Vec<f64>>, units: usize) -> Box<dyn ExactLayer + '_>;
    #[doc(hidden)]
    fn forward(&self, simd: Simd, work: LayerForward<'_>) -> usize;
    #[doc(hidden)]
    fn free_decay(&self, simd: Simd, work: FreeDecay<'_>);
    #[doc(hidden)]
    fn backward(&self, simd: Simd, work: LayerBackward<'_>);
    #[doc(hidden)]
    fn observe(&self, simd: Simd, work: Observe<'_>);
}

/// How many numbers a unit has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// State variables.
    pub states: usize,
    /// Numbers of the tape.
    pub tape: usize,
    /// Parameters of a step.
    pub parameters: usize,
}

/// Where a field of a unit lies among those of all units: fields of the units of one vector lie one vector
/// after the other.
pub(crate) fn place(simd: Simd, count: usize, field: usize, unit: usize) -> usize {
    let width = width(simd);
    (unit / width * count + field) * width + unit % width
}

/// The raw parameters of one unit.
fn raw_of<F: Fields<f32>>(raw: &[&[f32]], unit: usize) -> F {
    F::from_fn(|role| raw[role][unit.min(raw[role].len() - 1)])
}

impl<N: Neuron> AnyNeuron for N {
    fn roles(&self) -> Vec<Role> {
        Neuron::roles(self)
    }

    fn observed(&self) -> &'static [&'static str] {
        Neuron::observed(self)
    }

    fn observed_in_words(&self) -> &'static [&'static str] {
        Neuron::observed_in_words(self)
    }

    fn quantity(&self, role: &Role, raw: f64) -> Quantity {
        Neuron::quantity(self, role, raw)
    }

    fn check_roles(&self) -> Result<(), BadSetting> {
        let bad = |key: &str, reason: String| Err(BadSetting::new(key, reason));
        let roles = Neuron::roles(self);
        let raw = N::Raw::<f32>::COUNT;
        if roles.len() != raw {
            let found = roles.len();
            return bad(
                "roles",
                format!("must be {raw}, as many as `Raw` has, not {found}"),
            );
        }
        let seen = N::Observed::<f32>::COUNT;
        if Neuron::observed(self).len() != seen || seen == 0 {
            let reason = "must be as many names as `Observed` has, the membrane first";
            return bad("observed", reason.to_string());
        }
        if Neuron::observed_in_words(self).len() != seen {
            let reason = format!("must be {seen}, as many as `observed` has");
            return bad("observed_in_words", reason);
        }
        for (place, role) in roles.iter().enumerate() {
            let name = role.name.to_string();
            if roles[..place].iter().any(|before| before.name == role.name) {
                return bad(&name, "must not be the name of two roles".to_string());
            }
            let (low, high) = match role.start {
                Start::At(value) => (value, value),
                Start::Between(low, high) => (low, high),
            };
            let (least, most) = role.learned.map_or((low, high), |learned| learned.range);
            let is_ordered = least <= low && low <= high && high <= most;
            if !(is_ordered && least.is_finite() && most.is_finite()) {
                let reason = format!(
                    "must begin within its range: it begins at {low} to {high}, and {least} to {most} is allowed"
                );
                return bad(&name, reason);
            }
        }
        Ok(())
    }

    fn counts(&self) -> Counts {
        Counts {
            states: count::<N::State<f32>>(),
            tape: tape_numbers::<N>(),
            parameters: count::<N::Parameters<f32>>(),
        }
    }

    fn parameters(&self, simd: Simd, raw: &[&[f32]], units: usize) -> Buffer {
        let (count, width) = (self.counts().parameters, width(simd));
        let mut parameters = Buffer::stale(count * padded(simd, units));
        let uniform = raw.iter().all(|role| role.len() == 1);
        let uniform = uniform.then(|| Neuron::parameters::<f32>(self, &raw_of(raw, 0)));
        for (index, of_units) in parameters.chunks_exact_mut(count * width).enumerate() {
            if let Some(of_unit) = uniform {
                let fields = of_units.chunks_exact_mut(width).zip(of_unit.as_ref());
                fields.for_each(|(lanes, &value)| lanes.fill(value));
                continue;
            }
            for lane in 0..width {
                let of_unit = raw_of(raw, index * width + lane);
                let of_unit = Neuron::parameters::<f32>(self, &of_unit);
                let slots = of_units[lane..].iter_mut().step_by(width);
                slots
                    .zip(of_unit.as_ref())
                    .for_each(|(slot, &value)| *slot = value);
            }
        }
        parameters
    }

    fn silence(
        &self,
        simd: Simd,
        parameters: &[f32],
        units: usize,
        is_uniform: bool,
    ) -> Option<Buffer> {
        let count = self.counts().parameters;
        let mut silence = Buffer::stale(padded(simd, units));
        let of_unit = |unit: usize| {
            let of_unit = N::Parameters::<f64>::from_fn(|field| {
                f64::from(parameters[place(simd, count, field, unit)])
            });
            Some(Neuron::silence(self, &of_unit)? as f32)
        };
        match is_uniform {
            true => silence.fill(of_unit(0)?),
            false => {
                for (unit, slot) in silence.iter_mut().enumerate() {
                    *slot = of_unit(unit)?;
                }
            }
        }
        Some(silence)
    }

    fn raw_gradient(
        &self,
        simd: Simd,
        raw: &[&[f32]],
        gradient: &[f32],
        units: usize,
        sums: &mut [Vec<f32>],
    ) {
        let count = self.counts().parameters;
        for unit in 0..units {
            let of_unit =
                N::Parameters::<f32>::from_fn(|field| gradient[place(simd, count, field, unit)]);
            let of_raw = Neuron::raw_gradient::<f32>(self, &raw_of(raw, unit), &of_unit);
            for (sum, &value) in sums.iter_mut().zip(of_raw.as_ref()) {
                let place = unit.min(sum.len() - 1);
                sum[place] += value;
            }
        }
    }

    fn exact(&self, raw: Vec<Vec<f64>>, units: usize) -> Box<dyn ExactLayer + '_> {
        Box::new(ExactNeurons::new(self, raw, units))
    }

    fn forward(&self, simd: Simd, work: LayerForward<'_>) -> usize {
        run(simd, Of { model: self, work })
    }

    fn free_decay(&self, simd: Simd, work: FreeDecay<'_>) {
        run(simd, Of { model: self, work });
    }

    fn backward(&self, simd: Simd, work: LayerBackward<'_>) {
        run(simd, Of { model: self, work });
    }

    fn observe(&self, simd: Simd, work: Observe<'_>) {
        run(simd, Of { model: self, work });
    }
}
