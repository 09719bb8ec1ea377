//! The note of a replay memory: all of it but its words.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::ClassId;
use crate::replay::{CodecSettings, Kept, PolicySettings, PolicyState, ReplayError, StoredShape};

/// 2: window counts are packed bit by bit of all units, not unit by unit.
pub(crate) const VERSION: u32 = 2;

/// The note.
#[derive(Serialize, Deserialize)]
pub(crate) struct MemoryNote {
    pub format: u32,
    pub shape: ShapeNote,
    pub policy: PolicySettings,
    pub capacity: usize,
    pub state: StateNote,
    pub samples: usize,
}

/// What is kept of each sample.
#[derive(Serialize, Deserialize)]
pub(crate) struct ShapeNote {
    kept: KeptNote,
    codec: CodecSettings,
    steps: usize,
    units: usize,
    #[serde(default, skip_serializing_if = "is_zero")]
    logits: usize,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    notes_tasks: bool,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum KeptNote {
    Spikes,
    Currents,
    Inputs { bits: u32 },
}

/// What the policy remembers.
#[derive(Serialize, Deserialize)]
pub(crate) struct StateNote {
    groups: u64,
    offered: u64,
    offered_of_class: BTreeMap<ClassId, u64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    lists: BTreeMap<String, Vec<u32>>,
}

impl MemoryNote {
    /// Refuses a version that is not read.
    pub fn check_version(&self) -> Result<(), String> {
        match self.format {
            VERSION => Ok(()),
            found => Err(format!(
                "it has format {found}, and this version reads {VERSION}"
            )),
        }
    }
}

impl From<StoredShape> for ShapeNote {
    fn from(shape: StoredShape) -> Self {
        ShapeNote {
            kept: match shape.kept() {
                Kept::Spikes => KeptNote::Spikes,
                Kept::Currents => KeptNote::Currents,
                Kept::Inputs { bits } => KeptNote::Inputs { bits },
            },
            codec: shape.codec().clone(),
            steps: shape.steps(),
            units: shape.units(),
            logits: shape.logits(),
            notes_tasks: shape.notes_tasks(),
        }
    }
}

impl TryFrom<ShapeNote> for StoredShape {
    type Error = ReplayError;

    fn try_from(note: ShapeNote) -> Result<Self, ReplayError> {
        let kept = match note.kept {
            KeptNote::Spikes => Kept::Spikes,
            KeptNote::Currents => Kept::Currents,
            KeptNote::Inputs { bits } => Kept::Inputs { bits },
        };
        let shape = StoredShape::new(kept, note.codec, note.steps, note.units)?;
        Ok(shape
            .with_logits(note.logits)
            .noting_tasks(note.notes_tasks))
    }
}

impl From<PolicyState> for StateNote {
    fn from(state: PolicyState) -> Self {
        StateNote {
            groups: state.groups,
            offered: state.offered,
            offered_of_class: state.offered_of_class,
            lists: state.lists,
        }
    }
}

impl From<StateNote> for PolicyState {
    fn from(note: StateNote) -> Self {
        PolicyState {
            groups: note.groups,
            offered: note.offered,
            offered_of_class: note.offered_of_class,
            lists: note.lists,
        }
    }
}
