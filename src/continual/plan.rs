//! Plans: what a scenario and a protocol make of a dataset.

use serde::{Deserialize, Serialize};

use crate::ids::SampleIndex;

/// One step of a scenario: something to be learned, and how to tell whether it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// For tables and plots.
    pub name: String,
    /// Samples to train on; under the published protocol in the order of their batches.
    pub train: Vec<SampleIndex>,
    /// Samples to test with; none where the plan has [`parts`](Plan::parts) of its own.
    pub test: Vec<SampleIndex>,
    /// Samples that go into the memory after the task, where the protocol fixes them; `None` leaves
    /// the choice among the training samples to the memory's policy.
    pub replays: Option<Vec<SampleIndex>>,
}

/// Test samples that are measured together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestPart {
    /// For tables and plots.
    pub name: String,
    /// The samples.
    pub samples: Vec<SampleIndex>,
    /// The task that is the first to teach what they are of.
    pub first_task: usize,
}

/// What a protocol makes of a scenario and a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The first is for pre-training, the others are learned one by one.
    pub tasks: Vec<Task>,
    /// What is tested, where that is not the test samples of each task: in streams of many small tasks, the same
    /// test samples all the time.
    pub parts: Option<Vec<TestPart>>,
    /// What accuracy on `all` is measured with, if it is not all parts together.
    pub test_all: Option<Vec<SampleIndex>>,
    /// Whether batches and their order are fixed, new ones first, then replays.
    pub fixed_batches: bool,
    /// Whether, while task k is learned, *old* are all tasks before k and *new* is task k alone;
    /// otherwise *old* is what the base task teaches and *new* is all else.
    pub old_grows: bool,
}

impl Plan {
    /// The samples that accuracy on everything is measured with.
    pub fn test_all(&self) -> Vec<SampleIndex> {
        match &self.test_all {
            Some(samples) => samples.clone(),
            None => self.all_parts(),
        }
    }

    /// What is measured together.
    pub fn test_parts(&self) -> Vec<TestPart> {
        if let Some(parts) = &self.parts {
            return parts.clone();
        }
        let tasks = self.tasks.iter().enumerate();
        let part = tasks.map(|(first_task, task)| TestPart {
            name: task.name.clone(),
            samples: task.test.clone(),
            first_task,
        });
        part.collect()
    }

    /// The samples of all parts, one part after the other.
    pub(super) fn all_parts(&self) -> Vec<SampleIndex> {
        let parts = self.test_parts().into_iter();
        parts.flat_map(|part| part.samples).collect()
    }
}
