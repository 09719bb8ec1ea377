//! Flags that several subcommands share, and what they are turned into.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::OnceLock;

use clap::Args;

use super::failure::Failure;
pub(super) use super::reading::{read_data, read_data_for};
use respike::random::MasterSeed;
use respike::registry::Registry;
use respike::report::Replace;
use respike::simd::Simd;
use respike::train::{
    Losses, ObjectiveSettings, OptimiserSettings, RegulariserSettings, Schedule, SpikePenalty,
    TrainingSettings,
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

/// Flags that say how a network is trained.
#[derive(Args, Clone)]
pub(super) struct Training {
    /// Samples of an optimiser step.
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub batch_size: usize,
    #[arg(long, value_name = "NAME", default_value = "adamax", help = one_of("The optimiser", Registry::optimisers))]
    pub optimiser: OptimiserSettings,
    #[arg(long, value_name = "NAME", default_value = "cross-entropy", help = one_of("What is made small", Registry::objectives))]
    pub objective: ObjectiveSettings,
    #[arg(long = "regulariser", value_name = "NAME", help = one_of("What is added to it, as often as it is given", Registry::regularisers))]
    pub regularisers: Vec<RegulariserSettings>,
    /// How the learning rate changes: constant, step:EPOCHS:FACTOR, cosine:EPOCHS, or cosine for one
    /// over all epochs, of pre-training and of each new task apart.
    #[arg(long, value_name = "SCHEDULE", default_value = "constant", value_parser = parse_schedule)]
    pub schedule: ScheduleChoice,
    /// Penalty on each spike (L1).
    #[arg(long, value_name = "COST", default_value_t = 0.0)]
    pub l1: f32,
    /// Penalty on each neuron's squared spike count, averaged over neurons (L2).
    #[arg(long, value_name = "COST", default_value_t = 0.0)]
    pub l2: f32,
}

/// How the learning rate changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum ScheduleChoice {
    /// As said.
    Fixed(Schedule),
    /// Down to 0 over all epochs.
    Falling,
}

/// A line of help with the names that this process knows.
fn one_of<N>(what: &str, names: impl FnOnce(&'static Registry) -> N) -> String
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
    pub(super) fn settings(&self, learning_rate: f32, epochs: usize) -> TrainingSettings {
        let schedule = match self.schedule {
            ScheduleChoice::Fixed(schedule) => schedule,
            ScheduleChoice::Falling => Schedule::Cosine { epochs },
        };
        let mut losses = Losses::new(self.objective.clone());
        losses.regularisers = self.regularisers.clone();
        TrainingSettings::default()
            .with_batch_size(self.batch_size)
            .with_learning_rate(learning_rate)
            .with_schedule(schedule)
            .with_optimiser(self.optimiser.clone())
            .with_losses(losses.and_penalty(SpikePenalty {
                l1: self.l1,
                l2: self.l2,
            }))
    }
}

fn parse_schedule(text: &str) -> Result<ScheduleChoice, String> {
    fn number<T: FromStr>(text: &str) -> Result<T, String> {
        text.parse()
            .map_err(|_| format!("`{text}` is not a number"))
    }
    let schedule = match *text.split(':').collect::<Vec<_>>() {
        ["constant"] => Schedule::Constant,
        ["step", epochs, factor] => Schedule::Step {
            every_epochs: number(epochs)?,
            factor: number(factor)?,
        },
        ["cosine", epochs] => Schedule::Cosine {
            epochs: number(epochs)?,
        },
        ["cosine"] => return Ok(ScheduleChoice::Falling),
        _ => {
            return Err("use constant, step:EPOCHS:FACTOR, cosine:EPOCHS or cosine".to_string());
        }
    };
    Ok(ScheduleChoice::Fixed(schedule))
}

/// The flag of every command that draws random numbers.
#[derive(Args, Clone, Copy)]
pub(super) struct Seed {
    /// Where all randomness comes from: the same seed gives the same bits.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
}

impl Seed {
    pub(super) fn master(self) -> MasterSeed {
        MasterSeed(self.seed)
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
