//! The classes and speakers of many recordings, numbered.
//!
//! In: labels. Out: a class and a speaker for each recording, and the names of both.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{EncodeError, Labels};
use crate::ids::{ClassId, SpeakerId};

/// The classes and speakers of many recordings, numbered.
///
/// Classes are sorted by language, then by label; labels and speakers that are all numbers sort as
/// numbers. Classes are numbered from 0 on without gaps. Speakers that are all numbers keep them;
/// others are numbered in the order of their names. Recordings without a speaker have a number that no
/// speaker has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbering {
    /// Names of the classes, in their order.
    pub class_names: Vec<String>,
    /// Names of the speakers, by number.
    pub speaker_names: BTreeMap<SpeakerId, String>,
    /// The number of the recordings whose speaker is not known, if there are some.
    pub unnamed: Option<SpeakerId>,
    /// Class and speaker of each recording, in the order they were given in.
    pub of_recordings: Vec<(ClassId, SpeakerId)>,
}

impl Numbering {
    /// Numbers the labels of recordings.
    ///
    /// # Errors
    /// [`EncodeError::BadRecordings`] if there are more classes or speakers than 65536.
    pub fn new(labels: &[Labels]) -> Result<Self, EncodeError> {
        let too_many = |what: &str| EncodeError::BadRecordings {
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
                _ if language.is_empty() => names[*label].to_string(),
                0 | 1 => names[*label].to_string(),
                _ => format!("{language} {}", names[*label]),
            });

        let speakers = speaker_numbers(labels).ok_or_else(|| too_many("speakers"))?;
        let unnamed = labels.iter().any(|one| one.speaker.is_none());
        let unnamed = match unnamed {
            true => Some(unused(&speakers).ok_or_else(|| too_many("speakers"))?),
            false => None,
        };
        let of_recording = |one: &Labels| {
            let class = classes.binary_search(&kind(one)).unwrap_or_default();
            let class = u16::try_from(class).map_err(|_| too_many("classes"))?;
            let named = one.speaker.as_deref().and_then(|name| speakers.get(name));
            // Without a name there is an unnamed one.
            let speaker = named.copied().or(unnamed).unwrap_or(SpeakerId(0));
            Ok((ClassId(class), speaker))
        };
        let of_recordings = labels.iter().map(of_recording).collect::<Result<_, _>>()?;
        let named = speakers.iter().map(|(name, &id)| (id, name.to_string()));
        Ok(Numbering {
            class_names: class_names.collect(),
            speaker_names: named.collect(),
            unnamed,
            of_recordings,
        })
    }
}

/// A number for each speaker; none if there are too many.
fn speaker_numbers(labels: &[Labels]) -> Option<BTreeMap<&str, SpeakerId>> {
    let order = order_of(labels.iter().filter_map(|one| one.speaker.as_deref()));
    let own = order.keys().map(|name| {
        let number = u16::try_from(number(name)?).ok()?;
        Some((*name, SpeakerId(number)))
    });
    let own: Option<BTreeMap<&str, SpeakerId>> = own.collect();
    // `4` and `04` are two speakers, but one number.
    let own = own.filter(|own| own.values().collect::<BTreeSet<_>>().len() == own.len());
    let in_order = || {
        let numbers = order.iter().map(|(name, &place)| {
            let number = u16::try_from(place).ok()?;
            Some((*name, SpeakerId(number)))
        });
        numbers.collect()
    };
    own.or_else(in_order)
}

/// A number that none of the speakers has, the next above theirs if there is one.
fn unused(speakers: &BTreeMap<&str, SpeakerId>) -> Option<SpeakerId> {
    let taken: BTreeSet<u16> = speakers.values().map(|id| id.0).collect();
    match taken.last() {
        None => Some(SpeakerId(0)),
        Some(&last) => last
            .checked_add(1)
            .or_else(|| (0..last).rev().find(|number| !taken.contains(number)))
            .map(SpeakerId),
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
        assert_eq!(numbering.speaker_names[&SpeakerId(4)], "04");
    }

    #[test]
    fn recordings_without_a_speaker_join_no_known_one() {
        let speakers = |names: &[&str]| {
            let labels: Vec<Labels> = names.iter().map(|name| labels("yes", name, "")).collect();
            let numbering = Numbering::new(&labels).expect("few");
            let numbers = numbering.of_recordings.iter().map(|one| one.1.0);
            (numbers.collect::<Vec<u16>>(), numbering.unnamed)
        };
        assert_eq!(speakers(&["", "ann", "", "theo"]).0, [2, 0, 2, 1]);
        assert_eq!(
            speakers(&["0", "", "7"]),
            (vec![0, 8, 7], Some(SpeakerId(8)))
        );
        assert_eq!(
            speakers(&["65535", "", "65534"]).0,
            [65_535, 65_533, 65_534]
        );
        assert_eq!(speakers(&["", ""]).0, [0, 0]);
        assert_eq!(speakers(&["ann"]), (vec![0], None));
        // Numbers that are no numbers of speakers are names.
        assert_eq!(speakers(&["4", "04", "5"]).0, [1, 0, 2]);
        assert_eq!(speakers(&["70000", "9"]).0, [1, 0]);
    }
}
