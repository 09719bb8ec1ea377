//! Networks, methods and suites that ship, as text: files of the folder `snn-models`, which a program finds here
//! wherever it runs.

/// The reference network for 70 channels and ten digits.
pub const DEMO70: &str = include_str!("../snn-models/demo70.toml");

/// The network of the demo: adaptive neurons for the same digits.
pub const DIGITS70: &str = include_str!("../snn-models/digits70.toml");

/// Suites, by name: a text for [`SuiteSettings::parse`](crate::suite::SuiteSettings::parse).
pub const SUITES: [(&str, &str); 3] = [
    ("paper", include_str!("../snn-models/suites/paper.toml")),
    ("digits", include_str!("../snn-models/suites/digits.toml")),
    ("quick", include_str!("../snn-models/suites/quick.toml")),
];

/// Methods of continual learning, by name: a text for [`MethodFile`](crate::method::MethodFile).
pub const METHODS: [(&str, &str); 4] = [
    ("naive", include_str!("../snn-models/methods/naive.toml")),
    ("joint", include_str!("../snn-models/methods/joint.toml")),
    ("native", include_str!("../snn-models/methods/native.toml")),
    ("latent", include_str!("../snn-models/methods/latent.toml")),
];
