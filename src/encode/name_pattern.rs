//! Labels from the names of recordings.

use regex_lite::Regex;

use super::{EncodeError, Labels};
use crate::names::normalised;

/// The placeholders of a pattern, and what each of them matches.
const PLACEHOLDERS: [(&str, &str); 4] = [
    ("label", r"[^/]+?"),
    ("speaker", r"[^/]+?"),
    ("language", r"[^/]+?"),
    ("take", r"[0-9]+"),
];
/// The longest pattern, and the longest name it is matched with, in bytes.
const LONGEST: usize = 1024;

/// A pattern for the names of recordings, such as `{label}_{speaker}_{take}`.
#[derive(Debug, Clone)]
pub struct NamePattern {
    text: String,
    regex: Regex,
    /// Folders of the name that the pattern speaks of.
    folders: usize,
}

impl NamePattern {
    /// The names of the Free Spoken Digit Dataset: `{label}_{speaker}_{take}`.
    pub fn fsdd() -> Self {
        Self::known("{label}_{speaker}_{take}")
    }

    /// The names of the Heidelberg Digits, the recordings of SHD:
    /// `lang-{language}_speaker-{speaker}_trial-{take}_digit-{label}`.
    pub fn shd() -> Self {
        Self::known("lang-{language}_speaker-{speaker}_trial-{take}_digit-{label}")
    }

    fn known(text: &str) -> Self {
        // The patterns are constants and right.
        Self::new(text).expect("a pattern")
    }

    /// Understands a pattern.
    ///
    /// # Errors
    /// [`EncodeError::BadRule`].
    pub fn new(text: &str) -> Result<Self, EncodeError> {
        let bad = |reason: String| EncodeError::BadRule {
            rule: text.to_string(),
            reason,
        };
        if text.len() > LONGEST {
            return Err(bad(format!("it has more than {LONGEST} bytes")));
        }
        if !text.contains("{label}") {
            let reason = "it is neither a .csv file nor a pattern with {label} in it";
            return Err(bad(reason.to_string()));
        }
        let text = normalised(text);
        let (mut expression, mut rest) = ("^".to_string(), text.as_str());
        let mut seen: Vec<&str> = Vec::new();
        while let Some(open) = rest.find('{') {
            let Some(length) = rest[open..].find('}') else {
                return Err(bad("a { has no }".to_string()));
            };
            let name = &rest[open + 1..open + length];
            let known = PLACEHOLDERS.iter().find(|(known, _)| *known == name);
            let Some((known, matches)) = known else {
                let all = "{label}, {speaker}, {language} and {take}";
                return Err(bad(format!("there is {all}, but no {{{name}}}")));
            };
            if seen.contains(known) {
                return Err(bad(format!("{{{name}}} is in it twice")));
            }
            seen.push(known);
            expression += &regex_lite::escape(&rest[..open]);
            expression += &format!("(?P<{known}>{matches})");
            rest = &rest[open + length + 1..];
        }
        expression += &regex_lite::escape(rest);
        expression.push('$');
        let regex = Regex::new(&expression).map_err(|error| bad(error.to_string()))?;
        Ok(NamePattern {
            folders: text.matches('/').count(),
            text,
            regex,
        })
    }

    /// The pattern as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The labels of a name that fits; the reason where one of them cannot be used.
    pub(super) fn labels(&self, name: &str) -> Option<Result<Labels, String>> {
        if name.len() > LONGEST {
            return None;
        }
        let name = normalised(name);
        let stem = name
            .rsplit_once('.')
            .map_or(name.as_str(), |(stem, _)| stem);
        let parts: Vec<&str> = stem.split('/').collect();
        let first = parts.len().saturating_sub(self.folders + 1);
        let spoken_of = parts[first..].join("/");
        let fit = self.regex.captures(&spoken_of)?;
        let part = |name: &str| fit.name(name).map(|part| part.as_str());
        let label = part("label").unwrap_or_default();
        let (speaker, language, take) = (part("speaker"), part("language"), part("take"));
        Some(Labels::of_parts(label, speaker, language, take))
    }
}
