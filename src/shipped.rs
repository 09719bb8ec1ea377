//! Networks, methods and suites that ship, as text: files of the folder `snn-models`, which a program finds here
//! wherever it runs.

/// The reference network for 70 channels and ten digits.
pub const DEMO70: &str = include_str!("../snn-models/demo70.toml");

/// The network of the demo: adaptive neurons for the same digits.
pub const DIGITS70: &str = include_str!("../snn-models/digits70.toml");

/// Suites, by name: a text for [`SuiteSettings::parse`](crate::suite::SuiteSettings::parse).
pub const SUITES: [(&str, &str); 5] = [
    ("paper", include_str!("../snn-models/suites/paper.toml")),
    ("digits", include_str!("../snn-models/suites/digits.toml")),
    ("quick", include_str!("../snn-models/suites/quick.toml")),
    ("methods", include_str!("../snn-models/suites/methods.toml")),
    (
        "methods700",
        include_str!("../snn-models/suites/methods700.toml"),
    ),
];

/// Methods of continual learning, by name, ceilings first: a text for [`MethodFile`](crate::method::MethodFile).
pub const METHODS: [(&str, &str); 25] = [
    ("joint", include_str!("../snn-models/methods/joint.toml")),
    (
        "joint-above",
        include_str!("../snn-models/methods/joint-above.toml"),
    ),
    ("naive", include_str!("../snn-models/methods/naive.toml")),
    (
        "naive-above",
        include_str!("../snn-models/methods/naive-above.toml"),
    ),
    ("native", include_str!("../snn-models/methods/native.toml")),
    ("latent", include_str!("../snn-models/methods/latent.toml")),
    (
        "balanced",
        include_str!("../snn-models/methods/balanced.toml"),
    ),
    (
        "loss-balancing",
        include_str!("../snn-models/methods/loss-balancing.toml"),
    ),
    ("er-ace", include_str!("../snn-models/methods/er-ace.toml")),
    (
        "der-plus-plus",
        include_str!("../snn-models/methods/der-plus-plus.toml"),
    ),
    (
        "weight-aligning",
        include_str!("../snn-models/methods/weight-aligning.toml"),
    ),
    (
        "random-selection",
        include_str!("../snn-models/methods/random-selection.toml"),
    ),
    (
        "herding",
        include_str!("../snn-models/methods/herding.toml"),
    ),
    (
        "similarity",
        include_str!("../snn-models/methods/similarity.toml"),
    ),
    (
        "generator-separate",
        include_str!("../snn-models/methods/generator-separate.toml"),
    ),
    (
        "generator-shared",
        include_str!("../snn-models/methods/generator-shared.toml"),
    ),
    ("lwf", include_str!("../snn-models/methods/lwf.toml")),
    (
        "synaptic-intelligence",
        include_str!("../snn-models/methods/synaptic-intelligence.toml"),
    ),
    (
        "cwr-star",
        include_str!("../snn-models/methods/cwr-star.toml"),
    ),
    (
        "ar1-star-free",
        include_str!("../snn-models/methods/ar1-star-free.toml"),
    ),
    (
        "ar1-star",
        include_str!("../snn-models/methods/ar1-star.toml"),
    ),
    (
        "class-means",
        include_str!("../snn-models/methods/class-means.toml"),
    ),
    ("slda", include_str!("../snn-models/methods/slda.toml")),
    ("ridge", include_str!("../snn-models/methods/ridge.toml")),
    (
        "ridge-expanded",
        include_str!("../snn-models/methods/ridge-expanded.toml"),
    ),
];
