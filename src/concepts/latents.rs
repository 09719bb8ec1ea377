use rayon::prelude::*;

use super::ConceptError;
use crate::ceiling;
use crate::dataset::Dataset;
use crate::generator::BitSamples;
use crate::ids::{ClassId, SampleIndex};
use crate::network::{Latent, Network, ReplayLayer, StageInput};
use crate::replay::{CodecSettings, SampleStore, decode_spikes, encode_spikes};
use crate::spikes::SpikeRaster;
use crate::train::{Examples, SAMPLES_PER_BLOCK, StoredExamples};

/// The latents of one concept's real samples.
pub(super) struct RealLatents {
    pub concept: ClassId,
    pub indices: Vec<SampleIndex>,
    pub spikes: Vec<SpikeRaster>,
    /// The same, packed.
    pub packed: BitSamples,
}

impl RealLatents {
    /// What the frozen layers make of all samples of a concept.
    pub fn new(
        concept: ClassId,
        (network, lr_index): (&Network, ReplayLayer),
        codec: &CodecSettings,
        dataset: &Dataset,
    ) -> Result<Self, ConceptError> {
        let of_it = dataset.iter().filter(|(_, sample)| sample.class == concept);
        let indices: Vec<SampleIndex> = of_it.map(|(index, _)| index).collect();
        let frozen = network.prepare_frozen(lr_index)?;
        let blocks = indices.par_chunks(SAMPLES_PER_BLOCK).map(|block| {
            let counts = block.iter().map(|&index| &dataset.sample(index).counts);
            let inputs: Vec<_> = counts.map(StageInput::counts).collect();
            frozen.latents(&inputs)
        });
        let blocks = blocks.collect::<Result<Vec<_>, _>>()?;
        let spikes = blocks.into_iter().flatten().map(|latent| match latent {
            Latent::Spikes(spikes) => spikes,
            Latent::Currents(_) => unreachable!("an LR index of 1 or more keeps spikes"),
        });
        let spikes: Vec<SpikeRaster> = spikes.collect();
        let mut packed = BitSamples::new(packed_bits(network, lr_index, codec))?;
        for raster in &spikes {
            packed.push(&encode_spikes(codec, raster))?;
        }
        Ok(RealLatents {
            concept,
            indices,
            spikes,
            packed,
        })
    }

    /// All of them as the judge reads them.
    pub fn as_they_are(&self) -> StoredExamples<'_> {
        let samples = self.spikes.iter();
        let samples = samples.map(|spikes| (StageInput::spikes(spikes), self.concept));
        StoredExamples {
            samples: samples.collect(),
        }
    }

    /// The same through the codec.
    pub fn decoded(&self, codec: &CodecSettings) -> Result<StoredExamples<'static>, ConceptError> {
        let samples =
            (0..self.spikes.len()).map(|place| Ok((self.one_decoded(place, codec)?, self.concept)));
        let samples = samples.map(|sample: Result<_, ConceptError>| {
            let (spikes, concept) = sample?;
            Ok((Latent::Spikes(spikes).into(), concept))
        });
        Ok(StoredExamples {
            samples: samples.collect::<Result<_, ConceptError>>()?,
        })
    }

    /// One of them through the codec.
    pub fn one_decoded(
        &self,
        place: usize,
        codec: &CodecSettings,
    ) -> Result<SpikeRaster, ConceptError> {
        let (steps, units) = (self.spikes[place].steps(), self.spikes[place].units());
        Ok(decode_spikes(
            codec,
            steps,
            units,
            &self.packed.sample(place),
        )?)
    }
}

/// Bits of a packed latent.
pub(super) fn packed_bits(
    network: &Network,
    lr_index: ReplayLayer,
    codec: &CodecSettings,
) -> usize {
    let spec = network.spec();
    let units = crate::network::Stage::Learning(lr_index).input_units(spec);
    codec.bits(spec.steps(), units) as usize
}

/// Refuses latents of so many samples that the machine can't hold them.
pub(super) fn check_memory(
    network: &Network,
    lr_index: ReplayLayer,
    samples: usize,
) -> Result<(), ConceptError> {
    let spec = network.spec();
    let units = crate::network::Stage::Learning(lr_index).input_units(spec);
    // A word holds 64 spikes of a step; packed, they take no more.
    let words = [
        samples,
        spec.steps(),
        units.div_ceil(64),
        size_of::<u64>(),
        2,
    ];
    let what = format!("the latents of {samples} samples");
    Ok(ceiling::check(&what, ceiling::product(&words))?)
}

/// Real latents by their places in the data, for sources that replay these themselves.
pub(super) struct Store<'a>(pub &'a [RealLatents]);

impl SampleStore for Store<'_> {
    fn examples(&self, samples: Vec<SampleIndex>) -> Box<dyn Examples + '_> {
        let found = samples.into_iter().filter_map(|wanted| {
            self.0.iter().find_map(|latents| {
                let place = latents.indices.iter().position(|index| *index == wanted)?;
                Some((StageInput::spikes(&latents.spikes[place]), latents.concept))
            })
        });
        Box::new(StoredExamples {
            samples: found.collect(),
        })
    }
}
