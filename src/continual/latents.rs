//! What the frozen stage makes of samples, made once and kept while the learning stage trains.
//!
//! In: a network split at an LR index, and samples. Out: [`Examples`] for the learning stage (or for
//! the whole network, where nothing is frozen).

use rayon::prelude::*;

use super::ContinualError;
use crate::ceiling;
use crate::dataset::Dataset;
use crate::ids::{ClassId, SampleIndex};
use crate::network::{
    Latent, Network, NetworkError, NetworkSpec, PreparedStage, ReplayLayer, Stage, StageInput,
};
use crate::replay::{CodecSettings, ReplayError, SampleStore, through_codec};
use crate::train::{Examples, SAMPLES_PER_BLOCK, TrainError};

/// The latents of samples that will be needed again and again, each made once.
pub(super) struct Latents {
    pub stage: Stage,
    /// Through what latents are seen, if not as they are.
    view: Option<CodecSettings>,
    by_sample: Vec<Option<Latent>>,
}

impl Latents {
    pub fn new(stage: Stage, samples: usize) -> Self {
        let by_sample = vec![None; samples];
        Latents {
            stage,
            view: None,
            by_sample,
        }
    }

    /// The same with latents as that codec leaves them.
    pub fn seen_through(mut self, view: Option<CodecSettings>) -> Self {
        self.view = view;
        self
    }

    pub fn make(
        &mut self,
        network: &Network,
        dataset: &Dataset,
        mut samples: Vec<SampleIndex>,
    ) -> Result<(), ContinualError> {
        let Stage::Learning(lr_index) = self.stage else {
            return Ok(());
        };
        samples.sort_unstable();
        samples.dedup();
        let frozen = network.prepare_frozen(lr_index)?;
        let made = samples.par_chunks(SAMPLES_PER_BLOCK).map(|block| {
            let counts = block.iter().map(|&index| &dataset.sample(index).counts);
            let inputs: Vec<_> = counts.map(StageInput::counts).collect();
            let latents = frozen.latents(&inputs)?;
            let Some(codec) = &self.view else {
                return Ok(latents);
            };
            let left = latents
                .iter()
                .map(|latent| Ok(through_codec(codec, latent)?));
            left.collect::<Result<Vec<_>, ContinualError>>()
        });
        let made = made.collect::<Result<Vec<_>, ContinualError>>()?;
        for (index, latent) in samples.into_iter().zip(made.into_iter().flatten()) {
            self.by_sample[index.0] = Some(latent);
        }
        Ok(())
    }

    /// Refuses latents of so many samples that the machine can't hold them.
    pub fn check_memory(
        spec: &NetworkSpec,
        stage: Stage,
        samples: usize,
    ) -> Result<(), ContinualError> {
        let Stage::Learning(lr_index) = stage else {
            return Ok(());
        };
        let (steps, units) = (spec.steps(), stage.input_units(spec));
        // A word holds 64 spikes of a step, and a current is an f32.
        let (what, bytes) = match lr_index.get() {
            0 => ("input currents", [samples, steps, units, size_of::<f32>()]),
            _ => (
                "spikes",
                [samples, steps, units.div_ceil(64), size_of::<u64>()],
            ),
        };
        let what = format!("the latents ({what}) of {samples} samples");
        Ok(ceiling::check(&what, ceiling::product(&bytes))?)
    }

    /// The layers below what is kept, if it is not raw inputs.
    pub fn frozen_at<'a>(
        &self,
        network: &'a Network,
        kept_at: Option<ReplayLayer>,
    ) -> Result<Option<PreparedStage<'a>>, NetworkError> {
        kept_at
            .map(|index| network.prepare_frozen(index))
            .transpose()
    }

    /// A sample as the stage reads it: kept, or made now by the frozen stage, which no codec has been through; it leaves
    /// the same of either.
    pub fn input<'a>(
        &'a self,
        frozen: Option<&PreparedStage<'_>>,
        dataset: &'a Dataset,
        index: SampleIndex,
    ) -> Result<StageInput<'a>, ReplayError> {
        let raw = StageInput::counts(&dataset.sample(index).counts);
        match (frozen, self.by_sample.get(index.0)) {
            (None, _) => Ok(raw),
            (Some(_), Some(Some(latent))) => Ok(latent.as_input()),
            (Some(frozen), _) => {
                let mut made = frozen.latents(std::slice::from_ref(&raw))?;
                Ok(made.pop().expect("one for each sample").into())
            }
        }
    }

    pub fn examples<'a>(
        &'a self,
        dataset: &'a Dataset,
        samples: Vec<SampleIndex>,
    ) -> StageExamples<'a> {
        StageExamples {
            latents: self,
            dataset,
            samples,
        }
    }
}

/// The samples of a dataset with their latents.
pub(super) struct Store<'a> {
    pub latents: &'a Latents,
    pub dataset: &'a Dataset,
}

impl SampleStore for Store<'_> {
    fn examples(&self, samples: Vec<SampleIndex>) -> Box<dyn Examples + '_> {
        Box::new(self.latents.examples(self.dataset, samples))
    }
}

/// Samples whose latents have been made, or that enter the whole network.
pub(super) struct StageExamples<'a> {
    latents: &'a Latents,
    dataset: &'a Dataset,
    samples: Vec<SampleIndex>,
}

impl Examples for StageExamples<'_> {
    fn len(&self) -> usize {
        self.samples.len()
    }

    fn steps(&self, index: usize) -> usize {
        // What the frozen stage makes of a sample lasts as long.
        self.dataset.sample(self.samples[index]).counts.steps()
    }

    fn class(&self, index: usize) -> ClassId {
        self.dataset.sample(self.samples[index]).class
    }

    fn input(&self, index: usize) -> Result<StageInput<'_>, TrainError> {
        let index = self.samples[index];
        Ok(match self.latents.stage {
            Stage::Whole => StageInput::counts(&self.dataset.sample(index).counts),
            Stage::Learning(_) => self.latents.by_sample[index.0]
                .as_ref()
                .expect("`Runner::freeze` made the latents of all samples to be learned or tested")
                .as_input(),
        })
    }
}
