//! Reading TOML and JSON that strangers wrote.

use serde::de::DeserializeOwned;

use super::shown;

/// The most brackets that may be open at once in a TOML file: the parser follows them by calling
/// itself, also past the first mistake, until the stack is full.
const DEEPEST: usize = 64;

/// Reads TOML; what is wrong with it, and in which line, on one line.
pub(crate) fn parse_toml<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    if let Some(line) = too_deep(text) {
        return Err(format!(
            "line {line}: more than {DEEPEST} brackets are open"
        ));
    }
    toml::from_str(text).map_err(|error| toml_error(text, &error))
}

/// The line in which more brackets are open than are read. Those in strings and comments count: they
/// would have to be many, and not be closed.
fn too_deep(text: &str) -> Option<usize> {
    let (mut open, mut line) = (0usize, 1);
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            b'\n' => line += 1,
            _ => {}
        }
        if open > DEEPEST {
            return Some(line);
        }
    }
    None
}

/// The parser's message on one line, with the line number it is about.
fn toml_error(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().split_whitespace();
    // The parser quotes what it did not expect as it stands in the file.
    let message = shown(&message.collect::<Vec<_>>().join(" ")).into_owned();
    let message = with_what_was_meant(message);
    match error.span() {
        Some(span) => {
            let before = &text.as_bytes()[..span.start.min(text.len())];
            let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
            format!("line {line}: {message}")
        }
        None => message,
    }
}

/// A message about an unknown name, with that of the expected ones that is nearly it, if there is one.
pub(crate) fn with_what_was_meant(message: String) -> String {
    if !message.contains("unknown field `") && !message.contains("unknown variant `") {
        return message;
    }
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = quoted.next().unwrap_or_default();
    let nearly = nearly(unknown, quoted);
    message + &nearly
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
    shown(&error.to_string()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

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
