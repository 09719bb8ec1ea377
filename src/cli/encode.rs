use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::arguments::{Machine, Seed};
use super::failure::Failure;
use super::output::{counted_bar, note, print, table};
use crate::dataset::{LabelledEvents, ShdContents, TimesType, write_shd};
use crate::encode::{
    AudioFile, Checked, EarPreset, EncodeError, EncodeProgress, Heard, InnerEar, LabelRule,
    LabelledFiles, Labels, Numbering, check_files, encode_files, find_audio, label_files,
};
use crate::ids::SoundPrint;
use crate::storage::{PartFolder, Shown, WholeFile, folder_of, read_plain};

/// The longest class name that an SHD-layout file takes, in bytes.
const LONGEST_NAME: usize = 64;
/// A recording with a larger share of its samples at full scale is said to be clipped.
const CLIPPED: f64 = 0.001;

#[derive(Args)]
pub(super) struct EncodeArguments {
    /// WAV and FLAC files, and folders that are searched for them.
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// The SHD-layout file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Places along the basilar membrane: the units of the spikes.
    #[arg(long, value_name = "N", default_value_t = 700)]
    channels: usize,
    /// The constants of the ear.
    #[arg(long, value_enum, default_value_t = PresetName::Shd)]
    preset: PresetName,
    /// Where labels come from: a .csv file with the columns file, label and, if known, speaker,
    /// language and take; or a pattern of the files' names with {label} and, if they are there,
    /// {speaker}, {language} and {take}. Without it, names as in FSDD, {label}_{speaker}_{take}, and as
    /// in SHD, lang-{language}_speaker-{speaker}_trial-{take}_digit-{label}, are understood.
    #[arg(long, value_name = "RULE")]
    labels: Option<String>,
    /// Names of the classes in their order, instead of the labels themselves.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    class_names: Vec<String>,
    /// Recordings with these takes go into --test-out instead of --out.
    #[arg(long, value_name = "FIRST-LAST", value_parser = takes, requires = "test_out")]
    test_takes: Option<RangeInclusive<u32>>,
    /// The SHD-layout file for the recordings of --test-takes.
    #[arg(long, value_name = "FILE", requires = "test_takes")]
    test_out: Option<PathBuf>,
    /// What is done when a recording cannot be read or has no label.
    #[arg(long, value_enum, default_value_t = BadFiles::Refuse)]
    bad_files: BadFiles,
    /// How times are stored.
    #[arg(long, value_enum, default_value_t = TimesName::Float16)]
    times: TimesName,
    /// Replace --out and --test-out where they exist.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    seed: Seed,
    #[command(flatten)]
    machine: Machine,
}

/// Names of the sets of constants.
#[derive(ValueEnum, Clone, Copy)]
pub(super) enum PresetName {
    /// The constants of the SHD paper (Cramer et al. 2020).
    Shd,
    /// The constants that LAUSCHER comes with.
    Lauscher,
}

impl PresetName {
    pub(super) fn preset(self) -> EarPreset {
        match self {
            PresetName::Shd => EarPreset::Shd,
            PresetName::Lauscher => EarPreset::Lauscher,
        }
    }
}

#[derive(ValueEnum, Clone, Copy, PartialEq)]
enum BadFiles {
    /// Name them and write nothing.
    Refuse,
    /// Name them and go on without them.
    Skip,
}

#[derive(ValueEnum, Clone, Copy)]
enum TimesName {
    /// 2 bytes, as in SHD: good to half a millisecond up to 2 s, 1 ms up to 4 s, 2 ms up to 8 s, and so on.
    Float16,
    /// 4 bytes.
    Float32,
}

fn takes(text: &str) -> Result<RangeInclusive<u32>, String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.trim().parse(), last.trim().parse()) {
        (Ok(first), Ok(last)) if first <= last => Ok(first..=last),
        _ => Err("give the first and the last take, such as 0-4".to_string()),
    }
}

pub(super) fn run(arguments: EncodeArguments) -> Result<(), Failure> {
    arguments.machine.prepare()?;
    let outputs = outputs(&arguments)?;
    let rule = match &arguments.labels {
        Some(rule) => LabelRule::parse(rule)?,
        None => LabelRule::default(),
    };
    let ear = InnerEar::new(arguments.preset.preset().settings(arguments.channels))?;
    let Good {
        files,
        labels,
        sounds,
    } = good_files(&arguments, &rule, &ear)?;
    let numbering = Numbering::new(&labels)?;
    let class_names = class_names(&arguments.class_names, &numbering)?;
    let is_test = is_test(&arguments, &files, &labels)?;
    look_at_repeats(&files, &sounds, &is_test)?;

    let journal = journal_of(&arguments.out);
    let bar = counted_bar("encode", files.len(), "recordings");
    let progress = |progress| match progress {
        EncodeProgress::TakenOver(count) => {
            bar.advance(count);
            if count > 0 {
                note(&format!(
                    "{count} recordings were encoded by an interrupted run"
                ));
            }
        }
        EncodeProgress::Done => bar.advance(1),
    };
    let heard = encode_files(&ear, arguments.seed.master(), &files, &journal, &progress)?;
    bar.done();
    let silent = heard.iter().filter(|one| one.events.is_empty()).count();
    if silent > 0 {
        note(&format!("{silent} of the recordings gave no spike at all"));
    }

    let times = match arguments.times {
        TimesName::Float16 => TimesType::Float16,
        TimesName::Float32 => TimesType::Float32,
    };
    let [train, test] = split(heard, &numbering, &is_test);
    let mut rows = Vec::new();
    for (path, recordings) in outputs.iter().zip([train, test]) {
        let contents = ShdContents {
            times,
            speaker_names: &numbering.speaker_names,
            ..ShdContents::new(&class_names, &recordings)
        };
        write_output(path, &contents, arguments.force)?;
        rows.push(row(path, &recordings));
    }
    // Not before everything else is on disk.
    std::fs::remove_file(&journal)
        .map_err(|error| Failure::fault(format!("cannot remove {}: {error}", journal.display())))?;
    let heading = ["file", "samples", "events a sample", "last event"];
    print(&table(&heading, &rows, 1))?;
    print(&numbers(&class_names, &numbering))
}

/// Writes a file. One that is there is of a run that was stopped between its outputs, or it is refused.
fn write_output(path: &Path, contents: &ShdContents<'_>, force: bool) -> Result<(), Failure> {
    if force || !path.exists() {
        return Ok(write_shd(path, contents)?);
    }
    let unwritable = |error| Failure::fault(format!("cannot write {}: {error}", path.display()));
    let part = PartFolder::create_in(folder_of(path)).map_err(unwritable)?;
    let again = part.path().join("again.h5");
    write_shd(&again, contents)?;
    let read = |path: &Path| read_plain(path).map_err(unwritable);
    match read(&again)? == read(path)? {
        true => Ok(()),
        false => Err(is_there(path)),
    }
}

fn is_there(path: &Path) -> Failure {
    Failure::bad(format!(
        "{} is there already; choose another name, or give --force to replace it",
        path.display()
    ))
}

/// The files to write; refuses what is there already, unless work in progress says that it may be of a
/// run that was stopped between its outputs.
fn outputs(arguments: &EncodeArguments) -> Result<Vec<PathBuf>, Failure> {
    let outputs = [Some(&arguments.out), arguments.test_out.as_ref()];
    let outputs: Vec<PathBuf> = outputs.into_iter().flatten().cloned().collect();
    for path in &outputs {
        let folder = folder_of(path);
        if path.file_name().is_none() || (path.exists() && !path.is_file()) {
            return Err(Failure::bad(format!(
                "{} is no name for a file",
                path.display()
            )));
        }
        if path.to_str().is_none() {
            return Err(Failure::bad(format!(
                "{} is not text in UTF-8, which libhdf5 needs of names; choose another",
                path.display()
            )));
        }
        if !folder.is_dir() {
            return Err(Failure::bad(format!(
                "there is no folder {}",
                folder.display()
            )));
        }
        // Found out now, and not after everything has been encoded.
        WholeFile::create(path)
            .map_err(|error| Failure::fault(format!("cannot write {}: {error}", path.display())))?;
        if path.exists() && !arguments.force && !journal_of(&arguments.out).exists() {
            return Err(is_there(path));
        }
    }
    let journal = place(&journal_of(&arguments.out));
    let test_out = arguments.test_out.as_deref().map(place);
    if test_out.as_ref() == Some(&journal) {
        let message =
            "--test-out has the name under which work in progress is kept; choose another";
        return Err(Failure::bad(message));
    }
    if test_out == Some(place(&arguments.out)) {
        let message = "--out and --test-out are the same file; give each its own";
        return Err(Failure::bad(message));
    }
    Ok(outputs)
}

/// What a file is, whatever way its path is written.
fn place(path: &Path) -> (Option<PathBuf>, Option<OsString>) {
    let folder = folder_of(path).canonicalize();
    (folder.ok(), path.file_name().map(OsStr::to_os_string))
}

/// Where the work in progress is kept: beside the file it is for.
fn journal_of(out: &Path) -> PathBuf {
    let mut name = out.file_name().unwrap_or_default().to_os_string();
    name.push(".encoding");
    out.with_file_name(name)
}

/// Files that can be encoded.
#[derive(Default)]
struct Good {
    files: Vec<AudioFile>,
    labels: Vec<Labels>,
    sounds: Vec<SoundPrint>,
}

/// Files that can be encoded, with their labels; the others are named, and refused or left out.
fn good_files(
    arguments: &EncodeArguments,
    rule: &LabelRule,
    ear: &InnerEar,
) -> Result<Good, Failure> {
    let found = find_audio(&arguments.inputs)?;
    let outputs = [Some(&arguments.out), arguments.test_out.as_ref()];
    for output in outputs.into_iter().flatten() {
        let output_place = place(output);
        if output.exists() && found.iter().any(|file| place(&file.path) == output_place) {
            let output = output.display();
            return Err(Failure::bad(format!(
                "{output} is one of the recordings; choose another name"
            )));
        }
    }
    let all = found.len();
    let LabelledFiles {
        labelled,
        refused: mut bad,
        idle_rows,
    } = label_files(rule, found)?;
    if let Some(first) = idle_rows.first() {
        let (rows, first) = (idle_rows.len(), Shown(first));
        note(&format!(
            "{rows} rows of the table of labels are for none of the recordings, such as that of {first}"
        ));
    }
    let (files, labels): (Vec<AudioFile>, Vec<Labels>) = labelled.into_iter().unzip();
    let checked = check_files(ear, &files);
    let (mut good, mut several_channels, mut clipped) = (Good::default(), 0, 0);
    for ((file, labels), checked) in files.into_iter().zip(labels).zip(checked) {
        match checked {
            Ok(Checked {
                channels,
                clipped: share,
                sound,
                ..
            }) => {
                several_channels += usize::from(channels > 1);
                clipped += usize::from(share > CLIPPED);
                good.files.push(file);
                good.labels.push(labels);
                good.sounds.push(sound);
            }
            Err(error) if error.is_machine_trouble() => {
                return Err(Failure::Fault(error.into()));
            }
            Err(error) => bad.push(error),
        }
    }
    refuse_or_skip(arguments.bad_files, &bad, all)?;
    if good.files.is_empty() {
        let first = bad.first().map(ToString::to_string).unwrap_or_default();
        return Err(Failure::bad(format!(
            "no recording can be encoded: {first}"
        )));
    }
    if several_channels > 0 {
        note(&format!(
            "{several_channels} recordings have several channels; their mean is encoded"
        ));
    }
    if clipped > 0 {
        note(&format!(
            "{clipped} recordings are clipped: they touch full scale"
        ));
    }
    Ok(good)
}

/// Says which recordings are one sound under several names; it may not be both trained on and tested.
fn look_at_repeats(
    files: &[AudioFile],
    sounds: &[SoundPrint],
    is_test: &[bool],
) -> Result<(), Failure> {
    let mut first_of: BTreeMap<SoundPrint, usize> = BTreeMap::new();
    let (mut repeats, mut example) = (0, None);
    for (index, &sound) in sounds.iter().enumerate() {
        let first = *first_of.entry(sound).or_insert(index);
        let (one, other) = (files[first].path.display(), files[index].path.display());
        if is_test[first] != is_test[index] {
            return Err(Failure::bad(format!(
                "{one} and {other} are the same sound, but --test-takes sends one of them to --out and \
                 the other to --test-out; remove one"
            )));
        }
        if first != index {
            repeats += 1;
            example.get_or_insert((one, other));
        }
    }
    if let Some((one, other)) = example {
        note(&format!(
            "{repeats} of {} recordings have the sound of another, such as {other} that of {one}: their \
             spikes are the same too",
            files.len()
        ));
    }
    Ok(())
}

fn refuse_or_skip(policy: BadFiles, bad: &[EncodeError], all: usize) -> Result<(), Failure> {
    let Some(first) = bad.first() else {
        return Ok(());
    };
    let count = bad.len();
    if policy == BadFiles::Refuse && count == 1 {
        return Err(Failure::bad(format!(
            "{first}; to go on without it, give --bad-files skip"
        )));
    }
    let verb = match policy {
        BadFiles::Refuse => "cannot be encoded",
        BadFiles::Skip => "left out",
    };
    for error in bad {
        note(&format!("{verb}: {error}"));
    }
    match policy {
        BadFiles::Skip => Ok(()),
        BadFiles::Refuse => Err(Failure::bad(format!(
            "{count} of {all} recordings cannot be encoded; to go on without them, give --bad-files skip"
        ))),
    }
}

fn class_names(given: &[String], numbering: &Numbering) -> Result<Vec<String>, Failure> {
    let labels = &numbering.class_names;
    let names: &[String] = if given.is_empty() { labels } else { given };
    // The file would refuse it too, but only after everything has been encoded.
    if let Some(name) = names
        .iter()
        .find(|name| !name.is_ascii() || name.len() > LONGEST_NAME)
    {
        return Err(Failure::bad(format!(
            "the class `{name}` cannot be named in the file: names are ASCII of up to {LONGEST_NAME} \
             bytes; give others with --class-names"
        )));
    }
    let twice = (1..names.len()).find(|&i| names[..i].contains(&names[i]));
    if names.iter().any(|name| name.trim().is_empty()) || twice.is_some() {
        let message = "--class-names must give every class a name of its own";
        return Err(Failure::bad(message));
    }
    if names.len() != labels.len() {
        return Err(Failure::bad(format!(
            "--class-names gives {} names, but there are {} labels: {}",
            given.len(),
            labels.len(),
            labels.join(", ")
        )));
    }
    Ok(names.to_vec())
}

/// Which recordings go into --test-out.
fn is_test(
    arguments: &EncodeArguments,
    files: &[AudioFile],
    labels: &[Labels],
) -> Result<Vec<bool>, Failure> {
    let Some(takes) = &arguments.test_takes else {
        return Ok(vec![false; files.len()]);
    };
    let is_test = files
        .iter()
        .zip(labels)
        .map(|(file, labels)| match labels.take {
            Some(take) => Ok(takes.contains(&take)),
            None => Err(Failure::bad(format!(
                "{} has no take, which --test-takes needs; give --labels with {{take}}",
                file.path.display()
            ))),
        });
    let is_test: Vec<bool> = is_test.collect::<Result<_, _>>()?;
    let tests = is_test.iter().filter(|&&test| test).count();
    let (first, last) = (takes.start(), takes.end());
    match files.len() - tests {
        0 => Err(Failure::bad(format!(
            "all recordings have takes from {first} to {last}"
        ))),
        _ if tests == 0 => Err(Failure::bad(format!(
            "no recording has a take from {first} to {last}"
        ))),
        _ => Ok(is_test),
    }
}

fn split(heard: Vec<Heard>, numbering: &Numbering, is_test: &[bool]) -> [Vec<LabelledEvents>; 2] {
    let mut parts = [Vec::new(), Vec::new()];
    let labelled = heard.into_iter().zip(&numbering.of_recordings).zip(is_test);
    for ((one, &(class, speaker)), &test) in labelled {
        parts[usize::from(test)].push(LabelledEvents {
            events: one.events,
            class,
            speaker,
            sound: Some(one.sound),
        });
    }
    parts
}

fn row(path: &Path, recordings: &[LabelledEvents]) -> Vec<String> {
    let events: usize = recordings.iter().map(|one| one.events.len()).sum();
    let last = recordings.iter().filter_map(|one| one.events.last_time_s());
    vec![
        Shown(&path.display().to_string()).to_string(),
        recordings.len().to_string(),
        format!("{:.1}", events as f64 / recordings.len() as f64),
        format!("{:.4} s", last.fold(0.0, f64::max)),
    ]
}

/// What the numbers of classes and speakers stand for.
fn numbers(class_names: &[String], numbering: &Numbering) -> String {
    let classes = class_names.iter().enumerate();
    let classes = classes.map(|(class, name)| format!("{class} {}", Shown(name)));
    let speakers = numbering.speaker_names.iter();
    let speakers = speakers.map(|(speaker, name)| format!("{} {}", speaker.0, Shown(name)));
    let unnamed = numbering.unnamed.iter();
    let unnamed = unnamed.map(|speaker| format!("{} where none is named", speaker.0));
    format!(
        "classes: {}\nspeakers: {}",
        classes.collect::<Vec<_>>().join(", "),
        speakers.chain(unnamed).collect::<Vec<_>>().join(", ")
    )
}
