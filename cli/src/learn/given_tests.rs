//! Test samples of one's own, in files beside those that are trained on.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::failure::Failure;
use crate::output::note;
use crate::reading::read_data_and_tests;
use respike::continual::{Learns, Protocol, ScenarioSettings};
use respike::dataset::{Dataset, RecordingSet, Split};
use respike::ids::{ClassId, SampleIndex, SpeakerId};
use respike::network::NetworkSpec;

/// Refuses what the published protocol fixes.
pub(super) fn refuse_published(protocol: Protocol, tests: &[PathBuf]) -> Result<(), Failure> {
    match protocol {
        Protocol::Published if !tests.is_empty() => Err(Failure::bad(
            "the published protocol tests with samples that it picks itself from --data, so that --test can't be \
             given with it; leave out one of them",
        )),
        _ => Ok(()),
    }
}

/// Which samples of the data that was read are for testing, whatever of it is left out later.
pub(super) struct GivenTests {
    /// Samples to train on; those to test with come after them.
    train: usize,
    /// The class of each sample, by its number in `class_names`.
    classes: Vec<ClassId>,
    class_names: Vec<String>,
}

impl GivenTests {
    /// Reads all files, and refuses to test with what is trained on.
    pub fn read(
        files: (&[PathBuf], &[PathBuf]),
        spec: &NetworkSpec,
        class_names: &[String],
    ) -> Result<(Dataset, Self), Failure> {
        let (data, split) = read_data_and_tests(files, spec, class_names)?;
        refuse_seen(&data, &split)?;
        let tests = GivenTests {
            train: split.train.len(),
            classes: data.iter().map(|(_, sample)| sample.class).collect(),
            class_names: data.class_names().to_vec(),
        };
        Ok((data, tests))
    }

    /// Who is who in what is left of the data once classes were chosen.
    pub fn split(&self, left: &Dataset) -> Split {
        let is_left = |class: &&ClassId| {
            let name = self.class_names.get(class.index());
            name.is_some_and(|name| left.class_names().contains(name))
        };
        let train = self.classes[..self.train].iter().filter(is_left).count();
        Split {
            train: (0..train).map(SampleIndex).collect(),
            test: (train..left.len()).map(SampleIndex).collect(),
        }
    }
}

fn refuse_seen(data: &Dataset, split: &Split) -> Result<(), Failure> {
    let sample = |&index: &SampleIndex| data.sample(index);
    let trained: RecordingSet = split.train.iter().map(sample).collect();
    let tests = split.test.iter().map(sample);
    match tests.filter(|sample| trained.contains(sample)).count() {
        0 => Ok(()),
        shared => Err(Failure::bad(format!(
            "{shared} of the {} samples in the --test files are in the --data files too; a test with them would \
             prove nothing",
            split.test.len()
        ))),
    }
}

/// Where the new thing is a speaker, says whom else is tested with: speakers that training never hears are none
/// of those that were known before.
pub(super) fn say_who_is_tested(scenario: &ScenarioSettings, data: &Dataset, split: &Split) {
    // A class is known by its training samples; of speakers one may hear others, too.
    if !scenario.is_single() || scenario.learns() == Learns::Classes {
        return;
    }
    let speaker = |&index: &SampleIndex| data.sample(index).speaker;
    let heard: BTreeSet<SpeakerId> = split.train.iter().map(speaker).collect();
    let tests = split.test.iter().map(speaker);
    let unheard = tests.filter(|speaker| !heard.contains(speaker)).count();
    if unheard > 0 {
        note(&format!(
            "{unheard} of the {} samples in the --test files are of speakers who are not in the --data files; they \
             count as old, which then says how well others are understood, too",
            split.test.len()
        ));
    }
}
