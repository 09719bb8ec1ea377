//! The neurons of a layer as specs say them: a model with its settings, and a surrogate.

use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::neuron::NeuronModel;
use crate::registry::{BadSetting, Table};
use crate::surrogate::SurrogateSettings;

/// The neurons of a layer. In a spec a table with the key `kind`, which is `cuba-lif` where there is none, the
/// settings of that neuron, and `surrogate`.
///
/// ```
/// use respike::network::NeuronSettings;
/// use respike::neuron::{LifSettings, ResetSettings};
/// use respike::surrogate::Triangle;
///
/// let lif = LifSettings::new(10.0, 1.0, ResetSettings::Subtract);
/// let neurons = NeuronSettings::new(lif, Triangle { half_width: 0.5 });
/// assert_eq!(neurons.model.kind(), "lif");
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct NeuronSettings {
    /// Which neuron.
    pub model: NeuronModel,
    /// Stands in for the derivative of the spike.
    pub surrogate: SurrogateSettings,
}

impl NeuronSettings {
    /// Neurons of a kind, ours or one's own, with a surrogate, likewise.
    pub fn new(model: impl Into<NeuronModel>, surrogate: impl Into<SurrogateSettings>) -> Self {
        NeuronSettings {
            model: model.into(),
            surrogate: surrogate.into(),
        }
    }

    /// The same neurons on a grid whose steps are `factor` times as long: time constants in steps shrink.
    /// Those of a neuron that does not say how stay as they are.
    ///
    /// # Errors
    /// If the settings make no sense then.
    pub fn in_longer_steps(self, factor: f64) -> Result<Self, String> {
        Ok(NeuronSettings {
            model: self.model.in_longer_steps(factor)?,
            ..self
        })
    }

    /// Checks every setting.
    pub(super) fn check(&self) -> Result<(), BadSetting> {
        self.model.check()?;
        let of_surrogate = self.surrogate.check();
        of_surrogate.map_err(|bad| bad.within("surrogate"))
    }
}

impl Serialize for NeuronSettings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.model.put_into(&mut map)?;
        map.serialize_entry("surrogate", &self.surrogate)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for NeuronSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Table(mut table) = Table::deserialize(deserializer)?;
        let Some(surrogate) = table.remove("surrogate") else {
            return Err(de::Error::missing_field("surrogate"));
        };
        let surrogate = serde_json::from_value(surrogate)
            .map_err(|error| de::Error::custom(format!("the neuron's surrogate: {error}")))?;
        Ok(NeuronSettings {
            model: NeuronModel::from_table(table).map_err(de::Error::custom)?,
            surrogate,
        })
    }
}
