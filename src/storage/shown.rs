use std::borrow::Cow;
use std::fmt::{self, Write};

/// A text from outside, such as a name, as it may be shown on a terminal or in a picture.
///
/// Whatever does not stand as itself on a line is escaped: control characters (with them the escapes of
/// terminals and line ends) and what turns the direction of writing, as `\n` or `\u{1b}`.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a>(pub &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        escape(self.0, formatter, |_| false)
    }
}

/// A text from outside as it may be shown; see [`Shown`].
pub fn shown(text: &str) -> Cow<'_, str> {
    match text.contains(is_odd) {
        true => Shown(text).to_string().into(),
        false => text.into(),
    }
}

/// Text of several lines as it may be shown: everything is escaped as in [`Shown`], but line ends.
pub fn shown_lines(text: &str) -> Cow<'_, str> {
    let mut escaped = String::new();
    match text.contains(|letter| is_odd(letter) && letter != '\n') {
        false => return text.into(),
        // Writing to a string can't fail.
        true => escape(text, &mut escaped, |letter| letter == '\n').unwrap_or_default(),
    }
    escaped.into()
}

/// Whether a character does something else than stand where it is.
pub fn is_odd(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            // What takes no room: two names may differ in nothing else.
            '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' |
            // Marks, embeddings, overrides and isolates of direction; ends of lines and paragraphs.
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn escape(text: &str, to: &mut impl Write, keep: impl Fn(char) -> bool) -> fmt::Result {
    text.chars().try_for_each(|letter| match letter {
        letter if !is_odd(letter) || keep(letter) => to.write_char(letter),
        '\n' => to.write_str("\\n"),
        '\r' => to.write_str("\\r"),
        '\t' => to.write_str("\\t"),
        letter => write!(to, "\\u{{{:x}}}", u32::from(letter)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_escaped_and_letters_are_not() {
        for (text, expected) in [
            ("zéro 零 🦀 \\n", "zéro 零 🦀 \\n"),
            ("a\u{1b}[31mb\nc\r\td", "a\\u{1b}[31mb\\nc\\r\\td"),
            ("\u{9b}31m\u{7f}\0", "\\u{9b}31m\\u{7f}\\u{0}"),
            ("ca\u{200b}fe", "ca\\u{200b}fe"),
            ("abc\u{202e}fed\u{2069}", "abc\\u{202e}fed\\u{2069}"),
        ] {
            assert_eq!(shown(text), expected);
        }
        assert_eq!(shown_lines("a\nb\u{1b}"), "a\nb\\u{1b}");
    }
}
