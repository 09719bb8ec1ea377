//! One task after pre-training: what is trained on, and what becomes of it.

use std::time::Instant;

use super::experiment::largest_count;
use super::latents::Store;
use super::learner::{Learner, Measured};
use super::progress::{Learned, say, tell};
use super::runner::{Runner, recordings};
use super::{Aged, ContinualError, Phase, Progress, Task};
use crate::ids::ClassId;
use crate::network::{Stage, StageInput};
use crate::replay::LearnedSamples;
use crate::train::{
    EpochFigures, Examples, JoinedExamples, PastLogits, Replayed, TaskFacts, Trainer,
    WithPastLogits,
};

impl Runner<'_> {
    /// Learns a task.
    pub(super) fn learn(
        &mut self,
        task: usize,
        learner: &mut Learner,
        measured: &mut Measured,
    ) -> Result<(), ContinualError> {
        let (experiment, dataset) = (self.experiment, self.dataset);
        let planned = &self.plan.tasks[task];
        let alone = experiment.method.head.learns_alone();
        let epochs = if alone { 1 } else { experiment.epochs };
        for source in &mut learner.sources {
            source.task_begins(&mut learner.memory_stream)?;
        }
        let store = Store {
            latents: &self.latents,
            dataset,
        };
        let classes = learner.classes_of(dataset, &planned.train, &store);
        let (head, network) = (&mut learner.head, &mut learner.network);
        head.task_begins(network, &classes, &mut learner.head_stream)?;
        say(
            self.progress,
            Progress::Task {
                phase: Phase::Learn,
                name: &planned.name,
                epochs,
            },
        )?;
        let last_task = self.plan.tasks.len() - 1;
        let mut last = None;
        if alone {
            let clock = Instant::now();
            head.learn(&self.latents.examples(dataset, planned.train.clone()))?;
            head.task_ends(network, &classes)?;
            self.time.remember_s += clock.elapsed().as_secs_f64();
        } else {
            let settings = experiment.method.slowed(experiment.learn.clone());
            let (network, stage) = (learner.network.clone(), self.latents.stage);
            let mut trainer = Trainer::with_shuffle(network, stage, settings, learner.shuffle)?
                .with_regulariser_states(&learner.regularisers)?;
            trainer.begin_task(TaskFacts::new(classes.known.clone(), classes.current()))?;
            let new = self.latents.examples(dataset, planned.train.clone());
            let with_logits = match experiment.learn.losses.objective.past_logits() {
                PastLogits::OfNew => Some(WithPastLogits::of(
                    &learner.network,
                    self.latents.stage,
                    &new,
                )?),
                _ => None,
            };
            let new: &dyn Examples = match &with_logits {
                Some(with_logits) => with_logits,
                None => &new,
            };
            for epoch in 1..=epochs {
                let training = self.epoch(&mut trainer, learner, new)?;
                let ends = epoch == epochs;
                if ends {
                    trainer.end_task()?;
                    learner.network = trainer.network().clone();
                    learner.head.task_ends(&mut learner.network, &classes)?;
                }
                let mut tested = None;
                if experiment
                    .test_every
                    .tests((task, last_task), (epoch, epochs))
                {
                    let network = if ends {
                        &learner.network
                    } else {
                        trainer.network()
                    };
                    let head = learner.head.as_ref();
                    let (found, seconds) = self.test_timed(task, network, head)?;
                    self.time.test_s += seconds;
                    tested = Some(found);
                }
                tell(
                    self.progress,
                    Phase::Learn,
                    (task, epoch),
                    Learned::Trained(training),
                    tested.as_ref(),
                )?;
                last = tested;
            }
            self.time.learn.add(&trainer.time_spent());
            learner.shuffle = trainer.state().shuffle;
            learner.regularisers = trainer.into_parts().1;
        }
        if alone && experiment.test_every.tests((task, last_task), (1, 1)) {
            let tested = self.test(task, &learner.network, learner.head.as_ref())?;
            let samples = planned.train.len();
            tell(
                self.progress,
                Phase::Learn,
                (task, 1),
                Learned::Alone { samples },
                Some(&tested),
            )?;
            last = Some(tested);
        }
        learner.known.extend(classes.current());
        let replayed = planned.replays.iter().flatten();
        let learned_on = planned.train.iter().chain(replayed).copied();
        learner.trained_on = recordings(dataset, learned_on).union(&learner.trained_on);
        self.remember(planned, learner)?;
        measured.tasks_done = task;
        if let Some(tested) = last {
            measured.matrix.push(tested.tasks);
            measured.measured_after.push(task);
            (measured.last, measured.confusion_last) = (tested.accuracy, tested.confusion);
        }
        Ok(())
    }

    /// An epoch over new samples and replays: mixed, or batch by batch in their order.
    fn epoch(
        &self,
        trainer: &mut Trainer,
        learner: &Learner,
        new: &dyn Examples,
    ) -> Result<EpochFigures, ContinualError> {
        let store = Store {
            latents: &self.latents,
            dataset: self.dataset,
        };
        let method = &self.experiment.method;
        let sources = learner.sources.iter();
        let replays: Vec<_> = sources.map(|source| source.replays(&store)).collect();
        // Where the layers below are slowed, new samples enter at the bottom, and what is kept above.
        let kept_at = method.kept_at(learner.network.spec())?;
        let kept_at = kept_at.filter(|_| method.rate_below > 0.0 && !method.is_ceiling());
        let replays: Vec<Replayed<'_>> = replays
            .iter()
            .map(|replays| match kept_at {
                Some(index) => Replayed::new(&**replays).entering(Stage::Learning(index)),
                None => Replayed::new(&**replays),
            })
            .collect();
        let mut parts: Vec<&dyn Examples> = vec![new];
        for replays in &replays {
            parts.push(replays);
        }
        let joined = JoinedExamples::new(parts.clone());
        if !self.plan.fixed_batches {
            return Ok(trainer.epoch_mixed(&joined, &method.mixing)?);
        }
        let order: Vec<usize> = (0..joined.len()).collect();
        let sources: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        let batches = super::published_epoch(&sources).into_iter();
        let batches: Vec<&[usize]> = batches.map(|batch| &order[batch]).collect();
        Ok(trainer.epoch_of_batches(&joined, &batches)?)
    }

    /// Offers a task's samples to the replay sources.
    pub(super) fn remember(
        &mut self,
        task: &Task,
        learner: &mut Learner,
    ) -> Result<(), ContinualError> {
        let clock = Instant::now();
        let (dataset, latents) = (self.dataset, &self.latents);
        let kept_at = self.experiment.method.kept_at(learner.network.spec())?;
        let frozen = latents.frozen_at(&learner.network, kept_at)?;
        let offered = task.replays.as_ref().unwrap_or(&task.train);
        let classes = offered.iter().map(|&index| dataset.sample(index).class);
        let classes: Vec<ClassId> = classes.collect();
        let sample = |place: usize| latents.input(frozen.as_ref(), dataset, offered[place]);
        // What is kept enters there, also where the layers below learn on.
        let above = learner
            .network
            .prepare(kept_at.map_or(Stage::Whole, Stage::Learning));
        let logits = |kept: &StageInput<'_>| {
            let logits = above.logits(std::slice::from_ref(kept))?;
            Ok(logits.row(0).to_vec())
        };
        let learned = LearnedSamples {
            indices: offered,
            classes: &classes,
            sample: &sample,
            logits: &logits,
            largest_count: largest_count(dataset, offered.iter().copied()),
            is_fixed: task.replays.is_some(),
        };
        for source in &mut learner.sources {
            source.task_ended(&learned, &mut learner.memory_stream)?;
        }
        self.time.remember_s += clock.elapsed().as_secs_f64();
        Ok(())
    }

    /// How much what is kept differs from what the network makes of the same samples now.
    pub(super) fn aged(&self, learner: &Learner) -> Result<Option<Aged>, ContinualError> {
        let method = &self.experiment.method;
        let kept_at = method.kept_at(learner.network.spec())?;
        let frozen = self.latents.frozen_at(&learner.network, kept_at)?;
        let Some(frozen) = frozen.filter(|_| method.rate_below > 0.0) else {
            return Ok(None);
        };
        let (mut samples, mut differing, mut set) = (0, 0, 0);
        for source in &learner.sources {
            let Some(memory) = source.memory() else {
                continue;
            };
            for (place, held) in source.held().into_iter().enumerate() {
                let Some(index) = held else {
                    continue;
                };
                let fresh = self.latents.input(Some(&frozen), self.dataset, index)?;
                let (apart, either) = memory.difference(place, &fresh)?;
                samples += 1;
                differing += apart;
                set += either;
            }
        }
        Ok((samples > 0).then(|| Aged {
            samples,
            differing: differing as f64 / (set as f64).max(1.0),
        }))
    }
}
