//! Controls: what rules make of a group's samples that need no continual learning.
//!
//! In: the data with its events, a network spec and a group of the strict protocol. Out: accuracies, counted as those of
//! the group's experiments are, and the numbers that each rule keeps. The rules are made of sums over samples, which do
//! not depend on their order: fitted to the training samples of all tasks at once, they are what they would be if the
//! tasks were learned one by one.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::GroupId;
use crate::baseline::{
    BaselineError, EventWindows, FittedRule, GROUPS, LabelledFeatures, NETWORK_WINDOWS, Rule,
    STRETCHED_WINDOWS, Transform, UntrainedSpikes, Validation, WINDOWS, WindowSpan,
};
use crate::continual::{Accuracies, ContinualError, Plan, TestSamples, honest_plan, test_plan};
use crate::dataset::Dataset;
use crate::ids::SampleIndex;
use crate::network::NetworkSpec;
use crate::random::MasterSeed;

/// Bytes of a number that a rule keeps.
const NUMBER_BYTES: u64 = size_of::<f64>() as u64;

/// Which rule reads what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ControlKind {
    /// [`LinearRule`](crate::baseline::LinearRule) on events counted in windows.
    NoNetworkLinear,
    /// [`NearestMean`](crate::baseline::NearestMean) on the same.
    NoNetworkNearestMean,
    /// [`LinearRule`](crate::baseline::LinearRule) on hidden spikes of the network as the seed draws it, never trained
    /// ([`UntrainedSpikes`]).
    UntrainedNetworkLinear,
}

impl fmt::Display for ControlKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ControlKind::NoNetworkLinear => "no network, linear rule",
            ControlKind::NoNetworkNearestMean => "no network, nearest mean",
            ControlKind::UntrainedNetworkLinear => "untrained network, linear rule",
        })
    }
}

/// The controls of a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Controls {
    /// Which source they were computed by ([`BUILD`](crate::BUILD)).
    pub build: String,
    /// Samples that rules are fitted to: those that any task trains on, each once.
    pub train: usize,
    /// How many stand behind the accuracies.
    pub test_samples: TestSamples,
    /// Each control; without the one of hidden spikes where the network has no hidden layer.
    pub controls: Vec<Control>,
}

/// What a control came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Control {
    /// Which.
    pub kind: ControlKind,
    /// Windows that are counted in.
    pub windows: usize,
    /// Where the windows of events lie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<WindowSpan>,
    /// Features of a sample.
    pub features: usize,
    /// What counts become.
    pub transform: Transform,
    /// Of an untrained network, the share of counts that are not 0, of the samples that the rule is fitted to; results of
    /// versions that did not measure it have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonzero: Option<f64>,
    /// Of an untrained network that was silent as its spec says, how many times as wide its weights were drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights_wider: Option<u32>,
    /// How much of the covariance is given up, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shrinkage: Option<f64>,
    /// How windows, transform and shrinkage were picked; none if there were too few samples for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<Validation>,
    /// Numbers that have to be kept to go on learning.
    pub numbers: usize,
    /// On the plan's test samples.
    pub accuracy: Accuracies,
}

impl Control {
    /// Everything kept to go on learning, in bytes: eight a number. Weights that were never trained are a seed.
    pub fn bytes(&self) -> u64 {
        self.numbers as u64 * NUMBER_BYTES
    }
}

/// Why controls can't be computed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ControlsError {
    /// The scenario does not fit the data.
    #[error(transparent)]
    Plan(#[from] ContinualError),
    /// The rules do not.
    #[error(transparent)]
    Rule(#[from] BaselineError),
}

/// The controls of a group of the strict protocol.
///
/// # Errors
/// [`ControlsError`], such as for features that would not fit into memory.
pub(super) fn controls_of(
    spec: &NetworkSpec,
    data: &Dataset,
    group: &GroupId,
) -> Result<Controls, ControlsError> {
    let plan = honest_plan(group.scenario.as_ref(), group.protocol, data, group.seed)?;
    let trained = plan.tasks.iter().flat_map(|task| &task.train);
    let mut train: Vec<SampleIndex> = trained.copied().collect();
    train.sort_unstable();
    train.dedup();
    let fitting = Fitting {
        data,
        plan: &plan,
        train: &train,
        seed: group.seed,
    };
    let format = spec.input_format();
    let channels = format.inputs * format.channels_per_input.max(1);
    let end_s = data.grid().max_time_s();
    let mut events = Vec::new();
    for (windows, span) in [
        (WINDOWS, WindowSpan::Fixed),
        (STRETCHED_WINDOWS, WindowSpan::FirstToLast),
    ] {
        let groups = GROUPS.min(channels);
        let counted = EventWindows::new(channels, end_s, (groups, windows), span)?;
        let values = LabelledFeatures::new(counted.of_dataset(data)?, data)?;
        events.push(Features {
            windows,
            span: Some(span),
            values,
        });
    }
    let mut controls = vec![
        fitting.best(ControlKind::NoNetworkLinear, Rule::Linear, &events)?,
        fitting.best(
            ControlKind::NoNetworkNearestMean,
            Rule::NearestMean,
            &events,
        )?,
    ];
    drop(events);
    if spec.depth() > 0 {
        let windows = NETWORK_WINDOWS.min(spec.steps());
        let untrained = UntrainedSpikes::of(spec, group.seed, data, &train, windows)?;
        let spikes = Features {
            windows,
            span: None,
            values: untrained.counts,
        };
        let kind = ControlKind::UntrainedNetworkLinear;
        controls.push(Control {
            nonzero: Some(untrained.nonzero),
            weights_wider: Some(untrained.wider).filter(|wider| *wider > 1),
            ..fitting.best(kind, Rule::Linear, &[spikes])?
        });
    }
    Ok(Controls {
        build: crate::BUILD.to_string(),
        train: train.len(),
        test_samples: TestSamples::of(&plan),
        controls,
    })
}

/// Features of all samples.
struct Features {
    windows: usize,
    span: Option<WindowSpan>,
    values: LabelledFeatures,
}

/// What rules are fitted to and tested with.
struct Fitting<'a> {
    data: &'a Dataset,
    plan: &'a Plan,
    train: &'a [SampleIndex],
    seed: MasterSeed,
}

impl Fitting<'_> {
    /// A rule on those features with which it is right for most of the samples that settings are picked with, the same
    /// for all; of equals the first.
    fn best(
        &self,
        kind: ControlKind,
        rule: Rule,
        choices: &[Features],
    ) -> Result<Control, ControlsError> {
        let mut best: Option<(&Features, FittedRule)> = None;
        let right =
            |fitted: &FittedRule| fitted.validation.map_or(0, |validation| validation.correct);
        let classes = self.data.class_names().len();
        for features in choices {
            let train = features.values.only(self.train);
            let fitted = FittedRule::fit(rule, &train, classes, self.seed)?;
            if best
                .as_ref()
                .is_none_or(|(_, best)| right(&fitted) > right(best))
            {
                best = Some((features, fitted));
            }
        }
        let (features, fitted) = best.ok_or(BaselineError::NoFeatures)?;
        let accuracy = test_plan(self.plan, self.data, |samples| {
            fitted.predict(&features.values.only(samples))
        })?;
        Ok(Control {
            kind,
            windows: features.windows,
            span: features.span,
            features: features.values.features(),
            transform: fitted.transform,
            nonzero: None,
            weights_wider: None,
            shrinkage: fitted.shrinkage,
            validation: fitted.validation,
            numbers: fitted.numbers,
            accuracy,
        })
    }
}
