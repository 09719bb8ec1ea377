//! Writing files in the layout of the Spiking Heidelberg Digits.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::str::FromStr;

use half::f16;
use hdf5::types::{FixedAscii, VarLenArray, VarLenUnicode};

use super::fingerprint::float16_bits;
use super::shd_layout::At;
use super::shd_names::{KEYS, NAME_BYTES, SPEAKER_NAMES};
use super::{DatasetError, LabelledEvents};
use crate::ids::{SampleIndex, SpeakerId};
use crate::names::normalised;
use crate::spikes::SpikeError;
use crate::storage::{PartFolder, folder_of, shown};

/// The file's name while libhdf5 writes it, in a temporary folder.
const PART: &str = "part.h5";

/// How event times are stored; SHD itself has float16, good to half a millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimesType {
    /// 2 bytes, as in SHD.
    #[default]
    Float16,
    /// 4 bytes.
    Float32,
    /// 8 bytes.
    Float64,
}

impl TimesType {
    /// The last time that can be stored, in seconds.
    fn largest_s(self) -> f64 {
        match self {
            TimesType::Float16 => f64::from(f16::MAX),
            TimesType::Float32 => f64::from(f32::MAX),
            TimesType::Float64 => f64::MAX,
        }
    }
}

/// What SHD tells of a speaker, in `extra/meta_info`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpeakerInfo {
    /// As the file says it, in SHD `male` or `female`.
    pub gender: String,
    /// Years.
    pub age: u16,
    /// Centimetres.
    pub body_height: u16,
}

/// What goes into an SHD-layout file.
#[derive(Debug, Clone, Copy)]
pub struct ShdContents<'a> {
    /// Names of the classes, by number.
    pub class_names: &'a [String],
    /// Names of the speakers that have one; an empty name says of a number that it is nobody known, where
    /// without any name numbers are speakers as they are.
    pub speaker_names: &'a BTreeMap<SpeakerId, String>,
    /// The recordings.
    pub recordings: &'a [LabelledEvents],
    /// What else is known of speakers, by number; may be empty, and then is left out.
    pub speakers: &'a [SpeakerInfo],
    /// How times are stored.
    pub times: TimesType,
}

impl<'a> ShdContents<'a> {
    /// Recordings of speakers that nothing is known of, with times as in SHD.
    pub fn new(class_names: &'a [String], recordings: &'a [LabelledEvents]) -> Self {
        static NO_NAMES: BTreeMap<SpeakerId, String> = BTreeMap::new();
        ShdContents {
            class_names,
            speaker_names: &NO_NAMES,
            recordings,
            speakers: &[],
            times: TimesType::default(),
        }
    }

    /// Refuses names that can't be written, as [`write_shd`] does; `path` is where they are to go.
    ///
    /// # Errors
    /// [`DatasetError`] for a name.
    pub fn check_names(&self, path: &Path) -> Result<(), DatasetError> {
        if !(1..1 << 16).contains(&self.class_names.len()) {
            return Err(DatasetError::BadClassNames(self.class_names.len()));
        }
        let at = At { path };
        let mut classes = BTreeSet::new();
        for (place, name) in self.class_names.iter().enumerate() {
            let reason = match name.is_empty() {
                true => Some("it is empty".to_string()),
                false => unfit(name, &mut classes),
            };
            if let Some(reason) = reason {
                return Err(at.bad_name(KEYS, place, reason));
            }
        }
        let mut speakers = BTreeSet::new();
        for (speaker, name) in self.speaker_names {
            if name.is_empty() {
                continue;
            }
            if let Some(reason) = unfit(name, &mut speakers) {
                return Err(at.bad_name(SPEAKER_NAMES, usize::from(speaker.0), reason));
            }
        }
        Ok(())
    }

    /// Refuses what the layout has no place for.
    fn check(&self, path: &Path) -> Result<(), DatasetError> {
        if self.recordings.is_empty() {
            return Err(DatasetError::Empty(format!(
                "what is to be {}",
                path.display()
            )));
        }
        self.check_names(path)?;
        for (index, recording) in self.recordings.iter().enumerate() {
            let sample = SampleIndex(index);
            if recording.class.index() >= self.class_names.len() {
                return Err(DatasetError::ClassPastEnd {
                    sample,
                    class: recording.class,
                    classes: self.class_names.len(),
                });
            }
            let last = recording.events.last_time_s().unwrap_or(0.0);
            let largest_s = self.times.largest_s();
            if last > largest_s {
                return Err(DatasetError::BadEvents {
                    sample,
                    source: SpikeError::TooLate {
                        time_s: last,
                        largest_s,
                    },
                });
            }
        }
        Ok(())
    }
}

/// Writes recordings as an SHD-layout file: the paths and types of SHD's own files, in a format
/// that libhdf5 from 1.8 on reads.
///
/// # Errors
/// [`DatasetError`] if there is no recording, a time is too late for its type, a name is empty, longer
/// than 256 bytes, another's already or holds the character 0, a class has no name, or the file cannot
/// be written; then no file is left behind.
pub fn write_shd(path: &Path, contents: &ShdContents<'_>) -> Result<(), DatasetError> {
    contents.check(path)?;
    let unwritable = |reason: String| DatasetError::Hdf5 {
        path: path.to_path_buf(),
        action: "written",
        reason,
    };
    let part = PartFolder::create_in(folder_of(path)).map_err(|e| unwritable(e.to_string()))?;
    write_to(&part.path().join(PART), contents).map_err(|e| unwritable(one_line(&e)))?;
    part.put_file(PART, path)
        .map_err(|error| unwritable(error.to_string()))
}

fn write_to(path: &Path, contents: &ShdContents<'_>) -> hdf5::Result<()> {
    // Made in memory and written as a whole: when libhdf5 writes bit by bit, some of its errors are lost.
    let file = hdf5::File::with_options()
        .with_fapl(|access| access.core_filebacked(true))
        .create(path)?;
    fill(&file, contents)?;
    file.flush()?;
    file.close()
}

fn fill(file: &hdf5::File, contents: &ShdContents<'_>) -> hdf5::Result<()> {
    let recordings = contents.recordings;
    let spikes = file.create_group("spikes")?;
    match contents.times {
        TimesType::Float16 => write_times(&spikes, recordings, |time| {
            f16::from_bits(float16_bits(time))
        })?,
        TimesType::Float32 => write_times(&spikes, recordings, |time| time as f32)?,
        TimesType::Float64 => write_times(&spikes, recordings, |time| time)?,
    }
    let units = recordings
        .iter()
        .map(|r| VarLenArray::from_slice(r.events.units()));
    let units: Vec<VarLenArray<u16>> = units.collect();
    spikes
        .new_dataset_builder()
        .with_data(&units)
        .create("units")?;
    let labels: Vec<u16> = recordings.iter().map(|r| r.class.0).collect();
    file.new_dataset_builder()
        .with_data(&labels)
        .create("labels")?;

    let extra = file.create_group("extra")?;
    let numbers: Vec<u16> = recordings.iter().map(|r| r.speaker.0).collect();
    extra
        .new_dataset_builder()
        .with_data(&numbers)
        .create("speaker")?;
    write_names(&extra, "keys", contents.class_names.iter())?;
    if let Some((last, _)) = contents.speaker_names.last_key_value() {
        let none = String::new();
        let names = (0..=last.0).map(|number| {
            let name = contents.speaker_names.get(&SpeakerId(number));
            name.unwrap_or(&none)
        });
        write_names(&extra, "speaker_names", names)?;
    }
    if recordings.iter().any(|recording| recording.sound.is_some()) {
        let sounds = recordings
            .iter()
            .map(|r| r.sound.map_or(0, |sound| sound.0));
        extra
            .new_dataset_builder()
            .with_data(&sounds.collect::<Vec<u64>>())
            .create("sound")?;
    }
    let speakers = contents.speakers;
    if speakers.is_empty() {
        return Ok(());
    }
    let info = extra.create_group("meta_info")?;
    let genders = ascii(speakers.iter().map(|speaker| &speaker.gender))?;
    info.new_dataset_builder()
        .with_data(&genders)
        .create("gender")?;
    let ages: Vec<u16> = speakers.iter().map(|speaker| speaker.age).collect();
    info.new_dataset_builder().with_data(&ages).create("age")?;
    let heights: Vec<u16> = speakers.iter().map(|speaker| speaker.body_height).collect();
    info.new_dataset_builder()
        .with_data(&heights)
        .create("body_height")?;
    Ok(())
}

fn write_times<T: hdf5::H5Type + Copy>(
    spikes: &hdf5::Group,
    recordings: &[LabelledEvents],
    convert: impl Fn(f64) -> T,
) -> hdf5::Result<()> {
    let lists = recordings.iter().map(|recording| {
        let times = recording.events.times_s().iter();
        VarLenArray::from_slice(&times.map(|&time| convert(time)).collect::<Vec<T>>())
    });
    let lists: Vec<VarLenArray<T>> = lists.collect();
    spikes
        .new_dataset_builder()
        .with_data(&lists)
        .create("times")?;
    Ok(())
}

fn ascii<'a>(names: impl Iterator<Item = &'a String>) -> hdf5::Result<Vec<FixedAscii<64>>> {
    let fixed = names.map(|name| {
        FixedAscii::from_ascii(name)
            .map_err(|_| hdf5::Error::Internal(format!("`{name}` is not ASCII of up to 64 bytes")))
    });
    fixed.collect()
}

/// Writes names as fixed-length ASCII, as SHD has them, or as variable-length UTF-8 where that is too
/// little.
fn write_names<'a>(
    group: &hdf5::Group,
    list: &str,
    names: impl Iterator<Item = &'a String>,
) -> hdf5::Result<()> {
    let names: Vec<String> = names.map(|name| normalised(name)).collect();
    let builder = group.new_dataset_builder();
    match ascii(names.iter()) {
        Ok(names) => builder.with_data(&names).create(list)?,
        Err(_) => {
            let names = names.iter().map(|name| {
                let unicode = VarLenUnicode::from_str(name);
                unicode.map_err(|error| hdf5::Error::Internal(error.to_string()))
            });
            let names = names.collect::<hdf5::Result<Vec<VarLenUnicode>>>()?;
            builder.with_data(&names).create(list)?
        }
    };
    Ok(())
}

/// Why a name cannot be written, if it can't.
fn unfit(name: &str, known: &mut BTreeSet<String>) -> Option<String> {
    let name = normalised(name);
    if name.len() > NAME_BYTES {
        return Some(format!("it is longer than {NAME_BYTES} bytes"));
    }
    if name.contains('\0') {
        return Some("it holds the character 0".to_string());
    }
    let again = format!("“{}” is another's already", shown(&name));
    (!known.insert(name)).then_some(again)
}

/// The library's message without line ends.
fn one_line(error: &hdf5::Error) -> String {
    let text = error.to_string();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
