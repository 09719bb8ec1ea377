//! A run's record, read back.

use serde::Deserialize;

use super::{Description, EpochLine, RECORD_FORMAT, RecordLine, StartLine, Summary};
use crate::continual::{Experiment, Learns, TestSamples};
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
        let published = |experiment: &Experiment| experiment.protocol.is_published();
        self.learns_several() && self.experiment().is_some_and(published)
    }

    /// Names of the classes that were learned after pre-training.
    pub fn new_classes(&self) -> Vec<&String> {
        let learns_classes = self
            .experiment()
            .is_some_and(|experiment| experiment.scenario.learns() == Learns::Classes);
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
        let text = without_torn_line(text);
        let mut lines = text.lines().enumerate().map(|(index, line)| {
            let read = serde_json::from_str::<RecordLine>(line);
            let read = read.map_err(|error| json_error(&error));
            let sound = read.and_then(|line| damage(&line).map_or(Ok(line), Err));
            sound.map_err(|reason| format!("line {}: {reason}", index + 1))
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

/// A record without what a run wrote of its last line when it was cut off: a line has an end, or is one all the same.
fn without_torn_line(text: &str) -> &str {
    let (whole, last) = match text.rfind('\n') {
        Some(end) => text.split_at(end + 1),
        None => ("", text),
    };
    let is_line = serde_json::from_str::<RecordLine>(last).is_ok();
    if is_line || whole.is_empty() {
        text
    } else {
        whole
    }
}

/// The first number of a line that can't be what it says, in words.
fn damage(line: &RecordLine) -> Option<String> {
    match line {
        RecordLine::Start(_) => None,
        RecordLine::Epoch(epoch) => damage_of_epoch(epoch),
        RecordLine::End { summary } => damage_of_summary(summary),
    }
}

/// A share that is none, in words; those of no samples are no number.
fn no_share(what: &str, value: f64) -> Option<String> {
    let is_one = value.is_nan() || (0.0..=1.0).contains(&value);
    (!is_one).then(|| format!("{what} is {value}, which is no share from 0 to 1"))
}

fn damage_of_epoch(epoch: &EpochLine) -> Option<String> {
    let mut named = epoch.accuracy.iter();
    let named = named.find_map(|(name, &value)| no_share(&format!("the accuracy `{name}`"), value));
    let mut tasks = epoch.tasks.iter();
    let mut layers = epoch.layers.iter();
    let on_training = epoch.train_accuracy;
    on_training
        .and_then(|value| no_share("the accuracy on training samples", value))
        .or(named)
        .or_else(|| tasks.find_map(|&value| no_share("the accuracy of a task", value)))
        .or_else(|| {
            layers.find_map(|layer| {
                let spikes = layer.spikes_per_step.unwrap_or(0.0);
                no_share("the number of spikes a step", spikes)
                    .or_else(|| below_0("the norm of a gradient", layer.gradient_norm))
            })
        })
        .or_else(|| below_0("the learning rate", f64::from(epoch.learning_rate)))
}

/// A number below 0 that can't be, in words.
fn below_0(what: &str, value: f64) -> Option<String> {
    (value < 0.0).then(|| format!("{what} is {value}, which is below 0"))
}

fn damage_of_summary(summary: &Summary) -> Option<String> {
    let accuracies: Vec<Option<f64>> = match summary {
        Summary::Train(summary) => {
            let picked = summary.picked.as_ref();
            vec![
                Some(summary.train_accuracy),
                summary.test_accuracy,
                picked.and_then(|picked| picked.validation_accuracy),
            ]
        }
        Summary::Learn(summary) => {
            let ends = [&summary.accuracy.before, &summary.accuracy.after];
            let all = ends.map(|accuracy| [accuracy.old, accuracy.new, accuracy.all]);
            all.into_iter().flatten().map(Some).collect()
        }
    };
    let mut accuracies = accuracies.into_iter().flatten();
    accuracies.find_map(|value| no_share("an accuracy of the summary", value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_line_that_is_torn_is_dropped_and_others_are_told() {
        let text = include_str!("../../tests/formats/train/run.jsonl");
        let whole = RunRecord::parse("run", text).expect("a record");
        let epochs = whole.epochs.len();
        let end = text.trim_end().rfind('\n').expect("several lines");
        // The end of the run, and then an epoch, were being written when it was cut off.
        for cut in [end + 1, end + 20] {
            let torn = RunRecord::parse("run", &text[..cut]).expect("a record");
            assert_eq!((torn.epochs.len(), torn.summary), (epochs, None));
        }
        let before = text[..end].rfind('\n').expect("several lines");
        let torn = RunRecord::parse("run", &text[..before + 30]).expect("a record");
        assert_eq!(torn.epochs.len(), epochs - 1);
        let damaged = text.replacen("\"epoch\"", "\"epo", 1);
        RunRecord::parse("run", &damaged).expect_err("not the last line");
    }

    #[test]
    fn numbers_that_can_not_be_are_told_with_their_line() {
        let text = include_str!("../../tests/formats/train/run.jsonl");
        RunRecord::parse("run", text).expect("a record");
        let lines = text.lines().count();
        let with = |line: usize, key: &str, to: &str| {
            let lines = text.lines().enumerate().map(|(index, text)| {
                let Some((before, after)) = text.split_once(key).filter(|_| index + 1 == line)
                else {
                    return text.to_string();
                };
                let end = after.find([',', '}']).expect("a value ends");
                format!("{before}{key}{to}{}", &after[end..])
            });
            let changed = lines.collect::<Vec<_>>().join("\n");
            assert_ne!(changed.trim(), text.trim(), "{key}");
            RunRecord::parse("run", &changed).expect_err(key)
        };
        for (line, key, to, words) in [
            (2, "\"train_accuracy\":", "7.0", "is 7, which is no share"),
            (2, "\"train_accuracy\":", "-0.1", "no share"),
            (3, "\"loss\":", "null", "null"),
            (3, "\"learning_rate\":", "-1.0", "below 0"),
            (lines, "\"train_accuracy\":", "2.0", "of the summary"),
        ] {
            let why = with(line, key, to);
            assert!(why.starts_with(&format!("line {line}: ")), "{why}");
            assert!(why.contains(words), "{why}");
        }
    }
}
