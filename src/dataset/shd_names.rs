//! Names of classes and speakers in SHD-layout files.
//!
//! In: lists of strings, as files have them. Out: names in one spelling, none of them twice.

use std::collections::{BTreeMap, BTreeSet};

use super::DatasetError;
use super::hdf5_file::{Element, Hdf5File, Table};
use super::shd_layout::At;
use crate::ids::SpeakerId;
use crate::names::normalised;
use crate::storage::shown;

/// Names of the classes.
pub(super) const KEYS: &str = "extra/keys";
/// Names of the speakers.
pub(super) const SPEAKER_NAMES: &str = "extra/speaker_names";
/// The most names in a list.
const MOST_NAMES: usize = 1 << 16;
/// The longest name that is read or written, in bytes.
pub(super) const NAME_BYTES: usize = 256;

impl At<'_> {
    pub(super) fn class_names(self, file: &Hdf5File) -> Result<Vec<String>, DatasetError> {
        let names = self.names(file, &self.table(file, KEYS)?, KEYS)?;
        if names.is_empty() {
            return Err(self.wrong(KEYS, "empty".to_string(), "a name for each class"));
        }
        if names.len() >= 1 << 16 {
            return Err(DatasetError::BadClassNames(names.len()));
        }
        if let Some(place) = names.iter().position(String::is_empty) {
            return Err(self.bad_name(KEYS, place, "it is empty".to_string()));
        }
        self.refuse_twice(KEYS, names.iter().enumerate())?;
        Ok(names)
    }

    /// The names of those speakers that have one; `None` if there is no list of them.
    pub(super) fn speaker_names(
        self,
        file: &Hdf5File,
    ) -> Result<Option<BTreeMap<SpeakerId, String>>, DatasetError> {
        let Some(table) = self.optional(file, SPEAKER_NAMES)? else {
            return Ok(None);
        };
        let names = self.names(file, &table, SPEAKER_NAMES)?;
        let named = names
            .iter()
            .enumerate()
            .filter(|(_, name)| !name.is_empty());
        self.refuse_twice(SPEAKER_NAMES, named.clone())?;
        // There are at most 65536.
        let named = named.map(|(number, name)| (SpeakerId(number as u16), name.clone()));
        Ok(Some(named.collect()))
    }

    /// Texts in the spelling that they are compared in.
    fn names(
        self,
        file: &Hdf5File,
        table: &Table,
        name: &'static str,
    ) -> Result<Vec<String>, DatasetError> {
        self.check_list(table, name)?;
        if table.shape[0] > MOST_NAMES {
            let (names, bytes) = (table.shape[0], file.bytes().len());
            let found = match names > bytes {
                true => format!("a list of {names} names, larger than the file of {bytes} bytes"),
                false => format!("a list of {names} names"),
            };
            return Err(self.wrong(name, found, "a list of up to 65536 names"));
        }
        let Element::Text(text) = table.element else {
            let found = format!("a list of {}", table.element);
            return Err(self.wrong(name, found, "a list of strings"));
        };
        let bytes;
        let texts: Vec<&[u8]> = match text.is_variable() {
            true => {
                let lists = file
                    .lists(table, 1)
                    .map_err(|problem| self.problem(name, problem))?;
                lists.into_iter().map(|list| &file.bytes()[list]).collect()
            }
            false => {
                bytes = self.read(table, name)?;
                bytes.chunks_exact(table.element_bytes.max(1)).collect()
            }
        };
        let names = texts.into_iter().enumerate().map(|(place, bytes)| {
            let decoded = text.decode(bytes);
            match decoded.len() <= NAME_BYTES {
                true => Ok(normalised(&decoded)),
                false => {
                    let reason = format!("it is longer than {NAME_BYTES} bytes");
                    Err(self.bad_name(name, place, reason))
                }
            }
        });
        names.collect()
    }

    /// The same name is the same thing, so nothing else may have it.
    fn refuse_twice<'n>(
        self,
        name: &'static str,
        names: impl Iterator<Item = (usize, &'n String)>,
    ) -> Result<(), DatasetError> {
        let mut known = BTreeSet::new();
        for (place, text) in names {
            if !known.insert(text) {
                let reason = format!("“{}” is another's already", shown(text));
                return Err(self.bad_name(name, place, reason));
            }
        }
        Ok(())
    }

    pub(super) fn bad_name(self, list: &'static str, place: usize, reason: String) -> DatasetError {
        DatasetError::BadName {
            path: self.path.to_path_buf(),
            list,
            place,
            reason,
        }
    }
}
