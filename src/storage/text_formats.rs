//! Reading TOML and JSON that strangers wrote.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use super::shown;

/// The most brackets that may be open at once in a TOML file: the parser follows them by calling
/// itself, also past the first mistake, until the stack is full.
const DEEPEST: usize = 64;

/// What is wrong with a text of TOML.
#[derive(Debug)]
pub(crate) struct BadToml {
    /// Where, if that is known.
    place: Option<Range<usize>>,
    /// What, on one line.
    pub message: String,
}

impl BadToml {
    /// Something is wrong with what stands there.
    pub fn at(place: Range<usize>, message: String) -> Self {
        BadToml {
            place: Some(place),
            message,
        }
    }

    /// The same with the number of its line in the text that was read.
    pub fn in_its_line(self, text: &str) -> String {
        let BadToml { place, message } = self;
        match place {
            Some(place) => {
                let before = &text.as_bytes()[..place.start.min(text.len())];
                let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
                format!("line {line}: {message}")
            }
            None => message,
        }
    }
}

impl From<toml::de::Error> for BadToml {
    fn from(error: toml::de::Error) -> Self {
        let message = error.message().split_whitespace();
        // The parser quotes what it did not expect as it stands in the file.
        let message = shown(&message.collect::<Vec<_>>().join(" ")).into_owned();
        BadToml {
            place: error.span(),
            message: with_what_was_meant(message),
        }
    }
}

/// A value in a text of TOML, and the number that is to stand in its place.
pub(crate) type NewNumber<'a, 't> = (&'a mut Spanned<DeValue<'t>>, String);

/// Reads TOML; what is wrong with it, and in which line, on one line.
pub(crate) fn parse_toml<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    parse_changed_toml(text, |_| Ok(Vec::new())).map_err(|bad| bad.in_its_line(text))
}

/// Reads TOML in which names were changed and numbers replaced; everything keeps its place in the text.
pub(crate) fn parse_changed_toml<T: DeserializeOwned>(
    text: &str,
    change: impl for<'a, 't> FnOnce(&'a mut DeTable<'t>) -> Result<Vec<NewNumber<'a, 't>>, BadToml>,
) -> Result<T, BadToml> {
    if let Some(place) = too_deep(text) {
        let message = format!("more than {DEEPEST} brackets are open");
        return Err(BadToml::at(place..place, message));
    }
    let mut root = DeTable::parse(text)?;
    let (values, numbers): (Vec<_>, Vec<String>) = change(root.get_mut())?.into_iter().unzip();
    // Numbers can only be had from a text.
    let numbers = format!("numbers = [{}]", numbers.join(", "));
    let mut numbers = DeTable::parse(&numbers)?.into_inner();
    if let Some(DeValue::Array(numbers)) = numbers.remove("numbers").map(Spanned::into_inner) {
        for (value, number) in values.into_iter().zip(numbers) {
            *value.get_mut() = number.into_inner();
        }
    }
    Ok(T::deserialize(Deserializer::from(root))?)
}

/// Where more brackets are open than are read. Those in strings and comments count: they
/// would have to be many, and not be closed.
fn too_deep(text: &str) -> Option<usize> {
    let mut open = 0usize;
    text.bytes().position(|byte| {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        open > DEEPEST
    })
}

/// A message about an unknown name, with that of the expected ones that is nearly it, if there is one.
pub(crate) fn with_what_was_meant(message: String) -> String {
    let message = in_plain_words(message);
    if !message.contains("unknown field `") && !message.contains("unknown variant `") {
        return message;
    }
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = quoted.next().unwrap_or_default();
    let nearly = nearly(unknown, quoted);
    message + &nearly
}

/// The same message without names of Rust's types.
pub(crate) fn in_plain_words(message: String) -> String {
    let Some((found, expected)) = message.rsplit_once("expected ") else {
        return message;
    };
    let (whole, kind) = match expected.strip_prefix("a nonzero ") {
        Some(kind) => ("a whole number above 0", kind),
        None => ("a whole number, 0 or more", expected),
    };
    for (theirs, plain) in [
        ("a sequence", "a list, as in [ … ]"),
        ("a map", "a table, as in { … }"),
        ("struct ", "a table, as in { … }"),
    ] {
        if let Some(rest) = expected.strip_prefix(theirs) {
            // The name of a type is of no use.
            let ends = rest.find(|c: char| theirs != "struct " || !c.is_alphanumeric());
            let rest = ends.map_or("", |ends| &rest[ends..]);
            return format!("{found}expected {plain}{rest}");
        }
    }
    let ends = kind.find(|c: char| !c.is_alphanumeric());
    let (kind, rest) = kind.split_at(ends.unwrap_or(kind.len()));
    let most = match kind {
        "u8" => u64::from(u8::MAX),
        "u16" => u64::from(u16::MAX),
        "u32" => u64::from(u32::MAX),
        "u64" | "usize" => u64::MAX,
        "f32" | "f64" => return format!("{found}expected a number{rest}"),
        _ => return message,
    };
    let number = found
        .split('`')
        .nth(1)
        .and_then(|text| text.parse::<u64>().ok());
    match number.is_some_and(|number| number > most) {
        true => format!("{found}expected a whole number, {most} or less{rest}"),
        false => format!("{found}expected {whole}{rest}"),
    }
}

/// What is said of the name that is nearly an unknown one; nothing if there is none.
pub(crate) fn nearly<'a>(unknown: &str, names: impl Iterator<Item = &'a str>) -> String {
    let away = |name: &&str| strsim::damerau_levenshtein(unknown, name);
    let nearest = names.min_by_key(away);
    let nearest = nearest.filter(|name| away(name) <= unknown.chars().count().div_ceil(3));
    nearest.map_or(String::new(), |name| format!("; `{name}` is nearly that"))
}

/// The parser's message, which quotes what it did not expect as it stands in the file.
pub(crate) fn json_error(error: &serde_json::Error) -> String {
    in_plain_words(shown(&error.to_string()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_told_in_plain_words() {
        for (message, plain) in [
            (
                "invalid type: string \"a\", expected usize",
                "invalid type: string \"a\", expected a whole number, 0 or more",
            ),
            (
                "invalid value: integer `0`, expected a nonzero u32",
                "invalid value: integer `0`, expected a whole number above 0",
            ),
            (
                "invalid type: string \"a\", expected f32 in `x`",
                "invalid type: string \"a\", expected a number in `x`",
            ),
            (
                "invalid type: integer `1`, expected a boolean",
                "invalid type: integer `1`, expected a boolean",
            ),
            (
                "invalid value: integer `4294967296`, expected a nonzero u16",
                "invalid value: integer `4294967296`, expected a whole number, 65535 or less",
            ),
            (
                "invalid type: string \"x\", expected struct Mixing",
                "invalid type: string \"x\", expected a table, as in { … }",
            ),
            (
                "invalid type: string \"x\", expected a sequence at line 1 column 9",
                "invalid type: string \"x\", expected a list, as in [ … ] at line 1 column 9",
            ),
            ("unexpected end", "unexpected end"),
        ] {
            assert_eq!(in_plain_words(message.to_string()), plain);
        }
    }

    #[test]
    fn the_name_that_was_meant_is_named() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        #[allow(dead_code)]
        struct Keys {
            threshold: f32,
            tau_mem_steps: f32,
        }
        for (text, words) in [
            ("treshold = 1.0", "`threshold` is nearly that"),
            ("tau_mem = 1.0", "expected"),
            ("tau_mem_stesp = 1.0", "`tau_mem_steps` is nearly that"),
            ("colour = 1.0", "expected"),
        ] {
            let why = parse_toml::<Keys>(text).expect_err(text);
            assert!(why.contains(words) && why.contains("line 1"), "{why}");
            assert_eq!(why.contains("nearly"), words.contains("nearly"), "{why}");
        }
    }

    #[test]
    fn numbers_are_asked_for_in_plain_words() {
        #[derive(Debug, serde::Deserialize)]
        #[allow(dead_code)]
        struct Numbers {
            tasks: Option<usize>,
            window: Option<std::num::NonZeroU32>,
            rate: Option<f32>,
        }
        for (text, words) in [
            ("tasks = -1", "expected a whole number, 0 or more"),
            ("tasks = 'x'", "expected a whole number, 0 or more"),
            ("window = 0", "expected a whole number above 0"),
            ("rate = 'x'", "expected a number"),
        ] {
            let why = parse_toml::<Numbers>(text).expect_err(text);
            assert!(why.ends_with(words), "{why}");
        }
    }

    #[test]
    fn brackets_without_end_are_refused_before_the_stack_is_full() {
        for piece in ["a{ = 1\n", "a = [", "a = { b = [", "[[a", "[a.{"] {
            let refused = parse_toml::<toml::Table>(&piece.repeat(200_000));
            let why = refused.expect_err("no end").to_string();
            assert!(why.contains("brackets are open"), "{why}");
        }
        let list = format!("a = [{}]", "[1, 2], ".repeat(10_000));
        assert!(parse_toml::<toml::Table>(&list).is_ok());
    }
}
