use std::fmt;

use serde::{Deserialize, Serialize};

/// What a neuron calls one of its parameters, such as `alpha` or `rho_u`: a lower-case word of at most
/// 15 letters and underscores.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleName([u8; Self::LONGEST]);

impl RoleName {
    const LONGEST: usize = 15;

    /// A name; for constants.
    ///
    /// # Panics
    /// If the text is no such word, or is `w`, `v`, `bias`, `w_out` or `layer`, which mean something else.
    pub const fn new(text: &str) -> Self {
        match Self::parse(text.as_bytes()) {
            Some(name) => name,
            None => panic!("a role is named by at most 15 small letters and underscores"),
        }
    }

    const fn parse(text: &[u8]) -> Option<Self> {
        if text.is_empty() || text.len() > Self::LONGEST {
            return None;
        }
        let mut bytes = [0; Self::LONGEST];
        let mut place = 0;
        while place < text.len() {
            if !(text[place].is_ascii_lowercase() || text[place] == b'_') {
                return None;
            }
            bytes[place] = text[place];
            place += 1;
        }
        match text {
            b"w" | b"v" | b"bias" | b"w_out" | b"layer" => None,
            _ => Some(RoleName(bytes)),
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        let end = self.0.iter().position(|&byte| byte == 0);
        let bytes = &self.0[..end.unwrap_or(Self::LONGEST)];
        // Made of ASCII letters alone.
        std::str::from_utf8(bytes).expect("ASCII")
    }
}

impl fmt::Debug for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Names one array of parameters; prints and serialises as `w1`, `v1`, `bias1`, `alpha1`, …, `w_out`.
///
/// Layers are counted from 0 here and from 1 in the names, as in papers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
#[non_exhaustive]
pub enum ParameterName {
    /// W of a hidden layer, units before × units.
    Input(usize),
    /// V of a hidden layer, units × units.
    Recurrent(usize),
    /// What is added to the input current of each unit of a hidden layer in every step.
    Bias(usize),
    /// A parameter of a hidden layer's neurons, one number a unit.
    Neuron(usize, RoleName),
    /// W_out, units of the last hidden layer × classes.
    Readout,
}

impl ParameterName {
    /// The hidden layer that it belongs to; none for the readout.
    pub fn layer(self) -> Option<usize> {
        match self {
            ParameterName::Input(layer)
            | ParameterName::Recurrent(layer)
            | ParameterName::Bias(layer)
            | ParameterName::Neuron(layer, _) => Some(layer),
            ParameterName::Readout => None,
        }
    }
}

impl ParameterName {
    /// What it is called without its layer: `w`, `v`, `bias`, `w_out`, or as neurons say.
    pub fn role(&self) -> &str {
        match self {
            ParameterName::Input(_) => "w",
            ParameterName::Recurrent(_) => "v",
            ParameterName::Bias(_) => "bias",
            ParameterName::Neuron(_, role) => role.as_str(),
            ParameterName::Readout => "w_out",
        }
    }

    /// Whether it is a matrix of weights, and not one number a unit.
    pub fn is_weight(self) -> bool {
        matches!(
            self,
            ParameterName::Input(_) | ParameterName::Recurrent(_) | ParameterName::Readout
        )
    }
}

impl fmt::Display for ParameterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParameterName::Input(layer) => write!(f, "w{}", layer + 1),
            ParameterName::Recurrent(layer) => write!(f, "v{}", layer + 1),
            ParameterName::Bias(layer) => write!(f, "bias{}", layer + 1),
            ParameterName::Neuron(layer, role) => write!(f, "{role}{}", layer + 1),
            ParameterName::Readout => write!(f, "w_out"),
        }
    }
}

impl From<ParameterName> for String {
    fn from(name: ParameterName) -> String {
        name.to_string()
    }
}

impl TryFrom<String> for ParameterName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "w_out" {
            return Ok(ParameterName::Readout);
        }
        let role = text.trim_end_matches(|letter: char| letter.is_ascii_digit());
        let layer = text[role.len()..].parse::<usize>().ok();
        let layer = layer.and_then(|number| number.checked_sub(1));
        let name = layer.and_then(|layer| match role {
            "w" => Some(ParameterName::Input(layer)),
            "v" => Some(ParameterName::Recurrent(layer)),
            "bias" => Some(ParameterName::Bias(layer)),
            role => {
                let role = RoleName::parse(role.as_bytes())?;
                Some(ParameterName::Neuron(layer, role))
            }
        });
        name.ok_or_else(|| {
            format!("`{text}` is not the name of a parameter (w1, v1, bias1, …, w_out)")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        let rho = RoleName::new("rho_u");
        for (name, text) in [
            (ParameterName::Input(0), "w1"),
            (ParameterName::Recurrent(11), "v12"),
            (ParameterName::Bias(1), "bias2"),
            (ParameterName::Neuron(2, rho), "rho_u3"),
            (ParameterName::Readout, "w_out"),
        ] {
            assert_eq!(name.to_string(), text);
            assert_eq!(ParameterName::try_from(text.to_string()), Ok(name));
        }
        for text in [
            "",
            "w",
            "w0",
            "1",
            "W1",
            "w_out1",
            "a-b1",
            "x1y",
            "w99999999999999999999",
        ] {
            ParameterName::try_from(text.to_string()).expect_err(text);
        }
    }
}
