use std::collections::BTreeMap;

use ndarray::ArrayViewD;
use serde::{Deserialize, Serialize};

use super::{Regulariser, RegulariserState, WeightStep};
use crate::kernels::flush;
use crate::network::{Gradients, Network, NetworkError, ParameterName, Stage};
use crate::registry::{BadSetting, Member};
use crate::storage::Tensor;
use crate::train::TrainError;

/// Synaptic intelligence (Zenke, Poole & Ganguli 2017): what was important for earlier tasks is held where it was.
///
/// For every number θ that is trained, weights, biases and what neurons learn:
///
/// - in each step ω grows by −g·Δθ, with g the gradient of the loss without this cost and before it is clipped, and Δθ
///   what the step moved, whatever moved it;
/// - at a task's end Ω grows by max(0, ω) / ((θ − θ*)² + ξ), with θ* as the task began, and is cut at `clip`, if that is
///   given; then θ* becomes θ, and ω 0;
/// - `strength`/2 · Σ Ω·(θ − θ*)² is added to the loss of each batch. Their c is half of `strength`.
///
/// A largest importance keeps steps from overshooting: under plain gradient descent a number whose importance is above
/// 1/(`strength` · learning rate) jumps over θ* instead of coming back to it. AR1* (Maltoni & Lomonaco 2019; Pellegrini
/// et al. 2020) has 0.001.
///
/// A number that is another when a task begins than when the last one ended, as the readout of a class that is drawn
/// anew, is not the one that was important: its Ω is 0 again.
///
/// A network that was trained before has no ω. `fisher` takes its place before the first task: Ω begins as that many
/// times the [Fisher information](crate::train::fisher_information) of what it was trained on, cut at `clip`, as in
/// elastic weight consolidation (Kirkpatrick et al. 2017). With 0, the default, nothing is important then.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SynapticIntelligence {
    /// What a squared distance costs, by its importance, twice.
    pub strength: f32,
    /// ξ: keeps the importance of what hardly moved finite.
    pub xi: f32,
    /// The largest importance; none for any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip: Option<f32>,
    /// Importance before the first task, by the Fisher information of what was learned before.
    #[serde(skip_serializing_if = "is_zero")]
    pub fisher: f32,
}

fn is_zero(value: &f32) -> bool {
    *value == 0.0
}

impl Default for SynapticIntelligence {
    /// A strength of 2, ξ 0.1, any importance, and none of it before the first task.
    fn default() -> Self {
        SynapticIntelligence {
            strength: 2.0,
            xi: 0.1,
            clip: None,
            fisher: 0.0,
        }
    }
}

impl Member for SynapticIntelligence {
    const KIND: &'static str = "synaptic-intelligence";
    const ABOUT: &'static str = "strength/2 for a squared distance from the last task's weights, by how much each lowered the loss; xi, clip, the largest importance, and fisher, importance before the first task by that of what was learned before";

    fn check(&self) -> Result<(), BadSetting> {
        BadSetting::unless_positive("strength", self.strength)?;
        BadSetting::unless_positive("xi", self.xi)?;
        if !self.fisher.is_finite() || self.fisher < 0.0 {
            let reason = format!("must be a finite number, 0 or above, not {}", self.fisher);
            return Err(BadSetting::new("fisher", reason));
        }
        self.clip
            .map_or(Ok(()), |clip| BadSetting::unless_positive("clip", clip))
    }
}

impl Regulariser for SynapticIntelligence {
    fn begin(&self, network: &Network, stage: Stage) -> Option<Box<dyn RegulariserState>> {
        let nothing = Gradients::zeros(network, stage);
        Some(Box::new(Importance {
            settings: *self,
            stage,
            known: network.parameters().iter().map(|(name, _)| name).collect(),
            anchor: Gradients::of_parameters(network, stage),
            importance: nothing.clone(),
            path: nothing,
        }))
    }
}

/// What is remembered of every number that a stage trains.
#[derive(Debug)]
struct Importance {
    settings: SynapticIntelligence,
    stage: Stage,
    /// All parameters of the network.
    known: Vec<ParameterName>,
    /// θ*.
    anchor: Gradients,
    /// Ω.
    importance: Gradients,
    /// ω.
    path: Gradients,
}

/// Names of the three.
const ANCHOR: &str = "anchor";
const IMPORTANCE: &str = "importance";
const PATH: &str = "path";

impl Importance {
    /// What the stage trains of a network, as it is now.
    fn now(&self, network: &Network) -> Result<Gradients, TrainError> {
        let now = Gradients::of_parameters(network, self.stage);
        match now.are_like(&self.anchor) {
            true => Ok(now),
            false => Err(NetworkError::OtherParameters("what a regulariser remembers").into()),
        }
    }

    fn parts(&self) -> [(&'static str, &Gradients); 3] {
        [
            (ANCHOR, &self.anchor),
            (IMPORTANCE, &self.importance),
            (PATH, &self.path),
        ]
    }
}

impl RegulariserState for Importance {
    fn begin_task(&mut self, network: &Network) -> Result<(), TrainError> {
        let now = self.now(network)?;
        let importance = self.importance.values_mut().iter_mut();
        let places = importance.zip(self.anchor.values()).zip(now.values());
        for ((importance, anchor), now) in places {
            if anchor != now {
                *importance = 0.0;
            }
        }
        self.anchor = now;
        self.path.clear();
        Ok(())
    }

    fn of_parameters(
        &self,
        network: &Network,
        gradients: &mut Gradients,
    ) -> Result<f64, TrainError> {
        if !gradients.are_like(&self.anchor) {
            return Err(NetworkError::OtherParameters("the gradients").into());
        }
        let strength = self.settings.strength;
        let now = self.now(network)?;
        let mut squares = 0.0;
        let places = gradients.values_mut().iter_mut().zip(now.values());
        let places = places
            .zip(self.anchor.values())
            .zip(self.importance.values());
        for (((gradient, now), anchor), &importance) in places {
            // What is not important keeps its gradient to the bit.
            if importance > 0.0 {
                let off = now - anchor;
                *gradient += flush(strength * importance * off);
                squares += f64::from(importance) * f64::from(off).powi(2);
            }
        }
        Ok(f64::from(strength) / 2.0 * squares)
    }

    fn stepped(&mut self, step: &WeightStep<'_>) -> Result<(), TrainError> {
        let fits = step.gradients.are_like(&self.path);
        let numbers = self.path.values().len();
        if !fits
            || [step.before, step.after]
                .iter()
                .any(|all| all.len() != numbers)
        {
            return Err(NetworkError::OtherParameters("the step").into());
        }
        let moves = step.before.iter().zip(step.after);
        let moves = moves.zip(step.gradients.values());
        for (path, ((before, after), gradient)) in self.path.values_mut().iter_mut().zip(moves) {
            *path -= flush(gradient * (after - before));
        }
        Ok(())
    }

    fn end_task(&mut self, network: &Network) -> Result<(), TrainError> {
        let now = self.now(network)?;
        let (xi, largest) = (f64::from(self.settings.xi), self.settings.clip);
        let places = self.importance.values_mut().iter_mut();
        let places = places.zip(self.path.values());
        let places = places.zip(self.anchor.values()).zip(now.values());
        for (((importance, &path), &anchor), &now) in places {
            let moved = f64::from(now) - f64::from(anchor);
            let gained = f64::from(path.max(0.0)) / (moved * moved + xi);
            let sum = (f64::from(*importance) + gained) as f32;
            *importance = flush(sum.min(largest.unwrap_or(f32::MAX)));
        }
        self.anchor = now;
        self.path.clear();
        Ok(())
    }

    fn looks_back(&self) -> bool {
        self.settings.fisher > 0.0
    }

    fn learned_before(&mut self, fisher: &Gradients) -> Result<(), TrainError> {
        if !fisher.are_like(&self.importance) {
            return Err(NetworkError::OtherParameters("the Fisher information").into());
        }
        let largest = self.settings.clip.unwrap_or(f32::MAX);
        let importance = self.importance.values_mut().iter_mut();
        for (importance, fisher) in importance.zip(fisher.values()) {
            *importance = flush((self.settings.fisher * fisher).min(largest));
        }
        Ok(())
    }

    fn bytes(&self) -> u64 {
        let numbers = self.anchor.iter().map(|(_, values)| values.len());
        (numbers.sum::<usize>() * self.parts().len() * size_of::<f32>()) as u64
    }

    fn tensors(&self) -> BTreeMap<String, Tensor> {
        let parts = self.parts().into_iter().flat_map(|(what, values)| {
            let values = values.iter();
            values.map(move |(name, values)| {
                (format!("{what}.{name}"), Tensor::F32(values.to_owned()))
            })
        });
        parts.collect()
    }

    /// What the stage does not train is left out, and what was not trained before begins anew.
    fn restore(&mut self, tensors: &BTreeMap<String, Tensor>) -> Result<(), TrainError> {
        let bad = |what: String| Err(TrainError::BadRegulariserState(what));
        let mut names = BTreeMap::new();
        for &name in &self.known {
            for what in [ANCHOR, IMPORTANCE, PATH] {
                names.insert(format!("{what}.{name}"), (name, what));
            }
        }
        if let Some(name) = tensors.keys().find(|name| !names.contains_key(*name)) {
            return bad(format!("there is nothing called `{name}`"));
        }
        for (key, (name, what)) in names
            .iter()
            .filter(|(_, (name, _))| self.stage.trains(*name))
        {
            let together = [ANCHOR, IMPORTANCE, PATH].map(|what| format!("{what}.{name}"));
            let values = match tensors.get(key) {
                Some(Tensor::F32(values)) => values,
                Some(_) => return bad(format!("`{key}` is no array of numbers")),
                None if together.iter().any(|other| tensors.contains_key(other)) => {
                    return bad(format!("`{key}` is missing"));
                }
                None => continue,
            };
            if !are_in_range(what, values.view()) {
                return bad(format!("`{key}` holds numbers that it can't"));
            }
            let part = match *what {
                ANCHOR => &mut self.anchor,
                IMPORTANCE => &mut self.importance,
                _ => &mut self.path,
            };
            part.set(*name, values.clone())?;
        }
        Ok(())
    }
}

fn are_in_range(what: &str, values: ArrayViewD<'_, f32>) -> bool {
    values
        .iter()
        .all(|value| value.is_finite() && (what != IMPORTANCE || *value >= 0.0))
}

#[cfg(test)]
mod tests;
