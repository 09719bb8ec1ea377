use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::{Key, Range, TuneError};
use crate::hash::fnv_1a;
use crate::random::{MasterSeed, Purpose};
use crate::recipe::Recipe;
use crate::storage::{parse_toml, read_plain_text};
use crate::train::{TrainingPlan, Validation};

/// A search, as its file says it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SearchSettings {
    /// A short name.
    pub name: String,
    /// How many recipes are tried.
    pub trials: usize,
    /// Where the values come from that are tried.
    pub seed: MasterSeed,
    /// Which samples are kept out of training, instead of those that the recipe keeps out, if it does.
    pub validation: Option<Validation>,
    /// Each recipe is trained once with each of these, and its score is the mean.
    pub seeds: Vec<MasterSeed>,
    /// Most recipes are given up after few epochs; without it all are trained to the end.
    pub halving: Option<Halving>,
    /// What may be changed, and to what.
    pub ranges: Vec<(Key, Range)>,
    /// The recipe that nothing is changed in.
    pub base: Recipe,
    /// The same as a table, with its network.
    pub recipe: Table,
    /// Where files of the recipe lie.
    pub folder: PathBuf,
}

/// Successive halving (Jamieson & Talwalkar 2016): all recipes are trained for few epochs, the best of them anew for more
/// epochs, and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Halving {
    /// Epochs of the first round.
    pub first_epochs: usize,
    /// In each round so many times as many epochs, and of so many recipes one goes on.
    pub factor: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SearchFormat {
    name: String,
    recipe: PathBuf,
    trials: usize,
    #[serde(default)]
    seed: u64,
    seeds: Option<Vec<u64>>,
    validation: Option<f64>,
    validation_speakers: Option<Vec<String>>,
    halving: Option<Halving>,
    ranges: Table,
}

/// Why a key can't be searched over: what it says is the search's own business, or has no bearing on how good a recipe is.
fn not_searched(key: &str) -> Option<&'static str> {
    const ITSELF: &str = "the search says it";
    match key {
        "training" | "training.epochs" => Some(
            "the recipe and `halving` say how many epochs there are; name the settings below it",
        ),
        "seed" => Some("the search names `seeds`"),
        "training.validation" | "training.validation_speakers" => Some(ITSELF),
        "training.test_every" => Some("a search never tests"),
        "name" | "source" | "data" => Some("it makes no recipe better"),
        key if key.starts_with("data.") => Some("it makes no recipe better"),
        _ => None,
    }
}

/// More trials than that are a mistake.
const MOST_TRIALS: usize = 100_000;

impl SearchSettings {
    /// Reads a search and the recipe that it names.
    ///
    /// # Errors
    /// [`TuneError::Unreadable`] and [`TuneError::BadSettings`].
    pub fn read(path: &Path) -> Result<Self, TuneError> {
        let text = read_plain_text(path).map_err(|source| TuneError::Unreadable {
            path: path.to_path_buf(),
            source,
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::parse(&text, folder).map_err(|reason| TuneError::BadSettings {
            path: path.to_path_buf(),
            reason,
        })
    }

    /// Reads a search from a text whose files lie where they do from `folder`.
    ///
    /// # Errors
    /// What is wrong with it, or with its recipe.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, String> {
        let format: SearchFormat = parse_toml(text)?;
        if !(1..=MOST_TRIALS).contains(&format.trials) {
            return Err(format!(
                "`trials` must be 1 to {MOST_TRIALS}, not {}",
                format.trials
            ));
        }
        let path = folder.join(&format.recipe);
        let in_recipe = |reason: String| format!("in {}: {reason}", path.display());
        let recipe = read_plain_text(&path);
        let recipe = recipe
            .map_err(|error| format!("cannot read the recipe {}: {error}", path.display()))?;
        let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
        let table = Recipe::with_network(&recipe, &folder).map_err(in_recipe)?;
        let recipe = Recipe::from_table(table.clone(), &folder).map_err(in_recipe)?;
        let validation = Validation::of(format.validation, format.validation_speakers)?;
        if validation.is_none() && recipe.plan.validation.is_none() {
            return Err(
                "a search needs samples kept out of training: give `validation` or `validation_speakers`, here or in the \
                 recipe"
                    .to_string(),
            );
        }
        if let Some(Halving {
            first_epochs,
            factor,
        }) = format.halving
        {
            if factor < 2 {
                return Err(format!("halving.factor must be 2 or more, not {factor}"));
            }
            if !(1..=recipe.plan.epochs).contains(&first_epochs) {
                return Err(format!(
                    "halving.first_epochs must be 1 to the recipe's {}, not {first_epochs}",
                    recipe.plan.epochs
                ));
            }
        }
        if format.ranges.is_empty() {
            return Err("`ranges` names nothing to be changed".to_string());
        }
        let ranges = format.ranges.into_iter().map(|(key, range)| {
            let in_range = |reason: String| format!("ranges.\"{key}\": {reason}");
            let range: Range = range
                .try_into()
                .map_err(|error: toml::de::Error| in_range(error.message().to_string()))?;
            range.check().map_err(in_range)?;
            let parsed: Key = key.parse().map_err(in_range)?;
            if let Some(why) = not_searched(&key) {
                return Err(in_range(why.to_string()));
            }
            parsed
                .set(&mut table.clone(), &Value::Boolean(true))
                .map_err(in_range)?;
            Ok((parsed, range))
        });
        let seeds = format
            .seeds
            .map(|seeds| seeds.into_iter().map(MasterSeed).collect());
        let seeds: Vec<MasterSeed> = seeds.unwrap_or_else(|| vec![recipe.seed]);
        if seeds.is_empty() {
            return Err("`seeds` names no seed".to_string());
        }
        if (1..seeds.len()).any(|place| seeds[..place].contains(&seeds[place])) {
            return Err("`seeds` names a seed twice".to_string());
        }
        let settings = SearchSettings {
            name: format.name,
            trials: format.trials,
            seed: MasterSeed(format.seed),
            seeds,
            validation,
            halving: format.halving,
            ranges: ranges.collect::<Result<Vec<_>, String>>()?,
            base: recipe,
            recipe: table,
            folder,
        };
        settings
            .plan_of(&settings.base, settings.base.plan.epochs)
            .check()
            .map_err(|error| error.to_string())?;
        // A key that nothing is called is a mistake in every trial.
        let mut problems = (0..settings.trials).map(|trial| settings.recipe(trial).err());
        match problems.all(|problem| problem.is_some()) {
            true => {
                let first = settings.recipe(0).err().unwrap_or_default();
                Err(format!("no recipe within the ranges makes sense: {first}"))
            }
            false => Ok(settings),
        }
    }

    /// How a recipe is trained over so many epochs in the search.
    pub fn plan_of(&self, recipe: &Recipe, epochs: usize) -> TrainingPlan {
        let mut plan = recipe.plan_over(epochs);
        plan.validation = self.validation.clone().or(plan.validation);
        plan
    }

    /// What a trial changes: the value of each key, from random numbers of its own.
    pub fn values(&self, trial: usize) -> Vec<(Key, Value)> {
        let drawn = self.ranges.iter().map(|(key, range)| {
            // Of the key's own name: another range beside it does not change it.
            let name = key.to_string();
            let mut random = self
                .seed
                .named_stream(Purpose::Tune, name.as_bytes(), trial as u64);
            (key.clone(), range.draw(&mut random))
        });
        drawn.collect()
    }

    /// The recipe of a trial, as a table.
    ///
    /// # Errors
    /// A key that is not there.
    pub fn table(&self, trial: usize) -> Result<Table, String> {
        let mut table = self.recipe.clone();
        for (key, value) in self.values(trial) {
            key.set(&mut table, &value)?;
        }
        Ok(table)
    }

    /// The recipe of a trial.
    ///
    /// # Errors
    /// What makes no sense with these values.
    pub fn recipe(&self, trial: usize) -> Result<Recipe, String> {
        Recipe::from_table(self.table(trial)?, &self.folder)
    }

    /// A number for all that results depend on.
    pub(super) fn fingerprint(&self) -> u64 {
        let seeds: Vec<u64> = self.seeds.iter().map(|seed| seed.0).collect();
        let parts = (
            self.trials,
            self.seed.0,
            seeds,
            &self.validation,
            &self.halving,
            &self.ranges,
        );
        let text = format!(
            "{parts:?}{}",
            toml::to_string(&self.recipe).unwrap_or_default()
        );
        fnv_1a(text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECIPE: &str =
        "name = \"r\"\nnetwork = \"net.toml\"\n[training]\nepochs = 9\nvalidation = 0.1\n";

    fn parse(rest: &str) -> Result<SearchSettings, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).expect("written");
        };
        write("net.toml", include_str!("../../snn-models/demo70.toml"));
        write("recipe.toml", RECIPE);
        write("untested.toml", &RECIPE.replace("validation = 0.1", ""));
        SearchSettings::parse(&format!("name = \"s\"\n{rest}"), folder.path())
    }

    const RANGES: &str = "[ranges]\n\"training.learning_rate\" = { log = [1e-4, 1e-1] }\n\
         \"training.batch_size\" = { one_of = [16, 32] }\n\
         \"network.layers.*.dropout\" = { even = [0.1, 0.4] }\n\
         \"network.layers.0.units\" = { whole = [20, 40] }\n";

    #[test]
    fn values_are_within_their_ranges_and_each_others_own() {
        let search =
            parse(&format!("recipe = \"recipe.toml\"\ntrials = 40\n{RANGES}")).expect("a search");
        let recipes: Vec<Recipe> = (0..40)
            .map(|trial| search.recipe(trial).expect("valid"))
            .collect();
        for recipe in &recipes {
            let (training, layers) = (&recipe.plan.training, &recipe.network.settings().layers);
            assert!((1e-4..=1e-1).contains(&training.learning_rate));
            assert!([16, 32].contains(&training.batch_size));
            assert!(
                layers
                    .iter()
                    .all(|layer| (0.1..=0.4).contains(&layer.dropout))
            );
            assert!(
                layers
                    .iter()
                    .all(|layer| layer.dropout == layers[0].dropout)
            );
            assert!((20..=40).contains(&layers[0].units));
        }
        let low = recipes
            .iter()
            .filter(|recipe| recipe.plan.training.learning_rate < 3e-3)
            .count();
        assert!((8..32).contains(&low), "half of them: {low}");
        // Without one of the ranges the others' values are the same.
        let fewer = RANGES
            .lines()
            .filter(|line| !line.contains("batch_size"))
            .collect::<Vec<_>>()
            .join("\n");
        let fewer =
            parse(&format!("recipe = \"recipe.toml\"\ntrials = 40\n{fewer}")).expect("a search");
        let rate =
            |search: &SearchSettings| search.recipe(7).expect("valid").plan.training.learning_rate;
        assert_eq!(rate(&fewer), rate(&search));
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        let good = "recipe = \"recipe.toml\"\ntrials = 4\n";
        let range = |text: &str| format!("{good}[ranges]\n{text}\n");
        for (rest, words) in [
            (
                format!("recipe = \"none.toml\"\ntrials = 4\n{RANGES}"),
                "none.toml",
            ),
            (
                format!("recipe = \"untested.toml\"\ntrials = 4\n{RANGES}"),
                "kept out of training",
            ),
            (
                format!("recipe = \"recipe.toml\"\ntrials = 0\n{RANGES}"),
                "trials",
            ),
            (format!("{good}[ranges]\n"), "nothing to be changed"),
            (
                format!("{good}halving = {{ first_epochs = 10, factor = 3 }}\n{RANGES}"),
                "first_epochs",
            ),
            (
                format!("{good}halving = {{ first_epochs = 3, factor = 1 }}\n{RANGES}"),
                "factor",
            ),
            (
                range("\"training.learning_rate\" = { log = [0.0, 1.0] }"),
                "above 0",
            ),
            (
                range("\"training.learning_rate\" = { even = [2.0, 1.0] }"),
                "smaller one first",
            ),
            (
                range("\"training.learning_rate\" = { one_of = [] }"),
                "a value at least",
            ),
            (
                range("\"training.learning_rate\" = { lin = [1.0, 2.0] }"),
                "lin",
            ),
            (
                range("\"trainnig.learning_rate\" = { even = [1.0, 2.0] }"),
                "`trainnig`",
            ),
            (
                range("\"network.layers.9.units\" = { whole = [1, 2] }"),
                "`9`",
            ),
        ] {
            let why = parse(&rest).expect_err(&rest);
            assert!(why.contains(words), "{rest}: {why}");
        }
    }
}
