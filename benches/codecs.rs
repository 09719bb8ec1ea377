//! Compressing and packing the spikes of a middle layer (100 steps × 100 units), and back, on one
//! thread. Throughput is in bytes of raw spikes, a bit for each step and unit.

mod common;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use respike::network::{Latent, NetworkSpec, StageInput};
use respike::replay::{CodecSettings, decode_spikes_into, encode_spikes};
use respike::spikes::SpikeRaster;

const RASTERS: usize = 1000;
const CODECS: [&str; 5] = ["raw", "or:10", "or:5", "counts:10", "counts:5"];

fn codecs(criterion: &mut Criterion) {
    let data = common::dataset(common::BATCH);
    let spec = NetworkSpec::dequino2024();
    let network = common::trainer(spec.clone(), &data).into_network();
    let frozen = network.prepare_frozen(spec.replay_layer(2).expect("three layers"));
    let frozen = frozen.expect("its own");
    let samples = data
        .iter()
        .map(|(_, sample)| StageInput::counts(&sample.counts));
    let samples: Vec<_> = samples.collect();
    let latents = frozen.latents(&samples).expect("they fit");
    let rasters = latents.into_iter().filter_map(|latent| match latent {
        Latent::Spikes(raster) => Some(raster),
        _ => None,
    });
    let rasters: Vec<SpikeRaster> = rasters.collect();
    let mut group = criterion.benchmark_group("codecs");
    group.throughput(Throughput::Bytes((RASTERS * 100 * 100 / 8) as u64));
    for name in CODECS {
        let codec: CodecSettings = name.parse().expect("a codec");
        let name = name.replace(':', "_");
        group.bench_function(format!("encode {name}"), |bencher| {
            bencher.iter(|| {
                for raster in rasters.iter().cycle().take(RASTERS) {
                    black_box(encode_spikes(&codec, raster));
                }
            });
        });
        let mut raster = SpikeRaster::new(100, 100).expect("valid");
        let packed: Vec<_> = rasters.iter().map(|r| encode_spikes(&codec, r)).collect();
        group.bench_function(format!("decode {name}"), |bencher| {
            bencher.iter(|| {
                for bits in packed.iter().cycle().take(RASTERS) {
                    decode_spikes_into(&codec, bits, &mut raster).expect("just packed");
                    black_box(&raster);
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, codecs);
criterion_main!(benches);
