//! Files that were downloaded before, by whatever means.

use respike::dataset::fetch::{Contents, Source};

use super::toy::{Target, assert_fails, gzip, noise, published, toy_file, toy_recordings};

/// A toy dataset of two files, and what they hold, packed and unpacked.
fn toy() -> (Source, [Vec<u8>; 2], [Vec<u8>; 2]) {
    let plain = [noise(5000, 7), noise(6000, 8)];
    let packed = [gzip(&plain[0]), gzip(&plain[1])];
    let mut source = toy_file(&plain[0], &packed[0]);
    source.contents = Contents::Files(vec![
        published("train.h5", &plain[0], &packed[0]),
        published("test.h5", &plain[1], &packed[1]),
    ]);
    (source, plain, packed)
}

#[test]
fn files_are_known_by_their_sums_packed_or_not() {
    let (source, plain, packed) = toy();
    let target = Target::new();
    // Names that say nothing, or the wrong thing.
    let given = [
        target.write("given/train.h5", &packed[1]),
        target.write("given/x", &plain[0]),
    ];
    let fetched = target.place(&source, &given).expect("placed");
    assert!(fetched.missing.is_empty());
    assert_eq!(target.read("data/train.h5"), plain[0]);
    assert_eq!(target.read("data/test.h5"), plain[1]);
    let all = ["data/test.h5", "data/train.h5", "given/train.h5", "given/x"];
    assert_eq!(target.files(), all);
    assert_eq!(target.read("given/train.h5"), packed[1]);
    target.place(&source, &given).expect("there");
}

#[test]
fn one_of_two_files_is_placed_and_the_other_missed() {
    let (source, plain, packed) = toy();
    let target = Target::new();
    let given = target.write("x", &packed[0]);
    let twice = [given.clone(), given];
    let fetched = target.place(&source, &twice).expect("placed");
    assert_eq!(fetched.ready, [target.path("data/train.h5")]);
    assert_eq!(fetched.missing, ["test.h5.gz"]);
    // In a second step the other one comes.
    let given = target.write("x", &plain[1]);
    let fetched = target.place(&source, &[given]).expect("placed");
    assert_eq!((fetched.ready.len(), fetched.missing.len()), (2, 0));
}

#[test]
fn files_of_something_else_are_refused_before_any_is_placed() {
    let (source, _, packed) = toy();
    let target = Target::new();
    let good = target.write("good", &packed[0]);
    let wrong = target.write("wrong.gz", b"something else");
    let folder = target.path("folder");
    std::fs::create_dir(&folder).expect("made");
    for (bad, words) in [
        (wrong, ["wrong.gz is no file of toy", "test.h5.gz"]),
        (folder, ["cannot read", "no plain file"]),
        (target.path("nowhere"), ["nowhere", "No such file"]),
    ] {
        let done = target.place(&source, &[good.clone(), bad]);
        assert_fails(done, &words);
        assert!(!target.folder().exists());
    }
    target.write("data/train.h5", b"mine");
    assert_fails(
        target.place(&source, &[good]),
        &["train.h5 is there already"],
    );
    assert_eq!(target.read("data/train.h5"), b"mine");
}

#[test]
fn a_folder_of_recordings_is_copied() {
    let source = toy_recordings(&[("a.wav", b"one"), ("b.wav", b"two")]);
    for inner in ["given", "given/recordings"] {
        let target = Target::new();
        target.write(&format!("{inner}/a.wav"), b"one");
        target.write(&format!("{inner}/b.wav"), b"two");
        target.write(&format!("{inner}/notes.txt"), b"not a recording");
        let given = target.path("given");
        target.place(&source, &[given]).expect("placed");
        assert_eq!(target.files().len(), 5);
        assert_eq!(target.read("data/toy/recordings/b.wav"), b"two");

        // Others in their place are left alone.
        target.write("data/toy/recordings/c.wav", b"mine");
        assert_fails(
            target.place(&source, &[target.path("given")]),
            &["recordings is there already", "3 WAV files", "move it away"],
        );
        assert_eq!(target.read("data/toy/recordings/c.wav"), b"mine");
    }
}

#[test]
fn folders_that_do_not_fit_are_refused() {
    let source = toy_recordings(&[("a.wav", b"one")]);
    let target = Target::new();
    let huge = target.write("huge/a.wav", &vec![0; 11 << 20]);
    let other = target.write("other/a.wav", b"two");
    let parent = |path: &std::path::Path| path.parent().expect("a folder").to_path_buf();
    for (given, words) in [
        (vec![parent(&huge)], ["a.wav", "at most"]),
        (
            vec![parent(&other)],
            ["other", "does not hold the recordings"],
        ),
        (
            vec![parent(&other), parent(&huge)],
            ["one archive", "2 were given"],
        ),
        (vec![target.path("nowhere")], ["nowhere", "No such file"]),
    ] {
        assert_fails(target.place(&source, &given), &words);
        assert!(!target.folder().exists());
    }
    target.write("data/toy", b"a file in the way");
    let done = target.place(&source, &[parent(&other)]);
    assert_fails(done, &["is there already", "in the way"]);
}
