use super::{
    Block, BlockLoss, CrossEntropy, ObjectiveSettings, RegulariserSettings, SpikePenalty,
    TrainError,
};
use crate::network::{Gradients, Network, Reach};

/// What training makes small: an objective and what is added to it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Losses {
    /// What is wanted.
    pub objective: ObjectiveSettings,
    /// What is added to it.
    pub regularisers: Vec<RegulariserSettings>,
}

impl Default for Losses {
    /// Cross-entropy alone.
    fn default() -> Self {
        CrossEntropy::default().into()
    }
}

impl<T: Into<ObjectiveSettings>> From<T> for Losses {
    fn from(objective: T) -> Self {
        Losses::new(objective)
    }
}

impl Losses {
    /// An objective, ours or one's own, and nothing added to it yet.
    pub fn new(objective: impl Into<ObjectiveSettings>) -> Self {
        Losses {
            objective: objective.into(),
            regularisers: Vec::new(),
        }
    }

    /// The same with a regulariser more.
    #[must_use]
    pub fn and(mut self, regulariser: impl Into<RegulariserSettings>) -> Self {
        self.regularisers.push(regulariser.into());
        self
    }

    /// The same with a penalty on spikes, if it costs anything.
    #[must_use]
    pub fn and_penalty(mut self, penalty: SpikePenalty) -> Self {
        if !penalty.is_none() {
            self.regularisers.insert(0, penalty.into());
        }
        self
    }

    /// The penalty on spikes and the other regularisers; a penalty of nothing if the first is none.
    pub fn penalty(&self) -> (SpikePenalty, &[RegulariserSettings]) {
        if let Some((first, others)) = self.regularisers.split_first()
            && let Some(penalty) = first.get::<SpikePenalty>()
            && !penalty.is_none()
        {
            return (penalty, others);
        }
        (SpikePenalty::default(), &self.regularisers)
    }

    pub(super) fn check(&self) -> Result<(), TrainError> {
        let objective = &self.objective;
        objective.check().map_err(|bad| bad.of(objective.kind()))?;
        for one in &self.regularisers {
            one.check().map_err(|bad| bad.of(one.kind()))?;
        }
        Ok(())
    }

    /// How far back in time errors must be able to go.
    pub fn reach(&self) -> Reach {
        let reaches = self.regularisers.iter().map(|one| one.reach());
        let all = reaches.chain([self.objective.reach()]);
        match all.into_iter().all(|reach| reach == Reach::Logits) {
            true => Reach::Logits,
            false => Reach::EveryStep,
        }
    }

    /// What a block costs: by the objective, and by all regularisers together with the errors of both.
    ///
    /// # Errors
    /// If a loss needs of the block what is not there.
    pub fn of_block(&self, block: &Block<'_>) -> Result<(f64, BlockLoss), TrainError> {
        let BlockLoss {
            loss_sum,
            mut errors,
        } = self.objective.of_block(block)?;
        let mut added = 0.0;
        for regulariser in &self.regularisers {
            let loss = regulariser.of_block(block)?;
            added += loss.loss_sum;
            errors = errors.and(loss.errors);
        }
        let added = BlockLoss {
            loss_sum: added,
            errors,
        };
        Ok((loss_sum, added))
    }

    /// What the parameters cost; adds its derivatives to the gradients.
    ///
    /// # Errors
    /// If the gradients are of another network.
    pub fn of_parameters(
        &self,
        network: &Network,
        gradients: &mut Gradients,
    ) -> Result<f64, TrainError> {
        let mut sum = 0.0;
        for regulariser in &self.regularisers {
            sum += regulariser.of_parameters(network, gradients)?;
        }
        Ok(sum)
    }
}
