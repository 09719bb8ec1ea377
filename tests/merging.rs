//! Names: one name is one thing, wherever files and commands meet.
#![cfg(feature = "hdf5")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use common::{INPUTS, names, recordings};
use respike::dataset::{
    BinningTarget, Dataset, DatasetError, LabelledEvents, ShdContents, TimesType, read_dataset,
    write_shd,
};
use respike::ids::{ClassId, SpeakerId};
use respike::spikes::{EventStream, InputFormat, TimeGrid};

fn target() -> BinningTarget {
    BinningTarget {
        format: InputFormat::plain(TimeGrid::new(30, 0.6).expect("valid"), usize::from(INPUTS)),
        classes: 4,
    }
}

/// A file of recordings whose speakers have these names, by number; an empty one is none.
fn file(folder: &Path, name: &str, salt: u32, speakers: &[&str]) -> PathBuf {
    let named = speakers
        .iter()
        .enumerate()
        .filter(|(_, name)| !name.is_empty());
    let named = named.map(|(number, name)| (SpeakerId(number as u16), name.to_string()));
    let (speaker_names, names, recordings) = (named.collect(), names(), recordings(1, salt));
    let path = folder.join(name);
    let contents = ShdContents {
        speaker_names: &speaker_names,
        ..ShdContents::new(&names, &recordings)
    };
    write_shd(&path, &contents).expect("written");
    path
}

/// Names of the speakers in the order in which they first come.
fn speakers_in_order(data: &Dataset) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let speakers = data.iter().map(|(_, sample)| sample.speaker);
    let first = speakers.filter(|&speaker| seen.insert(speaker));
    first.map(|speaker| data.speaker_name(speaker)).collect()
}

#[test]
fn one_name_is_one_speaker_and_other_names_are_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let one = file(folder.path(), "one.h5", 1, &["anna", "bert", "zo\u{eb}"]);
    // The same speakers have other numbers, a new one has a number that is taken, and a name is spelt
    // with a separate accent.
    let two = file(folder.path(), "two.h5", 2, &["zoe\u{308}", "cleo", "anna"]);
    let merged = read_dataset(&[one.clone(), two], target()).expect("they merge");
    let expected = BTreeMap::from([
        (SpeakerId(0), "anna".to_string()),
        (SpeakerId(1), "bert".to_string()),
        (SpeakerId(2), "zo\u{eb}".to_string()),
        (SpeakerId(3), "cleo".to_string()),
    ]);
    assert_eq!(*merged.speaker_names(), expected);
    let of = |name: &str| {
        let speaker = merged.find_speaker(name).expect("there");
        merged
            .iter()
            .filter(|(_, sample)| sample.speaker == speaker)
            .count()
    };
    assert_eq!(
        [of("anna"), of("bert"), of("zo\u{eb}"), of("cleo")],
        [8, 4, 8, 4]
    );
    // Alone, a file's numbers stay.
    let alone = read_dataset(&[one], target()).expect("good");
    assert_eq!(speakers_in_order(&alone), ["anna", "bert", "zo\u{eb}"]);
}

#[test]
fn nobody_known_never_joins_somebody() {
    let folder = tempfile::tempdir().expect("a folder");
    let one = file(folder.path(), "one.h5", 1, &["anna", "bert", ""]);
    let two = file(folder.path(), "two.h5", 2, &["", "anna", "bert"]);
    let three = file(folder.path(), "three.h5", 3, &["cleo", "dora", "ella"]);
    let merged = read_dataset(&[one, two, three], target()).expect("they merge");
    let mut samples: BTreeMap<String, usize> = BTreeMap::new();
    for (_, sample) in merged.iter() {
        *samples
            .entry(merged.speaker_name(sample.speaker))
            .or_default() += 1;
    }
    let expected = [
        ("anna", 8),
        ("bert", 8),
        ("cleo", 4),
        ("dora", 4),
        ("ella", 4),
        ("speaker 2", 8),
    ];
    let expected = expected.map(|(name, count)| (name.to_string(), count));
    assert_eq!(samples, BTreeMap::from(expected));
}

#[test]
fn numbers_without_names_and_names_are_not_mixed() {
    let folder = tempfile::tempdir().expect("a folder");
    let named = file(folder.path(), "named.h5", 1, &["anna", "bert", "cleo"]);
    let bare = file(folder.path(), "bare.h5", 2, &[]);
    let other = file(folder.path(), "other.h5", 3, &[]);
    for files in [[&named, &bare], [&bare, &named]] {
        let error = read_dataset(&files.map(Clone::clone), target()).expect_err("whose is 0?");
        assert!(
            matches!(error, DatasetError::UnnamedSpeakers { .. }),
            "{error}"
        );
        assert!(error.to_string().contains("bare.h5"), "{error}");
    }
    // Numbers alone are taken as they are.
    let merged = read_dataset(&[bare, other], target()).expect("they merge");
    assert_eq!((merged.len(), merged.speakers().len()), (24, 3));
    assert!(merged.speaker_names().is_empty());
}

/// A file whose list of speakers names nobody, as `data encode` writes it where no name tells a speaker.
#[test]
fn nobody_at_all_has_a_number_of_its_own_beside_any_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let nobody = |name: &str, salt: u32| {
        let mut all = recordings(1, salt);
        all.iter_mut().for_each(|one| one.speaker = SpeakerId(0));
        let (path, names) = (folder.path().join(name), names());
        let contents = ShdContents {
            speaker_names: &BTreeMap::from([(SpeakerId(0), String::new())]),
            ..ShdContents::new(&names, &all)
        };
        write_shd(&path, &contents).expect("written");
        path
    };
    let (nobody, again) = (nobody("nobody.h5", 1), nobody("again.h5", 2));
    let named = file(folder.path(), "named.h5", 3, &["anna", "bert", "cleo"]);
    let bare = file(folder.path(), "bare.h5", 4, &[]);
    for other in [&named, &bare] {
        for files in [[&nobody, &again, other], [other, &nobody, &again]] {
            let merged = read_dataset(&files.map(Clone::clone), target()).expect("they merge");
            let mut samples: BTreeMap<SpeakerId, usize> = BTreeMap::new();
            for (_, sample) in merged.iter() {
                *samples.entry(sample.speaker).or_default() += 1;
            }
            let mut counts: Vec<usize> = samples.into_values().collect();
            counts.sort_unstable();
            assert_eq!(counts, [4, 4, 4, 24], "{files:?}");
        }
    }
    // Where numbers are taken as they are, they stay.
    let merged = read_dataset(&[nobody.clone(), bare.clone()], target()).expect("they merge");
    let alone = read_dataset(&[bare], target()).expect("good");
    for speaker in alone.speakers() {
        let of = |data: &Dataset| {
            let theirs = data.iter().filter(|(_, sample)| sample.speaker == speaker);
            theirs.count()
        };
        assert_eq!(of(&merged), of(&alone), "{speaker}");
    }
    let alone = read_dataset(&[nobody], target()).expect("good");
    assert_eq!(alone.speakers(), BTreeSet::from([SpeakerId(0)]));
}

#[test]
fn classes_are_matched_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let one = file(folder.path(), "one.h5", 1, &[]);
    let turned: Vec<String> = names().into_iter().rev().collect();
    let mut others = recordings(1, 2);
    for recording in &mut others {
        recording.class = ClassId(3 - recording.class.0);
    }
    let two = folder.path().join("two.h5");
    write_shd(&two, &ShdContents::new(&turned, &others)).expect("written");
    let merged = read_dataset(&[one, two.clone()], target()).expect("they merge");
    assert_eq!(merged.class_names(), names());
    let straight = recordings(1, 2)
        .into_iter()
        .map(|recording| recording.class);
    let read = merged.iter().skip(12).map(|(_, sample)| sample.class);
    assert!(read.eq(straight));

    let data = read_dataset(&[two], target()).expect("good");
    let classes: Vec<String> = data
        .iter()
        .map(|(_, sample)| data.class_name(sample.class))
        .collect();
    let ordered = data.in_class_order(&names()).expect("the same names");
    let reordered: Vec<String> = ordered
        .iter()
        .map(|(_, sample)| ordered.class_name(sample.class))
        .collect();
    assert_eq!(classes, reordered);
    for wrong in [vec![], vec!["red".to_string()], vec!["red".to_string(); 4]] {
        let error = ordered
            .clone()
            .in_class_order(&wrong)
            .expect_err("other names");
        assert!(
            matches!(error, DatasetError::ClassesDiffer { .. }),
            "{error}"
        );
    }
}

#[test]
fn classes_and_speakers_are_found_by_name_then_by_number() {
    let folder = tempfile::tempdir().expect("a folder");
    // A name may look like another's number.
    let path = file(folder.path(), "one.h5", 1, &["2", "zo\u{eb}", ""]);
    let data = read_dataset(&[path], target()).expect("good");
    let speaker = |text: &str| data.find_speaker(text).map(|speaker| speaker.0);
    assert_eq!(speaker("2").expect("a name"), 0);
    assert_eq!(speaker("zoe\u{308}").expect("a name"), 1);
    assert_eq!(speaker("1").expect("a number"), 1);
    assert_eq!(data.find_class("blue").expect("a name"), ClassId(2));
    assert_eq!(data.find_class("3").expect("a number"), ClassId(3));
    let error = data.find_class("pink").expect_err("nothing").to_string();
    assert!(
        error.contains("pink") && error.contains("red (0), green (1)"),
        "{error}"
    );
    let error = data.find_speaker("anna").expect_err("nobody").to_string();
    assert!(
        error.contains("anna") && error.contains("2 (0), zo\u{eb} (1), 2"),
        "{error}"
    );
}

#[test]
fn a_recording_is_known_again_whatever_the_type_of_its_times_and_its_numbers() {
    let folder = tempfile::tempdir().expect("a folder");
    let original = recordings(1, 4);
    let data = [TimesType::Float16, TimesType::Float32, TimesType::Float64].map(|times| {
        let mut changed: Vec<LabelledEvents> = original.clone();
        for recording in &mut changed {
            let (times, units) = (recording.events.times_s(), recording.events.units());
            let turned = times.iter().rev().copied().collect();
            let units = units.iter().rev().copied().collect();
            recording.events = EventStream::new(turned, units).expect("valid");
            recording.speaker = SpeakerId(recording.speaker.0 + 5);
            recording.class = ClassId((recording.class.0 + 1) % 4);
        }
        let path = folder.path().join(format!("{times:?}.h5"));
        let names = names();
        let contents = ShdContents {
            times,
            ..ShdContents::new(&names, &changed)
        };
        write_shd(&path, &contents).expect("written");
        read_dataset(&[path], target()).expect("good")
    });
    let straight = folder.path().join("straight.h5");
    write_shd(&straight, &ShdContents::new(&names(), &original)).expect("written");
    let known = read_dataset(&[straight], target())
        .expect("good")
        .recordings();
    for data in &data {
        assert!(data.iter().all(|(_, sample)| known.contains(sample)));
    }
}
