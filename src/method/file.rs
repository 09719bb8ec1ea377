//! Methods as TOML.
//!
//! In: a text such as the files of `snn-models/methods/`. Out: a [`Method`], and what it says of how it is trained.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;
use toml::{Table, Value};

use super::{Method, View};
use crate::head::HeadSettings;
use crate::replay::{CodecSettings, PolicySettings, SourceSettings};
use crate::shipped::METHODS;
use crate::storage::{parse_toml, read_plain_text, with_what_was_meant};
use crate::train::{
    Mixing, ObjectiveSettings, OptimiserSettings, RateFactors, RegulariserSettings, SaidSchedule,
    TrainingSettings,
};

/// A method with what it says of how it is trained; what it does not say is as the protocol and the scenario have it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MethodFile {
    /// Its tag: reports and tables group by it.
    pub name: String,
    /// What it is, in a line.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// [`Method::lr_index`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lr_index: Option<usize>,
    /// [`Method::rate_below`].
    #[serde(default)]
    pub rate_below: f32,
    /// [`Method::head`].
    #[serde(default)]
    pub head: HeadSettings,
    /// [`Method::replay`].
    #[serde(default)]
    pub replay: Vec<SourceSettings>,
    /// [`Method::mixing`].
    #[serde(default)]
    pub mixing: Mixing,
    /// [`Method::said_view`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<View>,
    /// Epochs of each new task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epochs: Option<usize>,
    /// How each new task is trained.
    #[serde(default)]
    pub training: MethodTraining,
}

/// What a method says of how it is trained.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct MethodTraining {
    /// Samples of a batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_size: Option<usize>,
    /// The learning rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f32>,
    /// How it changes, as the program's flag says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// The optimiser.
    #[serde(deserialize_with = "by_name", skip_serializing_if = "Option::is_none")]
    pub optimiser: Option<OptimiserSettings>,
    /// What training makes small.
    #[serde(deserialize_with = "by_name", skip_serializing_if = "Option::is_none")]
    pub objective: Option<ObjectiveSettings>,
    /// What is added to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regularisers: Option<Vec<RegulariserSettings>>,
    /// Learning rates of layers and roles, as factors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_factors: Option<RateFactors>,
    /// The largest norm of a gradient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f32>,
}

/// Tables in a method's file that are no members with their settings.
pub(super) const OF_ITS_OWN: [&str; 2] = ["mixing", "training"];

/// A member by its name alone, as heads and codecs may be, or as a table.
fn by_name<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err = String> + DeserializeOwned,
{
    let bad = serde::de::Error::custom::<String>;
    let read = match Value::deserialize(deserializer)? {
        Value::String(text) => text.parse().map_err(bad)?,
        other => {
            let read = other.try_into();
            read.map_err(|error: toml::de::Error| bad(error.message().to_string()))?
        }
    };
    Ok(Some(read))
}

/// What can be wrong with a method's file.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MethodError {
    /// A file could not be read.
    #[error("cannot read the method {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The text is not TOML, or a key is missing, unknown, of the wrong type or out of range.
    #[error("{name} is not a method: {reason}")]
    Malformed {
        /// The file, or the name.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// Neither a file nor a method that ships.
    #[error("there is no method `{name}`: use a file that ends in .toml, or one of {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// Those that ship.
        known: String,
    },
}

impl MethodFile {
    /// Finds a method: a file that ends in `.toml`, from a folder, or one that ships by its name.
    ///
    /// # Errors
    /// [`MethodError`].
    pub fn find(name: &str, folder: &Path) -> Result<Self, MethodError> {
        Self::of_table(Self::table(name, folder)?, name)
    }

    /// The same as a table, in which anything may be changed before it is [read](Self::of_table).
    ///
    /// # Errors
    /// [`MethodError`].
    pub fn table(name: &str, folder: &Path) -> Result<Table, MethodError> {
        let malformed = |reason| MethodError::Malformed {
            name: name.to_string(),
            reason,
        };
        if name.ends_with(".toml") {
            let path = folder.join(name);
            let text = read_plain_text(&path)
                .map_err(|source| MethodError::Unreadable { path, source })?;
            // For lines in messages.
            parse_toml::<Self>(&text).map_err(malformed)?;
            return parse_toml(&text).map_err(malformed);
        }
        let shipped = METHODS.iter().find(|(known, _)| *known == name);
        let Some((_, text)) = shipped else {
            let known: Vec<&str> = METHODS.iter().map(|(known, _)| *known).collect();
            return Err(MethodError::Unknown {
                name: name.to_string(),
                known: known.join(", "),
            });
        };
        parse_toml(text).map_err(malformed)
    }

    /// Reads a table.
    ///
    /// # Errors
    /// [`MethodError::Malformed`], with `name` for what it is the table of.
    pub fn of_table(table: Table, name: &str) -> Result<Self, MethodError> {
        let wrong = |table: &Table| {
            let read: Result<Self, toml::de::Error> = table.clone().try_into();
            read.err().map(|error| error.message().to_string())
        };
        let malformed = |reason| MethodError::Malformed {
            name: name.to_string(),
            reason,
        };
        let Some(reason) = wrong(&table) else {
            let read = table.try_into();
            let read: Self =
                read.map_err(|error: toml::de::Error| malformed(error.message().to_string()))?;
            check_name(&read.name).map_err(malformed)?;
            return Ok(read);
        };
        // Messages about a value do not say whose it is.
        let of_key = culprit(&table, &reason, &wrong).filter(|key| !reason.contains(&key[..]));
        let of_key = of_key.map_or(String::new(), |key| format!("`{key}`: "));
        Err(MethodError::Malformed {
            name: name.to_string(),
            reason: of_key + &with_what_was_meant(reason),
        })
    }

    /// The method.
    pub fn method(&self) -> Method {
        let mut method = Method::new(self.name.clone()).with_head(self.head.clone());
        method.lr_index = self.lr_index;
        method.rate_below = self.rate_below;
        method.replay = self.replay.clone();
        method.mixing = self.mixing;
        method.said_view = self.view;
        method
    }
}

impl MethodTraining {
    /// The settings of training over so many epochs, with what is said here in place of what they say.
    ///
    /// # Errors
    /// What is wrong with the schedule.
    pub fn over(
        &self,
        mut settings: TrainingSettings,
        epochs: usize,
    ) -> Result<TrainingSettings, String> {
        if let Some(batch_size) = self.batch_size {
            settings.batch_size = batch_size;
        }
        if let Some(rate) = self.learning_rate {
            settings.learning_rate = rate;
        }
        if let Some(text) = &self.schedule {
            let said: SaidSchedule = text
                .parse()
                .map_err(|reason| format!("training.schedule: {reason}"))?;
            settings.schedule = said.for_epochs(epochs);
        }
        if let Some(optimiser) = &self.optimiser {
            settings.optimiser = optimiser.clone();
        }
        if let Some(objective) = &self.objective {
            settings.losses.objective = objective.clone();
        }
        if let Some(regularisers) = &self.regularisers {
            settings.losses.regularisers = regularisers.clone();
        }
        if let Some(factors) = &self.rate_factors {
            settings.rate_factors = factors.clone();
        }
        if self.clip_norm.is_some() {
            settings.clip_norm = self.clip_norm;
        }
        Ok(settings)
    }
}

/// The key without which something else is wrong with a table, or nothing.
fn culprit(
    table: &Table,
    reason: &str,
    wrong: &impl Fn(&Table) -> Option<String>,
) -> Option<String> {
    let without = |key: &str, inside: Option<&str>| {
        let mut table = table.clone();
        match (inside, table.get_mut(key)) {
            (Some(inside), Some(Value::Table(table))) => drop(table.remove(inside)),
            _ => drop(table.remove(key)),
        }
        wrong(&table).as_deref() != Some(reason)
    };
    let key = table.keys().find(|key| without(key, None))?;
    let inside = table[key]
        .as_table()
        .filter(|_| OF_ITS_OWN.contains(&&key[..]));
    let inside = inside.and_then(|inside| inside.keys().find(|inside| without(key, Some(inside))));
    Some(match inside {
        Some(inside) => format!("{key}.{inside}"),
        None => key.clone(),
    })
}

/// What a text behind `KEY=` says: a TOML value where it is one, else the text itself.
///
/// ```
/// use respike::method::said_as;
///
/// assert_eq!(said_as("or:5")?.as_str(), Some("or:5"));
/// assert_eq!(said_as("128")?.as_integer(), Some(128));
/// assert!(said_as("{ samples = }").is_err());
/// # Ok::<(), String>(())
/// ```
///
/// # Errors
/// What is wrong with one that begins like a table, a list or a quoted text, or is made of digits alone.
pub fn said_as(text: &str) -> Result<Value, String> {
    let trimmed = text.trim();
    let is_number = trimmed.trim_start_matches(['+', '-']);
    let is_number = !is_number.is_empty() && is_number.bytes().all(|byte| byte.is_ascii_digit());
    match parse_toml::<Table>(&format!("it = {text}")) {
        Ok(mut table) if table.len() == 1 => Ok(table.remove("it").unwrap_or_else(|| text.into())),
        Err(reason) if is_number || trimmed.starts_with(['{', '[', '"', '\'']) => {
            // There is but one line.
            Err(reason.trim_start_matches("line 1: ").to_string())
        }
        _ => Ok(text.into()),
    }
}

/// Refuses a name that is none, or that would break a line of a table.
fn check_name(name: &str) -> Result<(), String> {
    match name.trim().is_empty() || name.chars().any(char::is_control) {
        false => Ok(()),
        true => Err("`name` must be a text on one line, with a letter at least".to_string()),
    }
}

/// Changes what a method's table says: `head`, `head.lambda`, `training.learning_rate`, or `replay.codec` for all of its
/// sources. Where a member is said as a text, its settings are those that the text means.
///
/// # Errors
/// A part of the key is there and is no table.
pub fn set_by_key(table: &mut Table, key: &str, value: Value) -> Result<(), String> {
    set_within(table, "", key, &value)
}

/// The same in a table that stands behind `before`, which is empty or ends in a dot.
fn set_within(table: &mut Table, before: &str, key: &str, value: &Value) -> Result<(), String> {
    let Some((first, rest)) = key.split_once('.') else {
        table.insert(key.to_string(), value.clone());
        return Ok(());
    };
    let place = format!("{before}{first}");
    let inside = table
        .entry(first)
        .or_insert_with(|| Value::Table(Table::new()));
    let all = match inside {
        Value::Array(all) => all.iter_mut().collect(),
        one => vec![one],
    };
    for inside in all {
        if let Value::String(text) = inside
            && let Some(meant) = meant_by(&place, text)?
        {
            *inside = Value::Table(meant);
        }
        let Value::Table(inside) = inside else {
            return Err(format!(
                "`{place}` is not a table, so that `{before}{key}` can't be set"
            ));
        };
        set_within(inside, &format!("{place}."), rest, value)?;
    }
    Ok(())
}

/// The table that a member's text means where it stands: `or:5` is `{ kind = "or", window_steps = 5 }`, and `ridge` is
/// `{ kind = "ridge" }`. `None` where no member stands.
fn meant_by(place: &str, text: &str) -> Result<Option<Table>, String> {
    let read: fn(&str) -> Result<Table, String> = match place {
        "head" => HeadSettings::table_of,
        "replay" => SourceSettings::table_of,
        "replay.codec" => CodecSettings::table_of,
        "replay.policy" => PolicySettings::table_of,
        "training.optimiser" => OptimiserSettings::table_of,
        "training.objective" => ObjectiveSettings::table_of,
        "training.regularisers" => RegulariserSettings::table_of,
        _ => return Ok(None),
    };
    if text.contains(':') {
        return read(text).map(Some);
    }
    // It may lack settings that are set only now.
    let kind = Value::String(text.to_string());
    Ok(Some(Table::from_iter([("kind".to_string(), kind)])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_a_member_that_is_said_as_a_text_are_set_beside_what_it_means() {
        let text = "name = \"mine\"\nhead = \"ridge\"\nlr_index = 1\n[[replay]]\nkind = \"memory\"\n\
                    codec = \"or:5\"\ncapacity = { samples = 9 }\n[training]\nobjective = \"der-plus-plus\"\n";
        let table: Table = toml::from_str(text).expect("TOML");
        let with = |key: &str, value: &str| {
            let mut table = table.clone();
            let value =
                toml::from_str::<Table>(&format!("it = {value}")).expect("TOML")["it"].clone();
            set_by_key(&mut table, key, value)?;
            let file = MethodFile::of_table(table, "mine");
            file.map_err(|error| error.to_string())
        };
        let ridge = with("head.lambda", "0.5").expect("a setting").head;
        assert_eq!(
            ridge.to_string(),
            "{ kind = \"ridge\", lambda = 0.5 }"
                .parse::<HeadSettings>()
                .expect("one")
                .to_string()
        );
        let file = with("replay.codec.window_steps", "3").expect("a setting");
        let codec = file.method().codec().cloned();
        assert_eq!(codec, CodecSettings::or(3).ok());
        let file = with("training.objective.alpha", "0.25").expect("a setting");
        let objective = file.training.objective.expect("it is said");
        assert_eq!(objective.kind(), "der-plus-plus");
        assert!(
            objective
                .settings()
                .any(|(key, value)| key == "alpha" && value == 0.25)
        );
        for (key, words) in [
            ("name.first", "`name` is not a table"),
            ("head.lamda", "lamda"),
            ("replay.kind.of", "not a table"),
        ] {
            let wrong = with(key, "1").expect_err(key);
            assert!(wrong.contains(words), "{wrong}");
        }
    }
}
