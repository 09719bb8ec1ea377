use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;

use super::arguments::Machine;
use super::encode::{self, EncodeArguments};
use super::failure::Failure;
use super::fetch::{self, FetchArguments};
use super::merge::{self, MergeArguments};
use super::output::{print, print_json, table};
use super::split::{self, SplitArguments};
use respike::dataset::{Recordings, ShdFile};
use respike::ids::{ClassId, SpeakerId};
use respike::storage::shown;

/// Look at datasets, make them from recordings, and fetch public ones.
#[derive(Subcommand)]
#[command(after_help = "Example:\n  respike data info data/fsdd70_train.h5")]
pub(super) enum DataCommand {
    /// Say what is in SHD-layout files, and check every event of them.
    #[command(
        after_help = "Example:\n  respike data info data/fsdd70_train.h5 data/fsdd70_test.h5"
    )]
    Info(InfoArguments),
    /// Download a public dataset, check and unpack it; an interrupted download goes on.
    #[command(
        after_help = "Example:\n  respike data fetch shd\n  respike data fetch shd --from shd_train.h5.gz --from shd_test.h5.gz\n  respike data fetch fsdd --to sounds"
    )]
    Fetch(FetchArguments),
    /// Put some recordings of SHD-layout files into a file of their own, and the rest into another.
    #[command(
        after_help = "Example:\n  respike data split mine.h5 --speakers anna,bert --out test.h5 --out-rest train.h5\n  respike data split mine.h5 --share 0.1 --out test.h5 --out-rest train.h5\n  respike data split data/fsdd70_train.h5 --classes zero,one --own-classes \\\n      --out binary.h5"
    )]
    Split(SplitArguments),
    /// Put the recordings of several SHD-layout files into one.
    #[command(
        after_help = "Example:\n  respike data merge data/fsdd70_train.h5 data/fsdd70_test.h5 --out digits.h5"
    )]
    Merge(MergeArguments),
    /// Turn recordings of speech into spikes with a model of the inner ear, as SHD was made.
    #[command(
        after_help = "Example:\n  respike data encode recordings --labels '{label}_{speaker}_{take}' --out digits.h5\n  respike data encode audio --labels 'lang-{language}_speaker-{speaker}_trial-{take}_digit-{label}' \\\n      --out mine.h5\n  respike data encode sounds --labels labels.csv --channels 70 --test-takes 0-4 --test-out test.h5 \\\n      --out train.h5\n\nAn interrupted run goes on where it was when it is started again."
    )]
    Encode(EncodeArguments),
}

#[derive(Args)]
pub(super) struct InfoArguments {
    /// The files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print the figures as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct FileInfo {
    file: String,
    samples: usize,
    times_type: String,
    units_type: String,
    events: u64,
    events_per_sample: f64,
    largest_unit: Option<u16>,
    last_event_s: Option<f64>,
    silent_samples: usize,
    /// Samples of a recording that comes before them in the file already.
    repeated_samples: usize,
    /// Samples whose sound is known.
    known_sounds: usize,
    class_names: Vec<String>,
    /// Those that have a name.
    speaker_names: BTreeMap<u16, String>,
    samples_of_class: BTreeMap<u16, usize>,
    samples_of_speaker: BTreeMap<u16, usize>,
}

impl DataCommand {
    /// What somebody is told who interrupts it.
    pub(super) fn how_to_go_on(&self) -> &'static str {
        match self {
            DataCommand::Info(_) | DataCommand::Split(_) | DataCommand::Merge(_) => {
                "nothing was written by halves; give the same command again"
            }
            DataCommand::Fetch(_) => "what has come is kept; give the same command again to go on",
            DataCommand::Encode(_) => {
                "recordings that were encoded are kept; give the same command again to go on"
            }
        }
    }
}

pub(super) fn run(command: DataCommand) -> Result<(), Failure> {
    match command {
        DataCommand::Info(arguments) => info(arguments),
        DataCommand::Fetch(arguments) => fetch::run(arguments),
        DataCommand::Encode(arguments) => encode::run(arguments),
        DataCommand::Split(arguments) => split::run(&arguments),
        DataCommand::Merge(arguments) => merge::run(&arguments),
    }
}

fn info(arguments: InfoArguments) -> Result<(), Failure> {
    Machine::default().prepare()?;
    let infos = arguments.files.iter().map(|path| look_at(path));
    let infos = infos.collect::<Result<Vec<_>, _>>()?;
    if arguments.json {
        return print_json(&infos);
    }
    for info in &infos {
        print(&describe(info))?;
    }
    Ok(())
}

fn look_at(path: &Path) -> Result<FileInfo, Failure> {
    let file = ShdFile::open(path)?;
    let (times_type, units_type) = file.number_types();
    let mut info = FileInfo {
        file: path.display().to_string(),
        samples: file.len(),
        times_type: times_type.0,
        units_type: units_type.0,
        events: 0,
        events_per_sample: 0.0,
        largest_unit: None,
        last_event_s: None,
        silent_samples: 0,
        repeated_samples: 0,
        known_sounds: file.sounds().iter().flatten().count(),
        class_names: file.class_names().to_vec(),
        speaker_names: names_by_number(&file),
        samples_of_class: BTreeMap::new(),
        samples_of_speaker: BTreeMap::new(),
    };
    for &ClassId(class) in file.classes() {
        *info.samples_of_class.entry(class).or_default() += 1;
    }
    for &SpeakerId(speaker) in file.speakers() {
        *info.samples_of_speaker.entry(speaker).or_default() += 1;
    }
    let mut recordings = Recordings::default();
    file.for_each(|_, recording| {
        let events = &recording.events;
        info.repeated_samples += usize::from(!recordings.insert(recording.fingerprint()));
        info.events += events.len() as u64;
        info.silent_samples += usize::from(events.is_empty());
        info.largest_unit = info.largest_unit.max(events.units().iter().max().copied());
        info.last_event_s = match (info.last_event_s, events.last_time_s()) {
            (Some(one), Some(other)) => Some(one.max(other)),
            (one, other) => one.or(other),
        };
        Ok(())
    })?;
    info.events_per_sample = info.events as f64 / info.samples as f64;
    Ok(info)
}

fn describe(info: &FileInfo) -> String {
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "no events".to_string());
    let classes = info.samples_of_class.iter().map(|(&class, count)| {
        let name = info.class_names.get(usize::from(class));
        with_count(class, name, *count)
    });
    let speakers = info.samples_of_speaker.iter();
    let speakers = speakers
        .map(|(&speaker, count)| with_count(speaker, info.speaker_names.get(&speaker), *count));
    let rows = [
        ("samples", info.samples.to_string()),
        ("without any event", info.silent_samples.to_string()),
        (
            "recordings that come again",
            info.repeated_samples.to_string(),
        ),
        ("with a known sound", info.known_sounds.to_string()),
        (
            "events",
            format!("{}, {:.1} a sample", info.events, info.events_per_sample),
        ),
        ("times", info.times_type.clone()),
        (
            "last event",
            or_none(info.last_event_s.map(|s| format!("{s:.4} s"))),
        ),
        ("units", info.units_type.clone()),
        (
            "largest unit",
            or_none(info.largest_unit.map(|u| u.to_string())),
        ),
        ("classes", wrapped(classes.collect())),
        ("speakers", wrapped(speakers.collect())),
    ];
    let rows = rows.map(|(name, value)| vec![name.to_string(), value]);
    format!(
        "{}\n{}",
        shown(&info.file),
        table(&["what", "found"], &rows, 2)
    )
}

fn names_by_number(file: &ShdFile) -> BTreeMap<u16, String> {
    let names = file.speaker_names().iter();
    names
        .map(|(speaker, name)| (speaker.0, name.clone()))
        .collect()
}

/// A class or a speaker, and how many samples there are of it.
fn with_count(number: u16, name: Option<&String>, count: usize) -> String {
    match name {
        Some(name) => format!("{number} {}: {count}", shown(name)),
        None => format!("{number}: {count}"),
    }
}

/// A long list on several lines.
fn wrapped(items: Vec<String>) -> String {
    let lines = items.chunks(5).map(|line| line.join(", "));
    lines.collect::<Vec<_>>().join("\n")
}
