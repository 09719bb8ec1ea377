//! The data of an experiment.
//!
//! In: a dataset, and which of its samples are for testing, if that is not for the protocol to say. Out: what an
//! [`Experiment`](super::Experiment) runs on.

use super::ContinualError;
use crate::dataset::{Dataset, Split};

/// A dataset that the protocol splits, or one with test samples of one's own. A reference to a dataset is the
/// former.
///
/// ```
/// use respike::continual::LearningData;
/// use respike::dataset::{DatasetBuilder, LabelledEvents, Split};
/// use respike::ids::{ClassId, SampleIndex, SpeakerId};
/// use respike::spikes::{EventStream, TimeGrid};
///
/// let names = vec!["yes".to_string(), "no".to_string()];
/// let mut builder = DatasetBuilder::new(TimeGrid::new(100, 1.4)?, 70, names)?;
/// for (class, speaker) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
///     builder.push(&LabelledEvents {
///         events: EventStream::new(vec![0.25], vec![12])?,
///         class: ClassId(class),
///         speaker: SpeakerId(speaker),
///         sound: None,
///     })?;
/// }
/// let dataset = builder.build()?;
/// // The first speaker is trained on, the second one is tested with.
/// let split = Split {
///     train: vec![SampleIndex(0), SampleIndex(1)],
///     test: vec![SampleIndex(2), SampleIndex(3)],
/// };
/// let data = LearningData::with_split(&dataset, &split)?;
/// assert_eq!(data.split().map(|split| split.test.len()), Some(2));
/// assert!(LearningData::from(&dataset).split().is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct LearningData<'a> {
    dataset: &'a Dataset,
    split: Option<&'a Split>,
}

impl<'a> From<&'a Dataset> for LearningData<'a> {
    fn from(dataset: &'a Dataset) -> Self {
        LearningData {
            dataset,
            split: None,
        }
    }
}

impl<'a> LearningData<'a> {
    /// A dataset of which some samples are for training and others for testing; those in neither part are left
    /// out.
    ///
    /// # Errors
    /// [`ContinualError::BadSplit`] if a sample is not there, or in the split twice.
    pub fn with_split(dataset: &'a Dataset, split: &'a Split) -> Result<Self, ContinualError> {
        let mut seen = vec![false; dataset.len()];
        for &index in split.train.iter().chain(&split.test) {
            match seen.get_mut(index.0) {
                Some(seen) if !*seen => *seen = true,
                _ => return Err(ContinualError::BadSplit(index)),
            }
        }
        let split = Some(split);
        Ok(LearningData { dataset, split })
    }

    /// All samples.
    pub fn dataset(&self) -> &'a Dataset {
        self.dataset
    }

    /// Which are for training and which for testing, where the protocol does not say.
    pub fn split(&self) -> Option<&'a Split> {
        self.split
    }
}
