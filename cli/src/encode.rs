use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::arguments::{Machine, Seed};
use super::encode_inputs::{Counts, good_files};
use super::failure::Failure;
use super::out_files::{Written, is_there, place, refuse_no_file_name, unwritable, write_output};
use super::output::{counted_bar, note, print, print_json, table};
use respike::dataset::{LabelledEvents, ShdContents, TimesType};
use respike::encode::{
    AudioFile, EarPreset, EarSettings, EncodeProgress, Heard, InnerEar, LabelRule, Labels,
    Numbering, encode_files,
};
use respike::ids::SpeakerId;
use respike::names::normalised;
use respike::random::MasterSeed;
use respike::storage::{Shown, WholeFile};

#[derive(Args)]
pub(super) struct EncodeArguments {
    /// WAV and FLAC files, and folders that are searched for them.
    #[arg(required = true, value_name = "INPUT")]
    pub(super) inputs: Vec<PathBuf>,
    /// The SHD-layout file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Places along the basilar membrane: the units of the spikes.
    #[arg(long, value_name = "N", default_value_t = 700)]
    channels: usize,
    /// The constants of the ear.
    #[arg(long, value_enum, default_value_t = PresetName::Shd)]
    preset: PresetName,
    /// Silence that is put behind each recording for the membrane, and cut off again: without it, the
    /// membrane's answer to the beginning of a recording wraps around to its end, as LAUSCHER computes it.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pad_ms: u16,
    /// Where labels come from: a .csv file with the columns file, label and, if known, speaker,
    /// language and take; or a pattern of the files' names with {label} and, if they are there,
    /// {speaker}, {language} and {take}. Without it, names as in FSDD, {label}_{speaker}_{take}, and as
    /// in SHD, lang-{language}_speaker-{speaker}_trial-{take}_digit-{label}, are understood. Labels of
    /// several languages are told apart as in `german 7`, where SHD's own files have words: give those with
    /// --class-names to merge with them.
    #[arg(long, value_name = "RULE")]
    labels: Option<String>,
    /// Names of the classes, one for each label in the labels' order (numbers by size, words by letters),
    /// instead of the labels themselves.
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
    pub(super) bad_files: BadFiles,
    /// How times are stored.
    #[arg(long, value_enum, default_value_t = TimesName::Float16)]
    times: TimesName,
    /// Replace --out and --test-out where they exist.
    #[arg(long)]
    force: bool,
    /// Print the summary as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    seed: Seed,
    #[command(flatten)]
    machine: Machine,
}

impl EncodeArguments {
    /// The files that are written.
    pub(super) fn outputs(&self) -> impl Iterator<Item = &PathBuf> {
        [Some(&self.out), self.test_out.as_ref()]
            .into_iter()
            .flatten()
    }
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
pub(super) enum BadFiles {
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

/// Reads `0-4`, or `3` alone.
pub(super) fn takes(text: &str) -> Result<RangeInclusive<u32>, String> {
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
    let ear = InnerEar::new(EarSettings {
        padding_s: f64::from(arguments.pad_ms) / 1e3,
        ..arguments.preset.preset().settings(arguments.channels)
    })?;
    let mut good = good_files(&arguments, &rule, &ear)?;
    let numbering = Numbering::new(&good.labels)?;
    let class_names = class_names(&arguments.class_names, &numbering)?;
    // Before hours of work.
    ShdContents {
        speaker_names: &numbering.speaker_names,
        ..ShdContents::new(&class_names, &[])
    }
    .check_names(&arguments.out)?;
    let is_test = is_test(&arguments, &good.files, &good.labels)?;
    good.look_at_repeats(&is_test)?;

    let (files, journal) = (&good.files, journal_of(&arguments.out));
    let bar = counted_bar("encode", files.len(), "recordings");
    let taken_over = AtomicUsize::new(0);
    let progress = |progress| match progress {
        EncodeProgress::TakenOver(count) => {
            bar.advance(count);
            taken_over.store(count, Relaxed);
            if count > 0 {
                let all = files.len();
                note(&format!(
                    "{count} of {all} recordings were encoded by an interrupted run"
                ));
            }
        }
        EncodeProgress::Done => bar.advance(1),
        _ => {}
    };
    let heard = encode_files(&ear, arguments.seed.master(), files, &journal, &progress)?;
    bar.done();
    let all = heard.len();
    let silent = heard.iter().filter(|one| one.events.is_empty()).count();
    if silent > 0 {
        note(&format!(
            "{silent} of {all} recordings gave no spike at all"
        ));
    }
    let wrapped = heard.iter().filter(|one| one.wrapped_channels > 0).count();
    if wrapped > 0 {
        note(&format!(
            "{wrapped} of {all} recordings {} that come from the beginning: \
             the membrane's transform wraps around, as LAUSCHER's does; --pad-ms 100 keeps them out",
            match wrapped {
                1 => "has spikes in its last 50 ms",
                _ => "have spikes in their last 50 ms",
            }
        ));
    }

    let times = match arguments.times {
        TimesName::Float16 => TimesType::Float16,
        TimesName::Float32 => TimesType::Float32,
    };
    let [train, test] = split(heard, &numbering, &is_test);
    let mut listed = numbering.speaker_names.clone();
    // Nobody known is listed without a name, even where nobody has one.
    listed.extend(numbering.unnamed.map(|speaker| (speaker, String::new())));
    let mut written = Vec::new();
    for (path, recordings) in outputs.iter().zip([train, test]) {
        let contents = ShdContents {
            times,
            speaker_names: &listed,
            ..ShdContents::new(&class_names, &recordings)
        };
        write_output(path, &contents, arguments.force)?;
        written.push(Written::of(path, &recordings));
    }
    // Not before everything else is on disk.
    std::fs::remove_file(&journal)
        .map_err(|error| Failure::fault(format!("cannot remove {}: {error}", journal.display())))?;
    let summary = Summary {
        files: written,
        class_names,
        speaker_names: numbering.speaker_names,
        unnamed_speaker: numbering.unnamed,
        seed: arguments.seed.master(),
        ear: ear.settings().clone(),
        counts: good.counts,
        taken_over: taken_over.into_inner(),
        without_any_spike: silent,
        wrapped_around: wrapped,
    };
    match arguments.json {
        true => print_json(&summary),
        false => summary.print(),
    }
}

/// The files to write; refuses what is there already, unless work in progress says that it may be of a
/// run that was stopped between its outputs.
fn outputs(arguments: &EncodeArguments) -> Result<Vec<PathBuf>, Failure> {
    let outputs: Vec<PathBuf> = arguments.outputs().cloned().collect();
    for path in &outputs {
        refuse_no_file_name(path)?;
        // Found out now, and not after everything has been encoded.
        for place in [path.clone(), journal_of(path)] {
            let there = place.symlink_metadata().map(drop);
            let there = there.or_else(|error| match error.kind() {
                ErrorKind::NotFound => WholeFile::create(&place).map(drop),
                _ => Err(error),
            });
            there.map_err(|error| unwritable(path, &error))?;
        }
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

/// Where the work in progress is kept: beside the file it is for.
fn journal_of(out: &Path) -> PathBuf {
    let mut name = out.file_name().unwrap_or_default().to_os_string();
    name.push(".encoding");
    out.with_file_name(name)
}

fn class_names(given: &[String], numbering: &Numbering) -> Result<Vec<String>, Failure> {
    let labels = &numbering.class_names;
    let names: &[String] = if given.is_empty() { labels } else { given };
    let names: Vec<String> = names.iter().map(|name| normalised(name)).collect();
    // The file would refuse it too, but only after everything has been encoded.
    if let Some(name) = names.iter().find(|name| name.contains('\0')) {
        return Err(Failure::bad(format!(
            "the class `{}` has a zero in its name; give others with --class-names",
            Shown(name)
        )));
    }
    let twice = (1..names.len()).find(|&i| names[..i].contains(&names[i]));
    if names.iter().any(|name| name.trim().is_empty()) || twice.is_some() {
        let message = "--class-names must give every class a name of its own";
        return Err(Failure::bad(message));
    }
    let mixed_up = names
        .iter()
        .zip(labels)
        .find(|(name, label)| name != label && labels.contains(name));
    if let Some((name, label)) = mixed_up {
        return Err(Failure::bad(format!(
            "--class-names would call the label `{}` `{}`, which is another label; the labels are in this order: {}",
            Shown(label),
            Shown(name),
            labels.join(", ")
        )));
    }
    if names.len() != labels.len() {
        return Err(Failure::bad(format!(
            "--class-names gives {} names, but there are {} labels: {}",
            given.len(),
            labels.len(),
            labels.join(", ")
        )));
    }
    Ok(names)
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

/// What `--json` prints.
#[derive(Serialize)]
struct Summary {
    files: Vec<Written>,
    class_names: Vec<String>,
    /// By number.
    speaker_names: BTreeMap<SpeakerId, String>,
    /// The number of the recordings whose speaker is not known.
    unnamed_speaker: Option<SpeakerId>,
    seed: MasterSeed,
    ear: EarSettings,
    #[serde(flatten)]
    counts: Counts,
    taken_over: usize,
    without_any_spike: usize,
    wrapped_around: usize,
}

impl Summary {
    fn print(&self) -> Result<(), Failure> {
        let heading = ["file", "samples", "events a sample", "last event"];
        let rows: Vec<Vec<String>> = self.files.iter().map(Written::row).collect();
        print(&table(&heading, &rows, 1))?;
        let classes = self.class_names.iter().enumerate();
        let classes = classes.map(|(class, name)| format!("{class} {}", Shown(name)));
        let speakers = self.speaker_names.iter();
        let speakers = speakers.map(|(speaker, name)| format!("{} {}", speaker.0, Shown(name)));
        let unnamed = self.unnamed_speaker.iter();
        let unnamed = unnamed.map(|speaker| format!("{} where none is named", speaker.0));
        let classes = classes.collect::<Vec<_>>().join(", ");
        let speakers = speakers.chain(unnamed).collect::<Vec<_>>().join(", ");
        print(&format!("classes: {classes}\nspeakers: {speakers}"))
    }
}
