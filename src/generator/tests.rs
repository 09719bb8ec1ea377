use proptest::prelude::*;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::em::fit;
use super::*;
use crate::random::{MasterSeed, Purpose};

const BITS: usize = 150;

fn stream(seed: u64) -> ChaCha8Rng {
    MasterSeed(seed).stream(Purpose::Split)
}

/// Bits that are set with a probability, the same for all.
fn pattern(bits: usize, density: f64, random: &mut ChaCha8Rng) -> Vec<bool> {
    (0..bits).map(|_| random.random_bool(density)).collect()
}

/// Samples of some patterns in turn, each bit turned over with a probability.
fn noisy(patterns: &[Vec<bool>], count: usize, noise: f64, random: &mut ChaCha8Rng) -> BitSamples {
    let mut samples = BitSamples::new(patterns[0].len()).expect("bits");
    for index in 0..count {
        let pattern = &patterns[index % patterns.len()];
        let bits = pattern.iter().map(|&bit| bit != random.random_bool(noise));
        let bits: Vec<bool> = bits.collect();
        samples.push_bools(&bits).expect("of that length");
    }
    samples
}

/// Five concepts of two patterns each: samples to learn from, and others.
fn five_concepts(seed: u64) -> Vec<(BitSamples, BitSamples)> {
    let mut random = stream(seed);
    let concepts = (0..5).map(|_| {
        let patterns = [(); 2].map(|()| pattern(BITS, 0.2, &mut random));
        let learned = noisy(&patterns, 60, 0.04, &mut random);
        (learned, noisy(&patterns, 40, 0.04, &mut random))
    });
    concepts.collect()
}

fn shared(components: usize, learning: SharedLearning) -> SharedMixture {
    let settings = SharedSettings::new(components, learning);
    SharedMixture::new(BITS, settings, MasterSeed(5)).expect("settings")
}

fn separate(components: usize) -> SeparateMixtures {
    let settings = SeparateSettings::new(components);
    SeparateMixtures::new(BITS, settings, MasterSeed(5)).expect("settings")
}

/// Log-likelihood a bit of other samples of the first concept, after it alone and after all five.
fn first_and_last(generator: &mut dyn SampleGenerator) -> (f64, f64) {
    let concepts = five_concepts(1);
    let mut first = None;
    for (class, (samples, _)) in concepts.iter().enumerate() {
        let concept = ClassId(class as u16);
        generator.learn(concept, samples).expect("new samples");
        let (_, others) = &concepts[0];
        let found = log_likelihood_per_bit(generator, ClassId(0), others).expect("known");
        first.get_or_insert(found);
        let last = found;
        if class == 4 {
            return (first.expect("just set"), last);
        }
    }
    unreachable!("five concepts")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn no_step_lowers_the_objective(
        bits in 1usize..140,
        counts in prop::collection::vec(1usize..25, 1..4),
        components in 1usize..6,
        density in 0.0f64..=1.0,
        smoothing in prop::sample::select(vec![0.0, 0.05, 1.0, 20.0]),
        seed in any::<u64>(),
    ) {
        let mut random = stream(seed);
        let groups: Vec<BitSamples> = counts.iter().map(|&count| {
            noisy(&[pattern(bits, density, &mut random)], count, 0.3, &mut random)
        }).collect();
        let groups: Vec<&BitSamples> = groups.iter().collect();
        let settings = FitSettings::new().with_smoothing(smoothing).with_tolerance(0.0);
        let fitted = fit(&groups, components, &settings, &mut random).expect("small");
        let FitTrace { objectives, log_likelihoods } = &fitted.trace;
        for pair in objectives.windows(2) {
            prop_assert!(pair[1] >= pair[0] - 1e-10 * pair[0].abs().max(1.0), "{objectives:?}");
        }
        prop_assert!(objectives.iter().chain(log_likelihoods).all(|value| value.is_finite()));
        if smoothing == 0.0 {
            prop_assert_eq!(objectives, log_likelihoods);
        }
        for weights in fitted.weights.chunks_exact(components) {
            prop_assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        }
    }
}

#[test]
fn a_step_is_worth_something_and_the_likelihood_is_that_of_the_definition() {
    // Two bits, two samples of each of two kinds, two components: everything can be written out.
    let mut samples = BitSamples::new(2).expect("bits");
    for sample in [[true, false], [true, false], [false, true], [true, true]] {
        samples.push_bools(&sample).expect("two bits");
    }
    let settings = FitSettings::new().with_smoothing(0.5).with_tolerance(0.0);
    let fitted = fit(&[&samples], 2, &settings, &mut stream(1)).expect("small");
    let (p, w) = (&fitted.probabilities, &fitted.weights);
    let of_bit = |bit: usize, component: usize, set: bool| {
        let p = p[bit * 2 + component];
        if set { p } else { 1.0 - p }
    };
    let of_sample = |sample: [bool; 2]| -> f64 {
        (0..2)
            .map(|k| w[k] * of_bit(0, k, sample[0]) * of_bit(1, k, sample[1]))
            .sum()
    };
    let likelihood = 2.0 * of_sample([true, false]).ln()
        + of_sample([false, true]).ln()
        + of_sample([true, true]).ln();
    let of_bits: f64 = p.iter().map(|p| (p * (1.0 - p)).ln()).sum();
    let prior = 0.5 * (of_bits + w[0].ln() + w[1].ln());
    let trace = &fitted.trace;
    let found = trace.log_likelihoods.last().expect("at least one");
    assert!((found - likelihood).abs() < 1e-12);
    assert!((trace.objective() - likelihood - prior).abs() < 1e-12);
    assert!(trace.objective() > trace.objectives[0] + 0.1);
}

#[test]
fn one_component_is_the_smoothed_mean() {
    let mut samples = BitSamples::new(3).expect("bits");
    for sample in [
        [true, false, true],
        [true, false, false],
        [true, false, false],
    ] {
        samples.push_bools(&sample).expect("three bits");
    }
    let settings = FitSettings::new().with_smoothing(0.5);
    let fitted = fit(&[&samples], 1, &settings, &mut stream(1)).expect("small");
    for (found, expected) in fitted.probabilities.iter().zip([3.5, 0.5, 1.5]) {
        assert!((found - expected / 4.0).abs() < 1e-12);
    }
    assert_eq!(fitted.weights, [1.0]);
}

#[test]
fn two_patterns_far_apart_are_found() {
    let mut random = stream(2);
    let patterns = [(); 2].map(|()| pattern(BITS, 0.3, &mut random));
    // Three in four are of the first.
    let mixed = [&patterns[0], &patterns[0], &patterns[0], &patterns[1]].map(Clone::clone);
    let samples = noisy(&mixed, 200, 0.05, &mut random);
    let mut generator = separate(2);
    generator.learn(ClassId(3), &samples).expect("learned");
    let mixture = generator.mixture(ClassId(3)).expect("learned");
    let weights = mixture.weights();
    let first = usize::from(weights[1] > weights[0]);
    assert!((weights[first] - 0.75).abs() < 0.5 / 255.0, "{weights:?}");
    for (component, pattern) in [(first, &patterns[0]), (1 - first, &patterns[1])] {
        let found = mixture.probabilities(component);
        for (p, &set) in found.iter().zip(pattern) {
            assert_eq!(*p > 0.5, set);
            let noise = if set { 1.0 - p } else { *p };
            assert!(
                noise < 0.25,
                "five samples in a hundred are turned over, not {noise}"
            );
        }
    }
}

#[test]
fn what_is_drawn_has_the_mean_of_the_mixture() {
    let (samples, _) = &five_concepts(3)[0];
    let mut generator = separate(3);
    generator.learn(ClassId(0), samples).expect("learned");
    let mixture = generator.mixture(ClassId(0)).expect("learned");
    let count = 20_000;
    let mut random = stream(4);
    let drawn = generator.draw_many(ClassId(0), count, &mut random);
    let drawn = drawn.expect("learned");
    assert_eq!(drawn.len(), count);
    for (bit, mean) in mixture.means().into_iter().enumerate() {
        let set = drawn
            .iter()
            .filter(|row| row[bit / 64] >> (bit % 64) & 1 == 1);
        let share = set.count() as f64 / count as f64;
        let error = (mean * (1.0 - mean) / count as f64).sqrt();
        assert!(
            (share - mean).abs() < 5.0 * error,
            "{bit}: {share}, not {mean}"
        );
    }
    // Not only the means: bits of the same pattern go together.
    let (drawn, others) = (
        mean_likelihood(mixture, &drawn),
        mean_likelihood(mixture, samples),
    );
    assert!(
        (drawn - others).abs() < 0.05 * BITS as f64 / 5.0,
        "{drawn}, {others}"
    );
}

fn mean_likelihood(mixture: Mixture<'_>, samples: &BitSamples) -> f64 {
    let all = mixture.log_likelihoods(samples).expect("as many bits");
    all.iter().sum::<f64>() / all.len() as f64
}

#[test]
fn a_naive_mixture_forgets_and_one_with_replay_does_not() {
    let (before, after) = first_and_last(&mut shared(10, SharedLearning::Naive));
    let forgotten = before - after;
    assert!(forgotten > 0.5, "{before} {after}");
    let (before, after) = first_and_last(&mut shared(10, SharedLearning::Replay(60)));
    assert!(before - after < 0.1 * forgotten, "{before} {after}");
    let (before, after) = first_and_last(&mut separate(2));
    assert_eq!(before, after);
}

#[test]
fn samples_of_a_memory_keep_a_shared_mixture_from_forgetting() {
    let concepts = five_concepts(1);
    let mut generator = shared(10, SharedLearning::Naive);
    let mut naive = generator.clone();
    let mut old: Vec<(ClassId, &BitSamples)> = Vec::new();
    for (class, (samples, _)) in concepts.iter().enumerate() {
        let concept = ClassId(class as u16);
        generator
            .learn_with(concept, samples, &old)
            .expect("learned");
        naive.learn(concept, samples).expect("learned");
        old.push((concept, samples));
    }
    for (class, (_, others)) in concepts.iter().enumerate().take(4) {
        let of = |generator| log_likelihood_per_bit(generator, ClassId(class as u16), others);
        let (kept, lost) = (of(&generator).expect("known"), of(&naive).expect("known"));
        assert!(kept > -0.3 && lost < -0.8, "{class}: {kept}, {lost}");
    }
}

#[test]
fn naive_learning_keeps_the_weights_of_earlier_concepts() {
    let concepts = five_concepts(1);
    let weights = |generator: &SharedMixture| {
        let mixture = generator.mixture(ClassId(0)).expect("known");
        (mixture.weights(), mixture.probabilities(0))
    };
    for (learning, kept) in [
        (SharedLearning::Naive, true),
        (SharedLearning::Replay(60), false),
    ] {
        let mut generator = shared(10, learning);
        generator
            .learn(ClassId(0), &concepts[0].0)
            .expect("learned");
        let before = weights(&generator);
        generator
            .learn(ClassId(1), &concepts[1].0)
            .expect("learned");
        let after = weights(&generator);
        assert_eq!(before.0 == after.0, kept);
        assert_ne!(before.1, after.1);
    }
}

#[test]
fn what_is_learned_of_a_concept_alone_does_not_depend_on_the_order() {
    let concepts = five_concepts(1);
    let [mut one, mut other, mut at_once] = [(); 3].map(|()| separate(3));
    let mut both: Vec<(ClassId, &BitSamples)> = Vec::new();
    for class in [0, 1] {
        one.learn(ClassId(class), &concepts[usize::from(class)].0)
            .expect("learned");
        both.push((ClassId(class), &concepts[usize::from(class)].0));
        let class = 1 - class;
        other
            .learn(ClassId(class), &concepts[usize::from(class)].0)
            .expect("learned");
    }
    at_once.learn_together(&both).expect("learned");
    assert_eq!(one, at_once);
    for class in [0, 1] {
        let draws = [&one, &other].map(|generator| {
            generator
                .draw_many(ClassId(class), 5, &mut stream(9))
                .expect("known")
        });
        assert_eq!(draws[0], draws[1]);
    }
}

#[test]
fn bytes_are_those_of_all_parameters() {
    let concepts = five_concepts(1);
    let (mut alone, mut together) = (separate(3), shared(7, SharedLearning::Replay(10)));
    assert_eq!((alone.bytes(), together.bytes()), (64, 64 + 7 * 150));
    for (class, (samples, _)) in concepts.iter().enumerate().take(2) {
        let concept = ClassId(class as u16);
        alone.learn(concept, samples).expect("learned");
        together.learn(concept, samples).expect("learned");
    }
    // Two concepts of three components; two sets of weights over seven.
    assert_eq!(alone.bytes(), 64 + 2 * (2 + 3 * 150 + 3));
    assert_eq!(together.bytes(), 64 + 7 * 150 + 2 * (2 + 7));
    // As the arrays have it: the shape is of the 64 bytes, and words are filled up.
    let in_arrays = |generator: &dyn SampleGenerator| -> usize {
        let tensors = generator.tensors();
        let words = ["probabilities", "weights"].map(|name| match &tensors[name] {
            Tensor::U64(words) => words.len(),
            _ => panic!("bytes in words"),
        });
        words[0] * 8 + words[1] * 8
    };
    assert_eq!(
        in_arrays(&alone),
        (2usize * 3 * 150).next_multiple_of(8) + 8
    );
    assert_eq!(
        in_arrays(&together),
        (7usize * 150).next_multiple_of(8) + 16
    );
}

#[test]
fn budgets_are_kept_and_used() {
    for form in [Form::Separate, Form::Shared] {
        for budget in [1400, 2000, 5000, 77_777] {
            let components = form.components_within(budget, 200, 5).expect("room");
            assert!(form.bytes(components, 200, 5) <= budget);
            assert!(form.bytes(components + 1, 200, 5) > budget);
        }
    }
    let refused = Form::Separate
        .components_within(1000, 200, 5)
        .expect_err("too little");
    let needed = 64 + 5 * (2 + 201);
    assert_eq!(
        refused,
        GeneratorError::BudgetTooSmall {
            budget: 1000,
            needed
        }
    );
    assert_eq!(Form::Shared.components_within(1000, 200, 5), Ok(4));
    assert_eq!(
        Form::Separate.bytes(usize::MAX, usize::MAX, usize::MAX),
        u64::MAX
    );
}

#[test]
fn what_was_saved_goes_on_as_if_it_had_not_been() {
    let concepts = five_concepts(1);
    let fresh: [fn() -> Box<dyn SampleGenerator>; 2] = [
        || Box::new(separate(3)),
        || Box::new(shared(7, SharedLearning::Replay(20))),
    ];
    for fresh in fresh {
        let mut generator = fresh();
        let mut nothing = fresh();
        nothing
            .restore(&generator.tensors())
            .expect("of nothing, too");
        for class in 0..2u16 {
            let samples = &concepts[usize::from(class)].0;
            generator.learn(ClassId(class), samples).expect("learned");
        }
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("generator.safetensors");
        let mut file = crate::storage::TensorFile::with_note(&"a note");
        file.tensors = generator.tensors();
        file.write(&path).expect("written");
        let file = crate::storage::TensorFile::read(&path).expect("read");
        let mut restored = fresh();
        restored
            .restore(&file.tensors)
            .expect("of the same settings");
        assert_eq!(restored.concepts(), [ClassId(0), ClassId(1)]);
        for generator in [&mut generator, &mut restored] {
            generator
                .learn(ClassId(2), &concepts[2].0)
                .expect("learned");
        }
        assert_eq!(generator.tensors(), restored.tensors());
        let draws = [&generator, &restored].map(|generator| {
            generator
                .draw_many(ClassId(1), 5, &mut stream(3))
                .expect("known")
        });
        assert_eq!(draws[0], draws[1]);
    }
}

#[test]
fn arrays_of_another_generator_are_refused_and_change_nothing() {
    let mut generator = separate(3);
    generator
        .learn(ClassId(0), &five_concepts(1)[0].0)
        .expect("learned");
    let (before, whole) = (generator.clone(), generator.tensors());
    let mut cases = Vec::new();
    for name in ["shape", "concepts", "probabilities", "weights"] {
        let mut tensors = whole.clone();
        tensors.remove(name);
        cases.push((tensors, format!("`{name}` is missing")));
    }
    let mut with = |name: &str, tensor: Tensor, said: &str| {
        let mut tensors = whole.clone();
        tensors.insert(name.to_string(), tensor);
        cases.push((tensors, said.to_string()));
    };
    with(
        "shape",
        Tensor::U64(vec![150, 4]),
        "4 components of 150 bits, where 3 of 150",
    );
    with(
        "concepts",
        Tensor::U16(vec![1, 1]),
        "class 1 stands in `concepts` twice",
    );
    with(
        "concepts",
        Tensor::U16(vec![1, 2]),
        "`probabilities` is missing or of another length",
    );
    with(
        "weights",
        Tensor::U64(vec![0x01_ff_00]),
        "the weights of class 0 sum to 256, not 255",
    );
    for (tensors, said) in cases {
        let refused = generator.restore(&tensors).expect_err("not whole");
        assert!(refused.to_string().contains(&said), "{refused}");
        assert_eq!(generator, before);
    }
}

#[test]
fn one_thread_and_many_learn_and_draw_the_same() {
    let concepts = five_concepts(1);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("threads").install(|| {
            let mut generator = shared(6, SharedLearning::Replay(50));
            let mut traces = Vec::new();
            for (class, (samples, _)) in concepts.iter().enumerate() {
                traces.extend(
                    generator
                        .learn(ClassId(class as u16), samples)
                        .expect("learned"),
                );
            }
            let drawn = generator
                .draw_many(ClassId(0), 20, &mut stream(7))
                .expect("known");
            let mixture = generator.mixture(ClassId(0)).expect("known");
            let likelihoods = mixture
                .log_likelihoods(&concepts[0].1)
                .expect("as many bits");
            (generator.clone(), traces, drawn, likelihoods)
        })
    };
    assert_eq!(run(1), run(4));
}

#[test]
fn what_cannot_be_learned_is_refused_and_changes_nothing() {
    let concepts = five_concepts(1);
    let (none, samples) = (BitSamples::new(BITS).expect("bits"), &concepts[0].0);
    let mut short = BitSamples::new(8).expect("bits");
    short.push_bools(&[true; 8]).expect("8 bits");
    let mut generator = shared(4, SharedLearning::Naive);
    generator.learn(ClassId(0), samples).expect("learned");
    let before = generator.clone();
    let (known, unknown) = (ClassId(0), ClassId(1));
    let length = GeneratorError::WrongLength {
        found: 8,
        expected: BITS,
    };
    let new = |new: &[(ClassId, &BitSamples)]| before.clone().learn_together(new).err();
    assert_eq!(
        new(&[(known, samples)]),
        Some(GeneratorError::KnownConcept(known))
    );
    assert_eq!(
        new(&[(unknown, &none)]),
        Some(GeneratorError::NoSamples(unknown))
    );
    assert_eq!(new(&[(unknown, &short)]), Some(length));
    let twice = [(unknown, samples), (unknown, samples)];
    assert_eq!(new(&twice), Some(GeneratorError::GivenTwice(unknown)));
    let refused = generator.learn_with(unknown, samples, &[(ClassId(2), samples)]);
    assert_eq!(
        refused.err(),
        Some(GeneratorError::UnknownConcept(ClassId(2)))
    );
    assert_eq!(generator, before);
    assert_eq!(
        generator.draw(unknown, &mut stream(1)).err(),
        Some(GeneratorError::UnknownConcept(unknown))
    );
}

#[test]
fn settings_out_of_range_are_refused() {
    let fits = [
        FitSettings::new().with_iterations(0),
        FitSettings::new().with_starts(0),
        FitSettings::new().with_smoothing(-0.1),
        FitSettings::new().with_tolerance(f64::NAN),
    ];
    for fit in fits {
        let settings = SeparateSettings::new(2).with_fit(fit);
        let refused = SeparateMixtures::new(5, settings, MasterSeed(1)).err();
        assert!(
            matches!(refused, Some(GeneratorError::BadSetting { .. })),
            "{fit:?}"
        );
    }
    let none = SharedSettings::new(0, SharedLearning::Naive);
    assert_eq!(
        SharedMixture::new(5, none, MasterSeed(1)),
        Err(GeneratorError::NoComponents)
    );
    let none = SharedSettings::new(2, SharedLearning::Replay(0));
    assert!(SharedMixture::new(5, none, MasterSeed(1)).is_err());
    let huge = SeparateSettings::new(1 << 40);
    let refused = SeparateMixtures::new(1 << 40, huge, MasterSeed(1)).err();
    assert!(matches!(refused, Some(GeneratorError::Memory(_))));
}

#[test]
fn settings_are_read_as_they_are_written() {
    let settings = SharedSettings::new(12, SharedLearning::Replay(50));
    let text = serde_json::to_string(&settings).expect("plain data");
    assert_eq!(
        text,
        r#"{"components":12,"learning":{"replay":50},"fit":{"iterations":100,"tolerance":0.001,"smoothing":0.05,"starts":2}}"#
    );
    assert_eq!(
        serde_json::from_str::<SharedSettings>(&text).expect("just written"),
        settings
    );
    let short: SharedSettings = serde_json::from_str(r#"{"components":12,"learning":"naive"}"#)
        .expect("the rest is default");
    assert_eq!(short, SharedSettings::new(12, SharedLearning::Naive));
}

#[test]
fn a_fit_to_one_sample_many_times_over_is_a_copy_and_is_seen_as_one() {
    let mut random = stream(6);
    let pattern = pattern(BITS, 0.2, &mut random);
    let copies = noisy(&[pattern], 30, 0.0, &mut random);
    let mut generator = separate(4);
    generator.learn(ClassId(0), &copies).expect("learned");
    let drawn = generator
        .draw_many(ClassId(0), 50, &mut random)
        .expect("known");
    let diversity = Diversity::of(&drawn, &copies).expect("as many bits");
    assert_eq!(diversity.real, Some(0.0));
    assert!(diversity.nearest_real.expect("samples") < 0.03);

    let (learned, others) = &five_concepts(1)[0];
    let mut generator = separate(2);
    generator.learn(ClassId(0), learned).expect("learned");
    let drawn = generator
        .draw_many(ClassId(0), 60, &mut random)
        .expect("known");
    let diversity = Diversity::of(&drawn, learned).expect("as many bits");
    let (of_drawn, of_real) = (
        diversity.drawn.expect("pairs"),
        diversity.real.expect("pairs"),
    );
    assert!((of_drawn - of_real).abs() < 0.02, "{diversity:?}");
    let among = diversity.nearest_among_real.expect("pairs");
    assert!(
        diversity.nearest_real.expect("samples") > 0.8 * among,
        "{diversity:?}"
    );
    // Better than what knows the mean alone, of samples that it has not seen.
    let mut mean = separate(1);
    mean.learn(ClassId(0), learned).expect("learned");
    let of = |generator| log_likelihood_per_bit(generator, ClassId(0), others).expect("known");
    assert!(of(&generator) > of(&mean) + 0.05);
}
