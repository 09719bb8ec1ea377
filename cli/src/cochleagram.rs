use std::path::PathBuf;

use clap::Args;

use super::arguments::{Machine, Seed};
use super::encode::PresetName;
use super::encode_inputs::{BY_CLICK, BY_OFFSET, BY_REST};
use super::failure::Failure;
use super::output::{grouped, note};
use super::plot::Target;
use respike::encode::{EarSettings, EncodeError, InnerEar, LevelShares, read_audio};
use respike::report::plot::{CochleagramFigure, check_format, cochleagram};

/// More rows than these cannot be told apart in a figure.
const MOST_CHANNELS: usize = 4096;

#[derive(Args)]
pub(super) struct CochleagramArguments {
    /// The recording: a WAV or FLAC file; several channels are averaged.
    #[arg(value_name = "AUDIO")]
    audio: PathBuf,
    /// Places along the basilar membrane, 1 to 4096.
    #[arg(long, value_name = "N", default_value_t = 700)]
    channels: usize,
    /// The constants of the ear.
    #[arg(long, value_enum, default_value_t = PresetName::Shd)]
    preset: PresetName,
    /// Silence that is put behind the recording for the membrane, as `data encode` does it.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pad_ms: u16,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    seed: Seed,
    #[command(flatten)]
    machine: Machine,
}

pub(super) fn plot_cochleagram(arguments: &CochleagramArguments) -> Result<(), Failure> {
    let channels = arguments.channels;
    if !(1..=MOST_CHANNELS).contains(&channels) {
        return Err(Failure::bad(format!(
            "--channels must be 1 to {MOST_CHANNELS}, not {channels}"
        )));
    }
    arguments.target.refuse_existing()?;
    check_format(&arguments.target.out)?;
    arguments.machine.prepare()?;
    let path = &arguments.audio;
    let recording = read_audio(path)?;
    if recording.channels > 1 {
        note(&format!(
            "the mean of its {} channels is heard",
            recording.channels
        ));
    }
    let level = LevelShares::of(&recording);
    for (is_so, what) in [
        (level.is_offset(), BY_OFFSET),
        (level.is_click(), BY_CLICK),
        (level.is_rest_of_channels(), BY_REST),
    ] {
        if is_so {
            note(&format!("the recording is {what}"));
        }
    }
    let sound = recording.sound;
    let in_file = |source| EncodeError::InFile {
        path: path.clone(),
        source,
    };
    let ear = InnerEar::new(EarSettings {
        padding_s: f64::from(arguments.pad_ms) / 1e3,
        ..arguments.preset.preset().settings(channels)
    })?;
    let prepared = ear.prepare(&sound).map_err(in_file)?;
    let name = path.file_name().unwrap_or(path.as_os_str());
    let name = name.to_string_lossy();
    let seed = arguments.seed.master();
    let heard = ear.hear(&sound, seed).map_err(in_file)?;
    if heard.wrapped_channels > 0 {
        note(
            "spikes in its last 50 ms come from its beginning: the membrane's transform wraps around, as \
             LAUSCHER's does; --pad-ms 100 keeps them out",
        );
    }
    let events = heard.events;
    let bins = CochleagramFigure::time_bins(sound.duration_s());
    let spikes = match events.len() {
        1 => "1 spike".to_string(),
        spikes => format!("{} spikes", grouped(spikes as u64, ',')),
    };
    let figure = CochleagramFigure {
        title: format!("{name}: {spikes}"),
        rate_hz: sound.rate_hz(),
        energy: ear.membrane().energy(&prepared, bins),
        best_frequencies_hz: ear.membrane().best_frequencies_hz(),
        waveform: sound.samples().to_vec(),
        events,
    };
    Ok(cochleagram(&figure, &arguments.target.out)?)
}
