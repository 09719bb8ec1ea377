use super::TrainError;

/// The learning rate of each epoch.
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
    /// From the full rate down to 0 along half a cosine over `epochs` (Loshchilov & Hutter 2017,
    /// Eq. 5, without restarts).
    Cosine {
        /// Over how many epochs.
        epochs: usize,
    },
}

impl Schedule {
    /// The learning rate of epoch `epoch`, 0 first.
    ///
    /// ```
    /// use respike::train::Schedule;
    /// let halving = Schedule::Step { every_epochs: 10, factor: 0.5 };
    /// assert_eq!(halving.rate(0.2, 25), 0.05);
    /// assert_eq!(Schedule::Cosine { epochs: 10 }.rate(0.2, 5), 0.1);
    /// ```
    pub fn rate(self, base: f32, epoch: usize) -> f32 {
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
                base * (0.5 * (1.0 + (std::f64::consts::PI * done).cos())) as f32
            }
        }
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
            | Schedule::Cosine { epochs: 0 } => bad("the schedule's epochs", "1 or more", 0.0),
            _ => Ok(()),
        }
    }
}
