//! What a learner that goes on is tested with: what it knew before counts as old, whatever the scenario calls it.
//!
//! In: a plan, and the classes that the learner knew. Out: the same plan behind a task that was learned elsewhere, with
//! old parts of the classes that were known.

use std::collections::BTreeSet;

use super::scenario::{Learns, Scenario};
use super::{Plan, Task, TestPart};
use crate::dataset::Dataset;
use crate::ids::{ClassId, SampleIndex};

/// The plan of a learner that goes on with other data or another experiment than it came from, knowing those classes.
/// `tested` are all samples that may be tested with.
///
/// Nothing that the plan lists was pre-trained on here, so that a task without samples comes first where there is none
/// yet. Where a scenario is about classes, its parts are the classes: those that were known are old, also such as no task
/// teaches; the others are new from the task on that teaches them. A scenario about other things has its own parts.
pub(super) fn plan_after(
    mut plan: Plan,
    scenario: &dyn Scenario,
    dataset: &Dataset,
    tested: &[SampleIndex],
    known: &BTreeSet<ClassId>,
) -> Plan {
    let by_class = plan.parts.is_some() || scenario.learns() == Learns::Classes;
    let mut parts = plan.test_parts();
    if !plan.tasks[0].train.is_empty() {
        let learned_before = Task {
            name: "learned before".to_string(),
            train: Vec::new(),
            test: Vec::new(),
            replays: None,
        };
        plan.tasks.insert(0, learned_before);
        let later = parts.iter_mut().filter(|part| part.first_task > 0);
        later.for_each(|part| part.first_task += 1);
    }
    if by_class {
        parts = parts_of_classes(&plan, dataset, tested, known);
    }
    plan.tasks.iter_mut().for_each(|task| task.test.clear());
    plan.parts = Some(parts);
    plan
}

fn parts_of_classes(
    plan: &Plan,
    dataset: &Dataset,
    tested: &[SampleIndex],
    known: &BTreeSet<ClassId>,
) -> Vec<TestPart> {
    let class_of = |index: &SampleIndex| dataset.sample(*index).class;
    let part = |class: ClassId| {
        let teaches = |task: &Task| task.train.iter().any(|index| class_of(index) == class);
        let first_task = match known.contains(&class) {
            true => Some(0),
            false => plan.tasks.iter().position(teaches),
        };
        let samples = tested.iter().filter(|index| class_of(index) == class);
        let part = TestPart {
            name: dataset.class_name(class),
            samples: samples.copied().collect(),
            first_task: first_task?,
        };
        (!part.samples.is_empty()).then_some(part)
    };
    dataset.classes().into_iter().filter_map(part).collect()
}
