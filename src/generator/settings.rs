use serde::{Deserialize, Serialize};

use super::GeneratorError;

/// The most samples that are drawn of a concept to learn it again: a fit takes as long as it has samples, and
/// more of them say next to nothing new of a mixture.
pub const MOST_DRAWN: u16 = 1000;

/// How a mixture is fitted to samples: by expectation maximisation (EM).
///
/// ```
/// use respike::generator::FitSettings;
///
/// let settings = FitSettings::new().with_starts(4).with_smoothing(0.5);
/// assert_eq!(settings.iterations, 100);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct FitSettings {
    /// Steps at most, 1 or more.
    pub iterations: usize,
    /// A step that gains less than this ends the fit, in nats a sample; 0 goes on while anything is gained.
    pub tolerance: f64,
    /// Laplace smoothing: so many samples with a bit set, as many with it clear, and as many of each
    /// component are thought to have been seen besides. In other words, what is maximised is the
    /// likelihood under a prior of Beta(1 + a, 1 + a) for every bit's probability and of
    /// Dirichlet(1 + a) for the weights. 0 maximises the likelihood alone.
    pub smoothing: f64,
    /// How often it is begun, each time from other samples; the best is kept. 1 or more.
    pub starts: usize,
}

impl Default for FitSettings {
    fn default() -> Self {
        FitSettings {
            iterations: 100,
            tolerance: 1e-3,
            smoothing: 0.1,
            starts: 2,
        }
    }
}

impl FitSettings {
    /// Up to 100 steps, until one gains less than 0.001 nats a sample; a smoothing of 0.1, and the
    /// better of two starts.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with another number of steps at most.
    pub fn with_iterations(mut self, iterations: usize) -> Self {
        self.iterations = iterations;
        self
    }

    /// The same with another gain that is too little to go on, in nats a sample.
    pub fn with_tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// The same with another smoothing.
    pub fn with_smoothing(mut self, smoothing: f64) -> Self {
        self.smoothing = smoothing;
        self
    }

    /// The same with another number of starts.
    pub fn with_starts(mut self, starts: usize) -> Self {
        self.starts = starts;
        self
    }

    pub(crate) fn check(&self) -> Result<(), GeneratorError> {
        for (setting, count) in [("iterations", self.iterations), ("starts", self.starts)] {
            if count == 0 {
                return Err(GeneratorError::BadSetting {
                    setting,
                    allowed: "1 or more",
                    found: 0.0,
                });
            }
        }
        for (setting, found) in [("tolerance", self.tolerance), ("smoothing", self.smoothing)] {
            if !(0.0..=1e6).contains(&found) {
                return Err(GeneratorError::BadSetting {
                    setting,
                    allowed: "0 to 1000000",
                    found,
                });
            }
        }
        Ok(())
    }
}

/// Settings of [`SeparateMixtures`](super::SeparateMixtures).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SeparateSettings {
    /// Components of each concept, 1 or more.
    pub components: usize,
    /// How they are fitted.
    #[serde(default)]
    pub fit: FitSettings,
}

impl SeparateSettings {
    /// So many components of each concept, fitted as [`FitSettings::new`] says.
    pub fn new(components: usize) -> Self {
        SeparateSettings {
            components,
            fit: FitSettings::new(),
        }
    }

    /// The same, fitted in another way.
    pub fn with_fit(mut self, fit: FitSettings) -> Self {
        self.fit = fit;
        self
    }

    pub(super) fn check(&self) -> Result<(), GeneratorError> {
        check_components(self.components)?;
        self.fit.check()
    }
}

/// What the components of a [`SharedMixture`](super::SharedMixture) are fitted to when a concept comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SharedLearning {
    /// The samples that come, alone: what the components were is lost. Weights of earlier concepts
    /// stay as they are.
    Naive,
    /// These together with as many samples of each known concept as it was learned from, but at most so
    /// many, drawn from the generator as it was. Weights of earlier concepts are fitted to what was drawn
    /// of them, and to what comes of them.
    Replay(u16),
}

/// Settings of [`SharedMixture`](super::SharedMixture).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SharedSettings {
    /// Components that all concepts share, 1 or more.
    pub components: usize,
    /// What they are fitted to when a concept comes.
    pub learning: SharedLearning,
    /// How they are fitted.
    #[serde(default)]
    pub fit: FitSettings,
}

impl SharedSettings {
    /// So many components, fitted as [`FitSettings::new`] says.
    pub fn new(components: usize, learning: SharedLearning) -> Self {
        SharedSettings {
            components,
            learning,
            fit: FitSettings::new(),
        }
    }

    /// The same, fitted in another way.
    pub fn with_fit(mut self, fit: FitSettings) -> Self {
        self.fit = fit;
        self
    }

    pub(super) fn check(&self) -> Result<(), GeneratorError> {
        check_components(self.components)?;
        if self.learning == SharedLearning::Replay(0) {
            return Err(GeneratorError::BadSetting {
                setting: "replay",
                allowed: "1 sample of each concept or more",
                found: 0.0,
            });
        }
        self.fit.check()
    }
}

fn check_components(components: usize) -> Result<(), GeneratorError> {
    if components == 0 {
        return Err(GeneratorError::NoComponents);
    }
    Ok(())
}
