//! The lists of a few samples as the HDF5 library gives them, in whatever type the file has.
//!
//! In: variable-length arrays. Out: times as f64 and units as u16, one sample at a time, so that many
//! threads can convert what one has read.

use std::ops::Range;

use half::f16;
use half::slice::HalfFloatSliceExt;
use hdf5::types::VarLenArray;
use ndarray::Array1;

/// Lists of some samples, not looked at yet.
pub(super) struct Chunk {
    pub samples: Range<usize>,
    pub times: Times,
    pub units: Units,
}

pub(super) enum Times {
    Half(Array1<VarLenArray<f16>>),
    Single(Array1<VarLenArray<f32>>),
    Double(Array1<VarLenArray<f64>>),
}

impl Times {
    pub fn list(&self, index: usize) -> Vec<f64> {
        match self {
            Times::Half(lists) => {
                let mut times = vec![0.0; lists[index].len()];
                lists[index].convert_to_f64_slice(&mut times);
                times
            }
            Times::Single(lists) => lists[index].iter().map(|&time| f64::from(time)).collect(),
            Times::Double(lists) => lists[index].to_vec(),
        }
    }
}

pub(super) enum Units {
    Short(Array1<VarLenArray<u16>>),
    Long(Array1<VarLenArray<i64>>),
}

impl Units {
    pub fn len_of(&self, index: usize) -> usize {
        match self {
            Units::Short(lists) => lists[index].len(),
            Units::Long(lists) => lists[index].len(),
        }
    }

    /// The units of a sample, or the first that is none.
    pub fn list(&self, index: usize) -> Result<Vec<u16>, i64> {
        match self {
            Units::Short(lists) => Ok(lists[index].to_vec()),
            Units::Long(lists) => {
                let units = lists[index].iter();
                units
                    .map(|&unit| u16::try_from(unit).map_err(|_| unit))
                    .collect()
            }
        }
    }
}
