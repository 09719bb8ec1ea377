//! The strict protocol: what an honest measurement is.
//!
//! Samples are split once, every speaker and class in the same proportion, or as someone split them; every test sample counts
//! once; none is ever trained on or kept in a memory; the last epoch is reported, whatever came
//! before it.

use super::scenario::{Parts, Scenario, SplitSamples};
use super::{ContinualError, LearningData, Plan, Protocol, Task};
use crate::dataset::{Dataset, RecordingSet, Split, stratified_split, stratified_split_of};
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
    scenario: &dyn Scenario,
    dataset: &Dataset,
    seed: MasterSeed,
) -> Result<Plan, ContinualError> {
    honest_plan(scenario, Protocol::Strict, dataset, seed)
}

/// Makes the scenario's tasks as a protocol that is not the published one has them, whoever split the data.
///
/// # Errors
/// As [`strict_plan`].
pub fn honest_plan<'a>(
    scenario: &dyn Scenario,
    protocol: Protocol,
    data: impl Into<LearningData<'a>>,
    seed: MasterSeed,
) -> Result<Plan, ContinualError> {
    let data = data.into();
    let dataset = data.dataset();
    scenario.fits(dataset)?;
    let samples = SplitSamples {
        dataset,
        split: &honest_split(protocol, data, seed)?,
        seed,
        is_given: data.split().is_some(),
    };
    plan_of(scenario, &samples)
}

/// Who is who under a protocol that is not the published one: the given split or [`strict_split`], or of its training
/// samples a fifth that is tested in place of its test samples, which are then in neither part.
///
/// # Errors
/// As [`strict_split`].
pub fn honest_split(
    protocol: Protocol,
    data: LearningData<'_>,
    seed: MasterSeed,
) -> Result<Split, ContinualError> {
    let dataset = data.dataset();
    let split = match data.split() {
        Some(split) => split.clone(),
        None => strict_split(dataset, seed)?,
    };
    if protocol != Protocol::Validation {
        return Ok(split);
    }
    let labels = split.train.iter().map(|&index| {
        let sample = dataset.sample(index);
        (sample.speaker, sample.class)
    });
    let labels: Vec<_> = labels.collect();
    let mut generator = seed.stream(Purpose::Validation);
    let inner = stratified_split_of(&labels, TEST_SHARE, &mut generator)?;
    let of_dataset = |part: Vec<SampleIndex>| {
        let indices = part.into_iter().map(|place| split.train[place.0]);
        indices.collect::<Vec<SampleIndex>>()
    };
    let (train, test) = (of_dataset(inner.train), of_dataset(inner.test));
    refuse_recordings_on_both_sides(dataset, &train, &test)?;
    Ok(Split { train, test })
}

fn plan_of(scenario: &dyn Scenario, samples: &SplitSamples<'_>) -> Result<Plan, ContinualError> {
    let split = samples.split;
    refuse_recordings_on_both_sides(samples.dataset, &split.train, &split.test)?;
    let tasks = scenario.tasks(samples)?;
    let (mut tests, parts) = match scenario.parts(samples, &tasks)? {
        Parts::OfTasks(tests) => (tests, None),
        Parts::Fixed(parts) => (Vec::new(), Some(parts)),
    };
    tests.resize(tasks.len(), Vec::new());
    let tasks = tasks.into_iter().zip(tests).map(|(task, test)| Task {
        name: task.name,
        train: task.train,
        test,
        replays: None,
    });
    Ok(Plan {
        tasks: tasks.collect(),
        parts,
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
