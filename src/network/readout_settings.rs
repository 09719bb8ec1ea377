//! The readout as specs say it: classes, and a model with its settings.

use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::readout::{LeakySettings, ReadoutModel};
use crate::registry::Table;

/// The readout. In a spec a table with `classes`, the key `kind`, which is `leaky` where there is none, and the
/// settings of that readout.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ReadoutSettings {
    /// Classes.
    pub classes: usize,
    /// How spikes become one number a class.
    pub model: ReadoutModel,
}

impl ReadoutSettings {
    /// A readout of a kind, ours or one's own.
    pub fn new(classes: usize, model: impl Into<ReadoutModel>) -> Self {
        ReadoutSettings {
            classes,
            model: model.into(),
        }
    }

    /// The reference network's, with so many classes.
    pub fn dequino2024(classes: usize) -> Self {
        Self::new(classes, LeakySettings::DEQUINO2024)
    }
}

impl Serialize for ReadoutSettings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("classes", &self.classes)?;
        self.model.put_into(&mut map)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for ReadoutSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Table(mut table) = Table::deserialize(deserializer)?;
        let Some(classes) = table.remove("classes") else {
            return Err(de::Error::missing_field("classes"));
        };
        let classes = serde_json::from_value(classes)
            .map_err(|error| de::Error::custom(format!("the readout's classes: {error}")))?;
        let model = ReadoutModel::from_table(table).map_err(de::Error::custom)?;
        Ok(ReadoutSettings { classes, model })
    }
}
