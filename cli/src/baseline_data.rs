//! What baselines are fitted to and tested with: the samples that a network would get.

use std::path::PathBuf;

use super::baseline::BaselineArguments;
use super::class_choice::ClassChoice;
use super::failure::Failure;
use super::output::{grouped, note};
use super::reading::{read_events_for, refuse_trained_on, say_how_many_are_repeated};
use respike::continual::strict_split;
use respike::dataset::{BinningTarget, Dataset, read_dataset_with_events};
use respike::ids::{ClassId, SampleIndex};
use respike::network::NetworkSpec;
use respike::spikes::{InputFormat, MAX_EXTENT, TimeGrid};

/// Channels that recordings come from, where they need no more: those of the digits that ship, and of SHD.
const CHANNELS: [usize; 2] = [70, 700];
/// Steps of the time axis where there is no network: nothing looks at them.
const STEPS: usize = 100;

/// Samples to fit to and to test with.
pub(super) struct Samples {
    pub data: Dataset,
    /// Of other files; without them the data is split.
    pub test_data: Option<Dataset>,
    /// Those of the data that rules are fitted to.
    pub train: Vec<SampleIndex>,
    /// Those that rules are tested with.
    pub test: Vec<SampleIndex>,
    /// Whether a test sample is of what is new.
    pub is_new: Vec<bool>,
    /// What is new.
    pub new: Option<String>,
    pub channels: usize,
    /// Where time ends, in seconds.
    pub end_s: f64,
}

/// Reads the files, with their events.
pub(super) fn read(
    arguments: &BaselineArguments,
    spec: Option<&NetworkSpec>,
) -> Result<Samples, Failure> {
    let read = |paths: &[PathBuf]| match spec {
        Some(spec) => read_events_for(paths, spec, &[]),
        None => read_without_network(paths, arguments.end),
    };
    let mut data = read(&arguments.data)?;
    let mut test_data = None;
    if !arguments.test.is_empty() {
        let test = read(&arguments.test)?.in_class_order(data.class_names())?;
        refuse_trained_on(&data, &test)?;
        say_if_ears_differ(&data, &test);
        test_data = Some(test);
    }
    let mut new_from = None;
    if arguments.base_classes.is_some() || arguments.new_classes.is_some() {
        let (base, new) = (&arguments.base_classes, &arguments.new_classes);
        let choice = ClassChoice::of(base.as_deref(), new.as_deref(), &data)?;
        new_from = Some(choice.base.len());
        let order = [choice.base, choice.new].concat();
        // As `learn` has it: what is in order already is left as it is.
        if !order.iter().copied().eq(data.classes()) {
            data = data.only_classes(&order)?;
            test_data = match test_data {
                Some(test) => Some(test.only_classes(&order)?),
                None => None,
            };
        }
    }
    if data.classes().len() < 2 {
        return Err(Failure::bad(format!(
            "all samples are of the class {}, so there is nothing to tell apart",
            data.classes()
                .into_iter()
                .map(|class| data.class_name(class))
                .collect::<String>()
        )));
    }
    let (train, test) = match &test_data {
        Some(test) => (all_of(&data), all_of(test)),
        None => {
            let split = strict_split(&data, arguments.run.seed.master())?;
            (split.train, split.test)
        }
    };
    if test.is_empty() || train.is_empty() {
        return Err(Failure::bad(format!(
            "{} samples are too few to be split; give more, or others with --test",
            data.len()
        )));
    }
    let tested = test_data.as_ref().unwrap_or(&data);
    let (is_new, new) = novelty(arguments, new_from, tested, &test)?;
    Ok(Samples {
        channels: match spec {
            Some(spec) => {
                let format = spec.input_format();
                format.inputs * format.channels_per_input.max(1)
            }
            None => channels_of(&[Some(&data), test_data.as_ref()]),
        },
        end_s: data.grid().max_time_s(),
        is_new,
        new,
        train,
        test,
        data,
        test_data,
    })
}

fn all_of(data: &Dataset) -> Vec<SampleIndex> {
    (0..data.len()).map(SampleIndex).collect()
}

fn read_without_network(paths: &[PathBuf], end_s: f64) -> Result<Dataset, Failure> {
    let grid =
        TimeGrid::even(STEPS, end_s).map_err(|error| Failure::bad(format!("--end: {error}")))?;
    let target = BinningTarget {
        format: InputFormat::plain(grid, MAX_EXTENT),
        classes: MAX_EXTENT,
    };
    let data = read_dataset_with_events(paths, target, &[])?;
    let (lost, silent) = (data.events_past_end(), data.silent_samples());
    if silent == data.len() {
        return Err(Failure::bad(format!(
            "no sample has an event before {end_s} s, so there is nothing to count; are the times in seconds?"
        )));
    }
    if lost > 0 {
        note(&format!(
            "{} of {} events lie at or past {end_s} s, and are left out; --end takes in more",
            grouped(lost, ' '),
            grouped(data.events(), ' ')
        ));
    }
    if silent > 0 {
        note(&format!(
            "{silent} of the {} samples have no event before {end_s} s; they count as silence",
            data.len()
        ));
    }
    say_how_many_are_repeated(&data);
    Ok(data)
}

/// Says so if the files are hardly of the same ear: rules are then fitted to other channels than they are tested with.
fn say_if_ears_differ(data: &Dataset, test: &Dataset) {
    let ear = |data| {
        let channels = channels_of(&[Some(data)]);
        CHANNELS.into_iter().find(|&usual| usual == channels)
    };
    if let (Some(fitted), Some(tested)) = (ear(data), ear(test))
        && fitted != tested
    {
        note(&format!(
            "the files to fit to look like recordings of {fitted} channels, and those to test with like some of {tested}"
        ));
    }
}

/// As many channels as the data needs, or the usual numbers.
fn channels_of(data: &[Option<&Dataset>]) -> usize {
    let samples = data.iter().flatten().flat_map(|data| data.iter());
    let events = samples.filter_map(|(_, sample)| sample.events.as_deref());
    let largest = events
        .filter_map(|events| events.units().iter().max())
        .max();
    let needed = largest.map_or(1, |&unit| usize::from(unit) + 1);
    let usual = CHANNELS.into_iter().find(|&channels| channels >= needed);
    usual.unwrap_or(needed)
}

/// Whether each test sample is of what is new, and what that is.
fn novelty(
    arguments: &BaselineArguments,
    new_from: Option<usize>,
    data: &Dataset,
    test: &[SampleIndex],
) -> Result<(Vec<bool>, Option<String>), Failure> {
    let samples = test.iter().map(|&index| data.sample(index));
    let parts = (
        &arguments.held_out_class,
        &arguments.held_out_speaker,
        new_from,
    );
    Ok(match parts {
        (Some(text), _, _) => {
            let new = data.find_class(text)?;
            let is_new = samples.map(|sample| sample.class == new);
            (
                is_new.collect(),
                Some(format!("the class {}", data.class_name(new))),
            )
        }
        (_, Some(text), _) => {
            let new = data.find_speaker(text)?;
            let is_new = samples.map(|sample| sample.speaker == new);
            let name = data.speaker_names().get(&new);
            let name = match name {
                Some(name) => format!("the speaker {name}"),
                None => new.to_string(),
            };
            (is_new.collect(), Some(name))
        }
        (_, _, Some(base)) => {
            let classes: Vec<ClassId> = data.classes().into_iter().collect();
            let new = &classes[base.min(classes.len())..];
            let names: Vec<String> = new.iter().map(|&class| data.class_name(class)).collect();
            let is_new = samples.map(|sample| new.contains(&sample.class));
            (
                is_new.collect(),
                Some(format!("the classes {}", names.join(", "))),
            )
        }
        _ => (vec![false; test.len()], None),
    })
}
