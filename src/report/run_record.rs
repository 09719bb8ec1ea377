//! A run's record, read back.

use serde::Deserialize;

use super::{Description, EpochLine, RECORD_FORMAT, RecordLine, StartLine, Summary};
use crate::continual::{Experiment, Protocol, TestSamples};
use crate::storage::json_error;

/// A run as its record tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRecord {
    /// A name for legends: the run's folder.
    pub name: String,
    /// What was to be done.
    pub start: StartLine,
    /// Every epoch in order.
    pub epochs: Vec<EpochLine>,
    /// What it came to; `None` if the run is not over.
    pub summary: Option<Summary>,
}

/// As much of a first line as every format has.
#[derive(Deserialize)]
struct FormatOnly {
    format: u32,
}

impl RunRecord {
    /// The experiment, if the run is one of continual learning.
    pub fn experiment(&self) -> Option<&Experiment> {
        match &self.start.settings {
            Description::Learn(experiment) => Some(experiment),
            Description::Train { .. } => None,
        }
    }

    /// Whether several new things are learned, one after the other.
    pub fn learns_several(&self) -> bool {
        self.experiment().is_some() && self.start.tasks.len() > 2
    }

    /// Whether *old* grows with every task, and *new* is the one at hand alone.
    pub fn old_grows(&self) -> bool {
        let published = |experiment: &Experiment| experiment.protocol == Protocol::Published;
        self.learns_several() && self.experiment().is_some_and(published)
    }

    /// Names of the classes that were learned after pre-training.
    pub fn new_classes(&self) -> Vec<&String> {
        let learns_classes = self
            .experiment()
            .is_some_and(|experiment| experiment.scenario.learns_classes());
        let new = self.start.tasks.iter().skip(1).map(|task| &task.name);
        new.filter(|_| learns_classes).collect()
    }

    /// How many test samples stand behind the accuracies at the end of a continual-learning run.
    pub fn test_samples(&self) -> Option<TestSamples> {
        self.experiment()?;
        let summary = match &self.summary {
            Some(Summary::Learn(summary)) => Some(summary),
            _ => None,
        };
        if let Some(noted) = summary.and_then(|summary| summary.test_samples) {
            return Some(noted);
        }
        let tests: Vec<usize> = self.start.tasks.iter().map(|task| task.test).collect();
        let together = tests.iter().sum();
        let all = summary.map_or(together, |summary| {
            usize::try_from(summary.confusion.after.samples()).unwrap_or(together)
        });
        (!tests.is_empty()).then(|| TestSamples::of_tasks(&tests, self.old_grows(), all))
    }

    /// Reads the text of a `run.jsonl`.
    ///
    /// # Errors
    /// The line that is not as it should be, and why.
    pub fn parse(name: &str, text: &str) -> Result<Self, String> {
        let first = text.lines().next().unwrap_or_default();
        let format = serde_json::from_str::<FormatOnly>(first).map(|line| line.format);
        if let Ok(format) = format
            && !(1..=RECORD_FORMAT).contains(&format)
        {
            return Err(format!(
                "it has format {format}, and this version reads 1 to {RECORD_FORMAT}"
            ));
        }
        let mut lines = text.lines().enumerate().map(|(index, line)| {
            serde_json::from_str::<RecordLine>(line)
                .map_err(|error| format!("line {}: {}", index + 1, json_error(&error)))
        });
        let Some(RecordLine::Start(start)) = lines.next().transpose()? else {
            return Err("line 1 is not the start of a run".to_string());
        };
        let mut record = RunRecord {
            name: name.to_string(),
            start: *start,
            epochs: Vec::new(),
            summary: None,
        };
        for line in lines {
            match line? {
                RecordLine::Epoch(epoch) => record.epochs.push(epoch),
                RecordLine::End { summary } => record.summary = Some(*summary),
                RecordLine::Start(_) => return Err("a second start of a run".to_string()),
            }
        }
        Ok(record)
    }
}
