//! Flags that several subcommands share, and what they are turned into.

use std::path::PathBuf;
use std::sync::OnceLock;

use clap::Args;

use super::failure::Failure;
use super::or_none::OrNone;
pub(super) use super::reading::{read_data, read_data_for};
use respike::random::MasterSeed;
use respike::registry::Registry;
use respike::report::Replace;
use respike::simd::Simd;
use respike::train::{
    Losses, ObjectiveSettings, OptimiserSettings, ParameterGroup, RegulariserSettings,
    SaidSchedule, SpikePenalty, TrainingSettings,
};

/// More threads than that help nobody.
const MOST_THREADS: usize = 1024;
/// Where there is no --threads, this says how many.
const THREADS_VARIABLE: &str = "RAYON_NUM_THREADS";

/// Flags of every command that computes.
#[derive(Args, Clone, Copy, Default)]
pub(super) struct Machine {
    /// Threads; as many as there are cores by default. Results do not depend on it.
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Vector instructions: portable, avx2 or avx512; the widest that there are by default. Trained
    /// weights of portable are the same on every processor, and differ from the others' in their last
    /// bits.
    #[arg(long, value_name = "SET")]
    pub simd: Option<Simd>,
}

impl Machine {
    /// Makes the thread pool and chooses the instructions.
    pub(super) fn prepare(self) -> Result<(), Failure> {
        if let Some(simd) = self.simd {
            simd.choose()
                .map_err(|error| Failure::bad(error.to_string()))?;
        }
        let threads = match self.threads {
            None => threads_of_environment()?,
            Some(threads @ 1..=MOST_THREADS) => Some(threads),
            Some(other) => {
                return Err(Failure::bad(format!(
                    "--threads must be 1 to {MOST_THREADS}, not {other}"
                )));
            }
        };
        // 0 stands for as many as there are cores.
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.unwrap_or(0));
        pool.build_global().map_err(|error| {
            let threads = match threads {
                Some(threads) => format!("{threads} threads"),
                None => "a thread for each core".to_string(),
            };
            Failure::fault(format!(
                "cannot start {threads} ({error}); give fewer with --threads, or raise the limit on processes"
            ))
        })
    }
}

/// The number of threads that the environment asks for.
fn threads_of_environment() -> Result<Option<usize>, Failure> {
    let Some(text) = std::env::var_os(THREADS_VARIABLE) else {
        return Ok(None);
    };
    // As rayon itself takes it.
    if text.is_empty() {
        return Ok(None);
    }
    let number = text.to_str().map(|text| text.trim().parse::<usize>());
    match number {
        Some(Ok(0)) => Ok(None),
        Some(Ok(threads @ 1..=MOST_THREADS)) => Ok(Some(threads)),
        _ => Err(Failure::bad(format!(
            "{THREADS_VARIABLE} must be a number from 1 to {MOST_THREADS}, or 0 for one thread a core, not `{}`",
            text.to_string_lossy()
        ))),
    }
}

/// Flags that say how a network is trained; what is not said is as in a recipe, or as usual.
#[derive(Args, Clone)]
pub(super) struct Training {
    /// Samples of an optimiser step [default: 64].
    #[arg(long, value_name = "N")]
    pub batch_size: Option<usize>,
    #[arg(long, value_name = "NAME", help = one_of("The optimiser", Registry::optimisers) + " [default: adamax]")]
    pub optimiser: Option<OptimiserSettings>,
    #[arg(long, value_name = "NAME", help = one_of("What is made small", Registry::objectives) + " [default: cross-entropy]")]
    pub objective: Option<ObjectiveSettings>,
    #[arg(long = "regulariser", value_name = "NAME", help = one_of("What is added to it, as often as it is given; none for nothing, penalties on spikes included", Registry::regularisers))]
    pub regularisers: Vec<OrNone<RegulariserSettings>>,
    /// How the learning rate changes: constant, step:EPOCHS:FACTOR, cosine or one-cycle over all epochs (of
    /// pre-training and of each new task apart), cosine:EPOCHS, one-cycle:EPOCHS,
    /// one-cycle:EPOCHS:RISE:START_DIVISOR:END_DIVISOR (all for EPOCHS is all of them), or plateau:FACTOR:PATIENCE
    /// [default: constant].
    #[arg(long, value_name = "SCHEDULE")]
    pub schedule: Option<SaidSchedule>,
    /// Epochs at the beginning over which the learning rate rises to what the schedule says; 0 for none [default: 0].
    #[arg(long, value_name = "EPOCHS")]
    pub warm_up: Option<usize>,
    /// Another learning rate for some parameters, as often as it is given: a layer (layer1=0.5), a role
    /// (w_out=10, v=0.1, rho_u=0) or a single one (w2=0.5); 0 leaves them as they are.
    #[arg(long = "rate-factor", value_name = "GROUP=FACTOR", value_parser = rate_factor)]
    pub rate_factors: Vec<(ParameterGroup, f32)>,
    /// Gradients of a larger norm are scaled down to this one; none for no such norm.
    #[arg(long, value_name = "NORM")]
    pub clip_norm: Option<OrNone<f32>>,
    /// Penalty on each spike (L1) [default: 0].
    #[arg(long, value_name = "COST")]
    pub l1: Option<f32>,
    /// Penalty on each neuron's squared spike count, averaged over neurons (L2) [default: 0].
    #[arg(long, value_name = "COST")]
    pub l2: Option<f32>,
}

/// A line of help with the names that this process knows.
pub(super) fn one_of<N>(what: &str, names: impl FnOnce(&'static Registry) -> N) -> String
where
    N: Iterator<Item = (&'static str, &'static str)>,
{
    static KNOWN: OnceLock<Registry> = OnceLock::new();
    let names = names(KNOWN.get_or_init(Registry::installed));
    let names = names.map(|(kind, about)| format!("{kind} ({about})"));
    let names = names.collect::<Vec<_>>().join(", ");
    format!(
        "{what}: {names}; settings as in '{{ kind = \"NAME\", KEY = VALUE }}', see `respike parts`"
    )
}

impl Training {
    /// Which flags are given, by the keys of a method's file that say the same of learning.
    pub(super) fn given(&self) -> Vec<(&'static str, &'static str, bool)> {
        vec![
            (
                "--batch-size",
                "training.batch_size",
                self.batch_size.is_some(),
            ),
            (
                "--optimiser",
                "training.optimiser",
                self.optimiser.is_some(),
            ),
            (
                "--objective",
                "training.objective",
                self.objective.is_some(),
            ),
            (
                "--regulariser",
                "training.regularisers",
                !self.regularisers.is_empty(),
            ),
            ("--schedule", "training.schedule", self.schedule.is_some()),
            (
                "--clip-norm",
                "training.clip_norm",
                self.clip_norm.is_some(),
            ),
        ]
    }

    /// Those settings, which are for so many epochs, with what flags say.
    pub(super) fn over(
        &self,
        mut settings: TrainingSettings,
        learning_rate: Option<f32>,
        epochs: usize,
    ) -> Result<TrainingSettings, Failure> {
        if let Some(said) = self.schedule {
            settings.schedule = said.for_epochs(epochs);
        }
        settings.batch_size = self.batch_size.unwrap_or(settings.batch_size);
        settings.learning_rate = learning_rate.unwrap_or(settings.learning_rate);
        settings.warm_up_epochs = self.warm_up.unwrap_or(settings.warm_up_epochs);
        settings.clip_norm = OrNone::over(self.clip_norm.as_ref(), settings.clip_norm);
        if let Some(optimiser) = &self.optimiser {
            settings.optimiser = optimiser.clone();
        }
        for (group, factor) in &self.rate_factors {
            settings.rate_factors = settings.rate_factors.with(group.clone(), *factor);
        }
        let (penalty, others) = settings.losses.penalty();
        let mut losses = Losses::new(match &self.objective {
            Some(objective) => objective.clone(),
            None => settings.losses.objective.clone(),
        });
        let given = OrNone::all("--regulariser", &self.regularisers)?;
        let penalty = match &given {
            Some(given) if given.is_empty() => SpikePenalty::default(),
            _ => penalty,
        };
        losses.regularisers = given.unwrap_or_else(|| others.to_vec());
        settings.losses = losses.and_penalty(SpikePenalty {
            l1: self.l1.unwrap_or(penalty.l1),
            l2: self.l2.unwrap_or(penalty.l2),
        });
        Ok(settings)
    }

    /// The usual settings with what flags say.
    pub(super) fn settings(
        &self,
        learning_rate: f32,
        epochs: usize,
    ) -> Result<TrainingSettings, Failure> {
        self.over(TrainingSettings::default(), Some(learning_rate), epochs)
    }
}

fn rate_factor(text: &str) -> Result<(ParameterGroup, f32), String> {
    let (group, factor) = text
        .split_once('=')
        .ok_or("use GROUP=FACTOR, as in w_out=10")?;
    let number = factor
        .parse()
        .map_err(|_| format!("`{factor}` is not a number"))?;
    Ok((group.parse()?, number))
}

/// The flag of every command that draws random numbers.
#[derive(Args, Clone, Copy)]
pub(super) struct Seed {
    /// Where all randomness comes from: the same seed gives the same bits [default: 0].
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

impl Seed {
    pub(super) fn master(self) -> MasterSeed {
        self.given().unwrap_or(MasterSeed(0))
    }

    /// The seed, if it is said.
    pub(super) fn given(self) -> Option<MasterSeed> {
        self.seed.map(MasterSeed)
    }
}

/// Flags of every command that writes a run's folder.
#[derive(Args, Clone, Copy)]
pub(super) struct RunFlags {
    /// Replace what a run before left in --out.
    #[arg(long)]
    pub force: bool,
    /// Print the summary as JSON.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub seed: Seed,
    #[command(flatten)]
    pub machine: Machine,
}

impl RunFlags {
    /// What may be in --out already.
    pub(super) fn replace(&self) -> Replace {
        match self.force {
            true => Replace::Any,
            false => Replace::Unfinished,
        }
    }
}

/// Paths as the records name them.
pub(super) fn names_of(paths: &[PathBuf]) -> Vec<String> {
    let names = paths.iter().map(|path| path.display().to_string());
    names.collect()
}

/// The program's arguments, as the records name them.
pub(super) fn command_line() -> Vec<String> {
    let all = std::env::args_os().skip(1);
    let texts = all.map(|argument| argument.to_string_lossy().into_owned());
    std::iter::once("respike".to_string())
        .chain(texts)
        .collect()
}
