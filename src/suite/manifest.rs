//! What stands in `suite.json` and `times.jsonl`.

use serde::{Deserialize, Serialize};

use toml::Value;

use super::settings::StudyMethod;
use super::{SuiteData, SuiteSettings};
use crate::continual::Protocol;
use crate::method::View;
use crate::network::NetworkSpec;
use crate::simd::Simd;

/// The contents of `suite.json`: all that results depend on, besides what each of them says itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`SUITE_FORMAT`](super::SUITE_FORMAT), or an earlier one.
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

/// Suites of earlier formats knew no view of latents but as they are.
const FORMAT_WITH_VIEWS: u32 = 3;

impl Manifest {
    /// The same with what its format left to be understood said in its methods.
    pub(super) fn with_views_said(mut self) -> Self {
        if self.format < FORMAT_WITH_VIEWS {
            let studies = self.suite.study.iter_mut();
            for method in studies.flat_map(|study| &mut study.methods) {
                if let StudyMethod::Whole(table) = method {
                    let view = View::AsIs.to_string();
                    table.entry("view").or_insert(Value::String(view));
                }
            }
        }
        self
    }
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
