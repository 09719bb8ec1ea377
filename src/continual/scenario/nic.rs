//! Many small batches that are not independent, after CORe50's NICv2 (Lomonaco et al. 2020): each is a few takes of
//! one class by one speaker; classes and speakers come again and again.

use std::collections::BTreeMap;

use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::groups::parts_by_class;
use super::{
    DataNames, HeldOut, HeldOutWords, HoldsOut, Learns, NewTask, Parts, Scenario, ScenarioSettings,
    SplitSamples, words,
};
use crate::continual::{ContinualError, LearningDefaults, Protocol};
use crate::dataset::Dataset;
use crate::ids::{ClassId, SampleIndex, SpeakerId};
use crate::random::Purpose;
use crate::registry::{BadSetting, Member};

/// Many small batches: the first, larger one is of half of the classes by half of the speakers, and each of the others
/// is a few takes of one class by one speaker. The same test samples, of all classes, all the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ManyBatches {
    /// How many, the first included; CORe50 has them in 79, 196 and 391.
    pub batches: usize,
    /// Classes of the first batch; half of them if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_classes: Option<usize>,
    /// Speakers of the first batch; half of them if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_speakers: Option<usize>,
}

impl Default for ManyBatches {
    fn default() -> Self {
        ManyBatches {
            batches: 79,
            base_classes: None,
            base_speakers: None,
        }
    }
}

impl Member for ManyBatches {
    const KIND: &'static str = "nic";
    const ABOUT: &'static str = "many small batches, each of one class and one speaker, new or seen before (new instances and classes)";
    const SHORT: Option<&'static str> = Some("batches");

    fn check(&self) -> Result<(), BadSetting> {
        match self.batches {
            0 | 1 => Err(BadSetting::new("batches", "must be 2 or more")),
            _ => Ok(()),
        }
    }
}

/// Whom the first batch is of.
struct Base {
    classes: Vec<ClassId>,
    speakers: Vec<SpeakerId>,
}

impl ManyBatches {
    fn base(self, dataset: &Dataset) -> Result<Base, ContinualError> {
        let classes: Vec<ClassId> = dataset.classes().into_iter().collect();
        let speakers: Vec<SpeakerId> = dataset.speakers().into_iter().collect();
        let half = |all: usize, asked: Option<usize>| asked.unwrap_or(all.div_ceil(2));
        let known = half(classes.len(), self.base_classes);
        let heard = half(speakers.len(), self.base_speakers);
        for (what, found, all) in [
            ("classes", known, classes.len()),
            ("speakers", heard, speakers.len()),
        ] {
            if !(1..=all).contains(&found) {
                return Err(ContinualError::BadFirstBatch { what, found, all });
            }
        }
        Ok(Base {
            classes: classes[..known].to_vec(),
            speakers: speakers[..heard].to_vec(),
        })
    }
}

impl Scenario for ManyBatches {
    fn section(&self) -> String {
        self.slug()
    }

    fn label(&self) -> String {
        let label = format!("{} small batches", self.batches);
        match (self.base_classes, self.base_speakers) {
            (None, None) => label,
            (Some(classes), None) => format!("{label}, the first of {classes} classes"),
            (None, Some(speakers)) => format!("{label}, the first by {speakers} speakers"),
            (Some(classes), Some(speakers)) => {
                format!("{label}, the first of {classes} classes by {speakers} speakers")
            }
        }
    }

    fn title(&self, _: Option<&Dataset>) -> String {
        format!("nic: {} batches", self.batches)
    }

    fn slug(&self) -> String {
        let parts = [
            ("nic", Some(self.batches)),
            ("classes", self.base_classes),
            ("speakers", self.base_speakers),
        ];
        // What is left out is left out here, too: names stay what they were.
        let parts = parts.map(|(what, number)| number.map(|number| format!("{what}-{number}")));
        parts.into_iter().flatten().collect::<Vec<_>>().join("-")
    }

    fn fits(&self, dataset: &Dataset) -> Result<(), ContinualError> {
        self.base(dataset).map(|_| ())
    }

    fn tasks(&self, samples: &SplitSamples<'_>) -> Result<Vec<NewTask>, ContinualError> {
        let dataset = samples.dataset;
        let base = self.base(dataset)?;
        let mut first = Vec::new();
        let mut groups: BTreeMap<(ClassId, SpeakerId), Vec<SampleIndex>> = BTreeMap::new();
        for &index in &samples.split.train {
            let sample = dataset.sample(index);
            match base.classes.contains(&sample.class) && base.speakers.contains(&sample.speaker) {
                true => first.push(index),
                false => {
                    let group = groups.entry((sample.class, sample.speaker)).or_default();
                    group.push(index);
                }
            }
        }
        if first.is_empty() {
            return Err(samples.none_of("train on", "the first batch"));
        }
        let later = self.batches - 1;
        let sizes: Vec<usize> = groups.values().map(Vec::len).collect();
        let cuts = cuts(&sizes, later).ok_or(ContinualError::BadBatches {
            asked: self.batches,
            fewest: sizes.len() + 1,
            most: sizes.iter().sum::<usize>() + 1,
        })?;
        let mut generator = samples.seed.stream(Purpose::TaskOrder);
        let mut tasks = Vec::new();
        for ((&(class, speaker), group), pieces) in groups.iter_mut().zip(cuts) {
            group.shuffle(&mut generator);
            let (class, speaker) = (dataset.class_name(class), dataset.speaker_name(speaker));
            let mut rest = &group[..];
            for piece in 0..pieces {
                let size = rest.len().div_ceil(pieces - piece);
                let (train, others) = rest.split_at(size);
                rest = others;
                tasks.push(NewTask {
                    name: format!("{class} by {speaker}"),
                    train: train.to_vec(),
                });
            }
        }
        tasks.shuffle(&mut generator);
        tasks.insert(
            0,
            NewTask {
                name: "first batch".to_string(),
                train: first,
            },
        );
        Ok(tasks)
    }

    fn parts(
        &self,
        samples: &SplitSamples<'_>,
        tasks: &[NewTask],
    ) -> Result<Parts, ContinualError> {
        parts_by_class(samples, tasks)
    }

    fn learns(&self) -> Learns {
        Learns::Samples
    }

    fn command_words(&self, _: &dyn DataNames) -> Vec<String> {
        match (self.base_classes, self.base_speakers) {
            (None, None) => words(&[&format!("nic:{}", self.batches)]),
            _ => words(&[&ScenarioSettings::from(*self).to_string()]),
        }
    }

    fn held_out_words(&self, _: &dyn DataNames) -> HeldOutWords {
        HeldOutWords {
            place: self.batches,
            word: format!("{} batches", self.batches),
            one: "after the first of",
            several: ("after the first of", ""),
        }
    }

    fn defaults(&self, protocol: Protocol, _: bool) -> LearningDefaults {
        LearningDefaults {
            epochs: 4,
            ..LearningDefaults::usual(protocol)
        }
    }
}

impl HoldsOut for ManyBatches {
    /// Numbers of batches.
    fn holding_out(_: &dyn DataNames, asked: Option<&[HeldOut]>) -> Result<Vec<Self>, String> {
        let Some(asked) = asked else {
            return Ok(vec![ManyBatches::default()]);
        };
        let found = asked.iter().map(|held_out| match held_out {
            HeldOut::Number(batches) if *batches > 1 => Ok(ManyBatches {
                batches: usize::from(*batches),
                ..ManyBatches::default()
            }),
            _ => Err("`held_out` must be a number of batches, 2 or more".to_string()),
        });
        found.collect()
    }
}

/// Into how many pieces each group is cut so that there are so many of about the same size: one for each group, and each
/// further one for the group whose pieces are largest. `None` if there are more groups, or fewer samples.
fn cuts(sizes: &[usize], pieces: usize) -> Option<Vec<usize>> {
    if pieces < sizes.len() || pieces > sizes.iter().sum() {
        return None;
    }
    let mut cuts = vec![1; sizes.len()];
    for _ in sizes.len()..pieces {
        // The first of several; no piece is cut below one sample while another group has two.
        let groups = (0..sizes.len()).rev();
        let largest = groups.max_by(|&one, &other| {
            // sizes[one] / cuts[one] against sizes[other] / cuts[other], in whole numbers.
            (sizes[one] * cuts[other]).cmp(&(sizes[other] * cuts[one]))
        })?;
        cuts[largest] += 1;
    }
    Some(cuts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_first_batches_have_other_names() {
        let nic = |base_classes, base_speakers| ManyBatches {
            batches: 60,
            base_classes,
            base_speakers,
        };
        let all = [
            nic(None, None),
            nic(Some(3), None),
            nic(None, Some(3)),
            nic(Some(3), Some(2)),
        ];
        let slugs = all.map(|one| one.slug());
        assert_eq!(
            slugs,
            [
                "nic-60",
                "nic-60-classes-3",
                "nic-60-speakers-3",
                "nic-60-classes-3-speakers-2"
            ]
        );
        let labels = all.map(|one| one.label());
        assert_eq!(labels[0], "60 small batches");
        let different: std::collections::BTreeSet<_> = labels.iter().collect();
        assert_eq!(different.len(), all.len());
    }

    #[test]
    fn groups_are_cut_into_pieces_of_about_the_same_size() {
        assert_eq!(cuts(&[40, 40, 20], 3), Some(vec![1, 1, 1]));
        assert_eq!(cuts(&[40, 40, 20], 5), Some(vec![2, 2, 1]));
        assert_eq!(cuts(&[3, 1], 4), Some(vec![3, 1]));
        assert_eq!(cuts(&[3, 1], 5), None);
        assert_eq!(cuts(&[3, 1], 1), None);
    }
}
