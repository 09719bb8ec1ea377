//! The constants of the ear, and the two sets of them that have a name.

use serde::{Deserialize, Serialize};

use super::{EncodeError, Ramp, STEPS_PER_S};

/// Everything that decides how sounds become spikes, but for the seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarSettings {
    /// Places along the basilar membrane, from the base (high frequencies) to the apex: the units of
    /// the spikes.
    pub channels: usize,
    /// Root mean square that every sound is brought to; full scale is 1.
    pub level_rms: f64,
    /// How the ends are faded.
    pub ramp: Ramp,
    /// Silence that is put behind the sound for the membrane, and cut off again, in seconds. The
    /// membrane's transform takes the sound for one turn of a circle, so that its answer to the
    /// beginning comes at the end; with silence it comes in there. LAUSCHER puts none.
    pub padding_s: f64,
    /// The membrane that takes sounds apart into frequencies.
    pub basilar_membrane: BasilarMembraneConstants,
    /// The cells that turn its motion into release of transmitter.
    pub hair_cell: HairCellConstants,
    /// The cells that turn release of transmitter into spikes.
    pub bushy_cell: BushyCellConstants,
}

/// Constants of the basilar membrane, in the units of Sieroka et al. 2006 (centimetres, grams,
/// seconds).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BasilarMembraneConstants {
    /// Length of the membrane, cm.
    pub length_cm: f64,
    /// C₀: stiffness at the base, g / (s² cm²).
    pub stiffness: f64,
    /// a: what is subtracted from the stiffness everywhere, g / (s² cm²).
    pub stiffness_offset: f64,
    /// α: decay of the stiffness along the membrane, 1 / cm.
    pub stiffness_decay: f64,
    /// δ: damping.
    pub damping: f64,
    /// m: mass by area, g / cm².
    pub mass: f64,
    /// ρ: density of the fluid, g / cm³.
    pub fluid_density: f64,
    /// h: height of the scala, cm.
    pub scala_height_cm: f64,
}

/// Constants of the hair cells, named as in Meddis 1986 and 1988.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HairCellConstants {
    /// y: replenishment of the free pool, 1/s.
    pub replenishment: f64,
    /// g: greatest permeability, 1/s.
    pub release: f64,
    /// l: loss from the cleft, 1/s.
    pub loss: f64,
    /// r: reuptake from the cleft, 1/s.
    pub reuptake: f64,
    /// x: reprocessing back into the free pool, 1/s.
    pub reprocessing: f64,
    /// A: permeability constant, in units of the membrane's motion.
    pub permeability_offset: f64,
    /// B: permeability constant, in units of the membrane's motion.
    pub permeability_half: f64,
    /// h: from transmitter in the cleft to spikes, 1/s.
    pub firing: f64,
    /// m: size of the free pool.
    pub pool: f64,
}

/// Constants of the bushy cells and the fibres that converge on them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BushyCellConstants {
    /// Auditory nerve fibres that converge on a cell.
    pub fibres: u8,
    /// Refractory period of the fibres and of the cell, seconds.
    pub refractory_s: f64,
    /// Time constant of the membrane potential, seconds.
    pub tau_mem_s: f64,
    /// Time constant of the synaptic current, seconds.
    pub tau_syn_s: f64,
    /// Sum of the weights of all fibres, 1/s; the threshold is 1.
    pub weight: f64,
}

/// A set of constants with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EarPreset {
    /// The constants of the SHD paper (Cramer et al. 2020): the hair cells of Meddis 1986, ramps of
    /// 30 ms.
    #[default]
    Shd,
    /// The constants that the program LAUSCHER comes with: the hair cells of Meddis 1988 with high
    /// spontaneous rate, one window over the whole sound.
    Lauscher,
}

impl EarPreset {
    /// The settings, with so many channels.
    pub fn settings(self, channels: usize) -> EarSettings {
        let (ramp, hair_cell) = match self {
            EarPreset::Shd => (
                Ramp::Seconds(0.03),
                HairCellConstants {
                    replenishment: 11.11,
                    release: 1000.0,
                    loss: 1250.0,
                    reuptake: 16667.0,
                    reprocessing: 250.0,
                    ..HairCellConstants::shared()
                },
            ),
            EarPreset::Lauscher => (
                Ramp::HalfTheSound,
                HairCellConstants {
                    replenishment: 5.05,
                    release: 2000.0,
                    loss: 2500.0,
                    reuptake: 6580.0,
                    reprocessing: 66.3,
                    ..HairCellConstants::shared()
                },
            ),
        };
        EarSettings {
            channels,
            level_rms: 0.3,
            ramp,
            padding_s: 0.0,
            basilar_membrane: BasilarMembraneConstants {
                length_cm: 3.5,
                stiffness: 1e9,
                stiffness_offset: 3500.0,
                stiffness_decay: 3.0,
                damping: 0.15,
                mass: 0.05,
                fluid_density: 1.0,
                scala_height_cm: 0.1,
            },
            hair_cell,
            bushy_cell: BushyCellConstants {
                fibres: 40,
                refractory_s: 1e-3,
                tau_mem_s: 1e-3,
                tau_syn_s: 5e-4,
                weight: 13e3,
            },
        }
    }
}

impl HairCellConstants {
    /// What both presets have in common; the rest is overwritten.
    fn shared() -> Self {
        HairCellConstants {
            replenishment: 0.0,
            release: 0.0,
            loss: 0.0,
            reuptake: 0.0,
            reprocessing: 0.0,
            permeability_offset: 5.0,
            permeability_half: 300.0,
            firing: 50_000.0,
            pool: 1.0,
        }
    }
}

impl EarSettings {
    /// Checks every constant.
    ///
    /// # Errors
    /// [`EncodeError::BadSetting`], with the first that is out of its range.
    pub(super) fn check(&self) -> Result<(), EncodeError> {
        let bad = |name, value, expected| EncodeError::BadSetting {
            name,
            value,
            expected,
        };
        let units = usize::from(u16::MAX) + 1;
        if !(1..=units).contains(&self.channels) {
            let found = self.channels as f64;
            return Err(bad("the number of channels", found, "from 1 to 65536"));
        }
        let (membrane, hair, bushy) = (&self.basilar_membrane, &self.hair_cell, &self.bushy_cell);
        let ramp_s = match self.ramp {
            Ramp::Seconds(seconds) => seconds,
            Ramp::HalfTheSound => 0.0,
        };
        if !(0.0..=1.0).contains(&ramp_s) {
            return Err(bad("the ramp", ramp_s, "from 0 to 1 s"));
        }
        if !(0.0..=1.0).contains(&self.padding_s) {
            return Err(bad("the padding", self.padding_s, "from 0 to 1 s"));
        }
        if !(bushy.refractory_s > 0.0 && bushy.refractory_s <= LONGEST_REFRACTORY_S) {
            let found = bushy.refractory_s;
            return Err(bad("the refractory period", found, "above 0, up to 10 ms"));
        }
        if bushy.fibres == 0 {
            return Err(bad("the number of fibres", 0.0, "from 1 to 255"));
        }
        let positive = [
            ("the level", self.level_rms),
            ("the membrane's length", membrane.length_cm),
            ("the membrane's stiffness", membrane.stiffness),
            ("the stiffness's decay", membrane.stiffness_decay),
            ("the membrane's damping", membrane.damping),
            ("the membrane's mass", membrane.mass),
            ("the fluid's density", membrane.fluid_density),
            ("the scala's height", membrane.scala_height_cm),
            ("the hair cell's replenishment", hair.replenishment),
            ("the hair cell's release", hair.release),
            ("the hair cell's loss", hair.loss),
            ("the hair cell's reuptake", hair.reuptake),
            ("the hair cell's reprocessing", hair.reprocessing),
            ("the permeability constant A", hair.permeability_offset),
            ("the permeability constant B", hair.permeability_half),
            ("the hair cell's firing", hair.firing),
            ("the hair cell's pool", hair.pool),
            ("the bushy cell's membrane time constant", bushy.tau_mem_s),
            ("the bushy cell's synaptic time constant", bushy.tau_syn_s),
            ("the bushy cell's weight", bushy.weight),
        ];
        for (name, value) in positive {
            if !(value > 0.0 && value < 1e12) {
                return Err(bad(name, value, "above 0 and finite"));
            }
        }
        for (name, rate) in [
            (
                "the hair cell's loss and reuptake",
                hair.loss + hair.reuptake,
            ),
            ("the hair cell's release", hair.release),
            ("the hair cell's reprocessing", hair.reprocessing),
            ("the hair cell's replenishment", hair.replenishment),
        ] {
            if rate >= STEPS_PER_S {
                return Err(bad(
                    name,
                    rate,
                    "less than 24000 a second, the rate of its steps",
                ));
            }
        }
        let apex = membrane.stiffness * (-membrane.stiffness_decay * membrane.length_cm).exp();
        if !(0.0..apex).contains(&membrane.stiffness_offset) {
            let found = membrane.stiffness_offset;
            let expected = "from 0 to less than the stiffness at the apex";
            return Err(bad("the stiffness's offset", found, expected));
        }
        Ok(())
    }
}

/// The longest refractory period, in seconds: it is counted in steps that fit a byte.
const LONGEST_REFRACTORY_S: f64 = 0.01;
