use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::{Recipe, RecipeError};
use crate::formats::recipe::{RecipeFormat, TrainingPart};
use crate::network::NetworkSpec;
use crate::network::milliseconds::{network_of, read_network};
use crate::random::MasterSeed;
use crate::storage::{parse_toml, read_plain_text, with_what_was_meant};
use crate::train::{Losses, SaidSchedule, Select, TrainingPlan, TrainingSettings, Validation};

impl Recipe {
    /// Reads a recipe; files that it names lie where they do from its own folder.
    ///
    /// # Errors
    /// [`RecipeError`].
    pub fn read(path: &Path) -> Result<Self, RecipeError> {
        let text = read_plain_text(path).map_err(|source| RecipeError::Unreadable {
            path: path.to_path_buf(),
            source,
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::parse(&text, folder).map_err(|reason| RecipeError::Malformed {
            path: path.to_path_buf(),
            reason,
        })
    }

    /// Reads a recipe from a text whose files lie where they do from `folder`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, String> {
        from_format(parse_toml(text)?, folder)
    }

    /// A recipe from a table, as [`with_network`](Self::with_network) gives it, perhaps changed.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_table(table: Table, folder: &Path) -> Result<Self, String> {
        let format = table.try_into();
        let format = format
            .map_err(|error: toml::de::Error| with_what_was_meant(error.message().to_string()))?;
        from_format(format, folder)
    }

    /// A recipe's text as a table, in which the network is a table too: whatever it says can be changed by its key.
    ///
    /// # Errors
    /// What is wrong with the text, or with the file of the network.
    pub fn with_network(text: &str, folder: &Path) -> Result<Table, String> {
        let mut table: Table = parse_toml(text)?;
        if let Some(Value::String(file)) = table.get("network") {
            let path = folder.join(file);
            let network = read_plain_text(&path);
            let network = network.map_err(|error| unreadable(&path, &error))?;
            let network: Table =
                parse_toml(&network).map_err(|reason| not_a_network(&path, &reason))?;
            table.insert("network".to_string(), Value::Table(network));
        }
        Ok(table)
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> String {
    format!("the network {} cannot be read: {error}", path.display())
}

fn not_a_network(path: &Path, reason: &str) -> String {
    format!("{} is not a network spec: {reason}", path.display())
}

fn from_format(format: RecipeFormat, folder: &Path) -> Result<Recipe, String> {
    let from_here = |files: Vec<PathBuf>| files.iter().map(|file| folder.join(file)).collect();
    let (plan, is_over_all) = plan(format.training)?;
    Ok(Recipe {
        name: format.name,
        source: format.source,
        network: network(format.network, folder)?,
        train: from_here(format.data.train),
        test: from_here(format.data.test),
        seed: MasterSeed(format.seed),
        plan,
        is_over_all,
    })
}

fn network(said: Value, folder: &Path) -> Result<NetworkSpec, String> {
    let (settings, of) = match said {
        Value::String(file) => {
            let path = folder.join(file);
            let text = read_plain_text(&path).map_err(|error| unreadable(&path, &error))?;
            let settings = read_network(&text).map_err(|reason| not_a_network(&path, &reason))?;
            (settings, format!("in {}", path.display()))
        }
        Value::Table(table) => {
            let settings = network_of(&table).map_err(|reason| format!("network: {reason}"))?;
            (settings, "network".to_string())
        }
        _ => return Err("`network` is a file or a table".to_string()),
    };
    settings.check().map_err(|error| format!("{of}: {error}"))
}

/// The plan, and whether its schedule goes over all epochs.
fn plan(part: TrainingPart) -> Result<(TrainingPlan, bool), String> {
    let usual = TrainingSettings::default();
    let mut losses = Losses::default();
    if let Some(objective) = part.objective {
        losses.objective = objective;
    }
    losses.regularisers = part.regularisers;
    let schedule = part.schedule.map(|text| {
        let said = text.parse::<SaidSchedule>();
        said.map_err(|reason| format!("training.schedule: {reason}"))
    });
    let schedule = schedule.transpose()?;
    let mut training = usual
        .clone()
        .with_batch_size(part.batch_size.unwrap_or(usual.batch_size))
        .with_learning_rate(part.learning_rate.unwrap_or(usual.learning_rate))
        .with_schedule(schedule.map_or(usual.schedule, |said| said.for_epochs(part.epochs)))
        .with_optimiser(part.optimiser.unwrap_or(usual.optimiser))
        .with_losses(losses)
        .with_warm_up(part.warm_up_epochs);
    training.rate_factors = part.rate_factors;
    training.clip_norm = part.clip_norm;
    let mut plan = TrainingPlan::new(part.epochs, training);
    plan.augmentations = part.augmentations;
    plan.validation = Validation::of(part.validation, part.validation_speakers)?;
    plan.select = part.select.map_or(Select::Last, Into::into);
    plan.patience = part.patience;
    plan.test_every = part.test_every;
    plan.check().map_err(|error| format!("training: {error}"))?;
    Ok((plan, schedule.is_some_and(SaidSchedule::is_over_all)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::ChannelShift;
    use crate::train::{AdamW, CrossEntropy, Schedule};

    const DEMO70: &str = include_str!("../../snn-models/demo70.toml");

    fn recipe(network: &str, training: &str) -> String {
        format!(
            "name = \"x\"\nnetwork = \"{network}\"\nseed = 7\n[data]\ntrain = [\"a/b.h5\"]\n[training]\n{training}"
        )
    }

    #[test]
    fn a_recipe_says_all_that_a_training_needs() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("net.toml"), DEMO70).expect("written");
        let text = recipe(
            "net.toml",
            "epochs = 30\nlearning_rate = 0.01\nschedule = \"cosine\"\n\
             optimiser = { kind = \"adamw\", decay = 0.1 }\nclip_norm = 1.5\nwarm_up_epochs = 2\n\
             objective = { kind = \"cross-entropy\", smoothing = 0.1 }\n\
             rate_factors = { w_out = 0.5, layer1 = 2 }\n\
             augmentations = [{ kind = \"channel-shift\", most_channels = 4 }]\n\
             validation = 0.1\nselect = \"best-validation\"\npatience = 5\n",
        );
        let read = Recipe::parse(&text, folder.path()).expect("a recipe");
        assert_eq!((read.name.as_str(), read.seed), ("x", MasterSeed(7)));
        assert_eq!(read.train, [folder.path().join("a/b.h5")]);
        assert_eq!(read.network.classes(), 10);
        let smoothed = CrossEntropy { smoothing: 0.1 };
        let training = TrainingSettings::default()
            .with_learning_rate(0.01)
            .with_schedule(Schedule::Cosine { epochs: 30 })
            .with_optimiser(AdamW {
                decay: 0.1,
                ..AdamW::default()
            })
            .with_losses(smoothed)
            .with_warm_up(2)
            .with_clip_norm(1.5)
            .with_rate_factor("w_out".parse().expect("a role"), 0.5)
            .with_rate_factor("layer1".parse().expect("a layer"), 2.0);
        let plan = TrainingPlan::new(30, training)
            .with_augmentation(ChannelShift { most_channels: 4 })
            .with_validation(Validation::Share(0.1))
            .with_select(Select::BestValidation)
            .with_patience(5);
        assert_eq!(read.plan, plan);
        let longer = read.plan_over(60);
        assert_eq!(longer.epochs, 60);
        assert_eq!(longer.training.schedule, Schedule::Cosine { epochs: 60 });
        // What says how long it is stays as long.
        let fixed = text.replace("\"cosine\"", "\"cosine:30\"");
        let fixed = Recipe::parse(&fixed, folder.path()).expect("a recipe");
        assert_eq!(fixed.plan, plan);
        assert_eq!(
            fixed.plan_over(60).training.schedule,
            Schedule::Cosine { epochs: 30 }
        );
        // The same with the network in it, and with one number changed.
        let mut table = Recipe::with_network(&text, folder.path()).expect("a table");
        assert_eq!(
            Recipe::from_table(table.clone(), folder.path()),
            Ok(read.clone())
        );
        let network = table.get_mut("network").and_then(Value::as_table_mut);
        let name = Value::String("other".to_string());
        network.expect("a table").insert("name".to_string(), name);
        let other = Recipe::from_table(table, folder.path()).expect("a recipe");
        assert_eq!(other.network.settings().name, "other");
    }

    #[test]
    fn what_makes_no_sense_is_told_with_its_place() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("net.toml"), DEMO70).expect("written");
        for (network, training, words) in [
            ("none.toml", "epochs = 1", "none.toml"),
            ("net.toml", "epoch = 1", "`epochs` is nearly that"),
            ("net.toml", "epochs = 0", "number of epochs"),
            (
                "net.toml",
                "epochs = 1\nschedule = \"cosin\"",
                "training.schedule",
            ),
            (
                "net.toml",
                "epochs = 1\nselect = \"best-validation\"",
                "needs validation",
            ),
            ("net.toml", "epochs = 1\npatience = 3", "needs validation"),
            (
                "net.toml",
                "epochs = 1\nvalidation = 1.0",
                "share of validation",
            ),
            ("net.toml", "epochs = 1\nclip_norm = 0", "norm to clip"),
            (
                "net.toml",
                "epochs = 1\noptimiser = { kind = \"adem\" }",
                "adam",
            ),
            (
                "net.toml",
                "epochs = 1\nvalidation = 0.1\nvalidation_speakers = [\"a\"]",
                "either",
            ),
            (
                "net.toml",
                "epochs = 1\nrate_factors = { W = 1 }",
                "names no parameters",
            ),
            (
                "net.toml",
                "epochs = 1\naugmentations = [{ kind = \"drop-events\", share = 1.5 }]",
                "share of drop-events",
            ),
        ] {
            let why = Recipe::parse(&recipe(network, training), folder.path()).expect_err(training);
            assert!(why.contains(words), "{training}: {why}");
        }
    }
}
