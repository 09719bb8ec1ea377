//! Methods: compositions of what continual learning is made of.
//!
//! In: an LR index, replay sources, a head, and how new and replayed samples are mixed; as a builder, or as TOML
//! (`snn-models/methods/`). Out: a [`Method`], which an [`Experiment`](crate::continual::Experiment) has learn a scenario.
//!
//! ```
//! use respike::method::Method;
//! use respike::replay::{Capacity, CodecSettings, Memory, PolicySettings};
//!
//! let capacity = Capacity::Bytes(160_000);
//! let memory = Memory::new(CodecSettings::or(10)?, PolicySettings::uniform(), capacity);
//! let method = Method::latent(2, memory);
//! assert_eq!(method.title(), "latent, LR 2, or:10");
//! # Ok::<(), respike::replay::ReplayError>(())
//! ```

mod differences;
mod file;
mod strategy;
mod view;

pub use differences::{add_to_name, said_value};
pub use file::{MethodError, MethodFile, MethodTraining, said_as, set_by_key};
pub use strategy::Strategy;
pub use view::View;

use crate::head::HeadSettings;
use crate::network::{NetworkSpec, ParameterName, ReplayLayer, SpecError, Stage};
use crate::replay::{Capacity, CodecSettings, Everything, Memory, SourceSettings};
use crate::train::{Mixing, ParameterGroup, TrainingSettings};

/// How something new is learned.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Method {
    /// Its tag: reports and tables group by it.
    pub name: String,
    /// Below how many hidden layers nothing is replayed: 0 replays input currents, k the spikes of layer k. `None`
    /// replays raw inputs and trains the whole network.
    pub lr_index: Option<usize>,
    /// The learning rate of the layers below the LR index, as a factor of the others'; 0 freezes them.
    pub rate_below: f32,
    /// What is replayed.
    pub replay: Vec<SourceSettings>,
    /// What becomes of the readout.
    pub head: HeadSettings,
    /// How new samples and replays share batches.
    pub mixing: Mixing,
    /// How latents are seen; where nothing is said, as [`view`](Method::view) has it.
    pub said_view: Option<View>,
}

impl Method {
    /// One that trains the whole network on new samples alone.
    pub fn new(name: impl Into<String>) -> Self {
        Method {
            name: name.into(),
            lr_index: None,
            rate_below: 0.0,
            replay: Vec::new(),
            head: HeadSettings::default(),
            mixing: Mixing::default(),
            said_view: None,
        }
    }

    /// New samples only.
    pub fn naive() -> Self {
        Method::new("naive")
    }

    /// New samples and all old ones: what could be reached if nothing ever had to be left behind.
    pub fn joint() -> Self {
        Method::new("joint").with_replay(Everything {})
    }

    /// New samples and a memory of old raw inputs; the whole network is trained.
    pub fn native(memory: Memory) -> Self {
        Method::new("native").with_replay(memory)
    }

    /// New samples and a memory of old latents; the network is frozen below them.
    pub fn latent(lr_index: usize, memory: Memory) -> Self {
        Method::new("latent")
            .with_replay_layer(lr_index)
            .with_replay(memory)
    }

    /// The same with so many hidden layers below what is replayed
    /// ([`ReplayLayer`]).
    #[must_use]
    pub fn with_replay_layer(mut self, index: usize) -> Self {
        self.lr_index = Some(index);
        self
    }

    /// The same with layers below the LR index that learn at such a part of the others' rate instead of being frozen.
    #[must_use]
    pub fn with_rate_below(mut self, factor: f32) -> Self {
        self.rate_below = factor;
        self
    }

    /// The same with one more replay source.
    #[must_use]
    pub fn with_replay(mut self, source: impl Into<SourceSettings>) -> Self {
        self.replay.push(source.into());
        self
    }

    /// The same with another head.
    #[must_use]
    pub fn with_head(mut self, head: impl Into<HeadSettings>) -> Self {
        self.head = head.into();
        self
    }

    /// The same with new samples and replays mixed otherwise.
    #[must_use]
    pub fn with_mixing(mut self, mixing: Mixing) -> Self {
        self.mixing = mixing;
        self
    }

    /// The same with latents seen in that way.
    #[must_use]
    pub fn with_view(mut self, view: View) -> Self {
        self.said_view = Some(view);
        self
    }

    /// How latents are seen where nothing is said: through the codec if there is one that loses something, the layers
    /// below are frozen and those above are trained; else as they are.
    pub fn usual_view(&self) -> View {
        match self.may_see_through_codec() {
            true => View::codec(),
            false => View::AsIs,
        }
    }

    /// How latents are seen.
    pub fn view(&self) -> View {
        self.said_view.unwrap_or_else(|| self.usual_view())
    }

    /// The same with its view said, so that methods which do the same are equal.
    #[must_use]
    pub fn with_view_said(self) -> Self {
        let view = self.view();
        self.with_view(view)
    }

    /// Whether a codec stands between frozen layers and trained ones, and leaves something out.
    pub fn may_see_through_codec(&self) -> bool {
        let frozen = self.lr_index.is_some() && self.rate_below == 0.0;
        let loses = self.codec().is_some_and(|codec| !codec.is_lossless());
        frozen && loses && !self.head.learns_alone()
    }

    /// The same under another tag.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Tag, LR index and codec in a few words: `naive`, or `latent, LR 2, or:10`.
    pub fn title(&self) -> String {
        let mut words = self.name.clone();
        if let Some(index) = self.lr_index {
            words += &format!(", LR {index}");
        }
        if let Some(codec) = self.codec() {
            words += &format!(", {codec}");
        }
        words
    }

    /// What learning changes, in a few words: `whole network`, or `above layer 2`.
    pub fn trains(&self) -> String {
        match self.lr_index {
            _ if self.head.learns_alone() => "nothing".to_string(),
            None => "whole network".to_string(),
            Some(_) if self.rate_below > 0.0 => "whole network".to_string(),
            Some(0) => "all but w1".to_string(),
            Some(index) => format!("above layer {index}"),
        }
    }

    /// How kept samples are compressed, if any are.
    pub fn codec(&self) -> Option<&CodecSettings> {
        self.replay.iter().find_map(|source| source.codec())
    }

    /// How much may be kept, if that is limited.
    pub fn capacity(&self) -> Option<Capacity> {
        self.replay.iter().find_map(|source| source.capacity())
    }

    /// How many samples may be kept, if it is their number that is limited.
    pub fn replays(&self) -> Option<usize> {
        match self.capacity()? {
            Capacity::Samples(samples) => Some(samples),
            Capacity::Bytes(_) => None,
        }
    }

    /// Whether it replays raw inputs, or all samples there ever were, to the whole network.
    pub fn rehearses(&self) -> bool {
        self.lr_index.is_none() && !self.replay.is_empty()
    }

    /// Whether it replays all samples there ever were: a ceiling for the others.
    pub fn is_ceiling(&self) -> bool {
        self.replay.iter().any(|source| source.keeps_everything())
    }

    /// Those settings with the layers below the LR index slowed, if they are not frozen.
    pub fn slowed(&self, mut settings: TrainingSettings) -> TrainingSettings {
        let Some(index) = self.lr_index.filter(|_| self.rate_below > 0.0) else {
            return settings;
        };
        let below = match index {
            // The input weights of the first layer alone.
            0 => vec![ParameterGroup::One(ParameterName::Input(0))],
            index => (0..index).map(ParameterGroup::Layer).collect(),
        };
        let mut factors = settings.rate_factors.clone();
        for group in below {
            let before = settings
                .rate_factors
                .iter()
                .find(|(said, _)| **said == group);
            let before = before.map_or(1.0, |(_, factor)| factor);
            factors = factors.with(group, before * self.rate_below);
        }
        settings.rate_factors = factors;
        settings
    }

    /// Where what is replayed enters the network; `None` for raw inputs.
    ///
    /// # Errors
    /// [`SpecError`] for an LR index that the network does not have.
    pub fn kept_at(&self, spec: &NetworkSpec) -> Result<Option<ReplayLayer>, SpecError> {
        let lr_index = self.lr_index.map(|index| spec.replay_layer(index));
        lr_index.transpose()
    }

    /// What is trained.
    ///
    /// # Errors
    /// [`SpecError`] for an LR index that the network does not have.
    pub fn stage(&self, spec: &NetworkSpec) -> Result<Stage, SpecError> {
        Ok(match self.kept_at(spec)? {
            Some(lr_index) if self.rate_below == 0.0 => Stage::Learning(lr_index),
            _ => Stage::Whole,
        })
    }
}
