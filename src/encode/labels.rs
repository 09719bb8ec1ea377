//! Who says what in a recording: read from its name, or from a table.
//!
//! In: a rule, and the names of recordings. Out: labels for each of them.

use std::path::Path;

use super::{AudioFile, EncodeError, LabelTable, NamePattern};
use crate::names::normalised;

/// What is said of one recording.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Labels {
    /// What is said.
    pub label: String,
    /// Who says it.
    pub speaker: Option<String>,
    /// In which language.
    pub language: Option<String>,
    /// Which of several recordings of the same it is.
    pub take: Option<u32>,
}

impl Labels {
    /// Labels of parts as they are spelled in a name or a table; the reason where they cannot be used.
    pub(super) fn of_parts(
        label: &str,
        speaker: Option<&str>,
        language: Option<&str>,
        take: Option<&str>,
    ) -> Result<Self, String> {
        if label.is_empty() {
            return Err("the label is empty".to_string());
        }
        let parts = [Some(label), speaker, language];
        let mut parts = parts.into_iter().flatten();
        if let Some(part) = parts.find(|part| part.contains(['\0', '\n', '\r'])) {
            return Err(format!("{part:?} is no name: it goes on over the line"));
        }
        let take = take.map(|take| {
            take.parse()
                .map_err(|_| format!("the take `{take}` is not a number below 2^32"))
        });
        Ok(Labels {
            label: normalised(label),
            speaker: speaker.map(normalised),
            language: language.map(normalised),
            take: take.transpose()?,
        })
    }
}

/// How labels are found.
#[derive(Debug, Clone)]
pub enum LabelRule {
    /// From the recordings' names: each recording by the first of these patterns that its name fits.
    Patterns(Vec<NamePattern>),
    /// From a table with a row for each recording.
    Table(LabelTable),
}

impl Default for LabelRule {
    /// The names of FSDD, `{label}_{speaker}_{take}`, and those of SHD's recordings,
    /// `lang-{language}_speaker-{speaker}_trial-{take}_digit-{label}`. No name fits both.
    fn default() -> Self {
        LabelRule::Patterns(vec![NamePattern::fsdd(), NamePattern::shd()])
    }
}

impl LabelRule {
    /// Understands a rule: the path of a CSV file, or a pattern with `{label}`.
    ///
    /// ```
    /// use respike::encode::LabelRule;
    ///
    /// let rule = LabelRule::parse("lang-{language}_speaker-{speaker}_trial-{take}_digit-{label}")?;
    /// let labels = rule.labels("lang-german_speaker-04_trial-12_digit-7.flac").unwrap();
    /// assert_eq!((labels.label.as_str(), labels.take), ("7", Some(12)));
    /// # Ok::<(), respike::encode::EncodeError>(())
    /// ```
    ///
    /// # Errors
    /// [`EncodeError::BadRule`], [`EncodeError::BadTable`] and [`EncodeError::Unreadable`].
    pub fn parse(rule: &str) -> Result<Self, EncodeError> {
        let is_table = Path::new(rule)
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        if is_table && !rule.contains("{label}") {
            return LabelTable::read(Path::new(rule)).map(LabelRule::Table);
        }
        Ok(LabelRule::Patterns(vec![NamePattern::new(rule)?]))
    }

    /// The labels of the recording of this name; the reason where it has none.
    pub fn labels(&self, name: &str) -> Result<Labels, String> {
        match self {
            LabelRule::Patterns(patterns) => {
                let mut fits = patterns.iter().filter_map(|pattern| pattern.labels(name));
                fits.next().unwrap_or_else(|| {
                    let patterns = patterns.iter().map(NamePattern::as_str);
                    let patterns = patterns.collect::<Vec<_>>().join(" nor ");
                    Err(format!("its name `{name}` does not fit {patterns}"))
                })
            }
            LabelRule::Table(table) => table.labels(name),
        }
    }
}

/// Recordings with their labels, and what has none.
#[derive(Debug, Default)]
pub struct LabelledFiles {
    /// Those that have labels, in their order.
    pub labelled: Vec<(AudioFile, Labels)>,
    /// Why the others have none.
    pub refused: Vec<EncodeError>,
    /// Rows of the table that are for none of the recordings.
    pub idle_rows: Vec<String>,
}

/// The labels of all files.
///
/// # Errors
/// [`EncodeError::BadTable`] if a row of the table, which has a name without folders, would be for
/// several files.
pub fn label_files(rule: &LabelRule, files: Vec<AudioFile>) -> Result<LabelledFiles, EncodeError> {
    let mut found = LabelledFiles::default();
    if let LabelRule::Table(table) = rule {
        found.idle_rows = table.match_rows(&files)?;
    }
    for file in files {
        match rule.labels(&file.name) {
            Ok(labels) => found.labelled.push((file, labels)),
            Err(reason) => found.refused.push(EncodeError::NoLabel {
                path: file.path,
                reason,
            }),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_read_names() {
        let rule = LabelRule::parse("{label}_{speaker}_{take}").expect("a rule");
        let of = |name| rule.labels(name);
        let george = of("deep/folder/7_mary_ann_32.wav").expect("fits");
        assert_eq!(
            george.speaker.as_deref(),
            Some("mary_ann"),
            "takes are numbers"
        );
        assert_eq!((george.label.as_str(), george.take), ("7", Some(32)));
        assert!(
            of("7_george.wav")
                .expect_err("refused")
                .contains("{label}_{speaker}_{take}")
        );
        assert!(
            of("7_george_99999999999.wav")
                .expect_err("refused")
                .contains("2^32")
        );

        let rule = LabelRule::parse("{speaker}/{label}").expect("a rule");
        let yes = rule.labels("all/ann/yes.flac").expect("fits");
        assert_eq!(
            (yes.label.as_str(), yes.speaker.as_deref()),
            ("yes", Some("ann"))
        );
        assert!(rule.labels("yes.flac").is_err(), "no folder");
    }

    #[test]
    fn rules_that_cannot_be_used_say_why() {
        for (rule, word) in [
            ("{speaker}_{take}", "{label}"),
            ("{label}_{who}", "{who}"),
            ("{label}_{label}", "twice"),
            ("{label}_{take", "no }"),
            ("nowhere.csv", "cannot read"),
        ] {
            let message = LabelRule::parse(rule).expect_err("refused").to_string();
            assert!(message.contains(word), "{rule}: {message}");
        }
    }
}
