//! How files are read and written, and what the binary ones look like.
//!
//! In: bytes, or named tensors with a JSON note. Out: files that are either whole or not there, in
//! folders that one process works in at a time. Checkpoints and replay memories are both safetensors
//! files, so Python opens them too.

mod folder_lock;
mod own_folder;
mod part;
mod plain_file;
mod saved_state;
mod shown;
mod tensor_file;
mod text_formats;
mod whole_file;

pub use folder_lock::{FolderLock, FolderLockError};
pub use own_folder::{NotOurFolder, check_own_folder};
pub use part::{abandon_all, clear_leftovers, folder_of, make_folder};
#[cfg(any(feature = "encode", feature = "fetch"))]
pub(crate) use plain_file::open_own;
pub use plain_file::{is_machine_trouble, open_plain, read_own_text, read_plain, read_plain_text};
pub(crate) use saved_state::PartNotes;
pub use saved_state::SavedState;
pub use shown::{Shown, is_odd, shown, shown_lines};
pub use tensor_file::{Tensor, TensorFile, TensorFileError};
pub(crate) use text_formats::{
    BadToml, NewNumber, in_plain_words, json_error, nearly, parse_changed_toml, parse_toml,
    with_what_was_meant,
};
pub use whole_file::{PartFolder, WholeFile, write_whole};
