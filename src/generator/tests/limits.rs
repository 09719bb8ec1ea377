use super::*;

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
    let needed = 64 + 5 * (4 + 201);
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
    let refused = generator.learn_with(known, samples, &[]);
    assert_eq!(refused.err(), Some(GeneratorError::KnownConcept(known)));
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
        r#"{"components":12,"learning":{"replay":50},"fit":{"iterations":100,"tolerance":0.001,"smoothing":0.1,"starts":2}}"#
    );
    assert_eq!(
        serde_json::from_str::<SharedSettings>(&text).expect("just written"),
        settings
    );
    let short: SharedSettings = serde_json::from_str(r#"{"components":12,"learning":"naive"}"#)
        .expect("the rest is default");
    assert_eq!(short, SharedSettings::new(12, SharedLearning::Naive));
}
