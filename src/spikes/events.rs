use super::SpikeError;

/// Spikes as they come from a sensor or a file: a time and a unit each, in any order.
///
/// Times are seconds, finite and not negative. They are kept in 64 bits so that files with
/// float16, float32 or float64 times are all binned as NumPy would.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EventStream {
    times_s: Vec<f64>,
    units: Vec<u16>,
}

impl EventStream {
    /// Pairs times (seconds) with units.
    ///
    /// # Errors
    /// [`SpikeError::UnequalLengths`] and [`SpikeError::BadTime`].
    pub fn new(times_s: Vec<f64>, units: Vec<u16>) -> Result<Self, SpikeError> {
        if times_s.len() != units.len() {
            return Err(SpikeError::UnequalLengths {
                times: times_s.len(),
                units: units.len(),
            });
        }
        let bad = |time_s: &f64| !time_s.is_finite() || *time_s < 0.0;
        if let Some(event) = times_s.iter().position(bad) {
            return Err(SpikeError::BadTime {
                event,
                time_s: times_s[event],
            });
        }
        Ok(EventStream { times_s, units })
    }

    /// Number of events.
    pub fn len(&self) -> usize {
        self.times_s.len()
    }

    /// Whether there is no event.
    pub fn is_empty(&self) -> bool {
        self.times_s.is_empty()
    }

    /// Times in seconds, in the stream's order.
    pub fn times_s(&self) -> &[f64] {
        &self.times_s
    }

    /// Units, in the stream's order.
    pub fn units(&self) -> &[u16] {
        &self.units
    }

    /// The time of the last event in seconds, if there is any event.
    pub fn last_time_s(&self) -> Option<f64> {
        self.times_s.iter().copied().reduce(f64::max)
    }
}
