//! Every command that writes, killed and failing.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use respike::dataset::{LabelledEvents, ShdContents, write_shd};
use respike::ids::{ClassId, SpeakerId};
use respike::spikes::EventStream;

use super::common::strace::{Work, strace_works, without_seconds};

const SUITE: &str = r#"
name = "smallest"
about = "Two experiments."
seeds = [0]
replays_for_samples = 1000

[strict]
pretrain_epochs = 1
epochs = 1
multi_class_epochs = 1
policy = "class-balanced"

[published]
pretrain_epochs = 1
epochs = 1
multi_class_epochs = 1

[[study]]
scenario = "class"
held_out = [2]
strategies = ["naive", "latent"]
lr_indices = [1]
codecs = ["raw"]
replays = [4]
"#;

pub fn project(path: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(path)
}

/// A command line of the program, with the places of the small dataset and network put in.
pub fn respike(arguments: &str) -> Vec<OsString> {
    let program = assert_cmd::cargo::cargo_bin!("respike");
    let words = arguments.split_whitespace().map(|word| match word {
        "DATA" => project("tests/cases/small.h5").into(),
        "MODEL" => project("tests/cases/tiny.toml").into(),
        "CHECKPOINT" => project("tests/formats/train/checkpoint.safetensors").into(),
        "RECORDINGS" => project("tests/golden/recordings").into(),
        word => OsString::from(word),
    });
    std::iter::once(program.into()).chain(words).collect()
}

/// What happens to a command.
enum Trouble {
    Kills,
    Failures,
}

/// A command that is tried.
struct Tried {
    /// Its words; what it prepares follows them.
    arguments: &'static str,
    /// What is added when it is given again.
    again: &'static str,
    /// One in so many calls is tried: when it is killed, and when it fails.
    strides: [usize; 2],
    /// Makes what it needs in a folder, and gives the words that say where it is.
    prepare: fn(&Path) -> Vec<OsString>,
    /// How it may end when it is given again.
    ends: &'static [i32],
}

impl Tried {
    /// Lets it write into the folder `out`, which is made before if `before` is.
    fn with(&self, trouble: Trouble) {
        if !strace_works() {
            return;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = respike(self.arguments);
        command.extend((self.prepare)(folder.path()));
        let before = folder.path().join("before");
        let work = Work {
            out: folder.path().join("out"),
            before: before.exists().then_some(before),
            command,
            again: self.again.split_whitespace().map(OsString::from).collect(),
            alike: &without_seconds,
            stride: match trouble {
                Trouble::Kills => self.strides[0],
                Trouble::Failures => self.strides[1],
            },
            ends: self.ends,
        };
        match trouble {
            Trouble::Kills => work.survives_kills(),
            Trouble::Failures => work.survives_failures(),
        }
    }
}

const TRAIN: Tried = Tried {
    arguments: "train --data DATA --model MODEL --epochs 2 --threads 1",
    again: "--resume",
    strides: [5, 5],
    prepare: out,
    ends: &[0],
};
/// With samples kept out, and the best network of its own beside the last.
const PICK: Tried = Tried {
    arguments: "train --data DATA --model MODEL --epochs 3 --validation 0.4 --select best-validation --threads 1",
    again: "--resume",
    strides: [7, 11],
    prepare: out,
    ends: &[0],
};
const TUNE: Tried = Tried {
    arguments: "tune --data DATA --threads 1",
    again: "--resume",
    strides: [7, 11],
    prepare: search,
    ends: &[0],
};
const LEARN: Tried = Tried {
    arguments: "learn class --held-out 1 --strategy latent --lr-index 1 --replays 4 --data DATA --model MODEL \
                --pretrain-epochs 1 --epochs 1 --threads 1",
    again: "",
    strides: [5, 17],
    prepare: out,
    ends: &[0],
};
/// Several tasks, with everything that goes from one to the next.
const LEARN_ON: Tried = Tried {
    arguments: "learn multi-class --base-classes 1 --method ar1-star --budget 2kB --codec or:5 --data DATA \
                --model MODEL --pretrain-epochs 1 --epochs 1 --set mixing.new_per_batch=2 \
                --set mixing.replayed_per_batch=4 --threads 1",
    again: "",
    strides: [7, 40],
    prepare: out,
    ends: &[0],
};
const BENCH: Tried = Tried {
    arguments: "bench shd --data DATA --model MODEL --threads 1 --jobs 1 --protocol strict",
    again: "--resume",
    strides: [19, 60],
    prepare: suite,
    ends: &[0],
};
const REPORT: Tried = Tried {
    arguments: "bench shd --report-only",
    again: "",
    strides: [30, 60],
    prepare: finished_suite,
    ends: &[0],
};
const ENCODE: Tried = Tried {
    arguments: "data encode RECORDINGS --channels 8 --threads 1 --test-takes 0-0",
    again: "",
    strides: [2, 4],
    prepare: two_files,
    // The last call of all may have left nothing to do, and then its files are there already.
    ends: &[0, 2],
};
const PLOT: Tried = Tried {
    arguments: "plot raster --data DATA --sample 0 --force",
    again: "",
    strides: [1, 3],
    prepare: picture,
    ends: &[0],
};
const PLAYER: Tried = Tried {
    arguments: "plot player --data DATA --sample 0 --force",
    again: "",
    strides: [1, 3],
    prepare: page,
    ends: &[0],
};
const RATES: Tried = Tried {
    arguments: "plot rates --data DATA --checkpoint CHECKPOINT --force --threads 1",
    again: "",
    strides: [1, 3],
    prepare: picture_and_table,
    ends: &[0],
};
const EVAL: Tried = Tried {
    arguments: "eval --data DATA --force --threads 1",
    again: "",
    strides: [2, 4],
    prepare: tested_before,
    ends: &[0],
};
const BASELINE: Tried = Tried {
    arguments: "baseline --data DATA --force --threads 1",
    again: "",
    strides: [1, 2],
    prepare: out,
    ends: &[0],
};
const SPLIT: Tried = Tried {
    arguments: "data split DATA --share 0.3 --threads 1",
    again: "",
    strides: [2, 4],
    prepare: part_and_rest,
    // As above.
    ends: &[0, 2],
};
const DEMO: Tried = Tried {
    arguments: "demo --threads 1",
    again: "",
    strides: [1000, 1000],
    prepare: few_digits,
    ends: &[0],
};

fn out(folder: &Path) -> Vec<OsString> {
    vec!["--out".into(), folder.join("out").into_os_string()]
}

fn suite(folder: &Path) -> Vec<OsString> {
    let path = folder.join("suite.toml");
    std::fs::write(&path, SUITE).expect("writable");
    let mut words = out(folder);
    words.extend(["--suite".into(), path.into_os_string()]);
    words
}

fn finished_suite(folder: &Path) -> Vec<OsString> {
    let mut command = respike(BENCH.arguments);
    command.extend(suite(folder));
    let done = Command::new(&command[0]).args(&command[1..]).output();
    assert!(done.expect("it runs").status.success());
    std::fs::rename(folder.join("out"), folder.join("before")).expect("writable");
    out(folder)
}

/// Two recipes of an epoch each.
fn search(folder: &Path) -> Vec<OsString> {
    let model = project("tests/cases/tiny.toml");
    let recipe = format!("name = \"tiny\"\nnetwork = {model:?}\n[training]\nepochs = 1\n");
    std::fs::write(folder.join("recipe.toml"), recipe).expect("writable");
    let file = folder.join("search.toml");
    let search = "name = \"tiny\"\nrecipe = \"recipe.toml\"\nvalidation = 0.4\ntrials = 2\n[ranges]\n\
         \"training.learning_rate\" = { log = [1e-4, 1e-2] }\n";
    std::fs::write(&file, search).expect("writable");
    let mut words = vec![file.into_os_string()];
    words.extend(out(folder));
    words
}

fn made_before(folder: &Path) {
    std::fs::create_dir(folder.join("before")).expect("writable");
}

fn two_files(folder: &Path) -> Vec<OsString> {
    made_before(folder);
    let file = |name: &str| folder.join("out").join(name).into_os_string();
    vec![
        "--out".into(),
        file("train.h5"),
        "--test-out".into(),
        file("test.h5"),
    ]
}

fn part_and_rest(folder: &Path) -> Vec<OsString> {
    let mut words = two_files(folder);
    for word in &mut words {
        if word == "--test-out" {
            *word = "--out-rest".into();
        }
    }
    words
}

/// A trained network, and what a test of it left before.
fn tested_before(folder: &Path) -> Vec<OsString> {
    made_before(folder);
    let run = |mut command: Vec<OsString>, out: PathBuf| {
        command.extend(["--out".into(), out.into_os_string()]);
        let done = Command::new(&command[0]).args(&command[1..]).output();
        assert!(done.expect("it runs").status.success());
    };
    run(respike(TRAIN.arguments), folder.join("run"));
    let part = folder.join("part.h5");
    run(respike(SPLIT.arguments), part.clone());
    let checkpoint = [
        "--checkpoint".into(),
        folder.join("run/checkpoint.safetensors").into_os_string(),
    ];
    let mut test = respike("eval --data");
    test.push(part.into_os_string());
    test.extend(checkpoint.clone());
    run(test, folder.join("before/tested"));
    let out = folder.join("out/tested").into_os_string();
    checkpoint
        .into_iter()
        .chain(["--out".into(), out])
        .collect()
}

fn picture(folder: &Path) -> Vec<OsString> {
    made_before(folder);
    let picture = folder.join("out/picture.png");
    vec!["--out".into(), picture.into_os_string()]
}

fn page(folder: &Path) -> Vec<OsString> {
    made_before(folder);
    let page = folder.join("out/page.html");
    vec!["--out".into(), page.into_os_string()]
}

fn picture_and_table(folder: &Path) -> Vec<OsString> {
    let mut words = picture(folder);
    let table = folder.join("out/table.csv");
    words.extend(["--csv".into(), table.into_os_string()]);
    words
}

/// Two samples of each digit by each of four speakers.
fn few_digits(folder: &Path) -> Vec<OsString> {
    let names: Vec<String> = (0..10).map(|name| name.to_string()).collect();
    for (take, name) in ["train", "test"].into_iter().enumerate() {
        let recordings = (0..40).map(|index: u16| {
            let (class, speaker) = (index % 10, index / 10);
            let stride = 7 + 4 * speaker + 2 * take as u16;
            let event = |event: u16| (event * stride + class * 7) % 70;
            LabelledEvents {
                events: EventStream::new(
                    (0..9).map(|event| f64::from(event) / 9.0).collect(),
                    (0..9).map(event).collect(),
                )
                .expect("valid events"),
                class: ClassId(class),
                speaker: SpeakerId(speaker),
                sound: None,
            }
        });
        let recordings: Vec<LabelledEvents> = recordings.collect();
        let path = folder.join(format!("fsdd70_{name}.h5"));
        write_shd(&path, &ShdContents::new(&names, &recordings)).expect("written");
    }
    let mut words = out(folder);
    words.extend(["--data".into(), folder.into()]);
    words
}
#[test]
fn train_goes_on_from_any_kill() {
    TRAIN.with(Trouble::Kills);
}

#[test]
fn train_says_what_could_not_be_written() {
    TRAIN.with(Trouble::Failures);
}

#[test]
fn picking_goes_on_from_any_kill() {
    PICK.with(Trouble::Kills);
}

#[test]
fn picking_says_what_could_not_be_written() {
    PICK.with(Trouble::Failures);
}

#[test]
fn a_search_goes_on_from_any_kill() {
    TUNE.with(Trouble::Kills);
}

#[test]
fn a_search_says_what_could_not_be_written() {
    TUNE.with(Trouble::Failures);
}

#[test]
fn learn_begins_anew_from_any_kill() {
    LEARN.with(Trouble::Kills);
}

#[test]
fn a_learner_goes_on_from_any_kill() {
    LEARN_ON.with(Trouble::Kills);
}

#[test]
fn learn_says_what_could_not_be_written() {
    LEARN.with(Trouble::Failures);
}

#[test]
fn a_suite_goes_on_from_any_kill() {
    BENCH.with(Trouble::Kills);
}

#[test]
fn a_suite_says_what_could_not_be_written() {
    BENCH.with(Trouble::Failures);
}

#[test]
fn encoding_goes_on_from_any_kill() {
    ENCODE.with(Trouble::Kills);
}

#[test]
fn encoding_says_what_could_not_be_written() {
    ENCODE.with(Trouble::Failures);
}

#[test]
fn a_report_is_drawn_again_after_any_kill() {
    REPORT.with(Trouble::Kills);
}

#[test]
fn a_report_says_what_could_not_be_written() {
    REPORT.with(Trouble::Failures);
}

#[test]
fn a_plot_is_drawn_again_after_any_kill() {
    PLOT.with(Trouble::Kills);
}

#[test]
fn a_plot_says_what_could_not_be_written() {
    PLOT.with(Trouble::Failures);
}

#[test]
fn a_page_is_written_again_after_any_kill() {
    PLAYER.with(Trouble::Kills);
}

#[test]
fn a_page_says_what_could_not_be_written() {
    PLAYER.with(Trouble::Failures);
}

#[test]
fn a_plot_with_a_table_is_drawn_again_after_any_kill() {
    RATES.with(Trouble::Kills);
}

#[test]
fn a_plot_with_a_table_says_what_could_not_be_written() {
    RATES.with(Trouble::Failures);
}

#[test]
fn a_test_is_written_again_after_any_kill() {
    EVAL.with(Trouble::Kills);
}

#[test]
fn a_test_says_what_could_not_be_written() {
    EVAL.with(Trouble::Failures);
}

#[test]
fn a_baseline_is_written_again_after_any_kill() {
    BASELINE.with(Trouble::Kills);
}

#[test]
fn a_baseline_says_what_could_not_be_written() {
    BASELINE.with(Trouble::Failures);
}

#[test]
fn a_split_goes_on_from_any_kill() {
    SPLIT.with(Trouble::Kills);
}

#[test]
fn a_split_says_what_could_not_be_written() {
    SPLIT.with(Trouble::Failures);
}

#[test]
fn the_demo_goes_on_from_any_kill() {
    DEMO.with(Trouble::Kills);
}

#[test]
fn the_demo_says_what_could_not_be_written() {
    DEMO.with(Trouble::Failures);
}
