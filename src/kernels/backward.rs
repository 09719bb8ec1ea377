//! A layer of neurons backward in time, for a block of samples.

use super::dense::PackedTranspose;
use super::lanes::{Kernel, Lanes, Vector};
use super::layer::{Of, count, fields, put_fields, tape_numbers, vectors, vectors_mut};
use crate::neuron::{Neuron, Spike, Taken};
use crate::real::{Fields, Real};
use crate::simd::Simd;
use crate::surrogate::AnySurrogate;

/// What drives the errors of a layer's spikes from above.
pub(crate) enum Above<'a> {
    /// δ of the layer above, samples × steps × `stride`, through Wᵀ.
    Layer {
        delta: &'a [f32],
        stride: usize,
        feedforward: &'a PackedTranspose,
    },
    /// ∂L/∂s itself, samples × steps × the layer's own stride.
    Errors(&'a [f32]),
}

/// Turns δ of the layer above into ∂L/∂s of what drives it, for all steps that errors reach.
pub(crate) struct ErrorsBelow<'a> {
    /// Samples × steps × `above_stride`.
    pub delta: &'a [f32],
    pub above_stride: usize,
    /// Wᵀ of the layer above.
    pub feedforward: &'a PackedTranspose,
    pub reach: &'a [(usize, usize)],
    pub steps: usize,
    /// Samples × steps × `stride`.
    pub errors: &'a mut [f32],
    pub stride: usize,
}

impl Kernel for ErrorsBelow<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        for &(sample, reached) in self.reach {
            let start = sample * self.steps;
            let errors = &mut self.errors[start * self.stride..][..reached * self.stride];
            errors.fill(0.0);
            let row = |step: usize| &self.delta[(start + step) * self.above_stride..];
            self.feedforward
                .add_product(lanes, errors, self.stride, reached, row);
        }
    }
}

/// Turns δ of the layer above into δ of this layer.
///
/// Samples reach different numbers of steps: `reach` lists a place among the block's samples and
/// how many steps errors reach, the farthest first. All that belongs to a sample lies at its place
/// in `above`, `tape` and `delta`.
pub(crate) struct LayerBackward<'a> {
    /// As [`LayerForward`](super::layer::LayerForward) has them.
    pub parameters: &'a [f32],
    pub surrogate: &'a dyn AnySurrogate,
    /// What this is compiled for, and the surrogate is.
    pub simd: Simd,
    pub reach: &'a [(usize, usize)],
    pub steps: usize,
    pub above: Above<'a>,
    /// Vᵀ of this layer, if it is recurrent.
    pub recurrent: Option<&'a PackedTranspose>,
    /// Tapes: samples × steps × rows of whole vectors.
    pub tape: &'a [f32],
    pub stride: usize,
    /// What adds to ∂L/∂s in every step, if anything does: samples × `stride`.
    pub every_step: Option<&'a [f32]>,
    /// ∂L/∂membrane, if a loss depends on it: samples × steps × `stride`.
    pub membrane: Option<&'a [f32]>,
    /// A row of zeros.
    pub zeros: &'a [f32],
    /// δ of this layer, as far as each sample reaches: samples × steps × `stride`.
    pub delta: &'a mut [f32],
    /// Room for ∂L/∂s and the surrogate's values of one step, samples × `stride` each.
    pub error_spike: &'a mut [f32],
    pub slope: &'a mut [f32],
    /// ∂L/∂state, samples × rows; 0 on entry.
    pub errors: &'a mut [f32],
    /// Where ∂L/∂parameters are added, if any is learned: as many rows as there are parameters.
    pub gradient: Option<&'a mut [f32]>,
}

impl<N: Neuron> Kernel for Of<'_, N, LayerBackward<'_>> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let (neuron, mut this) = (self.model, self.work);
        let stride = this.stride;
        let tape_row = tape_numbers::<N>() * stride;
        let states = count::<N::State<f32>>() * stride;
        let last = this.reach.first().map_or(0, |first| first.1);
        let mut active = 0;
        for step in (0..last).rev() {
            let after = active;
            while active < this.reach.len() && this.reach[active].1 > step {
                active += 1;
            }
            let place = |rank: usize| this.reach[rank].0 * this.steps + step;
            let error = &mut this.error_spike[..active * stride];
            match this.every_step {
                Some(same) => {
                    for (error, (place, _)) in error.chunks_exact_mut(stride).zip(this.reach) {
                        error.copy_from_slice(&same[place * stride..][..stride]);
                    }
                }
                None => error.fill(0.0),
            }
            match this.above {
                Above::Layer {
                    delta,
                    stride: above_stride,
                    feedforward,
                } => {
                    let row = |rank: usize| &delta[place(rank) * above_stride..];
                    feedforward.add_product(lanes, error, stride, active, row);
                }
                Above::Errors(errors) => {
                    for (rank, error) in error.chunks_exact_mut(stride).enumerate() {
                        let given = &errors[place(rank) * stride..][..stride];
                        for (error, given) in error.iter_mut().zip(given) {
                            *error += given;
                        }
                    }
                }
            }
            if let Some(recurrent) = this.recurrent {
                let delta = &*this.delta;
                let row = |rank: usize| &delta[(place(rank) + 1) * stride..];
                recurrent.add_product(lanes, error, stride, after, row);
            }
            let slope = &mut this.slope[..active * stride];
            for (rank, slope) in slope.chunks_exact_mut(stride).enumerate() {
                let tape = vectors(lanes, &this.tape[place(rank) * tape_row..][..tape_row]);
                let tape = tape.chunks_exact(count::<N::Tape<f32>>());
                let parameters = vectors(lanes, this.parameters);
                let parameters = parameters.chunks_exact(count::<N::Parameters<f32>>());
                let units = parameters.zip(tape).zip(vectors_mut(lanes, slope));
                for ((parameters, tape), slope) in units {
                    let parameters = fields(lanes, parameters);
                    *slope = neuron.distance(&parameters, &fields(lanes, tape)).1;
                }
            }
            // Of all samples at once.
            this.surrogate.slopes(this.simd, slope);
            let rows = error.chunks_exact(stride).zip(slope.chunks_exact(stride));
            for (rank, (error_spike, slope)) in rows.enumerate() {
                let mut back = UnitsBack {
                    neuron,
                    parameters: this.parameters,
                    tape: &this.tape[place(rank) * tape_row..][..tape_row],
                    error_spike,
                    slope,
                    error_membrane: match this.membrane {
                        Some(errors) => &errors[place(rank) * stride..][..stride],
                        None => this.zeros,
                    },
                    errors: &mut this.errors[rank * states..][..states],
                    delta: &mut this.delta[place(rank) * stride..][..stride],
                };
                match &mut this.gradient {
                    Some(gradient) => {
                        let count = count::<N::Parameters<f32>>();
                        let gradient = vectors_mut(lanes, gradient);
                        let mut sums = gradient.chunks_exact_mut(count);
                        back.run(lanes, |of_step| {
                            let sums = sums.next().unwrap_or_default();
                            for (sum, value) in sums.iter_mut().zip(of_step.as_ref()) {
                                *sum = lanes.add_f32s(*sum, value.1);
                            }
                        });
                    }
                    None => back.run(lanes, |_| {}),
                }
            }
        }
    }
}

/// One sample in one step: on entry the errors of the state are those after the step, on return those
/// before it.
struct UnitsBack<'a, N: Neuron> {
    neuron: &'a N,
    parameters: &'a [f32],
    tape: &'a [f32],
    error_spike: &'a [f32],
    slope: &'a [f32],
    error_membrane: &'a [f32],
    errors: &'a mut [f32],
    delta: &'a mut [f32],
}

impl<N: Neuron> UnitsBack<'_, N> {
    #[inline(always)]
    fn run<L: Lanes>(&mut self, lanes: L, mut add: impl FnMut(N::Parameters<Vector<L>>)) {
        let parameters = vectors(lanes, self.parameters);
        let parameters = parameters.chunks_exact(count::<N::Parameters<f32>>());
        let tape = vectors(lanes, self.tape).chunks_exact(count::<N::Tape<f32>>());
        let errors = vectors_mut(lanes, self.errors);
        let errors = errors.chunks_exact_mut(count::<N::State<f32>>());
        let spikes = vectors(lanes, self.error_spike).iter();
        let membranes = vectors(lanes, self.error_membrane);
        let given = spikes.zip(vectors(lanes, self.slope)).zip(membranes);
        let units = parameters.zip(tape).zip(errors);
        let units = units.zip(given).zip(vectors_mut(lanes, self.delta));
        for ((((parameters, tape), errors_of_units), given), delta) in units {
            let ((&error_spike, &slope), &error_membrane) = given;
            let (parameters, tape) = (fields(lanes, parameters), fields(lanes, tape));
            let mut errors = fields(lanes, errors_of_units);
            let slope = Vector(lanes, slope);
            let mut gradient = N::Parameters::from_fn(|_| slope.zero());
            let step = Taken {
                tape,
                spike: Spike::of(self.neuron.distance(&parameters, &tape)),
                error_spike: Vector(lanes, error_spike),
                slope,
                error_membrane: Vector(lanes, error_membrane),
            };
            let back = self
                .neuron
                .back(&parameters, step, &mut errors, &mut gradient);
            *delta = back.1;
            put_fields(errors, errors_of_units);
            add(gradient);
        }
    }
}
