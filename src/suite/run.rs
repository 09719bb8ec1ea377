//! Runs what is left to do of a suite, several experiments at a time.
//!
//! In: groups of experiments and a folder. Out: results in the folder, and news of each piece of work.
//! A piece of work is a pre-training or an experiment; each job takes the first that is ready.

use std::ops::ControlFlow;
use std::sync::{Condvar, Mutex};
use std::time::Instant;

use super::cost::Costs;
use super::{
    CellResult, Curve, Group, GroupResults, Pretrained, SuiteError, SuiteFolder, TimeLine,
};
use super::{GroupId, cell_name};
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
        /// What it came to; `None` for pre-training.
        result: Option<&'a CellResult>,
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
    let progress = groups.iter().map(|group| {
        let results = folder.results(&group.id)?;
        // Without the network that its experiments begin from a group can't be gone on with: it is made
        // again.
        let pretrained = results.pretrained.as_ref();
        let serves = pretrained.is_some_and(|pretrained| pretrained.serves(&group.cells[0]));
        let finished = group.cells.iter().map(|cell| results.of(cell).is_some());
        let cells = finished.map(|done| if done { Work::Done } else { Work::Waiting });
        let cells: Vec<Work> = cells.collect();
        let all_done = serves && cells.iter().all(|&cell| cell == Work::Done);
        let network = match serves && !all_done {
            true => folder.pretrained(&group.id)?,
            false => None,
        };
        Ok(GroupProgress {
            pretrain: match network.is_some() || all_done {
                true => Work::Done,
                false => Work::Waiting,
            },
            network,
            results,
            cells,
        })
    });
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Waiting,
    UnderWay,
    Done,
    Failed,
}

impl Work {
    fn is_over(self) -> bool {
        matches!(self, Work::Done | Work::Failed)
    }
}

struct GroupProgress {
    pretrain: Work,
    network: Option<Checkpoint>,
    results: GroupResults,
    /// By the group's cells.
    cells: Vec<Work>,
}

impl GroupProgress {
    /// Notes how an experiment ended; after the last the network is not needed any more.
    fn end(&mut self, cell: usize, how: Work) {
        self.cells[cell] = how;
        if self.cells.iter().all(|cell| cell.is_over()) {
            self.network = None;
        }
    }
}

struct State {
    progress: Vec<GroupProgress>,
    /// What ends the run.
    failure: Option<SuiteError>,
    /// Experiments that failed, with their group and place in it.
    failed: Vec<((usize, usize), SuiteError)>,
    /// Seconds of work by all jobs so far, and the cost of what was done in them.
    spent_s: f64,
    spent_cost: f64,
}

/// What a job takes on.
enum Piece {
    Pretrain(usize),
    Cell(usize, usize, Box<Checkpoint>),
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
        let done = all - experiments_left(&state);
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

    /// Leaves an experiment, or all that would begin from a network, as failed.
    fn give_up(&self, (group, cell): (usize, Option<usize>), error: SuiteError) {
        let mut state = self.lock();
        let progress = &mut state.progress[group];
        match cell {
            Some(cell) => progress.end(cell, Work::Failed),
            None => {
                progress.pretrain = Work::Failed;
                let waiting = |cell: &&mut Work| **cell == Work::Waiting;
                let cells = progress.cells.iter_mut().filter(waiting);
                cells.for_each(|cell| *cell = Work::Failed);
            }
        }
        (self.news)(SuiteNews::Failed(&error));
        state.failed.push(((group, cell.unwrap_or(0)), error));
        self.changed.notify_all();
    }

    fn work(&self) {
        let _guard = Guard(self);
        while let Some(piece) = self.take() {
            let clock = Instant::now();
            let place = match piece {
                Piece::Pretrain(group) => (group, None),
                Piece::Cell(group, cell, _) => (group, Some(cell)),
            };
            let done = match piece {
                Piece::Pretrain(group) => self.pretrain(group, clock),
                Piece::Cell(group, cell, network) => self.learn(group, cell, *network, clock),
            };
            match done {
                Err(error @ (SuiteError::Cell { .. } | SuiteError::Pretraining { .. })) => {
                    self.give_up(place, error);
                }
                Err(error) => self.fail(error),
                Ok(()) => {}
            }
        }
    }

    /// The first experiment whose network is ready, else the first group without a network; waits
    /// while there is neither but may be soon.
    fn take(&self) -> Option<Piece> {
        let mut state = self.lock();
        loop {
            if state.failure.is_some() || pieces_left(&state) == 0 {
                return None;
            }
            let ready = state
                .progress
                .iter()
                .enumerate()
                .find_map(|(group, progress)| {
                    let waiting =
                        |cells: &[Work]| cells.iter().position(|&cell| cell == Work::Waiting);
                    let cell = waiting(&progress.cells)?;
                    (progress.network.is_some()).then_some((group, cell))
                });
            if let Some((group, cell)) = ready {
                let progress = &mut state.progress[group];
                progress.cells[cell] = Work::UnderWay;
                let network = progress.network.clone().expect("just found");
                return Some(Piece::Cell(group, cell, Box::new(network)));
            }
            let next = state
                .progress
                .iter()
                .position(|progress| progress.pretrain == Work::Waiting);
            if let Some(group) = next {
                state.progress[group].pretrain = Work::UnderWay;
                return Some(Piece::Pretrain(group));
            }
            state = self.changed.wait(state).expect("not poisoned");
        }
    }

    fn pretrain(&self, index: usize, clock: Instant) -> Result<(), SuiteError> {
        let group = &self.groups[index];
        // Any cell will do: they share all that pre-training depends on.
        let experiment = &group.cells[0];
        let failed = |source| SuiteError::Pretraining {
            group: group.id.to_string(),
            source,
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
        let mut test_samples = None;
        let network = pretrain(experiment, self.data, fresh, &mut |progress| {
            match progress {
                Progress::Planned(plan) => {
                    train = plan.tasks[0].train.len();
                    test = plan.test_all();
                    test_samples = Some(TestSamples::of(plan));
                }
                Progress::Epoch(epoch) => epoch
                    .accuracy
                    .into_iter()
                    .for_each(|tested| curve.push(tested)),
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
            epochs: curve.len(),
            training,
            train,
            test: test.len(),
            test_samples,
            curve,
            activity,
        });
        self.folder.write_results(group, &progress.results)?;
        progress.pretrain = Work::Done;
        progress.network = Some(network);
        let cost = self.costs().pretraining(experiment);
        self.tell(state, &group.id, "pre-training", None, clock, cost)
    }

    fn learn(
        &self,
        index: usize,
        cell: usize,
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
        progress.end(cell, Work::Done);
        let cost = self.costs().cell(experiment);
        let name = cell_name(experiment);
        self.tell(state, &group.id, &name, Some(&result), clock, cost)
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
        cell: &str,
        result: Option<&CellResult>,
        clock: Instant,
        cost: f64,
    ) -> Result<(), SuiteError> {
        let seconds = clock.elapsed().as_secs_f64();
        state.spent_s += seconds;
        state.spent_cost += cost;
        let pace = state.spent_s / state.spent_cost;
        let waiting = self
            .groups
            .iter()
            .zip(&state.progress)
            .map(|(group, progress)| {
                let cells = group.cells.iter().zip(&progress.cells);
                let cells = cells.filter(|(_, work)| !work.is_over());
                let cells: f64 = cells.map(|(cell, _)| self.costs().cell(cell)).sum();
                match progress.pretrain {
                    over if over.is_over() => cells,
                    _ => cells + self.costs().pretraining(&group.cells[0]),
                }
            });
        // Rounding may leave less than nothing.
        let left_s = (waiting.sum::<f64>() * pace / self.jobs as f64).max(0.0);
        let left = experiments_left(&state);
        drop(state);
        self.changed.notify_all();
        self.folder.add_time(&TimeLine {
            group: group.to_string(),
            cell: cell.to_string(),
            seconds,
            jobs: self.jobs,
        })?;
        (self.news)(SuiteNews::Done {
            group: group.clone(),
            result,
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

fn experiments_left(state: &State) -> usize {
    let works = state.progress.iter().flat_map(|progress| &progress.cells);
    works.filter(|work| !work.is_over()).count()
}

/// Experiments and pre-trainings.
fn pieces_left(state: &State) -> usize {
    let works = state
        .progress
        .iter()
        .flat_map(|progress| std::iter::once(&progress.pretrain).chain(&progress.cells));
    works.filter(|work| !work.is_over()).count()
}
