//! How many test samples stand behind figures.
//!
//! In: what results tell of their test samples. Out: words for tables and figures.

use std::fmt;

use crate::continual::TestSamples;
use crate::suite::Pretrained;

/// How many test samples stand behind the figures of one or several experiments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tested {
    /// The fewest and the most behind accuracy on everything.
    all: (usize, usize),
    /// The same on what is old and on what is new, where results tell.
    parts: Option<[(usize, usize); 2]>,
}

impl Tested {
    /// Of the experiments that begin from a network.
    pub(super) fn of(pretrained: &Pretrained) -> Self {
        Self::with(pretrained.test, pretrained.test_samples)
    }

    /// Of so many samples in all, and of old and new ones.
    pub(super) fn with(all: usize, parts: Option<TestSamples>) -> Self {
        let same = |count: usize| (count, count);
        Tested {
            all: same(all),
            parts: parts.map(|samples| [same(samples.old), same(samples.new)]),
        }
    }

    fn and(self, other: Tested) -> Self {
        let both =
            |one: (usize, usize), other: (usize, usize)| (one.0.min(other.0), one.1.max(other.1));
        let parts = self.parts.zip(other.parts);
        Tested {
            all: both(self.all, other.all),
            parts: parts.map(|(one, other)| [both(one[0], other[0]), both(one[1], other[1])]),
        }
    }

    /// Of several experiments; `None` if none of them tells.
    pub fn together(each: impl IntoIterator<Item = Tested>) -> Option<Self> {
        each.into_iter().reduce(Tested::and)
    }

    /// How many stand behind accuracy on everything: `600`, or `594 to 606`.
    pub fn all(self) -> String {
        range(self.all)
    }

    /// For a cell of a table: `600`, or `500 + 100` where old and new are known apart.
    pub fn cell(self) -> String {
        match self.parts {
            Some([old, new]) => format!("{} + {}", range(old), range(new)),
            None => range(self.all),
        }
    }
}

impl fmt::Display for Tested {
    /// `600 test samples a run`, or `594 to 606 test samples a run`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} test samples a run", range(self.all))
    }
}

fn range((fewest, most): (usize, usize)) -> String {
    match fewest == most {
        true => most.to_string(),
        false => format!("{fewest} to {most}"),
    }
}
