use super::shown;

/// The parser's message on one line, with the line number it is about.
pub(crate) fn toml_error(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().split_whitespace();
    // The parser quotes what it did not expect as it stands in the file.
    let message = shown(&message.collect::<Vec<_>>().join(" ")).into_owned();
    match error.span() {
        Some(span) => {
            let before = &text.as_bytes()[..span.start.min(text.len())];
            let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
            format!("line {line}: {message}")
        }
        None => message,
    }
}

/// The parser's message, which quotes what it did not expect as it stands in the file.
pub(crate) fn json_error(error: &serde_json::Error) -> String {
    shown(&error.to_string()).into_owned()
}
