//! The words of suites' `strategies` and of `--strategy`, by which methods were told before they were compositions.
//!
//! In: a word, and what had to be said beside it. Out: a [`Method`]. No other place knows these words; what a method is
//! made of says itself what it does.

use std::fmt;
use std::str::FromStr;

use super::{Method, View};
use crate::replay::Memory;

/// A method that is told by a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// New samples only.
    Naive,
    /// New samples and all old ones.
    Joint,
    /// A memory of raw inputs.
    Native,
    /// A memory of latents.
    Latent,
}

impl Strategy {
    /// All of them.
    pub const ALL: [Strategy; 4] = [
        Strategy::Naive,
        Strategy::Joint,
        Strategy::Native,
        Strategy::Latent,
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Strategy::Naive => "naive",
            Strategy::Joint => "joint",
            Strategy::Native => "native",
            Strategy::Latent => "latent",
        }
    }

    /// All words.
    pub fn words() -> [&'static str; 4] {
        Self::ALL.map(Strategy::word)
    }

    /// Whether a memory has to be said beside it.
    pub fn has_memory(self) -> bool {
        matches!(self, Strategy::Native | Strategy::Latent)
    }

    /// Whether an LR index means where the memory is; to others it says how much is frozen, or nothing.
    pub fn keeps_latents(self) -> bool {
        self == Strategy::Latent
    }

    /// The method, with what the memory is of those that have one, and with the LR index of latent replay. Latents are seen
    /// as they are, as in the paper that the words are from.
    ///
    /// # Errors
    /// What `memory` says.
    pub fn method<E>(
        self,
        lr_index: usize,
        memory: impl FnOnce() -> Result<Memory, E>,
    ) -> Result<Method, E> {
        let method = match self {
            Strategy::Naive => Method::naive(),
            Strategy::Joint => Method::joint(),
            Strategy::Native => Method::native(memory()?),
            Strategy::Latent => Method::latent(lr_index, memory()?),
        };
        Ok(method.with_view(View::AsIs))
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.word())
    }
}

impl FromStr for Strategy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|one| one.word() == text);
        found.ok_or_else(|| {
            let known = Self::words().join(", ");
            format!("`{text}` is not a strategy: use one of {known}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_names_of_methods() {
        for strategy in Strategy::ALL {
            assert_eq!(strategy.word().parse(), Ok(strategy));
            let memory = || {
                let capacity = crate::replay::Capacity::Samples(3);
                let codec = crate::replay::CodecSettings::raw();
                let policy = crate::replay::PolicySettings::uniform();
                Ok::<_, String>(Memory::new(codec, policy, capacity))
            };
            let method = strategy.method(2, memory).expect("it is said");
            assert_eq!(method.name, strategy.word());
            assert_eq!(method.capacity().is_some(), strategy.has_memory());
            assert_eq!(method.lr_index.is_some(), strategy.keeps_latents());
        }
        let unknown = "navie".parse::<Strategy>().expect_err("no word");
        assert!(unknown.contains("naive, joint"), "{unknown}");
    }
}
