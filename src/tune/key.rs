use std::fmt;
use std::str::FromStr;

use toml::{Table, Value};

/// Where a setting stands in a recipe: keys with dots between them, places in lists from 0, and `*` for all places of a
/// list, as in `network.layers.*.dropout`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(Vec<String>);

impl Key {
    /// Puts a value there; a key that is not there yet is added to its table.
    ///
    /// # Errors
    /// The part of the key that is not there.
    pub fn set(&self, table: &mut Table, value: &Value) -> Result<(), String> {
        let Some((last, before)) = self.0.split_last() else {
            return Err("a key has at least one part".to_string());
        };
        let mut whole = Value::Table(std::mem::take(table));
        let done = self.set_below(&mut whole, before, last, value);
        if let Value::Table(changed) = whole {
            *table = changed;
        }
        done
    }

    fn set_below(
        &self,
        place: &mut Value,
        path: &[String],
        last: &str,
        value: &Value,
    ) -> Result<(), String> {
        let missing = |part: &str| format!("`{part}` of the key `{self}` is not there");
        let Some((part, rest)) = path.split_first() else {
            return match place {
                Value::Table(table) => {
                    // The same time in the other unit goes.
                    let (ms, steps) = (last.strip_suffix("_ms"), last.strip_suffix("_steps"));
                    let twin = ms.map(|name| format!("{name}_steps"));
                    let twin = twin.or(steps.map(|name| format!("{name}_ms")));
                    if let Some(twin) = twin {
                        table.remove(&twin);
                    }
                    table.insert(last.to_string(), value.clone());
                    Ok(())
                }
                Value::Array(list) => {
                    for place in places(list, last).ok_or_else(|| missing(last))? {
                        *place = value.clone();
                    }
                    Ok(())
                }
                _ => Err(missing(last)),
            };
        };
        match place {
            Value::Table(table) => {
                let below = table.get_mut(part).ok_or_else(|| missing(part))?;
                self.set_below(below, rest, last, value)
            }
            Value::Array(list) => places(list, part)
                .ok_or_else(|| missing(part))?
                .into_iter()
                .try_for_each(|below| self.set_below(below, rest, last, value)),
            _ => Err(missing(part)),
        }
    }
}

/// The places of a list that a part of a key means; none if there are none.
fn places<'a>(list: &'a mut [Value], part: &str) -> Option<Vec<&'a mut Value>> {
    let places: Vec<&mut Value> = match part {
        "*" => list.iter_mut().collect(),
        place => list
            .get_mut(place.parse::<usize>().ok()?)
            .into_iter()
            .collect(),
    };
    (!places.is_empty()).then_some(places)
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<String> = text.split('.').map(String::from).collect();
        match parts.iter().any(String::is_empty) {
            true => Err(format!(
                "`{text}` is no key: use names with dots between them"
            )),
            false => Ok(Key(parts)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_finds_its_place() {
        let text = "a = 1\nlist = [{ x = 1 }, { x = 2 }]\n[t]\nb = 2\nn = [1, 2, 3]\n";
        let table: Table = toml::from_str(text).expect("TOML");
        let set = |key: &str| {
            let mut changed = table.clone();
            let key: Key = key.parse()?;
            key.set(&mut changed, &Value::Integer(9))?;
            Ok::<String, String>(toml::to_string(&changed).expect("TOML"))
        };
        for (key, part) in [
            ("a", "a = 9"),
            ("t.b", "b = 9"),
            ("t.new", "new = 9"),
            ("t.n.1", "n = [1, 9, 3]"),
            ("t.n.*", "n = [9, 9, 9]"),
            ("list.1.x", "x = 1\n\n[[list]]\nx = 9"),
            ("list.*.x", "x = 9\n\n[[list]]\nx = 9"),
        ] {
            let text = set(key).expect(key);
            assert!(text.contains(part), "{key}: {text}");
        }
        for key in ["", "a.b", "t..b", "u.b", "list.2.x", "list.x.x", "t.n.7"] {
            set(key).expect_err(key);
        }
    }
}
