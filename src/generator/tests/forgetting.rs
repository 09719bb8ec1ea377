use super::*;

/// Log-likelihood a bit of other samples of the first concept, after it alone and after all five.
fn first_and_last(generator: &mut dyn SampleGenerator) -> (f64, f64) {
    let concepts = five_concepts(1);
    let mut all = Vec::new();
    for (class, (samples, _)) in concepts.iter().enumerate() {
        let concept = ClassId(class as u16);
        generator.learn(concept, samples).expect("new samples");
        let (_, others) = &concepts[0];
        let found = log_likelihood_per_bit(generator, ClassId(0), others).expect("known");
        all.push(found);
    }
    (all[0], all[4])
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
