//! Writing files in the layout of the Spiking Heidelberg Digits.

use std::path::Path;

use half::f16;
use hdf5::types::{FixedAscii, VarLenArray};

use super::shd_read::one_line;
use super::{DatasetError, LabelledEvents};
use crate::ids::SampleIndex;
use crate::spikes::SpikeError;
use crate::storage::{PartFolder, folder_of};

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

/// Writes recordings as an SHD-layout file: the paths and types of SHD's own files, in a format
/// that libhdf5 from 1.8 on reads.
///
/// `speakers` is what is known of speakers, by number; it may be empty, and then is left out.
///
/// # Errors
/// [`DatasetError`] if there is no recording, a time is too late for its type, a name is not ASCII of up to 64 bytes, a class has no
/// name, or the file cannot be written; then no file is left behind.
pub fn write_shd(
    path: &Path,
    class_names: &[String],
    recordings: &[LabelledEvents],
    speakers: &[SpeakerInfo],
    times: TimesType,
) -> Result<(), DatasetError> {
    if recordings.is_empty() {
        return Err(DatasetError::Empty(format!(
            "what is to be {}",
            path.display()
        )));
    }
    if class_names.is_empty() {
        return Err(DatasetError::BadClassNames(0));
    }
    for (index, recording) in recordings.iter().enumerate() {
        if recording.class.index() >= class_names.len() {
            return Err(DatasetError::ClassPastEnd {
                sample: SampleIndex(index),
                class: recording.class,
                classes: class_names.len(),
            });
        }
        let last = recording.events.last_time_s().unwrap_or(0.0);
        if last > times.largest_s() {
            return Err(DatasetError::BadEvents {
                sample: SampleIndex(index),
                source: SpikeError::TooLate {
                    time_s: last,
                    largest_s: times.largest_s(),
                },
            });
        }
    }
    let unwritable = |reason: String| DatasetError::Hdf5 {
        path: path.to_path_buf(),
        action: "written",
        reason,
    };
    let part = PartFolder::create_in(folder_of(path)).map_err(|e| unwritable(e.to_string()))?;
    write_to(
        &part.path().join(PART),
        class_names,
        recordings,
        speakers,
        times,
    )
    .map_err(|error| unwritable(one_line(&error)))?;
    part.put_file(PART, path)
        .map_err(|error| unwritable(error.to_string()))
}

fn write_to(
    path: &Path,
    class_names: &[String],
    recordings: &[LabelledEvents],
    speakers: &[SpeakerInfo],
    times: TimesType,
) -> hdf5::Result<()> {
    let file = hdf5::File::create(path)?;
    fill(&file, class_names, recordings, speakers, times)?;
    // Much is written now only; what a full disk does not take is an error.
    file.flush()?;
    file.close()
}

fn fill(
    file: &hdf5::File,
    class_names: &[String],
    recordings: &[LabelledEvents],
    speakers: &[SpeakerInfo],
    times: TimesType,
) -> hdf5::Result<()> {
    let spikes = file.create_group("spikes")?;
    match times {
        TimesType::Float16 => write_times(&spikes, recordings, f16::from_f64)?,
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
    let keys = ascii(class_names.iter())?;
    extra
        .new_dataset_builder()
        .with_data(&keys)
        .create("keys")?;
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
