//! What of a suite is done, under way and still to do.
//!
//! In: groups with their results, and how pieces of work end. Out: the next piece of work, and how much is left.

use super::cost::Costs;
use super::{Group, GroupResults, SuiteError, SuiteFolder};
use crate::train::Checkpoint;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    Waiting,
    UnderWay,
    Done,
    Failed,
}

impl Work {
    pub fn is_over(self) -> bool {
        matches!(self, Work::Done | Work::Failed)
    }

    fn unless(done: bool) -> Self {
        match done {
            true => Work::Done,
            false => Work::Waiting,
        }
    }
}

/// A piece of work of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Piece {
    Controls,
    Pretrain,
    /// An experiment, by its place.
    Cell(usize),
}

/// How far a group is.
pub(super) struct GroupProgress {
    pub controls: Work,
    pub pretrain: Work,
    pub network: Option<Checkpoint>,
    pub results: GroupResults,
    /// By the group's cells.
    pub cells: Vec<Work>,
}

impl GroupProgress {
    /// What a folder has of a group.
    pub fn in_folder(folder: &SuiteFolder, group: &Group) -> Result<Self, SuiteError> {
        let results = folder.results(&group.id)?;
        // Without the network that its experiments begin from a group can't be gone on with: it is made
        // again.
        let pretrained = results.pretrained.as_ref();
        let serves = pretrained.is_some_and(|pretrained| pretrained.serves(&group.cells[0]));
        let finished = group.cells.iter().map(|cell| results.of(cell).is_some());
        let cells: Vec<Work> = finished.map(Work::unless).collect();
        let all_done = serves && cells.iter().all(|&cell| cell == Work::Done);
        let network = match serves && !all_done {
            true => folder.pretrained(&group.id)?,
            false => None,
        };
        let wanted = folder.manifest().suite.wants_controls(group.id.protocol);
        Ok(GroupProgress {
            controls: Work::unless(!wanted || results.controls.is_some()),
            pretrain: Work::unless(network.is_some() || all_done),
            network,
            results,
            cells,
        })
    }

    /// Notes how far a piece of work is; after the last experiment the network is not needed any more, and where there
    /// can be none no experiment can be run.
    pub fn set(&mut self, piece: Piece, how: Work) {
        match piece {
            Piece::Controls => self.controls = how,
            Piece::Pretrain => self.pretrain = how,
            Piece::Cell(cell) => self.cells[cell] = how,
        }
        if self.pretrain == Work::Failed {
            let waiting = |cell: &&mut Work| **cell == Work::Waiting;
            let cells = self.cells.iter_mut().filter(waiting);
            cells.for_each(|cell| *cell = Work::Failed);
        }
        if self.cells.iter().all(|cell| cell.is_over()) {
            self.network = None;
        }
    }

    fn works(&self) -> impl Iterator<Item = Work> {
        let before = [self.controls, self.pretrain];
        before.into_iter().chain(self.cells.iter().copied())
    }
}

/// How far all groups are.
pub(super) struct State {
    pub progress: Vec<GroupProgress>,
    /// What ends the run.
    pub failure: Option<SuiteError>,
    /// What failed, with its group and place in it.
    pub failed: Vec<((usize, Piece), SuiteError)>,
    /// Seconds of work by all jobs so far, and the cost of what was done in them.
    pub spent_s: f64,
    pub spent_cost: f64,
}

impl State {
    /// Takes on the first experiment whose network is ready, with that network, else what the first group needs besides:
    /// its controls, then its network.
    pub fn take(&mut self) -> Option<(usize, Piece, Option<Box<Checkpoint>>)> {
        let groups = || self.progress.iter().enumerate();
        let ready = groups().find_map(|(group, progress)| {
            let cell = progress
                .cells
                .iter()
                .position(|&cell| cell == Work::Waiting)?;
            let network = progress.network.clone()?;
            Some((group, Piece::Cell(cell), Some(Box::new(network))))
        });
        let next = ready.or_else(|| {
            groups().find_map(
                |(group, progress)| match (progress.controls, progress.pretrain) {
                    (Work::Waiting, _) => Some((group, Piece::Controls, None)),
                    (_, Work::Waiting) => Some((group, Piece::Pretrain, None)),
                    _ => None,
                },
            )
        });
        if let Some((group, piece, _)) = next {
            self.progress[group].set(piece, Work::UnderWay);
        }
        next
    }

    /// Whether nothing is left to do, nor under way.
    pub fn is_over(&self) -> bool {
        let mut works = self.progress.iter().flat_map(GroupProgress::works);
        works.all(Work::is_over)
    }

    pub fn experiments_left(&self) -> usize {
        let works = self.progress.iter().flat_map(|progress| &progress.cells);
        works.filter(|work| !work.is_over()).count()
    }

    /// About how much work is left.
    pub fn cost_left(&self, groups: &[Group], costs: &Costs<'_>) -> f64 {
        let each = groups.iter().zip(&self.progress).map(|(group, progress)| {
            let cells = group.cells.iter().zip(&progress.cells);
            let cells = cells.filter(|(_, work)| !work.is_over());
            let cells: f64 = cells.map(|(cell, _)| costs.cell(cell)).sum();
            let before = [
                (progress.pretrain, costs.pretraining(&group.cells[0])),
                (progress.controls, costs.controls()),
            ];
            let before = before.into_iter().filter(|(work, _)| !work.is_over());
            cells + before.map(|(_, cost)| cost).sum::<f64>()
        });
        each.sum()
    }
}
