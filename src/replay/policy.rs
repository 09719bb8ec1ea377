//! Policies: which samples a memory keeps when more are offered than fit.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::ReplayError;
use crate::ids::ClassId;

/// Which samples a memory keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Policy {
    /// Every sample ever offered is kept with the same chance, and each group that is offered gets its
    /// exact share: of n samples, offered after N others to a memory for C, n·C / (N + n) random ones
    /// are kept, to within one, in free places first and then in place of random old ones. While there
    /// is room all are kept.
    Uniform,
    /// Every sample ever offered is kept with the same chance, each drawn on its own, so that a group's
    /// share is right on average only (Vitter 1985, Algorithm R).
    Reservoir,
    /// Classes share the memory evenly: a sample of a class that is not one of the largest takes the
    /// place of a random one of the largest; within the largest, samples are kept as in a reservoir
    /// (after Chrysakis & Moens 2020, CBRS, which never lets a class grow again once it was largest).
    ClassBalanced,
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Policy::Uniform => "uniform",
            Policy::Reservoir => "reservoir",
            Policy::ClassBalanced => "class-balanced",
        })
    }
}

impl FromStr for Policy {
    type Err = ReplayError;

    fn from_str(text: &str) -> Result<Self, ReplayError> {
        match text {
            "uniform" => Ok(Policy::Uniform),
            "reservoir" => Ok(Policy::Reservoir),
            "class-balanced" => Ok(Policy::ClassBalanced),
            _ => Err(ReplayError::BadPolicy(text.to_string())),
        }
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
}

/// One decision: a sample that was offered goes into a place of the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admission {
    /// Which of the samples offered.
    pub candidate: usize,
    /// Which place; what was there is lost.
    pub place: usize,
}

impl Policy {
    /// Decides which of a group of samples go where.
    ///
    /// `held` are the classes in the memory, `candidates` those offered. Each place appears at most
    /// once, so only samples that stay have to be encoded.
    pub fn admit(
        self,
        state: &mut PolicyState,
        capacity: usize,
        held: &[ClassId],
        candidates: &[ClassId],
        generator: &mut ChaCha8Rng,
    ) -> Vec<Admission> {
        let mut order: Vec<usize> = (0..candidates.len()).collect();
        order.shuffle(generator);
        state.groups += 1;
        let mut places = Places {
            capacity,
            classes: held.to_vec(),
            admitted: BTreeMap::new(),
        };
        match self {
            Policy::Uniform => {
                let free = capacity.saturating_sub(held.len());
                let share = fair_share(capacity, candidates.len(), state.offered, generator);
                order.truncate(share.max(free.min(candidates.len())));
                let mut old: Vec<usize> = (0..held.len()).collect();
                old.shuffle(generator);
                let mut old = old.into_iter();
                for &candidate in &order {
                    if let Some(place) = places.free().or_else(|| old.next()) {
                        places.put(place, candidate, candidates[candidate]);
                    }
                }
            }
            Policy::Reservoir => {
                for &candidate in &order {
                    state.offered += 1;
                    let place = places.free().or_else(|| {
                        let drawn = generator.random_range(0..state.offered);
                        usize::try_from(drawn).ok().filter(|&at| at < capacity)
                    });
                    if let Some(place) = place {
                        places.put(place, candidate, candidates[candidate]);
                    }
                }
            }
            Policy::ClassBalanced => {
                for &candidate in &order {
                    let class = candidates[candidate];
                    let seen = state.offered_of_class.entry(class).or_default();
                    *seen += 1;
                    let place = match places.free() {
                        Some(place) => Some(place),
                        None => places.balanced(class, *seen, generator),
                    };
                    if let Some(place) = place {
                        places.put(place, candidate, class);
                    }
                }
            }
        }
        if self != Policy::Reservoir {
            state.offered += candidates.len() as u64;
        }
        let admitted = places.admitted.into_iter();
        admitted
            .map(|(place, candidate)| Admission { candidate, place })
            .collect()
    }
}

/// How many of `new` samples a memory keeps that all of `before` others and these share: new ·
/// capacity / (before + new), rounded up with the chance of what is cut off, so that it is right on
/// average.
fn fair_share(capacity: usize, new: usize, before: u64, generator: &mut ChaCha8Rng) -> usize {
    let all = before.saturating_add(new as u64);
    if all <= capacity as u64 {
        return new;
    }
    let shares = capacity as u128 * new as u128;
    let (whole, rest) = (shares / u128::from(all), shares % u128::from(all));
    let up = u128::from(generator.random_range(0..all)) < rest;
    // At most `new`, as the capacity is less than all.
    whole as usize + usize::from(up)
}

/// The memory's places while a group is being admitted.
struct Places {
    capacity: usize,
    classes: Vec<ClassId>,
    admitted: BTreeMap<usize, usize>,
}

impl Places {
    fn free(&self) -> Option<usize> {
        (self.classes.len() < self.capacity).then_some(self.classes.len())
    }

    fn put(&mut self, place: usize, candidate: usize, class: ClassId) {
        if place == self.classes.len() {
            self.classes.push(class);
        } else {
            self.classes[place] = class;
        }
        self.admitted.insert(place, candidate);
    }

    /// The place that a sample of `class`, the `seen`-th of its class, takes in a full memory.
    fn balanced(&self, class: ClassId, seen: u64, generator: &mut ChaCha8Rng) -> Option<usize> {
        let mut sizes: BTreeMap<ClassId, usize> = BTreeMap::new();
        for &held in &self.classes {
            *sizes.entry(held).or_default() += 1;
        }
        let largest = sizes.values().copied().max()?;
        let own = sizes.get(&class).copied().unwrap_or(0);
        if own < largest {
            let full: Vec<ClassId> = sizes
                .iter()
                .filter(|(_, size)| **size == largest)
                .map(|(class, _)| *class)
                .collect();
            let victim = full[generator.random_range(0..full.len())];
            return self.place_of(victim, generator.random_range(0..largest));
        }
        let drawn = generator.random_range(0..seen);
        let drawn = usize::try_from(drawn).ok().filter(|&at| at < own)?;
        self.place_of(class, drawn)
    }

    /// The place of the `nth` sample of a class.
    fn place_of(&self, class: ClassId, nth: usize) -> Option<usize> {
        let places = self.classes.iter().enumerate();
        let mut own = places.filter(|(_, held)| **held == class);
        own.nth(nth).map(|(place, _)| place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{MasterSeed, Purpose};

    fn fill(policy: Policy, capacity: usize, groups: &[Vec<ClassId>]) -> Vec<ClassId> {
        fill_with(policy, capacity, groups, 5)
    }

    fn fill_with(
        policy: Policy,
        capacity: usize,
        groups: &[Vec<ClassId>],
        seed: u64,
    ) -> Vec<ClassId> {
        let mut state = PolicyState::default();
        let mut generator = MasterSeed(seed).stream(Purpose::Memory);
        let mut held = Vec::new();
        for group in groups {
            for admission in policy.admit(&mut state, capacity, &held, group, &mut generator) {
                if admission.place == held.len() {
                    held.push(group[admission.candidate]);
                } else {
                    held[admission.place] = group[admission.candidate];
                }
            }
        }
        held
    }

    fn group(class: u16, size: usize) -> Vec<ClassId> {
        vec![ClassId(class); size]
    }

    fn count(held: &[ClassId], class: u16) -> usize {
        held.iter().filter(|held| held.0 == class).count()
    }

    #[test]
    fn class_balanced_shares_evenly_what_comes_in_unevenly() {
        let groups = [group(0, 500), group(1, 40), group(2, 300)];
        let held = fill(Policy::ClassBalanced, 90, &groups);
        assert_eq!([0, 1, 2].map(|class| count(&held, class)), [30, 30, 30]);
    }

    #[test]
    fn uniform_fills_its_room_and_gives_each_group_its_exact_share() {
        // 100 × 500 / 1000.
        let groups = [group(0, 500), group(1, 500)];
        let held = fill(Policy::Uniform, 100, &groups);
        assert_eq!([count(&held, 0), count(&held, 1)], [50, 50]);
        // 100 × 500 / 520 is 96.2; no place stays free.
        let held = fill(Policy::Uniform, 100, &[group(0, 20), group(1, 500)]);
        assert_eq!(held.len(), 100);
        assert!([96, 97].contains(&count(&held, 1)), "{}", count(&held, 1));
        // Groups that all fit are all kept.
        let held = fill(
            Policy::Uniform,
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
            let held = fill_with(Policy::Uniform, 50, &groups, seed);
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
        let held = fill(Policy::Reservoir, 400, &[group(0, 3000), group(1, 1000)]);
        assert_eq!(held.len(), 400);
        let share = count(&held, 1) as f64 / 400.0;
        assert!((share - 0.25).abs() < 0.08, "{share}");
    }
}
