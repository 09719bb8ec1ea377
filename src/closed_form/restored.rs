//! Arrays that were kept, taken back after checking.

use std::collections::BTreeMap;

use crate::storage::{Tensor, shown};

/// The arrays that a learner takes back, and must all be its own.
pub(super) struct Restored<'a> {
    tensors: &'a BTreeMap<String, Tensor>,
}

impl<'a> Restored<'a> {
    /// Refuses arrays of other names.
    pub(super) fn of(
        tensors: &'a BTreeMap<String, Tensor>,
        names: &[&str],
    ) -> Result<Self, String> {
        match tensors.keys().find(|name| !names.contains(&name.as_str())) {
            Some(odd) => Err(format!("the array {} does not belong there", shown(odd))),
            None => Ok(Restored { tensors }),
        }
    }

    /// Finite numbers of this shape.
    pub(super) fn floats(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, String> {
        let Tensor::F32(array) = self.named(name)? else {
            return Err(format!("the array {name} is not one of 32-bit floats"));
        };
        if array.shape() != shape {
            let found = array.shape();
            return Err(format!(
                "the array {name} has the shape {found:?} where {shape:?} belongs"
            ));
        }
        match array.iter().find(|value| !value.is_finite()) {
            Some(value) => Err(format!("the array {name} holds a {value}")),
            None => Ok(array.iter().copied().collect()),
        }
    }

    /// So many whole numbers.
    pub(super) fn numbers(&self, name: &str, length: usize) -> Result<&'a [u64], String> {
        let Tensor::U64(list) = self.named(name)? else {
            return Err(format!(
                "the array {name} is not one of 64-bit whole numbers"
            ));
        };
        match list.len() == length {
            true => Ok(list),
            false => Err(format!(
                "the array {name} has {} numbers where {length} belong",
                list.len()
            )),
        }
    }

    fn named(&self, name: &str) -> Result<&'a Tensor, String> {
        let tensor = self.tensors.get(name);
        tensor.ok_or_else(|| format!("the array {name} is missing"))
    }
}
