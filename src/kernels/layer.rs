//! A layer of neurons, forward in time, whatever the neuron.

use super::gather::{Rows, list_active};
use super::lanes::{Kernel, Lanes, Pass, Vector, load, passes};
use crate::neuron::{Neuron, Spike, Taken};
use crate::real::{Fields, Real};

/// What drives a layer for the whole of a sample.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SynapticInput<'a> {
    /// Spikes of the layer before (steps × words) through the input weights, in rows of whole vectors.
    Spikes {
        words: &'a [u64],
        words_per_step: usize,
        weight: &'a [f32],
    },
    /// The input current itself, a row of whole vectors for each step.
    Currents(&'a [f32]),
}

/// Work on a layer of some neuron, or on some readout.
pub(crate) struct Of<'a, N, W> {
    pub model: &'a N,
    pub work: W,
}

/// Runs one sample through one layer.
///
/// Each step in this order: the drive gathers weight rows of the input and of the layer's own spikes of the
/// step before; then every unit takes its step.
///
/// Once the drive has ended and the neuron proves that no unit can fire any more, nothing is left to be
/// computed. The result is the first step of that silence, or the number of steps; `state` is then that of
/// that step.
pub(crate) struct LayerForward<'a> {
    /// Parameters of a step, as [`fields`] reads them.
    pub parameters: &'a [f32],
    /// Whether all units have the same.
    pub is_uniform: bool,
    /// What is added to the drive in every step, if anything is.
    pub bias: Option<&'a [f32]>,
    pub drive: SynapticInput<'a>,
    /// Steps of the drive up to its last event; later ones are not read.
    pub drive_steps: usize,
    /// Recurrent weights, if there are any; rows of whole vectors.
    pub recurrent: Option<&'a [f32]>,
    pub units: usize,
    /// Numbers of a row: units in whole vectors.
    pub stride: usize,
    /// State variables, as [`fields`] reads them; 0 on entry.
    pub state: &'a mut [f32],
    /// A row from which the neuron proves silence, if it can.
    pub silence: Option<&'a [f32]>,
    /// Where spikes go: steps × words, silent on entry.
    pub spikes: &'a mut [u64],
    pub steps: usize,
    /// Where the tape of each step goes, if it is wanted, as [`fields`] reads it.
    pub tape: Option<&'a mut [f32]>,
    pub active: &'a mut IndexScratch,
}

/// Lists of units, reused from call to call.
#[derive(Debug, Default)]
pub(crate) struct IndexScratch {
    drive: Vec<u16>,
    own: Vec<u16>,
}

impl<N: Neuron> Kernel for Of<'_, N, LayerForward<'_>> {
    type Output = usize;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> usize {
        let (neuron, this) = (self.model, self.work);
        let words = this.units.div_ceil(64);
        let (stride, vectors) = (this.stride, this.stride / L::F32_LANES);
        let tape_row = tape_numbers::<N>() * stride;
        let mut tape = this.tape;
        // A bias drives to the end.
        let drive_steps = match this.bias {
            Some(_) => this.steps,
            None => this.drive_steps,
        };
        this.active.own.clear();
        for step in 0..this.steps {
            if let Some(silence) = this.silence
                && step >= drive_steps
                && this.active.own.is_empty()
                && is_silent(lanes, neuron, this.parameters, this.state, silence)
            {
                return step;
            }
            let mut currents: &[f32] = &[];
            let silent = Rows {
                weight: &[],
                stride,
                rows: &[],
            };
            let (mut driven, mut own) = (silent, silent);
            if step < this.drive_steps {
                match this.drive {
                    SynapticInput::Currents(all) => currents = &all[step * stride..][..stride],
                    SynapticInput::Spikes {
                        words,
                        words_per_step,
                        weight,
                    } => {
                        let row = &words[step * words_per_step..][..words_per_step];
                        list_active(row, &mut this.active.drive);
                        (driven.weight, driven.rows) = (weight, &this.active.drive);
                    }
                }
            }
            if let Some(weight) = this.recurrent {
                (own.weight, own.rows) = (weight, &this.active.own);
            }
            let spikes = &mut this.spikes[step * words..][..words];
            let mut advance = Advance {
                neuron,
                parameters: this.parameters,
                is_uniform: this.is_uniform,
                bias: this.bias.unwrap_or(&[]),
                currents,
                driven,
                own,
                state: this.state,
                spikes,
                tape: match &mut tape {
                    Some(tape) => &mut tape[step * tape_row..][..tape_row],
                    None => &mut [],
                },
            };
            passes(lanes, vectors, &mut advance);
            list_active(spikes, &mut this.active.own);
        }
        this.steps
    }
}

/// Numbers of a neuron's tape for each unit and step.
pub(crate) const fn tape_numbers<N: Neuron>() -> usize {
    count::<N::Tape<f32>>()
}

/// Some numbers of the units of one vector, which lie one vector after the other.
#[inline(always)]
pub(super) fn fields<L: Lanes, F: Fields<Vector<L>>>(lanes: L, of_units: &[L::f32s]) -> F {
    F::from_fn(|field| Vector(lanes, of_units[field]))
}

/// The opposite of [`fields`].
#[inline(always)]
pub(super) fn put_fields<L: Lanes, F: Fields<Vector<L>>>(fields: F, of_units: &mut [L::f32s]) {
    for (field, value) in fields.as_ref().iter().enumerate() {
        of_units[field] = value.1;
    }
}

/// How many numbers of a kind a unit has, or has room for: pieces of none can't be counted.
pub(crate) const fn count<F: Fields<f32>>() -> usize {
    match F::COUNT {
        0 => 1,
        count => count,
    }
}

/// Numbers as whole vectors.
#[inline(always)]
pub(super) fn vectors<L: Lanes>(_: L, numbers: &[f32]) -> &[L::f32s] {
    L::as_simd_f32s(numbers).0
}

/// Numbers as whole vectors, to be changed.
#[inline(always)]
pub(super) fn vectors_mut<L: Lanes>(_: L, numbers: &mut [f32]) -> &mut [L::f32s] {
    L::as_mut_simd_f32s(numbers).0
}

/// Whether the neuron proves that no unit can fire any more without a drive.
#[inline(always)]
fn is_silent<L: Lanes, N: Neuron>(
    lanes: L,
    neuron: &N,
    parameters: &[f32],
    state: &[f32],
    silence: &[f32],
) -> bool {
    let zero = lanes.splat_f32s(0.0);
    let parameters =
        vectors(lanes, parameters).chunks_exact(const { count::<N::Parameters<f32>>() });
    let states = vectors(lanes, state).chunks_exact(const { count::<N::State<f32>>() });
    let mut units = parameters.zip(states).zip(vectors(lanes, silence));
    units.all(|((parameters, state), &silence)| {
        let (parameters, state) = (fields(lanes, parameters), fields(lanes, state));
        let distance = neuron.below_threshold(&parameters, &state, Vector(lanes, silence));
        // Not a number proves nothing.
        let below = lanes.less_than_or_equal_f32s(distance.1, zero);
        lanes.mask_bits(below) == (1 << L::F32_LANES) - 1
    })
}

/// One step of a layer.
struct Advance<'a, N: Neuron> {
    neuron: &'a N,
    parameters: &'a [f32],
    is_uniform: bool,
    /// In whole vectors, or none.
    bias: &'a [f32],
    /// Input currents in whole vectors, or none.
    currents: &'a [f32],
    driven: Rows<'a>,
    own: Rows<'a>,
    state: &'a mut [f32],
    spikes: &'a mut [u64],
    /// Where the tape goes, or nothing.
    tape: &'a mut [f32],
}

impl<L: Lanes, N: Neuron> Pass<L> for Advance<'_, N> {
    #[inline(always)]
    fn pass<const V: usize>(&mut self, lanes: L, first: usize) {
        let zero = lanes.splat_f32s(0.0);
        let mut drive = match self.currents.is_empty() {
            true => [zero; V],
            false => load::<L, V>(self.currents, first),
        };
        drive = self.driven.add_to(lanes, drive, first);
        drive = self.own.add_to(lanes, drive, first);
        if !self.bias.is_empty() {
            let bias = load::<L, V>(self.bias, first);
            for v in 0..V {
                drive[v] = lanes.add_f32s(drive[v], bias[v]);
            }
        }
        match (self.is_uniform, self.tape.is_empty()) {
            (true, true) => self.units::<L, V, true, false>(lanes, first, drive),
            (true, false) => self.units::<L, V, true, true>(lanes, first, drive),
            (false, true) => self.units::<L, V, false, false>(lanes, first, drive),
            (false, false) => self.units::<L, V, false, true>(lanes, first, drive),
        }
    }
}

impl<N: Neuron> Advance<'_, N> {
    /// A step of the units of `V` vectors. Where all units have the same parameters, those stay in registers.
    #[inline(always)]
    fn units<L: Lanes, const V: usize, const UNIFORM: bool, const TAPED: bool>(
        &mut self,
        lanes: L,
        first: usize,
        drive: [L::f32s; V],
    ) {
        let (of_step, of_state, of_tape) = const {
            (
                count::<N::Parameters<f32>>(),
                count::<N::State<f32>>(),
                count::<N::Tape<f32>>(),
            )
        };
        let parameters = &vectors(lanes, self.parameters)[first * of_step..][..V * of_step];
        let states = &mut vectors_mut(lanes, self.state)[first * of_state..][..V * of_state];
        let mut tapes = vectors_mut(lanes, self.tape);
        if TAPED {
            tapes = &mut tapes[first * of_tape..][..V * of_tape];
        }
        let of_first = fields(lanes, parameters);
        for v in 0..V {
            let parameters = match UNIFORM {
                true => of_first,
                false => fields(lanes, &parameters[v * of_step..]),
            };
            let mut state = fields(lanes, &states[v * of_state..]);
            let mut bits = 0;
            let drive = Vector(lanes, drive[v]);
            let tape = self.neuron.step(&parameters, &mut state, drive, |x| {
                let spike = Spike::of(x);
                bits = lanes.mask_bits(spike.mask().1);
                spike
            });
            let at = (first + v) * L::F32_LANES;
            self.spikes[at / 64] |= bits << (at % 64);
            put_fields(state, &mut states[v * of_state..]);
            if TAPED {
                put_fields(tape, &mut tapes[v * of_tape..]);
            }
        }
    }
}

/// Carries on a silent layer that nothing drives, for as many steps as `tape` has rooms.
pub(crate) struct FreeDecay<'a> {
    pub parameters: &'a [f32],
    pub stride: usize,
    pub state: &'a mut [f32],
    pub tape: &'a mut [f32],
}

impl<N: Neuron> Kernel for Of<'_, N, FreeDecay<'_>> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let (neuron, this) = (self.model, self.work);
        let parameters = vectors(lanes, this.parameters);
        let states = vectors_mut(lanes, this.state);
        let of_tape = count::<N::Tape<f32>>();
        let step_of_tape = of_tape * this.stride / L::F32_LANES;
        for tapes in vectors_mut(lanes, this.tape).chunks_exact_mut(step_of_tape) {
            let parameters = parameters.chunks_exact(count::<N::Parameters<f32>>());
            let states = states.chunks_exact_mut(count::<N::State<f32>>());
            let units = parameters.zip(states).zip(tapes.chunks_exact_mut(of_tape));
            for ((parameters, state_of_units), room) in units {
                let parameters = fields(lanes, parameters);
                let mut state = fields(lanes, state_of_units);
                let drive = Vector(lanes, lanes.splat_f32s(0.0));
                let tape = neuron.step(&parameters, &mut state, drive, Spike::of);
                put_fields(state, state_of_units);
                put_fields(tape, room);
            }
        }
    }
}

/// What is to be seen of one sample, as [`fields`] reads it.
pub(crate) struct Observe<'a> {
    pub parameters: &'a [f32],
    pub tape: &'a [f32],
    /// Of each unit what its neuron shows, and behind that the threshold of the step.
    pub observed: &'a mut [f32],
}

impl<N: Neuron> Kernel for Of<'_, N, Observe<'_>> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let (neuron, this) = (self.model, self.work);
        let parameters = vectors(lanes, this.parameters);
        let tapes = vectors(lanes, this.tape).chunks_exact(count::<N::Tape<f32>>());
        let observed = vectors_mut(lanes, this.observed);
        let of_observed = count::<N::Observed<f32>>();
        let observed = observed.chunks_exact_mut(of_observed + 1);
        // The same for every step.
        let parameters = parameters
            .chunks_exact(count::<N::Parameters<f32>>())
            .cycle();
        for ((parameters, tape), room) in parameters.zip(tapes).zip(observed) {
            let parameters: N::Parameters<Vector<L>> = fields(lanes, parameters);
            let tape: N::Tape<Vector<L>> = fields(lanes, tape);
            let x = neuron.distance(&parameters, &tape);
            let step = Taken {
                tape,
                spike: Spike::of(x),
                error_spike: x.zero(),
                slope: x.zero(),
                error_membrane: x.zero(),
            };
            let observed = neuron.observe(&parameters, &step);
            let threshold = observed.as_ref()[0] - x;
            let (seen, behind) = room.split_at_mut(of_observed);
            put_fields(observed, seen);
            put_fields([threshold], behind);
        }
    }
}
