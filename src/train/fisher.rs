//! How much every number of a trained network matters for what it was trained on.
//!
//! In: a network and samples. Out: the mean squared gradient of each sample's cross-entropy, a number a parameter.

use rayon::prelude::*;

use super::batch_work::{Workspace, batch_gradient_in};
use super::{Batch, Examples, Losses, TrainError};
use crate::kernels::flush;
use crate::network::{Gradients, Network, Stage};

/// Sums that are made beside one another, so that memory does not grow with the samples. Fixed, so that the order of
/// adding does not depend on the number of threads.
const SUMS: usize = 32;

/// The diagonal of the empirical Fisher information: for each number that the stage trains, the mean over samples of
/// the squared derivative of the cross-entropy with the sample's own class (Kirkpatrick et al. 2017, eq. 3, has it as
/// the weight of a squared distance). No spike is left out.
///
/// # Errors
/// [`TrainError::NoSamples`] if there are none, and if one does not fit the network or the stage.
pub fn fisher_information(
    network: &Network,
    stage: Stage,
    examples: &dyn Examples,
) -> Result<Gradients, TrainError> {
    if examples.is_empty() {
        return Err(TrainError::NoSamples("look back on"));
    }
    let samples: Vec<usize> = (0..examples.len()).collect();
    let parts = samples.par_chunks(samples.len().div_ceil(SUMS));
    let sum_of = |part: &[usize]| {
        let mut workspace = Workspace::default();
        let mut sum = Gradients::zeros(network, stage);
        let losses = Losses::default();
        for sample in part {
            let one = Batch::from(std::slice::from_ref(sample));
            batch_gradient_in(&mut workspace, network, stage, examples, one, &losses)?;
            // A batch that went well left its gradient.
            let gradient = workspace.gradients_mut().expect("the sample's gradient");
            for (sum, value) in sum.values_mut().iter_mut().zip(gradient.values()) {
                *sum += flush(value * value);
            }
        }
        Ok(sum)
    };
    let parts: Vec<Gradients> = parts.map(sum_of).collect::<Result<_, TrainError>>()?;
    let mut fisher = Gradients::zeros(network, stage);
    for part in &parts {
        fisher.add(part)?;
    }
    fisher.scale(1.0 / samples.len() as f32);
    Ok(fisher)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ClassId;
    use crate::network::{NetworkSpec, StageInput};
    use crate::random::MasterSeed;
    use crate::spikes::SpikeCounts;
    use crate::train::{StoredExamples, batch_gradient};

    #[test]
    fn it_is_the_mean_of_squared_gradients_on_any_number_of_threads() {
        let mut settings = NetworkSpec::dequino2024().settings().clone();
        (settings.input.units, settings.readout.classes) = (6, 3);
        settings.layers.truncate(1);
        settings.layers[0].units = 5;
        settings.init.weight_scale = 3.0;
        let network = Network::new(settings.check().expect("valid"), MasterSeed(3));
        let counts: Vec<SpikeCounts> = (0..67)
            .map(|sample| {
                let dense = ndarray::Array2::from_shape_fn((100, 6), |(step, unit)| {
                    u16::from((step * (unit + 2) + sample) % 4 == 0)
                });
                SpikeCounts::from_dense(dense.view()).expect("valid")
            })
            .collect();
        let samples = counts.iter().enumerate();
        let samples = samples.map(|(place, counts)| {
            let class = ClassId(u16::try_from(place % 3).expect("small"));
            (StageInput::counts(counts), class)
        });
        let examples = StoredExamples {
            samples: samples.collect(),
        };
        let pool = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            pool.build().expect("a pool")
        };
        let fisher = || fisher_information(&network, Stage::Whole, &examples).expect("valid");
        let (one, many) = (pool(1).install(fisher), pool(5).install(fisher));
        assert_eq!(one, many);

        let mut wanted = vec![0.0f64; one.values().len()];
        for sample in 0..67 {
            let losses = Losses::default();
            let gradient = batch_gradient(&network, Stage::Whole, &examples, &[sample], &losses);
            let gradient = gradient.expect("valid").gradients;
            for (sum, &value) in wanted.iter_mut().zip(gradient.values()) {
                *sum += f64::from(value).powi(2) / 67.0;
            }
        }
        assert!(wanted.iter().any(|&value| value > 1e-4));
        for (&found, wanted) in one.values().iter().zip(wanted) {
            assert!((f64::from(found) - wanted).abs() <= 1e-5 * wanted.max(1e-6));
        }

        let nothing = StoredExamples {
            samples: Vec::new(),
        };
        assert!(fisher_information(&network, Stage::Whole, &nothing).is_err());
    }
}
