//! Reading data for a network: what does not fit it is said, and refused where nothing sensible can
//! come out.

use std::path::PathBuf;

use super::failure::Failure;
use super::output::{grouped, note};
use respike::dataset::{
    Dataset, Split, read_dataset_and_tests, read_dataset_for, read_dataset_with_events,
};
use respike::network::NetworkSpec;
use respike::train::Checkpoint;

/// With more than this share of its events past the end of the grid, data is refused.
const MOST_EVENTS: f64 = 0.9;
/// With more than this share of its samples silent, data is refused.
const MOST_SILENT: f64 = 0.9;
/// Data that ends before this share of the grid is shorter than it should be.
const SHORT: f64 = 0.2;
/// Data that ends before this step has no time to speak of: bin 0 is empty, and all is in the next two.
const FIRST_STEPS: usize = 3;

/// Reads files for a network, and says what does not fit it.
pub(super) fn read_data(paths: &[PathBuf], spec: &NetworkSpec) -> Result<Dataset, Failure> {
    read_data_for(paths, spec, &[])
}

/// Reads files as [`read_data`] does, for something that was made with the classes in the order of
/// `class_names`: what it was made of is known again.
pub(super) fn read_data_for(
    paths: &[PathBuf],
    spec: &NetworkSpec,
    class_names: &[String],
) -> Result<Dataset, Failure> {
    let data = read_dataset_for(paths, spec.binning(), class_names)?;
    say_what_does_not_fit(&data)?;
    Ok(data)
}

/// Reads files to train on and files to test with as [`read_data_for`] does, and which samples are which.
pub(super) fn read_data_and_tests(
    (paths, tests): (&[PathBuf], &[PathBuf]),
    spec: &NetworkSpec,
    class_names: &[String],
) -> Result<(Dataset, Split), Failure> {
    let (data, split) = read_dataset_and_tests(paths, tests, spec.binning(), class_names)?;
    say_what_does_not_fit(&data)?;
    Ok((data, split))
}

/// The same as [`read_data_for`], with the events of all recordings, which augmentations change.
pub(super) fn read_events_for(
    paths: &[PathBuf],
    spec: &NetworkSpec,
    class_names: &[String],
) -> Result<Dataset, Failure> {
    let data = read_dataset_with_events(paths, spec.binning(), class_names)?;
    say_what_does_not_fit(&data)?;
    Ok(data)
}

/// Says what of the data does not fit a network, or may not be meant.
fn say_what_does_not_fit(data: &Dataset) -> Result<(), Failure> {
    say_what_is_lost(data)?;
    say_how_long(data)?;
    say_which_channels(data);
    say_how_many_are_silent(data)?;
    say_how_many_are_repeated(data);
    Ok(())
}

/// Says how many samples are of recordings that are there already.
pub(super) fn say_how_many_are_repeated(data: &Dataset) {
    let twice = data.repeated_samples();
    if twice > 0 {
        note(&format!(
            "{twice} of the {} samples are recordings that come before them in the data already",
            data.len()
        ));
    }
}

/// Refuses a test with what was trained on.
pub(super) fn refuse_trained_on(data: &Dataset, test: &Dataset) -> Result<(), Failure> {
    let trained = data.recordings();
    let shared = test.iter().filter(|(_, sample)| trained.contains(sample));
    match shared.count() {
        0 => Ok(()),
        shared => Err(Failure::bad(format!(
            "{shared} of the {} samples in the --test files are in the --data files too; a test \
             with them would prove nothing",
            test.len()
        ))),
    }
}

/// Says so where a network knows what it was trained on only by every bit.
pub(super) fn say_what_is_not_seen(saved: &Checkpoint) {
    if saved.trained_on.knows_some_by_every_bit() {
        note(
            "the checkpoint began as one of format 2, which knows a recording that it was trained on again only \
             with its events in the same order and type of number, and with the same numbers of speaker and class",
        );
    }
}

/// The data with its classes in the order of a trained network's, which must have the same names.
pub(super) fn in_order_of(saved: &Checkpoint, data: Dataset) -> Result<Dataset, Failure> {
    let is_there = |name| data.class_names().contains(name);
    let (known, all) = (saved.class_names.len(), data.class_names().len());
    if 0 < known && known < all && saved.class_names.iter().all(is_there) {
        let before = data.len();
        let data = data.only_named(&saved.class_names)?;
        note(&format!(
            "{} of the {before} samples are of classes that the network was not made for, and are left out",
            before - data.len()
        ));
        return Ok(data);
    }
    if saved.class_names != data.class_names() {
        let data = data.in_class_order(&saved.class_names)?;
        note(
            "the data has the network's classes in another order; they are matched by their names",
        );
        return Ok(data);
    }
    Ok(data)
}

/// Says how many events lie past the end of the grid; if hardly any is left, data is refused.
pub(super) fn say_what_is_lost(data: &Dataset) -> Result<(), Failure> {
    let (lost, all) = (data.events_past_end(), data.events());
    if lost == 0 {
        return Ok(());
    }
    let what = format!(
        "{} of {} events lie at or past {} s, where the network's time grid ends",
        grouped(lost, ' '),
        grouped(all, ' '),
        data.grid().max_time_s()
    );
    if lost as f64 > all as f64 * MOST_EVENTS {
        return Err(Failure::bad(format!(
            "{what}, so hardly anything is left; are the times in seconds, and is this the network for \
             them?"
        )));
    }
    note(&format!("{what}, and are left out"));
    Ok(())
}

/// Says how many samples are silent; if hardly any is not, data is refused.
fn say_how_many_are_silent(data: &Dataset) -> Result<(), Failure> {
    let (silent, all) = (data.silent_samples(), data.len());
    if silent == 0 {
        return Ok(());
    }
    let grid_s = data.grid().max_time_s();
    let what = match data.events_past_end() {
        0 => format!("{silent} of the {all} samples have no event at all"),
        _ => format!(
            "{silent} of the {all} samples have no event before {grid_s} s, where the network's time grid ends"
        ),
    };
    if silent as f64 > all as f64 * MOST_SILENT {
        return Err(Failure::bad(format!(
            "{what}, so there is next to nothing to learn from or to test with; is this the right file?"
        )));
    }
    note(&format!("{what}; they count as silence"));
    Ok(())
}

fn say_how_long(data: &Dataset) -> Result<(), Failure> {
    // Silence has no length.
    let Some(last) = data.last_step_but_strays() else {
        return Ok(());
    };
    let grid = data.grid();
    let what = format!(
        "the last events of the data fall into step {} of the {} that the network's time grid has in {} s",
        last.0 + 1,
        grid.steps(),
        grid.max_time_s()
    );
    if last.0 < FIRST_STEPS && grid.steps() > 4 * FIRST_STEPS {
        return Err(Failure::bad(format!(
            "{what}, so times tell next to nothing; are they in seconds, and is this the network for \
             them?"
        )));
    }
    if (last.0 as f64) < grid.steps() as f64 * SHORT {
        note(&format!("{what}; the rest is silence"));
    }
    Ok(())
}

/// Says so where a network has many more inputs than the data has channels.
pub(super) fn say_which_channels(data: &Dataset) {
    let (used, inputs) = (data.channels_but_strays(), data.inputs());
    if used > 0 && used * 2 <= inputs {
        note(&format!(
            "events come from the first {used} channels only, but the network has {inputs} inputs; is this \
             the network for them?"
        ));
    }
}
