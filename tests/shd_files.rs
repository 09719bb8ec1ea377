//! SHD-layout files: what is written is read back, whatever the number types, and merged.
#![cfg(feature = "hdf5")]

mod common;

use common::{INPUTS, names, recordings};
use hdf5::types::{TypeDescriptor, VarLenArray, VarLenUnicode};
use respike::dataset::{
    BinningTarget, DatasetError, ShdContents, ShdFile, SpeakerInfo, TimesType, read_dataset,
    write_shd,
};
use respike::spikes::{InputFormat, TimeGrid};

fn target() -> BinningTarget {
    BinningTarget {
        format: InputFormat::plain(TimeGrid::new(30, 0.6).expect("valid"), usize::from(INPUTS)),
        classes: 4,
    }
}

#[test]
fn what_is_written_is_read_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let (names, written) = (names(), recordings(2, 5));
    for (times, tolerance) in [
        (TimesType::Float16, 5e-4),
        (TimesType::Float32, 1e-7),
        (TimesType::Float64, 0.0),
    ] {
        let path = folder.path().join(format!("{times:?}.h5"));
        let speaker = SpeakerInfo {
            gender: "female".to_string(),
            age: 30,
            body_height: 170,
        };
        let contents = ShdContents {
            times,
            speakers: &vec![speaker; 3],
            ..ShdContents::new(&names, &written)
        };
        write_shd(&path, &contents).expect("written");
        let file = ShdFile::open(&path).expect("just written");
        assert_eq!(file.class_names(), names);
        let read = file.read(0..file.len()).expect("whole");
        assert_eq!(read.len(), written.len());
        for (read, written) in read.iter().zip(&written) {
            assert_eq!((read.class, read.speaker), (written.class, written.speaker));
            assert_eq!(read.events.units(), written.events.units());
            let pairs = read.events.times_s().iter().zip(written.events.times_s());
            for (read, written) in pairs {
                assert!(
                    (read - written).abs() <= tolerance,
                    "{times:?}: {read} {written}"
                );
            }
        }
    }
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .expect("readable")
        .collect();
    assert_eq!(left.len(), 3, "no temporary file is left");
}

#[test]
fn paths_and_types_are_those_of_shd() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("shd.h5");
    write_shd(&path, &ShdContents::new(&names(), &recordings(1, 5))).expect("written");
    let file = hdf5::File::open(&path).expect("HDF5");
    for (name, expected) in [
        ("spikes/times", "float16 (var len)"),
        ("spikes/units", "uint16 (var len)"),
        ("labels", "uint16"),
        ("extra/speaker", "uint16"),
    ] {
        let dtype = file.dataset(name).expect(name).dtype().expect("a type");
        let found = match dtype.to_descriptor().expect("known") {
            TypeDescriptor::VarLenArray(element) => format!("{element} (var len)"),
            other => other.to_string(),
        };
        assert_eq!(found, expected, "{name}");
    }
    let keys = file
        .dataset("extra/keys")
        .expect("keys")
        .dtype()
        .expect("a type");
    assert!(matches!(
        keys.to_descriptor(),
        Ok(TypeDescriptor::FixedAscii(_))
    ));
}

#[test]
fn any_integer_width_and_variable_length_names_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    fn check<T: hdf5::H5Type + Copy>(path: &std::path::Path, units: [T; 2], labels: [T; 2]) {
        let file = hdf5::File::create(path).expect("made");
        let spikes = file.create_group("spikes").expect("made");
        let times = vec![
            VarLenArray::from_slice(&[0.125f64, 0.25]),
            VarLenArray::from_slice(&[]),
        ];
        spikes
            .new_dataset_builder()
            .with_data(&times)
            .create("times")
            .expect("made");
        let lists = vec![
            VarLenArray::from_slice(&units),
            VarLenArray::from_slice(&[]),
        ];
        spikes
            .new_dataset_builder()
            .with_data(&lists)
            .create("units")
            .expect("made");
        file.new_dataset_builder()
            .with_data(&labels)
            .create("labels")
            .expect("made");
        let extra = file.create_group("extra").expect("made");
        extra
            .new_dataset_builder()
            .with_data(&labels)
            .create("speaker")
            .expect("made");
        let keys: Vec<VarLenUnicode> = ["süß", "sauer"].map(|k| k.parse().expect("text")).to_vec();
        extra
            .new_dataset_builder()
            .with_data(&keys)
            .create("keys")
            .expect("made");
        drop((spikes, extra, file));
        let file = ShdFile::open(path).expect("a good file");
        let read = file.read(0..2).expect("whole");
        assert_eq!(read[0].events.units(), [3, 7]);
        assert_eq!(read[0].events.times_s(), [0.125, 0.25]);
        assert_eq!(read[1].class.0, 1);
        assert_eq!(file.class_names(), ["süß", "sauer"]);
    }
    check(&folder.path().join("i8.h5"), [3i8, 7], [0, 1]);
    check(&folder.path().join("u8.h5"), [3u8, 7], [0, 1]);
    check(&folder.path().join("i32.h5"), [3i32, 7], [0, 1]);
    check(&folder.path().join("u32.h5"), [3u32, 7], [0, 1]);
    check(&folder.path().join("i64.h5"), [3i64, 7], [0, 1]);
    check(&folder.path().join("u64.h5"), [3u64, 7], [0, 1]);
}

#[test]
fn files_merge_in_order_and_only_with_the_same_classes() {
    let folder = tempfile::tempdir().expect("a folder");
    let [one, two, odd] = ["one.h5", "two.h5", "odd.h5"].map(|name| folder.path().join(name));
    write_shd(&one, &ShdContents::new(&names(), &recordings(2, 5))).expect("written");
    write_shd(&two, &ShdContents::new(&names(), &recordings(1, 6))).expect("written");
    let mut other = names();
    other[0] = "pink".to_string();
    write_shd(&odd, &ShdContents::new(&other, &recordings(1, 7))).expect("written");
    let merged = read_dataset(&[one.clone(), two.clone()], target()).expect("they merge");
    let [first, second] =
        [&one, &two].map(|path| read_dataset(std::slice::from_ref(path), target()).expect("good"));
    let apart: Vec<_> = first
        .iter()
        .chain(second.iter())
        .map(|(_, sample)| sample)
        .collect();
    let together: Vec<_> = merged.iter().map(|(_, sample)| sample).collect();
    assert_eq!(together, apart);
    let error = read_dataset(&[one, odd], target()).expect_err("other classes");
    assert!(
        matches!(error, DatasetError::OtherClasses { .. }),
        "{error}"
    );
}

#[test]
fn events_past_the_grid_are_counted_not_lost_silently() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("late.h5");
    let mut parts = common::Parts::good();
    parts.times = Some(vec![vec![0.1, 0.6], vec![0.59], vec![]]);
    parts.write(&path);
    let dataset = read_dataset(&[path], target()).expect("good");
    assert_eq!(dataset.events_past_end(), 1);
    let inside: u64 = dataset
        .iter()
        .map(|(_, sample)| sample.counts.total())
        .sum();
    assert_eq!(inside, 2);
}

#[test]
fn the_digits_that_ship_are_whole() {
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let files = ["fsdd70_train.h5", "fsdd70_test.h5"].map(|name| data.join(name));
    let target = BinningTarget {
        format: InputFormat::plain(TimeGrid::new(100, 1.4).expect("valid"), 70),
        classes: 10,
    };
    let digits = read_dataset(&files, target).expect("they ship");
    assert_eq!((digits.len(), digits.speakers().len()), (3000, 6));
    assert_eq!(digits.class_names()[9], "nine");
}
