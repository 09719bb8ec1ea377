use super::*;

/// What comes of the first concept later: other patterns than before, to learn from and others.
fn later() -> (BitSamples, BitSamples) {
    let mut random = stream(77);
    let patterns = [(); 2].map(|()| pattern(BITS, 0.2, &mut random));
    let learned = noisy(&patterns, 60, 0.04, &mut random);
    (learned, noisy(&patterns, 40, 0.04, &mut random))
}

fn likelihood(generator: &dyn SampleGenerator, class: u16, samples: &BitSamples) -> f64 {
    log_likelihood_per_bit(generator, ClassId(class), samples).expect("known")
}

#[test]
fn a_concept_that_comes_again_is_known_as_it_was_and_as_it_comes() {
    let (again, others) = later();
    let generators: [Box<dyn SampleGenerator>; 2] = [
        Box::new(separate(4)),
        Box::new(shared(14, SharedLearning::Replay(60))),
    ];
    for mut generator in generators {
        let concepts = five_concepts(1);
        for (class, (samples, _)) in concepts.iter().enumerate() {
            generator
                .learn(ClassId(class as u16), samples)
                .expect("learned");
        }
        let names = generator.concepts().to_vec();
        let bytes = generator.bytes();
        let before: Vec<f64> = (0..5)
            .map(|class| likelihood(generator.as_ref(), class, &concepts[usize::from(class)].1))
            .collect();
        let unknown = likelihood(generator.as_ref(), 0, &others);
        generator.learn(ClassId(0), &again).expect("learned again");
        assert_eq!(generator.concepts(), names);
        assert_eq!(generator.bytes(), bytes);
        assert_eq!(generator.learned_from(ClassId(0)), Ok(120));
        assert_eq!(generator.learned_from(ClassId(4)), Ok(60));
        let known = likelihood(generator.as_ref(), 0, &others);
        assert!(
            unknown < -0.6 && known > -0.35,
            "{generator:?}: {unknown}, {known}"
        );
        for (class, before) in before.iter().enumerate() {
            let after = likelihood(generator.as_ref(), class as u16, &concepts[class].1);
            assert!(before - after < 0.1, "{class}: {before}, {after}");
        }
    }
}

#[test]
fn a_naive_mixture_knows_what_came_last_alone() {
    let (again, others) = later();
    let concepts = five_concepts(1);
    let mut generator = shared(10, SharedLearning::Naive);
    generator
        .learn(ClassId(0), &concepts[0].0)
        .expect("learned");
    generator.learn(ClassId(0), &again).expect("learned again");
    assert!(likelihood(&generator, 0, &others) > -0.3);
    assert!(likelihood(&generator, 0, &concepts[0].1) < -0.6);
}

#[test]
fn other_concepts_alone_stay_to_the_bit() {
    let (again, _) = later();
    let concepts = five_concepts(1);
    let mut generator = separate(3);
    for class in [1, 0] {
        generator
            .learn(ClassId(class), &concepts[usize::from(class)].0)
            .expect("learned");
    }
    let of = |generator: &SeparateMixtures, class| {
        let mixture = generator.mixture(ClassId(class)).expect("known");
        (mixture.weights(), mixture.probabilities(2))
    };
    let mut at_once = generator.clone();
    let mut in_turn = generator.clone();
    let both = [(ClassId(0), &again), (ClassId(2), &concepts[2].0)];
    at_once.learn_together(&both).expect("one of them is new");
    for (concept, samples) in both {
        in_turn.learn(concept, samples).expect("learned");
    }
    assert_eq!(at_once, in_turn);
    assert_eq!(at_once.concepts(), [ClassId(1), ClassId(0), ClassId(2)]);
    assert_eq!(of(&at_once, 1), of(&generator, 1));
    assert_ne!(of(&at_once, 0), of(&generator, 0));
}

#[test]
fn what_is_drawn_to_learn_again_is_as_much_as_was_learned_from_and_has_an_end() {
    // Bits that are all set once, and all clear when the concept comes again: means say how many of each were there.
    let ones = |count, set| {
        let mut samples = BitSamples::new(64).expect("bits");
        for _ in 0..count {
            samples.push_bools(&[set; 64]).expect("64 bits");
        }
        samples
    };
    for (first, second, expected) in [(60, 60, 0.5), (30, 90, 0.25), (3000, 1000, 1000.0 / 2000.0)]
    {
        let settings = SeparateSettings::new(2);
        let mut generator = SeparateMixtures::new(64, settings, MasterSeed(5)).expect("settings");
        generator
            .learn(ClassId(0), &ones(first, true))
            .expect("learned");
        generator
            .learn(ClassId(0), &ones(second, false))
            .expect("learned again");
        let mixture = generator.mixture(ClassId(0)).expect("known");
        let mean = mixture.means().iter().sum::<f64>() / 64.0;
        assert!((mean - expected).abs() < 0.01, "{first}, {second}: {mean}");
    }
}
