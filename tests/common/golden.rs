//! Expected tensors, from the files of `tests/golden`.
#![allow(dead_code)] // each test file uses some of it

use std::collections::HashMap;
use std::path::Path;

use ndarray::{Array, ArrayD, Dimension};
use safetensors::{Dtype, SafeTensors};

/// The tensors of one file, all as f32.
pub struct Golden {
    pub tensors: HashMap<String, ArrayD<f32>>,
    pub info: serde_json::Value,
}

impl Golden {
    pub fn read(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/golden")
            .join(name);
        let bytes = std::fs::read(path).expect("the golden files ship with the tests");
        let (_, metadata) = SafeTensors::read_metadata(&bytes).expect("a header");
        let info = &metadata.metadata().as_ref().expect("metadata")["info"];
        let file = SafeTensors::deserialize(&bytes).expect("whole");
        let tensors = file.iter().map(|(name, view)| {
            let values: Vec<f32> = match view.dtype() {
                Dtype::F32 => view
                    .data()
                    .as_chunks()
                    .0
                    .iter()
                    .map(|b| f32::from_le_bytes(*b))
                    .collect(),
                Dtype::U8 => view.data().iter().map(|&b| f32::from(b)).collect(),
                Dtype::I64 => view
                    .data()
                    .as_chunks()
                    .0
                    .iter()
                    .map(|b| i64::from_le_bytes(*b) as f32)
                    .collect(),
                other => panic!("{name} is of type {other:?}"),
            };
            let array = ArrayD::from_shape_vec(view.shape(), values).expect("its own shape");
            (name.to_string(), array)
        });
        Golden {
            tensors: tensors.collect(),
            info: serde_json::from_str(info).expect("JSON"),
        }
    }

    pub fn get<D: Dimension>(&self, name: &str) -> Array<f32, D> {
        let tensor = self
            .tensors
            .get(name)
            .unwrap_or_else(|| panic!("no tensor {name}"));
        tensor
            .clone()
            .into_dimensionality()
            .expect("as the README says")
    }
}
