use std::collections::BTreeMap;
use std::path::Path;

use ndarray::ArrayD;
use serde::{Deserialize, Serialize};

use super::{Optimiser, TaskFacts, TrainError, TrainingSettings};
use crate::dataset::RecordingSet;
use crate::formats::checkpoint::{CheckpointNote, TrainerNote, VERSION};
use crate::ids::ClassId;
use crate::names::normalised;
use crate::network::{Gradients, Network, ParameterName, Parameters, Stage};
use crate::random::{MasterSeed, StreamPosition};
use crate::storage::{Tensor, TensorFile, TensorFileError};

/// Recordings that were trained on, by their events. Format 2 has the fingerprints here that format 3
/// calls legacy.
const TRAINED_ON: &str = "trained_on";
/// The same by their sounds.
const TRAINED_ON_SOUNDS: &str = "trained_on.sounds";
/// The same as a checkpoint of format 2 had them, from which training went on.
const TRAINED_ON_LEGACY: &str = "trained_on.legacy";
/// Classes that were learned before the task that is learned.
const OLD_CLASSES: &str = "task.old_classes";
/// Classes of that task.
const NEW_CLASSES: &str = "task.new_classes";
/// What begins the names of what regularisers remember.
const REMEMBERED: &str = "regulariser.";

/// A network with all that is needed to go on training it, and to know what it has seen.
///
/// As a file it is one safetensors file: weights under their names (`w1`, `v1`, …, `w_out`, each
/// fan-in × fan-out), `optimiser.<weight>.first` and `.second`, `trained_on`, and a JSON note with
/// the spec and the settings.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Checkpoint {
    /// The network.
    pub network: Network,
    /// The trainer, if training is to go on.
    pub trainer: Option<TrainerState>,
    /// How a network was trained whose training is over; `None` if that is not known, or was not done
    /// in one go. [`Checkpoint::past_training`] also knows of training that may go on.
    pub training: Option<PastTraining>,
    /// The trained network with whose weights training began; `None` if it began with weights that its seed drew, or
    /// that is not known.
    pub started_from: Option<StartedFrom>,
    /// What this network was tested with that is no part of it: a head in place of its readout, or a codec that latents
    /// passed; `None` if there was nothing, or that is not known.
    pub tested_with: Option<String>,
    /// Names of the classes, by readout; may be empty.
    pub class_names: Vec<String>,
    /// Every recording that the weights were trained on.
    pub trained_on: RecordingSet,
}

/// A trained network with whose weights a training began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartedFrom {
    /// Its checkpoint, as named on the command line.
    pub file: String,
    /// [`Parameters::fingerprint`] of its weights in hexadecimal, 16 digits.
    pub fingerprint: String,
    /// Of a learner with all that it keeps beside its weights, the fingerprint of all of it, likewise; records of earlier
    /// versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learner: Option<String>,
}

impl StartedFrom {
    /// The network of a file.
    pub fn new(file: impl Into<String>, network: &Network) -> Self {
        StartedFrom {
            file: file.into(),
            fingerprint: format!("{:016x}", network.parameters().fingerprint()),
            learner: None,
        }
    }

    /// The same of a learner whose fingerprint is that.
    #[must_use]
    pub fn of_learner(mut self, fingerprint: u64) -> Self {
        self.learner = Some(format!("{fingerprint:016x}"));
        self
    }

    /// Whether both are of the same weights and, where both say which, of the same learner.
    pub fn is_like(&self, other: &StartedFrom) -> bool {
        let learners = self.learner.as_ref().zip(other.learner.as_ref());
        self.fingerprint == other.fingerprint && learners.is_none_or(|(one, other)| one == other)
    }
}

/// How a network came to its weights.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct PastTraining {
    /// Epochs.
    pub epochs: usize,
    /// How each of them trained.
    pub settings: TrainingSettings,
    /// Where all randomness came from.
    pub seed: MasterSeed,
}

impl PastTraining {
    /// So many epochs, each of which trained so.
    pub fn new(epochs: usize, settings: TrainingSettings, seed: MasterSeed) -> Self {
        PastTraining {
            epochs,
            settings,
            seed,
        }
    }
}

/// A [`Trainer`](super::Trainer) without its network.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TrainerState {
    /// The stage that is trained.
    pub stage: Stage,
    /// How it is trained.
    pub settings: TrainingSettings,
    /// The optimiser with its memory.
    pub optimiser: Optimiser,
    /// Where the stream that shuffles samples stands.
    pub shuffle: StreamPosition,
    /// Epochs trained so far.
    pub epochs_done: usize,
    /// How good each of them was, more is better, where the schedule looks at it.
    pub scores: Vec<f64>,
    /// The task that is learned.
    pub task: TaskFacts,
    /// What regularisers remember, as [`RegulariserStates`](super::RegulariserStates) name it.
    pub remembered: BTreeMap<String, Tensor>,
}

impl Checkpoint {
    /// A network, and every recording that it was trained on; nothing more is known.
    pub fn new(network: Network, trained_on: RecordingSet) -> Self {
        Checkpoint {
            network,
            trainer: None,
            training: None,
            started_from: None,
            tested_with: None,
            class_names: Vec::new(),
            trained_on,
        }
    }

    /// The same with the trainer, with which training may go on.
    #[must_use]
    pub fn with_trainer(mut self, trainer: TrainerState) -> Self {
        self.trainer = Some(trainer);
        self
    }

    /// The same with how it was trained, where that is over.
    #[must_use]
    pub fn with_training(mut self, training: PastTraining) -> Self {
        self.training = Some(training);
        self
    }

    /// The same with the trained network with whose weights training began.
    #[must_use]
    pub fn with_start(mut self, start: StartedFrom) -> Self {
        self.started_from = Some(start);
        self
    }

    /// The same with names of the classes, by readout.
    #[must_use]
    pub fn with_class_names(mut self, names: impl Into<Vec<String>>) -> Self {
        self.class_names = names.into();
        self
    }

    /// How the network was trained so far, as a whole; `None` if that is not known.
    pub fn past_training(&self) -> Option<PastTraining> {
        let going_on = self.trainer.as_ref().map(|trainer| PastTraining {
            epochs: trainer.epochs_done,
            settings: trainer.settings.clone(),
            seed: trainer.shuffle.seed,
        });
        going_on.or_else(|| self.training.clone())
    }

    /// Writes the checkpoint whole.
    ///
    /// # Errors
    /// [`TrainError::CheckpointFile`].
    pub fn save(&self, path: &Path) -> Result<(), TrainError> {
        let file = self.to_file();
        file.write(path).map_err(|error| wrap(path, error))
    }

    pub(crate) fn to_file(&self) -> TensorFile {
        let mut file = TensorFile::with_note(&CheckpointNote {
            format: VERSION,
            respike: env!("CARGO_PKG_VERSION").to_string(),
            spec: self.network.spec().clone(),
            class_names: self.class_names.clone(),
            trainer: self.trainer.as_ref().map(|trainer| TrainerNote {
                stage: trainer.stage.into(),
                settings: trainer.settings.clone(),
                optimiser: trainer.optimiser.settings().clone(),
                steps_taken: trainer.optimiser.steps_taken(),
                shuffle: trainer.shuffle,
                epochs_done: trainer.epochs_done,
                scores: trainer.scores.clone(),
            }),
            training: self.training.clone().map(Into::into),
            started_from: self.started_from.clone(),
            tested_with: self.tested_with.clone(),
            build: Some(crate::BUILD.to_string()),
        });
        let mut put = |name: String, tensor| file.tensors.insert(name, tensor);
        for (name, weight) in self.network.parameters().iter() {
            put(name.to_string(), Tensor::F32(weight.to_owned()));
        }
        let trainer = self.trainer.as_ref();
        let memory = trainer
            .into_iter()
            .flat_map(|trainer| trainer.optimiser.memory());
        for (which, memory) in memory {
            for (name, values) in memory.iter() {
                put(moment(name, which), Tensor::F32(values.to_owned()));
            }
        }
        if let Some(trainer) = &self.trainer {
            let task = &trainer.task;
            for (name, classes) in [
                (OLD_CLASSES, &task.old_classes),
                (NEW_CLASSES, &task.new_classes),
            ] {
                if !classes.is_empty() {
                    let classes = classes.iter().map(|class| class.0).collect();
                    put(name.into(), Tensor::U16(classes));
                }
            }
        }
        let remembered = self.trainer.iter().flat_map(|trainer| &trainer.remembered);
        for (name, tensor) in remembered {
            put(format!("{REMEMBERED}{name}"), tensor.clone());
        }
        let seen = &self.trained_on;
        put(TRAINED_ON.into(), Tensor::U64(seen.events().to_vec()));
        for (name, prints) in [
            (TRAINED_ON_SOUNDS, seen.sounds()),
            (TRAINED_ON_LEGACY, seen.legacy()),
        ] {
            if !prints.is_empty() {
                put(name.into(), Tensor::U64(prints.to_vec()));
            }
        }
        file
    }

    /// Reads a checkpoint.
    ///
    /// # Errors
    /// [`TrainError::CheckpointFile`] if it cannot be read, [`TrainError::BadCheckpoint`] if it is
    /// cut short, not a checkpoint, or does not fit its own spec.
    pub fn load(path: &Path) -> Result<Self, TrainError> {
        let mut file = TensorFile::read(path).map_err(|error| wrap(path, error))?;
        Self::from_file(&mut file).map_err(|reason| TrainError::BadCheckpoint {
            path: path.to_path_buf(),
            reason,
        })
    }

    pub(crate) fn from_file(file: &mut TensorFile) -> Result<Self, String> {
        let note: CheckpointNote = file.note_as()?;
        note.check_version()?;
        let spec = note.spec;
        let mut parameters = Parameters::zeros(&spec);
        let names: Vec<_> = parameters.iter().map(|(name, _)| name).collect();
        for &name in &names {
            let weight = take_array(file, &name.to_string())?;
            parameters
                .set(name, weight)
                .map_err(|error| error.to_string())?;
        }
        let network = Network::with_parameters(spec, parameters);
        let network = network.map_err(|error| error.to_string())?;
        let mut trainer = None;
        if let Some(note) = note.trainer {
            let stage = note.stage.of(network.spec());
            let stage = stage.map_err(|error| error.to_string())?;
            let mut memory = Vec::new();
            if note.steps_taken > 0 {
                for &which in note.optimiser.remembers() {
                    let mut moments = Gradients::zeros(&network, stage);
                    for &name in names.iter().filter(|name| stage.trains(**name)) {
                        let values = take_array(file, &moment(name, which))?;
                        let set = moments.set(name, values);
                        set.map_err(|error| error.to_string())?;
                    }
                    memory.push(moments);
                }
            }
            let optimiser = Optimiser::resume(note.optimiser, note.steps_taken, memory);
            trainer = Some(TrainerState {
                stage,
                settings: note.settings,
                optimiser: optimiser.map_err(|error| error.to_string())?,
                shuffle: note.shuffle,
                epochs_done: note.epochs_done,
                scores: note.scores,
                task: TaskFacts::new(
                    take_classes(file, OLD_CLASSES)?,
                    take_classes(file, NEW_CLASSES)?,
                ),
                remembered: take_all(file, REMEMBERED),
            });
        }
        let Some(trained_on) = take_list(file, TRAINED_ON)? else {
            return Err(format!("the list `{TRAINED_ON}` is missing"));
        };
        let trained_on = match note.format {
            2 => RecordingSet::new(Vec::new(), Vec::new(), trained_on),
            _ => RecordingSet::new(
                trained_on,
                take_list(file, TRAINED_ON_SOUNDS)?.unwrap_or_default(),
                take_list(file, TRAINED_ON_LEGACY)?.unwrap_or_default(),
            ),
        };
        Ok(Checkpoint {
            network,
            trainer,
            training: note.training.map(Into::into),
            started_from: note.started_from,
            tested_with: note.tested_with,
            class_names: note
                .class_names
                .iter()
                .map(|name| normalised(name))
                .collect(),
            trained_on,
        })
    }
}

fn moment(name: ParameterName, which: &str) -> String {
    format!("optimiser.{name}.{which}")
}

fn take_list(file: &mut TensorFile, name: &str) -> Result<Option<Vec<u64>>, String> {
    match file.tensors.remove(name) {
        None => Ok(None),
        Some(Tensor::U64(list)) => Ok(Some(list)),
        Some(_) => Err(format!("`{name}` is not a list of 64-bit numbers")),
    }
}

/// All arrays whose names begin so, by the rest of them.
fn take_all(file: &mut TensorFile, prefix: &str) -> BTreeMap<String, Tensor> {
    let names = file.tensors.keys().filter(|name| name.starts_with(prefix));
    let names: Vec<String> = names.cloned().collect();
    let taken = names.into_iter().filter_map(|name| {
        let tensor = file.tensors.remove(&name)?;
        Some((name[prefix.len()..].to_string(), tensor))
    });
    taken.collect()
}

fn take_classes(file: &mut TensorFile, name: &str) -> Result<Vec<ClassId>, String> {
    match file.tensors.remove(name) {
        None => Ok(Vec::new()),
        Some(Tensor::U16(list)) => Ok(list.into_iter().map(ClassId).collect()),
        Some(_) => Err(format!("`{name}` is not a list of classes")),
    }
}

fn take_array(file: &mut TensorFile, name: &str) -> Result<ArrayD<f32>, String> {
    match file.tensors.remove(name) {
        Some(Tensor::F32(array)) if array.iter().all(|value| value.is_finite()) => Ok(array),
        Some(Tensor::F32(_)) => Err(format!("`{name}` holds numbers that are not finite")),
        _ => Err(format!("the array `{name}` is missing")),
    }
}

fn wrap(path: &Path, error: TensorFileError) -> TrainError {
    match error {
        TensorFileError::Io { action, source, .. } => TrainError::CheckpointFile {
            action,
            path: path.to_path_buf(),
            source,
        },
        TensorFileError::Malformed { reason, .. } => TrainError::BadCheckpoint {
            path: path.to_path_buf(),
            reason: format!("it is {reason}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{LayerSettings, NetworkSpec, StageInput};
    use crate::random::Purpose;
    use crate::registry::Registry;
    use crate::spikes::SpikeCounts;
    use crate::train::{Losses, OptimiserSettings, StoredExamples, SynapticIntelligence, Trainer};

    #[test]
    fn whatever_trained_it_a_checkpoint_is_read_back_as_it_was() {
        let mut settings = NetworkSpec::dequino2024().settings().clone();
        // Sizes that leave gaps between parameters.
        settings.layers = vec![LayerSettings::new(9, true).with_bias()];
        (settings.input.units, settings.readout.classes) = (7, 3);
        settings.init.weight_scale = 2.0;
        let spec = settings.check().expect("valid");
        let noise = ndarray::Array2::from_shape_fn((100, 7), |(step, unit)| {
            u16::from((step * (unit + 3)) % 5 == 1)
        });
        let noise = SpikeCounts::from_dense(noise.view()).expect("valid");
        let examples = StoredExamples {
            samples: vec![(StageInput::counts(&noise), ClassId(2))],
        };
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (kind, _) in Registry::builtin().optimisers() {
            let optimiser = OptimiserSettings::named(kind).expect("all have defaults");
            let losses = Losses::default().and(SynapticIntelligence::default());
            let settings = TrainingSettings::default().with_optimiser(optimiser);
            let settings = settings.with_losses(losses);
            let seed = MasterSeed(1);
            let network = Network::new(spec.clone(), seed);
            let stage = Stage::Whole;
            let trainer = Trainer::new(network, stage, settings, seed, Purpose::Shuffle);
            let mut trainer = trainer.expect("valid");
            let task = TaskFacts::new([ClassId(0)], [ClassId(0), ClassId(2)]);
            trainer.begin_task(task).expect("its own network");
            for _ in 0..3 {
                trainer.epoch(&examples).expect("it fits");
            }
            let saved = Checkpoint {
                network: trainer.network().clone(),
                trainer: Some(trainer.state()),
                training: None,
                started_from: None,
                tested_with: None,
                class_names: Vec::new(),
                trained_on: RecordingSet::default(),
            };
            let path = folder.path().join(kind);
            saved.save(&path).expect("written");
            assert_eq!(
                Checkpoint::load(&path).expect("just written"),
                saved,
                "{kind}"
            );
        }
    }
}
