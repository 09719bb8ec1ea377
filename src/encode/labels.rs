//! Who says what in a recording: read from its name, or from a table.
//!
//! In: a rule, and the names of recordings. Out: a class and a speaker for each, numbered.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use regex_lite::Regex;

use super::{AudioFile, EncodeError};
use crate::ids::{ClassId, SpeakerId};

/// The placeholders of a pattern, and what each of them matches.
const PLACEHOLDERS: [(&str, &str); 4] = [
    ("label", r"[^/]+?"),
    ("speaker", r"[^/]+?"),
    ("language", r"[^/]+?"),
    ("take", r"[0-9]+"),
];
/// The longest pattern, and the longest name it is matched with, in bytes.
const LONGEST: usize = 1024;

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

/// How labels are found.
#[derive(Debug, Clone)]
pub enum LabelRule {
    /// From the recordings' names.
    Pattern(NamePattern),
    /// From a table with a row for each recording.
    Table(LabelTable),
}

/// A pattern for the names of recordings, such as `{label}_{speaker}_{take}`.
#[derive(Debug, Clone)]
pub struct NamePattern {
    text: String,
    regex: Regex,
    /// Folders of the name that the pattern speaks of.
    folders: usize,
}

/// A table of labels: `file` and `label`, and if they are there `speaker`, `language` and `take`.
#[derive(Debug, Clone)]
pub struct LabelTable {
    path: PathBuf,
    rows: HashMap<String, Labels>,
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
    /// [`EncodeError::BadRule`] and [`EncodeError::BadTable`].
    pub fn parse(rule: &str) -> Result<Self, EncodeError> {
        let is_table = Path::new(rule)
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        if is_table && !rule.contains("{label}") {
            return LabelTable::read(Path::new(rule)).map(LabelRule::Table);
        }
        NamePattern::new(rule).map(LabelRule::Pattern)
    }

    /// The labels of the recording of this name; the reason where it has none.
    pub fn labels(&self, name: &str) -> Result<Labels, String> {
        match self {
            LabelRule::Pattern(pattern) => pattern.labels(name),
            LabelRule::Table(table) => table.labels(name),
        }
    }
}

impl NamePattern {
    fn new(text: &str) -> Result<Self, EncodeError> {
        let bad = |reason: String| EncodeError::BadRule {
            rule: text.to_string(),
            reason,
        };
        if text.len() > LONGEST {
            return Err(bad(format!("it has more than {LONGEST} bytes")));
        }
        if !text.contains("{label}") {
            let reason = "it is neither a .csv file nor a pattern with {label} in it";
            return Err(bad(reason.to_string()));
        }
        let (mut expression, mut rest) = ("^".to_string(), text);
        let mut seen: Vec<&str> = Vec::new();
        while let Some(open) = rest.find('{') {
            let Some(length) = rest[open..].find('}') else {
                return Err(bad("a { has no }".to_string()));
            };
            let name = &rest[open + 1..open + length];
            let known = PLACEHOLDERS.iter().find(|(known, _)| *known == name);
            let Some((known, matches)) = known else {
                let all = "{label}, {speaker}, {language} and {take}";
                return Err(bad(format!("there is {all}, but no {{{name}}}")));
            };
            if seen.contains(known) {
                return Err(bad(format!("{{{name}}} is in it twice")));
            }
            seen.push(known);
            expression += &regex_lite::escape(&rest[..open]);
            expression += &format!("(?P<{known}>{matches})");
            rest = &rest[open + length + 1..];
        }
        expression += &regex_lite::escape(rest);
        expression.push('$');
        let regex = Regex::new(&expression).map_err(|error| bad(error.to_string()))?;
        Ok(NamePattern {
            text: text.to_string(),
            regex,
            folders: text.matches('/').count(),
        })
    }

    fn labels(&self, name: &str) -> Result<Labels, String> {
        let misfit = || format!("its name `{name}` does not fit {}", self.text);
        if name.len() > LONGEST {
            return Err(misfit());
        }
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let parts: Vec<&str> = stem.split('/').collect();
        let first = parts.len().saturating_sub(self.folders + 1);
        let spoken_of = parts[first..].join("/");
        let fit = self.regex.captures(&spoken_of).ok_or_else(misfit)?;
        let part = |name: &str| fit.name(name).map(|part| part.as_str().to_string());
        labels_of(
            part("label").unwrap_or_default(),
            part("speaker"),
            part("language"),
            part("take"),
        )
    }
}

impl LabelTable {
    fn read(path: &Path) -> Result<Self, EncodeError> {
        let bad = |reason: String| EncodeError::BadTable {
            path: path.to_path_buf(),
            reason,
        };
        let bytes = std::fs::read(path).map_err(|source| EncodeError::Unreadable {
            path: path.to_path_buf(),
            source,
        })?;
        // Spreadsheets begin a file with a byte order mark.
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_reader(text);
        let header = reader.headers().map_err(|error| bad(error.to_string()))?;
        let column = |name: &str| header.iter().position(|column| column == name);
        let (Some(file), Some(label)) = (column("file"), column("label")) else {
            let reason = "its first line must name the columns `file` and `label`";
            return Err(bad(reason.to_string()));
        };
        let others = ["speaker", "language", "take"].map(column);
        let mut rows = HashMap::new();
        for (row, record) in reader.records().enumerate() {
            let line = row + 2;
            let record = record.map_err(|error| bad(error.to_string()))?;
            let cell = |column: usize| record.get(column).unwrap_or_default().to_string();
            let [speaker, language, take] = others.map(|column| {
                let cell = column.map(cell)?;
                (!cell.is_empty()).then_some(cell)
            });
            let labels = labels_of(cell(label), speaker, language, take);
            let labels = labels.map_err(|reason| bad(format!("on line {line}, {reason}")))?;
            let name = cell(file).trim_start_matches("./").to_string();
            if rows.insert(name.clone(), labels).is_some() {
                return Err(bad(format!("on line {line}, {name} comes a second time")));
            }
        }
        Ok(LabelTable {
            path: path.to_path_buf(),
            rows,
        })
    }

    /// A row is found by the whole name, or else by the file's own name without its folders.
    fn labels(&self, name: &str) -> Result<Labels, String> {
        let own = name.rsplit_once('/').map_or(name, |(_, own)| own);
        let row = self.rows.get(name).or_else(|| self.rows.get(own));
        row.cloned()
            .ok_or_else(|| format!("{} has no row for `{name}` or `{own}`", self.path.display()))
    }
}

fn labels_of(
    label: String,
    speaker: Option<String>,
    language: Option<String>,
    take: Option<String>,
) -> Result<Labels, String> {
    if label.is_empty() {
        return Err("the label is empty".to_string());
    }
    let take = take.map(|take| {
        take.parse()
            .map_err(|_| format!("the take `{take}` is not a number below 2^32"))
    });
    Ok(Labels {
        label,
        speaker,
        language,
        take: take.transpose()?,
    })
}

/// The classes and speakers of many recordings, numbered.
///
/// Classes are sorted by language, then by label; labels and speakers that are all numbers sort as
/// numbers. Classes are numbered from 0 on without gaps. Speakers that are all numbers keep them;
/// others are numbered in the order of their names. Recordings without a speaker are of speaker 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbering {
    /// Names of the classes, in their order.
    pub class_names: Vec<String>,
    /// Speakers as they are labelled, and their numbers.
    pub speakers: Vec<(String, SpeakerId)>,
    /// Class and speaker of each recording, in the order they were given in.
    pub of_recordings: Vec<(ClassId, SpeakerId)>,
}

impl Numbering {
    /// Numbers the labels of recordings.
    ///
    /// # Errors
    /// [`EncodeError::NoRecordings`] if there are more classes than 65536, [`EncodeError::BadSpeaker`]
    /// if a speaker's number is above 65535.
    pub fn new(labels: &[Labels]) -> Result<Self, EncodeError> {
        let too_many = |what: &str| EncodeError::NoRecordings {
            reason: format!("there are more than 65536 {what}"),
        };
        let label_order = order_of(labels.iter().map(|one| one.label.as_str()));
        let kind = |one: &Labels| {
            let language = one.language.clone().unwrap_or_default();
            (language, label_order[one.label.as_str()])
        };
        let classes: BTreeSet<(String, usize)> = labels.iter().map(kind).collect();
        let classes: Vec<(String, usize)> = classes.into_iter().collect();
        let languages: BTreeSet<&str> = classes
            .iter()
            .map(|(language, _)| language.as_str())
            .collect();
        let mut names: Vec<&str> = vec![""; label_order.len()];
        for (name, &order) in &label_order {
            names[order] = name;
        }
        let class_names = classes
            .iter()
            .map(|(language, label)| match languages.len() {
                0 | 1 => names[*label].to_string(),
                _ => format!("{language} {}", names[*label]),
            });

        let speakers = labels.iter().filter_map(|one| one.speaker.as_deref());
        let speaker_order = order_of(speakers);
        let all_numbers = speaker_order.keys().all(|name| number(name).is_some());
        let speaker_number = |name: &str| match number(name) {
            Some(number) if all_numbers => Some(number),
            _ => speaker_order.get(name).map(|&order| order as u64),
        };
        let speaker_id = |name: &str| {
            let number = speaker_number(name).and_then(|number| u16::try_from(number).ok());
            number
                .map(SpeakerId)
                .ok_or_else(|| EncodeError::BadSpeaker {
                    name: name.to_string(),
                })
        };
        let of_recording = |one: &Labels| {
            let class = classes.binary_search(&kind(one)).unwrap_or_default();
            let class = u16::try_from(class).map_err(|_| too_many("classes"))?;
            let speaker = one.speaker.as_deref().map(speaker_id);
            Ok((ClassId(class), speaker.transpose()?.unwrap_or(SpeakerId(0))))
        };
        let mut speakers: Vec<(&str, usize)> =
            speaker_order.iter().map(|(&k, &v)| (k, v)).collect();
        speakers.sort_by_key(|&(_, order)| order);
        let speakers = speakers.into_iter();
        let speakers = speakers.map(|(name, _)| Ok((name.to_string(), speaker_id(name)?)));
        Ok(Numbering {
            class_names: class_names.collect(),
            speakers: speakers.collect::<Result<_, EncodeError>>()?,
            of_recordings: labels.iter().map(of_recording).collect::<Result<_, _>>()?,
        })
    }
}

fn number(name: &str) -> Option<u64> {
    let digits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| name.parse().ok()).flatten()
}

/// The place of each name in their order: by number where all are numbers, else as text.
fn order_of<'a>(names: impl Iterator<Item = &'a str>) -> HashMap<&'a str, usize> {
    let names: BTreeSet<&str> = names.collect();
    let mut names: Vec<&str> = names.into_iter().collect();
    if names.iter().all(|name| number(name).is_some()) {
        names.sort_by_key(|name| number(name));
    }
    let order = names.into_iter().enumerate();
    order.map(|(order, name)| (name, order)).collect()
}

/// The labels of all files: those that have some, in their order, and the reasons for the others.
pub fn label_files(
    rule: &LabelRule,
    files: Vec<AudioFile>,
) -> (Vec<(AudioFile, Labels)>, Vec<EncodeError>) {
    let (mut labelled, mut refused) = (Vec::new(), Vec::new());
    for file in files {
        match rule.labels(&file.name) {
            Ok(labels) => labelled.push((file, labels)),
            Err(reason) => refused.push(EncodeError::NoLabel {
                path: file.path,
                reason,
            }),
        }
    }
    (labelled, refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(label: &str, speaker: &str, language: &str) -> Labels {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_string());
        Labels {
            label: label.to_string(),
            speaker: some(speaker),
            language: some(language),
            take: None,
        }
    }

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

    #[test]
    fn classes_and_speakers_are_numbered_in_their_own_order() {
        let numbering = Numbering::new(&[
            labels("10", "theo", "german"),
            labels("9", "ann", "german"),
            labels("9", "theo", "english"),
        ]);
        let numbering = numbering.expect("few");
        assert_eq!(
            numbering.class_names,
            ["english 9", "german 9", "german 10"]
        );
        let classes: Vec<u16> = numbering.of_recordings.iter().map(|one| one.0.0).collect();
        assert_eq!(classes, [2, 1, 0]);
        let speakers: Vec<u16> = numbering.of_recordings.iter().map(|one| one.1.0).collect();
        assert_eq!(speakers, [1, 0, 1]);

        let numbering = Numbering::new(&[labels("yes", "04", ""), labels("no", "11", "")]);
        let numbering = numbering.expect("few");
        assert_eq!(numbering.class_names, ["no", "yes"]);
        assert_eq!(numbering.speakers[0], ("04".to_string(), SpeakerId(4)));
        let nobody = Numbering::new(&[labels("yes", "", "")]).expect("few");
        assert_eq!(nobody.of_recordings, [(ClassId(0), SpeakerId(0))]);
        let far = labels("yes", "70000", "");
        assert!(
            Numbering::new(&[far]).is_err(),
            "a speaker's number is 16 bits"
        );
    }
}
