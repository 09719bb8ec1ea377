//! The demo, whole: replay prevents what naive learning forgets.

use std::path::Path;

use respike::network::NetworkSpec;

#[test]
fn the_specs_that_ship_are_valid() {
    let models = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join("snn-models");
    let reference = NetworkSpec::read(&models.join("dequino2024.toml")).expect("valid");
    assert_eq!(reference, NetworkSpec::dequino2024());
    let demo = NetworkSpec::read(&models.join("demo70.toml")).expect("valid");
    let adaptive = NetworkSpec::read(&models.join("adlif70.toml")).expect("valid");
    assert_eq!((adaptive.inputs(), adaptive.classes()), (70, 10));
    let pooled = NetworkSpec::read(&models.join("adlif140.toml")).expect("valid");
    let format = pooled.input_format();
    assert_eq!((format.inputs, format.channels_per_input), (140, 5));
    assert_eq!((demo.inputs(), demo.classes()), (70, 10));
}

#[test]
fn the_demo_shows_forgetting_and_its_absence() {
    let out = tempfile::tempdir().expect("a folder");
    let mut demo = assert_cmd::Command::new(assert_cmd::cargo::cargo_bin!("respike"));
    demo.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .args(["demo", "--json", "--out"])
        .arg(out.path().join("demo"));
    let output = demo.output().expect("it runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let runs: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).expect("JSON");
    let of = |run: &serde_json::Value, when: &str, what: &str| {
        run["accuracy"][when][what].as_f64().expect("a number") * 100.0
    };
    for scenario in runs.chunks(3) {
        let [naive, latent, joint] = scenario else {
            panic!("three strategies a scenario");
        };
        assert_eq!(naive["experiment"]["strategy"], "naive");
        assert_eq!(latent["experiment"]["strategy"], "latent");
        let lost = |run| of(run, "before", "old") - of(run, "after", "old");
        // Last bits differ between processors, and training makes points of them: leave room.
        let learns_classes = naive["experiment"]["scenario"]["kind"] != "sample";
        if learns_classes {
            assert!(lost(naive) > 30.0, "{naive}");
            assert!(lost(latent) < lost(naive) / 2.0, "{latent}");
        }
        // A new speaker costs this network little, whatever is done.
        assert!(lost(latent) < lost(naive) + 1.0, "{latent}");
        assert!(lost(latent) < lost(joint) + 25.0, "{latent}");
        assert!(of(joint, "after", "all") > 85.0, "{joint}");
        assert_eq!(joint["experiment"]["lr_index"], serde_json::Value::Null);
        assert!(
            of(latent, "after", "new") > of(latent, "before", "new") + 5.0,
            "{latent}"
        );
        assert!(latent["replay"]["bytes"].as_u64().expect("a number") <= 1_000_000);
    }
    for file in [
        "table.md",
        "curves.png",
        "comparison.png",
        "confusion.png",
        "raster.png",
    ] {
        assert!(out.path().join("demo").join(file).exists(), "{file}");
    }
}

/// The records behind docs/RESULTS.md can be read, and say what it says.
/// What a record that ships came to on its test samples, in %.
fn tested(run: &str) -> f64 {
    let records = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join("docs/records");
    let summary = std::fs::read_to_string(records.join(run).join("summary.json"));
    let summary: serde_json::Value =
        serde_json::from_str(&summary.expect("a record")).expect("JSON");
    summary["test_accuracy"].as_f64().expect("a figure") * 100.0
}

#[test]
fn the_records_of_recipes_back_their_tables() {
    let text = include_str!("../../docs/RESULTS.md").replace('*', "");
    let row = |name: &str| {
        let heading = format!("| `{name}`");
        let mut rows = text.lines().filter(|line| line.starts_with(&heading));
        rows.next().expect("a row").to_string()
    };
    let mean = |name: &str| {
        (0..3)
            .map(|seed| tested(&format!("{name}-seed{seed}")))
            .sum::<f64>()
            / 3.0
    };
    for name in [
        "adlif-2x128",
        "adlif-1x128",
        "adlif-2x64",
        "adlif-2x256",
        "lif-2x128",
        "feedforward-delays",
        "digits70",
        "digits70-2x64",
    ] {
        let seeds = [0, 1, 2].map(|seed| format!("{:.1}", tested(&format!("{name}-seed{seed}"))));
        let figures = format!("| {} | {:.1} ±", seeds.join(" | "), mean(name));
        let row = row(name);
        assert!(row.contains(&figures), "{row} for {figures}");
        if !name.starts_with("digits70") {
            let picked = format!("| {:.1} |", mean(&format!("{name}-validated")));
            assert!(row.ends_with(&picked), "{row} for {picked}");
        }
    }
    let voices = [0, 1, 2, 3, 4, 5].map(|voice| mean(&format!("unheard-voice{voice}")));
    let all = voices.iter().sum::<f64>() / 6.0;
    let figures = voices.map(|one| format!("{one:.1}")).join(" | ");
    let row = row("unheard-voices");
    assert!(row.ends_with(&format!("| {figures} | {all:.1} |")), "{row}");
}

#[test]
fn the_records_that_ship_back_their_tables() {
    let records = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join("docs/records");
    let table = include_str!("../../docs/RESULTS.md");
    for (name, heading) in [
        ("fsdd700", "| mean |"),
        ("fsdd700", "| independent encoder | 6"),
        ("encoded700", "| `respike data encode` | 6"),
    ] {
        let runs = [0, 1, 2].map(|seed| {
            let folder = records.join(format!("{name}-seed{seed}"));
            respike::report::RunFolder::read(&folder).expect("a record")
        });
        let mean = |epoch: usize| {
            let tests = runs
                .iter()
                .map(|run| run.epochs[epoch - 1].accuracy["test"]);
            tests.sum::<f64>() / runs.len() as f64 * 100.0
        };
        let row = table.lines().find(|line| line.starts_with(heading));
        let said = [20, 40, 60, 80, 100].map(|epoch| format!("{:.1}", mean(epoch)));
        let row = row.expect("a row of means").replace('*', "");
        let figures = format!("| {} |", said.join(" | "));
        assert!(row.ends_with(&figures), "{name}: {row} for {figures}");
        assert!(mean(40) >= 67.0 && mean(100) >= 75.0);
    }
}
