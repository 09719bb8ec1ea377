use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use serde::Serialize;

use super::failure::Failure;
use super::output::{note, print, print_json};
use respike::dataset::fetch::{
    Contents, FetchError, Fetched, Progress, Settings, Source, fetch, place,
};
use respike::report::suite::in_shell;
use respike::storage::{Shown, shown};

#[derive(Args)]
pub(super) struct FetchArguments {
    /// Which dataset.
    #[arg(value_name = "DATASET")]
    dataset: DatasetName,
    /// The folder it is put into; the recordings of fsdd in `fsdd/recordings` there.
    #[arg(long, value_name = "DIR", default_value = "data")]
    to: PathBuf,
    /// Take it from this file, downloaded before, and use no network: a published file, an
    /// unpacked one, or for fsdd a folder of the recordings; repeat it for several files.
    #[arg(long, value_name = "PATH", conflicts_with = "mirror")]
    from: Vec<PathBuf>,
    /// Download the same files from below this address, for machines behind a mirror.
    #[arg(long, value_name = "URL")]
    mirror: Option<String>,
    /// Print what lies where as JSON.
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Summary {
    dataset: String,
    /// What can be used.
    ready: Vec<String>,
    /// Files of the dataset that were not given and are not there.
    missing: Vec<String>,
    /// The command that goes on from here.
    next: String,
}

#[derive(ValueEnum, Clone, Copy)]
enum DatasetName {
    /// Spiking Heidelberg Digits: 10420 samples in two SHD-layout files, about 170 MB to download.
    Shd,
    /// Free Spoken Digit Dataset: 3000 WAV files, CC BY-SA 4.0, for `respike data encode`.
    Fsdd,
}

pub(super) fn run(arguments: FetchArguments) -> Result<(), Failure> {
    let source = match arguments.dataset {
        DatasetName::Shd => Source::shd(),
        DatasetName::Fsdd => Source::fsdd(),
    };
    let settings = Settings {
        mirror: arguments.mirror,
        ..Settings::default()
    };
    let (folder, from) = (&arguments.to, &arguments.from);
    let mut bars = ByteBars::default();
    let mut show = |progress: Progress<'_>| bars.show(&progress);
    let fetched = match &from[..] {
        [] => fetch(&source, folder, &settings, &mut show),
        _ => place(&source, folder, from, &settings, &mut show),
    };
    bars.abandon();
    let fetched = fetched.map_err(|error| match from.is_empty() {
        true => network_failure(error, &source, folder),
        false => given_failure(error),
    })?;
    report(&source, &fetched, folder, arguments.json)
}

/// Nobody here is to blame for a server; how to go on without it is said.
fn network_failure(error: FetchError, source: &Source, folder: &Path) -> Failure {
    match error {
        FetchError::BadAddress { .. } | FetchError::OtherThere { .. } => {
            Failure::bad(error.to_string())
        }
        FetchError::Busy { .. } | FetchError::File { .. } => Failure::Fault(error.into()),
        _ => {
            let (name, addresses) = (&source.name, source.addresses().join(" and "));
            let from = source.packed_names();
            let from = from.iter().map(|name| format!(" --from {name}"));
            let from = from.collect::<String>();
            let to = in_shell(&[folder.display().to_string()]);
            Failure::Fault(anyhow::anyhow!(
                "{error}; try again later, or download {addresses} by hand and run: \
                 respike data fetch {name} --to {to}{from}"
            ))
        }
    }
}

fn given_failure(error: FetchError) -> Failure {
    match error {
        FetchError::Busy { .. } | FetchError::File { .. } => Failure::Fault(error.into()),
        _ => Failure::bad(error.to_string()),
    }
}

/// Says what lies where, and what can be done with it.
fn report(source: &Source, fetched: &Fetched, folder: &Path, json: bool) -> Result<(), Failure> {
    for name in &fetched.missing {
        note(&format!(
            "{name} was not given and is not in {}",
            folder.display()
        ));
    }
    let paths = fetched.ready.iter().map(|path| path.display().to_string());
    let paths = paths.collect::<Vec<_>>();
    let next = match &source.contents {
        Contents::Files(_) => command("info", &paths, &[]),
        Contents::Recordings(archive) => {
            let out = folder.join(format!("{}.h5", archive.folder));
            let out = ["--out".to_string(), out.display().to_string()];
            command("encode", &paths, &out)
        }
    };
    if json {
        return print_json(&Summary {
            dataset: source.name.to_string(),
            ready: paths,
            missing: fetched.missing.iter().map(ToString::to_string).collect(),
            next,
        });
    }
    for path in &paths {
        print(&shown(path))?;
    }
    print(&format!("next: {}", Shown(&next)))
}

/// A command of `respike data`, for a shell.
fn command(name: &str, paths: &[String], options: &[String]) -> String {
    let words = ["respike", "data", name].map(String::from);
    in_shell(&[&words, paths, options].concat())
}

/// A progress bar for each file, on stderr; where that is no terminal, one line when it is done.
#[derive(Default)]
struct ByteBars {
    bar: Option<ProgressBar>,
}

impl ByteBars {
    fn show(&mut self, progress: &Progress<'_>) {
        match progress {
            Progress::AlreadyThere { path } => {
                note(&format!("{} is already there", path.display()));
            }
            Progress::Download { name, done, total } => {
                let bar = self.bar.get_or_insert_with(|| bar(name, *total, *done));
                bar.set_position(*done);
            }
            Progress::Downloaded { name, bytes } => {
                let hidden = self.bar.as_ref().is_none_or(ProgressBar::is_hidden);
                if let Some(bar) = self.bar.take() {
                    bar.finish();
                }
                if hidden {
                    // If stderr is gone there is nobody left to tell.
                    let _ = writeln!(io::stderr(), "{name}: {}", HumanBytes(*bytes));
                }
            }
            Progress::Retry {
                name,
                reason,
                pause,
            } => {
                self.abandon();
                let seconds = pause.as_secs_f64();
                note(&format!("{name}: {reason}; next try in {seconds:.1} s"));
            }
            Progress::StartAgain { name } => note(&format!(
                "the pieces of {name} do not fit together; it is downloaded once more as a whole"
            )),
            Progress::Unpack { name } => note(&format!("unpacking and checking {name}")),
            // The library may come to tell more than that.
            _ => {}
        }
    }

    fn abandon(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.abandon();
        }
    }
}

/// The speed counts from where an earlier download broke off.
fn bar(name: &str, total: Option<u64>, done: u64) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (
            ProgressBar::new(total),
            "{prefix:20!} {bar:24} {bytes:>10}/{total_bytes} {bytes_per_sec:>12} (-{eta})",
        ),
        None => (
            ProgressBar::no_length(),
            "{prefix:20!} {bytes:>10} {bytes_per_sec:>12}",
        ),
    };
    // The templates are constants and right.
    let style = ProgressStyle::with_template(template).expect("a valid template");
    bar.set_style(style.progress_chars("█▉ "));
    bar.set_prefix(name.to_string());
    bar.with_position(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_command_is_words_for_a_shell() {
        let paths = ["my data/a.h5", "it's.h5"].map(String::from);
        let next = command("info", &paths, &[]);
        let words = shlex::split(&next).expect("words of a shell");
        assert_eq!(words[..3], ["respike", "data", "info"]);
        assert_eq!(words[3..], paths);
    }
}
