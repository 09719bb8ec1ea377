use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Instant;

use super::{Halving, SearchFolder, SearchSettings, TrialName, TrialResult, TuneError};
use crate::dataset::Dataset;
use crate::network::Network;
use crate::random::MasterSeed;
use crate::recipe::Recipe;
use crate::spikes::InputFormat;
use crate::train::{TrainError, TrainingRun};

/// A search on a dataset, which keeps its events.
pub struct Search<'a> {
    settings: &'a SearchSettings,
    data: &'a Dataset,
    /// The data as networks of trials read it.
    formats: RefCell<Vec<(InputFormat, Rc<Dataset>)>>,
}

/// A round: recipes that are trained for the same number of epochs.
#[derive(Debug, Clone, PartialEq)]
pub struct Round {
    /// Epochs of each.
    pub epochs: usize,
    /// Every recipe of the round, the best first.
    pub standings: Vec<Standing>,
}

/// How good a recipe was in a round.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Which recipe, 0 first.
    pub trial: usize,
    /// The mean over seeds of accuracy on validation samples; none if one of them went wrong.
    pub score: Option<f64>,
    /// A result for each seed.
    pub results: Vec<TrialResult>,
}

/// What a search tells while it is under way.
#[derive(Debug)]
#[non_exhaustive]
pub enum SearchNews<'a> {
    /// So many trainings begin, of so many epochs each, those that are there already included.
    Round {
        /// Which, 0 first.
        round: usize,
        /// Trainings.
        trainings: usize,
        /// Epochs of each.
        epochs: usize,
    },
    /// A training is over, or was there already.
    Trained(&'a TrialResult),
}

impl<'a> Search<'a> {
    /// A search on data that was read with events for the recipe's own network.
    pub fn new(settings: &'a SearchSettings, data: &'a Dataset) -> Self {
        Search {
            settings,
            data,
            formats: RefCell::default(),
        }
    }

    /// Epochs of each round, one at least.
    pub fn rounds(&self) -> Vec<usize> {
        let last = self.settings.base.plan.epochs;
        let Some(Halving {
            first_epochs,
            factor,
        }) = self.settings.halving
        else {
            return vec![last];
        };
        let rungs = std::iter::successors(Some(first_epochs), |epochs| epochs.checked_mul(factor));
        let mut rounds: Vec<usize> = rungs.take_while(|&epochs| epochs < last).collect();
        rounds.push(last);
        rounds
    }

    /// Does every training that the folder has no result of, and gives all rounds.
    ///
    /// # Errors
    /// [`TuneError::NothingWorked`] if no recipe of a round did; what went wrong with single ones is in their results.
    pub fn run(
        &self,
        folder: &SearchFolder,
        mut news: impl FnMut(&SearchNews<'_>),
    ) -> Result<Vec<Round>, TuneError> {
        let mut trials: Vec<usize> = (0..self.settings.trials).collect();
        let mut rounds = Vec::new();
        let epochs_of_rounds = self.rounds();
        let last = epochs_of_rounds.len() - 1;
        for (round, epochs) in epochs_of_rounds.into_iter().enumerate() {
            // One alone has nobody to be better than.
            if trials.len() == 1 && 0 < round && round < last {
                continue;
            }
            news(&SearchNews::Round {
                round,
                trainings: trials.len() * self.settings.seeds.len(),
                epochs,
            });
            let mut standings = Vec::with_capacity(trials.len());
            for &trial in &trials {
                let mut results = Vec::new();
                for &seed in &self.settings.seeds {
                    let name = TrialName { round, trial, seed };
                    let result = match folder.result(name)? {
                        Some(result) => result,
                        None => {
                            let result = self.train(name, epochs);
                            folder.add(&result)?;
                            result
                        }
                    };
                    news(&SearchNews::Trained(&result));
                    results.push(result);
                }
                standings.push(Standing {
                    trial,
                    score: mean(&results),
                    results,
                });
            }
            standings.sort_by(|one, other| {
                let score = |standing: &Standing| standing.score.unwrap_or(f64::NEG_INFINITY);
                let by_score = score(other).total_cmp(&score(one));
                by_score.then(one.trial.cmp(&other.trial))
            });
            let scored = standings
                .iter()
                .filter(|standing| standing.score.is_some())
                .count();
            if scored == 0 {
                let mut problems = standings.iter().flat_map(|standing| &standing.results);
                let first = problems.find_map(|result| result.problem.clone());
                return Err(TuneError::NothingWorked(first.unwrap_or_default()));
            }
            let factor = self.settings.halving.map_or(1, |halving| halving.factor);
            let go_on = trials.len().div_ceil(factor).min(scored);
            trials = standings[..go_on]
                .iter()
                .map(|standing| standing.trial)
                .collect();
            // In their order, so that what is trained next does not hang on small differences.
            trials.sort_unstable();
            rounds.push(Round { epochs, standings });
        }
        Ok(rounds)
    }

    fn train(&self, name: TrialName, epochs: usize) -> TrialResult {
        let clock = Instant::now();
        let values = self
            .settings
            .values(name.trial)
            .into_iter()
            .map(|(key, value)| {
                let value = serde_json::to_value(&value).unwrap_or_default();
                (key.to_string(), value)
            });
        let mut result = TrialResult {
            name,
            values: values.collect::<BTreeMap<_, _>>(),
            epochs,
            validated: Vec::new(),
            score: None,
            problem: None,
            seconds: 0.0,
        };
        let recipe = self.settings.recipe(name.trial);
        let trained = recipe.and_then(|recipe| {
            let trained = self.train_recipe(recipe, epochs, name.seed, &mut result.validated);
            trained.map_err(|error| error.to_string())
        });
        match trained {
            Ok(score) => result.score = Some(score),
            Err(problem) => result.problem = Some(problem),
        }
        result.seconds = clock.elapsed().as_secs_f64();
        result
    }

    fn train_recipe(
        &self,
        recipe: Recipe,
        epochs: usize,
        seed: MasterSeed,
        validated: &mut Vec<f64>,
    ) -> Result<f64, TuneError> {
        let data = self.data_for(recipe.network.input_format())?;
        let plan = self.settings.plan_of(&recipe, epochs);
        let network = Network::new(recipe.network, seed);
        let mut run = TrainingRun::new(plan, network, &data, seed)?;
        while run.epoch()?.is_some() {
            *validated = run.validated().to_vec();
        }
        let score = validated.get(run.picked()).copied();
        score.ok_or_else(|| TrainError::NoSamples("validate with").into())
    }

    /// The data as a network reads it.
    fn data_for(&self, format: InputFormat) -> Result<Rc<Dataset>, TuneError> {
        let mut formats = self.formats.borrow_mut();
        if let Some((_, data)) = formats.iter().find(|(known, _)| *known == format) {
            return Ok(data.clone());
        }
        let data = Rc::new(self.data.binned_for(format)?);
        formats.push((format, data.clone()));
        Ok(data)
    }
}

fn mean(results: &[TrialResult]) -> Option<f64> {
    let scores = results.iter().map(|result| result.score);
    let scores = scores.collect::<Option<Vec<f64>>>()?;
    Some(scores.iter().sum::<f64>() / scores.len() as f64)
}

impl SearchSettings {
    /// The recipe of a trial as the text of a file that can lie anywhere: its data is named by whole paths, `train` if
    /// other files than its own were trained on.
    ///
    /// # Errors
    /// What makes no sense in it.
    pub fn recipe_text(
        &self,
        trial: usize,
        train: &[PathBuf],
        about: &str,
    ) -> Result<String, String> {
        let mut table = self.table(trial)?;
        let whole = |file: &str| {
            let path = self.folder.join(file);
            std::path::absolute(&path)
                .unwrap_or(path)
                .display()
                .to_string()
        };
        if let Some(data) = table.get_mut("data").and_then(toml::Value::as_table_mut) {
            for (_, files) in data.iter_mut() {
                for file in files.as_array_mut().into_iter().flatten() {
                    if let Some(name) = file.as_str() {
                        *file = toml::Value::String(whole(name));
                    }
                }
            }
        }
        if !train.is_empty() {
            let whole = |file: &PathBuf| std::path::absolute(file).unwrap_or_else(|_| file.clone());
            let files = train.iter().map(|file| whole(file).display().to_string());
            let files = files.map(toml::Value::String).collect();
            let data = toml::Table::from_iter([("train".to_string(), toml::Value::Array(files))]);
            table.insert("data".to_string(), toml::Value::Table(data));
        }
        // It reads back as what it is.
        Recipe::from_table(table.clone(), Path::new(""))?;
        let text = toml::to_string(&table).map_err(|error| error.to_string())?;
        let about = about.lines().map(|line| format!("# {line}\n"));
        Ok(about.collect::<String>() + &text)
    }
}
