//! Flags that take away what a recipe says, by the word `none`.
//!
//! In: what a flag was given, and what a recipe says. Out: what holds.

use std::fmt::Display;
use std::str::FromStr;

use super::failure::Failure;

/// The word.
pub(super) const NONE: &str = "none";

/// What a flag was given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum OrNone<T> {
    Given(T),
    /// Nothing, whatever a recipe says.
    None,
}

impl<T: FromStr<Err: Display>> FromStr for OrNone<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            NONE => Ok(OrNone::None),
            text => text
                .parse()
                .map(OrNone::Given)
                .map_err(|error: T::Err| format!("{error}; `{NONE}` is possible, too")),
        }
    }
}

impl<T: Clone> OrNone<T> {
    /// What holds where a flag may not have been given.
    pub(super) fn over(given: Option<&Self>, said: Option<T>) -> Option<T> {
        match given {
            None => said,
            Some(OrNone::None) => None,
            Some(OrNone::Given(value)) => Some(value.clone()),
        }
    }

    /// What a flag says that may be given several times; nothing if it was not given.
    pub(super) fn all(flag: &str, given: &[Self]) -> Result<Option<Vec<T>>, Failure> {
        let values = given.iter().filter_map(|one| match one {
            OrNone::Given(value) => Some(value.clone()),
            OrNone::None => None,
        });
        let values: Vec<T> = values.collect();
        match given.len() - values.len() {
            0 => Ok((!values.is_empty()).then_some(values)),
            _ if values.is_empty() => Ok(Some(values)),
            _ => Err(Failure::bad(format!(
                "{flag} {NONE} takes away all that there is; leave it out, or the other {flag}"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_gives_or_takes_away_or_leaves_what_is_said() {
        let read = |text: &str| text.parse::<OrNone<f32>>();
        let (given, none) = (read("2.5"), read("none"));
        assert_eq!(given, Ok(OrNone::Given(2.5)));
        assert!(read("some").expect_err("no number").contains("`none`"));
        assert_eq!(OrNone::over(given.ok().as_ref(), Some(1.0)), Some(2.5));
        assert_eq!(OrNone::over(none.ok().as_ref(), Some(1.0)), None);
        assert_eq!(OrNone::over(None, Some(1.0)), Some(1.0));

        let all = |given: &[OrNone<u8>]| OrNone::all("--flag", given);
        assert_eq!(all(&[]).expect("fine"), None);
        assert_eq!(all(&[OrNone::None]).expect("fine"), Some(vec![]));
        assert_eq!(all(&[OrNone::Given(3)]).expect("fine"), Some(vec![3]));
        all(&[OrNone::Given(3), OrNone::None]).expect_err("both");
    }
}
