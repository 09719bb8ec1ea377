use super::*;

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
    assert_eq!(alone.bytes(), 64 + 2 * (4 + 3 * 150 + 3));
    assert_eq!(together.bytes(), 64 + 7 * 150 + 2 * (4 + 7));
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
    for name in [
        "shape",
        "concepts",
        "learned_from",
        "probabilities",
        "weights",
    ] {
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
        "`learned_from` is missing or of another length",
    );
    with(
        "learned_from",
        Tensor::U16(vec![0]),
        "class 0 was learned from no sample",
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
