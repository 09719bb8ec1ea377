use serde::{Deserialize, Serialize};

use super::groups::Groups;
use super::{
    DataNames, HeldOut, HeldOutWords, HoldsOut, Learns, NewTask, Parts, Scenario, SplitSamples,
    words,
};
use crate::continual::published::{self, PUBLISHED_BATCH};
use crate::continual::{ContinualError, LearningDefaults, Plan, Protocol};
use crate::dataset::Dataset;
use crate::ids::{ClassId, SampleIndex};
use crate::random::MasterSeed;
use crate::registry::Member;

/// Several new classes, one after the other (multi-class-incremental).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManyClasses {
    /// The lowest classes, so many, are pre-trained on.
    pub base_classes: usize,
}

impl Member for ManyClasses {
    const KIND: &'static str = "multi-class";
    const ABOUT: &'static str = "many new classes, one after the other (multi-class-incremental)";
    const SHORT: Option<&'static str> = Some("base_classes");
}

impl ManyClasses {
    fn groups(self, dataset: &Dataset) -> Groups {
        let classes: Vec<ClassId> = dataset.classes().into_iter().collect();
        let base = match self.base_classes {
            1 => "1 base class".to_string(),
            several => format!("{several} base classes"),
        };
        let new = classes.iter().skip(self.base_classes);
        let new = new.map(|&class| dataset.class_name(class));
        let group = |class: ClassId| {
            let rank = classes.partition_point(|known| *known < class);
            (rank + 1).saturating_sub(self.base_classes)
        };
        Groups {
            names: std::iter::once(base).chain(new).collect(),
            of_each: dataset
                .iter()
                .map(|(_, sample)| group(sample.class))
                .collect(),
        }
    }
}

impl Scenario for ManyClasses {
    fn section(&self) -> String {
        Self::KIND.to_string()
    }

    fn label(&self) -> String {
        "multi-class-incremental".to_string()
    }

    fn title(&self, _: Option<&Dataset>) -> String {
        format!("multi-class: {} known, then one by one", self.base_classes)
    }

    fn slug(&self) -> String {
        format!("classes-{}", self.base_classes)
    }

    fn fits(&self, dataset: &Dataset) -> Result<(), ContinualError> {
        let classes = dataset.classes().len();
        if classes < 2 || !(1..classes).contains(&self.base_classes) {
            return Err(ContinualError::BadBaseClasses {
                found: self.base_classes,
                classes,
            });
        }
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

    fn command_words(&self, _: &dyn DataNames) -> Vec<String> {
        let base = self.base_classes.to_string();
        words(&["multi-class", "--base-classes", &base])
    }

    fn held_out_words(&self, _: &dyn DataNames) -> HeldOutWords {
        let known = self.base_classes;
        HeldOutWords {
            place: known,
            word: match known {
                1 => "1 base class".to_string(),
                several => format!("{several} base classes"),
            },
            one: "all but",
            several: ("all but", ""),
        }
    }

    fn defaults(&self, protocol: Protocol, _: bool) -> LearningDefaults {
        LearningDefaults {
            epochs: 20,
            ..LearningDefaults::usual(protocol)
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
        plan.old_grows = true;
        if let Some(samples) = replays {
            // The memory grows by a batch with each new class; room is kept for them, so that a budget holds to the
            // end.
            let later = plan.tasks.len() - 1;
            let batches = published::batches_of(samples, self.base_classes, later)?;
            let mut first = Vec::new();
            for _ in 0..self.base_classes {
                let train = plan.tasks[0].train.iter();
                first.extend(train.take(batches * PUBLISHED_BATCH));
            }
            for task in &mut plan.tasks[1..] {
                let kept = task.train.iter().copied().take(PUBLISHED_BATCH);
                task.replays = Some(kept.collect());
            }
            plan.tasks[0].replays = Some(first);
        }
        let mut all = Vec::new();
        for class in dataset.classes().into_iter().take(self.base_classes) {
            all.extend(published::first_batches(dataset, class, 1, &mut generator)?);
        }
        for task in &plan.tasks[1..] {
            all.extend(task.test.iter().take(PUBLISHED_BATCH));
        }
        plan.test_all = Some(all);
        Ok(plan)
    }

    fn published_batches(&self, classes: usize) -> (usize, usize) {
        (self.base_classes, classes.saturating_sub(self.base_classes))
    }

    fn base_classes(&self) -> Option<usize> {
        Some(self.base_classes)
    }
}

impl HoldsOut for ManyClasses {
    fn holding_out(names: &dyn DataNames, asked: Option<&[HeldOut]>) -> Result<Vec<Self>, String> {
        let classes = names.all_classes().len();
        let half = [HeldOut::Number(
            u16::try_from(classes / 2).unwrap_or(u16::MAX),
        )];
        let found = asked.unwrap_or(&half).iter().map(|held_out| {
            let HeldOut::Number(base_classes) = held_out else {
                return Err("`held_out` must be a number of base classes".to_string());
            };
            let base_classes = usize::from(*base_classes);
            if !(1..classes).contains(&base_classes) {
                let (found, classes) = (base_classes, classes);
                return Err(ContinualError::BadBaseClasses { found, classes }.to_string());
            }
            Ok(ManyClasses { base_classes })
        });
        found.collect()
    }

    fn counts_base_classes() -> bool {
        true
    }
}
