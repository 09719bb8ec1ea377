/// The parser's message on one line, with the line number it is about.
pub(crate) fn toml_error(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().split_whitespace();
    let message = message.collect::<Vec<_>>().join(" ");
    match error.span() {
        Some(span) => {
            let before = &text.as_bytes()[..span.start.min(text.len())];
            let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
            format!("line {line}: {message}")
        }
        None => message,
    }
}
