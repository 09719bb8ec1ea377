//! Policies: which samples a memory keeps when more are offered than fit. One file a policy.
//!
//! In: what a memory holds and a group of samples that is offered to it. Out: which of these go where.
//!
//! | kind | what it keeps |
//! |---|---|
//! | `uniform` | [`Uniform`]: an exact share of every group |
//! | `reservoir` | [`Reservoir`]: every sample with the same chance |
//! | `class-balanced` | [`ClassBalanced`]: as many of every class |
//! | `replacement` | [`Replacement`]: of the i-th group an i-th of the places |
//! | `herding` | [`Herding`]: of every class those whose mean is the class's |
//! | `similarity` | [`Similarity`]: of every class those most like its mean |

mod class_balanced;
mod herding;
mod places;
mod ranked;
mod replacement;
mod reservoir;
mod similarity;
mod uniform;

pub use class_balanced::ClassBalanced;
pub use herding::Herding;
pub use places::Places;
pub use replacement::Replacement;
pub use reservoir::Reservoir;
pub use similarity::Similarity;
pub use uniform::Uniform;

use std::collections::BTreeMap;
use std::fmt::Debug;

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::ReplayError;
use crate::ids::ClassId;
use crate::registry::Chosen;

/// A policy of any kind, as settings name it.
pub type PolicySettings = Chosen<dyn Policy>;

/// Which samples a memory keeps.
pub trait Policy: Debug + Send + Sync + 'static {
    /// Decides which of a group of samples go where. Each place appears at most once, so only samples that stay have
    /// to be encoded.
    ///
    /// `state` is all that may be remembered from one group to the next.
    ///
    /// # Errors
    /// If features can't be had.
    fn admit(
        &self,
        state: &mut PolicyState,
        offer: &Offer<'_>,
        generator: &mut ChaCha8Rng,
    ) -> Result<Vec<Admission>, ReplayError>;
}

impl PolicySettings {
    /// [`Uniform`].
    pub fn uniform() -> Self {
        Uniform {}.into()
    }

    /// [`Reservoir`].
    pub fn reservoir() -> Self {
        Reservoir {}.into()
    }

    /// [`ClassBalanced`].
    pub fn class_balanced() -> Self {
        ClassBalanced {}.into()
    }
}

/// What a policy decides on.
pub struct Offer<'a> {
    /// Places of the memory.
    pub capacity: usize,
    /// Classes of the samples that it holds, place by place.
    pub held: &'a [ClassId],
    /// Classes of the samples that are offered.
    pub candidates: &'a [ClassId],
    /// What samples look like, for policies that look.
    pub features: &'a dyn OfferFeatures,
}

/// What samples look like: how often each unit spikes in them.
pub trait OfferFeatures {
    /// Of a sample that is held.
    ///
    /// # Errors
    /// If it can't be decoded.
    fn held(&self, place: usize) -> Result<Vec<f32>, ReplayError>;

    /// Of a sample that is offered, as it would be once it has been kept.
    ///
    /// # Errors
    /// If it can't be made.
    fn candidate(&self, candidate: usize) -> Result<Vec<f32>, ReplayError>;
}

/// Samples that look like nothing: for policies that look at classes alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFeatures;

impl OfferFeatures for NoFeatures {
    fn held(&self, _: usize) -> Result<Vec<f32>, ReplayError> {
        Ok(Vec::new())
    }

    fn candidate(&self, _: usize) -> Result<Vec<f32>, ReplayError> {
        Ok(Vec::new())
    }
}

/// What a policy has to remember of the samples that it was offered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PolicyState {
    /// Groups of samples offered.
    pub groups: u64,
    /// Samples offered.
    pub offered: u64,
    /// Samples of each class offered.
    pub offered_of_class: BTreeMap<ClassId, u64>,
    /// Lists of numbers that a policy keeps by name; each number counts as 4 bytes of the memory.
    pub lists: BTreeMap<String, Vec<u32>>,
}

/// One decision: a sample that was offered goes into a place of the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admission {
    /// Which of the samples offered.
    pub candidate: usize,
    /// Which place; what was there is lost.
    pub place: usize,
}

impl PolicyState {
    /// What its lists take; its counters are in the memory's header.
    pub(super) fn bytes(&self) -> u64 {
        let numbers: usize = self.lists.values().map(Vec::len).sum();
        4 * numbers as u64
    }
}

impl Offer<'_> {
    /// The candidates in a random order.
    pub fn shuffled(&self, generator: &mut ChaCha8Rng) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.candidates.len()).collect();
        order.shuffle(generator);
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{MasterSeed, Purpose};

    pub(super) fn fill(
        policy: &PolicySettings,
        capacity: usize,
        groups: &[Vec<ClassId>],
    ) -> Vec<ClassId> {
        fill_with(policy, capacity, groups, 5)
    }

    fn fill_with(
        policy: &PolicySettings,
        capacity: usize,
        groups: &[Vec<ClassId>],
        seed: u64,
    ) -> Vec<ClassId> {
        let mut state = PolicyState::default();
        let mut generator = MasterSeed(seed).stream(Purpose::Memory);
        let mut held = Vec::new();
        for group in groups {
            let offer = Offer {
                capacity,
                held: &held.clone(),
                candidates: group,
                features: &NoFeatures,
            };
            let admitted = policy.admit(&mut state, &offer, &mut generator);
            for admission in admitted.expect("it looks at classes alone") {
                if admission.place == held.len() {
                    held.push(group[admission.candidate]);
                } else {
                    held[admission.place] = group[admission.candidate];
                }
            }
        }
        held
    }

    pub(super) fn group(class: u16, size: usize) -> Vec<ClassId> {
        vec![ClassId(class); size]
    }

    pub(super) fn count(held: &[ClassId], class: u16) -> usize {
        held.iter().filter(|held| held.0 == class).count()
    }

    #[test]
    fn class_balanced_shares_evenly_what_comes_in_unevenly() {
        let groups = [group(0, 500), group(1, 40), group(2, 300)];
        let held = fill(&PolicySettings::class_balanced(), 90, &groups);
        assert_eq!([0, 1, 2].map(|class| count(&held, class)), [30, 30, 30]);
    }

    #[test]
    fn uniform_fills_its_room_and_gives_each_group_its_exact_share() {
        // 100 × 500 / 1000.
        let groups = [group(0, 500), group(1, 500)];
        let held = fill(&PolicySettings::uniform(), 100, &groups);
        assert_eq!([count(&held, 0), count(&held, 1)], [50, 50]);
        // 100 × 500 / 520 is 96.2; no place stays free.
        let held = fill(
            &PolicySettings::uniform(),
            100,
            &[group(0, 20), group(1, 500)],
        );
        assert_eq!(held.len(), 100);
        assert!([96, 97].contains(&count(&held, 1)), "{}", count(&held, 1));
        // Groups that all fit are all kept.
        let held = fill(
            &PolicySettings::uniform(),
            100,
            &[group(0, 20), group(1, 50), group(2, 30)],
        );
        assert_eq!([0, 1, 2].map(|class| count(&held, class)), [20, 50, 30]);
    }

    #[test]
    fn uniform_favours_neither_the_oldest_nor_the_newest() {
        // Ten groups of 60, far beyond a capacity of 50: each is a tenth of what was offered.
        let groups: Vec<Vec<ClassId>> = (0..10).map(|class| group(class, 60)).collect();
        let mut held_of = [0; 10];
        for seed in 0..200 {
            let held = fill_with(&PolicySettings::uniform(), 50, &groups, seed);
            assert_eq!(held.len(), 50);
            for (class, sum) in held_of.iter_mut().enumerate() {
                *sum += count(&held, class as u16);
            }
        }
        // 1000 each on average; a group's number has a variance below 5 in each of 200 trials.
        for (class, sum) in held_of.iter().enumerate() {
            assert!((850..1150).contains(sum), "class {class}: {held_of:?}");
        }
    }

    #[test]
    fn reservoir_keeps_groups_in_proportion_to_their_size() {
        let held = fill(
            &PolicySettings::reservoir(),
            400,
            &[group(0, 3000), group(1, 1000)],
        );
        assert_eq!(held.len(), 400);
        let share = count(&held, 1) as f64 / 400.0;
        assert!((share - 0.25).abs() < 0.08, "{share}");
    }
}
