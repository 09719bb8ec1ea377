//! Tasks that a memory notes, and all that is replayed for joint training.

use std::collections::BTreeMap;

use super::super::Everything;
use super::*;
use crate::ids::{TimeStep, Unit};
use crate::random::{MasterSeed, Purpose};
use crate::spikes::SpikeRaster;
use crate::train::{Balance, JoinedExamples, Mixing, Origin, Replayed, StoredExamples};

const EXTENTS: (usize, usize) = (40, 8);

/// Of task t and number n, a spike in step n of unit t, so that a sample can be told by what is replayed.
fn sample(task: usize, number: usize) -> StageInput<'static> {
    let mut spikes = SpikeRaster::new(EXTENTS.0, EXTENTS.1).expect("extents");
    spikes.set(TimeStep(number), Unit(task));
    crate::network::Latent::Spikes(spikes).into()
}

fn told(input: &StageInput<'_>) -> usize {
    let StageInput::Spikes(spikes) = input else {
        panic!("{input:?}")
    };
    let spikes = spikes.as_ref();
    let has = |task: &usize| (0..EXTENTS.0).any(|step| spikes.get(TimeStep(step), Unit(*task)));
    (0..EXTENTS.1).find(has).expect("one spike")
}

struct Samples;

impl SampleStore for Samples {
    fn examples(&self, samples: Vec<SampleIndex>) -> Box<dyn Examples + '_> {
        let samples = samples
            .into_iter()
            .map(|index| (sample(index.0 / 100, index.0 % 100), ClassId(0)));
        let samples = samples.collect();
        Box::new(StoredExamples { samples })
    }
}

fn learn(source: &mut dyn SourceState, task: usize, is_fixed: bool) {
    let indices: Vec<SampleIndex> = (0..12)
        .map(|number| SampleIndex(100 * task + number))
        .collect();
    let made = |place: usize| Ok(sample(task, place));
    let learned = LearnedSamples {
        indices: &indices,
        classes: &[ClassId(0); 12],
        sample: &made,
        logits: &|_| panic!("no logits are kept"),
        largest_count: 0,
        is_fixed,
    };
    let mut random = MasterSeed(task as u64).stream(Purpose::Memory);
    source.task_ended(&learned, &mut random).expect("it fits");
}

fn memory(samples: usize) -> Memory {
    let capacity = Capacity::Samples(samples);
    Memory::new(CodecSettings::raw(), PolicySettings::reservoir(), capacity)
}

fn place() -> SourcePlace {
    SourcePlace::new(Kept::Spikes, EXTENTS, 3, MasterSeed(4))
}

/// Checks that every sample is said to be of the task that it was made for; how many there are of each.
fn tasks(source: &dyn SourceState) -> BTreeMap<usize, usize> {
    let replays = source.replays(&Samples);
    let mut tasks = BTreeMap::new();
    for index in 0..replays.len() {
        let task = told(&replays.input(index).expect("decoded"));
        assert_eq!(replays.task(index), task);
        *tasks.entry(task).or_default() += 1;
    }
    tasks
}

#[test]
fn a_memory_notes_the_task_of_each_sample_and_counts_it() {
    for is_fixed in [false, true] {
        let settings = memory(if is_fixed { 60 } else { 20 });
        let begin = |wants| {
            settings
                .begin(&place().wanting_tasks(wants))
                .expect("spikes")
        };
        let (mut noting, mut plain) = (begin(true), begin(false));
        for task in 0..5 {
            learn(noting.as_mut(), task, is_fixed);
            learn(plain.as_mut(), task, is_fixed);
        }
        // Also where samples of later tasks have taken the places of others.
        let found = tasks(noting.as_ref());
        assert_eq!(found.len(), 5, "{found:?}");
        assert_eq!(
            found.values().sum::<usize>(),
            if is_fixed { 60 } else { 20 }
        );
        let (figures, without) = (noting.figures(), plain.figures());
        assert_eq!(figures.bytes, without.bytes + 2 * figures.samples as u64);
        assert_eq!(figures.payload_bits, without.payload_bits);
        // It goes on from what was saved, and not from what notes no tasks.
        let mut restored = begin(true);
        restored.restore(noting.save()).expect("its own");
        assert_eq!(tasks(restored.as_ref()), found);
        begin(true).restore(plain.save()).expect_err("no tasks");
    }
}

#[test]
fn a_budget_in_bytes_has_room_for_tasks() {
    let shape = |notes| {
        let shape = StoredShape::new(Kept::Spikes, CodecSettings::raw(), EXTENTS.0, EXTENTS.1);
        shape.expect("valid").noting_tasks(notes)
    };
    for budget in [120, 500, 5000] {
        let fits = |notes| Capacity::Bytes(budget).samples(&shape(notes)).expect("one");
        let samples = fits(true);
        assert!(samples <= fits(false));
        let settings = Memory {
            capacity: Capacity::Bytes(budget),
            ..memory(1)
        };
        let mut source = settings
            .begin(&place().wanting_tasks(true))
            .expect("spikes");
        (0..30).for_each(|task| learn(source.as_mut(), task % EXTENTS.1, false));
        assert_eq!(source.figures().samples, samples);
        assert!(source.figures().bytes <= budget);
    }
}

#[test]
fn batches_balanced_by_task_have_as_many_of_each_that_came() {
    let everything = Everything {};
    let sources: [Box<dyn SourceState>; 2] = [
        memory(60)
            .begin(&place().wanting_tasks(true))
            .expect("spikes"),
        everything.begin(&place()).expect("anything"),
    ];
    for mut source in sources {
        (0..4).for_each(|task| learn(source.as_mut(), task, false));
        assert_eq!(tasks(source.as_ref()).len(), 4);
        let mut restored = everything.begin(&place()).expect("anything");
        if source.memory().is_none() {
            restored.restore(source.save()).expect("its own");
            source = restored;
        }
        let new = Samples.examples((400..430).map(SampleIndex).collect());
        let replays = source.replays(&Samples);
        let replays = Replayed::new(replays.as_ref());
        let joined = JoinedExamples::new(vec![new.as_ref(), &replays]);
        let mixing = Mixing::default().with_balance(Balance::Task);
        let mut random = MasterSeed(1).stream(Purpose::Shuffle);
        let batches = mixing.batches(&joined, 25, &mut random);
        for batch in &batches {
            let mut counts = [0; 5];
            for &index in batch {
                counts[told(&joined.input(index).expect("decoded"))] += 1;
                let is_new = joined.origin(index) == Origin::New;
                assert_eq!(is_new, index < 30);
            }
            assert_eq!(counts, [5; 5]);
        }
        assert_eq!(batches.len(), 30 * 5 / 25);
    }
}
