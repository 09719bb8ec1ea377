//! In what methods differ.
//!
//! In: two methods, as their files say them. Out: keys with values that make one of the other; names that tell of what
//! was changed.

use toml::{Table, Value};

use super::file::OF_ITS_OWN;
use super::{Method, MethodFile, MethodTraining, said_as, set_by_key};
use crate::storage::with_what_was_meant;

/// What titles tell already, beside the name: LR index, codec, and how much may be kept.
const TOLD: [&str; 5] = [
    "name",
    "about",
    "lr_index",
    "replay.codec",
    "replay.capacity",
];

impl MethodFile {
    /// A file that says no more than a method.
    pub fn of_method(method: &Method) -> Self {
        MethodFile {
            name: method.name.clone(),
            about: String::new(),
            lr_index: method.lr_index,
            rate_below: method.rate_below,
            head: method.head.clone(),
            replay: method.replay.clone(),
            mixing: method.mixing,
            view: method.said_view.filter(|&view| view != method.usual_view()),
            epochs: None,
            training: MethodTraining::default(),
        }
    }

    /// What another file says otherwise: keys as [`set_by_key`] takes them, with the other's values. What this one says
    /// and the other does not has an empty table for a value.
    pub fn differences(&self, other: &MethodFile) -> Vec<(String, Value)> {
        let mut found = Vec::new();
        differing("", &table_of(self), &table_of(other), &mut found);
        found.retain(|(key, _)| key != "about");
        found
    }

    /// The same table with those values; `None` if it is not a method's then.
    pub fn with_values(&self, values: &[(String, Value)]) -> Option<Self> {
        let mut table = table_of(self);
        for (key, value) in values {
            set_by_key(&mut table, key, value.clone()).ok()?;
        }
        Self::of_table(table, &self.name).ok()
    }
}

impl MethodTraining {
    /// The same as a table.
    pub fn table(&self) -> Table {
        let mut table = Table::try_from(self).unwrap_or_default();
        table.iter_mut().for_each(|(_, value)| shorten(value));
        table
    }

    /// The training that a table says.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn of_table(table: Table) -> Result<Self, String> {
        let read = table.try_into();
        read.map_err(|error: toml::de::Error| with_what_was_meant(error.message().to_string()))
    }
}

/// Adds a key and its value to the name of a method's table, unless titles tell of it anyway.
pub fn add_to_name(table: &mut Table, key: &str, value: &Value) {
    let told = TOLD.contains(&key);
    if let Some(Value::String(name)) = table.get_mut("name").filter(|_| !told) {
        let value = value.to_string();
        *name += &format!(", {key} {}", value.trim_matches('"'));
    }
}

/// A value as it is said behind `KEY=`: a text without quotes, unless it would be read as something else.
pub fn said_value(value: &Value) -> String {
    match value {
        Value::String(text) => {
            let same = said_as(text).is_ok_and(|read| read == *value);
            match !same || text.trim() != text {
                true => value.to_string(),
                false => text.clone(),
            }
        }
        other => other.to_string(),
    }
}

/// A file as a table. Numbers of 32 bits are said as short as they can be.
fn table_of(file: &MethodFile) -> Table {
    // Written as text of TOML's own kinds, which every setting is made of.
    let mut table = Table::try_from(file).unwrap_or_default();
    for (_, value) in &mut table {
        shorten(value);
    }
    table
}

fn shorten(value: &mut Value) {
    match value {
        Value::Float(number) => {
            let short = *number as f32;
            if f64::from(short) == *number
                && let Ok(read) = short.to_string().parse()
            {
                *number = read;
            }
        }
        Value::Array(values) => values.iter_mut().for_each(shorten),
        Value::Table(table) => table.iter_mut().for_each(|(_, value)| shorten(value)),
        _ => {}
    }
}

fn differing(before: &str, one: &Table, other: &Table, found: &mut Vec<(String, Value)>) {
    let mut keys: Vec<&String> = one.keys().chain(other.keys()).collect();
    keys.sort();
    keys.dedup();
    for key in keys {
        let path = format!("{before}{key}");
        match (one.get(key), other.get(key)) {
            (one, other) if one == other => {}
            (Some(Value::Table(one)), Some(Value::Table(other)))
                if OF_ITS_OWN.contains(&&path[..]) =>
            {
                differing(&format!("{path}."), one, other, found);
            }
            // One source and one source of the same kind.
            (Some(Value::Array(ones)), Some(Value::Array(others)))
                if path == "replay" && is_alike(ones, others) =>
            {
                if let ([Value::Table(one)], [Value::Table(other)]) = (&ones[..], &others[..]) {
                    differing("replay.", one, other, found);
                }
            }
            (_, Some(value)) => found.push((path, value.clone())),
            (_, None) => found.push((path, Value::Table(Table::new()))),
        }
    }
}

fn is_alike(ones: &[Value], others: &[Value]) -> bool {
    let kind = |values: &[Value]| match values {
        [Value::Table(table)] => table.get("kind").cloned(),
        _ => None,
    };
    kind(ones).is_some() && kind(ones) == kind(others)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::shipped::METHODS;

    #[test]
    fn differences_make_one_method_of_another() {
        let files = METHODS
            .iter()
            .map(|(name, _)| MethodFile::find(name, Path::new("")));
        let files: Vec<MethodFile> = files.map(|file| file.expect("it ships")).collect();
        let naive = &files
            .iter()
            .find(|file| file.name == "naive")
            .expect("it ships");
        for file in &files {
            assert_eq!(file.differences(file), []);
            let differences = naive.differences(file);
            // As they are read from a command line.
            let said = differences.iter().map(|(key, value)| {
                let text = said_value(value);
                let read = toml::from_str::<Table>(&format!("it = {text}")).ok();
                let read = read.and_then(|mut table| table.remove("it"));
                (key.clone(), read.unwrap_or(Value::String(text)))
            });
            let said: Vec<(String, Value)> = said.collect();
            let made = naive.with_values(&said).expect("a method");
            assert_eq!(
                (made.method(), &made.training),
                (file.method(), &file.training)
            );
        }
    }

    #[test]
    fn names_tell_of_what_titles_do_not() {
        let mut table: Table = toml::from_str("name = \"mine\"").expect("TOML");
        add_to_name(&mut table, "replay.codec", &"or:5".into());
        add_to_name(&mut table, "head", &"cwr-star".into());
        add_to_name(&mut table, "rate_below", &0.1.into());
        assert_eq!(
            table["name"].as_str(),
            Some("mine, head cwr-star, rate_below 0.1")
        );
    }
}
