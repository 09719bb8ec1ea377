use serde::{Deserialize, Serialize};

use super::groups::parts_by_class;
use super::{
    DataNames, HeldOut, HeldOutWords, HoldsOut, Learns, NewTask, Parts, Scenario, SplitSamples,
    words,
};
use crate::continual::ContinualError;
use crate::dataset::Dataset;
use crate::registry::Member;

/// All samples, as one more task of a learner that is gone on with. Nothing can be pre-trained on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NextTask {}

impl Member for NextTask {
    const KIND: &'static str = "next";
    const ABOUT: &'static str = "all samples, as one more task of a learner that is gone on with";
}

impl Scenario for NextTask {
    fn section(&self) -> String {
        Self::KIND.to_string()
    }

    fn label(&self) -> String {
        "one more task".to_string()
    }

    fn title(&self, _: Option<&Dataset>) -> String {
        "next: one more task".to_string()
    }

    fn slug(&self) -> String {
        "next".to_string()
    }

    fn fits(&self, _: &Dataset) -> Result<(), ContinualError> {
        Ok(())
    }

    fn tasks(&self, samples: &SplitSamples<'_>) -> Result<Vec<NewTask>, ContinualError> {
        let task = |name: &str, train| NewTask {
            name: name.to_string(),
            train,
        };
        Ok(vec![
            task("learned before", Vec::new()),
            task("next", samples.split.train.clone()),
        ])
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

    fn is_single(&self) -> bool {
        true
    }

    fn needs_a_learner(&self) -> bool {
        true
    }

    fn command_words(&self, _: &dyn DataNames) -> Vec<String> {
        words(&["next"])
    }

    fn held_out_words(&self, _: &dyn DataNames) -> HeldOutWords {
        HeldOutWords {
            place: 0,
            word: "the data".to_string(),
            one: "all of",
            several: ("all of", ""),
        }
    }
}

impl HoldsOut for NextTask {
    fn holding_out(_: &dyn DataNames, _: Option<&[HeldOut]>) -> Result<Vec<Self>, String> {
        Ok(vec![NextTask {}])
    }
}
