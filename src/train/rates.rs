use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::TrainError;
use crate::network::{ParameterName, Parameters};

/// Parameters that share something, such as a factor of the learning rate: those of a layer (`layer1`), of a
/// role (`w`, `v`, `bias`, `w_out`, or what neurons call theirs, such as `rho_u`), or a single one (`v2`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
#[non_exhaustive]
pub enum ParameterGroup {
    /// All of a hidden layer, 0 for the first.
    Layer(usize),
    /// All of a role.
    Role(String),
    /// One.
    One(ParameterName),
}

impl ParameterGroup {
    /// Whether a parameter is one of them.
    pub fn has(&self, name: ParameterName) -> bool {
        match self {
            ParameterGroup::Layer(layer) => name.layer() == Some(*layer),
            ParameterGroup::Role(role) => name.role() == role,
            ParameterGroup::One(one) => *one == name,
        }
    }
}

impl fmt::Display for ParameterGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParameterGroup::Layer(layer) => write!(f, "layer{}", layer + 1),
            ParameterGroup::Role(role) => f.write_str(role),
            ParameterGroup::One(name) => name.fmt(f),
        }
    }
}

impl FromStr for ParameterGroup {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix("layer");
        let digits = digits.filter(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
        let number = digits.and_then(|rest| rest.parse::<usize>().ok());
        if let Some(layer) = number.and_then(|number| number.checked_sub(1)) {
            return Ok(ParameterGroup::Layer(layer));
        }
        if text != "w_out"
            && let Ok(name) = ParameterName::try_from(text.to_string())
        {
            return Ok(ParameterGroup::One(name));
        }
        let is_role = |letter: char| letter.is_ascii_lowercase() || letter == '_';
        match !text.is_empty() && text.chars().all(is_role) {
            true => Ok(ParameterGroup::Role(text.to_string())),
            false => Err(format!(
                "`{text}` names no parameters: use a layer (layer1), a role (w, v, bias, w_out, rho_u, …) or a \
                 single one (v2)"
            )),
        }
    }
}

impl From<ParameterGroup> for String {
    fn from(group: ParameterGroup) -> String {
        group.to_string()
    }
}

impl TryFrom<String> for ParameterGroup {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// What the learning rate is multiplied with for some parameters; those in several groups get the product, and 0 leaves
/// parameters as they are.
///
/// ```
/// use respike::network::ParameterName;
/// use respike::train::RateFactors;
///
/// let factors = RateFactors::default().with("layer1".parse()?, 0.5).with("v".parse()?, 0.1);
/// assert_eq!(factors.of(ParameterName::Input(0)), 0.5);
/// assert_eq!(factors.of(ParameterName::Recurrent(0)), 0.5 * 0.1);
/// assert_eq!(factors.of(ParameterName::Readout), 1.0);
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RateFactors(BTreeMap<ParameterGroup, f32>);

impl RateFactors {
    /// The same with a factor for a group, instead of one that it had.
    #[must_use]
    pub fn with(mut self, group: ParameterGroup, factor: f32) -> Self {
        self.0.insert(group, factor);
        self
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every group with its factor.
    pub fn iter(&self) -> impl Iterator<Item = (&ParameterGroup, f32)> {
        self.0.iter().map(|(group, &factor)| (group, factor))
    }

    /// What the learning rate of a parameter is multiplied with.
    pub fn of(&self, name: ParameterName) -> f32 {
        let groups = self.0.iter().filter(|(group, _)| group.has(name));
        groups.map(|(_, factor)| factor).product()
    }

    pub(super) fn check(&self) -> Result<(), TrainError> {
        let bad = self
            .0
            .values()
            .find(|factor| !(factor.is_finite() && **factor >= 0.0));
        bad.map_or(Ok(()), |&factor| {
            Err(TrainError::OutOfRange {
                what: "a factor of the learning rate",
                range: "0 or more",
                value: f64::from(factor),
            })
        })
    }

    /// Refuses a group of which a network has no parameter.
    pub(super) fn check_for(&self, parameters: &Parameters) -> Result<(), TrainError> {
        let is_there = |group: &ParameterGroup| parameters.iter().any(|(name, _)| group.has(name));
        match self.0.keys().find(|group| !is_there(group)) {
            None => Ok(()),
            Some(group) => {
                let names = parameters.iter().map(|(name, _)| name.to_string());
                Err(TrainError::NoSuchGroup {
                    group: group.clone(),
                    known: names.collect::<Vec<_>>().join(", "),
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_read_back() {
        for text in [
            "layer2", "w", "v", "bias", "w_out", "rho_u", "rho_u1", "w12", "v2", "bias1",
        ] {
            let group: ParameterGroup = text.parse().expect(text);
            assert_eq!(group.to_string(), text);
        }
        for text in ["", "layer0", "layer+1", "W", "1", "w-1"] {
            text.parse::<ParameterGroup>().expect_err(text);
        }
    }
}
