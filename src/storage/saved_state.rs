use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Tensor, TensorFile, json_error};

/// What a part of a learner has to keep so that learning can go on bit for bit: a note and named arrays.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SavedState {
    /// Whatever is not an array.
    pub note: Value,
    /// Arrays by name.
    pub tensors: BTreeMap<String, Tensor>,
}

/// The notes of all parts, by their names.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct PartNotes(BTreeMap<String, Value>);

impl PartNotes {
    /// The names of all parts.
    pub fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
}

impl SavedState {
    /// A state of this note alone.
    pub fn of(note: &impl Serialize) -> Self {
        SavedState {
            // Notes are plain structs with string keys, which always serialise.
            note: serde_json::to_value(note).expect("a plain struct"),
            tensors: BTreeMap::new(),
        }
    }

    /// The same with an array.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, tensor: Tensor) -> Self {
        self.tensors.insert(name.into(), tensor);
        self
    }

    /// The note, read as what it was.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn note_as<T: DeserializeOwned>(&self) -> Result<T, String> {
        serde_json::from_value(self.note.clone()).map_err(|error| json_error(&error))
    }

    /// Takes an array out.
    ///
    /// # Errors
    /// It is missing.
    pub fn take(&mut self, name: &str) -> Result<Tensor, String> {
        let tensor = self.tensors.remove(name);
        tensor.ok_or_else(|| format!("the array `{name}` is missing"))
    }

    /// Puts the state into a file, as a part of that name.
    pub(crate) fn put_into(self, name: &str, notes: &mut PartNotes, file: &mut TensorFile) {
        notes.0.insert(name.to_string(), self.note);
        for (tensor, values) in self.tensors {
            file.tensors.insert(format!("{name}.{tensor}"), values);
        }
    }

    /// Takes the part of that name out of a file.
    pub(crate) fn take_from(
        name: &str,
        notes: &mut PartNotes,
        file: &mut TensorFile,
    ) -> Result<Self, String> {
        let note = notes.0.remove(name);
        let note = note.ok_or_else(|| format!("the state of `{name}` is missing"))?;
        let prefix = format!("{name}.");
        let names: Vec<String> = file.tensors.keys().cloned().collect();
        let mut tensors = BTreeMap::new();
        for full in names {
            if let Some(short) = full.strip_prefix(&prefix)
                && let Some(tensor) = file.tensors.remove(&full)
            {
                tensors.insert(short.to_string(), tensor);
            }
        }
        Ok(SavedState { note, tensors })
    }
}
