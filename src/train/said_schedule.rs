use std::str::FromStr;

use super::Schedule;

/// What flags and recipes say for all epochs, where a number of them could stand.
const ALL: &str = "all";

/// A schedule as flags and recipes say it, which may go over all epochs, however many there will be.
///
/// As text it is `constant`, `step:EPOCHS:FACTOR`, `cosine`, `cosine:EPOCHS`, `one-cycle`, `one-cycle:EPOCHS`,
/// `one-cycle:EPOCHS:RISE:START_DIVISOR:END_DIVISOR`, `plateau:FACTOR:PATIENCE` or `plateau:FACTOR:PATIENCE:LEAST`; for
/// the epochs of `cosine` and `one-cycle`, `all` is all of them, as it is where they are left out.
///
/// ```
/// use respike::train::{SaidSchedule, Schedule};
/// let read = |text: &str| text.parse::<SaidSchedule>();
/// // The first goes over as many epochs as there are, the second over 30 of them.
/// assert_eq!(read("cosine")?.for_epochs(60), Schedule::Cosine { epochs: 60 });
/// assert_eq!(read("cosine:30")?.for_epochs(60), Schedule::Cosine { epochs: 30 });
/// assert_eq!(read("one-cycle:all:0.5:10:100")?.for_epochs(60).to_string(), "one-cycle:60:0.5:10:100");
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SaidSchedule {
    /// Over any number of epochs, if it goes over all.
    schedule: Schedule,
    is_over_all: bool,
}

impl SaidSchedule {
    /// Whether it goes over all epochs, however many there will be.
    pub fn is_over_all(self) -> bool {
        self.is_over_all
    }

    /// The schedule of a training of so many epochs.
    pub fn for_epochs(self, epochs: usize) -> Schedule {
        match self.is_over_all {
            true => self.schedule.over(epochs),
            false => self.schedule,
        }
    }
}

/// A number of a schedule.
fn number<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|_| format!("`{text}` is not a number"))
}

/// A number of epochs, if it is not all of them.
fn epochs(text: &str) -> Result<Option<usize>, String> {
    match text {
        ALL => Ok(None),
        text => text
            .parse()
            .map(Some)
            .map_err(|_| format!("`{text}` is neither a number of epochs nor `{ALL}`")),
    }
}

impl FromStr for SaidSchedule {
    type Err = String;

    /// What is wrong with the text; whether its numbers are in range is seen by
    /// [`TrainingSettings::check`](super::TrainingSettings::check).
    fn from_str(text: &str) -> Result<Self, String> {
        let fixed = |schedule| SaidSchedule {
            schedule,
            is_over_all: false,
        };
        // Any number does where it goes over all.
        let over = |epochs: Option<usize>, schedule: Schedule| SaidSchedule {
            schedule: schedule.over(epochs.unwrap_or(1)),
            is_over_all: epochs.is_none(),
        };
        let cosine = Schedule::Cosine { epochs: 1 };
        Ok(match *text.split(':').collect::<Vec<_>>() {
            ["constant"] => fixed(Schedule::Constant),
            ["step", every, factor] => fixed(Schedule::Step {
                every_epochs: number(every)?,
                factor: number(factor)?,
            }),
            ["cosine"] => over(None, cosine),
            ["cosine", of] => over(epochs(of)?, cosine),
            ["one-cycle"] => over(None, Schedule::one_cycle(1)),
            ["one-cycle", of] => over(epochs(of)?, Schedule::one_cycle(1)),
            ["one-cycle", of, rise, start, end] => over(
                epochs(of)?,
                Schedule::OneCycle {
                    epochs: 1,
                    rise: number(rise)?,
                    start_divisor: number(start)?,
                    end_divisor: number(end)?,
                },
            ),
            ["plateau", factor, patience] => fixed(Schedule::Plateau {
                factor: number(factor)?,
                patience: number(patience)?,
                least: 0.0,
            }),
            ["plateau", factor, patience, least] => fixed(Schedule::Plateau {
                factor: number(factor)?,
                patience: number(patience)?,
                least: number(least)?,
            }),
            _ => {
                return Err(
                    "use constant, step:EPOCHS:FACTOR, cosine, cosine:EPOCHS, one-cycle, one-cycle:EPOCHS, \
                     one-cycle:EPOCHS:RISE:START_DIVISOR:END_DIVISOR (`all` for EPOCHS is all of them) or \
                     plateau:FACTOR:PATIENCE"
                        .to_string(),
                );
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_over_all_epochs_goes_over_as_many_as_there_are_and_no_other_does() {
        for (text, over_9, over_30) in [
            ("cosine", "cosine:9", "cosine:30"),
            ("cosine:all", "cosine:9", "cosine:30"),
            ("cosine:9", "cosine:9", "cosine:9"),
            ("one-cycle", "one-cycle:9", "one-cycle:30"),
            ("one-cycle:9", "one-cycle:9", "one-cycle:9"),
            (
                "one-cycle:all:0.5:10:100",
                "one-cycle:9:0.5:10:100",
                "one-cycle:30:0.5:10:100",
            ),
            ("step:9:0.5", "step:9:0.5", "step:9:0.5"),
            ("constant", "constant", "constant"),
        ] {
            let said: SaidSchedule = text.parse().expect(text);
            assert_eq!(said.for_epochs(9).to_string(), over_9);
            assert_eq!(said.for_epochs(30).to_string(), over_30);
            assert_eq!(said.is_over_all(), over_9 != over_30, "{text}");
        }
        for text in [
            "cosine:every",
            "step:all:0.5",
            "one-cycle:all:0.5",
            "cosine:-1",
        ] {
            text.parse::<SaidSchedule>().expect_err(text);
        }
    }
}
