use std::fmt;

use super::{SaidSchedule, TrainError};

/// The learning rate of each step of the optimiser.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Schedule {
    /// The same in every epoch.
    Constant,
    /// Multiplied by `factor` after every `every_epochs` epochs.
    Step {
        /// How often.
        every_epochs: usize,
        /// By what.
        factor: f32,
    },
    /// From the full rate down to 0 along half a cosine over `epochs`, the same throughout an epoch (Loshchilov &
    /// Hutter 2017, Eq. 5, without restarts).
    Cosine {
        /// Over how many epochs.
        epochs: usize,
    },
    /// Up to the full rate and down to next to nothing over `epochs`, both along half a cosine, step by step
    /// (Smith & Topin 2018; the constants' defaults are PyTorch's).
    OneCycle {
        /// Over how many epochs.
        epochs: usize,
        /// The share of them in which the rate rises.
        rise: f32,
        /// The first rate is the full one divided by this.
        start_divisor: f32,
        /// The last rate is the first one divided by this.
        end_divisor: f32,
    },
    /// Multiplied by `factor` whenever more than `patience` epochs in a row were no better than the best before
    /// them: by the score that [`Trainer::score`](super::Trainer::score) was given, accuracy on validation
    /// samples say, or by the loss on training samples where it was given none.
    Plateau {
        /// By what.
        factor: f32,
        /// Epochs that need not be better.
        patience: usize,
        /// No rate is below this.
        least: f32,
    },
}

/// A step of the optimiser, as a schedule sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment<'a> {
    /// Which epoch, 0 first.
    pub epoch: usize,
    /// Which of its steps, 0 first.
    pub step: usize,
    /// Steps of an epoch, 1 or more.
    pub steps: usize,
    /// How good each epoch before was: more is better.
    pub scores: &'a [f64],
}

impl Moment<'_> {
    /// The first step of an epoch, 0 first, of which nothing more is known.
    pub fn of_epoch(epoch: usize) -> Self {
        Moment {
            epoch,
            step: 0,
            steps: 1,
            scores: &[],
        }
    }

    /// Epochs done so far, with the part of this one.
    fn epochs_done(&self) -> f64 {
        self.epoch as f64 + self.step as f64 / self.steps.max(1) as f64
    }
}

impl Schedule {
    /// PyTorch's one cycle: up over 0.3 of the epochs from a 25th of the rate, down to a 10 000th of that.
    pub fn one_cycle(epochs: usize) -> Self {
        Schedule::OneCycle {
            epochs,
            rise: 0.3,
            start_divisor: 25.0,
            end_divisor: 1e4,
        }
    }

    /// The learning rate of a step.
    ///
    /// ```
    /// use respike::train::{Moment, Schedule};
    /// let halving = Schedule::Step { every_epochs: 10, factor: 0.5 };
    /// assert_eq!(halving.rate(0.2, Moment::of_epoch(25)), 0.05);
    /// assert_eq!(Schedule::Cosine { epochs: 10 }.rate(0.2, Moment::of_epoch(5)), 0.1);
    ///
    /// let plateau = Schedule::Plateau { factor: 0.5, patience: 1, least: 0.0 };
    /// let scores = [0.3, 0.6, 0.6, 0.5];
    /// let rate = |epoch: usize| plateau.rate(0.2, Moment { scores: &scores[..epoch], ..Moment::of_epoch(epoch) });
    /// assert_eq!([rate(3), rate(4)], [0.2, 0.1]);
    /// ```
    pub fn rate(self, base: f32, moment: Moment<'_>) -> f32 {
        let Moment { epoch, scores, .. } = moment;
        match self {
            Schedule::Constant => base,
            Schedule::Step {
                every_epochs,
                factor,
            } => {
                let times = (epoch / every_epochs.max(1)).min(i32::MAX as usize);
                base * factor.powi(times as i32)
            }
            Schedule::Cosine { epochs } => {
                let done = epoch.min(epochs) as f64 / epochs.max(1) as f64;
                base * falling(done) as f32
            }
            Schedule::OneCycle {
                epochs,
                rise,
                start_divisor,
                end_divisor,
            } => {
                let done = (moment.epochs_done() / epochs.max(1) as f64).min(1.0);
                let (rise, first) = (f64::from(rise), 1.0 / f64::from(start_divisor));
                let last = first / f64::from(end_divisor);
                let share = match done < rise {
                    true => 1.0 - (1.0 - first) * falling(done / rise),
                    false => last + (1.0 - last) * falling((done - rise) / (1.0 - rise)),
                };
                base * share as f32
            }
            Schedule::Plateau {
                factor,
                patience,
                least,
            } => {
                let lowered = plateaus(scores, patience);
                (base * factor.powi(lowered)).max(least.min(base))
            }
        }
    }

    /// Reads a schedule as flags and recipes write it ([`SaidSchedule`]), for a training of so many epochs.
    ///
    /// ```
    /// use respike::train::Schedule;
    /// assert_eq!(Schedule::read("cosine", 30), Ok(Schedule::Cosine { epochs: 30 }));
    /// assert_eq!(Schedule::one_cycle(8).to_string(), "one-cycle:8");
    /// ```
    ///
    /// # Errors
    /// What is wrong with the text; whether its numbers are in range is seen by
    /// [`TrainingSettings::check`](super::TrainingSettings::check).
    pub fn read(text: &str, epochs: usize) -> Result<Self, String> {
        text.parse()
            .map(|said: SaidSchedule| said.for_epochs(epochs))
    }

    /// The same with the epochs left out where it is one over all of them.
    pub fn text_for(self, epochs: usize) -> String {
        let is_over_all = |of: usize| of == epochs;
        match self {
            Schedule::Cosine { epochs: of } if is_over_all(of) => "cosine".to_string(),
            Schedule::OneCycle { epochs: of, .. }
                if is_over_all(of) && self == Schedule::one_cycle(of) =>
            {
                "one-cycle".to_string()
            }
            _ => self.to_string(),
        }
    }

    /// The same over so many epochs; one that goes over none in particular stays as it is.
    #[must_use]
    pub fn over(mut self, all: usize) -> Self {
        if let Schedule::Cosine { epochs } | Schedule::OneCycle { epochs, .. } = &mut self {
            *epochs = all;
        }
        self
    }

    /// Whether it looks at scores.
    pub(super) fn looks_at_scores(self) -> bool {
        matches!(self, Schedule::Plateau { .. })
    }

    pub(super) fn check(self) -> Result<(), TrainError> {
        let bad = |what, range, value| Err(TrainError::OutOfRange { what, range, value });
        match self {
            Schedule::Step { factor, .. } if !(factor.is_finite() && factor > 0.0) => {
                bad("the schedule's factor", "above 0", f64::from(factor))
            }
            Schedule::Step {
                every_epochs: 0, ..
            }
            | Schedule::Cosine { epochs: 0 }
            | Schedule::OneCycle { epochs: 0, .. } => {
                bad("the schedule's epochs", "1 or more", 0.0)
            }
            Schedule::OneCycle {
                rise,
                start_divisor,
                end_divisor,
                ..
            } => {
                let divides = |divisor: f32| divisor.is_finite() && divisor >= 1.0;
                match (
                    rise > 0.0 && rise < 1.0,
                    divides(start_divisor),
                    divides(end_divisor),
                ) {
                    (false, ..) => bad(
                        "the schedule's rise",
                        "above 0 and below 1",
                        f64::from(rise),
                    ),
                    (_, false, _) => {
                        let value = f64::from(start_divisor);
                        bad("the schedule's start_divisor", "1 or more", value)
                    }
                    (.., false) => bad(
                        "the schedule's end_divisor",
                        "1 or more",
                        f64::from(end_divisor),
                    ),
                    _ => Ok(()),
                }
            }
            Schedule::Plateau { factor, .. } if !(factor > 0.0 && factor < 1.0) => {
                let value = f64::from(factor);
                bad("the schedule's factor", "above 0 and below 1", value)
            }
            Schedule::Plateau { least, .. } if !(least.is_finite() && least >= 0.0) => {
                bad("the schedule's least rate", "0 or more", f64::from(least))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Schedule::Constant => write!(f, "constant"),
            Schedule::Step {
                every_epochs,
                factor,
            } => write!(f, "step:{every_epochs}:{factor}"),
            Schedule::Cosine { epochs } => write!(f, "cosine:{epochs}"),
            Schedule::OneCycle { epochs, .. } if *self == Schedule::one_cycle(epochs) => {
                write!(f, "one-cycle:{epochs}")
            }
            Schedule::OneCycle {
                epochs,
                rise,
                start_divisor,
                end_divisor,
            } => write!(f, "one-cycle:{epochs}:{rise}:{start_divisor}:{end_divisor}"),
            Schedule::Plateau {
                factor,
                patience,
                least: 0.0,
            } => write!(f, "plateau:{factor}:{patience}"),
            Schedule::Plateau {
                factor,
                patience,
                least,
            } => write!(f, "plateau:{factor}:{patience}:{least}"),
        }
    }
}

/// From 1 at 0 to 0 at 1 along half a cosine.
fn falling(done: f64) -> f64 {
    0.5 * (1.0 + (std::f64::consts::PI * done).cos())
}

/// How often more than `patience` epochs in a row were no better than the best before them.
fn plateaus(scores: &[f64], patience: usize) -> i32 {
    let (mut best, mut worse, mut plateaus) = (f64::NEG_INFINITY, 0, 0);
    for &score in scores {
        if score > best {
            (best, worse) = (score, 0);
        } else {
            worse += 1;
        }
        if worse > patience {
            (worse, plateaus) = (0, plateaus + 1);
        }
    }
    plateaus
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cycle_goes_up_and_down_step_by_step() {
        let schedule = Schedule::one_cycle(10);
        let rate = |epoch, step| {
            let moment = Moment {
                step,
                steps: 4,
                ..Moment::of_epoch(epoch)
            };
            f64::from(schedule.rate(1.0, moment))
        };
        assert!((rate(0, 0) - 1.0 / 25.0).abs() < 1e-7);
        // Half-way up, the mean of the first rate and the full one.
        assert!((rate(1, 2) - (1.0 + 1.0 / 25.0) / 2.0).abs() < 1e-6);
        assert!((rate(3, 0) - 1.0).abs() < 1e-6);
        assert!((rate(6, 2) - (1.0 + 1.0 / 25e4) / 2.0).abs() < 1e-6);
        assert!((rate(10, 0) - 1.0 / 25e4).abs() < 1e-9);
        assert_eq!(rate(12, 0), rate(10, 0));
        assert!(rate(2, 3) > rate(2, 2) && rate(9, 3) < rate(9, 2));
    }

    #[test]
    fn a_plateau_is_told_by_scores_alone() {
        assert_eq!(plateaus(&[], 0), 0);
        assert_eq!(plateaus(&[1.0, 1.0, 1.0], 0), 2);
        assert_eq!(plateaus(&[1.0, 0.9, 0.9, 0.9, 0.9], 1), 2);
        assert_eq!(plateaus(&[1.0, 0.9, 1.1, 0.9, 1.2], 1), 0);
        let schedule = Schedule::Plateau {
            factor: 0.1,
            patience: 0,
            least: 0.05,
        };
        let scores = [0.0; 9];
        let moment = Moment {
            scores: &scores,
            ..Moment::of_epoch(9)
        };
        assert_eq!(schedule.rate(0.2, moment), 0.05);
    }

    #[test]
    fn schedules_are_read_back_as_they_are_written() {
        for text in [
            "constant",
            "step:10:0.5",
            "cosine:7",
            "one-cycle:7",
            "one-cycle:7:0.5:10:100",
            "plateau:0.7:1",
            "plateau:0.7:1:0.000001",
        ] {
            let schedule = Schedule::read(text, 9).expect(text);
            assert_eq!(schedule.to_string(), text);
        }
        for text in ["cosine", "one-cycle"] {
            let schedule = Schedule::read(text, 9).expect(text);
            assert_eq!(schedule.text_for(9), text);
            assert_eq!(schedule.text_for(8), format!("{text}:9"));
        }
        for text in [
            "",
            "cosin",
            "cosine:x",
            "step:10",
            "one-cycle:3:0.1",
            "plateau",
        ] {
            Schedule::read(text, 9).expect_err(text);
        }
    }

    #[test]
    fn constants_out_of_range_are_refused() {
        let cycle = |rise, start_divisor, end_divisor| Schedule::OneCycle {
            epochs: 3,
            rise,
            start_divisor,
            end_divisor,
        };
        let plateau = |factor, least| Schedule::Plateau {
            factor,
            patience: 2,
            least,
        };
        for schedule in [
            Schedule::one_cycle(0),
            cycle(0.0, 25.0, 1e4),
            cycle(1.0, 25.0, 1e4),
            cycle(0.3, 0.5, 1e4),
            cycle(0.3, 25.0, f32::NAN),
            plateau(1.0, 0.0),
            plateau(0.5, -1.0),
        ] {
            schedule.check().expect_err(&format!("{schedule:?}"));
        }
        cycle(0.3, 1.0, 1.0).check().expect("valid");
        plateau(0.5, 0.0).check().expect("valid");
    }
}
