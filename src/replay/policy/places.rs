use std::collections::BTreeMap;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::{Admission, Offer};
use crate::ids::ClassId;

/// The memory's places while a group is being admitted.
#[derive(Debug, Clone)]
pub struct Places {
    capacity: usize,
    classes: Vec<ClassId>,
    admitted: BTreeMap<usize, usize>,
}

impl Places {
    /// As they are before anything of an offer is admitted.
    pub fn of(offer: &Offer<'_>) -> Self {
        Places {
            capacity: offer.capacity,
            classes: offer.held.to_vec(),
            admitted: BTreeMap::new(),
        }
    }

    /// What was admitted, by place.
    pub fn admissions(self) -> Vec<Admission> {
        let admitted = self.admitted.into_iter();
        admitted
            .map(|(place, candidate)| Admission { candidate, place })
            .collect()
    }

    /// The next free place.
    pub fn free(&self) -> Option<usize> {
        (self.classes.len() < self.capacity).then_some(self.classes.len())
    }

    /// Puts a candidate of a class into a place.
    pub fn put(&mut self, place: usize, candidate: usize, class: ClassId) {
        if place == self.classes.len() {
            self.classes.push(class);
        } else {
            self.classes[place] = class;
        }
        self.admitted.insert(place, candidate);
    }

    /// The place that a sample of `class`, the `seen`-th of its class, takes in a full memory.
    pub(super) fn balanced(
        &self,
        class: ClassId,
        seen: u64,
        generator: &mut ChaCha8Rng,
    ) -> Option<usize> {
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
