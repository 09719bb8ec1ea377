use std::time::Duration;

use serde::Serialize;

/// Where the time of training went, in wall-clock seconds of the whole program.
///
/// What several threads do at once is measured on each, and shares out the time that passed meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
#[non_exhaustive]
pub struct TimeSpent {
    /// Samples trained on, each as often as it was.
    pub samples: u64,
    /// Bringing weights into the layout of the kernels, once a batch.
    pub prepare: f64,
    /// Fetching samples: fetching samples, if there are any.
    pub fetch: f64,
    /// Forward passes and the loss.
    pub forward: f64,
    /// Backward passes.
    pub backward: f64,
    /// Adding up the gradients of a batch.
    pub add: f64,
    /// Moving the weights.
    pub optimise: f64,
}

/// What one thread spent on a block, or several threads on theirs.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct BlockTime {
    pub fetch: Duration,
    pub forward: Duration,
    pub backward: Duration,
}

impl BlockTime {
    pub(super) fn add(&mut self, other: BlockTime) {
        self.fetch += other.fetch;
        self.forward += other.forward;
        self.backward += other.backward;
    }
}

impl TimeSpent {
    /// All of it, in seconds.
    pub fn total(&self) -> f64 {
        let blocks = self.fetch + self.forward + self.backward;
        self.prepare + blocks + self.add + self.optimise
    }

    /// Samples a second.
    pub fn samples_per_second(&self) -> f64 {
        match self.total() {
            total if total > 0.0 => self.samples as f64 / total,
            _ => 0.0,
        }
    }

    /// Adds what was spent elsewhere.
    pub fn add(&mut self, other: &TimeSpent) {
        self.samples += other.samples;
        self.prepare += other.prepare;
        self.fetch += other.fetch;
        self.forward += other.forward;
        self.backward += other.backward;
        self.add += other.add;
        self.optimise += other.optimise;
    }

    /// Shares out the time in which all blocks of a batch were worked on.
    pub(super) fn add_blocks(&mut self, passed: Duration, blocks: BlockTime) {
        let work = (blocks.fetch + blocks.forward + blocks.backward).as_secs_f64();
        if work > 0.0 {
            let share = passed.as_secs_f64() / work;
            self.fetch += blocks.fetch.as_secs_f64() * share;
            self.forward += blocks.forward.as_secs_f64() * share;
            self.backward += blocks.backward.as_secs_f64() * share;
        }
    }

    /// The parts with their names, the largest first.
    pub fn parts(&self) -> Vec<(&'static str, f64)> {
        let mut parts = vec![
            ("forward", self.forward),
            ("backward", self.backward),
            ("fetching samples", self.fetch),
            ("optimiser", self.optimise),
            ("adding gradients", self.add),
            ("weight layout", self.prepare),
        ];
        parts.sort_by(|a, b| b.1.total_cmp(&a.1));
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_share_the_time_that_passed() {
        let mut spent = TimeSpent::default();
        let blocks = BlockTime {
            fetch: Duration::from_millis(0),
            forward: Duration::from_millis(300),
            backward: Duration::from_millis(900),
        };
        spent.add_blocks(Duration::from_millis(600), blocks);
        spent.samples = 60;
        assert!((spent.forward - 0.15).abs() < 1e-9 && (spent.backward - 0.45).abs() < 1e-9);
        assert!((spent.samples_per_second() - 100.0).abs() < 1e-6);
        let mut twice = spent;
        twice.add(&spent);
        assert!((twice.total() - 1.2).abs() < 1e-9);
        assert_eq!(twice.parts()[0].0, "backward");
    }
}
