use std::any::TypeId;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::{self, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::table::TextOrTable;
use super::{Axis, BadSetting, Part, Registry, Table};
use crate::storage::{parse_toml, with_what_was_meant};

/// A member of an axis with its settings. In TOML and JSON a table with the key `kind` beside the settings.
///
/// Any member can be made one: `let chosen: SurrogateSettings = Boxcar { half_width: 0.5 }.into();`
pub struct Chosen<D: ?Sized> {
    kind: &'static str,
    /// In the order of the type's fields.
    settings: Settings,
    part: Arc<D>,
    /// The type that the settings are of.
    of: TypeId,
    /// What is wrong with the settings, which a struct with public fields can't help.
    problem: Option<BadSetting>,
}

/// Keys with their values, in their order.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Settings(Vec<(String, Value)>);

impl<D: Axis + ?Sized> Chosen<D> {
    /// Its name.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// The member of that name, with the settings that it has where nothing is said.
    ///
    /// # Errors
    /// If there is none, or one that has to be told its settings.
    pub fn named(kind: &str) -> Result<Self, String> {
        Self::read(kind, Map::new())
    }

    /// What the axis knows of the type of that name.
    pub(crate) fn extra(kind: &str) -> Result<Option<D::Extra>, String> {
        Ok(Registry::look(|registry| D::members(registry).entry(kind))?.extra)
    }

    /// Its place among the members of its axis.
    pub(crate) fn place_in_registry(&self) -> usize {
        Registry::look(|registry| D::members(registry).place(self.kind))
    }

    /// Its settings by name.
    pub fn settings(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.settings.0.iter().map(|(key, value)| (&key[..], value))
    }

    /// The member itself, if it is of that type.
    pub fn get<M: Part<D>>(&self) -> Option<M> {
        let settings: Map<_, _> = self.settings.0.iter().cloned().collect();
        let is_it = self.of == TypeId::of::<M>();
        is_it.then(|| serde_json::from_value(Value::Object(settings)).ok())?
    }

    /// Refuses settings that make no sense.
    ///
    /// # Errors
    /// The first that is wrong.
    pub fn check(&self) -> Result<(), BadSetting> {
        self.problem.clone().map_or(Ok(()), Err)
    }

    pub(super) fn of<M: Part<D>>(member: M) -> Self {
        // Through text: a number is then written as it would be from the type itself.
        let text = serde_json::to_string(&member).unwrap_or_default();
        let settings = serde_json::from_str(&text);
        let unplain = |_| BadSetting::new("the type", "must be a plain struct of settings");
        let problem = member.check().err();
        Chosen {
            kind: M::KIND,
            problem: settings.as_ref().err().map(unplain).or(problem),
            settings: settings.unwrap_or_default(),
            part: member.part(),
            of: TypeId::of::<M>(),
        }
    }

    /// Reads one from settings without their kind.
    pub(crate) fn read(kind: &str, settings: Map<String, Value>) -> Result<Self, String> {
        // Reading takes the registry again where members are made of others.
        let entry = Registry::look(|registry| D::members(registry).entry(kind))?;
        (entry.read)(Value::Object(settings))
    }

    /// The same on a grid whose steps are `factor` times as long.
    ///
    /// # Errors
    /// What is wrong with its settings then.
    pub(crate) fn in_longer_steps(&self, factor: f64) -> Result<Self, String> {
        let settings: Map<_, _> = self.settings.0.iter().cloned().collect();
        let entry = Registry::look(|registry| D::members(registry).entry(self.kind))?;
        if entry.of != self.of {
            return Err(taken::<D>(self.kind).to_string());
        }
        (entry.in_longer_steps)(Value::Object(settings), factor)
    }

    /// The kind, or the kind and one setting, if that says it all.
    fn short_text(&self) -> Option<String> {
        if Self::named(self.kind).is_ok_and(|named| named == *self) {
            return Some(self.kind.to_string());
        }
        let entry = Registry::look(|registry| D::members(registry).find(self.kind))?;
        let (_, value) = self.settings().find(|(key, _)| Some(*key) == entry.short)?;
        let text = match value {
            Value::String(text) => format!("{}:{text}", self.kind),
            other => format!("{}:{other}", self.kind),
        };
        let same = text.parse::<Self>().is_ok_and(|read| read == *self);
        same.then_some(text)
    }

    /// The member of that name with the setting that stands behind the colon.
    fn of_short(kind: &str, value: &str) -> Result<Self, String> {
        let entry = Registry::look(|registry| D::members(registry).entry(kind))?;
        let Some(key) = entry.short else {
            return Err(format!(
                "the {} `{kind}` has no setting that could stand behind a colon",
                D::WHAT
            ));
        };
        // A number or a truth value where it can be one, else a text.
        let plain = serde_json::from_str::<Value>(value).ok();
        let plain = plain.filter(|value| value.is_number() || value.is_boolean());
        let plain = plain.unwrap_or_else(|| value.into());
        let table = Map::from_iter([(key.to_string(), plain)]);
        Self::read(kind, table).map_err(|reason| format!("`{kind}:{value}`: {reason}"))
    }

    /// The table that a text means, as TOML has it.
    ///
    /// # Errors
    /// The text means nothing.
    pub(crate) fn table_of(text: &str) -> Result<toml::Table, String> {
        let chosen: Self = text.parse()?;
        let kind = toml::Value::String(chosen.kind.to_string());
        let mut table = toml::Table::from_iter([("kind".to_string(), kind)]);
        for (key, value) in chosen.settings() {
            let value = toml::Value::try_from(value).map_err(|error| error.to_string())?;
            table.insert(key.to_string(), value);
        }
        Ok(table)
    }

    /// Puts the settings, and the kind before them unless it is what no kind means.
    pub(crate) fn put_into<S: SerializeMap>(&self, map: &mut S) -> Result<(), S::Error> {
        if D::DEFAULT != Some(self.kind) {
            map.serialize_entry("kind", self.kind)?;
        }
        for (key, value) in &self.settings.0 {
            map.serialize_entry(key, value)?;
        }
        Ok(())
    }

    /// Reads one from a table, all of which is its own.
    pub(crate) fn from_table(mut table: Map<String, Value>) -> Result<Self, String> {
        let has = |key: &str| table.contains_key(key);
        let known = Registry::look(|registry| D::members(registry).known_by(has));
        let kind = match (table.remove("kind"), known.or(D::DEFAULT)) {
            (Some(Value::String(kind)), _) => kind,
            (None, Some(meant)) => meant.to_string(),
            (None, None) => return Err(format!("the {}'s `kind` is missing", D::WHAT)),
            (Some(other), _) => {
                return Err(format!("the {}'s `kind` is a text, not {other}", D::WHAT));
            }
        };
        Self::read(&kind, table)
    }
}

/// What is wrong where a name means another type in this process.
fn taken<D: Axis + ?Sized>(kind: &str) -> BadSetting {
    let reason = format!(
        "`{kind}` is the name of another {}: give yours another one",
        D::WHAT
    );
    BadSetting::new("kind", reason)
}

impl<D: Axis + ?Sized, M: Part<D>> From<M> for Chosen<D> {
    fn from(member: M) -> Self {
        let mut chosen = Chosen::of(member);
        if !Registry::remember::<D, M>() {
            // What is saved by this name would be read as the other.
            chosen.problem = Some(taken::<D>(M::KIND));
        }
        chosen
    }
}

/// The kind alone where its settings are what no settings mean, the kind with one setting behind a colon where that
/// says it all, else a TOML table in one line.
impl<D: Axis + ?Sized> fmt::Display for Chosen<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = self.short_text() {
            return write!(f, "{text}");
        }
        write!(f, "{{ kind = \"{}\"", self.kind)?;
        for (key, value) in &self.settings.0 {
            // Numbers, texts, lists and tables of them are TOML values as they are JSON's but for `:`.
            match toml::Value::try_from(value) {
                Ok(value) => write!(f, ", {key} = {value}")?,
                // A number that is not finite, which no file holds.
                Err(_) => write!(f, ", {key} = nan")?,
            }
        }
        write!(f, " }}")
    }
}

/// The opposite of [`Display`](fmt::Display).
impl<D: Axis + ?Sized> FromStr for Chosen<D> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if !text.trim_start().starts_with('{') {
            if let Some((kind, value)) = text.split_once(':') {
                return Self::of_short(kind, value);
            }
            let named = Self::named(text);
            return named.map_err(|reason| match reason.starts_with("missing field") {
                true => format!("{reason}; say `{{ kind = \"{text}\", … }}` with its settings"),
                false => reason,
            });
        }
        let Table(table) = parse_toml(&format!("it = {text}"))?;
        let mut values = table.into_iter().map(|(_, value)| value);
        match (values.next(), values.next()) {
            (Some(Value::Object(table)), None) => {
                Self::from_table(table).map_err(with_what_was_meant)
            }
            _ => Err(format!("`{text}` is not one table")),
        }
    }
}

impl<D: ?Sized> Clone for Chosen<D> {
    fn clone(&self) -> Self {
        Chosen {
            kind: self.kind,
            settings: self.settings.clone(),
            part: self.part.clone(),
            of: self.of,
            problem: self.problem.clone(),
        }
    }
}

impl<D: ?Sized> fmt::Debug for Chosen<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        let settings = self.settings.0.iter().map(|(key, value)| (key, value));
        f.debug_map().entries(settings).finish()
    }
}

impl<D: ?Sized> PartialEq for Chosen<D> {
    fn eq(&self, other: &Self) -> bool {
        // All else is made of them.
        (self.of, &self.settings) == (other.of, &other.settings)
    }
}

impl<D: ?Sized> Deref for Chosen<D> {
    type Target = Arc<D>;

    fn deref(&self) -> &Arc<D> {
        &self.part
    }
}

impl<D: Axis + ?Sized> Serialize for Chosen<D> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(text) = self.short_text().filter(|_| D::AS_TEXT) {
            return serializer.serialize_str(&text);
        }
        let mut map = serializer.serialize_map(None)?;
        self.put_into(&mut map)?;
        map.end()
    }
}

impl<'de, D: Axis + ?Sized> Deserialize<'de> for Chosen<D> {
    fn deserialize<T: Deserializer<'de>>(deserializer: T) -> Result<Self, T::Error> {
        if D::AS_TEXT {
            return match TextOrTable::deserialize(deserializer)? {
                TextOrTable::Text(text) => text.parse().map_err(de::Error::custom),
                TextOrTable::Table(Table(table)) => {
                    Self::from_table(table).map_err(de::Error::custom)
                }
            };
        }
        let Table(table) = Table::deserialize(deserializer)?;
        Self::from_table(table).map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Settings {
    fn deserialize<T: Deserializer<'de>>(deserializer: T) -> Result<Self, T::Error> {
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = Settings;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "settings by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Settings, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Settings(pairs))
            }

            // A struct without fields.
            fn visit_unit<E>(self) -> Result<Settings, E> {
                Ok(Settings::default())
            }
        }
        deserializer.deserialize_any(Pairs)
    }
}
