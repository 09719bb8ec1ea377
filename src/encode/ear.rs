//! The whole ear, from a recording to the spikes that leave it.

use multiversion::multiversion;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::basilar_membrane::Drive;
use super::bushy_cell::{Cells, fibres, in_order, spikes_of};
use super::hair_cell::Pools;
use super::{
    BasilarMembrane, BushyCell, EAR_RATE_HZ, EarSettings, EncodeError, HairCell, LANES, Sound,
    SoundError, apply_ramps, normalise_rms, resample,
};
use crate::random::MasterSeed;
use crate::spikes::EventStream;

/// The shortest sound that is taken for one, in seconds.
const SHORTEST_S: f64 = 0.001;
/// Steps that are turned from channel by channel to step by step at a time.
const TILE: usize = 64;

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
    /// [`SoundError::TooShort`] and [`SoundError::Silent`].
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
        let print = sound.fingerprint();
        let drive = self.membrane.drive(&self.prepare(sound)?);
        let channels: Vec<usize> = (0..self.membrane.channels()).collect();
        let heard = channels.par_chunks(LANES).map(|block| {
            let random = block.iter().map(|&channel| fibres(seed, print, channel));
            self.hear(&drive, block[0], random.collect())
        });
        Ok(in_order(heard.flatten().collect()))
    }

    /// The spikes of up to [`LANES`] neighbouring channels.
    fn hear(&self, drive: &Drive, first: usize, random: Vec<ChaCha8Rng>) -> Vec<(u32, u16)> {
        let (lanes, steps) = (random.len(), drive.steps());
        let mut motion = vec![0.0; lanes * steps];
        for (lane, row) in motion.chunks_exact_mut(steps).enumerate() {
            self.membrane.channel(drive, first + lane, row);
        }
        let mut nerve = Nerve {
            hair_cell: &self.hair_cell,
            pools: self.hair_cell.at_rest(),
            bushy_cell: &self.bushy_cell,
            cells: self.bushy_cell.at_rest(random),
        };
        let mut spikes = Vec::new();
        let mut tile = [[0.0; LANES]; TILE];
        for start in (0..steps).step_by(TILE) {
            let length = TILE.min(steps - start);
            for (lane, row) in motion.chunks_exact(steps).enumerate() {
                for (slot, &x) in tile.iter_mut().zip(&row[start..start + length]) {
                    slot[lane] = x;
                }
            }
            nerve_tile(&mut nerve, &tile[..length], start, &mut |step, fired| {
                spikes.extend(spikes_of(step, first, fired));
            });
        }
        // Lanes beyond the last channel hear silence, and draw nothing.
        assert!(
            spikes
                .iter()
                .all(|&(_, unit)| usize::from(unit) < first + lanes)
        );
        spikes
    }
}

/// Hair cells and bushy cells of neighbouring channels.
struct Nerve<'a> {
    hair_cell: &'a HairCell,
    pools: Pools,
    bushy_cell: &'a BushyCell,
    cells: Cells,
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
