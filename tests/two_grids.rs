//! Two networks read the same recordings on grids of their own.
#![cfg(feature = "shd")]

use std::path::PathBuf;

use respike::dataset::{DatasetError, Sample, read_dataset, read_dataset_with_events};
use respike::ids::SampleIndex;
use respike::network::{BinSettings, NetworkSpec};

#[test]
fn recordings_that_keep_their_events_are_binned_as_if_they_were_read_again() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/data/fsdd70_test.h5");
    let files = [PathBuf::from(file)];
    let mut settings = NetworkSpec::dequino2024().settings().clone();
    (settings.input.units, settings.readout.classes) = (70, 10);
    let fine = settings.clone().check().expect("valid");
    settings.input.steps = 250;
    settings.input.max_time_s = 1.0;
    settings.input.bins = BinSettings::Even;
    settings.input.units = 14;
    settings.input.channels_per_input = 5;
    settings.input.largest_count = Some(1);
    let coarse = settings.check().expect("valid");

    let kept = read_dataset_with_events(&files, fine.binning(), &[]).expect("it ships");
    let again = kept
        .binned_for(coarse.input_format())
        .expect("they were kept");
    let expected = read_dataset(&files, coarse.binning()).expect("it ships");
    assert_eq!(again.len(), expected.len());
    assert_eq!(again.format(), expected.format());
    assert_eq!(again.events_past_end(), expected.events_past_end());
    assert_eq!(again.fingerprint(), expected.fingerprint());
    for place in (0..again.len()).map(SampleIndex) {
        let again = Sample {
            events: None,
            ..again.sample(place).clone()
        };
        assert_eq!(&again, expected.sample(place));
    }
    let refused = expected.binned_for(fine.input_format());
    assert!(matches!(refused, Err(DatasetError::NoEvents)));
}
