//! Runs what is left to do of a suite, several experiments at a time.
//!
//! In: groups of experiments and a folder. Out: results in the folder, and news of each piece of work.
//! A piece of work is a pre-training, an experiment or the controls of a group; each job takes the first that is ready.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::{Condvar, Mutex};
use std::time::Instant;

use super::controls::controls_of;
use super::cost::Costs;
use super::work::{GroupProgress, Piece, State, Work};
use super::{
    CellResult, Curve, Group, GroupId, Pretrained, SuiteError, SuiteFolder, TimeLine, cell_name,
};
use crate::continual::{
    ContinualError, EpochRecord, Phase, Progress, Start, TestSamples, pretrain,
    run as run_experiment,
};
use crate::dataset::Dataset;
use crate::ids::SampleIndex;
use crate::network::{Network, NetworkSpec};
use crate::train::{Checkpoint, DatasetExamples, spiking_activity};

/// News of a suite.
#[derive(Debug)]
#[non_exhaustive]
pub enum SuiteNews<'a> {
    /// Before the first piece of work: how many experiments there are, and how many of them were done
    /// before.
    Begun {
        /// Experiments in all.
        all: usize,
        /// Those whose results are there.
        done: usize,
    },
    /// A piece of work is over.
    Done {
        /// Of which group.
        group: GroupId,
        /// Which, and what it came to.
        piece: SuitePiece<'a>,
        /// How long it took, in seconds.
        seconds: f64,
        /// Experiments that are left.
        left: usize,
        /// How long they will take, in seconds, going by what was done so far.
        left_s: f64,
    },
    /// An experiment failed; the others go on.
    Failed(&'a SuiteError),
}

/// A piece of work that is over.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum SuitePiece<'a> {
    /// The group's controls.
    Controls,
    /// The network that the group's experiments begin from.
    Pretraining,
    /// An experiment, and what it came to.
    Experiment(&'a CellResult),
}

impl fmt::Display for SuitePiece<'_> {
    /// As it stands in `times.jsonl`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SuitePiece::Controls => f.write_str("controls"),
            SuitePiece::Pretraining => f.write_str("pre-training"),
            SuitePiece::Experiment(result) => f.write_str(&cell_name(&result.experiment)),
        }
    }
}

/// Runs whatever the folder has no result of.
///
/// `jobs` pieces of work run at a time, each on so many threads; neither changes any result. News goes
/// to `news` as it comes. An experiment that fails, such as one whose training diverges, does not stop
/// the others; those that failed are what is returned, in the order of the plan.
///
/// # Errors
/// [`SuiteError`] if the folder can't be read or written; what was done before is kept.
pub fn run_suite(
    folder: &SuiteFolder,
    groups: &[Group],
    data: &Dataset,
    jobs: usize,
    threads_each: usize,
    news: &(dyn Fn(SuiteNews<'_>) + Sync),
) -> Result<Vec<SuiteError>, SuiteError> {
    let spec = &folder.manifest().spec;
    let progress = groups
        .iter()
        .map(|group| GroupProgress::in_folder(folder, group));
    let progress = progress.collect::<Result<Vec<_>, SuiteError>>()?;
    let crew = Crew {
        folder,
        groups,
        data,
        spec,
        jobs,
        news,
        state: Mutex::new(State {
            progress,
            failure: None,
            failed: Vec::new(),
            spent_s: 0.0,
            spent_cost: 0.0,
        }),
        changed: Condvar::new(),
    };
    crew.begin();
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            let job = std::thread::Builder::new().spawn_scoped(scope, || {
                let pool = rayon::ThreadPoolBuilder::new()
                    .num_threads(threads_each)
                    .build();
                match pool {
                    Ok(pool) => pool.install(|| crew.work()),
                    Err(error) => crew.fail(SuiteError::Threads(error.to_string())),
                }
            });
            if let Err(error) = job {
                crew.fail(SuiteError::Threads(error.to_string()));
                break;
            }
        }
    });
    // The jobs are over, and none panicked while holding the lock, or the scope would have panicked.
    let mut state = crew.state.into_inner().expect("not poisoned");
    match state.failure {
        Some(error) => Err(error),
        None => {
            state.failed.sort_by_key(|(place, _)| *place);
            Ok(state.failed.into_iter().map(|(_, error)| error).collect())
        }
    }
}

struct Crew<'a> {
    folder: &'a SuiteFolder,
    groups: &'a [Group],
    data: &'a Dataset,
    spec: &'a NetworkSpec,
    jobs: usize,
    news: &'a (dyn Fn(SuiteNews<'_>) + Sync),
    state: Mutex<State>,
    changed: Condvar,
}

impl Crew<'_> {
    fn begin(&self) {
        let state = self.lock();
        let all: usize = self.groups.iter().map(|group| group.cells.len()).sum();
        let done = all - state.experiments_left();
        (self.news)(SuiteNews::Begun { all, done });
    }

    fn costs(&self) -> Costs<'_> {
        Costs {
            data: self.data,
            spec: self.spec,
        }
    }

    /// Nobody panics while holding the lock.
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("not poisoned")
    }

    fn fail(&self, error: SuiteError) {
        let mut state = self.lock();
        state.failure.get_or_insert(error);
        self.changed.notify_all();
    }

    /// Leaves a piece of work as failed, and all that would begin from a network that it was to make.
    fn give_up(&self, (group, piece): (usize, Piece), error: SuiteError) {
        let mut state = self.lock();
        state.progress[group].set(piece, Work::Failed);
        (self.news)(SuiteNews::Failed(&error));
        state.failed.push(((group, piece), error));
        self.changed.notify_all();
    }

    fn work(&self) {
        let _guard = Guard(self);
        while let Some((group, piece, network)) = self.take() {
            let clock = Instant::now();
            let done = match (piece, network) {
                (Piece::Cell(cell), Some(network)) => self.learn((group, cell), *network, clock),
                (Piece::Controls, _) => self.control(group, clock),
                // An experiment comes with its network.
                (Piece::Pretrain | Piece::Cell(_), _) => self.pretrain(group, clock),
            };
            match done {
                Err(
                    error @ (SuiteError::Cell { .. }
                    | SuiteError::Pretraining { .. }
                    | SuiteError::Controls { .. }),
                ) => {
                    self.give_up((group, piece), error);
                }
                Err(error) => self.fail(error),
                Ok(()) => {}
            }
        }
    }

    /// The next piece of work; waits while there is none but may be soon.
    fn take(&self) -> Option<(usize, Piece, Option<Box<Checkpoint>>)> {
        let mut state = self.lock();
        loop {
            if state.failure.is_some() || state.is_over() {
                return None;
            }
            if let Some(next) = state.take() {
                return Some(next);
            }
            state = self.changed.wait(state).expect("not poisoned");
        }
    }

    fn control(&self, index: usize, clock: Instant) -> Result<(), SuiteError> {
        let group = &self.groups[index];
        let controls = controls_of(self.spec, self.data, &group.id);
        let controls = controls.map_err(|source| SuiteError::Controls {
            group: group.id.to_string(),
            source: Box::new(source),
        })?;
        let mut state = self.lock();
        let progress = &mut state.progress[index];
        progress.results.controls = Some(controls);
        self.folder.write_results(group, &progress.results)?;
        progress.set(Piece::Controls, Work::Done);
        let cost = self.costs().controls();
        self.tell(state, &group.id, SuitePiece::Controls, clock, cost)
    }

    fn pretrain(&self, index: usize, clock: Instant) -> Result<(), SuiteError> {
        let group = &self.groups[index];
        // Any cell will do: they share all that pre-training depends on.
        let experiment = &group.cells[0];
        let failed = |source| SuiteError::Pretraining {
            group: group.id.to_string(),
            source: Box::new(source),
        };
        // Whatever is known of another network must be gone before this one lies there.
        let mut state = self.lock();
        let results = &mut state.progress[index].results;
        if results.pretrained.take().is_some() {
            self.folder.write_results(group, results)?;
        }
        drop(state);
        let fresh = Network::new(self.spec.clone(), experiment.seed);
        let (mut curve, mut train, mut test) = (Curve::default(), 0, Vec::new());
        let (mut epochs, mut measured_after) = (0, Vec::new());
        let mut test_samples = None;
        let network = pretrain(experiment, self.data, fresh, &mut |progress| {
            match progress {
                Progress::Planned(plan) => {
                    train = plan.tasks[0].train.len();
                    test = plan.test_all();
                    test_samples = Some(TestSamples::of(plan));
                }
                Progress::Epoch(epoch) => {
                    epochs = epoch.epoch;
                    if let Some(tested) = epoch.accuracy {
                        measured_after.push(epoch.epoch);
                        curve.push(tested);
                    }
                }
                _ => {}
            }
            self.go_on()
        });
        let network = match network {
            Err(ContinualError::BrokenOff) => return Ok(()),
            network => network.map_err(failed)?,
        };
        let activity = self.activity(&network.network, &test).map_err(failed)?;
        let training = experiment
            .pretrain
            .clone()
            .ok_or(ContinualError::NoPretraining);
        let training = training.map_err(failed)?;
        self.folder.write_pretrained(&group.id, &network)?;
        let mut state = self.lock();
        let progress = &mut state.progress[index];
        progress.results.pretrained = Some(Pretrained {
            build: Some(crate::BUILD.to_string()),
            epochs,
            training,
            train,
            test: test.len(),
            test_samples,
            measured_after: {
                let every: Vec<usize> = (1..=epochs).collect();
                Some(measured_after).filter(|after| *after != every)
            },
            curve,
            activity,
        });
        self.folder.write_results(group, &progress.results)?;
        progress.network = Some(network);
        progress.set(Piece::Pretrain, Work::Done);
        let cost = self.costs().pretraining(experiment);
        self.tell(state, &group.id, SuitePiece::Pretraining, clock, cost)
    }

    fn learn(
        &self,
        (index, cell): (usize, usize),
        network: Checkpoint,
        clock: Instant,
    ) -> Result<(), SuiteError> {
        let group = &self.groups[index];
        let experiment = &group.cells[cell];
        let mut epochs: Vec<EpochRecord> = Vec::new();
        let mut test = Vec::new();
        let start = Start::Pretrained(Box::new(network));
        let outcome = run_experiment(experiment, self.data, start, &mut |progress| {
            match progress {
                Progress::Planned(plan) => test = plan.test_all(),
                Progress::Epoch(epoch) if epoch.phase == Phase::Learn => epochs.push(epoch.clone()),
                _ => {}
            }
            self.go_on()
        });
        let outcome = match outcome {
            Err(ContinualError::BrokenOff) => return Ok(()),
            outcome => outcome.map_err(|source| SuiteError::in_cell(experiment, source))?,
        };
        let activity = self.activity(&outcome.learned.network, &test);
        let activity = activity.map_err(|source| SuiteError::in_cell(experiment, source))?;
        let result = CellResult::new(experiment, &outcome, &epochs, activity);
        let mut state = self.lock();
        let progress = &mut state.progress[index];
        progress.results.cells.push(result.clone());
        self.folder.write_results(group, &progress.results)?;
        progress.set(Piece::Cell(cell), Work::Done);
        let cost = self.costs().cell(experiment);
        let piece = SuitePiece::Experiment(&result);
        self.tell(state, &group.id, piece, clock, cost)
    }

    /// Whether a run should go on: not if another has failed.
    fn go_on(&self) -> ControlFlow<()> {
        match self.lock().failure {
            Some(_) => ControlFlow::Break(()),
            None => ControlFlow::Continue(()),
        }
    }

    fn activity(
        &self,
        network: &Network,
        test: &[SampleIndex],
    ) -> Result<Vec<f64>, ContinualError> {
        let mut once = test.to_vec();
        once.sort_unstable();
        once.dedup();
        let examples = DatasetExamples::new(self.data, once);
        Ok(spiking_activity(network, &examples)?)
    }

    fn tell(
        &self,
        mut state: std::sync::MutexGuard<'_, State>,
        group: &GroupId,
        piece: SuitePiece<'_>,
        clock: Instant,
        cost: f64,
    ) -> Result<(), SuiteError> {
        let seconds = clock.elapsed().as_secs_f64();
        state.spent_s += seconds;
        state.spent_cost += cost;
        let pace = state.spent_s / state.spent_cost;
        let waiting = state.cost_left(self.groups, &self.costs());
        // Rounding may leave less than nothing.
        let left_s = (waiting * pace / self.jobs as f64).max(0.0);
        let left = state.experiments_left();
        drop(state);
        self.changed.notify_all();
        self.folder.add_time(&TimeLine {
            group: group.to_string(),
            cell: piece.to_string(),
            seconds,
            jobs: self.jobs,
        })?;
        (self.news)(SuiteNews::Done {
            group: group.clone(),
            piece,
            seconds,
            left,
            left_s,
        });
        Ok(())
    }
}

/// Tells the other jobs if one panics, so that they do not wait for what it had taken on.
struct Guard<'a>(&'a Crew<'a>);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0
                .fail(SuiteError::Threads("one of them panicked".into()));
        }
    }
}
