use serde::{Deserialize, Serialize};

use super::groups::{Groups, grouped, others_of};
use super::{
    DataNames, HeldOut, HeldOutWords, HoldsOut, Learns, NewTask, Parts, Scenario, SplitSamples,
    words,
};
use crate::continual::published::{self, PUBLISHED_BATCH};
use crate::continual::{ContinualError, LearningDefaults, Plan, Protocol};
use crate::dataset::Dataset;
use crate::ids::{SampleIndex, SpeakerId};
use crate::random::MasterSeed;
use crate::registry::Member;

/// A new speaker of known classes (sample-incremental).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewSpeaker {
    /// Who is held out of pre-training.
    pub speaker: SpeakerId,
}

impl Member for NewSpeaker {
    const KIND: &'static str = "sample";
    const ABOUT: &'static str = "a new speaker of known classes (sample-incremental)";
    const SHORT: Option<&'static str> = Some("speaker");
}

impl NewSpeaker {
    fn groups(self, dataset: &Dataset) -> Groups {
        let others = others_of(dataset.speakers().len() - 1, "speaker", "speakers");
        let new = dataset.speaker_name(self.speaker);
        grouped(dataset, others, new, |sample| {
            sample.speaker == self.speaker
        })
    }
}

impl Scenario for NewSpeaker {
    fn section(&self) -> String {
        Self::KIND.to_string()
    }

    fn label(&self) -> String {
        "sample-incremental".to_string()
    }

    fn title(&self, dataset: Option<&Dataset>) -> String {
        match dataset {
            None => format!("sample: new {}", self.speaker),
            Some(dataset) => {
                let name = dataset.speaker_names().get(&self.speaker);
                let name = name.cloned().unwrap_or_else(|| self.speaker.0.to_string());
                format!("sample: new speaker {name}")
            }
        }
    }

    fn slug(&self) -> String {
        format!("speaker-{}", self.speaker.0)
    }

    fn fits(&self, dataset: &Dataset) -> Result<(), ContinualError> {
        dataset.check_speaker(self.speaker)?;
        self.groups(dataset).check(&self.title(None))
    }

    fn tasks(&self, samples: &SplitSamples<'_>) -> Result<Vec<NewTask>, ContinualError> {
        self.groups(samples.dataset).tasks(samples)
    }

    fn parts(&self, samples: &SplitSamples<'_>, _: &[NewTask]) -> Result<Parts, ContinualError> {
        self.groups(samples.dataset).parts(samples)
    }

    fn learns(&self) -> Learns {
        Learns::Samples
    }

    fn is_single(&self) -> bool {
        true
    }

    fn command_words(&self, names: &dyn DataNames) -> Vec<String> {
        words(&["sample", "--held-out", &names.speaker_word(self.speaker)])
    }

    fn held_out_words(&self, names: &dyn DataNames) -> HeldOutWords {
        HeldOutWords {
            place: usize::from(self.speaker.0),
            word: names.speaker_word(self.speaker),
            one: "speaker",
            several: ("speakers", " in turn"),
        }
    }

    fn defaults(&self, protocol: Protocol, _: bool) -> LearningDefaults {
        match protocol {
            Protocol::Strict | Protocol::Validation => LearningDefaults::usual(protocol),
            Protocol::Published => LearningDefaults {
                epochs: 50,
                rate: 1e-3,
                ..LearningDefaults::usual(protocol)
            },
        }
    }

    fn known_first(&self, dataset: &Dataset) -> Vec<SampleIndex> {
        self.groups(dataset).base()
    }

    fn published(
        &self,
        dataset: &Dataset,
        replays: Option<usize>,
        seed: MasterSeed,
    ) -> Result<Plan, ContinualError> {
        self.fits(dataset)?;
        let (mut plan, _) = published::plan(&self.groups(dataset), dataset, seed)?;
        if let Some(samples) = replays {
            let batches = published::batches_of(samples, 1, 0)?;
            let train = plan.tasks[0].train.iter().copied();
            plan.tasks[0].replays = Some(train.take(batches * PUBLISHED_BATCH).collect());
        }
        Ok(plan)
    }
}

impl HoldsOut for NewSpeaker {
    fn holding_out(names: &dyn DataNames, asked: Option<&[HeldOut]>) -> Result<Vec<Self>, String> {
        let speakers = match asked {
            None => names.all_speakers(),
            Some(asked) => {
                let found = asked.iter().map(|held_out| names.speaker(held_out));
                let found: Result<_, _> = found.collect();
                found.map_err(|error| error.to_string())?
            }
        };
        let speakers = speakers.into_iter();
        Ok(speakers.map(|speaker| NewSpeaker { speaker }).collect())
    }
}
