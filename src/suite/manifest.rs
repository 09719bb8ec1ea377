//! What stands in `suite.json` and `times.jsonl`.

use serde::{Deserialize, Serialize};

use super::{SuiteData, SuiteSettings};
use crate::continual::Protocol;
use crate::network::NetworkSpec;
use crate::simd::Simd;

/// The contents of `suite.json`: all that results depend on, besides what each of them says itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`SUITE_FORMAT`](super::SUITE_FORMAT), or 1.
    pub format: u32,
    /// Version of respike.
    pub respike: String,
    /// The sources ([`BUILD`](crate::BUILD)) of all programs that worked in the folder, the first one
    /// first; `unknown` stands for those of format 1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub builds: Vec<String>,
    /// The command that runs the suite.
    pub command: String,
    /// Vector instructions, as they decide on the last bits of trained weights.
    pub simd: Simd,
    /// Which protocols are run.
    pub protocols: Vec<Protocol>,
    /// The grid.
    pub suite: SuiteSettings,
    /// The network's file, as named on the command line or by default.
    pub model: String,
    /// The network.
    pub spec: NetworkSpec,
    /// The data.
    pub data: SuiteData,
}

/// How long a piece of work took; a line of `times.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimeLine {
    /// Protocol, what is held out, and seed.
    pub group: String,
    /// The experiment, or pre-training.
    pub cell: String,
    /// Seconds of one job.
    pub seconds: f64,
    /// Jobs that ran at once.
    pub jobs: usize,
}
