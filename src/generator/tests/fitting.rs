use proptest::prelude::*;

use super::super::em::fit;
use super::*;

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
    let mut generator = separate(2);
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
    // Not only the means: bits of a component go together. As components are far apart, the mean
    // log-likelihood of what is drawn is that of knowing the component, less the entropy of its bits.
    let weights = mixture.weights();
    let expected = weights.iter().enumerate().map(|(component, weight)| {
        let bits = mixture.probabilities(component).into_iter();
        let of_bits: f64 = bits.map(|p| p * p.ln() + (1.0 - p) * (1.0 - p).ln()).sum();
        weight * (weight.ln() + of_bits)
    });
    let expected: f64 = expected.sum();
    let found = mixture.log_likelihoods(&drawn).expect("as many bits");
    let found = found.iter().sum::<f64>() / count as f64;
    assert!((found - expected).abs() < 0.2, "{found}, not {expected}");
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
