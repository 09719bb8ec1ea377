//! How files are written and what the binary ones look like.
//!
//! In: bytes, or named tensors with a JSON note. Out: files that are either whole or not there.
//! Checkpoints and replay memories are both safetensors files, so Python opens them too.

mod atomic;
mod tensor_file;
mod toml_error;

#[cfg(any(feature = "fetch", feature = "hdf5"))]
pub(crate) use atomic::put_in_place;
pub use atomic::write_whole;
pub use tensor_file::{Tensor, TensorFile, TensorFileError};
pub(crate) use toml_error::toml_error;
