//! Tables of settings whose types are not known yet, read without losing what a type will refuse.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Keys with values. JSON has no numbers that are not finite, so that these, which TOML has, are refused here, by
/// their keys; as `null` they would mean that nothing was said.
pub(crate) struct Table(pub Map<String, Value>);

impl<'de> Deserialize<'de> for Table {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;

        impl<'de> Visitor<'de> for Keys {
            type Value = Table;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a table")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Table, A::Error> {
                Ok(Table(read_map(map)?))
            }
        }
        deserializer.deserialize_map(Keys)
    }
}

/// A member's short text, or its table.
pub(super) enum TextOrTable {
    Text(String),
    Table(Table),
}

impl<'de> Deserialize<'de> for TextOrTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = TextOrTable;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a name or a table")
            }

            fn visit_str<E>(self, text: &str) -> Result<TextOrTable, E> {
                Ok(TextOrTable::Text(text.to_string()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TextOrTable, A::Error> {
                Ok(TextOrTable::Table(Table(read_map(map)?)))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

fn read_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<Map<String, Value>, A::Error> {
    let mut table = Map::new();
    while let Some(key) = map.next_key::<String>()? {
        match map.next_value::<Read>()? {
            Read::Value(value) => drop(table.insert(key, value)),
            Read::NotFinite(number) => {
                let number = number.to_string().to_lowercase();
                let text = format!("{key} must be a finite number, not {number}");
                return Err(de::Error::custom(text));
            }
        }
    }
    Ok(table)
}

/// A value, or a number that there is none for.
enum Read {
    Value(Value),
    NotFinite(f64),
}

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Read;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a value")
            }

            fn visit_bool<E>(self, value: bool) -> Result<Read, E> {
                Ok(Read::Value(value.into()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Read, E> {
                Ok(Read::Value(value.into()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Read, E> {
                Ok(Read::Value(value.into()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Read, E> {
                Ok(match value.is_finite() {
                    true => Read::Value(value.into()),
                    false => Read::NotFinite(value),
                })
            }

            fn visit_str<E>(self, value: &str) -> Result<Read, E> {
                Ok(Read::Value(value.into()))
            }

            fn visit_unit<E>(self) -> Result<Read, E> {
                Ok(Read::Value(Value::Null))
            }

            fn visit_none<E>(self) -> Result<Read, E> {
                Ok(Read::Value(Value::Null))
            }

            fn visit_some<T: Deserializer<'de>>(self, deserializer: T) -> Result<Read, T::Error> {
                Read::deserialize(deserializer)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Read, A::Error> {
                let mut values = Vec::new();
                while let Some(read) = list.next_element()? {
                    match read {
                        Read::Value(value) => values.push(value),
                        not_finite => return Ok(not_finite),
                    }
                }
                Ok(Read::Value(values.into()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Read, A::Error> {
                Ok(Read::Value(read_map(map)?.into()))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use crate::network::NetworkSpec;
    use crate::storage::parse_toml;

    #[test]
    fn numbers_that_are_not_finite_are_never_taken_for_nothing() {
        let spec = NetworkSpec::dequino2024();
        let text = toml::to_string(spec.settings()).expect("plain data");
        for (line, key) in [
            ("[readout]", "tau_syn_steps"),
            ("[readout]", "tau_mem_steps"),
            ("[neuron]", "threshold"),
            ("[neuron]", "learn_tau_mem_steps"),
            ("[neuron.surrogate]", "slope"),
        ] {
            for number in ["inf", "-inf", "nan"] {
                let (before, after) = text.split_once(line).expect("it has this table");
                let lines = after.lines().filter(|line| !line.starts_with(key));
                let after = lines.collect::<Vec<_>>().join("\n");
                let odd = format!("{before}{line}\n{key} = {number}{after}");
                let refused = parse_toml::<crate::network::NetworkSettings>(&odd);
                let why = refused.expect_err("no number").to_string();
                let words = format!("{key} must be a finite number, not");
                assert!(why.contains(&words), "{why}");
            }
        }
    }
}
