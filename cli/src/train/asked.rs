//! What is asked for: a recipe, and the flags that go before it.

use std::path::PathBuf;

use super::super::arguments::{command_line, names_of};
use super::super::failure::Failure;
use super::super::or_none::{NONE, OrNone};
use super::super::output::note;
use super::super::reading::refuse_trained_on;
use super::TrainArguments;
use super::init::Init;
use respike::dataset::Dataset;
use respike::network::{Network, NetworkSpec};
use respike::random::MasterSeed;
use respike::recipe::Recipe;
use respike::report::{DataNote, Description, StartLine, TaskNote, fingerprint};
use respike::train::{TrainingPlan, TrainingSettings, Validation, ValidationSplit};

/// A training as it is asked for.
pub(super) struct Asked {
    pub(super) spec: NetworkSpec,
    pub(super) plan: TrainingPlan,
    pub(super) train: Vec<PathBuf>,
    pub(super) test: Vec<PathBuf>,
    pub(super) seed: MasterSeed,
    init: Option<Init>,
}

impl Asked {
    /// What a recipe says, if there is one, and what flags say.
    pub(super) fn of(arguments: &TrainArguments) -> Result<Self, Failure> {
        let recipe = arguments.recipe.as_deref().map(Recipe::read).transpose()?;
        let or_of = |given: &[PathBuf], said: fn(&Recipe) -> &Vec<PathBuf>| match given {
            [] => recipe
                .as_ref()
                .map(|recipe| said(recipe).clone())
                .unwrap_or_default(),
            given => given.to_vec(),
        };
        let train = or_of(&arguments.data, |recipe| &recipe.train);
        let test = match &arguments.test[..] {
            [one] if one.as_os_str() == NONE => Vec::new(),
            given => or_of(given, |recipe| &recipe.test),
        };
        if train.is_empty() {
            return Err(Failure::bad("give the files to train on with --data"));
        }
        let plan = plan(arguments, recipe.as_ref())?;
        plan.check()?;
        let init = arguments.init.as_deref().map(Init::read).transpose()?;
        let spec = match (&arguments.model, &recipe, &init) {
            (Some(path), ..) => NetworkSpec::read(path)?,
            (None, Some(recipe), _) => recipe.network.clone(),
            (None, None, Some(init)) => init.spec_for(&train)?,
            (None, None, None) => {
                return Err(Failure::bad(
                    "give the network with --model, --recipe or --init",
                ));
            }
        };
        if let Some(init) = &init {
            init.say_what_changes(&spec);
        }
        let seed = arguments.run.seed.given();
        let of_recipe = recipe.as_ref().map(|recipe| recipe.seed);
        Ok(Asked {
            spec,
            plan,
            train,
            test,
            seed: seed.or(of_recipe).unwrap_or(MasterSeed(0)),
            init,
        })
    }

    /// The network before its first epoch.
    pub(super) fn network(&self, data: &Dataset) -> Result<Network, Failure> {
        let fresh = Network::new(self.spec.clone(), self.seed);
        match &self.init {
            None => Ok(fresh),
            Some(init) => init.start(fresh, data),
        }
    }

    /// The recordings that the network was trained on before, too.
    pub(super) fn init(&self) -> Option<&Init> {
        self.init.as_ref()
    }

    /// Refuses a test with what is trained on, or was before.
    pub(super) fn refuse_seen(&self, data: &Dataset, test: &Dataset) -> Result<(), Failure> {
        refuse_trained_on(data, test)?;
        let Some(init) = &self.init else {
            return Ok(());
        };
        let seen = test
            .iter()
            .filter(|(_, sample)| init.was_trained_on(sample));
        match seen.count() {
            0 => Ok(()),
            shared => Err(Failure::bad(format!(
                "the network of --init was trained on {shared} of the {} samples in the --test files; a test \
                 with them would prove nothing",
                test.len()
            ))),
        }
    }

    /// Says so where samples kept out were trained on before.
    pub(super) fn say_what_was_seen(&self, data: &Dataset, split: &ValidationSplit) {
        let Some(init) = &self.init else {
            return;
        };
        let kept_out = split.validation.iter();
        let seen = kept_out.filter(|&&sample| init.was_trained_on(data.sample(sample)));
        let seen = seen.count();
        if seen > 0 {
            note(&format!(
                "the network of --init was trained on {seen} of the {} samples that are kept out, so accuracy on them says \
                 little",
                split.validation.len()
            ));
        }
    }

    /// What is to be done, as the record begins with it.
    pub(super) fn start(
        &self,
        data: &Dataset,
        test: Option<&Dataset>,
        split: &ValidationSplit,
    ) -> StartLine {
        let mut note = DataNote::of(data, names_of(&self.train));
        note.test_files = names_of(&self.test);
        note.test_fingerprint = test.map(fingerprint);
        let task = TaskNote {
            name: "all".to_string(),
            train: split.train.len(),
            test: test.map_or(0, Dataset::len),
            validation: split.validation.len(),
        };
        let settings = Description::Train {
            plan: self.plan.clone(),
            init: self.init.as_ref().map(Init::note),
        };
        // Whether it was gone on with is no matter of the run.
        let command_line = command_line().into_iter();
        let command_line = command_line.filter(|argument| argument != "--resume");
        StartLine::new(
            command_line.collect(),
            self.seed,
            self.spec.clone(),
            settings,
            note,
            vec![task],
        )
    }
}

/// The plan of a recipe with what flags say.
fn plan(arguments: &TrainArguments, recipe: Option<&Recipe>) -> Result<TrainingPlan, Failure> {
    let of_recipe = recipe.map(|recipe| recipe.plan.epochs);
    let epochs = arguments.epochs.or(of_recipe);
    let epochs = epochs.ok_or_else(|| Failure::bad("give the number of epochs with --epochs"))?;
    if epochs == 0 {
        return Err(Failure::bad("--epochs must be 1 or more"));
    }
    let mut plan = match recipe {
        Some(recipe) => recipe.plan_over(epochs),
        None => TrainingPlan::new(epochs, TrainingSettings::default()),
    };
    let training = &arguments.training;
    plan.training = training.over(plan.training, arguments.lr, epochs)?;
    if let Some(given) = OrNone::all("--augment", &arguments.augmentations)? {
        plan.augmentations = given;
    }
    plan.validation = match (arguments.validation, &arguments.validation_speakers) {
        (Some(OrNone::None), _) => None,
        (Some(OrNone::Given(share)), _) => Some(Validation::Share(share)),
        (None, Some(speakers)) => Some(Validation::Speakers(speakers.clone())),
        (None, None) => plan.validation,
    };
    plan.select = arguments.select.unwrap_or(plan.select);
    plan.patience = OrNone::over(arguments.patience.as_ref(), plan.patience);
    plan.test_every = OrNone::over(arguments.test_every.as_ref(), plan.test_every);
    Ok(plan)
}
