//! The command line: one file for each subcommand, and nothing here that the library lacks.
//!
//! In: arguments. Out: files, a table or JSON on stdout, progress on stderr, and an exit code: 0 for
//! success, 2 for bad input, 1 for a fault of ours or of the machine, 130 and 143 where somebody
//! interrupted it.
//!
//! The whole program with a neuron, a loss, an optimiser of one's own is
//!
//! ```no_run
//! # use respike::registry::Registry;
//! # fn with_mine(registry: Registry) -> Registry { registry }
//! fn main() -> std::process::ExitCode {
//!     respike_cli::main_with(with_mine(Registry::builtin()))
//! }
//! ```
//!
//! where `with_mine` says, for instance, `registry.with_neuron::<Quadratic>()`.

#![forbid(unsafe_code)]

mod arguments;
mod baseline;
mod baseline_data;
mod bench;
mod class_choice;
mod cochleagram;
mod concepts;
mod data;
mod demo;
mod encode;
mod encode_inputs;
mod eval;
mod failure;
mod fetch;
mod interrupt;
mod learn;
mod merge;
mod or_none;
mod out_files;
mod output;
mod parts;
mod plot;
mod reading;
mod split;
mod train;
mod tune;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Failure;
use interrupt::HowToGoOn;
use respike::registry::Registry;
use respike::storage::shown_lines;

/// Spiking networks that go on learning without forgetting.
///
/// Trains recurrent spiking networks on SHD-layout files, and lets them learn new speakers and new
/// classes with a replay memory of compressed, bit-packed spikes.
#[derive(Parser)]
#[command(name = "respike", version, arg_required_else_help = true)]
#[command(
    after_help = "Example:\n  respike demo\n  respike train --data data/fsdd70_train.h5 --test data/fsdd70_test.h5 \\\n      --model snn-models/demo70.toml --epochs 30 --out runs/first"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Learn a new speaker, a new class and five classes one by one, with and without replay.
    Demo(demo::DemoArguments),
    /// Look at datasets, fetch public ones, and encode recordings.
    #[command(subcommand)]
    Data(data::DataCommand),
    /// Train a network.
    Train(Box<train::TrainArguments>),
    /// Search for good settings of a recipe.
    Tune(tune::TuneArguments),
    /// Test a trained network, or a learner with its head.
    Eval(eval::EvalArguments),
    /// Say what cheap rules make of the same samples, without a trained network.
    Baseline(Box<baseline::BaselineArguments>),
    /// Say what replay sources know of classes that come one by one, as a trained network judges it.
    Concepts(Box<concepts::ConceptArguments>),
    /// Pre-train a network, then let it learn something new.
    Learn(Box<learn::LearnArguments>),
    /// Run a whole benchmark: a grid of experiments, with tables, figures and a report.
    #[command(subcommand)]
    Bench(bench::BenchCommand),
    /// Draw rasters, traces of neurons, learned time constants, rates, learning curves, confusion matrices and more,
    /// or play a raster.
    #[command(subcommand)]
    Plot(plot::PlotCommand),
    /// List what can stand in networks, trainings and methods: neurons, surrogates, readouts, objectives, regularisers,
    /// optimisers, augmentations, codecs, policies, replay sources, heads and scenarios, with their settings.
    Parts(parts::PartsArguments),
}

/// Runs the program with parts of one's own beside ours: specs, flags, help, records and checkpoints know them.
pub fn main_with(registry: Registry) -> ExitCode {
    registry.install();
    main()
}

/// Runs the program.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return no_command(&error),
    };
    let command = arguments.command;
    // What panics is said below, once.
    std::panic::set_hook(Box::new(|_| {}));
    let done = interrupt::prepare(command.how_to_go_on());
    let done = done.and_then(|()| without_panic(|| command.run()));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// The last line of defence: what panics, as the standard library does where a file cannot be closed, is a
/// fault of ours, and is said in a sentence like all else.
fn without_panic(run: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    // Nothing is looked at afterwards that could be half changed.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(Failure::fault(format!(
            "a fault of respike: {}",
            text.unwrap_or("it does not say which")
        )))
    })
}

impl Command {
    fn run(self) -> Result<(), Failure> {
        match self {
            Command::Demo(arguments) => demo::run(arguments),
            Command::Data(command) => data::run(command),
            Command::Train(arguments) => train::run(*arguments),
            Command::Tune(arguments) => tune::run(arguments),
            Command::Eval(arguments) => eval::run(arguments),
            Command::Baseline(arguments) => baseline::run(*arguments),
            Command::Concepts(arguments) => concepts::run(*arguments),
            Command::Learn(arguments) => learn::run(&arguments),
            Command::Bench(command) => bench::run(command),
            Command::Plot(command) => plot::run(command),
            Command::Parts(arguments) => parts::run(arguments),
        }
    }

    /// What somebody is told who interrupts it.
    fn how_to_go_on(&self) -> HowToGoOn {
        let always = match self {
            Command::Demo(_) => "begin the demo anew with --force",
            Command::Data(command) => command.how_to_go_on(),
            Command::Train(_) => {
                "what was trained up to the last whole epoch is kept; give the same command with --resume to go on"
            }
            Command::Tune(_) => {
                "finished trainings are kept; give the same command with --resume to go on"
            }
            Command::Learn(arguments) => return arguments.how_to_go_on(),
            Command::Bench(_) => {
                "finished experiments are kept; give the same command with --resume to go on"
            }
            Command::Eval(_)
            | Command::Baseline(_)
            | Command::Concepts(_)
            | Command::Plot(_)
            | Command::Parts(_) => "nothing was written; give the same command again",
        };
        always.into()
    }
}

/// Help and version go to stdout with code 0, mistakes to stderr with code 2.
fn no_command(error: &clap::Error) -> ExitCode {
    if error.use_stderr() {
        // What was typed is shown, and may be anything. If stderr is gone there is nobody left to tell.
        let text = error.render().to_string();
        let _ = write!(io::stderr(), "{}", shown_lines(&text));
        return ExitCode::from(2);
    }
    match error.print() {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Failure::fault(format!("cannot print the help: {error}")).report()
        }
        _ => ExitCode::SUCCESS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_fault_in_a_sentence() {
        let done = without_panic(|| panic!("a file {} close", "does not"));
        let Err(Failure::Fault(error)) = done else {
            panic!("it is a fault");
        };
        assert_eq!(
            error.to_string(),
            "a fault of respike: a file does not close"
        );
    }
}
