//! What specs, records, checkpoints and the program know by name: neurons, surrogates, readouts, objectives,
//! regularisers, optimisers, augmentations, codecs, policies, replay sources, heads and scenarios.
//!
//! In: types that are [`Member`]s of an axis, ours and a user's own. Out: [`Chosen`] members, read from
//! TOML and JSON by the key `kind` and written back as they were.
//!
//! Adding a member of ours is a file of its own and a line in [`Registry::builtin`]. A user's own is added
//! to a registry, which is then installed for the process:
//!
//! ```
//! use respike::real::Real;
//! use respike::registry::{Member, Registry};
//! use respike::surrogate::Surrogate;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Debug, Serialize, Deserialize)]
//! struct Gaussian {
//!     width: f32,
//! }
//!
//! impl Member for Gaussian {
//!     const KIND: &'static str = "gaussian";
//!     const ABOUT: &'static str = "a bell around the threshold";
//! }
//!
//! impl Surrogate for Gaussian {
//!     fn derivative<R: Real>(&self, x: R) -> R {
//!         let x = x / x.constant(self.width);
//!         (-(x * x)).exp()
//!     }
//!     fn primitive(&self, x: f64) -> f64 {
//!         let width = f64::from(self.width);
//!         // A sum of rectangles will do here.
//!         let to = |x: f64| (0..10_000).map(|i| (-(x * (f64::from(i) + 0.5) / 1e4 / width).powi(2)).exp() * x / 1e4).sum::<f64>();
//!         0.5 + to(x)
//!     }
//! }
//!
//! Registry::builtin().with_surrogate::<Gaussian>().install();
//! ```

mod chosen;
mod fields;
mod member;
mod members;
mod table;
#[cfg(test)]
mod tests;

pub use chosen::Chosen;
pub use member::{BadSetting, Member, Part};
pub use members::{Axis, KnownMember, Members};
pub(crate) use table::Table;

use std::any::TypeId;
use std::fmt::Debug;
use std::sync::{PoisonError, RwLock};

use crate::augment::{Augmentation, Blend, ChannelShift, DropEvents, Jitter, TimeStretch};
use crate::continual::{
    DataNames, HeldOut, HoldsOut, ManyBatches, ManyClasses, NewClass, NewSpeaker, NextTask,
    Scenario, Stream,
};
use crate::head::{Aligned, ClassMeans, CwrStar, Head, Redrawn, Ridge, Slda, Trained};
use crate::neuron::{AdLifSettings, AlifSettings, AnyNeuron, CubaLifSettings, LifSettings, Neuron};
use crate::readout::{AccumulateReadout, AnyReadout, LeakySettings, Readout, SpikeCountReadout};
use crate::replay::{
    ClassBalanced, Codec, Counts, Everything, Generator, Herding, Memory, Or, Policy, Raw,
    Replacement, Reservoir, Similarity, Source, Uniform,
};
use crate::surrogate::{
    AnySurrogate, Arctan, Boxcar, CutFastSigmoid, Exponential, FastSigmoid, Sigmoid, Surrogate,
    Triangle,
};
use crate::train::{
    Adam, AdamW, Adamax, CrossEntropy, DerPlusPlus, ErAce, LearningWithoutForgetting,
    LossBalancing, MeanSquare, Objective, RateBounds, Regulariser, Sgd, SpikePenalty,
    SynapticIntelligence, UpdateRule, WeightDecay,
};

macro_rules! axis {
    ($part:ty, $what:literal, $field:ident, $default:expr) => {
        axis!($part, $what, $field, $default, as_text: false);
    };
    ($part:ty, $what:literal, $field:ident, $default:expr, as_text: $as_text:literal) => {
        axis!($part, $what, $field, $default, as_text: $as_text, extra: ());
    };
    ($part:ty, $what:literal, $field:ident, $default:expr, as_text: $as_text:literal, extra: $extra:ty) => {
        impl Axis for $part {
            type Extra = $extra;

            const WHAT: &'static str = $what;
            const DEFAULT: Option<&'static str> = $default;
            const AS_TEXT: bool = $as_text;

            fn members(registry: &Registry) -> &Members<Self> {
                &registry.$field
            }

            fn members_mut(registry: &mut Registry) -> &mut Members<Self> {
                &mut registry.$field
            }
        }
    };
}

axis!(dyn AnyNeuron, "neuron", neurons, Some("cuba-lif"));
axis!(dyn AnySurrogate, "surrogate", surrogates, None);
axis!(dyn AnyReadout, "readout", readouts, Some("leaky"));
axis!(dyn Objective, "objective", objectives, None);
axis!(dyn Regulariser, "regulariser", regularisers, None);
axis!(dyn UpdateRule, "optimiser", optimisers, None);
axis!(dyn Augmentation, "augmentation", augmentations, None);
axis!(dyn Codec, "codec", codecs, None, as_text: true);
axis!(dyn Policy, "policy", policies, None, as_text: true);
axis!(dyn Source, "replay source", sources, None);
axis!(dyn Head, "head", heads, None, as_text: true);
axis!(dyn Scenario, "scenario", scenarios, None, as_text: false, extra: ScenarioExtra);

/// [`HoldsOut::holding_out`] of any type.
type HoldingOut =
    fn(&dyn DataNames, Option<&[HeldOut]>) -> Result<Vec<Chosen<dyn Scenario>>, String>;

/// What is known of a scenario besides what every member has.
#[derive(Debug, Clone, Copy)]
pub struct ScenarioExtra {
    /// [`HoldsOut::holding_out`].
    pub(crate) holding_out: HoldingOut,
    /// [`HoldsOut::counts_base_classes`].
    pub(crate) counts_base_classes: bool,
}

/// All members that are known by name.
#[derive(Debug, Clone)]
pub struct Registry {
    neurons: Members<dyn AnyNeuron>,
    surrogates: Members<dyn AnySurrogate>,
    readouts: Members<dyn AnyReadout>,
    objectives: Members<dyn Objective>,
    regularisers: Members<dyn Regulariser>,
    optimisers: Members<dyn UpdateRule>,
    augmentations: Members<dyn Augmentation>,
    codecs: Members<dyn Codec>,
    policies: Members<dyn Policy>,
    sources: Members<dyn Source>,
    heads: Members<dyn Head>,
    scenarios: Members<dyn Scenario>,
}

static INSTALLED: RwLock<Option<Registry>> = RwLock::new(None);

impl Registry {
    /// What is ours.
    pub fn builtin() -> Self {
        let empty = Registry {
            neurons: Members::none(),
            surrogates: Members::none(),
            readouts: Members::none(),
            objectives: Members::none(),
            regularisers: Members::none(),
            optimisers: Members::none(),
            augmentations: Members::none(),
            codecs: Members::none(),
            policies: Members::none(),
            sources: Members::none(),
            heads: Members::none(),
            scenarios: Members::none(),
        };
        empty
            .with::<dyn AnyNeuron, CubaLifSettings>()
            .with::<dyn AnyNeuron, LifSettings>()
            .with::<dyn AnyNeuron, AdLifSettings>()
            .with::<dyn AnyNeuron, AlifSettings>()
            .with::<dyn AnySurrogate, FastSigmoid>()
            .with::<dyn AnySurrogate, Boxcar>()
            .with::<dyn AnySurrogate, Arctan>()
            .with::<dyn AnySurrogate, Exponential>()
            .with::<dyn AnySurrogate, Triangle>()
            .with::<dyn AnySurrogate, CutFastSigmoid>()
            .with::<dyn AnySurrogate, Sigmoid>()
            .with::<dyn AnyReadout, LeakySettings>()
            .with::<dyn AnyReadout, SpikeCountReadout>()
            .with::<dyn AnyReadout, AccumulateReadout>()
            .with::<dyn Objective, CrossEntropy>()
            .with::<dyn Objective, MeanSquare>()
            .with::<dyn Objective, LossBalancing>()
            .with::<dyn Objective, ErAce>()
            .with::<dyn Objective, DerPlusPlus>()
            .with::<dyn Objective, LearningWithoutForgetting>()
            .with::<dyn Regulariser, SpikePenalty>()
            .with::<dyn Regulariser, WeightDecay>()
            .with::<dyn Regulariser, RateBounds>()
            .with::<dyn Regulariser, SynapticIntelligence>()
            .with::<dyn UpdateRule, Adamax>()
            .with::<dyn UpdateRule, Adam>()
            .with::<dyn UpdateRule, AdamW>()
            .with::<dyn UpdateRule, Sgd>()
            .with::<dyn Augmentation, ChannelShift>()
            .with::<dyn Augmentation, TimeStretch>()
            .with::<dyn Augmentation, Jitter>()
            .with::<dyn Augmentation, DropEvents>()
            .with::<dyn Augmentation, Blend>()
            .with::<dyn Codec, Raw>()
            .with::<dyn Codec, Or>()
            .with::<dyn Codec, Counts>()
            .with::<dyn Policy, Uniform>()
            .with::<dyn Policy, Reservoir>()
            .with::<dyn Policy, ClassBalanced>()
            .with::<dyn Policy, Replacement>()
            .with::<dyn Policy, Herding>()
            .with::<dyn Policy, Similarity>()
            .with::<dyn Source, Memory>()
            .with::<dyn Source, Generator>()
            .with::<dyn Source, Everything>()
            .with::<dyn Head, Redrawn>()
            .with::<dyn Head, Trained>()
            .with::<dyn Head, CwrStar>()
            .with::<dyn Head, Aligned>()
            .with::<dyn Head, ClassMeans>()
            .with::<dyn Head, Slda>()
            .with::<dyn Head, Ridge>()
            .with::<dyn Scenario, NewSpeaker>()
            .with::<dyn Scenario, NewClass>()
            .with::<dyn Scenario, ManyClasses>()
            .with::<dyn Scenario, ManyBatches>()
            .with::<dyn Scenario, Stream>()
            .with::<dyn Scenario, NextTask>()
    }

    fn with<D: Axis + ?Sized, M: Part<D>>(mut self) -> Self {
        let added = D::members_mut(&mut self).add::<M>();
        assert!(added, "there is a {} `{}` already", D::WHAT, M::KIND);
        self
    }

    /// The same with a neuron of one's own.
    ///
    /// # Panics
    /// If there is one of that name, of another type; so do the other functions of this kind.
    #[must_use]
    pub fn with_neuron<N: Member + Neuron>(self) -> Self {
        self.with::<dyn AnyNeuron, N>()
    }

    /// The same with a surrogate of one's own.
    #[must_use]
    pub fn with_surrogate<S: Member + Surrogate>(self) -> Self {
        self.with::<dyn AnySurrogate, S>()
    }

    /// The same with a readout of one's own.
    #[must_use]
    pub fn with_readout<R: Member + Readout>(self) -> Self {
        self.with::<dyn AnyReadout, R>()
    }

    /// The same with an objective of one's own.
    #[must_use]
    pub fn with_objective<O: Member + Objective>(self) -> Self {
        self.with::<dyn Objective, O>()
    }

    /// The same with a regulariser of one's own.
    #[must_use]
    pub fn with_regulariser<R: Member + Regulariser>(self) -> Self {
        self.with::<dyn Regulariser, R>()
    }

    /// The same with an optimiser of one's own.
    #[must_use]
    pub fn with_optimiser<U: Member + UpdateRule>(self) -> Self {
        self.with::<dyn UpdateRule, U>()
    }

    /// The same with an augmentation of one's own.
    #[must_use]
    pub fn with_augmentation<A: Member + Augmentation>(self) -> Self {
        self.with::<dyn Augmentation, A>()
    }

    /// The same with a codec of one's own.
    #[must_use]
    pub fn with_codec<C: Member + Codec>(self) -> Self {
        self.with::<dyn Codec, C>()
    }

    /// The same with a policy of one's own.
    #[must_use]
    pub fn with_policy<P: Member + Policy>(self) -> Self {
        self.with::<dyn Policy, P>()
    }

    /// The same with a replay source of one's own.
    #[must_use]
    pub fn with_source<S: Member + Source>(self) -> Self {
        self.with::<dyn Source, S>()
    }

    /// The same with a head of one's own.
    #[must_use]
    pub fn with_head<H: Member + Head>(self) -> Self {
        self.with::<dyn Head, H>()
    }

    /// The same with a scenario of one's own.
    #[must_use]
    pub fn with_scenario<S: Member + HoldsOut>(self) -> Self {
        self.with::<dyn Scenario, S>()
    }

    /// From now on this process reads and writes with this registry: specs, records and checkpoints have no
    /// other way to know what their names mean. A program does it first of all.
    ///
    /// What was known before stays known, unless this has something else of that name.
    pub fn install(mut self) {
        let mut installed = INSTALLED.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = installed.take() {
            self.neurons.add_all(before.neurons);
            self.surrogates.add_all(before.surrogates);
            self.readouts.add_all(before.readouts);
            self.objectives.add_all(before.objectives);
            self.regularisers.add_all(before.regularisers);
            self.optimisers.add_all(before.optimisers);
            self.augmentations.add_all(before.augmentations);
            self.codecs.add_all(before.codecs);
            self.policies.add_all(before.policies);
            self.sources.add_all(before.sources);
            self.heads.add_all(before.heads);
            self.scenarios.add_all(before.scenarios);
        }
        *installed = Some(self);
    }

    /// The registry that this process reads and writes with.
    pub fn installed() -> Self {
        Self::look(Registry::clone)
    }

    fn look<T>(look: impl FnOnce(&Registry) -> T) -> T {
        let installed = INSTALLED.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(registry) = &*installed {
            return look(registry);
        }
        drop(installed);
        let mut installed = INSTALLED.write().unwrap_or_else(PoisonError::into_inner);
        look(installed.get_or_insert_with(Registry::builtin))
    }

    /// Makes known what is used without having been registered; `false` if its name is another type's.
    fn remember<D: Axis + ?Sized, M: Part<D>>() -> bool {
        if let Some(entry) = Self::look(|registry| D::members(registry).find(M::KIND)) {
            return entry.of == TypeId::of::<M>();
        }
        let mut installed = INSTALLED.write().unwrap_or_else(PoisonError::into_inner);
        let registry = installed.get_or_insert_with(Registry::builtin);
        D::members_mut(registry).add::<M>()
    }

    /// Every member of every axis.
    pub fn list(&self) -> Vec<KnownMember> {
        let mut known = Vec::new();
        self.neurons.put_into(&mut known);
        self.surrogates.put_into(&mut known);
        self.readouts.put_into(&mut known);
        self.objectives.put_into(&mut known);
        self.regularisers.put_into(&mut known);
        self.optimisers.put_into(&mut known);
        self.augmentations.put_into(&mut known);
        self.codecs.put_into(&mut known);
        self.policies.put_into(&mut known);
        self.sources.put_into(&mut known);
        self.heads.put_into(&mut known);
        self.scenarios.put_into(&mut known);
        known
    }

    /// Every neuron with what it is.
    pub fn neurons(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.neurons.list()
    }

    /// Every surrogate with what it is.
    pub fn surrogates(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.surrogates.list()
    }

    /// Every readout with what it is.
    pub fn readouts(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.readouts.list()
    }

    /// Every objective with what it is.
    pub fn objectives(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.objectives.list()
    }

    /// Every regulariser with what it is.
    pub fn regularisers(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.regularisers.list()
    }

    /// Every optimiser with what it is.
    pub fn optimisers(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.optimisers.list()
    }

    /// Every augmentation with what it is.
    pub fn augmentations(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.augmentations.list()
    }

    /// Every codec with what it is.
    pub fn codecs(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.codecs.list()
    }

    /// Every policy with what it is.
    pub fn policies(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.policies.list()
    }

    /// Every replay source with what it is.
    pub fn sources(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.sources.list()
    }

    /// Every head with what it is.
    pub fn heads(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.heads.list()
    }

    /// Every scenario with what it is.
    pub fn scenarios(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.scenarios.list()
    }
}
