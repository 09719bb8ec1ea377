//! The strict protocol: what an honest measurement is.
//!
//! Samples are split once, every speaker and class in the same proportion, or as someone split them; every test sample counts
//! once; none is ever trained on or kept in a memory; the last epoch is reported, whatever came
//! before it.

use super::{ContinualError, Plan, Scenario, Task};
use crate::dataset::{Dataset, RecordingSet, Split, stratified_split};
use crate::ids::SampleIndex;
use crate::random::{MasterSeed, Purpose};

/// The share of samples that are only ever tested with.
pub const TEST_SHARE: f64 = 0.2;

/// Splits a dataset into the scenario's tasks under the strict protocol.
///
/// # Errors
/// [`ContinualError`] if the scenario does not fit the data, a task is left without samples, or a
/// recording is there twice and would be both trained on and tested with.
pub fn strict_plan(
    scenario: Scenario,
    dataset: &Dataset,
    seed: MasterSeed,
) -> Result<Plan, ContinualError> {
    scenario.check(dataset)?;
    let split = strict_split(dataset, seed)?;
    plan_of(scenario, dataset, &split, |name, _| {
        format!("{name} has too few samples to be split")
    })
}

/// Makes the scenario's tasks of samples that are for training and others that are for testing: as strict, but
/// for who split them.
///
/// # Errors
/// As [`strict_plan`].
///
/// # Panics
/// If the split has a sample that is not there.
pub fn given_plan(
    scenario: Scenario,
    dataset: &Dataset,
    split: &Split,
) -> Result<Plan, ContinualError> {
    scenario.check(dataset)?;
    plan_of(scenario, dataset, split, |name, what| {
        format!("none of the samples to {what} is of {name}")
    })
}

fn plan_of(
    scenario: Scenario,
    dataset: &Dataset,
    split: &Split,
    why: impl Fn(&str, &str) -> String,
) -> Result<Plan, ContinualError> {
    refuse_recordings_on_both_sides(dataset, &split.train, &split.test)?;
    let groups = scenario.group_of_each(dataset);
    let names = scenario.groups(dataset).into_iter().enumerate();
    let tasks = names.map(|(group, (name, new_class))| {
        let part = split.filter(|index| groups[index.0] == group);
        for (what, samples) in [("train on", &part.train), ("test with", &part.test)] {
            if samples.is_empty() {
                let why = why(&name, what);
                return Err(ContinualError::NothingLeft { what, why });
            }
        }
        Ok(Task {
            name,
            train: part.train,
            test: part.test,
            new_class,
            replays: None,
        })
    });
    Ok(Plan {
        tasks: tasks.collect::<Result<_, _>>()?,
        test_all: None,
        fixed_batches: false,
        old_grows: false,
    })
}

/// The split of a dataset under the strict protocol: whatever is learned with this seed, these are the test samples.
///
/// # Errors
/// [`ContinualError::SameRecording`] if a recording is there twice and would be both trained on and tested with.
pub fn strict_split(dataset: &Dataset, seed: MasterSeed) -> Result<Split, ContinualError> {
    let mut generator = seed.stream(Purpose::Split);
    let split = stratified_split(dataset, TEST_SHARE, &mut generator)?;
    refuse_recordings_on_both_sides(dataset, &split.train, &split.test)?;
    Ok(split)
}

fn refuse_recordings_on_both_sides(
    dataset: &Dataset,
    train: &[SampleIndex],
    test: &[SampleIndex],
) -> Result<(), ContinualError> {
    let sample = |&index: &SampleIndex| dataset.sample(index);
    let trained: RecordingSet = train.iter().map(sample).collect();
    if let Some(&test) = test.iter().find(|index| trained.contains(sample(index))) {
        let print = sample(&test).fingerprint;
        let same = |index: &&SampleIndex| sample(index).fingerprint.is_same_recording(print);
        // One of them is the same, as the set of them says.
        let train = *train.iter().find(same).unwrap_or(&test);
        return Err(ContinualError::SameRecording { train, test });
    }
    Ok(())
}
