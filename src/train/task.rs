//! What is known of the task that is learned.

use std::collections::BTreeSet;

use crate::ids::ClassId;

/// What is known of the task that is learned: which classes were learned before, and which its samples have.
/// A class is in both when a known one comes again.
///
/// Nothing is known by default: that is training once and for all, with no before.
///
/// ```
/// use respike::ids::ClassId;
/// use respike::train::TaskFacts;
///
/// let task = TaskFacts::new([ClassId(0), ClassId(1)], [ClassId(1), ClassId(2)]);
/// assert!(task.is_past(ClassId(0)) && !task.is_past(ClassId(1)));
/// assert_eq!(task.seen_classes().count(), 3);
/// assert_eq!(TaskFacts::default().seen_classes().count(), 0);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct TaskFacts {
    /// Classes that were learned before.
    pub old_classes: BTreeSet<ClassId>,
    /// Classes of the samples that are learned now.
    pub new_classes: BTreeSet<ClassId>,
}

/// A task of which nothing is known.
pub(super) static UNKNOWN: TaskFacts = TaskFacts {
    old_classes: BTreeSet::new(),
    new_classes: BTreeSet::new(),
};

impl TaskFacts {
    /// A task that brings samples of some classes after others were learned.
    pub fn new(
        old_classes: impl IntoIterator<Item = ClassId>,
        new_classes: impl IntoIterator<Item = ClassId>,
    ) -> Self {
        TaskFacts {
            old_classes: old_classes.into_iter().collect(),
            new_classes: new_classes.into_iter().collect(),
        }
    }

    /// Whether a class was learned before and does not come again.
    pub fn is_past(&self, class: ClassId) -> bool {
        self.old_classes.contains(&class) && !self.new_classes.contains(&class)
    }

    /// All classes seen so far, those of the task too, each once in order.
    pub fn seen_classes(&self) -> impl Iterator<Item = ClassId> {
        self.old_classes.union(&self.new_classes).copied()
    }
}
