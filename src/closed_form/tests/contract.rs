//! What all learners have in common: what they keep, take back, refuse and never predict.

use ndarray::{ArrayD, IxDyn};

use super::*;

#[test]
fn bytes_are_those_of_the_arrays() {
    // 3 counts of 8 bytes, 3 × 5 sums of 4, and 15 products of 5 features; 10 features make 3 × 10 and 55.
    let expected = [24 + 60, 24 + 60 + 60, 24 + 60 + 60, 24 + 120 + 220 + 8];
    for (head, expected) in every(3, 5).into_iter().zip(expected) {
        assert_eq!(head.bytes(), expected, "{head:?}");
        let kept = head.tensors().into_values().map(|tensor| match tensor {
            Tensor::F32(array) => 4 * array.len(),
            Tensor::U64(list) => 8 * list.len(),
            Tensor::U16(list) => 2 * list.len(),
        });
        assert_eq!(kept.sum::<usize>() as u64, head.bytes());
    }
}

#[test]
fn what_is_restored_goes_on_with_the_same_bits() {
    let samples = uneven(counts(60, 7, 3, 6));
    let (first, rest) = samples.split_at(35);
    for ((mut head, mut other), mut third) in
        every(3, 7).into_iter().zip(every(3, 7)).zip(every(3, 7))
    {
        for (features, class) in first {
            head.learn(features, *class).expect("it fits");
        }
        other.learn(&[9.0; 7], ClassId(1)).expect("it fits");
        other.refit().expect("it can be solved");
        other.restore(&head.tensors()).expect("its own");
        assert_eq!(other.tensors(), head.tensors());
        for (features, class) in rest {
            head.learn(features, *class).expect("it fits");
            other.learn(features, *class).expect("it fits");
        }
        head.refit().expect("it can be solved");
        other.refit().expect("it can be solved");
        third.restore(&head.tensors()).expect("its own");
        third.refit().expect("it can be solved");
        for (asked, _) in &samples {
            assert_eq!(other.scores(asked), head.scores(asked));
            assert_eq!(third.scores(asked), head.scores(asked));
        }
    }
}

#[test]
fn arrays_of_others_are_refused_and_change_nothing() {
    let samples = counts(20, 5, 3, 7);
    for mut head in every(3, 5) {
        for (features, class) in &samples {
            head.learn(features, *class).expect("it fits");
        }
        head.refit().expect("it can be solved");
        let (good, scores) = (head.tensors(), head.scores(&samples[0].0));
        let mut refuse = |bad: BTreeMap<String, Tensor>, why: &str| {
            let said = head.restore(&bad).expect_err(why);
            assert!(said.contains(why), "{said}");
            assert_eq!(head.tensors(), good);
            assert_eq!(head.scores(&samples[0].0), scores);
        };
        for name in good.keys() {
            let mut bad = good.clone();
            bad.remove(name);
            refuse(bad, &format!("the array {name} is missing"));
            let mut bad = good.clone();
            bad.insert(name.clone(), Tensor::U16(vec![1]));
            refuse(bad, &format!("the array {name} is not one of"));
            let mut bad = good.clone();
            let (wrong, why) = match &good[name] {
                Tensor::F32(array) => {
                    let spoilt = array.mapv(|_| f32::NAN);
                    let mut other = good.clone();
                    other.insert(name.clone(), Tensor::F32(spoilt));
                    refuse(other, &format!("the array {name} holds a NaN"));
                    let short = ArrayD::zeros(IxDyn(&[2]));
                    (
                        Tensor::F32(short),
                        format!("the array {name} has the shape [2]"),
                    )
                }
                _ => (
                    Tensor::U64(vec![0; 2]),
                    format!("the array {name} has 2 numbers"),
                ),
            };
            bad.insert(name.clone(), wrong);
            refuse(bad, &why);
        }
        let mut bad = good.clone();
        bad.insert("odd".to_string(), Tensor::U16(vec![]));
        refuse(bad, "the array odd does not belong");
        let mut bad = good.clone();
        bad.insert("counts".to_string(), Tensor::U64(vec![u64::MAX, 1, 1]));
        refuse(bad, "samples");
    }
    let expanded = |seed| {
        let expansion = RandomExpansion::new(5, 6, MasterSeed(seed)).expect("above 0");
        Ridge::expanded(3, expansion, 1.0).expect("small")
    };
    let said = expanded(1).restore(&expanded(2).tensors());
    assert!(
        said.expect_err("another seed")
            .contains("the seed 2, and here the seed is 1")
    );
}

#[test]
fn classes_that_never_came_are_never_predicted() {
    // Of the two classes that came, every score is below 0 for some of what is asked.
    let samples: Samples = counts(40, 6, 2, 8)
        .into_iter()
        .map(|(row, class)| (row, ClassId(2 * class.0 + 1)))
        .collect();
    for mut head in every(5, 6) {
        assert_eq!(head.predict(&[1.0; 6]), None);
        assert!(
            head.scores(&[1.0; 6])
                .iter()
                .all(|score| *score == f64::NEG_INFINITY)
        );
        for (features, class) in &samples {
            head.learn(features, *class).expect("it fits");
        }
        head.refit().expect("it can be solved");
        for asked in [[1.0; 6], [-50.0; 6], [1e6; 6], [0.0; 6]] {
            let scores = head.scores(&asked);
            for (class, score) in scores.iter().enumerate() {
                assert_eq!(score.is_finite(), class == 1 || class == 3, "{head:?}");
            }
            assert!(matches!(head.predict(&asked), Some(ClassId(1 | 3))));
        }
        assert_eq!(head.predict(&[f32::NAN; 6]), None);
    }
}

/// Units that never spike, one sample a class, two units that are the same, and no spike at all.
#[test]
fn degenerate_features_can_be_learned() {
    let tables: [&[[f32; 4]]; 4] = [
        &[
            [1.0, 0.0, 1.0, 0.0],
            [0.0, 2.0, 0.0, 0.0],
            [2.0, 1.0, 2.0, 0.0],
        ],
        &[[3.0, 0.0, 0.0, 0.0], [0.0, 3.0, 0.0, 0.0]],
        &[[0.0; 4], [0.0; 4], [0.0; 4]],
        &[[7.0, 7.0, 7.0, 7.0]],
    ];
    for table in tables {
        for mut head in every(2, 4) {
            for (place, row) in table.iter().enumerate() {
                head.learn(row, ClassId(place as u16 % 2)).expect("it fits");
            }
            head.refit().expect("it can be solved");
            assert!(head.predict(&table[0]).is_some());
        }
    }
    // One sample a class: nothing varies, and the nearest one decides.
    let mut lda = StreamingLda::new(2, 2, 0.5).expect("small");
    lda.learn(&[0.0, 0.0], ClassId(0)).expect("it fits");
    lda.learn(&[4.0, 0.0], ClassId(1)).expect("it fits");
    lda.refit().expect("it can be solved");
    assert_eq!(lda.predict(&[1.9, 8.0]), Some(ClassId(0)));
    assert_eq!(lda.predict(&[2.1, 8.0]), Some(ClassId(1)));
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    for mut head in every(2, 3) {
        assert_eq!(head.refit(), Err(ClosedFormError::NoSamples));
        head.learn(&[1.0, 2.0, 3.0], ClassId(1)).expect("it fits");
        head.refit().expect("it can be solved");
        let (kept, scores) = (head.tensors(), head.scores(&[1.0; 3]));
        let (found, expected) = (2, 3);
        let wrong = head.learn(&[1.0; 2], ClassId(0));
        assert_eq!(
            wrong,
            Err(ClosedFormError::WrongFeatures { found, expected })
        );
        for value in [f32::NAN, f32::NEG_INFINITY, 1.1e9] {
            let bad = head.learn(&[0.0, value, 0.0], ClassId(0));
            assert!(matches!(
                bad,
                Err(ClosedFormError::BadFeature { place: 1, .. })
            ));
        }
        let (class, classes) = (ClassId(2), 2);
        let past = head.learn(&[1.0; 3], class);
        assert_eq!(past, Err(ClosedFormError::ClassPastEnd { class, classes }));
        assert_eq!(head.tensors(), kept);
        assert_eq!(head.scores(&[1.0; 3]), scores);
    }
    assert!(matches!(
        ClassMeans::new(0, 3),
        Err(ClosedFormError::BadClasses(0))
    ));
    assert!(matches!(
        ClassMeans::new(65537, 3),
        Err(ClosedFormError::BadClasses(65537))
    ));
    assert!(matches!(
        Ridge::new(2, 0, 1.0),
        Err(ClosedFormError::NoFeatures)
    ));
    for number in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(
            Ridge::new(2, 3, number),
            Err(ClosedFormError::BadRidge(_))
        ));
        let lda = StreamingLda::new(2, 3, number);
        assert!(matches!(lda, Err(ClosedFormError::BadShrinkage(_))));
    }
    for features in [1 << 40, usize::MAX] {
        assert!(matches!(
            Ridge::new(2, features, 1.0),
            Err(ClosedFormError::TooLarge(_))
        ));
        assert!(matches!(
            ClassMeans::new(2, features),
            Err(ClosedFormError::TooLarge(_))
        ));
    }
    let expected = "feature 1 is NaN; features must be finite and at most 1e9 from 0";
    let place = ClosedFormError::BadFeature {
        place: 1,
        value: f32::NAN,
    };
    assert_eq!(place.to_string(), expected);
}

#[test]
fn learning_makes_predictions_wait_for_a_refit() {
    for mut head in every(2, 2).into_iter().skip(1) {
        head.learn(&[1.0, 0.0], ClassId(0)).expect("it fits");
        head.refit().expect("it can be solved");
        assert_eq!(head.predict(&[1.0, 0.0]), Some(ClassId(0)));
        head.learn(&[0.0, 1.0], ClassId(1)).expect("it fits");
        assert_eq!(head.predict(&[1.0, 0.0]), None);
        head.refit().expect("it can be solved");
        assert_eq!(head.predict(&[0.0, 1.0]), Some(ClassId(1)));
    }
}

/// Two features alike to the last of 32 bits, and next to nothing held back.
#[test]
fn what_cannot_be_solved_is_told() {
    let mut ridge = Ridge::new(1, 2, 1e-300).expect("above 0");
    ridge.learn(&[3.0, 3.0], ClassId(0)).expect("it fits");
    assert_eq!(
        ridge.refit(),
        Err(ClosedFormError::Singular { help: "ridge" })
    );
    assert_eq!(ridge.predict(&[3.0, 3.0]), None);
}
