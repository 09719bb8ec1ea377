//! Recordings on their way through the ear, drawn from made-up data and by the program.

mod common;

use std::fs;
use std::path::Path;

use common::Bench;
use common::figures::{both, nothing_is_placed_outside, says, texts};
use common::program::{bad, good, run};
use ndarray::Array2;
use respike::report::plot::{CochleagramFigure, PlotError, check_format, cochleagram};
use respike::spikes::EventStream;

/// The lightest colour of the map, and that of spikes.
const BRIGHTEST: &str = "#E1EB74";
const SPIKE: &str = "#222222";

/// A figure of a tenth of a second at 8 kHz: one bright cell and one spike, both of `channel`.
fn figure(channels: usize, channel: usize) -> CochleagramFigure {
    let mut energy = Array2::from_elem((channels, 50), 1e-9f32);
    energy[[channel, 25]] = 3.0;
    let last = channels.max(2) as f64 - 1.0;
    CochleagramFigure {
        title: "made up".to_string(),
        waveform: (0..800).map(|i| (f64::from(i) * 0.7).sin()).collect(),
        rate_hz: 8000,
        energy,
        best_frequencies_hz: (0..channels)
            .map(|i| 2e4 * 10f64.powf(-2.0 * i as f64 / last))
            .collect(),
        events: EventStream::new(vec![0.051], vec![channel as u16]).expect("valid"),
    }
}

/// Left, top, width and height of the areas of a colour, in pixels.
fn areas(svg: &str, colour: &str) -> Vec<[f64; 4]> {
    let tags = svg.split('<').filter(|tag| tag.starts_with("rect"));
    let tags = tags.filter(|tag| tag.contains(&format!("fill=\"{colour}\"")));
    let side = |tag: &str, name: &str| {
        let value = tag.split(&format!(" {name}=\"")).nth(1).expect("there");
        let value = value.split('"').next().expect("its end");
        value.parse::<f64>().expect("a number") / 4.0
    };
    let area = |tag| ["x", "y", "width", "height"].map(|name| side(tag, name));
    tags.map(area).collect()
}

/// Writes 16-bit PCM.
fn write_wav(path: &Path, rate_hz: u32, samples: impl Iterator<Item = f64>) {
    let data = samples.flat_map(|x| ((x.clamp(-1.0, 1.0) * 32767.0) as i16).to_le_bytes());
    let data: Vec<u8> = data.collect();
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + data.len() as u32).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(16u32.to_le_bytes());
    bytes.extend([1u16, 1].map(u16::to_le_bytes).concat());
    bytes.extend([rate_hz, rate_hz * 2].map(u32::to_le_bytes).concat());
    bytes.extend([2u16, 16].map(u16::to_le_bytes).concat());
    bytes.extend(b"data");
    bytes.extend((data.len() as u32).to_le_bytes());
    bytes.extend(data);
    fs::write(path, bytes).expect("written");
}

fn tone(hz: f64, rate_hz: u32, samples: u32) -> impl Iterator<Item = f64> {
    let turn = std::f64::consts::TAU * hz / f64::from(rate_hz);
    (0..samples).map(move |i| 0.5 * (f64::from(i) * turn).sin())
}

fn with_digit(bench: &Bench) {
    let digit = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .join("tests/golden/spoken_digit.flac");
    fs::copy(digit, bench.path("digit.flac")).expect("copied");
}

/// Top and bottom of the two panels of channels: the boxes are the tallest upright lines.
fn panels(svg: &str) -> [(f64, f64); 2] {
    let lines = areas(svg, SPIKE).into_iter();
    let mut tall: Vec<_> = lines
        .filter(|area| area[2] <= 3.0 && area[3] > 300.0)
        .collect();
    tall.sort_by(|a, b| a[1].total_cmp(&b[1]));
    tall.dedup_by(|a, b| a[1] == b[1]);
    assert_eq!(tall.len(), 2, "{tall:?}");
    [0, 1].map(|i| (tall[i][1], tall[i][1] + tall[i][3]))
}

#[test]
fn a_channel_lies_at_the_same_height_in_both_panels_with_the_first_at_the_top() {
    for (channels, channel) in [(40, 0), (40, 10), (40, 39), (3, 2), (200, 50)] {
        let figure = figure(channels, channel);
        let (_, svg) = both(&|path| cochleagram(&figure, path));
        let [energy, spikes] = panels(&svg);
        let expected = (channel as f64 + 0.5) / channels as f64;
        let relative = |y: f64, panel: (f64, f64)| (y - panel.0) / (panel.1 - panel.0);

        // The colour bar lies further right.
        let right = 1404.0;
        let bright = areas(&svg, BRIGHTEST)
            .into_iter()
            .filter(|area| area[0] < right);
        let bright: Vec<_> = bright.collect();
        assert_eq!(bright.len(), 1, "one cell: {bright:?}");
        let middle = bright[0][1] + bright[0][3] / 2.0;
        assert!(
            (relative(middle, energy) - expected).abs() < 0.01,
            "{middle}"
        );

        let marks = areas(&svg, SPIKE).into_iter();
        // Ticks and edges are as thin, but lie at the panel's sides.
        let inside = |area: &[f64; 4]| area[0] > 700.0 && area[0] < 900.0 && area[2] < 5.0;
        let marks = marks.filter(|a| inside(a) && a[1] >= spikes.0 && a[1] < spikes.1);
        let marks: Vec<_> = marks.filter(|a| a[3] < 15.0).collect();
        assert_eq!(marks.len(), 1, "one spike: {marks:?}");
        let middle = marks[0][1] + marks[0][3] / 2.0;
        assert!(
            (relative(middle, spikes) - expected).abs() < 0.01,
            "{middle}"
        );
        // Both are in the middle of the time axis.
        let [left, _, width, _] = bright[0];
        assert!(
            (left..left + width).contains(&marks[0][0]),
            "{bright:?} {marks:?}"
        );
    }
}

#[test]
fn every_axis_says_what_it_shows() {
    let (_, svg) = both(&|path| cochleagram(&figure(300, 100), path));
    says(
        &svg,
        &[
            "made up",
            "amplitude",
            "full scale 1",
            "best frequency (Hz)",
            "energy",
            "dB re maximum",
            "-60",
            "channel",
            "time (s)",
            "0.10",
            "1k",
            "10k",
        ],
    );
    nothing_is_placed_outside(&svg);
}

#[test]
fn figures_of_any_extents_are_drawn() {
    for channels in [1, 8, 700, 2000] {
        let mut odd = figure(channels, channels - 1);
        odd.title = "an endless name of a recording-".repeat(20);
        odd.energy.row_mut(0).fill(f32::NAN);
        let (_, svg) = both(&|path| cochleagram(&odd, path));
        nothing_is_placed_outside(&svg);
    }
    for waveform in [
        vec![0.0],
        vec![1e-9, -3e-9],
        vec![f64::MAX, f64::NAN, -1e300],
    ] {
        let mut odd = figure(12, 3);
        odd.waveform = waveform;
        odd.energy.fill(0.0);
        odd.best_frequencies_hz.fill(f64::NAN);
        odd.events = EventStream::default();
        let (_, svg) = both(&|path| cochleagram(&odd, path));
        nothing_is_placed_outside(&svg);
    }
    // A minute, with a spike of every channel at every instant that can be told apart, does not
    // become a file that nobody can open.
    let mut dense = figure(700, 3);
    dense.waveform = (0..480_000).map(|i| (f64::from(i) * 0.7).sin()).collect();
    let mut noise = 1u32;
    dense.energy = Array2::from_shape_simple_fn((700, 1240), || {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (noise >> 8) as f32
    });
    let spikes = (0..700u16).flat_map(|unit| (0..3000).map(move |i| (f64::from(i) * 0.02, unit)));
    let (times, units): (Vec<f64>, Vec<u16>) = spikes.unzip();
    dense.events = EventStream::new(times, units).expect("valid");
    let (png, svg) = both(&|path| cochleagram(&dense, path));
    assert!(png.len() < 4_000_000, "{} bytes", png.len());
    assert!(svg.len() < 20_000_000, "{} bytes", svg.len());
}

#[test]
fn figures_whose_parts_do_not_fit_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("plot.png");
    let mut wrong: Vec<(CochleagramFigure, &str)> = Vec::new();
    let mut of = |change: &dyn Fn(&mut CochleagramFigure), word| {
        let mut figure = figure(10, 9);
        change(&mut figure);
        wrong.push((figure, word));
    };
    of(&|f| f.waveform.clear(), "no samples");
    of(&|f| f.rate_hz = 0, "0 Hz");
    of(&|f| f.energy = Array2::zeros((10, 0)), "0 time bins");
    of(&|f| f.energy = Array2::zeros((0, 5)), "0 channels");
    of(&|f| f.best_frequencies_hz.truncate(4), "4 best frequencies");
    of(
        &|f| f.events = EventStream::new(vec![0.0], vec![10]).expect("valid"),
        "unit 10",
    );
    for (figure, word) in &wrong {
        let error = cochleagram(figure, &path).expect_err(word);
        assert!(matches!(error, PlotError::NothingToDraw(_)), "{error}");
        assert!(error.to_string().contains(word), "{error}");
    }
    assert!(matches!(
        check_format(Path::new("plot.pdf")),
        Err(PlotError::UnknownFormat(_))
    ));
    assert!(check_format(Path::new("nowhere/plot.SVG")).is_ok());
    assert_eq!(fs::read_dir(folder.path()).expect("there").count(), 0);
}

#[test]
fn time_bins_are_two_milliseconds_or_a_pixel() {
    let bins = CochleagramFigure::time_bins;
    assert_eq!((bins(0.02), bins(0.5), bins(0.0001)), (10, 250, 1));
    assert!(bins(60.0) <= 1600 && bins(60.0) > 1000);
    assert_eq!((bins(f64::NAN), bins(-1.0)), (1, 1));
    assert_eq!(bins(f64::INFINITY), bins(60.0));
}

#[test]
fn a_recording_is_drawn_alike_with_any_number_of_threads() {
    let bench = Bench::new();
    with_digit(&bench);
    let draw = |out: &str, more: &str| {
        let command = format!("plot cochleagram digit.flac --channels 70 {more} --out {out}");
        assert_eq!(good(&bench, &command), "");
        fs::read(bench.path(out)).expect("drawn")
    };
    for kind in ["png", "svg"] {
        let one = draw(&format!("one.{kind}"), "--threads 1");
        assert!(one.len() > 20_000);
        assert_eq!(one, draw(&format!("four.{kind}"), "--threads 4"));
        assert_ne!(one, draw(&format!("seed.{kind}"), "--seed 1"));
        assert_ne!(one, draw(&format!("preset.{kind}"), "--preset lauscher"));
    }
    let svg = fs::read_to_string(bench.path("one.svg")).expect("an SVG");
    let title = texts(&svg)
        .into_iter()
        .find(|text| text.starts_with("digit.flac: "));
    let title = title.expect("the file's name and the number of spikes");
    let spikes: String = title.chars().filter(char::is_ascii_digit).collect();
    let spikes: usize = spikes.parse().expect("a number");
    assert!((300..3000).contains(&spikes), "{title}");
    says(&svg, &["channel", "1k", "0.7"]);
    nothing_is_placed_outside(&svg);
}

#[test]
fn short_and_narrow_recordings_are_drawn() {
    let bench = Bench::new();
    write_wav(&bench.path("short.wav"), 48_000, tone(1000.0, 48_000, 960));
    write_wav(&bench.path("mono8k.wav"), 8000, tone(440.0, 8000, 1600));
    for (file, more, label) in [
        ("short.wav", "", "0.020"),
        ("mono8k.wav", "--channels 1", "0.20"),
        ("mono8k.wav", "--channels 8", "0.20"),
    ] {
        let command = format!("plot cochleagram {file} {more} --out plot.svg --force");
        good(&bench, &command);
        let svg = fs::read_to_string(bench.path("plot.svg")).expect("an SVG");
        says(&svg, &[label]);
        nothing_is_placed_outside(&svg);
    }
    bad(
        &bench,
        "plot cochleagram short.wav --out plot.svg",
        &["plot.svg", "--force"],
    );
}

#[test]
fn what_brings_a_recording_to_the_level_is_noted() {
    let bench = Bench::new();
    let soft = || tone(440.0, 8000, 1600).map(|x| x / 2.0);
    write_wav(&bench.path("offset.wav"), 8000, soft().map(|x| x + 0.5));
    write_wav(&bench.path("plain.wav"), 8000, soft());
    for (file, noted) in [("offset.wav", true), ("plain.wav", false)] {
        let command = format!("plot cochleagram {file} --channels 8 --out plot.svg --force");
        let output = run(&bench, &command);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(stderr.contains("by an offset"), noted, "{stderr}");
    }
}

#[test]
fn what_is_no_recording_is_refused() {
    let bench = Bench::new();
    write_wav(&bench.path("tone.wav"), 8000, tone(440.0, 8000, 1600));
    write_wav(&bench.path("silent.wav"), 8000, tone(0.0, 8000, 1600));
    write_wav(&bench.path("brief.wav"), 48_000, tone(440.0, 48_000, 40));
    write_wav(&bench.path("empty.wav"), 48_000, tone(440.0, 48_000, 0));
    let whole = fs::read(bench.path("tone.wav")).expect("there");
    fs::write(bench.path("cut.wav"), &whole[..2000]).expect("written");
    for (file, word) in [
        ("nowhere.wav", "cannot read"),
        ("train.h5", "not a WAV or FLAC"),
        ("silent.wav", "silent"),
        ("brief.wav", "0.001"),
        ("empty.wav", "no sample"),
        ("cut.wav", "cut off"),
    ] {
        let command = format!("plot cochleagram {file} --out plot.png");
        bad(&bench, &command, &[file, word]);
    }
    for channels in [0, 4097, 70_000] {
        let command = format!("plot cochleagram tone.wav --channels {channels} --out plot.png");
        let found = channels.to_string();
        bad(&bench, &command, &["--channels", "1 to 4096", &found]);
    }
    // The name is looked at before the recording.
    bad(
        &bench,
        "plot cochleagram nowhere.wav --out plot.pdf",
        &["plot.pdf", ".svg"],
    );
    bad(
        &bench,
        "plot cochleagram tone.wav --out nowhere/plot.png",
        &["cannot write", "nowhere"],
    );
}
