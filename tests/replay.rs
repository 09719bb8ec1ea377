//! Properties of codecs and memories: what was promised of sizes holds, decoding is what was encoded,
//! files come back whole or not at all.

use ndarray::Array2;
use proptest::prelude::*;
use respike::ids::{ClassId, TimeStep};
use respike::network::StageInput;
use respike::random::{MasterSeed, Purpose};
use respike::replay::{
    Capacity, CodecSettings, Kept, PolicySettings, ReplayError, ReplayMemory, StoredShape,
    decode_counts, decode_currents, decode_spikes, encode_counts, encode_currents, encode_spikes,
};
use respike::spikes::{SpikeCounts, SpikeRaster};
use respike::train::Examples;

fn codecs() -> impl Strategy<Value = CodecSettings> {
    prop_oneof![
        Just(CodecSettings::raw()),
        (1usize..25).prop_map(|w| CodecSettings::or(w).expect("valid")),
        (1usize..25).prop_map(|w| CodecSettings::counts(w).expect("valid")),
    ]
}

fn rasters() -> impl Strategy<Value = SpikeRaster> {
    (1usize..40, 1usize..150, any::<u64>(), 1u64..20).prop_map(|(steps, units, seed, rarity)| {
        let mut noise = seed | 1;
        let dense = Array2::from_shape_simple_fn((steps, units), || {
            noise = noise
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (noise >> 33) % rarity == 0
        });
        SpikeRaster::from_dense(dense.view()).expect("valid")
    })
}

/// Bits of a count up to `w`: ⌈log2(w + 1)⌉, by its definition.
fn count_bits(w: usize) -> usize {
    (0..)
        .find(|&bits| 1usize << bits > w)
        .expect("some power of two")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn spikes_are_packed_as_promised_and_decoding_is_idempotent(codec in codecs(), spikes in rasters()) {
        let (steps, units) = (spikes.steps(), spikes.units());
        let packed = encode_spikes(&codec, &spikes);
        let w = codec.window_steps();
        let windows = steps.div_ceil(w);
        let promised = match codec.kind() {
            "raw" => steps * units,
            "or" => windows * units,
            "counts" => windows * units * count_bits(w),
            _ => panic!("{codec} is promised nothing here"),
        };
        prop_assert_eq!(packed.len(), promised);
        let shape = StoredShape::new(Kept::Spikes, codec.clone(), steps, units).expect("valid");
        prop_assert_eq!(shape.bits(), promised as u64);
        let decoded = decode_spikes(&codec, steps, units, &packed).expect("its own bits");
        prop_assert_eq!(&encode_spikes(&codec, &decoded), &packed);
        if codec == CodecSettings::raw() || w == 1 {
            prop_assert_eq!(&decoded, &spikes);
        }
        // Unit by unit and window by window, by the codecs' definitions.
        let (before, after) = (spikes.to_dense(), decoded.to_dense());
        for unit in 0..units {
            for start in (0..steps).step_by(w) {
                let window = start..steps.min(start + w);
                let count = window.clone().filter(|&t| before[[t, unit]]).count();
                for (at, t) in window.enumerate() {
                    let expected = match codec.kind() {
                        "raw" => before[[t, unit]],
                        "or" => at == 0 && count > 0,
                        "counts" => at < count,
                        _ => panic!("{codec} is promised nothing here"),
                    };
                    prop_assert_eq!(after[[t, unit]], expected);
                }
            }
        }
        let short = &packed[..packed.len() - 1];
        let refused = matches!(decode_spikes(&codec, steps, units, short), Err(ReplayError::WrongLength { .. }));
        prop_assert!(refused);
    }

    #[test]
    fn currents_and_counts_are_packed_as_promised(codec in codecs(), spikes in rasters(), bits in 2u32..17) {
        let (steps, units) = (spikes.steps(), spikes.units());
        let mut value = 0.0;
        let currents = spikes.to_dense().mapv(|spike| {
            value += 0.25;
            if spike { value } else { -0.5 }
        });
        let packed = encode_currents(&codec, currents.view());
        let w = codec.window_steps();
        prop_assert_eq!(packed.len(), steps.div_ceil(w) * units * 32);
        let decoded = decode_currents(&codec, steps, units, &packed).expect("its own bits");
        prop_assert_eq!(&encode_currents(&codec, decoded.view()), &packed);
        for ((step, unit), &found) in decoded.indexed_iter() {
            let window = currents.slice(ndarray::s![step..steps.min(step + w), unit]);
            let expected = if step % w == 0 { window.sum() } else { 0.0 };
            prop_assert!((found - expected).abs() <= 1e-5 * expected.abs().max(1.0));
        }
        let largest = ((1u32 << bits) - 1) as u16;
        let dense = spikes.to_dense().mapv(|spike| if spike { largest } else { 0 });
        let counts = SpikeCounts::from_dense(dense.view()).expect("valid");
        let packed = encode_counts(&counts, bits).expect("they fit");
        prop_assert_eq!(packed.len(), steps * units * bits as usize);
        prop_assert_eq!(decode_counts(bits, steps, units, &packed).expect("its own bits"), counts.clone());
        if counts.total() > 0 {
            let refused = matches!(encode_counts(&counts, bits - 1), Err(ReplayError::CountTooLarge { .. }));
            prop_assert!(refused);
        }
    }

    #[test]
    fn a_memory_never_exceeds_its_budget_and_survives_its_file(
        codec in codecs(),
        (steps, units) in (1usize..30, 1usize..80),
        budget in 100u64..5000,
        policy in prop_oneof![Just(PolicySettings::uniform()), Just(PolicySettings::reservoir()), Just(PolicySettings::class_balanced())],
        groups in prop::collection::vec(1usize..60, 1..5),
    ) {
        let shape = StoredShape::new(Kept::Spikes, codec.clone(), steps, units).expect("valid");
        let made = ReplayMemory::new(shape.clone(), policy, Capacity::Bytes(budget));
        // One sample: its bits in whole words, 2 bytes of label, 64 of header.
        let least = shape.bits().div_ceil(64) * 8 + 2 + 64;
        prop_assert_eq!(made.is_ok(), budget >= least);
        let Ok(mut memory) = made else { return Ok(()) };
        let more = (memory.capacity() as u64 + 1) * shape.bits();
        prop_assert!(more.div_ceil(64) * 8 + (memory.capacity() as u64 + 1) * 2 + 64 > budget, "no room is wasted");
        let mut generator = MasterSeed(1).stream(Purpose::Memory);
        for (class, &size) in groups.iter().enumerate() {
            let classes = vec![ClassId(class as u16); size];
            let kept = memory.offer(&classes, |candidate| {
                let mut raster = SpikeRaster::new(steps, units).expect("valid");
                raster.set(TimeStep(candidate % steps), respike::ids::Unit(candidate % units));
                Ok(StageInput::Spikes(std::borrow::Cow::Owned(raster)))
            }, &mut generator).expect("they fit");
            prop_assert!(kept.len() <= size);
            prop_assert!(memory.bytes() <= budget);
            prop_assert!(memory.len() <= memory.capacity());
            prop_assert_eq!(memory.payload_bits(), memory.len() as u64 * shape.bits());
        }
        for index in 0..memory.len() {
            let StageInput::Spikes(replay) = memory.decode(index).expect("packed here") else {
                panic!("spikes were kept");
            };
            prop_assert_eq!(replay.count(), 1);
        }
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("memory.safetensors");
        memory.save(&path).expect("written");
        prop_assert_eq!(ReplayMemory::load(&path).expect("whole"), memory);
        let bytes = std::fs::read(&path).expect("there");
        std::fs::write(&path, &bytes[..bytes.len() - 1]).expect("written");
        let refused = matches!(ReplayMemory::load(&path), Err(ReplayError::BadFile { .. }));
        prop_assert!(refused);
    }
}

#[test]
fn the_papers_memory_takes_the_bytes_that_the_paper_says() {
    // Dequino et al. 2024: 2560 replays of 50 units and 10 windows are 160 kB.
    let shape = StoredShape::new(Kept::Spikes, CodecSettings::or(10).expect("valid"), 100, 50)
        .expect("valid");
    assert_eq!(2560 * shape.bits() / 8, 160_000);
    // With labels and header in the count, fewer fit.
    let honest = Capacity::Bytes(160_000)
        .samples(&shape)
        .expect("room for some");
    assert_eq!(honest, 2479);
}

#[test]
fn a_memory_takes_only_what_it_was_made_for() {
    let shape = StoredShape::new(Kept::Spikes, CodecSettings::raw(), 10, 5).expect("valid");
    let mut memory = ReplayMemory::new(
        shape.clone(),
        PolicySettings::uniform(),
        Capacity::Samples(1),
    )
    .expect("room");
    let fits = SpikeRaster::new(10, 5).expect("valid");
    let longer = SpikeRaster::new(11, 5).expect("valid");
    let wrong = memory.append(ClassId(0), &StageInput::spikes(&longer));
    assert!(matches!(wrong, Err(ReplayError::WrongShape { .. })));
    memory
        .append(ClassId(0), &StageInput::spikes(&fits))
        .expect("it fits");
    let full = memory.append(ClassId(0), &StageInput::spikes(&fits));
    assert!(matches!(full, Err(ReplayError::Full(1))));
}

/// Raw inputs of 4 steps and 3 channels that hold one count.
fn counts_of(count: u16) -> SpikeCounts {
    let mut dense = Array2::zeros((4, 3));
    dense[[1, 2]] = count;
    SpikeCounts::from_dense(dense.view()).expect("valid")
}

#[test]
fn a_memory_of_raw_inputs_grows_wider_with_the_counts_that_come() {
    let counts = [1, 1, 1, 1, 1].map(counts_of);
    let shape = StoredShape::new(Kept::counts_up_to(1), CodecSettings::raw(), 4, 3).expect("valid");
    assert_eq!(shape.bits(), 12, "a bit for each of 4 × 3");
    // 5 × 12 bits are one word; 5 labels and the header: 8 + 10 + 64. Of 3 bits a cell, 5 × 36 bits are
    // three words and 4 × 36 bits too, so 4 samples take 24 + 8 + 64.
    for (capacity, wider) in [(Capacity::Samples(5), 5), (Capacity::Bytes(96), 4)] {
        let mut memory =
            ReplayMemory::new(shape.clone(), PolicySettings::uniform(), capacity).expect("room");
        let mut generator = MasterSeed(1).stream(Purpose::Memory);
        for (class, counts) in counts.iter().enumerate() {
            let class = ClassId(class as u16);
            memory
                .append(class, &StageInput::counts(counts))
                .expect("it fits");
        }
        let before = memory.bytes();
        let grown = memory.hold_counts_up_to(5, capacity, &mut generator);
        grown.expect("there is room for one at least");
        assert_eq!(memory.shape().kept(), Kept::Inputs { bits: 3 });
        assert_eq!((memory.len(), memory.capacity()), (wider, wider));
        assert_eq!(memory.payload_bits(), wider as u64 * 36);
        assert!(memory.bytes() > before);
        if let Capacity::Bytes(budget) = capacity {
            assert!(memory.bytes() <= budget);
        }
        for (index, class) in memory.classes().iter().enumerate() {
            let kept = memory.decode(index).expect("packed here");
            let StageInput::Counts(kept) = kept else {
                panic!("raw inputs were kept");
            };
            assert_eq!(
                *kept,
                counts[class.index()],
                "nothing is lost in packing anew"
            );
        }
        // Smaller counts change nothing any more.
        let same = memory.clone();
        let grown = memory.hold_counts_up_to(2, capacity, &mut generator);
        grown.expect("nothing to do");
        assert_eq!(memory, same);
    }
    // Not even one of 16 bits a cell: 24 bytes of payload.
    let budget = Capacity::Bytes(75);
    let mut memory =
        ReplayMemory::new(shape.clone(), PolicySettings::uniform(), budget).expect("room for one");
    let before = memory.clone();
    let grown =
        memory.hold_counts_up_to(60_000, budget, &mut MasterSeed(1).stream(Purpose::Memory));
    assert!(matches!(grown, Err(ReplayError::BudgetTooSmall { .. })));
    assert_eq!(memory, before);
}

#[test]
fn a_memory_larger_than_the_machine_is_refused() {
    let shape = StoredShape::new(Kept::Spikes, CodecSettings::raw(), 100, 50).expect("valid");
    for capacity in [
        Capacity::Samples(1_000_000_000_000),
        Capacity::Bytes(900_000_000_000_000),
    ] {
        let refused = ReplayMemory::new(shape.clone(), PolicySettings::uniform(), capacity);
        let said = refused.expect_err("no machine has that").to_string();
        assert!(
            said.contains("a replay memory of") && said.contains("TB"),
            "{said}"
        );
    }
}
