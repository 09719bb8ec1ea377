//! Beginning with the weights of a trained network.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::super::failure::Failure;
use super::super::output::note;
use respike::dataset::{Dataset, RecordingSet, Sample, ShdFile};
use respike::ids::ClassId;
use respike::network::{Network, NetworkSpec};
use respike::train::{Checkpoint, StartedFrom};

/// A trained network to begin with.
pub(super) struct Init {
    file: String,
    saved: Checkpoint,
}

impl Init {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        Ok(Init {
            file: path.display().to_string(),
            saved: Checkpoint::load(path)?,
        })
    }

    /// What the record and checkpoints say of it.
    pub(super) fn note(&self) -> StartedFrom {
        StartedFrom::new(self.file.clone(), &self.saved.network)
    }

    pub(super) fn was_trained_on(&self, sample: &Sample) -> bool {
        self.saved.trained_on.contains(sample)
    }

    pub(super) fn trained_on(&self) -> &RecordingSet {
        &self.saved.trained_on
    }

    /// Its own spec, with as many classes as the files have.
    pub(super) fn spec_for(&self, files: &[PathBuf]) -> Result<NetworkSpec, Failure> {
        let mut names = BTreeSet::new();
        for file in files {
            names.extend(ShdFile::open(file)?.class_names().iter().cloned());
        }
        let mut settings = self.saved.network.spec().settings().clone();
        settings.readout.classes = names.len();
        Ok(settings.check()?)
    }

    /// Says so where steps of the network last longer or shorter than they did.
    pub(super) fn say_what_changes(&self, spec: &NetworkSpec) {
        let (before, now) = (self.saved.network.spec().grid(), spec.grid());
        if (before.step_ms() - now.step_ms()).abs() > 1e-9 * now.step_ms() {
            note(&format!(
                "a step lasts {:.3} ms and lasted {:.3} ms when {} was trained: time constants that it learned, and those \
                 that the network says in steps, are of other times now",
                now.step_ms(),
                before.step_ms(),
                self.file
            ));
        }
    }

    /// Says so where neurons are others than those that learned.
    fn say_which_neurons_differ(&self, fresh: &Network) {
        let (before, now) = (self.saved.network.spec(), fresh.spec());
        let of = |spec: &NetworkSpec, layer: usize| {
            let settings = spec.settings();
            let own = settings.layers[layer].neuron.clone();
            own.unwrap_or_else(|| settings.neuron.clone())
        };
        let layers = 0..before.depth().min(now.depth());
        let others = layers.filter(|&layer| of(before, layer) != of(now, layer));
        let others: Vec<String> = others.map(|layer| (layer + 1).to_string()).collect();
        if !others.is_empty() {
            note(&format!(
                "neurons of layer {} are others than those of {}, or set otherwise: what these learned may mean something \
                 else",
                others.join(" and "),
                self.file
            ));
        }
    }

    /// The fresh network with its weights.
    pub(super) fn start(&self, fresh: Network, data: &Dataset) -> Result<Network, Failure> {
        self.say_which_neurons_differ(&fresh);
        let (names, before) = (data.class_names(), &self.saved.class_names);
        let is_named = !before.is_empty();
        let place = |(class, name): (usize, &String)| match is_named {
            true => before.iter().position(|known| known == name),
            // Nobody knows their names: they are what they were.
            false => Some(class).filter(|&class| class < self.saved.network.spec().classes()),
        };
        let known = names.iter().enumerate().map(place);
        let known: Vec<Option<ClassId>> = known
            .map(|class| class.map(|class| ClassId(class as u16)))
            .collect();
        let in_place = |(class, known): (usize, &Option<ClassId>)| {
            known.is_some_and(|known| known.index() == class)
        };
        let has_weights = fresh.spec().settings().readout.model.has_weights();
        if !has_weights && !known.iter().enumerate().all(in_place) {
            return Err(Failure::bad(format!(
                "the readout has no weights, so classes are units of the last layer: the data needs the classes of {}, in \
                 their order",
                self.file
            )));
        }
        let new: Vec<&str> = names
            .iter()
            .zip(&known)
            .filter(|(_, known)| known.is_none())
            .map(|(name, _)| name.as_str())
            .collect();
        if !is_named {
            note(&format!(
                "{} does not name its classes, so they were matched with those of the data by number: {} of {} are new",
                self.file,
                match new.len() {
                    0 => "none".to_string(),
                    some => some.to_string(),
                },
                names.len()
            ));
        } else if !new.is_empty() {
            note(&format!(
                "classes that {} did not know begin anew: {}",
                self.file,
                new.join(", ")
            ));
        }
        fresh
            .starting_from(&self.saved.network, &known)
            .map_err(|error| Failure::bad(format!("{} cannot be begun with: {error}", self.file)))
    }
}
