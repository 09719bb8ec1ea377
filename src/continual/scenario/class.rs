use serde::{Deserialize, Serialize};

use super::groups::{Groups, grouped, others_of};
use super::{
    DataNames, HeldOut, HeldOutWords, HoldsOut, Learns, NewTask, Parts, Scenario, ScenarioSettings,
    SplitSamples, words,
};
use crate::continual::published;
use crate::continual::{ContinualError, LearningDefaults, Plan, Protocol};
use crate::dataset::Dataset;
use crate::ids::{ClassId, SampleIndex};
use crate::random::MasterSeed;
use crate::registry::Member;

/// A new class (class-incremental).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewClass {
    /// What is held out of pre-training.
    pub class: ClassId,
}

impl Member for NewClass {
    const KIND: &'static str = "class";
    const ABOUT: &'static str = "a new class (class-incremental)";
    const SHORT: Option<&'static str> = Some("class");
}

impl NewClass {
    fn groups(self, dataset: &Dataset) -> Groups {
        let others = others_of(dataset.classes().len() - 1, "class", "classes");
        let new = dataset.class_name(self.class);
        grouped(dataset, others, new, |sample| sample.class == self.class)
    }
}

impl Scenario for NewClass {
    fn section(&self) -> String {
        Self::KIND.to_string()
    }

    fn label(&self) -> String {
        "class-incremental".to_string()
    }

    fn title(&self, dataset: Option<&Dataset>) -> String {
        match dataset {
            None => format!("class: new {}", self.class),
            Some(dataset) => format!("class: new class {}", dataset.class_name(self.class)),
        }
    }

    fn slug(&self) -> String {
        format!("class-{}", self.class.0)
    }

    fn fits(&self, dataset: &Dataset) -> Result<(), ContinualError> {
        dataset.check_class(self.class)?;
        self.groups(dataset).check(&self.title(None))
    }

    fn tasks(&self, samples: &SplitSamples<'_>) -> Result<Vec<NewTask>, ContinualError> {
        self.groups(samples.dataset).tasks(samples)
    }

    fn parts(&self, samples: &SplitSamples<'_>, _: &[NewTask]) -> Result<Parts, ContinualError> {
        self.groups(samples.dataset).parts(samples)
    }

    fn learns(&self) -> Learns {
        Learns::Classes
    }

    fn is_single(&self) -> bool {
        true
    }

    fn renumbered(&self, place: &dyn Fn(ClassId) -> ClassId) -> Option<ScenarioSettings> {
        let class = place(self.class);
        Some(NewClass { class }.into())
    }

    fn command_words(&self, names: &dyn DataNames) -> Vec<String> {
        words(&["class", "--held-out", &names.class_word(self.class)])
    }

    fn held_out_words(&self, names: &dyn DataNames) -> HeldOutWords {
        HeldOutWords {
            place: self.class.index(),
            word: names.class_word(self.class),
            one: "class",
            several: ("classes", " in turn"),
        }
    }

    fn defaults(&self, protocol: Protocol, rehearses: bool) -> LearningDefaults {
        let usual = LearningDefaults::usual(protocol);
        let (epochs, rate) = match (protocol.is_published(), rehearses) {
            (false, _) => (usual.epochs, usual.rate),
            (true, true) => (100, 1e-3),
            (true, false) => (50, 2e-4),
        };
        LearningDefaults {
            epochs,
            rate,
            ..usual
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
        let (mut plan, mut generator) = published::plan(&self.groups(dataset), dataset, seed)?;
        if let Some(samples) = replays {
            let classes = dataset.classes();
            let batches = published::batches_of(samples, classes.len() - 1, 0)?;
            let mut first = Vec::new();
            for old in classes.into_iter().filter(|&old| old != self.class) {
                let of_class = published::first_batches(dataset, old, batches, &mut generator)?;
                first.extend(of_class);
            }
            plan.tasks[0].replays = Some(first);
        }
        Ok(plan)
    }

    fn published_batches(&self, classes: usize) -> (usize, usize) {
        (classes.saturating_sub(1), 0)
    }
}

impl HoldsOut for NewClass {
    fn holding_out(names: &dyn DataNames, asked: Option<&[HeldOut]>) -> Result<Vec<Self>, String> {
        let classes = match asked {
            None => names.all_classes(),
            Some(asked) => {
                let found = asked.iter().map(|held_out| names.class(held_out));
                let found: Result<_, _> = found.collect();
                found.map_err(|error| error.to_string())?
            }
        };
        let classes = classes.into_iter();
        Ok(classes.map(|class| NewClass { class }).collect())
    }
}
