//! The whole ear, from a recording to the spikes that leave it.

use std::ops::Range;

use multiversion::multiversion;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::basilar_membrane::{Drive, WRAPPED_STEPS};
use super::bushy_cell::{Cells, fibres, in_order, spikes_of};
use super::hair_cell::Pools;
use super::{
    BasilarMembrane, BushyCell, EAR_RATE_HZ, EarSettings, EncodeError, HairCell, LANES, Sound,
    SoundError, apply_ramps, normalise_rms, resample,
};
use crate::ids::SoundPrint;
use crate::random::MasterSeed;
use crate::spikes::EventStream;

/// The shortest sound that is taken for one, in seconds.
const SHORTEST_S: f64 = 0.001;
/// Motion that no hair cell notices.
const UNNOTICED: f32 = 0.01;
/// Steps that are turned from channel by channel to step by step at a time.
const TILE: usize = 64;

/// A recording's spikes.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// The spikes.
    pub events: EventStream,
    /// The fingerprint of the sound that they come from.
    pub sound: SoundPrint,
    /// Channels that spike in the last 50 ms only because the membrane's answer to the beginning wraps
    /// around to the end; see [`EarSettings::padding_s`].
    pub wrapped_channels: u32,
}

/// An inner ear: prepared once, it encodes any number of sounds.
///
/// ```
/// use respike::encode::{EarPreset, InnerEar, Sound};
/// use respike::random::MasterSeed;
///
/// let tone = (0..8000).map(|i| (f64::from(i) * 0.3).sin()).collect();
/// let ear = InnerEar::new(EarPreset::Shd.settings(20))?;
/// let spikes = ear.encode(&Sound::new(tone, 16_000)?, MasterSeed(1))?;
/// assert!(spikes.len() > 10);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct InnerEar {
    settings: EarSettings,
    membrane: BasilarMembrane,
    hair_cell: HairCell,
    bushy_cell: BushyCell,
}

impl InnerEar {
    /// Checks the settings and tabulates the membrane.
    ///
    /// # Errors
    /// [`EncodeError::BadSetting`].
    pub fn new(settings: EarSettings) -> Result<Self, EncodeError> {
        settings.check()?;
        Ok(InnerEar {
            membrane: BasilarMembrane::of_checked(&settings.basilar_membrane, settings.channels),
            hair_cell: HairCell::of_checked(&settings.hair_cell),
            bushy_cell: BushyCell::of_checked(&settings.bushy_cell),
            settings,
        })
    }

    /// What the ear was made with.
    pub fn settings(&self) -> &EarSettings {
        &self.settings
    }

    /// Its basilar membrane.
    pub fn membrane(&self) -> &BasilarMembrane {
        &self.membrane
    }

    /// Its hair cells.
    pub fn hair_cell(&self) -> &HairCell {
        &self.hair_cell
    }

    /// Its bushy cells.
    pub fn bushy_cell(&self) -> &BushyCell {
        &self.bushy_cell
    }

    /// The sound as it reaches the membrane: at 48 kHz, brought to the level, its ends faded.
    ///
    /// # Errors
    /// [`SoundError::TooShort`], [`SoundError::Silent`] and [`SoundError::TooLoud`].
    pub fn prepare(&self, sound: &Sound) -> Result<Sound, SoundError> {
        if sound.duration_s() < SHORTEST_S {
            return Err(SoundError::TooShort {
                found_s: sound.duration_s(),
                least_s: SHORTEST_S,
            });
        }
        let mut sound = resample(sound, EAR_RATE_HZ)?;
        normalise_rms(&mut sound, self.settings.level_rms)?;
        apply_ramps(&mut sound, self.settings.ramp);
        Ok(sound)
    }

    /// The spikes of a sound, in the order of their times; units are the membrane's channels.
    ///
    /// The fibres' chance comes from `seed`, the sound's [fingerprint](Sound::fingerprint) and the
    /// channel, and from nothing else: not from the file's name, the threads, or what was encoded
    /// before.
    ///
    /// # Errors
    /// As [`prepare`](Self::prepare).
    pub fn encode(&self, sound: &Sound, seed: MasterSeed) -> Result<EventStream, SoundError> {
        Ok(self.spikes(sound, seed, false)?.events)
    }

    /// The same spikes, and what is to be said of them.
    ///
    /// # Errors
    /// As [`prepare`](Self::prepare).
    pub fn hear(&self, sound: &Sound, seed: MasterSeed) -> Result<Heard, SoundError> {
        self.spikes(sound, seed, true)
    }

    fn spikes(&self, sound: &Sound, seed: MasterSeed, tell: bool) -> Result<Heard, SoundError> {
        let print = sound.fingerprint();
        let prepared = self.prepare(sound)?;
        let steps = prepared.samples().len() / 2 + 1;
        let prepared = prepared.followed_by_silence(self.settings.padding_s);
        let drive = self.membrane.drive(&prepared);
        // The last steps are told of, as far as they are not cut off.
        let cut = drive.steps() - steps;
        let told = match tell {
            true => WRAPPED_STEPS.saturating_sub(cut).min(steps),
            false => 0,
        };
        let channels: Vec<usize> = (0..self.membrane.channels()).collect();
        let blocks = channels.par_chunks(LANES).map(|block| {
            let random = block.iter().map(|&channel| fibres(seed, print, channel));
            self.block(&drive, block[0], random.collect(), steps, told)
        });
        let (mut spikes, mut wrapped_channels) = (Vec::new(), 0);
        for (some, wrapped) in blocks.collect::<Vec<_>>() {
            spikes.extend(some);
            wrapped_channels += wrapped;
        }
        Ok(Heard {
            events: in_order(spikes),
            sound: print,
            wrapped_channels,
        })
    }

    /// The spikes of up to [`LANES`] neighbouring channels in so many steps, and how many of them spike
    /// in the last `told` steps only because of what wrapped around.
    fn block(
        &self,
        drive: &Drive,
        first: usize,
        random: Vec<ChaCha8Rng>,
        steps: usize,
        told: usize,
    ) -> (Vec<(u32, u16)>, u32) {
        let (lanes, all) = (random.len(), drive.steps());
        let mut motion = vec![0.0; lanes * all];
        let turned = told + all - steps;
        let mut wrapped = vec![0.0; lanes * if told > 0 { turned } else { 0 }];
        let width = wrapped.len() / lanes;
        for (lane, row) in motion.chunks_exact_mut(all).enumerate() {
            let wrapped = &mut wrapped[lane * width..(lane + 1) * width];
            self.membrane.channel(drive, first + lane, row, wrapped);
        }
        let mut nerve = Nerve {
            hair_cell: &self.hair_cell,
            pools: self.hair_cell.at_rest(),
            bushy_cell: &self.bushy_cell,
            cells: self.bushy_cell.at_rest(random),
        };
        let mut spikes = Vec::new();
        nerve.run(&motion, all, 0..steps - told, first, &mut spikes);
        let before_end = spikes.len();
        if wrapped.iter().all(|x| x.abs() < UNNOTICED) {
            nerve.run(&motion, all, steps - told..steps, first, &mut spikes);
            return (spikes, 0);
        }
        let mut undisturbed = nerve.clone();
        nerve.run(&motion, all, steps - told..steps, first, &mut spikes);
        for (row, wrapped) in motion
            .chunks_exact_mut(all)
            .zip(wrapped.chunks_exact(width))
        {
            for (x, turned) in row[steps - told..steps].iter_mut().zip(wrapped) {
                *x -= turned;
            }
        }
        let mut without = Vec::new();
        undisturbed.run(&motion, all, steps - told..steps, first, &mut without);
        let only = (0..lanes).filter(|lane| {
            let here = |&(_, unit): &(u32, u16)| usize::from(unit) == first + lane;
            spikes[before_end..].iter().any(here) && !without.iter().any(here)
        });
        let only = only.count() as u32;
        (spikes, only)
    }
}

/// Hair cells and bushy cells of neighbouring channels.
#[derive(Clone)]
struct Nerve<'a> {
    hair_cell: &'a HairCell,
    pools: Pools,
    bushy_cell: &'a BushyCell,
    cells: Cells,
}

impl Nerve<'_> {
    /// Goes on over some steps of `motion`, which has a row of `row_steps` for each channel from `first`
    /// on, and adds the spikes.
    fn run(
        &mut self,
        motion: &[f32],
        row_steps: usize,
        steps: Range<usize>,
        first: usize,
        spikes: &mut Vec<(u32, u16)>,
    ) {
        let mut tile = [[0.0; LANES]; TILE];
        for start in steps.clone().step_by(TILE) {
            let length = TILE.min(steps.end - start);
            for (lane, row) in motion.chunks_exact(row_steps).enumerate() {
                for (slot, &x) in tile.iter_mut().zip(&row[start..start + length]) {
                    slot[lane] = x;
                }
            }
            // Lanes beyond the last channel hear silence, and draw nothing.
            nerve_tile(self, &tile[..length], start, &mut |step, fired| {
                spikes.extend(spikes_of(step, first, fired));
            });
        }
    }
}

/// Calls `spike` with the step and the lanes that spike in it, for each row of `tile`.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512bw+avx512dq", "x86_64+avx2"))]
fn nerve_tile(
    nerve: &mut Nerve<'_>,
    tile: &[[f32; LANES]],
    start: usize,
    spike: &mut dyn FnMut(usize, u32),
) {
    for (i, motion) in tile.iter().enumerate() {
        let probability = nerve.hair_cell.step(&mut nerve.pools, motion);
        let lanes = nerve
            .bushy_cell
            .step(&mut nerve.cells, start + i, &probability);
        if lanes != 0 {
            spike(start + i, lanes);
        }
    }
}
