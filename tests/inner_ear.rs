//! The inner ear against LAUSCHER's own stages and spikes, and sounds that recorders really make.
#![cfg(feature = "encode")]

#[path = "common/golden.rs"]
mod golden_file;

use std::path::Path;

use golden_file::Golden;
use ndarray::{Array1, Array2, Axis};
use respike::encode::{
    BasilarMembrane, BushyCell, EarPreset, HairCell, InnerEar, Sound, read_audio,
};
use respike::random::MasterSeed;

fn spoken_digit() -> Sound {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/spoken_digit.flac");
    read_audio(&path).expect("it ships with the tests").sound
}

fn shd_ear() -> InnerEar {
    InnerEar::new(EarPreset::Shd.settings(700)).expect("a preset")
}

#[track_caller]
fn agree(name: &str, ours: &[f32], expected: &[f32]) {
    assert_eq!(ours.len(), expected.len(), "{name}");
    let largest = expected.iter().fold(0.0f32, |most, x| most.max(x.abs()));
    let errors = ours.iter().zip(expected).map(|(a, b)| (a - b).abs());
    let (at, error) = errors
        .enumerate()
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .expect("not empty");
    assert!(
        error <= 1e-4 * largest,
        "{name}: off by {error} of {largest} at {at}"
    );
}

#[test]
fn every_stage_is_as_lauscher_computes_it() {
    let golden = Golden::read("inner_ear.safetensors");
    let ear = shd_ear();
    let prepared = ear.prepare(&spoken_digit()).expect("a sound");
    let windowed: Array1<f32> = golden.get("windowed");
    let ours: Vec<f32> = prepared.samples().iter().map(|&x| x as f32).collect();
    agree("windowed", &ours, windowed.as_slice().expect("contiguous"));

    let units: Array1<f32> = golden.get("units");
    let rows: Vec<usize> = units.iter().map(|&unit| unit as usize).collect();
    let motion = ear.membrane().motion(&prepared).select(Axis(0), &rows);
    let release = ear.hair_cell().firing_probability(&motion);
    let (basilar, hair_cell): (Array2<f32>, Array2<f32>) =
        (golden.get("basilar"), golden.get("hair_cell"));
    for (i, unit) in rows.iter().enumerate() {
        let slice = |array: &Array2<f32>| array.row(i).to_vec();
        agree(
            &format!("basilar {unit}"),
            &slice(&motion),
            &slice(&basilar),
        );
        agree(
            &format!("hair cell {unit}"),
            &slice(&release),
            &slice(&hair_cell),
        );
    }
}

#[test]
fn the_stages_one_by_one_are_the_ear() {
    let settings = EarPreset::Shd.settings(37);
    let ear = InnerEar::new(settings.clone()).expect("a preset");
    let sound = spoken_digit();
    let whole = ear.encode(&sound, MasterSeed(5)).expect("a sound");
    let membrane = BasilarMembrane::new(&settings.basilar_membrane, 37).expect("a preset");
    let motion = membrane.motion(&ear.prepare(&sound).expect("a sound"));
    let hair_cell = HairCell::new(&settings.hair_cell).expect("a preset");
    let probability = hair_cell.firing_probability(&motion);
    let bushy_cell = BushyCell::new(&settings.bushy_cell).expect("a preset");
    let spikes = bushy_cell.fire(&probability, MasterSeed(5), sound.fingerprint());
    assert!(spikes.len() > 100);
    assert_eq!(spikes, whole);

    let mut wrong = settings.hair_cell;
    wrong.reuptake = 30_000.0;
    let message = HairCell::new(&wrong).expect_err("unstable").to_string();
    assert!(message.contains("loss and reuptake"), "{message}");
}

/// Three runs of LAUSCHER against 24 of ours, channel by channel: with the variance of a run taken
/// from ours, the difference of the means over its standard error is about normal for each of the 35
/// channels, so the squares add up to a chi-square of 35 degrees of freedom, which exceeds 66.6 once
/// in a thousand times; and the total differs by more than 3.3 standard errors as seldom.
#[test]
fn spike_counts_agree_with_lauscher_within_sampling_error() {
    const RUNS: usize = 24;
    let golden = Golden::read("inner_ear.safetensors");
    let (units, theirs): (Array1<f32>, Array2<f32>) =
        (golden.get("count_units"), golden.get("counts"));
    let (ear, sound) = (shd_ear(), spoken_digit());
    let mut ours = Array2::<f32>::zeros((RUNS, units.len()));
    for (run, mut row) in ours.outer_iter_mut().enumerate() {
        let seed = MasterSeed(run as u64);
        let events = ear.encode(&sound, seed).expect("a sound");
        for (count, &unit) in row.iter_mut().zip(&units) {
            *count = events
                .units()
                .iter()
                .filter(|&&u| f32::from(u) == unit)
                .count() as f32;
        }
    }
    let share = 1.0 / theirs.nrows() as f32 + 1.0 / RUNS as f32;
    let z = |ours: ndarray::ArrayView1<'_, f32>, theirs: ndarray::ArrayView1<'_, f32>| {
        // A channel that never fired has no variance to measure.
        let variance = ours.var(1.0).max(1.0 / RUNS as f32);
        let difference = ours.mean().expect("runs") - theirs.mean().expect("runs");
        difference / (variance * share).sqrt()
    };
    let scores = ours.columns().into_iter().zip(theirs.columns());
    let scores: Vec<f32> = scores.map(|(ours, theirs)| z(ours, theirs)).collect();
    let chi_square: f32 = scores.iter().map(|z| z * z).sum();
    assert!(chi_square < 66.6, "{chi_square} of {scores:?}");
    let total = z(
        ours.sum_axis(Axis(1)).view(),
        theirs.sum_axis(Axis(1)).view(),
    );
    assert!(total.abs() < 3.3, "{total}");
}
