//! Reading files in the layout of the Spiking Heidelberg Digits.
//!
//! ```text
//! spikes/times            one variable-length float16, float32 or float64 array a sample, seconds
//! spikes/units            one variable-length array of integers a sample, as long as its times
//! labels                  one integer a sample
//! extra/speaker           one integer a sample
//! extra/keys              names of the classes
//! ```

use std::ops::Range;
use std::path::{Path, PathBuf};

use hdf5::types::{
    FixedAscii, FixedUnicode, FloatSize, IntSize, TypeDescriptor, VarLenArray, VarLenAscii,
    VarLenUnicode,
};
use ndarray::Array1;
use rayon::prelude::*;

use super::shd_chunk::{Chunk, Times, Units};
use super::{BinningTarget, Dataset, DatasetBuilder, DatasetError, LabelledEvents, Sample};
use crate::ids::{ClassId, SpeakerId};
use crate::spikes::{EventStream, SpikeError};

const TIMES: &str = "spikes/times";
const UNITS: &str = "spikes/units";
const LABELS: &str = "labels";
const SPEAKER: &str = "extra/speaker";
const KEYS: &str = "extra/keys";
/// The longest class name that is read, in bytes.
const NAME_BYTES: usize = 256;
/// Samples whose events are in memory at the same time.
const CHUNK: usize = 256;

/// The type of numbers in a file, as `data info` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberType(pub String);

/// An SHD-layout file, opened and checked but for its events.
#[derive(Debug)]
pub struct ShdFile {
    path: PathBuf,
    times: hdf5::Dataset,
    times_size: FloatSize,
    units: hdf5::Dataset,
    units_type: TypeDescriptor,
    classes: Vec<ClassId>,
    speakers: Vec<SpeakerId>,
    class_names: Vec<String>,
}

impl ShdFile {
    /// Opens a file, checks its layout, and reads everything but the events.
    ///
    /// # Errors
    /// [`DatasetError`], with the file's name and what is wrong with it.
    pub fn open(path: &Path) -> Result<Self, DatasetError> {
        // The HDF5 library says little about a file that is missing or not to be read.
        std::fs::File::open(path)
            .and_then(|file| match file.metadata()?.is_dir() {
                true => Err(std::io::Error::other("it is a folder")),
                false => Ok(()),
            })
            .map_err(|source| DatasetError::Unreadable {
                path: path.to_path_buf(),
                source,
            })?;
        let file = hdf5::File::open(path).map_err(|error| {
            let (path, reason) = (path.to_path_buf(), one_line(&error));
            match reason.contains("signature") {
                true => DatasetError::NotHdf5 { path, reason },
                false => DatasetError::Hdf5 {
                    path,
                    action: "opened",
                    reason,
                },
            }
        })?;
        let at = At { path };
        at.group(&file, "spikes")?;
        at.group(&file, "extra")?;
        let times = at.dataset(&file, TIMES)?;
        let units = at.dataset(&file, UNITS)?;
        let labels = at.integers(&at.dataset(&file, LABELS)?, LABELS)?;
        let speakers = at.integers(&at.dataset(&file, SPEAKER)?, SPEAKER)?;
        let class_names = at.names(&at.dataset(&file, KEYS)?)?;

        let expected = "a list of variable-length float16, float32 or float64 arrays";
        let times_size = match at.elements(&times, TIMES, expected)? {
            TypeDescriptor::Float(size) => size,
            other => return Err(at.wrong(TIMES, list_of(&other), expected)),
        };
        let expected = "a list of variable-length integer arrays";
        let units_type = at.elements(&units, UNITS, expected)?;
        if !is_integer(&units_type) {
            return Err(at.wrong(UNITS, list_of(&units_type), expected));
        }
        for (name, found) in [
            (TIMES, times.size()),
            (UNITS, units.size()),
            (SPEAKER, speakers.len()),
        ] {
            if found != labels.len() {
                return Err(DatasetError::UnequalSamples {
                    path: path.to_path_buf(),
                    name,
                    found,
                    expected: labels.len(),
                });
            }
        }
        if labels.is_empty() {
            return Err(DatasetError::Empty(path.display().to_string()));
        }
        let last = class_names.len() - 1;
        let range = format!("0 to {last}: `{KEYS}` names {} classes", class_names.len());
        let classes = at.in_range("the label", &labels, class_names.len(), &range)?;
        let range = "0 to 65535";
        let speakers = at.in_range("the speaker", &speakers, 1 << 16, range)?;
        Ok(ShdFile {
            path: path.to_path_buf(),
            times,
            times_size,
            units,
            units_type,
            classes: classes.into_iter().map(ClassId).collect(),
            speakers: speakers.into_iter().map(SpeakerId).collect(),
            class_names,
        })
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

    /// Names of the classes.
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// The class of every sample.
    pub fn classes(&self) -> &[ClassId] {
        &self.classes
    }

    /// The speaker of every sample.
    pub fn speakers(&self) -> &[SpeakerId] {
        &self.speakers
    }

    /// The types of times and units.
    pub fn number_types(&self) -> (NumberType, NumberType) {
        let times = TypeDescriptor::Float(self.times_size).to_string();
        (NumberType(times), NumberType(self.units_type.to_string()))
    }

    /// Reads the events of some samples.
    ///
    /// # Errors
    /// [`DatasetError`] if the file is damaged, or a time or unit is not valid.
    ///
    /// # Panics
    /// If the range reaches past the end.
    pub fn read(&self, range: Range<usize>) -> Result<Vec<LabelledEvents>, DatasetError> {
        let chunk = self.read_chunk(range)?;
        let recordings = (0..chunk.samples.len()).into_par_iter();
        let recordings: Vec<_> = recordings
            .map(|index| self.recording(&chunk, index))
            .collect();
        recordings.into_iter().collect()
    }

    /// The lists of some samples as the file has them.
    fn read_chunk(&self, samples: Range<usize>) -> Result<Chunk, DatasetError> {
        let times = match self.times_size {
            FloatSize::U2 => Times::Half(self.read_lists(&self.times, samples.clone())?),
            FloatSize::U4 => Times::Single(self.read_lists(&self.times, samples.clone())?),
            FloatSize::U8 => Times::Double(self.read_lists(&self.times, samples.clone())?),
        };
        let units = match self.units_type {
            TypeDescriptor::Unsigned(IntSize::U2) => {
                Units::Short(self.read_lists(&self.units, samples.clone())?)
            }
            // The library converts every other integer, and clips what does not fit.
            _ => Units::Long(self.read_lists(&self.units, samples.clone())?),
        };
        Ok(Chunk {
            samples,
            times,
            units,
        })
    }

    /// One recording of a chunk, checked.
    fn recording(&self, chunk: &Chunk, index: usize) -> Result<LabelledEvents, DatasetError> {
        let sample = chunk.samples.start + index;
        let bad = |source| DatasetError::BadSample {
            path: self.path.clone(),
            sample,
            source,
        };
        let times = chunk.times.list(index);
        let units = chunk
            .units
            .list(index)
            .map_err(|unit| DatasetError::BadNumber {
                path: self.path.clone(),
                what: "a unit",
                sample,
                value: unit,
                expected: "0 to 65535".to_string(),
            });
        // Lists of different lengths are found out first: they say more.
        if times.len() != chunk.units.len_of(index) {
            return Err(bad(SpikeError::UnequalLengths {
                times: times.len(),
                units: chunk.units.len_of(index),
            }));
        }
        Ok(LabelledEvents {
            events: EventStream::new(times, units?).map_err(bad)?,
            class: self.classes[sample],
            speaker: self.speakers[sample],
            sound: None,
        })
    }

    /// Hands every recording to `each`, a chunk at a time so that memory stays small.
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

    fn read_lists<T: hdf5::H5Type + Copy>(
        &self,
        dataset: &hdf5::Dataset,
        range: Range<usize>,
    ) -> Result<Array1<VarLenArray<T>>, DatasetError> {
        let lists = dataset.read_slice_1d(range);
        lists.map_err(|error| At { path: &self.path }.damaged(&error))
    }
}

/// Reads and merges files, binned for a network.
///
/// # Errors
/// [`DatasetError`], with the file and the sample: besides what [`ShdFile`] refuses, files whose
/// class names differ, labels that the network has no readout for, and units that it has no input
/// for.
pub fn read_dataset(paths: &[PathBuf], target: BinningTarget) -> Result<Dataset, DatasetError> {
    let mut merged: Option<(DatasetBuilder, PathBuf, Vec<String>)> = None;
    for path in paths {
        let file = ShdFile::open(path)?;
        if merged.is_none() {
            let names = file.class_names.clone();
            let builder = DatasetBuilder::new(target.grid, target.inputs, names.clone())?;
            merged = Some((builder, path.clone(), names));
        }
        let Some((builder, first, names)) = &mut merged else {
            unreachable!("just made");
        };
        if file.class_names != *names {
            return Err(DatasetError::OtherClasses {
                path: path.clone(),
                found: file.class_names,
                first: first.clone(),
                expected: names.clone(),
            });
        }
        let labels = file.classes.iter().map(|class| i64::from(class.0));
        let range = format!(
            "below {}, the number of classes of the network",
            target.classes
        );
        let labels: Vec<i64> = labels.collect();
        At { path }.in_range("the label", &labels, target.classes, &range)?;
        bin_all(&file, target, builder)?;
    }
    match merged {
        Some((builder, ..)) => builder.build(),
        None => Err(DatasetError::Empty("a list of no files".to_string())),
    }
}

/// Bins every recording of a file. While a chunk is being binned, the next one is read: the library
/// reads with one thread only.
fn bin_all(
    file: &ShdFile,
    target: BinningTarget,
    builder: &mut DatasetBuilder,
) -> Result<(), DatasetError> {
    let mut chunks = (0..file.len())
        .step_by(CHUNK)
        .map(|start| start..file.len().min(start + CHUNK));
    let mut next = chunks.next().map(|range| file.read_chunk(range));
    while let Some(chunk) = next {
        let chunk = chunk?;
        let (read, binned) = rayon::join(
            || chunks.next().map(|range| file.read_chunk(range)),
            || bin_chunk(file, &chunk, target),
        );
        for sample in binned {
            let (sample, past_end) = sample?;
            builder.add(sample, past_end);
        }
        next = read;
    }
    Ok(())
}

/// The samples of a chunk, and how many events of each fell past the end of the grid.
fn bin_chunk(
    file: &ShdFile,
    chunk: &Chunk,
    target: BinningTarget,
) -> Vec<Result<(Sample, usize), DatasetError>> {
    let samples = (0..chunk.samples.len()).into_par_iter();
    let binned = samples.map(|index| {
        let recording = file.recording(chunk, index)?;
        let binned = recording.bin(target.grid, target.inputs);
        binned.map_err(|source| DatasetError::BadSample {
            path: file.path.clone(),
            sample: chunk.samples.start + index,
            source,
        })
    });
    binned.collect()
}

/// Says where something is wrong.
#[derive(Clone, Copy)]
struct At<'a> {
    path: &'a Path,
}

impl At<'_> {
    fn group(self, file: &hdf5::File, name: &'static str) -> Result<(), DatasetError> {
        file.group(name)
            .map(|_| ())
            .map_err(|_| DatasetError::Missing {
                path: self.path.to_path_buf(),
                kind: "group",
                name,
            })
    }

    fn dataset(self, file: &hdf5::File, name: &'static str) -> Result<hdf5::Dataset, DatasetError> {
        let dataset = file.dataset(name).map_err(|_| DatasetError::Missing {
            path: self.path.to_path_buf(),
            kind: "dataset",
            name,
        })?;
        if dataset.ndim() != 1 {
            let found = format!("an array of {} dimensions", dataset.ndim());
            return Err(self.wrong(name, found, "a list"));
        }
        Ok(dataset)
    }

    fn descriptor(self, dataset: &hdf5::Dataset) -> Result<TypeDescriptor, DatasetError> {
        let described = dataset.dtype().and_then(|dtype| dtype.to_descriptor());
        described.map_err(|error| self.damaged(&error))
    }

    /// The element type of a list of variable-length arrays.
    fn elements(
        self,
        dataset: &hdf5::Dataset,
        name: &'static str,
        expected: &'static str,
    ) -> Result<TypeDescriptor, DatasetError> {
        match self.descriptor(dataset)? {
            TypeDescriptor::VarLenArray(element) => Ok(*element),
            other => Err(self.wrong(name, format!("a list of {other}"), expected)),
        }
    }

    fn integers(
        self,
        dataset: &hdf5::Dataset,
        name: &'static str,
    ) -> Result<Vec<i64>, DatasetError> {
        let found = self.descriptor(dataset)?;
        if !is_integer(&found) {
            return Err(self.wrong(name, format!("a list of {found}"), "a list of integers"));
        }
        dataset.read_raw().map_err(|error| self.damaged(&error))
    }

    fn names(self, dataset: &hdf5::Dataset) -> Result<Vec<String>, DatasetError> {
        fn strings<T: hdf5::H5Type + ToString>(
            dataset: &hdf5::Dataset,
        ) -> hdf5::Result<Vec<String>> {
            let names = dataset.read_raw::<T>()?;
            Ok(names.iter().map(ToString::to_string).collect())
        }
        let names = match self.descriptor(dataset)? {
            TypeDescriptor::FixedAscii(n) if n <= NAME_BYTES => {
                strings::<FixedAscii<NAME_BYTES>>(dataset)
            }
            TypeDescriptor::FixedUnicode(n) if n <= NAME_BYTES => {
                strings::<FixedUnicode<NAME_BYTES>>(dataset)
            }
            TypeDescriptor::VarLenAscii => strings::<VarLenAscii>(dataset),
            TypeDescriptor::VarLenUnicode => strings::<VarLenUnicode>(dataset),
            other => {
                let expected = "a list of strings of up to 256 bytes";
                return Err(self.wrong(KEYS, format!("a list of {other}"), expected));
            }
        };
        let names = names.map_err(|error| self.damaged(&error))?;
        if names.is_empty() {
            return Err(self.wrong(KEYS, "empty".to_string(), "a name for each class"));
        }
        Ok(names)
    }

    /// The numbers as 16 bits, each below `end`.
    fn in_range(
        self,
        what: &'static str,
        numbers: &[i64],
        end: usize,
        expected: &str,
    ) -> Result<Vec<u16>, DatasetError> {
        let narrow = numbers.iter().enumerate().map(|(sample, &value)| {
            let fits = u16::try_from(value).ok().filter(|&v| usize::from(v) < end);
            fits.ok_or_else(|| DatasetError::BadNumber {
                path: self.path.to_path_buf(),
                what,
                sample,
                value,
                expected: expected.to_string(),
            })
        });
        narrow.collect()
    }

    fn wrong(self, name: &'static str, found: String, expected: &'static str) -> DatasetError {
        DatasetError::WrongType {
            path: self.path.to_path_buf(),
            name,
            found,
            expected,
        }
    }

    fn damaged(self, error: &hdf5::Error) -> DatasetError {
        DatasetError::Hdf5 {
            path: self.path.to_path_buf(),
            action: "read",
            reason: one_line(error),
        }
    }
}

fn is_integer(descriptor: &TypeDescriptor) -> bool {
    matches!(
        descriptor,
        TypeDescriptor::Integer(_) | TypeDescriptor::Unsigned(_)
    )
}

fn list_of(element: &TypeDescriptor) -> String {
    format!("a list of variable-length {element} arrays")
}

pub(super) fn one_line(error: &hdf5::Error) -> String {
    let text = error.to_string();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
