use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::ConceptError;
use crate::generator::Form;
use crate::ids::ClassId;
use crate::network::NetworkSpec;
use crate::random::MasterSeed;
use crate::replay::{
    Capacity, CodecSettings, ComponentsLearn, Generator, Memory, PolicySettings, ReplayError,
    Similarity, SourceSettings,
};

/// Replays of each concept that a generator is asked for, where nothing is said.
const SAMPLES: usize = 100;

/// Which concepts come, at which LR index, and which ways to replay are compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ConceptExperiment {
    /// Hidden layers below what is learned, 1 or more; those above are the judge.
    pub lr_index: usize,
    /// How latents are compressed.
    pub codec: CodecSettings,
    /// The most that each way may hold, in bytes.
    pub budget: u64,
    /// Samples of each concept that a generator is asked for; a memory gives what it holds.
    pub samples: usize,
    /// Classes in the order in which they are learned.
    pub concepts: Vec<ClassId>,
    /// Each way is followed with each of them: what a memory keeps, where mixtures begin, what is drawn.
    pub seeds: Vec<MasterSeed>,
    /// What is compared.
    pub ways: Vec<Way>,
}

/// A way to replay, under the name that tables and figures have for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Way {
    /// The name.
    pub name: String,
    /// Where replays come from.
    pub source: SourceSettings,
}

impl Way {
    /// A source under a name.
    pub fn new(name: impl Into<String>, source: impl Into<SourceSettings>) -> Self {
        Way {
            name: name.into(),
            source: source.into(),
        }
    }
}

impl ConceptExperiment {
    /// Latents under `or:10`, one seed, and these ways within `budget` bytes each: a shared generator that forgets, one
    /// that learns from draws of its own, one of components for each concept alone, and memories that keep samples at
    /// random or by their similarity to the class's mean.
    ///
    /// # Errors
    /// [`ReplayError`] never, as long as a window may be 10 steps.
    pub fn new(lr_index: usize, concepts: Vec<ClassId>, budget: u64) -> Result<Self, ReplayError> {
        let experiment = ConceptExperiment {
            lr_index,
            codec: CodecSettings::or(10)?,
            budget,
            samples: SAMPLES,
            concepts,
            seeds: vec![MasterSeed(0)],
            ways: Vec::new(),
        };
        let policies = [PolicySettings::uniform(), Similarity {}.into()];
        Ok(experiment.with_usual_ways(policies))
    }

    /// The same with another codec, which goes into the ways that are named after it: say it before them.
    #[must_use]
    pub fn with_codec(mut self, codec: CodecSettings) -> Self {
        self.codec = codec;
        self
    }

    /// The same with so many samples asked of each generator, likewise.
    #[must_use]
    pub fn with_samples(mut self, samples: usize) -> Self {
        self.samples = samples;
        self
    }

    /// The same with other seeds.
    #[must_use]
    pub fn with_seeds(mut self, seeds: Vec<MasterSeed>) -> Self {
        self.seeds = seeds;
        self
    }

    /// The same with other ways.
    #[must_use]
    pub fn with_ways(mut self, ways: Vec<Way>) -> Self {
        self.ways = ways;
        self
    }

    /// The same with three generators and a memory of each policy, all of this codec and within these bytes.
    #[must_use]
    pub fn with_usual_ways(self, policies: impl IntoIterator<Item = PolicySettings>) -> Self {
        let generator = |form| {
            Generator::within(form, self.budget)
                .with_codec(self.codec.clone())
                .with_samples(self.samples)
        };
        let shared = |learning| generator(Form::Shared).with_learning(learning);
        let mut ways = vec![
            Way::new("generator, shared, naive", shared(ComponentsLearn::Naive)),
            Way::new("generator, shared, replay", shared(ComponentsLearn::Replay)),
            Way::new("generator, separate", generator(Form::Separate)),
        ];
        ways.extend(policies.into_iter().map(|policy| {
            let capacity = Capacity::Bytes(self.budget);
            let name = format!("memory, {policy}");
            Way::new(name, Memory::new(self.codec.clone(), policy, capacity))
        }));
        self.with_ways(ways)
    }

    /// Refuses what can be seen to make no sense before anything is computed.
    pub(super) fn check(&self, spec: &NetworkSpec) -> Result<(), ConceptError> {
        if self.lr_index == 0 {
            return Err(ConceptError::NoSpikes);
        }
        if self.concepts.len() < 2 {
            return Err(ConceptError::TooFewConcepts(self.concepts.len()));
        }
        let classes = spec.classes();
        for &class in &self.concepts {
            if class.index() >= classes {
                return Err(ConceptError::NoReadout { class, classes });
            }
        }
        if self.seeds.is_empty() {
            return Err(ConceptError::NoSeeds);
        }
        if self.ways.is_empty() {
            return Err(ConceptError::NoWays);
        }
        let seeds = self.seeds.iter().map(|seed| format!("seed {}", seed.0));
        let ways = self.ways.iter().map(|way| way.name.clone());
        let mut seen = BTreeSet::new();
        for what in seeds.chain(ways) {
            if !seen.insert(what.clone()) {
                return Err(ConceptError::Twice { what });
            }
        }
        self.ways.iter().try_for_each(|way| self.check_way(way))
    }

    /// All ways are compared at equal bytes and with the same loss in time.
    fn check_way(&self, way: &Way) -> Result<(), ConceptError> {
        let unequal = |expected: String| ConceptError::Unequal {
            way: way.name.clone(),
            expected,
        };
        way.source.check().map_err(|bad| ConceptError::BadWay {
            way: way.name.clone(),
            reason: bad.of(way.source.kind()).to_string(),
        })?;
        if way.source.codec() != Some(&self.codec) {
            return Err(unequal(format!("the codec {}", self.codec)));
        }
        if way.source.capacity() != Some(Capacity::Bytes(self.budget)) {
            return Err(unequal(format!("a capacity of {} bytes", self.budget)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_is_refused() {
        let spec = NetworkSpec::dequino2024();
        let classes = |numbers: &[u16]| numbers.iter().copied().map(ClassId).collect::<Vec<_>>();
        let good = || {
            ConceptExperiment::new(1, classes(&[0, 3, 1]), 50_000).expect("a window of ten steps")
        };
        good().check(&spec).expect("all is well");
        let seed = MasterSeed(3);
        let raw = Memory::new(
            CodecSettings::raw(),
            PolicySettings::uniform(),
            Capacity::Bytes(50_000),
        );
        let more = Memory::new(
            good().codec,
            PolicySettings::uniform(),
            Capacity::Bytes(50_001),
        );
        let none = Generator::within(Form::Separate, 50_000).with_samples(0);
        let with = |change: fn(&mut ConceptExperiment)| {
            let mut changed = good();
            change(&mut changed);
            changed
        };
        for (bad, said) in [
            (
                with(|bad| bad.lr_index = 0),
                "LR index 0 keeps input currents",
            ),
            (with(|bad| bad.concepts.truncate(1)), "at least two classes"),
            (
                with(|bad| bad.concepts[1] = ClassId(99)),
                "class 99 is not one of the network's 20 classes",
            ),
            (good().with_seeds(Vec::new()), "at least one seed"),
            (good().with_seeds(vec![seed, seed]), "seed 3 stands twice"),
            (good().with_ways(Vec::new()), "at least one way"),
            (
                good().with_ways(vec![Way::new("one", raw)]),
                "one must have the codec or:10",
            ),
            (
                good().with_ways(vec![Way::new("one", more)]),
                "one must have a capacity of 50000 bytes",
            ),
            (
                good().with_ways(vec![Way::new("one", none)]),
                "one: samples of generator must be 1 or more",
            ),
            (
                good().with_usual_ways([PolicySettings::uniform(), PolicySettings::uniform()]),
                "memory, uniform stands twice",
            ),
        ] {
            let refused = bad.check(&spec).expect_err(said).to_string();
            assert!(refused.starts_with(said), "{refused}");
        }
    }

    #[test]
    fn ways_keep_codec_budget_and_samples() {
        let classes = vec![ClassId(0), ClassId(1)];
        let experiment = ConceptExperiment::new(1, classes, 9000)
            .expect("a window of ten steps")
            .with_codec(CodecSettings::raw())
            .with_samples(7)
            .with_usual_ways([PolicySettings::reservoir()]);
        experiment
            .check(&NetworkSpec::dequino2024())
            .expect("all alike");
        let names: Vec<&str> = experiment.ways.iter().map(|way| &way.name[..]).collect();
        let expected = [
            "generator, shared, naive",
            "generator, shared, replay",
            "generator, separate",
            "memory, reservoir",
        ];
        assert_eq!(names, expected);
        let json = serde_json::to_string(&experiment).expect("plain");
        assert_eq!(json.matches(r#""samples":7"#).count(), 4);
        let read: ConceptExperiment = serde_json::from_str(&json).expect("just written");
        assert_eq!(read, experiment);
    }
}
