//! The command line: one file for each subcommand, and nothing here that the library lacks.
//!
//! In: arguments. Out: files, a table or JSON on stdout, progress on stderr, and an exit code: 0 for
//! success, 2 for bad input, 1 for a fault of ours.

mod arguments;
mod bench;
mod cochleagram;
mod data;
mod demo;
mod encode;
mod eval;
mod failure;
mod fetch;
mod learn;
mod output;
mod plot;
mod reading;
mod train;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

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
    /// Look at datasets, and fetch public ones.
    #[command(subcommand)]
    Data(data::DataCommand),
    /// Train a network.
    Train(train::TrainArguments),
    /// Test a trained network.
    Eval(eval::EvalArguments),
    /// Pre-train a network, then let it learn something new.
    #[command(subcommand)]
    Learn(learn::LearnCommand),
    /// Run a whole benchmark: a grid of experiments, with tables, figures and a report.
    #[command(subcommand)]
    Bench(bench::BenchCommand),
    /// Draw rasters, cochleagrams, learning curves and confusion matrices.
    #[command(subcommand)]
    Plot(plot::PlotCommand),
}

/// Runs the program.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version go to stdout with code 0, mistakes to stderr with code 2. Nothing can
            // be done if even that cannot be printed.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let done = match arguments.command {
        Command::Demo(arguments) => demo::run(arguments),
        Command::Data(command) => data::run(command),
        Command::Train(arguments) => train::run(arguments),
        Command::Eval(arguments) => eval::run(arguments),
        Command::Learn(command) => learn::run(command),
        Command::Bench(command) => bench::run(command),
        Command::Plot(command) => plot::run(command),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
