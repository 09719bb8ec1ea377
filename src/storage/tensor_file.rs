use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};

use ndarray::{ArrayD, IxDyn};
use safetensors::tensor::{Dtype, Metadata, SafeTensors, TensorView};
use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error;

use crate::hash::{add_word_to_hash, fnv_1a};

use super::{Shown, json_error, read_plain, shown, write_whole};

/// The one key of the metadata: several would be written in no fixed order.
const NOTE: &str = "respike";

/// A named array of a [`TensorFile`].
#[derive(Debug, Clone, PartialEq)]
pub enum Tensor {
    /// Rows × columns, or a list.
    F32(ArrayD<f32>),
    /// A list.
    U16(Vec<u16>),
    /// A list.
    U64(Vec<u64>),
}

/// Named arrays and a JSON note, as one safetensors file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TensorFile {
    /// JSON.
    pub note: String,
    /// Arrays by name.
    pub tensors: BTreeMap<String, Tensor>,
}

/// What can go wrong with a [`TensorFile`].
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TensorFileError {
    /// The file system said no.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// read or write.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Not a safetensors file, cut short, or not written by respike.
    #[error("{} is {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl TensorFile {
    /// A file with a note and no arrays yet.
    pub fn with_note(note: &impl Serialize) -> Self {
        TensorFile {
            // Notes are plain structs with string keys, which always serialise.
            note: serde_json::to_string(note).expect("a plain struct"),
            tensors: BTreeMap::new(),
        }
    }

    /// Writes the file whole.
    ///
    /// # Errors
    /// [`TensorFileError::Io`].
    pub fn write(&self, path: &Path) -> Result<(), TensorFileError> {
        let io_error = |source| TensorFileError::Io {
            action: "write",
            path: path.to_path_buf(),
            source,
        };
        let bytes = self.to_bytes().map_err(io_error)?;
        write_whole(path, &bytes).map_err(io_error)
    }

    /// What the file is to hold.
    fn to_bytes(&self) -> io::Result<Vec<u8>> {
        let other = |error: safetensors::SafeTensorError| io::Error::other(error.to_string());
        let bytes: BTreeMap<&str, (Dtype, Vec<usize>, Vec<u8>)> = self
            .tensors
            .iter()
            .map(|(name, tensor)| (name.as_str(), to_bytes(tensor)))
            .collect();
        let mut views = Vec::with_capacity(bytes.len());
        for (name, (dtype, shape, bytes)) in &bytes {
            let view = TensorView::new(*dtype, shape.clone(), bytes);
            views.push((*name, view.map_err(other)?));
        }
        let note = HashMap::from([(NOTE.to_string(), self.note.clone())]);
        safetensors::serialize(views, Some(note)).map_err(other)
    }

    /// A hash of the note and of all arrays.
    pub(crate) fn fingerprint(&self) -> u64 {
        let note = fnv_1a(self.note.as_bytes());
        self.tensors.iter().fold(note, |hash, (name, tensor)| {
            let (_, shape, bytes) = to_bytes(tensor);
            let shape = shape.iter().map(|&size| size as u64);
            let words = [fnv_1a(name.as_bytes())].into_iter().chain(shape);
            words.chain([fnv_1a(&bytes)]).fold(hash, add_word_to_hash)
        })
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`TensorFileError`].
    pub fn read(path: &Path) -> Result<Self, TensorFileError> {
        let bytes = read_plain(path).map_err(|source| TensorFileError::Io {
            action: "read",
            path: path.to_path_buf(),
            source,
        })?;
        let malformed = |reason: String| TensorFileError::Malformed {
            path: path.to_path_buf(),
            reason,
        };
        let broken = |error: safetensors::SafeTensorError| {
            let why = shown(&error.to_string()).into_owned();
            malformed(format!("not a whole safetensors file ({why})"))
        };
        let (_, metadata): (_, Metadata) = SafeTensors::read_metadata(&bytes).map_err(broken)?;
        let note = metadata.metadata().as_ref().and_then(|all| all.get(NOTE));
        let note = note
            .ok_or_else(|| malformed("a safetensors file, but not one of respike's".to_string()))?
            .clone();
        let mut tensors = BTreeMap::new();
        for (name, view) in SafeTensors::deserialize(&bytes).map_err(broken)?.iter() {
            let tensor = from_view(&view).ok_or_else(|| {
                malformed(format!("not one of respike's: odd array {}", Shown(name)))
            })?;
            tensors.insert(name.to_string(), tensor);
        }
        Ok(TensorFile { note, tensors })
    }

    /// The note as a value.
    ///
    /// # Errors
    /// What the JSON parser says.
    pub fn note_as<T: DeserializeOwned>(&self) -> Result<T, String> {
        serde_json::from_str(&self.note).map_err(|error| json_error(&error))
    }
}

fn to_bytes(tensor: &Tensor) -> (Dtype, Vec<usize>, Vec<u8>) {
    match tensor {
        Tensor::F32(array) => {
            let bytes = array.iter().flat_map(|value| value.to_le_bytes());
            (Dtype::F32, array.shape().to_vec(), bytes.collect())
        }
        Tensor::U16(list) => {
            let bytes = list.iter().flat_map(|value| value.to_le_bytes());
            (Dtype::U16, vec![list.len()], bytes.collect())
        }
        Tensor::U64(list) => {
            let bytes = list.iter().flat_map(|value| value.to_le_bytes());
            (Dtype::U64, vec![list.len()], bytes.collect())
        }
    }
}

fn from_view(view: &TensorView<'_>) -> Option<Tensor> {
    let data = view.data();
    match (view.dtype(), view.shape()) {
        (Dtype::F32, shape @ ([_] | [_, _])) => {
            let (values, []) = data.as_chunks::<4>() else {
                return None;
            };
            let values = values.iter().map(|&bytes| f32::from_le_bytes(bytes));
            let array = ArrayD::from_shape_vec(IxDyn(shape), values.collect());
            array.ok().map(Tensor::F32)
        }
        (Dtype::U16, [_]) => {
            let (values, []) = data.as_chunks::<2>() else {
                return None;
            };
            let values = values.iter().map(|&bytes| u16::from_le_bytes(bytes));
            Some(Tensor::U16(values.collect()))
        }
        (Dtype::U64, [_]) => {
            let (values, []) = data.as_chunks::<8>() else {
                return None;
            };
            let values = values.iter().map(|&bytes| u64::from_le_bytes(bytes));
            Some(Tensor::U64(values.collect()))
        }
        _ => None,
    }
}
