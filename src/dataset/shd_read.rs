//! Reading files in the layout of the Spiking Heidelberg Digits.
//!
//! ```text
//! spikes/times            one variable-length float16, float32 or float64 array a sample, seconds
//! spikes/units            one variable-length array of integers a sample, as long as its times
//! labels                  one integer a sample
//! extra/speaker           one integer a sample
//! extra/keys              names of the classes
//! extra/speaker_names     names of the speakers, if there is such a list; an empty one is none
//! extra/sound             one integer a sample, if there is such a list: the fingerprint of its sound
//! ```
//!
//! Times and units may be arrays of samples × events instead, as Tonic writes them: the events that are
//! missing at the end of a row are 0 in both, or not a number among the times.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::binned::places_of;
use super::hdf5_file::{Hdf5File, Number};
use super::shd_layout::{At, Column, LABELS, SPEAKER, TIMES, UNITS};
use super::shd_names::KEYS;
use super::{DatasetError, LabelledEvents};
use crate::ceiling;
use crate::ids::{ClassId, SoundPrint, SpeakerId};
use crate::spikes::{EventStream, SpikeError};
use crate::storage::read_plain;

/// Samples whose events are in memory at the same time.
const CHUNK: usize = 256;
/// Bytes of an event in memory while it is read and binned.
pub(super) const EVENT_BYTES: u64 = 16;

/// The type of numbers in a file, as `data info` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberType(pub String);

/// An SHD-layout file, opened and checked but for its events.
pub struct ShdFile {
    path: PathBuf,
    file: Hdf5File,
    times: Column,
    units: Column,
    classes: Vec<ClassId>,
    speakers: Vec<SpeakerId>,
    sounds: Vec<Option<SoundPrint>>,
    class_names: Vec<String>,
    speaker_names: BTreeMap<SpeakerId, String>,
    lists_speakers: bool,
}

impl fmt::Debug for ShdFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut file = f.debug_struct("ShdFile");
        file.field("path", &self.path).field("samples", &self.len());
        file.finish_non_exhaustive()
    }
}

impl ShdFile {
    /// Opens a file, checks its layout, and reads everything but the events.
    ///
    /// # Errors
    /// [`DatasetError`], with the file's name and what is wrong with it.
    pub fn open(path: &Path) -> Result<Self, DatasetError> {
        let unreadable = |source| DatasetError::Unreadable {
            path: path.to_path_buf(),
            source,
        };
        let size = std::fs::metadata(path).map_err(unreadable)?.len();
        ceiling::check(&format!("the file {}", path.display()), Some(size))?;
        Self::from_bytes(path, read_plain(path).map_err(unreadable)?)
    }

    /// Checks the bytes of a file, and reads everything but the events; `path` is what errors call it.
    ///
    /// # Errors
    /// As [`ShdFile::open`].
    pub fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self, DatasetError> {
        let at = At { path };
        let file = Hdf5File::from_bytes(bytes).map_err(|problem| at.problem("/", problem))?;
        for name in ["spikes", "extra"] {
            if !file
                .has_group(name)
                .map_err(|problem| at.problem(name, problem))?
            {
                return Err(at.missing("group", name));
            }
        }
        let labels = at.integers(&file, LABELS)?;
        let samples = labels.len();
        let speakers = at.integers(&file, SPEAKER)?;
        let class_names = at.class_names(&file)?;
        let (times, units) = (at.table(&file, TIMES)?, at.table(&file, UNITS)?);
        let bytes = times.size_bytes().zip(units.size_bytes());
        let bytes = bytes.and_then(|(times, units)| times.checked_add(units));
        ceiling::check(&format!("the events of {}", path.display()), bytes)?;
        let expected = "a list of variable-length float16, float32 or float64 arrays";
        let times = at.column(&file, (TIMES, &times), expected, Number::is_float)?;
        let expected = "a list of variable-length integer arrays";
        let units = at.column(&file, (UNITS, &units), expected, Number::is_integer)?;
        for (name, found) in [
            (TIMES, times.1),
            (UNITS, units.1),
            (SPEAKER, speakers.len()),
        ] {
            at.one_for_each(name, found, samples)?;
        }
        if labels.is_empty() {
            return Err(DatasetError::Empty(path.display().to_string()));
        }
        let last = class_names.len() - 1;
        let range = format!("0 to {last}: `{KEYS}` names {} classes", class_names.len());
        let classes = at.in_range("the label", &labels, class_names.len(), &range)?;
        let speakers = at.in_range("the speaker", &speakers, 1 << 16, "0 to 65535")?;
        let speaker_names = at.speaker_names(&file)?;
        let lists_speakers = speaker_names.is_some();
        let sounds = at.sounds(&file, samples)?;
        let file = ShdFile {
            path: path.to_path_buf(),
            file,
            times: times.0,
            units: units.0,
            classes: classes.into_iter().map(ClassId).collect(),
            speakers: speakers.into_iter().map(SpeakerId).collect(),
            sounds,
            class_names,
            speaker_names: speaker_names.unwrap_or_default(),
            lists_speakers,
        };
        let events = file.events_at_most();
        let what = format!("the {events} events of {}", path.display());
        ceiling::check(&what, events.checked_mul(EVENT_BYTES))?;
        Ok(file)
    }

    /// Events of all samples, those counted that are missing at the end of a row.
    pub(super) fn events_at_most(&self) -> u64 {
        self.times.numbers().max(self.units.numbers())
    }

    /// Number of samples, at least 1.
    pub fn len(&self) -> usize {
        self.classes.len()
    }

    /// Never: a file without samples is refused.
    pub fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Names of the classes, in the spelling of [`normalised`](crate::names::normalised).
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// Names of the speakers that have one, in the spelling of [`normalised`](crate::names::normalised).
    pub fn speaker_names(&self) -> &BTreeMap<SpeakerId, String> {
        &self.speaker_names
    }

    /// Whether the file has a list of speakers' names, in which those that have none are nobody known:
    /// without it, numbers are taken as they are.
    pub fn lists_speakers(&self) -> bool {
        self.lists_speakers
    }

    /// The name of a speaker, or the number if there is none: `speaker 3`.
    pub fn speaker_name(&self, speaker: SpeakerId) -> String {
        let name = self.speaker_names.get(&speaker);
        name.cloned().unwrap_or_else(|| speaker.to_string())
    }

    /// Refuses classes with other names than these; their order may be another.
    ///
    /// # Errors
    /// [`DatasetError::ClassesDiffer`].
    pub fn check_class_names(&self, names: &[String]) -> Result<(), DatasetError> {
        match places_of(&self.class_names, names) {
            Some(_) => Ok(()),
            None => Err(DatasetError::ClassesDiffer {
                found: self.class_names.clone(),
                expected: names.to_vec(),
            }),
        }
    }

    /// The class of every sample.
    pub fn classes(&self) -> &[ClassId] {
        &self.classes
    }

    /// The speaker of every sample.
    pub fn speakers(&self) -> &[SpeakerId] {
        &self.speakers
    }

    /// The sound of every sample, where the file tells it.
    pub fn sounds(&self) -> &[Option<SoundPrint>] {
        &self.sounds
    }

    /// The types of times and units.
    pub fn number_types(&self) -> (NumberType, NumberType) {
        let name = |column: &Column| NumberType(column.number.to_string());
        (name(&self.times), name(&self.units))
    }

    /// Bytes of a time.
    #[cfg(feature = "hdf5")]
    pub(super) fn time_bytes(&self) -> usize {
        self.times.number.bytes()
    }

    /// Reads the events of some samples.
    ///
    /// # Errors
    /// [`DatasetError`] if a time or unit is not valid.
    ///
    /// # Panics
    /// If the range reaches past the end.
    pub fn read(&self, range: Range<usize>) -> Result<Vec<LabelledEvents>, DatasetError> {
        let recordings: Vec<_> = range
            .into_par_iter()
            .map(|sample| self.recording(sample))
            .collect();
        recordings.into_iter().collect()
    }

    /// Hands every recording to `each`, some at a time so that memory stays small.
    ///
    /// # Errors
    /// As [`ShdFile::read`], and what `each` returns.
    pub fn for_each(
        &self,
        mut each: impl FnMut(usize, LabelledEvents) -> Result<(), DatasetError>,
    ) -> Result<(), DatasetError> {
        for start in (0..self.len()).step_by(CHUNK) {
            let range = start..self.len().min(start + CHUNK);
            for (sample, recording) in range.clone().zip(self.read(range)?) {
                each(sample, recording)?;
            }
        }
        Ok(())
    }

    /// One recording, checked.
    pub(super) fn recording(&self, sample: usize) -> Result<LabelledEvents, DatasetError> {
        let bad = |source| DatasetError::BadSample {
            path: self.path.clone(),
            sample,
            source,
        };
        let (times, time_bytes) = self.cell(&self.times, sample);
        let (units, unit_bytes) = self.cell(&self.units, sample);
        // Lists of different lengths are found out first: they say more.
        if times != units {
            return Err(bad(SpikeError::UnequalLengths { times, units }));
        }
        let mut times = self.times.number.floats(time_bytes);
        let mut unit_bytes = unit_bytes;
        if self.times.is_rows() {
            // A row may be filled up with times that are no numbers, and with whatever units, or with zeros.
            let numbers = times.iter().rposition(|time_s| !time_s.is_nan());
            let width = self.units.number.bytes();
            let is_zero = |event: usize| {
                let unit = &unit_bytes[event * width..][..width];
                times[event] == 0.0 && unit.iter().all(|&byte| byte == 0)
            };
            let numbers = numbers.map_or(0, |last| last + 1);
            let events = (0..numbers).rposition(|event| !is_zero(event));
            let events = events.map_or(0, |last| last + 1);
            unit_bytes = &unit_bytes[..events * width];
            times.truncate(events);
        }
        let units = self.units.number.short_integers(unit_bytes);
        let units = units.map_err(|unit| DatasetError::BadNumber {
            path: self.path.clone(),
            what: "a unit",
            sample,
            value: unit,
            expected: "0 to 65535".to_string(),
        })?;
        Ok(LabelledEvents {
            events: EventStream::new(times, units).map_err(bad)?,
            class: self.classes[sample],
            speaker: self.speakers[sample],
            sound: self.sounds[sample],
        })
    }

    /// How many numbers a sample has in a column, and their bytes.
    fn cell<'a>(&'a self, column: &'a Column, sample: usize) -> (usize, &'a [u8]) {
        let bytes = column.cell(self.file.bytes(), sample);
        (bytes.len() / column.number.bytes(), bytes)
    }
}
