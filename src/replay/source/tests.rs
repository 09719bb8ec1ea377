//! The generator as a replay source.

use bitvec::prelude::{BitVec, Lsb0};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::*;
use crate::generator::Form;
use crate::ids::{TimeStep, Unit};
use crate::network::Latent;
use crate::random::Purpose;
use crate::registry::Member;
use crate::replay::{Codec, PackedBits};
use crate::spikes::SpikeRaster;

const STEPS: usize = 40;
const UNITS: usize = 30;

fn place() -> SourcePlace {
    SourcePlace::new(Kept::Spikes, (STEPS, UNITS), 3, MasterSeed(4))
}

fn stream() -> ChaCha8Rng {
    MasterSeed(9).stream(Purpose::Memory)
}

fn chosen(text: &str) -> SourceSettings {
    let chosen: SourceSettings = text.parse().expect(text);
    chosen.check().expect(text);
    chosen
}

/// Samples of classes: of class c the units from 10·c on spike, nine of ten of them in the first ten steps.
fn samples(classes: &[u16], salt: u64) -> Vec<(ClassId, SpikeRaster)> {
    let mut random = MasterSeed(salt).stream(Purpose::Split);
    let samples = classes.iter().map(|&class| {
        let mut spikes = SpikeRaster::new(STEPS, UNITS).expect("extents");
        for unit in 0..10 {
            if random.random_bool(0.9) {
                let unit = Unit(10 * usize::from(class) + unit);
                spikes.set(TimeStep(random.random_range(0..10)), unit);
            }
        }
        (ClassId(class), spikes)
    });
    samples.collect()
}

fn end_task(
    source: &mut dyn SourceState,
    samples: &[(ClassId, SpikeRaster)],
    random: &mut ChaCha8Rng,
) {
    let indices: Vec<SampleIndex> = (0..samples.len()).map(SampleIndex).collect();
    let classes: Vec<ClassId> = samples.iter().map(|(class, _)| *class).collect();
    let sample = |place: usize| Ok(Latent::Spikes(samples[place].1.clone()).into());
    let learned = LearnedSamples {
        indices: &indices,
        classes: &classes,
        sample: &sample,
        logits: &|_| panic!("a generator keeps no logits"),
        largest_count: 0,
        is_fixed: false,
    };
    source
        .task_ended(&learned, random)
        .expect("samples that fit");
}

struct NoSamples;

impl SampleStore for NoSamples {
    fn examples(&self, _: Vec<SampleIndex>) -> Box<dyn Examples + '_> {
        panic!("a generator needs no sample")
    }
}

/// Classes and spikes of all that is replayed.
fn replayed(source: &dyn SourceState) -> Vec<(ClassId, SpikeRaster)> {
    let examples = source.replays(&NoSamples);
    let all = (0..examples.len()).map(|index| {
        assert_eq!(examples.steps(index), STEPS);
        match examples.input(index).expect("decoded") {
            StageInput::Spikes(raster) => (examples.class(index), raster.into_owned()),
            other => panic!("{other:?}"),
        }
    });
    all.collect()
}

#[test]
fn what_was_learned_is_drawn_anew_for_every_task() {
    for text in [
        r#"{ kind = "generator", components = 2 }"#,
        r#"{ kind = "generator", form = "shared", components = 6, samples = 20 }"#,
    ] {
        let mut source = chosen(text).begin(&place()).expect("spikes");
        let mut random = stream();
        source.task_begins(&mut random).expect("nothing yet");
        assert!(replayed(source.as_ref()).is_empty());
        end_task(
            source.as_mut(),
            &samples(&[0, 1].repeat(20), 1),
            &mut random,
        );
        source.task_begins(&mut random).expect("drawn");
        let first = replayed(source.as_ref());
        assert_eq!(first.len(), 40, "{text}");
        for (class, spikes) in &first {
            let own = |unit: usize| unit / 10 == usize::from(class.0);
            let sums = spikes.counts_per_unit();
            let spiked: u32 = sums.iter().sum();
            let own: u32 = (0..UNITS)
                .filter(|unit| own(*unit))
                .map(|unit| sums[unit])
                .sum();
            assert!(
                own >= 4 && own * 4 >= spiked * 3,
                "{text}: {class}, {sums:?}"
            );
        }
        source.task_begins(&mut random).expect("drawn");
        assert_ne!(replayed(source.as_ref()), first);
        // A class more, and one that comes again.
        end_task(
            source.as_mut(),
            &samples(&[1, 2].repeat(30), 2),
            &mut random,
        );
        assert!(replayed(source.as_ref()).is_empty());
        source.task_begins(&mut random).expect("drawn");
        let of = |wanted: u16| {
            let replays = replayed(source.as_ref()).into_iter();
            replays
                .filter(|(class, _)| *class == ClassId(wanted))
                .count()
        };
        let expected = match text.contains("samples") {
            true => [20, 20, 20],
            false => [20, 50, 30],
        };
        assert_eq!([0, 1, 2].map(of), expected);
    }
}

#[test]
fn bytes_are_the_generators_and_keep_a_budget() {
    // 40 steps of 30 units are 120 bits under or:10.
    for form in ["separate", "shared"] {
        let text =
            format!(r#"{{ kind = "generator", form = "{form}", capacity = {{ bytes = 2000 }} }}"#);
        let settings = chosen(&text);
        assert_eq!(settings.capacity(), Some(Capacity::Bytes(2000)));
        assert_eq!(settings.codec(), CodecSettings::or(10).ok().as_ref());
        let mut source = settings.begin(&place()).expect("room");
        end_task(
            source.as_mut(),
            &samples(&[0, 1, 2].repeat(15), 1),
            &mut stream(),
        );
        let figures = source.figures();
        let form = if form == "shared" {
            Form::Shared
        } else {
            Form::Separate
        };
        let components = form.components_within(2000, 120, 3).expect("room");
        assert_eq!(figures.bytes, form.bytes(components, 120, 3));
        assert!((1600..=2000).contains(&figures.bytes), "{}", figures.bytes);
        assert_eq!(figures.payload_bits, 8 * (figures.bytes - 64 - 3 * 4));
        assert_eq!((figures.samples, figures.raw_input_bits), (0, 0));
    }
    let small = chosen(r#"{ kind = "generator", capacity = { bytes = 300 } }"#);
    let refused = small.begin(&place()).expect_err("no room").to_string();
    assert!(refused.contains("needs 439 bytes"), "{refused}");
}

#[test]
fn a_generator_goes_on_from_its_state_bit_for_bit() {
    for text in [
        r#"{ kind = "generator", components = 3 }"#,
        r#"{ kind = "generator", form = "shared", learning = "replay", components = 5 }"#,
        r#"{ kind = "generator", form = "shared", learning = "naive", components = 5 }"#,
    ] {
        let mut source = chosen(text).begin(&place()).expect("spikes");
        let mut random = stream();
        end_task(
            source.as_mut(),
            &samples(&[0, 1].repeat(20), 1),
            &mut random,
        );
        let saved = source.save();
        let mut restored = chosen(text).begin(&place()).expect("spikes");
        restored.task_begins(&mut stream()).expect("nothing");
        restored
            .restore(saved.clone())
            .expect("of the same settings");
        assert_eq!(restored.save(), saved);
        let mut other_random = random.clone();
        for (source, random) in [
            (&mut source, &mut random),
            (&mut restored, &mut other_random),
        ] {
            source.task_begins(random).expect("drawn");
            end_task(source.as_mut(), &samples(&[2, 1].repeat(20), 3), random);
            source.task_begins(random).expect("drawn");
        }
        assert_eq!(replayed(source.as_ref()), replayed(restored.as_ref()));
        assert_eq!(source.save(), restored.save());
        let mut other = chosen(r#"{ kind = "generator", components = 9 }"#)
            .begin(&place())
            .expect("spikes");
        let refused = other.restore(saved).expect_err("of other components");
        assert!(refused.contains("where 9 of 120 are needed"), "{refused}");
    }
}

#[test]
fn what_is_no_spikes_is_refused() {
    let settings = chosen(r#"{ kind = "generator", components = 2 }"#);
    for (kept, what) in [
        (Kept::Currents, "input currents (LR index 0)"),
        (Kept::Inputs { bits: 1 }, "raw inputs"),
    ] {
        let place = SourcePlace::new(kept, (STEPS, UNITS), 3, MasterSeed(4));
        let refused = settings.begin(&place).expect_err("no spikes").to_string();
        assert!(
            refused.contains(what) && refused.contains("--replay-layer"),
            "{refused}"
        );
    }
    let mut source = settings.begin(&place()).expect("spikes");
    let narrow = [(ClassId(0), SpikeRaster::new(STEPS, 7).expect("extents"))];
    let sample = |_: usize| Ok(Latent::Spikes(narrow[0].1.clone()).into());
    let learned = LearnedSamples {
        indices: &[SampleIndex(0)],
        classes: &[ClassId(0)],
        sample: &sample,
        logits: &|_| panic!("a generator keeps no logits"),
        largest_count: 0,
        is_fixed: false,
    };
    let refused = source.task_ended(&learned, &mut stream());
    assert!(matches!(refused, Err(ReplayError::WrongShape { .. })));
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    for (settings, said) in [
        ("", "capacity of generator or components must be said"),
        (
            "components = 0",
            "components of generator must be 1 or more",
        ),
        (
            "components = 2, capacity = { bytes = 900 }",
            "capacity of generator follows from components",
        ),
        (
            "capacity = { samples = 9 }",
            "capacity of generator must be { bytes = … }",
        ),
        (
            "components = 2, learning = \"replay\"",
            "learning of generator is for components that all classes share",
        ),
        (
            "components = 2, samples = 0",
            "samples of generator must be 1 or more",
        ),
        (
            "components = 2, fit = { smoothing = -1 }",
            "fit.smoothing of generator must be 0 to 1000000, not -1",
        ),
    ] {
        let text = match settings {
            "" => "{ kind = \"generator\" }".to_string(),
            settings => format!("{{ kind = \"generator\", {settings} }}"),
        };
        let chosen: SourceSettings = text.parse().expect(&text);
        let refused = chosen
            .check()
            .expect_err(&text)
            .of(chosen.kind())
            .to_string();
        assert!(refused.starts_with(said), "{text}: {refused}");
    }
    let unknown = r#"{ kind = "generator", components = 2, window = 3 }"#.parse::<SourceSettings>();
    assert!(unknown.expect_err("a key").contains("window"));
    // Whatever is said is read again as it is written.
    let settings: SourceSettings = Generator::within(Form::Shared, 13_000)
        .with_learning(ComponentsLearn::Naive)
        .with_samples(30)
        .into();
    assert_eq!(settings.to_string().parse(), Ok(settings.clone()));
    let json = serde_json::to_string(&settings).expect("plain");
    assert_eq!(
        serde_json::from_str::<SourceSettings>(&json).expect("JSON"),
        settings
    );
}

/// A codec that reads no bits but those that it packed: an even number of ones.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Even {}

impl Member for Even {
    const KIND: &'static str = "even";
    const ABOUT: &'static str = "a bit a step";
}

impl Codec for Even {
    fn window_steps(&self) -> usize {
        1
    }

    fn bits(&self, steps: usize, units: usize) -> u64 {
        (steps * units) as u64
    }

    fn encode(&self, spikes: &SpikeRaster) -> BitVec<u64, Lsb0> {
        BitVec::repeat(false, spikes.steps() * spikes.units())
    }

    fn decode(&self, packed: PackedBits<'_>, _: &mut SpikeRaster) -> Result<(), ReplayError> {
        let ones: u32 = (0..packed.len()).map(|at| packed.read(at, 1) as u32).sum();
        match ones % 2 {
            0 => Ok(()),
            _ => Err(ReplayError::BadBits {
                codec: "even".to_string(),
                reason: "there is a one too many".to_string(),
            }),
        }
    }
}

#[test]
fn a_codec_that_cannot_read_what_is_drawn_is_told_before_the_task() {
    let fit = crate::generator::FitSettings::new().with_smoothing(20.0);
    let generator = Generator::new(Form::Separate, 1)
        .with_codec(Even {}.into())
        .with_fit(fit);
    let mut source = generator.begin(&place()).expect("spikes");
    end_task(source.as_mut(), &samples(&[0; 40], 1), &mut stream());
    let refused = source.task_begins(&mut stream()).expect_err("some are odd");
    assert!(refused.to_string().contains("a one too many"), "{refused}");
}
