use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How many samples of a group, such as a class or a speaker, were classified rightly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupAccuracy {
    /// What they have in common.
    pub name: String,
    /// Samples, at least 1.
    pub samples: usize,
    /// Those classified rightly.
    pub correct: usize,
    /// Their share, 0 to 1.
    pub accuracy: f64,
}

/// The accuracy on each group of samples, in the order of the groups: `samples` says of each sample which group
/// it belongs to, and whether it was classified rightly.
///
/// ```
/// use respike::report::accuracy_by;
///
/// let groups = accuracy_by([(7, true), (3, true), (7, false)], |group| format!("number {group}"));
/// let figures = groups.iter().map(|group| (&group.name[..], group.accuracy));
/// assert_eq!(figures.collect::<Vec<_>>(), [("number 3", 1.0), ("number 7", 0.5)]);
/// ```
pub fn accuracy_by<K: Ord + Copy>(
    samples: impl IntoIterator<Item = (K, bool)>,
    name: impl Fn(K) -> String,
) -> Vec<GroupAccuracy> {
    let mut groups: BTreeMap<K, (usize, usize)> = BTreeMap::new();
    for (group, is_right) in samples {
        let (all, right) = groups.entry(group).or_default();
        *all += 1;
        *right += usize::from(is_right);
    }
    let groups = groups
        .into_iter()
        .map(|(group, (samples, correct))| GroupAccuracy {
            name: name(group),
            samples,
            correct,
            accuracy: correct as f64 / samples as f64,
        });
    groups.collect()
}
