//! Parameters of any shape in one flat, aligned array, ordered by layer and role: all that is done to
//! every number alike (moments, clipping, sums over blocks) works on slices.

use std::ops::Range;
use std::sync::Arc;

use ndarray::{Array, ArrayViewD, ArrayViewMutD, Dimension, IxDyn};

use super::{NetworkError, NetworkSpec, ParameterName, Stage};
use crate::kernels::buffers::{Aligned, LINE};

/// Where each parameter lies in an arena. Each begins on a cache line; the gaps between them hold zeros.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Layout {
    entries: Vec<Entry>,
    len: usize,
}

/// An array of parameters in an arena.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub name: ParameterName,
    pub shape: Vec<usize>,
    pub range: Range<usize>,
}

impl Layout {
    /// In the order w1, v1, bias1, what of the neurons is learned, w2, …, w_out: what a learning stage trains lies together at the end.
    pub(super) fn of(spec: &NetworkSpec) -> Arc<Self> {
        let mut layout = Layout {
            entries: Vec::new(),
            len: 0,
        };
        for (index, layer) in spec.settings().layers.iter().enumerate() {
            layout.push(
                ParameterName::Input(index),
                &[spec.fan_in(index), layer.units],
            );
            if layer.recurrent {
                layout.push(ParameterName::Recurrent(index), &[layer.units, layer.units]);
            }
            if layer.bias {
                layout.push(ParameterName::Bias(index), &[layer.units]);
            }
            for role in spec.neuron(index).roles() {
                let Some(learned) = role.learned else {
                    continue;
                };
                let numbers = if learned.per_unit { layer.units } else { 1 };
                layout.push(ParameterName::Neuron(index, role.name), &[numbers]);
            }
        }
        if spec.settings().readout.model.has_weights() {
            let shape = [spec.fan_in(spec.depth()), spec.classes()];
            layout.push(ParameterName::Readout, &shape);
        }
        Arc::new(layout)
    }

    fn push(&mut self, name: ParameterName, shape: &[usize]) {
        let start = self.len.next_multiple_of(LINE);
        let end = start + shape.iter().product::<usize>();
        self.entries.push(Entry {
            name,
            shape: shape.to_vec(),
            range: start..end,
        });
        self.len = end;
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn shape(&self, name: ParameterName) -> Option<&[usize]> {
        self.entry(name).map(|entry| &entry.shape[..])
    }

    fn entry(&self, name: ParameterName) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// The first number that a stage trains; it trains all from there on.
    fn first_trained(&self, stage: Stage) -> usize {
        let trained = self.entries.iter().find(|entry| stage.trains(entry.name));
        trained.map_or(self.len, |entry| entry.range.start)
    }
}

/// Numbers for the parameters of a layout from some entry on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Arena {
    layout: Arc<Layout>,
    /// Numbers of the layout before it that are left out.
    from: usize,
    values: Aligned,
}

impl Arena {
    /// Zeros for every parameter.
    pub(super) fn zeros(layout: Arc<Layout>) -> Self {
        let values = Aligned::zeros(layout.len);
        Arena {
            layout,
            from: 0,
            values,
        }
    }

    /// Zeros for the parameters that a stage trains.
    pub(super) fn zeros_for(&self, stage: Stage) -> Self {
        let from = self.layout.first_trained(stage);
        Arena {
            layout: self.layout.clone(),
            from,
            values: Aligned::zeros(self.layout.len - from),
        }
    }

    /// Whether this has the parameters that `other` has of a stage.
    pub(super) fn is_for(&self, other: &Arena, stage: Stage) -> bool {
        self.from == other.layout.first_trained(stage) && self.has_layout(&other.layout)
    }

    /// Whether two arenas have the same parameters.
    pub(super) fn is_like(&self, other: &Arena) -> bool {
        self.from == other.from && self.has_layout(&other.layout)
    }

    /// Whether this has parameters of `other`'s from some entry on, and no others.
    pub(super) fn is_part_of(&self, other: &Arena) -> bool {
        self.from >= other.from && self.has_layout(&other.layout)
    }

    pub(super) fn has_layout(&self, layout: &Arc<Layout>) -> bool {
        Arc::ptr_eq(&self.layout, layout) || self.layout == *layout
    }

    /// All numbers, gaps of zeros between parameters included.
    pub(super) fn values(&self) -> &[f32] {
        &self.values
    }

    pub(super) fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// Those numbers of `whole`, an arena for every parameter, that belong to parameters of this one.
    pub(super) fn part_of<'a>(&self, whole: &'a mut Arena) -> Option<&'a mut [f32]> {
        let fits = whole.from == 0 && self.has_layout(&whole.layout);
        fits.then(|| &mut whole.values[self.from..])
    }

    /// The entries that are there, with their places in [`values`](Self::values).
    pub(super) fn entries(&self) -> impl DoubleEndedIterator<Item = (&Entry, Range<usize>)> {
        let there = self.layout.entries.iter();
        let there = there.filter(|entry| entry.range.start >= self.from);
        there.map(|entry| {
            let range = entry.range.start - self.from..entry.range.end - self.from;
            (entry, range)
        })
    }

    /// The numbers of one parameter, row-major.
    pub(super) fn slice(&self, name: ParameterName) -> Option<&[f32]> {
        Some(&self.values[self.range(name)?])
    }

    pub(super) fn slice_mut(&mut self, name: ParameterName) -> Option<&mut [f32]> {
        let range = self.range(name)?;
        Some(&mut self.values[range])
    }

    /// Replaces one parameter by an array of the same shape.
    pub(super) fn set<D: Dimension>(
        &mut self,
        name: ParameterName,
        values: Array<f32, D>,
    ) -> Result<(), NetworkError> {
        let mut all = self.iter_mut();
        let place = all.find(|(found, _)| *found == name);
        let (_, mut place) = place.ok_or(NetworkError::NoSuchParameter(name))?;
        if place.shape() != values.shape() {
            return Err(NetworkError::WrongShape {
                name,
                found: values.shape().to_vec(),
                expected: place.shape().to_vec(),
            });
        }
        place.assign(&values.into_dyn());
        Ok(())
    }

    fn range(&self, name: ParameterName) -> Option<Range<usize>> {
        let Range { start, end } = self.layout.entry(name)?.range;
        Some(start.checked_sub(self.from)?..end - self.from)
    }

    /// One parameter in its shape.
    pub(super) fn get(&self, name: ParameterName) -> Option<ArrayViewD<'_, f32>> {
        let shape = &self.layout.entry(name)?.shape;
        Some(view(shape, self.slice(name)?))
    }

    /// Every parameter in its shape.
    pub(super) fn iter(&self) -> impl Iterator<Item = (ParameterName, ArrayViewD<'_, f32>)> {
        self.entries()
            .map(|(entry, range)| (entry.name, view(&entry.shape, &self.values[range])))
    }

    /// Every parameter in its shape, to be changed in place.
    pub(super) fn iter_mut(
        &mut self,
    ) -> impl Iterator<Item = (ParameterName, ArrayViewMutD<'_, f32>)> {
        let mut rest: &mut [f32] = &mut self.values;
        let mut passed = self.from;
        let there = self.layout.entries.iter();
        let there = there.filter(move |entry| entry.range.start >= passed);
        there.map(move |entry| {
            let (gap, len) = (entry.range.start - passed, entry.range.len());
            let (own, after) = std::mem::take(&mut rest)[gap..].split_at_mut(len);
            (rest, passed) = (after, entry.range.end);
            let array = ArrayViewMutD::from_shape(IxDyn(&entry.shape), own);
            (entry.name, array.expect("a range is as long as its shape"))
        })
    }
}

fn view<'a>(shape: &[usize], values: &'a [f32]) -> ArrayViewD<'a, f32> {
    ArrayViewD::from_shape(IxDyn(shape), values).expect("a range is as long as its shape")
}
