use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use toml::Value;

/// What a setting may be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Range {
    /// Drawn evenly between two numbers.
    Even([f64; 2]),
    /// Drawn evenly between the logarithms of two numbers above 0.
    Log([f64; 2]),
    /// A whole number from the first to the second, drawn evenly.
    Whole([i64; 2]),
    /// One of these, each as probable: numbers, texts, lists or tables.
    OneOf(Vec<Value>),
}

impl Range {
    /// Draws a value.
    pub fn draw(&self, random: &mut ChaCha8Rng) -> Value {
        match self {
            Range::Even([low, high]) => Value::Float(random.random_range(*low..=*high)),
            Range::Log([low, high]) => {
                let drawn: f64 = random.random_range(low.ln()..=high.ln());
                Value::Float(drawn.exp().clamp(*low, *high))
            }
            Range::Whole([low, high]) => Value::Integer(random.random_range(*low..=*high)),
            Range::OneOf(values) => values[random.random_range(0..values.len())].clone(),
        }
    }

    /// Refuses a range from which nothing can be drawn.
    pub(super) fn check(&self) -> Result<(), String> {
        let is_finite = |low: &f64, high: &f64| low.is_finite() && high.is_finite();
        let good = match self {
            Range::Even([low, high]) => {
                is_finite(low, high) && low <= high && (high - low).is_finite()
            }
            Range::Log([low, high]) => is_finite(low, high) && *low > 0.0 && low <= high,
            Range::Whole([low, high]) => low <= high,
            Range::OneOf(values) => !values.is_empty(),
        };
        match (good, self) {
            (true, _) => Ok(()),
            (false, Range::OneOf(_)) => Err("one_of needs a value at least".to_string()),
            (false, Range::Log(_)) => {
                Err("log needs two numbers above 0, the smaller one first".to_string())
            }
            (false, _) => Err("a range is two numbers, the smaller one first".to_string()),
        }
    }
}
