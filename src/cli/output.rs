//! What people see: progress and notes on stderr, tables and JSON on stdout.

use std::io::{self, Write};

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::failure::Failure;
use crate::continual::{EpochRecord, Phase, Progress};

/// Says something that is neither a result nor an error.
pub(super) fn note(text: &str) {
    // If stderr is gone there is nobody left to tell.
    let _ = writeln!(io::stderr(), "note: {text}");
}

/// Prints a result.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    Ok(writeln!(io::stdout(), "{text}")?)
}

/// Prints a result as JSON.
pub(super) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::Fault(error.into()))?;
    print(&text)
}

/// A table with numbers to the right; the first `words` columns are words, to the left.
pub(super) fn table(heading: &[&str], rows: &[Vec<String>], words: usize) -> String {
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_header(heading.to_vec());
    for row in rows {
        table.add_row(row.clone());
    }
    for column in table.column_iter_mut().skip(words) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}

/// A progress bar over epochs, on stderr; where that is no terminal, one line when it is done.
pub(super) struct EpochBar {
    bar: ProgressBar,
}

impl EpochBar {
    pub(super) fn new(name: &str, epochs: usize) -> Self {
        let bar = ProgressBar::new(epochs as u64);
        let template = "{prefix:32!} {bar:24} {pos:>4}/{len} epochs  {msg} {elapsed:>4} (-{eta})";
        // The template is a constant and right.
        let style = ProgressStyle::with_template(template).expect("a valid template");
        bar.set_style(style.progress_chars("█▉ "));
        bar.set_prefix(name.to_string());
        EpochBar { bar }
    }

    pub(super) fn epoch(&self, message: String) {
        self.bar.set_message(message);
        self.bar.inc(1);
    }

    pub(super) fn done(&self) {
        self.bar.finish();
        if self.bar.is_hidden() {
            let (name, epochs) = (self.bar.prefix(), self.bar.position());
            let line = format!("{name}: {epochs} epochs, {}", self.bar.message());
            // If stderr is gone there is nobody left to tell.
            let _ = writeln!(io::stderr(), "{line}");
        }
    }
}

/// Shows the progress of an experiment, a bar for each task.
#[derive(Default)]
pub(super) struct LearnBars {
    label: String,
    bar: Option<EpochBar>,
}

impl LearnBars {
    pub(super) fn new(label: &str) -> Self {
        LearnBars {
            label: label.to_string(),
            bar: None,
        }
    }

    pub(super) fn show(&mut self, progress: &Progress<'_>) {
        match progress {
            Progress::Planned(_) => {}
            Progress::Task {
                phase,
                name,
                epochs,
            } => {
                self.finish();
                let name = match phase {
                    Phase::Pretrain => format!("{}pre-train: {name}", self.label),
                    Phase::Learn => format!("{}learn: {name}", self.label),
                };
                self.bar = Some(EpochBar::new(&name, *epochs));
            }
            Progress::Epoch(record) => {
                if let Some(bar) = &self.bar {
                    bar.epoch(percentages(record));
                }
            }
        }
    }

    pub(super) fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.done();
        }
    }
}

fn percentages(record: &EpochRecord) -> String {
    let accuracy = record.accuracy;
    let (old, new) = (accuracy.old * 1e2, accuracy.new * 1e2);
    format!("old {old:.0} % new {new:.0} %")
}
