use super::latents::{RealLatents, Store, check_memory, packed_bits};
use super::outcome::{
    ConceptExamples, ConceptFigures, JudgedLatent, SeedOutcome, Stage as Learned, WayOutcome,
};
use super::{ConceptError, ConceptExperiment, ConceptOutcome, Way};
use crate::dataset::Dataset;
use crate::generator::{BitSamples, Diversity};
use crate::ids::ClassId;
use crate::network::{Latent, Network, ReplayLayer, Stage, StageInput};
use crate::random::{MasterSeed, Purpose};
use crate::replay::{Kept, LearnedSamples, ReplayError, SourcePlace, SourceState, encode_spikes};
use crate::spikes::SpikeRaster;
use crate::train::{Examples, evaluate};

/// News of an experiment.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum ConceptProgress<'a> {
    /// Latents are there; so many concepts will be learned by all ways and seeds together.
    Begun {
        /// How many.
        steps: usize,
    },
    /// A concept was learned and judged.
    Learned {
        /// By which way.
        way: &'a str,
    },
}

/// Has every way learn the concepts one after the other, with every seed, and judges what it gives after each.
///
/// `data` are samples to learn from, and samples to see how far the judge is right; classes are those of the network's
/// readouts. The same experiment on the same data gives the same bits, whatever the number of threads.
///
/// # Errors
/// [`ConceptError`] if anything does not fit, a way can't be made within its bytes, or goes beyond them.
pub fn run(
    experiment: &ConceptExperiment,
    network: &Network,
    (train, test): (&Dataset, &Dataset),
    progress: &mut dyn FnMut(ConceptProgress<'_>),
) -> Result<ConceptOutcome, ConceptError> {
    let spec = network.spec();
    experiment.check(spec)?;
    let lr_index = spec.replay_layer(experiment.lr_index)?;
    check_concepts(experiment, train, test)?;
    check_memory(network, lr_index, train.len().saturating_add(test.len()))?;
    let latents = |dataset| {
        let concepts = experiment.concepts.iter();
        let place = (network, lr_index);
        concepts
            .map(|&concept| RealLatents::new(concept, place, &experiment.codec, dataset))
            .collect::<Result<Vec<_>, _>>()
    };
    let trial = Trial {
        experiment,
        judge: Judge { network, lr_index },
        real: latents(train)?,
    };
    let tests = latents(test)?;
    let through_codec = |real: &[RealLatents]| -> Result<Vec<f64>, ConceptError> {
        let decoded = real.iter().map(|real| real.decoded(&experiment.codec));
        let shares = decoded.map(|decoded| trial.judge.share_right(&decoded?));
        shares.collect()
    };
    let (right_of_tests, right_of_learned) = (through_codec(&tests)?, through_codec(&trial.real)?);
    let as_they_are = tests.iter();
    let right = as_they_are.map(|test| trial.judge.share_right(&test.as_they_are()));
    let right_of_uncompressed = right.collect::<Result<_, _>>()?;
    // Whatever does not fit is found before any way takes its time.
    for way in &experiment.ways {
        trial.begin(way, experiment.seeds[0])?;
    }
    let steps = experiment.ways.len() * experiment.seeds.len() * experiment.concepts.len();
    progress(ConceptProgress::Begun { steps });
    let mut examples = trial.real_examples(train)?;
    let mut ways = Vec::new();
    for way in &experiment.ways {
        let mut seeds = Vec::new();
        for &seed in &experiment.seeds {
            let wants_examples = seeds.is_empty();
            let (outcome, given) = trial.follow(way, seed, progress)?;
            seeds.push(outcome);
            let given = given.into_iter().zip(&trial.real);
            let both = examples.iter_mut().zip(given);
            for (examples, (given, real)) in both.filter(|_| wants_examples) {
                let given = given.map(|given| judged(given, real.concept, train));
                examples.given.push(given);
            }
        }
        ways.push(WayOutcome {
            name: way.name.clone(),
            seeds,
        });
    }
    Ok(ConceptOutcome {
        experiment: experiment.clone(),
        names: experiment
            .concepts
            .iter()
            .map(|&class| train.class_name(class))
            .collect(),
        learned_from: trial.real.iter().map(|real| real.spikes.len()).collect(),
        bits: packed_bits(network, lr_index, &experiment.codec) as u64,
        tested: tests.iter().map(|test| test.spikes.len()).collect(),
        right_of_tests,
        right_of_uncompressed,
        right_of_learned,
        ways,
        examples,
    })
}

/// A latent of a concept and what it is taken for, with the names that the data has.
fn judged((spikes, found): Judged, concept: ClassId, data: &Dataset) -> JudgedLatent {
    JudgedLatent {
        spikes,
        taken_for: data.class_name(found),
        is_right: found == concept,
    }
}

/// Refuses concepts that come twice, or without samples.
fn check_concepts(
    experiment: &ConceptExperiment,
    train: &Dataset,
    test: &Dataset,
) -> Result<(), ConceptError> {
    for (place, &class) in experiment.concepts.iter().enumerate() {
        let name = || train.class_name(class);
        if experiment.concepts[..place].contains(&class) {
            return Err(ConceptError::NamedTwice(name()));
        }
        for (dataset, role) in [(train, "learn from"), (test, "test with")] {
            if !dataset.iter().any(|(_, sample)| sample.class == class) {
                return Err(ConceptError::NoSamples { name: name(), role });
            }
        }
    }
    Ok(())
}

/// The layers above the LR index, as they are.
struct Judge<'a> {
    network: &'a Network,
    lr_index: ReplayLayer,
}

impl Judge<'_> {
    /// What each sample is taken for.
    fn takes_for(&self, examples: &dyn Examples) -> Result<Vec<ClassId>, ConceptError> {
        if examples.is_empty() {
            return Ok(Vec::new());
        }
        let judged = evaluate(self.network, Stage::Learning(self.lr_index), examples)?;
        Ok(judged.predictions)
    }

    fn share_right(&self, examples: &dyn Examples) -> Result<f64, ConceptError> {
        let found = self.takes_for(examples)?.into_iter().enumerate();
        let right = found.filter(|(place, found)| examples.class(*place) == *found);
        Ok(right.count() as f64 / examples.len() as f64)
    }
}

/// A sample that a way gives, and what the judge takes it for.
type Judged = (SpikeRaster, ClassId);
/// What a way gives for a concept.
type Given = Vec<Judged>;

struct Trial<'a> {
    experiment: &'a ConceptExperiment,
    judge: Judge<'a>,
    /// Real samples to learn from, concept by concept.
    real: Vec<RealLatents>,
}

impl Trial<'_> {
    /// A source that has learned nothing, with room for all concepts.
    fn begin(&self, way: &Way, seed: MasterSeed) -> Result<Box<dyn SourceState>, ConceptError> {
        let spec = self.judge.network.spec();
        let units = Stage::Learning(self.judge.lr_index).input_units(spec);
        let concepts = self.experiment.concepts.len();
        let place = SourcePlace::new(Kept::Spikes, (spec.steps(), units), concepts, seed);
        Ok(way.source.begin(&place)?)
    }

    /// Follows a way with a seed; at the end comes an example of what it gives for each concept.
    fn follow(
        &self,
        way: &Way,
        seed: MasterSeed,
        progress: &mut dyn FnMut(ConceptProgress<'_>),
    ) -> Result<(SeedOutcome, Vec<Option<Judged>>), ConceptError> {
        let mut source = self.begin(way, seed)?;
        let mut random = seed.stream(Purpose::Memory);
        let mut stages = Vec::new();
        let mut last = Vec::new();
        for learned in 0..self.real.len() {
            self.learn(source.as_mut(), learned, &mut random)?;
            // What would be replayed while the next concept is learned.
            source.task_begins(&mut random)?;
            let bytes = source.figures().bytes;
            let budget = self.experiment.budget;
            if bytes > budget {
                let way = way.name.clone();
                return Err(ConceptError::OverBudget { way, bytes, budget });
            }
            last = self.given(source.as_ref(), learned + 1)?;
            let concepts = last.iter().zip(&self.real);
            let concepts = concepts.map(|(given, real)| self.figures(given, real));
            stages.push(Learned {
                bytes,
                concepts: concepts.collect::<Result<_, _>>()?,
            });
            progress(ConceptProgress::Learned { way: &way.name });
        }
        let first = last.into_iter().map(|given| given.into_iter().next());
        Ok((SeedOutcome { seed, stages }, first.collect()))
    }

    fn learn(
        &self,
        source: &mut dyn SourceState,
        concept: usize,
        random: &mut rand_chacha::ChaCha8Rng,
    ) -> Result<(), ConceptError> {
        let real = &self.real[concept];
        let classes = vec![real.concept; real.indices.len()];
        let sample = |place: usize| Ok(StageInput::spikes(&real.spikes[place]));
        let judge = &self.judge;
        let logits = |kept: &StageInput<'_>| {
            let stage = Stage::Learning(judge.lr_index);
            let logits = judge.network.logits(stage, kept);
            logits.map_err(ReplayError::from)
        };
        let learned = LearnedSamples {
            indices: &real.indices,
            classes: &classes,
            sample: &sample,
            logits: &logits,
            largest_count: 1,
            is_fixed: false,
        };
        Ok(source.task_ended(&learned, random)?)
    }

    /// What a source gives for each of the first concepts.
    fn given(&self, source: &dyn SourceState, concepts: usize) -> Result<Vec<Given>, ConceptError> {
        let store = Store(&self.real);
        let examples = source.replays(&store);
        let found = self.judge.takes_for(examples.as_ref())?;
        let mut given = vec![Vec::new(); concepts];
        for (place, found) in found.into_iter().enumerate() {
            let class = examples.class(place);
            let known = self.real[..concepts].iter();
            let concept = known.into_iter().position(|real| real.concept == class);
            if let (Some(concept), StageInput::Spikes(spikes)) = (concept, examples.input(place)?) {
                given[concept].push((spikes.into_owned(), found));
            }
        }
        Ok(given)
    }

    fn figures(&self, given: &Given, real: &RealLatents) -> Result<ConceptFigures, ConceptError> {
        let right = given.iter().filter(|(_, found)| *found == real.concept);
        let right = right.count();
        let mut packed = BitSamples::new(real.packed.bits())?;
        for (spikes, _) in given {
            packed.push(&encode_spikes(&self.experiment.codec, spikes))?;
        }
        Ok(ConceptFigures {
            given: given.len(),
            alignment: (!given.is_empty()).then(|| right as f64 / given.len() as f64),
            diversity: Diversity::of(&packed, &real.packed)?,
        })
    }

    /// The first real sample of each concept, and nothing yet of any way.
    fn real_examples(&self, data: &Dataset) -> Result<Vec<ConceptExamples>, ConceptError> {
        let grid = self.judge.network.spec().grid();
        let each = self.real.iter().map(|real| {
            let spikes = real.one_decoded(0, &self.experiment.codec)?;
            let input = crate::train::StoredExamples {
                samples: vec![(Latent::Spikes(spikes.clone()).into(), real.concept)],
            };
            let found = self.judge.takes_for(&input)?;
            Ok(ConceptExamples {
                grid,
                // One sample was judged.
                real: judged((spikes, found[0]), real.concept, data),
                given: Vec::new(),
            })
        });
        each.collect()
    }
}
