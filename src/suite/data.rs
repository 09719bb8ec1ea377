//! What a suite notes of its data: enough to plan its grid, and to tell other data from it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::continual::{DataNames, HeldOut};
use crate::dataset::{Dataset, DatasetError};
use crate::ids::{ClassId, SpeakerId};
use crate::names::normalised;
use crate::storage::{is_odd, shown};

/// The data of a suite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuiteData {
    /// Files, as named on the command line.
    pub files: Vec<String>,
    /// [`Dataset::fingerprint`] in hexadecimal; [`Dataset::legacy_fingerprint`] in suites of format 1.
    pub fingerprint: String,
    /// [`Dataset::legacy_fingerprint`] in hexadecimal; not noted in suites of format 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legacy_fingerprint: Option<String>,
    /// Samples in all files.
    pub samples: usize,
    /// Number of speakers.
    pub speakers: usize,
    /// Numbers of the speakers; not noted in suites of format 1, where they are taken to be the lowest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub speaker_numbers: Vec<SpeakerId>,
    /// Names of the speakers that have one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub speaker_names: BTreeMap<SpeakerId, String>,
    /// Names of the classes.
    pub class_names: Vec<String>,
    /// The classes that there are samples of; not noted in suites of format 1, where they are taken to be
    /// all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub class_numbers: Vec<ClassId>,
}

impl SuiteData {
    /// Describes a dataset that was read from files of these names.
    pub fn of(dataset: &Dataset, files: Vec<String>) -> Self {
        SuiteData {
            files,
            fingerprint: format!("{:016x}", dataset.fingerprint()),
            legacy_fingerprint: Some(format!("{:016x}", dataset.legacy_fingerprint())),
            samples: dataset.len(),
            speakers: dataset.speakers().len(),
            speaker_numbers: dataset.speakers().into_iter().collect(),
            speaker_names: dataset.speaker_names().clone(),
            class_names: dataset.class_names().to_vec(),
            class_numbers: dataset.classes().into_iter().collect(),
        }
    }

    /// Whether this is what was noted of the same data, in whatever version.
    pub fn is_same_as(&self, noted: &SuiteData) -> bool {
        let names = |data: &SuiteData| -> Vec<String> {
            let names = data.class_names.iter();
            names.map(|name| normalised(name)).collect()
        };
        let same = match (&noted.legacy_fingerprint, &self.legacy_fingerprint) {
            (None, Some(legacy)) => {
                noted.fingerprint == *legacy || noted.fingerprint == self.fingerprint
            }
            _ => noted.fingerprint == self.fingerprint,
        };
        // Speakers of suites of format 1 have no names.
        let speakers = noted.speaker_names.is_empty() || noted.speaker_names == self.speaker_names;
        same && speakers && names(self) == names(noted)
    }

    /// A class by its name as a list with commas names it: by number if the name can't stand there.
    pub fn class_in_list(&self, name: &str) -> String {
        let number = self.class_names.iter().position(|known| known == name);
        match number.filter(|_| name.contains(',') || name.contains(is_odd)) {
            Some(number) => number.to_string(),
            None => name.to_string(),
        }
    }
}

impl DataNames for SuiteData {
    fn all_speakers(&self) -> Vec<SpeakerId> {
        match self.speaker_numbers.is_empty() {
            true => (0..self.speakers)
                .map(|number| SpeakerId(number as u16))
                .collect(),
            false => self.speaker_numbers.clone(),
        }
    }

    fn all_classes(&self) -> Vec<ClassId> {
        match self.class_numbers.is_empty() {
            true => (0..self.class_names.len())
                .map(|number| ClassId(number as u16))
                .collect(),
            false => self.class_numbers.clone(),
        }
    }

    fn class_word(&self, class: ClassId) -> String {
        let name = self.class_names.get(class.index());
        let name = name.filter(|name| !name.is_empty() && !name.contains(is_odd));
        name.cloned().unwrap_or_else(|| class.0.to_string())
    }

    fn speaker_word(&self, speaker: SpeakerId) -> String {
        let name = self.speaker_names.get(&speaker);
        let name = name.filter(|name| !name.contains(is_odd));
        name.cloned().unwrap_or_else(|| speaker.0.to_string())
    }

    fn speaker(&self, held_out: &HeldOut) -> Result<SpeakerId, DatasetError> {
        let (all, name_of) = (self.all_speakers(), |speaker| {
            self.speaker_names.get(&speaker)
        });
        let found = find(held_out, &all, |speaker| speaker.0, name_of);
        found.map_err(|text| DatasetError::UnknownSpeaker {
            text,
            known: list(&all, |speaker| speaker.0, name_of),
        })
    }

    fn class(&self, held_out: &HeldOut) -> Result<ClassId, DatasetError> {
        let name_of = |class: ClassId| self.class_names.get(class.index());
        let all = self.all_classes();
        let found = find(held_out, &all, |class| class.0, name_of);
        found.map_err(|text| DatasetError::UnknownClass {
            text,
            known: list(&all, |class| class.0, name_of),
        })
    }
}

/// The one of `all` that has a name, or else a number; the text if none has.
fn find<'a, T: Copy>(
    held_out: &HeldOut,
    all: &[T],
    number: impl Fn(T) -> u16,
    name: impl Fn(T) -> Option<&'a String>,
) -> Result<T, String> {
    let of_number = |wanted: u16| all.iter().copied().find(|&one| number(one) == wanted);
    match held_out {
        HeldOut::Number(wanted) => of_number(*wanted).ok_or_else(|| wanted.to_string()),
        HeldOut::Name(text) => {
            let wanted = normalised(text);
            let named = all.iter().copied().find(|&one| name(one) == Some(&wanted));
            let found = named.or_else(|| of_number(wanted.parse().ok()?));
            found.ok_or(wanted)
        }
    }
}

/// `0 anna, 1 bert`.
fn list<'a, T: Copy>(
    all: &[T],
    number: impl Fn(T) -> u16,
    name: impl Fn(T) -> Option<&'a String>,
) -> String {
    let words = all.iter().map(|&one| match name(one) {
        Some(name) => format!("{} ({})", shown(name), number(one)),
        None => number(one).to_string(),
    });
    words.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_cannot_be_typed_are_named_by_number() {
        let names = ["zero", "one, or so", "two\n"].map(String::from);
        let data = SuiteData {
            files: Vec::new(),
            fingerprint: String::new(),
            legacy_fingerprint: None,
            samples: 3,
            speakers: 2,
            speaker_numbers: Vec::new(),
            speaker_names: [(SpeakerId(1), "Eve\u{1b}[0m".to_string())].into(),
            class_names: names.to_vec(),
            class_numbers: Vec::new(),
        };
        let words = [0, 1, 2].map(|class| data.class_word(ClassId(class)));
        assert_eq!(words, ["zero", "one, or so", "2"]);
        assert_eq!(data.speaker_word(SpeakerId(1)), "1");
        // A comma ends a name in a list.
        assert_eq!(
            names.map(|name| data.class_in_list(&name)),
            ["zero", "1", "2"]
        );
    }
}
