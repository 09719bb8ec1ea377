//! How new samples and replays share the batches of an epoch.
//!
//! In: joined [`Examples`], each new or replayed, with its class and the task that it is of. Out: batches as indices into
//! them, the same for the same random numbers.

use std::collections::BTreeMap;

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{Examples, Origin, TrainError};
use crate::registry::BadSetting;

/// How new samples and replays share batches: by default all are shuffled together.
///
/// ```
/// use respike::train::{Balance, Mixing};
///
/// let mixing = Mixing::default().with_per_batch(21, 107);
/// mixing.check()?;
/// assert_eq!(mixing.replayed_per_batch, Some(107));
/// assert!(Mixing::default().with_balance(Balance::Class) != Mixing::default());
/// # Ok::<(), respike::train::TrainError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Mixing {
    /// New samples of every batch; given together with `replayed_per_batch`, instead of a batch size. Each is in one
    /// batch of an epoch, which ends with the last of them; that batch may have fewer, and as many fewer replays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_per_batch: Option<usize>,
    /// Replays of every batch, drawn without replacement until all were drawn, and then again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replayed_per_batch: Option<usize>,
    /// What every batch has equally many of. With numbers per batch it is that of the replays alone.
    pub balance: Balance,
}

/// What every batch has equally many of, to within one. Samples of the smaller groups are drawn several times, until
/// each of the largest was drawn once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Balance {
    /// Nothing: each sample is in one batch.
    #[default]
    None,
    /// Each class.
    Class,
    /// New samples, and replays of each earlier task. What a generator makes is of no task, and counts as of one.
    Task,
}

impl Mixing {
    /// The same with so many new samples and so many replays in every batch.
    #[must_use]
    pub fn with_per_batch(mut self, new: usize, replayed: usize) -> Self {
        (self.new_per_batch, self.replayed_per_batch) = (Some(new), Some(replayed));
        self
    }

    /// The same with equally many of something.
    #[must_use]
    pub fn with_balance(mut self, balance: Balance) -> Self {
        self.balance = balance;
        self
    }

    /// Refuses numbers that make no batch.
    ///
    /// # Errors
    /// [`TrainError::BadSetting`].
    pub fn check(&self) -> Result<(), TrainError> {
        let bad = match (self.new_per_batch, self.replayed_per_batch) {
            (Some(0), _) => BadSetting::new("new_per_batch", "must be 1 or more, not 0"),
            (Some(_), None) => BadSetting::new("new_per_batch", "needs replayed_per_batch, too"),
            (None, Some(_)) => BadSetting::new("replayed_per_batch", "needs new_per_batch, too"),
            (None, None) | (Some(_), Some(_)) => return Ok(()),
        };
        Err(bad.into())
    }

    /// The batches of an epoch. A batch size counts where no numbers per batch are given; the last batch may be
    /// smaller. Without a new sample, numbers per batch make no batch.
    pub fn batches(
        &self,
        examples: &dyn Examples,
        batch_size: usize,
        random: &mut ChaCha8Rng,
    ) -> Vec<Vec<usize>> {
        let mut all: Vec<usize> = (0..examples.len()).collect();
        if let (Some(new), Some(replayed)) = (self.new_per_batch, self.replayed_per_batch) {
            return self.by_numbers(examples, (new.max(1), replayed), random);
        }
        if self.balance == Balance::None {
            all.shuffle(random);
            return all
                .chunks(batch_size.max(1))
                .map(<[usize]>::to_vec)
                .collect();
        }
        let mut decks = Decks::of(self.balance, examples, all, random);
        let dealt = decks.deal(decks.largest() * decks.decks.len(), random);
        let mut batches: Vec<Vec<usize>> = dealt
            .chunks(batch_size.max(1))
            .map(<[usize]>::to_vec)
            .collect();
        batches.iter_mut().for_each(|batch| batch.shuffle(random));
        batches
    }

    fn by_numbers(
        &self,
        examples: &dyn Examples,
        (new, replayed): (usize, usize),
        random: &mut ChaCha8Rng,
    ) -> Vec<Vec<usize>> {
        let is_new = |index: &usize| examples.origin(*index) == Origin::New;
        let (mut fresh, old): (Vec<usize>, Vec<usize>) = (0..examples.len()).partition(is_new);
        fresh.shuffle(random);
        let mut decks = Decks::of(self.balance, examples, old, random);
        let batches = fresh.chunks(new).map(|fresh| {
            let share = (fresh.len() as u128 * replayed as u128).div_ceil(new as u128);
            let mut batch = fresh.to_vec();
            batch.extend(decks.deal(share as usize, random));
            batch.shuffle(random);
            batch
        });
        batches.collect()
    }
}

/// Groups of samples, dealt from in turn.
struct Decks {
    decks: Vec<Deck>,
    /// Which is dealt from next.
    turn: usize,
}

/// Samples in a random order, which are shuffled anew when all are dealt.
struct Deck {
    samples: Vec<usize>,
    dealt: usize,
}

impl Decks {
    /// The samples by what is to be equally many, in a random order.
    fn of(
        balance: Balance,
        examples: &dyn Examples,
        samples: Vec<usize>,
        random: &mut ChaCha8Rng,
    ) -> Self {
        let mut groups: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
        for sample in samples {
            let group = match (balance, examples.origin(sample)) {
                (Balance::None, _) | (Balance::Task, Origin::New) => None,
                (Balance::Class, _) => Some(examples.class(sample).index()),
                (Balance::Task, Origin::Replayed) => Some(examples.task(sample)),
            };
            groups.entry(group).or_default().push(sample);
        }
        let decks = groups.into_values().map(|samples| Deck {
            dealt: samples.len(),
            samples,
        });
        let mut decks: Vec<Deck> = decks.collect();
        decks.shuffle(random);
        Decks { decks, turn: 0 }
    }

    /// Samples of the largest group.
    fn largest(&self) -> usize {
        let sizes = self.decks.iter().map(|deck| deck.samples.len());
        sizes.max().unwrap_or(0)
    }

    /// So many samples, one of each group in turn; none if there is no group.
    fn deal(&mut self, count: usize, random: &mut ChaCha8Rng) -> Vec<usize> {
        let groups = self.decks.len();
        if groups == 0 {
            return Vec::new();
        }
        let dealt = (0..count).map(|_| {
            let deck = &mut self.decks[self.turn];
            self.turn = (self.turn + 1) % groups;
            if deck.dealt == deck.samples.len() {
                deck.samples.shuffle(random);
                deck.dealt = 0;
            }
            deck.dealt += 1;
            deck.samples[deck.dealt - 1]
        });
        dealt.collect()
    }
}

#[cfg(test)]
mod tests;
