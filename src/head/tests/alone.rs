//! Closed forms as heads.

use std::num::{NonZeroU16, NonZeroU32};

use rand::Rng;
use rayon::ThreadPoolBuilder;

use super::*;
use crate::network::StageInput;
use crate::registry::Part;
use crate::spikes::SpikeRaster;
use crate::train::StoredExamples;

/// Spikes of the first layer that depend on the class.
fn spikes(samples: usize, seed: u64) -> StoredExamples<'static> {
    let mut random = MasterSeed(seed).stream(Purpose::Shuffle);
    let sample = |place: usize| {
        let class = place % CLASSES;
        let dense = Array2::from_shape_fn((STEPS, UNITS), |(_, unit)| {
            let likely = if unit % CLASSES == class { 0.6 } else { 0.2 };
            random.random_bool(likely)
        });
        let raster = SpikeRaster::from_dense(dense.view()).expect("valid");
        let input = StageInput::Spikes(std::borrow::Cow::Owned(raster));
        (input, ClassId(class as u16))
    };
    let samples = (0..samples).map(sample).collect();
    StoredExamples { samples }
}

fn every() -> [HeadSettings; 4] {
    let many = NonZeroU32::new(40).expect("above 0");
    [
        ClassMeans::default().into(),
        Slda::default().into(),
        Ridge::default().into(),
        Ridge::default().with_expansion(many).into(),
    ]
}

fn began(head: &HeadSettings, seed: u64) -> Result<Box<dyn HeadState>, HeadError> {
    let network = small();
    let stage = above(&network, 1);
    head.begin(&HeadPlace::new(&network, stage, MasterSeed(seed)))
}

fn taught(head: &HeadSettings, examples: &dyn Examples) -> Box<dyn HeadState> {
    let mut state = began(head, 1).expect("it fits");
    state.learn(examples).expect("it fits");
    state
}

fn found(head: &dyn HeadState, examples: &dyn Examples) -> Vec<ClassId> {
    let classes = head.classify(examples).expect("they fit");
    classes.expect("it learned")
}

#[test]
fn they_learn_and_keep_what_is_promised() {
    let (learned, tested) = (spikes(300, 1), spikes(90, 2));
    let d = 4 * UNITS as u64;
    let means = |d| 8 * 3 + 4 * 3 * d;
    let products = |d| 4 * d * (d + 1) / 2;
    let bytes = [
        means(d),
        means(d) + products(d),
        means(d) + products(d),
        8 + means(40) + products(40),
    ];
    for (head, bytes) in every().iter().zip(bytes) {
        assert!(head.learns_alone());
        let state = taught(head, &learned);
        let classes = found(state.as_ref(), &tested);
        let right = (0..tested.len()).filter(|&sample| classes[sample] == tested.class(sample));
        assert!(right.count() > 80, "{head}");
        assert_eq!(state.bytes(), bytes, "{head}");
    }
}

/// Sums of random features round, so that another order would be seen.
#[test]
fn threads_change_no_bit() {
    let (learned, tested) = (spikes(700, 1), spikes(90, 2));
    for head in &every() {
        let run = || {
            let state = taught(head, &learned);
            let classes = found(state.as_ref(), &tested);
            (state.save(), classes)
        };
        let with = |threads| {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build();
            pool.expect("threads").install(run)
        };
        assert_eq!(with(1), with(4), "{head}");
    }
    let mut turned = spikes(700, 1);
    turned.samples.reverse();
    let [.., expanded] = &every();
    let sums = |examples| taught(expanded, examples).save();
    assert_ne!(sums(&turned), sums(&learned), "sums are rounded");
}

#[test]
fn what_was_saved_goes_on_with_the_same_bits() {
    let (first, second, tested) = (spikes(100, 1), spikes(50, 3), spikes(90, 2));
    for head in &every() {
        let mut state = taught(head, &first);
        // The seed that random features are made of is the one of the beginning.
        let mut restored = began(head, 2).expect("it fits");
        restored.restore(state.save()).expect("its own");
        for more in [None, Some(&second)] {
            for state in [&mut state, &mut restored] {
                if let Some(more) = more {
                    state.learn(more).expect("it fits");
                }
            }
            assert_eq!(state.save(), restored.save(), "{head}");
            let classes = [&state, &restored].map(|state| found(state.as_ref(), &tested));
            assert_eq!(classes[0], classes[1], "{head}");
        }
        // Nothing that was learned, too.
        let mut empty = began(head, 1).expect("it fits");
        empty
            .restore(began(head, 1).expect("it fits").save())
            .expect("its own");
        assert_eq!(empty.classify(&tested).expect("they fit"), None);
        let other = taught(&every()[usize::from(head.kind() == "class-means")], &first);
        restored.restore(other.save()).expect_err("of another head");
    }
}

#[test]
fn what_does_not_fit_is_refused_in_words() {
    let network = small();
    for head in &every() {
        let whole = HeadPlace::new(&network, Stage::Whole, MasterSeed(1));
        let refused = head.begin(&whole).expect_err("no latents").to_string();
        assert!(refused.contains("--replay-layer"), "{refused}");
        // Currents of more units.
        let state = taught(head, &spikes(30, 1));
        let wide = Array2::from_elem((STEPS, UNITS + 1), 1.0);
        let wide = vec![(StageInput::currents(&wide), ClassId(0))];
        let wide = StoredExamples { samples: wide };
        let refused = state.classify(&wide).expect_err("too many").to_string();
        assert!(refused.contains("28 features where 24"), "{refused}");
        // A class that the network does not have.
        let mut odd = spikes(1, 1);
        odd.samples[0].1 = ClassId(7);
        let mut state = began(head, 1).expect("it fits");
        let refused = state.learn(&odd).expect_err("no such class").to_string();
        assert!(refused.contains(head.kind()), "{refused}");
        // Before anything was learned, the network's readout is asked.
        assert_eq!(state.classify(&wide).expect("nothing to do"), None);
    }
}

/// Units that all say the same.
#[test]
fn a_setting_helps_where_features_depend_on_each_other() {
    let strengths = (0..30u16).map(|sample| f32::from(sample % 7));
    let all_alike = |strength| Array2::from_elem((STEPS, UNITS), strength);
    let currents: Vec<_> = strengths.map(all_alike).collect();
    let samples = currents.iter().zip(0u16..);
    let samples = samples.map(|(one, place)| (StageInput::currents(one), ClassId(place % 3)));
    let alike = StoredExamples {
        samples: samples.collect(),
    };
    for (head, setting) in [
        (
            HeadSettings::from(Slda::default().with_shrinkage(1e-300)),
            "`shrinkage`",
        ),
        (Ridge::default().with_lambda(1e-300).into(), "`lambda`"),
    ] {
        let mut state = began(&head, 1).expect("it fits");
        let refused = state.learn(&alike).expect_err("singular").to_string();
        assert!(refused.contains(setting), "{refused}");
    }
    for head in &every() {
        taught(head, &alike);
    }
}

fn parsed<M: Part<dyn Head>>(text: &str) -> M {
    let head: HeadSettings = text.parse().expect("it is one");
    assert_eq!(head.to_string(), text);
    head.get().expect("of that type")
}

#[test]
fn settings_are_read_and_written() {
    let eight = NonZeroU16::new(8).expect("above 0");
    assert_eq!(parsed::<ClassMeans>("class-means"), ClassMeans::default());
    assert_eq!(
        parsed::<ClassMeans>("class-means:8"),
        ClassMeans::new(eight)
    );
    assert_eq!(
        parsed::<Slda>("slda:0.25"),
        Slda::default().with_shrinkage(0.25)
    );
    let ridge = Ridge::default().with_windows(eight).with_lambda(0.5);
    let text = r#"{ kind = "ridge", windows = 8, lambda = 0.5 }"#;
    assert_eq!(parsed::<Ridge>(text), ridge);
    assert_eq!(parsed::<CwrStar>("cwr-star"), CwrStar {});
    assert_eq!(parsed::<Aligned>("aligned"), Aligned {});
    for (odd, words) in [
        ("class-means:0", "a whole number above 0"),
        ("ridge:0", "a whole number above 0"),
        (r#"{ kind = "ridge", penalty = 1.0 }"#, "penalty"),
        ("cwr-star:1", "colon"),
    ] {
        let refused = odd.parse::<HeadSettings>().expect_err(odd);
        assert!(refused.contains(words), "{refused}");
    }
    for (odd, words) in [
        ("slda:0", "shrinkage must lie above 0"),
        ("slda:1.5", "shrinkage must lie above 0"),
        (r#"{ kind = "ridge", lambda = 0.0 }"#, "lambda must be"),
    ] {
        let head: HeadSettings = odd.parse().expect("it can be read");
        let refused = head.check().expect_err(odd).to_string();
        assert!(refused.contains(words), "{refused}");
    }
}
