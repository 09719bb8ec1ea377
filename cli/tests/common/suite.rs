//! A small suite.

use respike::dataset::{ShdContents, write_shd};

use super::Bench;

/// Everything that a suite can have, in a few seconds.
pub const SUITE: &str = r#"
name = "small"
about = "A grid for <tests> & nothing else."
seeds = [0, 5]
replays_for_samples = 576

[strict]
pretrain_epochs = 3
epochs = 2
multi_class_epochs = 2
falling_rate = true
policy = "class-balanced"

[published]
pretrain_epochs = 2
epochs = 2
multi_class_epochs = 1

[[study]]
scenario = "sample"
held_out = [1]
strategies = ["naive", "joint", "native", "latent"]
lr_indices = [0, 3]
codecs = ["raw", "or:10"]
replays = [128, 256]

[[study]]
scenario = "class"
protocols = ["strict"]
strategies = ["naive", "latent"]
lr_indices = [2, 3]
codecs = ["raw", "or:10", "counts:10"]
replays = [60]

[[study]]
scenario = "multi-class"
seeds = [5]
strategies = ["naive", "joint", "latent"]
lr_indices = [2]
codecs = ["raw", "counts:5"]
replays = [60]
"#;

/// Runs it.
pub const BENCH: &str =
    "bench shd --data many.h5 --model small.toml --suite small-suite.toml --out out";

/// A folder with the suite, data and a network for it.
pub fn prepared() -> Bench {
    let bench = Bench::new();
    let (path, names) = (bench.path("many.h5"), super::names());
    let recordings = super::recordings(24, 1);
    write_shd(&path, &ShdContents::new(&names, &recordings)).expect("written");
    std::fs::write(bench.path("small-suite.toml"), SUITE).expect("written");
    bench
}
