use serde::{Deserialize, Serialize};

use super::GeneratorError;

/// Bytes of a generator besides its parameters and concepts: form, bits, components, concepts, seed
/// and how it learns, as eight 64-bit words, like a replay memory's.
const HEADER_BYTES: u64 = 64;
/// Bytes of a concept besides its parameters: its class, and how many samples it was learned from.
const LABEL_BYTES: u64 = 4;

/// The two forms of generators, for what their sizes have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// [`SeparateMixtures`](super::SeparateMixtures): components for each concept alone.
    Separate,
    /// [`SharedMixture`](super::SharedMixture): components that all concepts share.
    Shared,
}

impl Form {
    /// Bytes that a generator takes with so many concepts: a byte for each probability and weight, 2
    /// for each concept's class and 2 for the number of samples that it was learned from, 64 for the
    /// rest; `u64::MAX` for more than can be counted.
    ///
    /// ```
    /// use respike::generator::Form;
    ///
    /// assert_eq!(Form::Separate.bytes(3, 1000, 5), 64 + 5 * (4 + 3 * 1000 + 3));
    /// assert_eq!(Form::Shared.bytes(15, 1000, 5), 64 + 15 * 1000 + 5 * (4 + 15));
    /// ```
    pub fn bytes(self, components: usize, bits: usize, concepts: usize) -> u64 {
        let [components, bits, concepts] =
            [components, bits, concepts].map(|number| number as u128);
        let mixtures = match self {
            Form::Separate => concepts,
            Form::Shared => 1,
        };
        let probabilities = components
            .checked_mul(bits)
            .and_then(|all| all.checked_mul(mixtures));
        let all = probabilities.and_then(|all| {
            let of_concepts = concepts * (components + u128::from(LABEL_BYTES));
            all.checked_add(of_concepts + u128::from(HEADER_BYTES))
        });
        all.and_then(|all| u64::try_from(all).ok())
            .unwrap_or(u64::MAX)
    }

    /// The most components, of each concept or of all, with which a generator of so many concepts
    /// stays within a budget in bytes.
    ///
    /// ```
    /// use respike::generator::Form;
    ///
    /// // The same budget for both forms, and for five concepts.
    /// assert_eq!(Form::Separate.components_within(20_000, 1000, 5)?, 3);
    /// assert_eq!(Form::Shared.components_within(20_000, 1000, 5)?, 19);
    /// # Ok::<(), respike::generator::GeneratorError>(())
    /// ```
    ///
    /// # Errors
    /// [`GeneratorError::NoBits`], and [`GeneratorError::BudgetTooSmall`] if there is no room for one.
    pub fn components_within(
        self,
        budget: u64,
        bits: usize,
        concepts: usize,
    ) -> Result<usize, GeneratorError> {
        if bits == 0 {
            return Err(GeneratorError::NoBits);
        }
        // A generator of nothing has room for what it will be of one.
        let concepts = concepts.max(1);
        let needed = self.bytes(1, bits, concepts);
        if budget < needed {
            return Err(GeneratorError::BudgetTooSmall { budget, needed });
        }
        let without = self.bytes(0, bits, concepts);
        // Bytes grow by the same with each component, and one fits, so this is above 0.
        let components = (budget - without) / (needed - without);
        Ok(usize::try_from(components).unwrap_or(usize::MAX))
    }
}
