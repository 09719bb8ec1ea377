use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};

use super::arguments::{Machine, Seed};
use super::encode::takes;
use super::failure::Failure;
use super::merge::read;
use super::out_files::{NamedClasses, Part, Parts, refuse_outputs};
use super::output::note;
use respike::dataset::{Dataset, MergedFiles, PartRule, RecordingSet, Split};

/// Several files are merged first, as `data merge` does it. Both files name all classes and speakers, so that these keep
/// their numbers, unless --own-classes is given; times keep their type and every bit. What SHD's own files tell of speakers
/// beside their numbers (extra/meta_info) is left out.
#[derive(Args)]
#[command(group = ArgGroup::new("rule").required(true).multiple(false))]
pub(super) struct SplitArguments {
    /// The files to split.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// All recordings of these speakers go into --out, by name or number.
    #[arg(
        long,
        value_name = "SPEAKER,…",
        group = "rule",
        allow_hyphen_values = true
    )]
    speakers: Option<String>,
    /// All recordings of these classes go into --out, by name or number.
    #[arg(
        long,
        value_name = "CLASS,…",
        group = "rule",
        allow_hyphen_values = true
    )]
    classes: Option<String>,
    /// Recordings with these takes go into --out. SHD-layout files do not know their takes: of one speaker
    /// and class the first in the files counts as 0, the next as 1.
    #[arg(long, value_name = "FIRST-LAST", group = "rule", value_parser = takes)]
    takes: Option<RangeInclusive<u32>>,
    /// This share of each speaker's recordings of each class goes into --out, such as 0.1; --seed says
    /// which. With 0.2 these are the test samples of `learn` with that seed.
    #[arg(long, value_name = "SHARE", group = "rule")]
    share: Option<f64>,
    /// Name in each file only the classes that it has recordings of, which get other numbers: files can be merged, or
    /// trained on together, if they name the same ones.
    #[arg(long)]
    own_classes: bool,
    /// The file for what was chosen.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The file for the rest; without it, the rest is written nowhere.
    #[arg(long, value_name = "FILE")]
    out_rest: Option<PathBuf>,
    /// Replace --out and --out-rest where they exist.
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

pub(super) fn run(arguments: &SplitArguments) -> Result<(), Failure> {
    arguments.machine.prepare()?;
    let rest = arguments.out_rest.as_deref();
    let outputs: Vec<&Path> = [Some(&*arguments.out), rest]
        .into_iter()
        .flatten()
        .collect();
    refuse_outputs(&outputs, &arguments.files, arguments.force)?;
    let files = read(&arguments.files)?;
    let rule = arguments.rule(files.dataset())?;
    let split = files.split(&rule)?;
    if split.test.is_empty() {
        return Err(Failure::bad(
            "no recording is chosen, so there is nothing to write to --out",
        ));
    }
    if split.train.is_empty() && rest.is_some() {
        return Err(Failure::bad(
            "all recordings are chosen, so there is nothing to write to --out-rest",
        ));
    }
    if rest.is_some() {
        say_what_is_in_both(&files, &split);
    }
    let mut parts: Vec<Part<'_>> = vec![(&arguments.out, split.test)];
    parts.extend(rest.map(|rest| (rest, split.train)));
    let classes = match arguments.own_classes {
        true => NamedClasses::Own,
        false => NamedClasses::All,
    };
    Parts::write(&files, parts, classes, arguments.force)?.print(arguments.json)
}

impl SplitArguments {
    fn rule(&self, data: &Dataset) -> Result<PartRule, Failure> {
        let words = |text: &str| -> Vec<String> {
            let words = text.split(',').map(str::trim);
            words
                .filter(|word| !word.is_empty())
                .map(String::from)
                .collect()
        };
        Ok(match self {
            SplitArguments {
                speakers: Some(text),
                ..
            } => {
                let found = words(text);
                let found = found.iter().map(|word| data.find_speaker(word));
                PartRule::Speakers(found.collect::<Result<BTreeSet<_>, _>>()?)
            }
            SplitArguments {
                classes: Some(text),
                ..
            } => {
                let found = words(text);
                let found = found.iter().map(|word| data.find_class(word));
                PartRule::Classes(found.collect::<Result<BTreeSet<_>, _>>()?)
            }
            SplitArguments {
                takes: Some(takes), ..
            } => PartRule::Takes(takes.clone()),
            SplitArguments {
                share: Some(share), ..
            } => match 0.0 < *share && *share < 1.0 {
                true => PartRule::Share(*share, self.seed.master()),
                false => {
                    return Err(Failure::bad(format!(
                        "--share must lie between 0 and 1, such as 0.1, not {share}"
                    )));
                }
            },
            // clap asks for one of them.
            _ => unreachable!("one rule is required"),
        })
    }
}

/// A test with what was trained on proves nothing.
fn say_what_is_in_both(files: &MergedFiles, split: &Split) {
    let data = files.dataset();
    let rest: RecordingSet = split
        .train
        .iter()
        .map(|&index| data.sample(index))
        .collect();
    let both = split
        .test
        .iter()
        .filter(|&&index| rest.contains(data.sample(index)));
    let both = both.count();
    if both > 0 {
        note(&format!(
            "{both} of the {} recordings in --out are in --out-rest too, as the files have them more than once",
            split.test.len()
        ));
    }
}
