//! Settings that are said twice: by a flag, and by `--set` or `--pretrain-set`.
//!
//! In: what was said. Out: nothing, or which of the two would count for nothing.

use crate::failure::Failure;

/// A flag, the key of a method's file that it sets, and whether it was given.
pub(super) type Flag = (&'static str, &'static str, bool);

/// Refuses keys that flags set, too.
pub(super) fn refuse_said_twice(
    option: &str,
    sets: &[String],
    flags: &[Flag],
) -> Result<(), Failure> {
    for said in sets {
        let key = said.split('=').next().unwrap_or_default().trim();
        let is_in = |inner: &str, outer: &str| {
            let rest = inner.strip_prefix(outer);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        // What says all sources anew says anew what flags changed of them.
        let same = |of_flag: &str| is_in(key, of_flag) || (key == "replay" && is_in(of_flag, key));
        if let Some((flag, ..)) = flags
            .iter()
            .find(|(_, of_flag, given)| *given && same(of_flag))
        {
            return Err(Failure::bad(format!(
                "{flag} and {option} {key}=… say the same, so that one of them would change nothing; leave one out"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_the_same_with_what_is_in_them() {
        let flags = [
            ("--epochs", "epochs", true),
            ("--budget", "replay.capacity", true),
            ("--lr", "training.learning_rate", false),
        ];
        for (said, twice) in [
            ("epochs=0", true),
            ("epochs_more=0", false),
            ("replay.capacity={ samples = 3 }", true),
            ("replay.capacity.samples=3", true),
            ("replay=[]", true),
            ("replay.codec=or:3", false),
            ("training={}", false),
            ("training.learning_rate=1", false),
        ] {
            let refused = refuse_said_twice("--set", &[said.to_string()], &flags);
            assert_eq!(refused.is_err(), twice, "{said}");
        }
    }
}
