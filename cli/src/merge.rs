use std::path::PathBuf;

use clap::Args;

use super::arguments::Machine;
use super::failure::Failure;
use super::out_files::{NamedClasses, Parts, refuse_outputs};
use super::output::note;
use super::reading::say_how_many_are_repeated;
use respike::dataset::MergedFiles;
use respike::ids::SampleIndex;

/// Classes and speakers with the same name are one, whatever their numbers, as wherever several files are
/// given. Times keep every bit, in the widest type that the files have. What SHD's own files tell of
/// speakers beside their numbers (extra/meta_info) is left out.
#[derive(Args)]
pub(super) struct MergeArguments {
    /// The files, in this order.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Replace --out where it exists.
    #[arg(long)]
    force: bool,
    /// Print the summary as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    machine: Machine,
}

pub(super) fn run(arguments: &MergeArguments) -> Result<(), Failure> {
    arguments.machine.prepare()?;
    refuse_outputs(&[&arguments.out], &arguments.files, arguments.force)?;
    let files = read(&arguments.files)?;
    let all = (0..files.dataset().len()).map(SampleIndex).collect();
    let whole = vec![(arguments.out.as_path(), all)];
    let written = Parts::write(&files, whole, NamedClasses::All, arguments.force)?;
    written.print(arguments.json)
}

/// Reads files, and says what is to be said of them.
pub(super) fn read(paths: &[PathBuf]) -> Result<MergedFiles, Failure> {
    let files = MergedFiles::read(paths)?;
    say_how_many_are_repeated(files.dataset());
    let unnamed = files.unnamed_speakers();
    if unnamed > 0 && !files.dataset().speaker_names().is_empty() {
        note(&format!(
            "{} no name where others have one: what is written says of such a number that nobody knows whose it is",
            match unnamed {
                1 => "1 speaker has".to_string(),
                several => format!("{several} speakers have"),
            }
        ));
    }
    Ok(files)
}
