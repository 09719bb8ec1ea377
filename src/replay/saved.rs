//! A replay memory as a file: one safetensors file with the packed words and the classes.

use std::path::Path;

use bitvec::prelude::BitVec;
use ndarray::{Array1, ArrayD};

use super::logits::PackedLogits;
use super::{Capacity, ReplayError, ReplayMemory, StoredShape};
use crate::formats::memory::{MemoryNote, VERSION};
use crate::ids::ClassId;
use crate::storage::{SavedState, Tensor, TensorFile, TensorFileError};

impl ReplayMemory {
    /// Writes the memory whole.
    ///
    /// # Errors
    /// [`ReplayError::File`].
    pub fn save(&self, path: &Path) -> Result<(), ReplayError> {
        let saved = self.saved();
        let mut file = TensorFile::with_note(&saved.note);
        file.tensors = saved.tensors;
        file.write(path).map_err(|error| wrap(path, error))
    }

    /// The memory as a part of a learner's state.
    pub(super) fn saved(&self) -> SavedState {
        let classes = self.classes.iter().map(|class| class.0).collect();
        // Words past the last bit may hold what was there before; zero them so that equal memories
        // are equal files.
        let mut payload = self.payload.clone();
        payload.set_uninitialized(false);
        let payload = payload.as_raw_slice().to_vec();
        let note = MemoryNote {
            format: VERSION,
            shape: self.shape.clone().into(),
            policy: self.policy.clone(),
            capacity: self.capacity,
            state: self.state.clone().into(),
            samples: self.classes.len(),
        };
        let mut saved = SavedState::of(&note)
            .with("classes", Tensor::U16(classes))
            .with("payload", Tensor::U64(payload));
        if let Some(tasks) = &self.tasks {
            saved = saved.with("tasks", Tensor::U16(tasks.clone()));
        }
        match &self.logits {
            None => saved,
            Some(logits) => {
                let list = ArrayD::from(Array1::from(logits.to_list()).into_dyn());
                saved.with("logits", Tensor::F32(list))
            }
        }
    }

    /// Reads a memory.
    ///
    /// # Errors
    /// [`ReplayError::File`] if it cannot be read, [`ReplayError::BadFile`] if it is cut short or
    /// contradicts itself.
    pub fn load(path: &Path) -> Result<Self, ReplayError> {
        let file = TensorFile::read(path).map_err(|error| wrap(path, error))?;
        let note = file.note_as().map(|note| SavedState {
            note,
            tensors: file.tensors,
        });
        note.and_then(Self::from_saved)
            .map_err(|reason| ReplayError::BadFile {
                path: path.to_path_buf(),
                reason,
            })
    }

    /// The memory that [`saved`](Self::saved) gave.
    pub(super) fn from_saved(mut file: SavedState) -> Result<Self, String> {
        let note: MemoryNote = file.note_as()?;
        note.check_version()?;
        let shape = StoredShape::try_from(note.shape);
        let shape = shape.map_err(|error| error.to_string())?;
        let capacity = Capacity::Samples(note.capacity).samples(&shape);
        let capacity = capacity.map_err(|error| error.to_string())?;
        let classes = match file.tensors.remove("classes") {
            Some(Tensor::U16(classes)) if classes.len() == note.samples => classes,
            _ => return Err("the list `classes` is missing or of another length".to_string()),
        };
        if classes.len() > capacity {
            let held = classes.len();
            return Err(format!("it holds {held} samples, more than its {capacity}"));
        }
        let bits = classes.len() * shape.bits() as usize;
        let words = match file.tensors.remove("payload") {
            Some(Tensor::U64(words)) if words.len() == bits.div_ceil(64) => words,
            _ => return Err("the list `payload` is missing or of another length".to_string()),
        };
        let mut payload = BitVec::from_vec(words);
        payload.truncate(bits);
        let logits = match (shape.logits(), file.tensors.remove("logits")) {
            (0, _) => None,
            (each, Some(Tensor::F32(list))) => {
                let list: Vec<f32> = list.iter().copied().collect();
                let packed = PackedLogits::from_list(each, classes.len(), &list);
                let wrong = || "the list `logits` is of another length".to_string();
                Some(packed.ok_or_else(wrong)?)
            }
            _ => return Err("the list `logits` is missing".to_string()),
        };
        let tasks = match (shape.notes_tasks(), file.tensors.remove("tasks")) {
            (false, _) => None,
            (true, Some(Tensor::U16(tasks))) if tasks.len() == classes.len() => Some(tasks),
            _ => return Err("the list `tasks` is missing or of another length".to_string()),
        };
        Ok(ReplayMemory {
            logits,
            tasks,
            shape,
            policy: note.policy,
            capacity,
            state: note.state.into(),
            classes: classes.into_iter().map(ClassId).collect(),
            payload,
        })
    }
}

fn wrap(path: &Path, error: TensorFileError) -> ReplayError {
    match error {
        TensorFileError::Io { action, source, .. } => ReplayError::File {
            action,
            path: path.to_path_buf(),
            source,
        },
        TensorFileError::Malformed { reason, .. } => ReplayError::BadFile {
            path: path.to_path_buf(),
            reason: format!("it is {reason}"),
        },
    }
}
