//! What is wanted of a sample.
//!
//! In: what [`Examples`] say of it. Out: a [`Target`], which objectives look at.

use std::sync::Arc;

use super::{Examples, TrainError};
use crate::ids::ClassId;
use crate::network::Network;

/// Where a sample comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Origin {
    /// It is learned now.
    #[default]
    New,
    /// It stands for what was learned before.
    Replayed,
}

/// What is wanted of a sample.
///
/// ```
/// use respike::ids::ClassId;
/// use respike::train::{Origin, Target};
///
/// let new = Target::new(ClassId(3));
/// assert_eq!((new.origin, &new.past_logits), (Origin::New, &None));
/// let replayed = new.with_origin(Origin::Replayed).with_past_logits([0.5, -1.0, 0.0, 2.0]);
/// assert_eq!(replayed.past_logits.as_deref(), Some(&[0.5, -1.0, 0.0, 2.0][..]));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Target {
    /// Its class.
    pub class: ClassId,
    /// Where it comes from.
    pub origin: Origin,
    /// The logits that an earlier network gave it, one a class, if they are known; fewer where the network had
    /// fewer classes then.
    pub past_logits: Option<Arc<[f32]>>,
}

impl Target {
    /// A new sample of that class, of which no logits are known.
    pub fn new(class: ClassId) -> Self {
        Target {
            class,
            origin: Origin::New,
            past_logits: None,
        }
    }

    /// The same from there.
    #[must_use]
    pub fn with_origin(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    /// The same with the logits that an earlier network gave it.
    #[must_use]
    pub fn with_past_logits(mut self, logits: impl Into<Arc<[f32]>>) -> Self {
        self.past_logits = Some(logits.into());
        self
    }
}

/// What is wanted of some samples, each class one that the network has, and past logits ones that it can be
/// compared with.
pub(crate) fn targets_of(
    network: &Network,
    examples: &dyn Examples,
    samples: &[usize],
) -> Result<Vec<Target>, TrainError> {
    let classes = network.spec().classes();
    let checked = samples.iter().map(|&sample| {
        let class = examples.class(sample);
        if class.index() >= classes {
            return Err(TrainError::ClassPastEnd {
                sample,
                class,
                classes,
            });
        }
        let past_logits = examples.past_logits(sample);
        if let Some(logits) = past_logits.as_deref() {
            let reason = match logits.iter().all(|logit| logit.is_finite()) {
                true if (1..=classes).contains(&logits.len()) => None,
                true => Some(format!("there are {} for {classes} classes", logits.len())),
                false => Some("some are no finite numbers".to_string()),
            };
            if let Some(reason) = reason {
                return Err(TrainError::BadPastLogits { sample, reason });
            }
        }
        Ok(Target {
            class,
            origin: examples.origin(sample),
            past_logits,
        })
    });
    checked.collect()
}
