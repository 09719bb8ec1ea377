use super::{BaselineError, LabelledFeatures, hidden_spikes};
use crate::dataset::Dataset;
use crate::ids::SampleIndex;
use crate::network::{Network, NetworkSpec};
use crate::random::MasterSeed;

/// A network of whose counts of spikes a smaller share than this is not 0 is silent: rules that read them guess.
pub const SILENT: f64 = 0.01;
/// A silent network is drawn with wider weights until such a share is not 0.
const LIVELY: f64 = 0.1;
/// Weights are not drawn more times as wide than this.
const WIDEST: u32 = 1 << 10;

/// What a network that was never trained makes of a dataset.
///
/// A network is drawn as its spec says. If it is [`SILENT`] then, as one with weights for many channels is on a few, it
/// is drawn from the same seed with weights twice as wide, and again, until a tenth of the counts are not 0; one that
/// never comes to that stays as it was drawn. Only samples that rules are fitted to are asked.
#[derive(Debug)]
#[non_exhaustive]
pub struct UntrainedSpikes {
    /// The network.
    pub network: Network,
    /// How many times as wide as its spec says its weights are drawn; 1 unless it was silent.
    pub wider: u32,
    /// Spikes of its hidden layers in windows, of all samples ([`hidden_spikes`]).
    pub counts: LabelledFeatures,
    /// The share of counts that are not 0, of samples that rules are fitted to, rounded to five decimals.
    pub nonzero: f64,
}

impl UntrainedSpikes {
    /// Draws a network and counts its spikes in so many windows; `train` are the samples that rules are fitted to.
    ///
    /// # Errors
    /// As [`hidden_spikes`].
    ///
    /// # Panics
    /// If there is no such sample.
    pub fn of(
        spec: &NetworkSpec,
        seed: MasterSeed,
        data: &Dataset,
        train: &[SampleIndex],
        windows: usize,
    ) -> Result<Self, BaselineError> {
        let drawn = |wider: u32| {
            let mut settings = spec.settings().clone();
            settings.init.weight_scale *= wider as f32;
            let network = Network::new(settings.check()?, seed);
            let counts = LabelledFeatures::new(hidden_spikes(&network, data, windows)?, data)?;
            let nonzero = counts.only(train).nonzero();
            Ok::<_, BaselineError>(UntrainedSpikes {
                network,
                wider,
                counts,
                nonzero: (nonzero * 1e5).round() / 1e5,
            })
        };
        let as_said = drawn(1)?;
        let mut wider = 1;
        while as_said.nonzero < SILENT && wider < WIDEST {
            wider *= 2;
            let another = drawn(wider)?;
            if another.nonzero >= LIVELY {
                return Ok(another);
            }
        }
        Ok(as_said)
    }

    /// Whether rules that read these counts have nothing to read.
    pub fn is_silent(&self) -> bool {
        self.nonzero < SILENT
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{DatasetBuilder, LabelledEvents};
    use crate::ids::{ClassId, SpeakerId};
    use crate::spikes::EventStream;

    /// Samples of so many events on all channels of the reference network.
    fn data(events: u16) -> Dataset {
        let spec = NetworkSpec::dequino2024();
        let names = vec!["yes".to_string()];
        let mut builder = DatasetBuilder::new(spec.grid(), spec.inputs(), names).expect("valid");
        for sample in 0..6u16 {
            let times = (0..events).map(|event| f64::from(event) * 1.2 / f64::from(events));
            let units = (0..events).map(|event| (event * 31 + sample * 5) % 700);
            let events = EventStream::new(times.collect(), units.collect()).expect("valid");
            let (class, speaker) = (ClassId(0), SpeakerId(0));
            let one = LabelledEvents {
                events,
                class,
                speaker,
                sound: None,
            };
            builder.push(&one).expect("it fits");
        }
        builder.build().expect("not empty")
    }

    fn drawn(scale: f32, events: u16) -> UntrainedSpikes {
        let mut settings = NetworkSpec::dequino2024().settings().clone();
        settings.init.weight_scale = scale;
        let spec = settings.check().expect("a scale above 0");
        let train = [0, 1, 2, 4].map(SampleIndex);
        UntrainedSpikes::of(&spec, MasterSeed(3), &data(events), &train, 4).expect("it fits")
    }

    #[test]
    fn only_a_silent_network_is_drawn_with_wider_weights() {
        let lively = drawn(0.5, 1500);
        assert_eq!(lively.wider, 1);
        assert!(!lively.is_silent());
        let spec = lively.network.spec().settings();
        assert_eq!(spec.init.weight_scale, 0.5);

        let quiet = drawn(0.001, 1500);
        assert!(quiet.wider > 1 && quiet.nonzero >= LIVELY, "{quiet:?}");
        assert!(!quiet.is_silent());
        // The same draws, so many times as wide.
        let scale = 0.001 * quiet.wider as f32;
        let same = drawn(scale, 1500);
        assert_eq!((same.wider, same.nonzero), (1, quiet.nonzero));
        assert_eq!(same.counts, quiet.counts);
    }

    #[test]
    fn what_nothing_can_wake_stays_as_it_was_drawn_and_is_silent() {
        // One event each, which no layer above the first can hear of.
        let silent = drawn(1e-9, 1);
        assert_eq!((silent.wider, silent.nonzero), (1, 0.0));
        assert!(silent.is_silent());
    }
}
