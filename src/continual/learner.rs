//! A learner: all that goes from one task to the next, and how it is kept on disk.
//!
//! In: a network that was pre-trained, and a method. Out: after each task the same, changed, and a file from which it goes
//! on bit for bit.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ndarray::Array2;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::experiment::Checked;
use super::{Accuracies, AccuracyMatrix, ContinualError, Experiment, LearningData, Metrics};
use crate::dataset::{Dataset, RecordingSet};
use crate::head::{HeadPlace, HeadState, TaskClasses};
use crate::ids::{ClassId, SampleIndex};
use crate::network::{Network, Stage};
use crate::random::{MasterSeed, Purpose, StreamPosition};
use crate::replay::{SampleStore, SourceState};
use crate::storage::{PartNotes, SavedState, TensorFile, TensorFileError};
use crate::train::{Checkpoint, RegulariserStates};

/// The version of the file.
const VERSION: u32 = 1;

/// What goes from one task to the next.
pub(super) struct Learner {
    pub network: Network,
    pub head: Box<dyn HeadState>,
    pub sources: Vec<Box<dyn SourceState>>,
    pub regularisers: RegulariserStates,
    /// Which samples sources keep, and what they draw.
    pub memory_stream: ChaCha8Rng,
    /// New weights of readout columns.
    pub head_stream: ChaCha8Rng,
    /// Order of the samples.
    pub shuffle: StreamPosition,
    /// Classes that were learned.
    pub known: BTreeSet<ClassId>,
    /// Those of them that were known before the run, if it went on with a learner from elsewhere.
    pub known_before: Option<BTreeSet<ClassId>>,
    /// Every recording that was learned from.
    pub trained_on: RecordingSet,
    /// The tasks that its run still has to learn, where these are not just all after its last: it then went on with a
    /// learner from elsewhere, which had learned from some.
    pub left: Option<Vec<usize>>,
}

/// What was measured so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Measured {
    /// Tasks learned, pre-training not counted.
    pub tasks_done: usize,
    pub before: Accuracies,
    pub last: Accuracies,
    pub confusion_before: Array2<u32>,
    pub confusion_last: Array2<u32>,
    pub matrix: AccuracyMatrix,
    /// After which task each row of the matrix was measured.
    pub measured_after: Vec<usize>,
    /// What a network of random weights comes to, part by part.
    pub at_random: Vec<f64>,
}

impl Measured {
    /// What is read off the matrix, of parts that are taught from these tasks on.
    pub fn metrics(&self, first_tasks: &[usize]) -> Option<Metrics> {
        let random = Some(&self.at_random[..]);
        self.matrix
            .metrics_of(&self.measured_after, first_tasks, random)
    }
}

impl Learner {
    pub fn begin(
        experiment: &Experiment,
        network: Network,
        stage: Stage,
        sources: Vec<Box<dyn SourceState>>,
        trained_on: RecordingSet,
    ) -> Result<Self, ContinualError> {
        let seed = experiment.seed;
        let head = &experiment.method.head;
        let head = head.begin(&HeadPlace::new(&network, stage, seed))?;
        let purpose = Purpose::LearningShuffle;
        let losses = &experiment.learn.losses;
        Ok(Learner {
            regularisers: RegulariserStates::begin(losses, &network, stage),
            head,
            sources,
            memory_stream: seed.stream(Purpose::Memory),
            head_stream: seed.stream(Purpose::NewClass),
            shuffle: StreamPosition::of(seed, purpose, &seed.stream(purpose)),
            known: BTreeSet::new(),
            known_before: None,
            trained_on,
            left: None,
            network,
        })
    }

    /// What a task teaches: its new samples, and what is replayed with them.
    pub fn classes_of(
        &self,
        dataset: &Dataset,
        train: &[SampleIndex],
        store: &dyn SampleStore,
    ) -> TaskClasses {
        let classes = self.network.spec().classes();
        let mut new = vec![0; classes];
        for &index in train {
            new[dataset.sample(index).class.index()] += 1;
        }
        let mut replayed = vec![0; classes];
        for source in &self.sources {
            let examples = source.replays(store);
            for index in 0..examples.len() {
                replayed[examples.class(index).index()] += 1;
            }
        }
        TaskClasses::new(new, replayed, self.known.clone())
    }

    /// The state, to go on from.
    pub fn save(
        &self,
        experiment: &Experiment,
        dataset: &Dataset,
        measured: &Measured,
    ) -> SavedLearner {
        let seed = experiment.seed;
        let regularisers = SavedState {
            tensors: self.regularisers.tensors(),
            ..SavedState::default()
        };
        let mut parts = vec![
            ("head".to_string(), self.head.save()),
            ("regularisers".to_string(), regularisers),
        ];
        for (place, source) in self.sources.iter().enumerate() {
            parts.push((source_name(place), source.save()));
        }
        SavedLearner {
            network: Checkpoint::new(self.network.clone(), self.trained_on.clone())
                .with_class_names(dataset.class_names()),
            note: LearnerNote {
                format: VERSION,
                experiment: experiment.clone(),
                data: format!("{:016x}", dataset.fingerprint()),
                memory: StreamPosition::of(seed, Purpose::Memory, &self.memory_stream),
                head: StreamPosition::of(seed, Purpose::NewClass, &self.head_stream),
                shuffle: self.shuffle,
                known: self.known.iter().copied().collect(),
                known_before: self.known_before.clone(),
                left: self.left.clone(),
                measured: measured.clone(),
            },
            parts: parts.into_iter().collect(),
            origin: None,
        }
    }

    /// Goes on from a state, of the same method, that learned from data of so many samples.
    pub fn restore(&mut self, saved: SavedLearner, samples: usize) -> Result<(), ContinualError> {
        let SavedLearner {
            network,
            note,
            mut parts,
            origin,
        } = saved;
        let bad = |reason| bad_state(origin.as_deref(), reason);
        let mut part = |name: &str| {
            let part = parts.remove(name);
            part.ok_or_else(|| bad(format!("the state of `{name}` is missing")))
        };
        self.head.restore(part("head")?).map_err(bad)?;
        self.regularisers.restore(&part("regularisers")?.tensors)?;
        for (place, source) in self.sources.iter_mut().enumerate() {
            source.restore(part(&source_name(place))?).map_err(bad)?;
            let classes = self.network.spec().classes();
            let memory = source.memory();
            let kept = memory.map_or(&[][..], |memory| memory.classes());
            let are_there = kept.iter().all(|class| class.index() < classes);
            let mut held = source.held().into_iter().flatten();
            if !are_there || held.any(|index| index.0 >= samples) {
                let what = "it replays samples or classes that are not there";
                return Err(bad(what.to_string()));
            }
        }
        self.network = network.network;
        self.trained_on = network.trained_on;
        self.memory_stream = note.memory.resume();
        self.head_stream = note.head.resume();
        self.shuffle = note.shuffle;
        self.known = note.known.into_iter().collect();
        Ok(())
    }
}

fn source_name(place: usize) -> String {
    format!("replay{place}")
}

/// A learner after a task, as a file holds it: network, head, replay sources and random streams.
#[derive(Debug, Clone)]
pub struct SavedLearner {
    network: Checkpoint,
    note: LearnerNote,
    parts: BTreeMap<String, SavedState>,
    /// The file that it was read from, which messages name.
    origin: Option<PathBuf>,
}

/// All of a learner's state that is not an array.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct LearnerNote {
    format: u32,
    experiment: Experiment,
    /// The data's fingerprint.
    data: String,
    memory: StreamPosition,
    head: StreamPosition,
    shuffle: StreamPosition,
    known: Vec<ClassId>,
    /// Where the run went on with a learner from elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    known_before: Option<BTreeSet<ClassId>>,
    /// The tasks that are left, where these are not just all after the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    left: Option<Vec<usize>>,
    measured: Measured,
}

/// The note of the file.
#[derive(Serialize, Deserialize)]
struct FileNote {
    learner: LearnerNote,
    network: serde_json::Value,
    parts: PartNotes,
}

impl SavedLearner {
    /// The network as it is, with what is known of it.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.network
    }

    /// The network as it is.
    pub fn network(&self) -> &Network {
        &self.network.network
    }

    /// Names of the classes, by readout.
    pub fn class_names(&self) -> &[String] {
        &self.network.class_names
    }

    /// Every recording that was learned from.
    pub fn trained_on(&self) -> &RecordingSet {
        &self.network.trained_on
    }

    /// What was being learned.
    pub fn experiment(&self) -> &Experiment {
        &self.note.experiment
    }

    /// How many tasks were learned after pre-training.
    pub fn tasks_done(&self) -> usize {
        self.note.measured.tasks_done
    }

    /// Where its randomness came from.
    pub fn seed(&self) -> MasterSeed {
        self.note.experiment.seed
    }

    /// Its head, as it stands on a stage of its network.
    pub(super) fn head(&self, stage: Stage) -> Result<Box<dyn HeadState>, ContinualError> {
        let bad = |reason| bad_state(self.origin.as_deref(), reason);
        let place = HeadPlace::new(self.network(), stage, self.seed());
        let mut head = self.note.experiment.method.head.begin(&place)?;
        let saved = self.parts.get("head");
        let saved = saved.ok_or_else(|| bad("the state of `head` is missing".to_string()))?;
        head.restore(saved.clone()).map_err(bad)?;
        Ok(head)
    }

    /// Goes on from it and leaves that, so that what is damaged is told before anything is replaced.
    pub(super) fn try_out(
        &self,
        experiment: &Experiment,
        data: LearningData<'_>,
    ) -> Result<(), ContinualError> {
        let Checked { stage, sources, .. } = experiment.check(self.network().spec(), data)?;
        let (network, seen) = (self.network().clone(), RecordingSet::default());
        let mut learner = Learner::begin(experiment, network, stage, sources, seen)?;
        let samples = match self.is_of(experiment, data.dataset()) {
            true => data.dataset().len(),
            false => usize::MAX,
        };
        learner.restore(self.clone(), samples)
    }

    /// Whether a file holds one, of whatever version.
    pub(super) fn is_in(file: &TensorFile) -> bool {
        let note = file.note_as::<serde_json::Value>();
        note.is_ok_and(|note| note.get("learner").is_some())
    }

    /// The classes that it learned.
    pub(super) fn known(&self) -> BTreeSet<ClassId> {
        self.note.known.iter().copied().collect()
    }

    /// The classes that were known before its run, if that went on with a learner from elsewhere.
    pub(super) fn known_before(&self) -> Option<BTreeSet<ClassId>> {
        self.note.known_before.clone()
    }

    /// The tasks that its run had left, in the run's plan of so many.
    pub(super) fn tasks_left(&self, planned: usize) -> Vec<usize> {
        match &self.note.left {
            None => (self.tasks_done() + 1..planned).collect(),
            Some(left) => left
                .iter()
                .copied()
                .filter(|&task| task < planned)
                .collect(),
        }
    }

    /// The network as it is, as what a run begins with that goes on with this learner.
    pub fn starting_point(&self) -> Checkpoint {
        Checkpoint::new(self.network().clone(), self.trained_on().clone())
    }

    /// A hash of all that it goes on with: equal ones come to the same.
    pub fn fingerprint(&self) -> u64 {
        let (mut file, notes) = self.parts_with(self.network.to_file());
        // What is written of the network beside its weights says which program wrote it, too.
        file.note = TensorFile::with_note(&(&self.note, notes)).note;
        file.fingerprint()
    }

    pub(super) fn measured(&self) -> &Measured {
        &self.note.measured
    }

    /// Whether an experiment on that data is the one that was cut off.
    pub fn is_of(&self, experiment: &Experiment, dataset: &Dataset) -> bool {
        self.note.experiment == *experiment
            && self.note.data == format!("{:016x}", dataset.fingerprint())
    }

    /// Writes it whole.
    ///
    /// # Errors
    /// [`ContinualError::StateFile`].
    pub fn save(&self, path: &Path) -> Result<(), ContinualError> {
        let network = self.network.to_file();
        // Just written as JSON.
        let network_note = serde_json::from_str(&network.note).expect("JSON");
        let (mut file, parts) = self.parts_with(network);
        let note = FileNote {
            learner: self.note.clone(),
            network: network_note,
            parts,
        };
        file.note = TensorFile::with_note(&note).note;
        file.write(path).map_err(|error| wrap(path, error))
    }

    /// All arrays, those of the network among them, in a file that has no note yet, with the notes of the parts.
    fn parts_with(&self, network: TensorFile) -> (TensorFile, PartNotes) {
        let mut file = TensorFile::default();
        let mut notes = PartNotes::default();
        for (name, part) in &self.parts {
            part.clone().put_into(name, &mut notes, &mut file);
        }
        for (name, tensor) in network.tensors {
            file.tensors.insert(format!("network.{name}"), tensor);
        }
        (file, notes)
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`ContinualError::StateFile`] if it can't be read, [`ContinualError::BadState`] if it is cut short or none.
    pub fn load(path: &Path) -> Result<Self, ContinualError> {
        let file = TensorFile::read(path).map_err(|error| wrap(path, error))?;
        let read = Self::from_file(file).map_err(|reason| bad_state(Some(path), reason))?;
        Ok(SavedLearner {
            origin: Some(path.to_path_buf()),
            ..read
        })
    }

    fn from_file(mut file: TensorFile) -> Result<Self, String> {
        let note: FileNote = file.note_as()?;
        if note.learner.format != VERSION {
            let found = note.learner.format;
            return Err(format!(
                "it has format {found}, and this version reads {VERSION}"
            ));
        }
        let mut notes = note.parts;
        let mut parts = BTreeMap::new();
        for name in notes.names() {
            let part = SavedState::take_from(&name, &mut notes, &mut file)?;
            parts.insert(name, part);
        }
        let mut network = TensorFile::with_note(&note.network);
        for (name, tensor) in file.tensors {
            if let Some(name) = name.strip_prefix("network.") {
                network.tensors.insert(name.to_string(), tensor);
            }
        }
        Ok(SavedLearner {
            network: Checkpoint::from_file(&mut network)?,
            note: note.learner,
            parts,
            origin: None,
        })
    }
}

/// What is wrong with a state, by its file where it is of one.
fn bad_state(origin: Option<&Path>, reason: String) -> ContinualError {
    ContinualError::BadState(match origin {
        Some(path) => format!("{} is no learner's state: {reason}", path.display()),
        None => reason,
    })
}

fn wrap(path: &Path, error: TensorFileError) -> ContinualError {
    match error {
        TensorFileError::Io { action, source, .. } => ContinualError::StateFile {
            action,
            path: path.to_path_buf(),
            source,
        },
        error @ TensorFileError::Malformed { .. } => ContinualError::BadState(error.to_string()),
    }
}
