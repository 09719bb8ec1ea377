//! What people see: progress and notes on stderr, tables and JSON on stdout.

use std::borrow::Cow;
use std::io::{self, Write};

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::failure::Failure;
use respike::continual::{EpochRecord, Phase, Progress};
use respike::report::pretty_json;
use respike::simd::Simd;
use respike::storage::{Shown, is_odd, shown, shown_lines};
use respike::train::TimeSpent;

/// Says something that is neither a result nor an error.
pub(super) fn note(text: &str) {
    // If stderr is gone there is nobody left to tell.
    let _ = writeln!(io::stderr(), "note: {}", Shown(text));
}

/// Prints a result, which may have several lines; names in it that may hold line ends are escaped before.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let printed = writeln!(io::stdout(), "{}", shown_lines(text));
    printed.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::ReaderGone,
        _ => Failure::fault(format!("cannot print what came out: {error}")),
    })
}

/// Prints a result as JSON.
pub(super) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let text = pretty_json(value).map_err(|error| Failure::Fault(error.into()))?;
    print(&json_shown(&text))
}

/// JSON that means the same, with what acts on a terminal escaped as JSON does it; the text has no such
/// character outside of its strings.
fn json_shown(text: &str) -> Cow<'_, str> {
    let acts = |letter: char| is_odd(letter) && letter != '\n';
    if !text.contains(acts) {
        return text.into();
    }
    let letters = text.chars().map(|letter| match acts(letter) {
        true => format!("\\u{:04x}", u32::from(letter)),
        false => letter.to_string(),
    });
    letters.collect::<String>().into()
}

/// Says on stderr how fast training was and where the time went.
///
/// `others` are other parts with their seconds; what is left of `whole_s` stands last.
pub(super) fn note_time(spent: &TimeSpent, others: &[(&str, f64)], whole_s: f64) {
    let mut parts = spent.parts();
    parts.extend(others);
    let known: f64 = parts.iter().map(|part| part.1).sum();
    parts.push(("the rest", (whole_s - known).max(0.0)));
    let shares = parts.iter().filter(|part| part.1 >= whole_s * 1e-3);
    let shares = shares
        .map(|(name, seconds)| format!("{name} {seconds:.2} s ({:.1} %)", seconds / whole_s * 1e2));
    note(&format!(
        "{whole_s:.2} s in all, of which {:.2} s training at {:.0} samples a second ({} instructions, \
         {}): {}",
        spent.total(),
        spent.samples_per_second(),
        Simd::current(),
        match rayon::current_num_threads() {
            1 => "1 thread".to_string(),
            threads => format!("{threads} threads"),
        },
        shares.collect::<Vec<_>>().join(", ")
    ));
}

/// A table with numbers to the right; the first `words` columns are words, to the left.
pub(super) fn table(heading: &[&str], rows: &[Vec<String>], words: usize) -> String {
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_header(heading.to_vec());
    for row in rows {
        table.add_row(row.iter().map(|cell| shown_lines(cell).into_owned()));
    }
    for column in table.column_iter_mut().skip(words) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}

/// A progress bar on stderr; where that is no terminal, one line when it is done.
pub(super) struct CountedBar {
    bar: ProgressBar,
    things: &'static str,
}

/// A bar over so many things, which are named in the plural.
pub(super) fn counted_bar(name: &str, count: usize, things: &'static str) -> CountedBar {
    let bar = ProgressBar::new(count as u64);
    let template = format!(
        "{{prefix:32!}} {{bar:24}} {{pos:>4}}/{{len}} {things}  {{msg}} {{elapsed:>4}} (-{{eta}})"
    );
    // The template differs in a plain word only, and is right.
    let style = ProgressStyle::with_template(&template).expect("a valid template");
    bar.set_style(style.progress_chars("█▉ "));
    bar.set_prefix(shown(name).into_owned());
    CountedBar { bar, things }
}

impl CountedBar {
    pub(super) fn advance(&self, count: usize) {
        self.bar.inc(count as u64);
    }

    pub(super) fn done(&self) {
        // What ended early has not come to its end.
        match self.bar.length() == Some(self.bar.position()) {
            true => self.bar.finish(),
            false => self.bar.abandon(),
        }
        if self.bar.is_hidden() {
            let (name, count, message) =
                (self.bar.prefix(), self.bar.position(), self.bar.message());
            let message = match message.is_empty() {
                true => String::new(),
                false => format!(", {message}"),
            };
            // If stderr is gone there is nobody left to tell.
            let _ = writeln!(io::stderr(), "{name}: {count} {}{message}", self.things);
        }
    }
}

/// A progress bar over epochs.
pub(super) struct EpochBar(CountedBar);

impl EpochBar {
    pub(super) fn new(name: &str, epochs: usize) -> Self {
        EpochBar(counted_bar(
            name,
            epochs,
            if epochs == 1 { "epoch" } else { "epochs" },
        ))
    }

    pub(super) fn epoch(&self, message: String) {
        self.0.bar.set_message(message);
        self.0.advance(1);
    }

    pub(super) fn done(&self) {
        self.0.done();
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
            _ => {}
        }
    }

    pub(super) fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.done();
        }
    }
}

fn percentages(record: &EpochRecord) -> String {
    let Some(accuracy) = record.accuracy else {
        return "not tested".to_string();
    };
    let named = [("old", accuracy.old), ("new", accuracy.new)];
    let tested = named.into_iter().filter(|(_, value)| !value.is_nan());
    let words = tested.map(|(name, value)| format!("{name} {:.0} %", value * 1e2));
    words.collect::<Vec<_>>().join(" ")
}

/// A number with something between its thousands.
pub(super) fn grouped(number: u64, between: char) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(between);
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        for (number, expected) in [
            (0, "0"),
            (999, "999"),
            (1000, "1 000"),
            (1_234_567, "1 234 567"),
        ] {
            assert_eq!(grouped(number, ' '), expected);
        }
    }
}
