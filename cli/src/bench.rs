use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use super::arguments::{Machine, names_of, read_data_for};
use super::demo::shipped_network;
use super::failure::Failure;
use super::output::{note, print, print_json};
use super::reading::read_events_for;
use respike::continual::Protocol;
use respike::dataset::{Dataset, ShdFile};
use respike::network::NetworkSpec;
use respike::report::suite::{in_shell, write_report};
use respike::shipped::{DEMO70, SUITES};
use respike::simd::Simd;
use respike::storage::Shown;
use respike::suite::{
    Group, Manifest, SUITE_FORMAT, SuiteData, SuiteError, SuiteFolder, SuiteNews, SuitePiece,
    SuiteSettings, cell_name, plan_suite, plan_without_data, run_suite,
};

/// Run a whole benchmark: a grid of experiments, with tables, figures and a report.
#[derive(Subcommand)]
#[command(
    after_help = "Example:\n  respike bench shd --data data/fsdd70_train.h5 data/fsdd70_test.h5 \\\n      --suite quick --out runs/quick"
)]
pub(super) enum BenchCommand {
    /// What Dequino et al. 2024 report, on SHD or on other data in its layout.
    ///
    /// Runs every experiment of a grid that --out has no result of, and writes tables, figures and
    /// report.html from all results there. An interruption loses at most the experiments under way; go
    /// on with --resume.
    #[command(
        after_help = "Example:\n  respike bench shd --data shd_train.h5 shd_test.h5 --suite paper --out runs/paper\n  respike bench shd --data data/fsdd70_train.h5 data/fsdd70_test.h5 \\\n      --suite quick --protocol strict --out runs/quick --resume"
    )]
    Shd(Box<ShdArguments>),
}

#[derive(Args)]
pub(super) struct ShdArguments {
    /// Files with the data; several are merged, and split by the protocol. By default SHD's two files if
    /// they are in data/, else the digits that ship there.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    data: Vec<PathBuf>,
    /// The grid: paper, digits (the same, thinner), methods, methods700, quick (by default), or a TOML file as in
    /// snn-models/suites/.
    #[arg(long, value_name = "SUITE")]
    suite: Option<String>,
    /// The network, a TOML file as in snn-models/; by default that of Dequino et al. 2024 for 700
    /// channels, or demo70.toml where the data has no event above channel 69.
    #[arg(long, value_name = "SPEC.toml")]
    model: Option<PathBuf>,
    /// Which protocols of the grid to run; strict and published by default, where the grid has them.
    #[arg(long, value_enum)]
    protocol: Option<Protocols>,
    /// Where to write.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Go on with the suite in --out; begin it if nothing is there.
    #[arg(long, conflicts_with = "force")]
    resume: bool,
    /// With --resume, go on although results in --out are of another build of respike; the tables all-…
    /// of the report then say which are of which.
    #[arg(long, requires = "resume")]
    mix_builds: bool,
    /// Replace a suite that is in --out.
    #[arg(long)]
    force: bool,
    /// Run nothing: draw tables, figures and report from what is in --out, which is all that it takes.
    /// --suite and --protocol choose another grid or a part of it; --data and --model, if given, must be
    /// those of the suite.
    #[arg(long, conflicts_with_all = ["force", "jobs"])]
    report_only: bool,
    /// Experiments that run at a time, sharing the threads; as many as there are threads by default.
    /// Results do not depend on it.
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Print the figures behind the report as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    machine: Machine,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq)]
enum Protocols {
    /// Honest measurements.
    Strict,
    /// For picking: as strict, but without the test samples, in whose place a fifth of the training samples is
    /// tested.
    Validation,
    /// As the paper's code does it.
    Published,
    /// Strict and published, side by side.
    Both,
}

impl Protocols {
    fn all(self) -> Vec<Protocol> {
        match self {
            Protocols::Strict => vec![Protocol::Strict],
            Protocols::Validation => vec![Protocol::Validation],
            Protocols::Published => vec![Protocol::Published],
            Protocols::Both => vec![Protocol::Strict, Protocol::Published],
        }
    }
}

pub(super) fn run(command: BenchCommand) -> Result<(), Failure> {
    match command {
        BenchCommand::Shd(arguments) if arguments.report_only => look(&arguments),
        BenchCommand::Shd(mut arguments) => {
            if arguments.data.is_empty() {
                arguments.data = usual_data()?;
            }
            shd(&arguments)
        }
    }
}

/// SHD where it is present, else the digits that ship.
fn usual_data() -> Result<Vec<PathBuf>, Failure> {
    let pairs = ["shd", "fsdd70"]
        .map(|name| ["train", "test"].map(|part| PathBuf::from(format!("data/{name}_{part}.h5"))));
    let there = |pair: &&[PathBuf; 2]| pair.iter().all(|file| file.exists());
    match pairs.iter().find(there) {
        Some(pair) => Ok(pair.to_vec()),
        None => Err(Failure::bad(
            "neither SHD nor the digits are in data/ here; run this in a checkout of respike, or name \
             files with --data",
        )),
    }
}

fn shd(arguments: &ShdArguments) -> Result<(), Failure> {
    let clock = Instant::now();
    arguments.machine.prepare()?;
    let threads = rayon::current_num_threads();
    let jobs = arguments.jobs.unwrap_or(threads);
    if !(1..=1024).contains(&jobs) {
        return Err(Failure::bad(format!(
            "--jobs must be 1 to 1024, not {jobs}"
        )));
    }
    let suite = read_suite(arguments.suite())?;
    let (model, spec) = match &arguments.model {
        Some(path) => (path.display().to_string(), NetworkSpec::read(path)?),
        None => usual_network(&arguments.data)?,
    };
    let before = match arguments.resume {
        true => SuiteFolder::manifest_in(&arguments.out)?,
        false => None,
    };
    let class_names = before.as_ref().map(|before| &before.data.class_names[..]);
    // Controls count events; without them events would be kept in vain.
    let mut protocols = arguments.protocols().into_iter();
    let read = match protocols.any(|protocol| suite.wants_controls(protocol)) {
        true => read_events_for,
        false => read_data_for,
    };
    let mut data = read(&arguments.data, &spec, class_names.unwrap_or_default())?;
    if let Some(before) = &before {
        // Results number the classes as the data did when the suite was begun.
        data = data.in_class_order(&before.data.class_names)?;
    }
    let groups = plan_suite(&suite, &arguments.protocols(), &spec, &data)?;
    refuse_nothing(&suite, &groups)?;
    let manifest = arguments.manifest(suite, (model, spec), &data);
    let folder = match arguments.resume {
        true => SuiteFolder::resume(&arguments.out, manifest, arguments.mix_builds)?,
        false => SuiteFolder::begin(&arguments.out, manifest, arguments.force)?,
    };
    let before_s = folder.spent_s()?;
    let line = ProgressLine::default();
    let threads_each = threads.div_ceil(jobs);
    let failed = run_suite(&folder, &groups, &data, jobs, threads_each, &|news| {
        line.show(&news);
    })?;
    line.0.finish_and_clear();
    arguments.report(&folder, &groups, || {
        let this_time_s = clock.elapsed().as_secs_f64();
        match before_s > 0.0 {
            true => format!(
                "{} this time, {} in all",
                duration(this_time_s),
                duration(before_s + this_time_s)
            ),
            false => duration(this_time_s),
        }
    })?;
    let count = failed.len();
    match failed.into_iter().next() {
        None => Ok(()),
        Some(first) => Err(SuiteError::SomeFailed {
            count,
            first: Box::new(first),
        }
        .into()),
    }
}

/// Draws a suite again from its folder alone.
fn look(arguments: &ShdArguments) -> Result<(), Failure> {
    let clock = Instant::now();
    arguments.machine.prepare()?;
    let mut folder = SuiteFolder::look(&arguments.out)?;
    let there = folder.manifest().clone();
    let spec = match &arguments.model {
        Some(path) => NetworkSpec::read(path)?,
        None => there.spec.clone(),
    };
    let data = match arguments.data.is_empty() {
        true => there.data.clone(),
        false => {
            let class_names = &there.data.class_names;
            let data = read_data_for(&arguments.data, &spec, class_names)?;
            let data = data.in_class_order(&there.data.class_names)?;
            SuiteData::of(&data, Vec::new())
        }
    };
    folder.check_is_of(&spec, &data)?;
    let suite = match &arguments.suite {
        Some(name) => read_suite(name)?,
        None => there.suite,
    };
    let protocols = match arguments.protocol {
        Some(protocols) => protocols.all(),
        None => there.protocols,
    };
    let groups = plan_without_data(&suite, &protocols, &there.data)?;
    refuse_nothing(&suite, &groups)?;
    folder = folder.with_grid(suite, protocols);
    arguments.report(&folder, &groups, || {
        format!("Drawn in {}", duration(clock.elapsed().as_secs_f64()))
    })
}

fn refuse_nothing(suite: &SuiteSettings, groups: &[Group]) -> Result<(), Failure> {
    match groups.is_empty() {
        false => Ok(()),
        true => Err(Failure::bad(format!(
            "the suite {} has nothing under the protocol asked for",
            suite.name
        ))),
    }
}

/// A suite that ships, or one from a file.
fn read_suite(name: &str) -> Result<SuiteSettings, Failure> {
    if let Some((name, text)) = SUITES.iter().find(|(known, _)| *known == name) {
        return Ok(SuiteSettings::parse(name, text)?);
    }
    let path = Path::new(name);
    if !path.exists() {
        let known = SUITES.map(|(name, _)| name).join(", ");
        return Err(Failure::bad(format!(
            "there is no suite `{name}`: use one of {known}, or a TOML file as in snn-models/suites/"
        )));
    }
    Ok(SuiteSettings::read(path)?)
}

/// The reference network, for as many channels as the data has, with its file's name.
fn usual_network(files: &[PathBuf]) -> Result<(String, NetworkSpec), Failure> {
    // A few samples tell 700 channels from 70; should they not, reading all of them will say so.
    const A_FEW: usize = 32;
    let mut largest = 0;
    for path in files {
        let file = ShdFile::open(path)?;
        for sample in file.read(0..A_FEW.min(file.len()))? {
            largest = largest.max(sample.events.units().iter().max().copied().unwrap_or(0));
        }
    }
    if largest >= 70 {
        let model = "snn-models/dequino2024.toml".to_string();
        return Ok((model, NetworkSpec::dequino2024()));
    }
    Ok((
        "snn-models/demo70.toml".to_string(),
        shipped_network(DEMO70),
    ))
}

impl ShdArguments {
    fn suite(&self) -> &str {
        self.suite.as_deref().unwrap_or("quick")
    }

    fn protocols(&self) -> Vec<Protocol> {
        self.protocol.unwrap_or(Protocols::Both).all()
    }

    /// Writes the report, and says what is in it and, when it is written, how long all took.
    fn report(
        &self,
        folder: &SuiteFolder,
        groups: &[Group],
        took: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        let report = write_report(folder, groups)?;
        if self.json {
            return print_json(&report.figures);
        }
        print(&report.text)?;
        let out = self.out.display().to_string();
        let out = Shown(&out);
        print(&format!(
            "{}. Tables, figures and report.html are in {out}.",
            took()
        ))
    }

    fn manifest(
        &self,
        suite: SuiteSettings,
        (model, spec): (String, NetworkSpec),
        data: &Dataset,
    ) -> Manifest {
        Manifest {
            format: SUITE_FORMAT,
            respike: env!("CARGO_PKG_VERSION").to_string(),
            builds: vec![respike::BUILD.to_string()],
            command: self.command(),
            simd: Simd::current(),
            protocols: self.protocols(),
            suite,
            model,
            spec,
            data: SuiteData::of(data, names_of(&self.data)),
        }
    }

    /// The command that runs the whole suite, without what changes nothing in the results.
    fn command(&self) -> String {
        let mut words: Vec<String> = ["respike", "bench", "shd", "--data"]
            .map(String::from)
            .into();
        let mut add = |more: &[&str]| words.extend(more.iter().map(ToString::to_string));
        for file in names_of(&self.data) {
            add(&[&file]);
        }
        add(&["--suite", self.suite()]);
        if let Some(model) = &self.model {
            add(&["--model", &model.display().to_string()]);
        }
        match self.protocol {
            Some(Protocols::Strict) => add(&["--protocol", "strict"]),
            Some(Protocols::Validation) => add(&["--protocol", "validation"]),
            Some(Protocols::Published) => add(&["--protocol", "published"]),
            Some(Protocols::Both) | None => {}
        }
        if Simd::current() == Simd::Portable {
            add(&["--simd", "portable"]);
        }
        add(&["--out", &self.out.display().to_string()]);
        in_shell(&words)
    }
}

/// What is done, what remains and for how long: a bar in a terminal, else a line for each piece of
/// work.
struct ProgressLine(ProgressBar);

impl Default for ProgressLine {
    fn default() -> Self {
        let bar = ProgressBar::new(0);
        // The template is a constant, and right.
        let style = ProgressStyle::with_template("{bar:24} {pos}/{len}  {msg}");
        bar.set_style(style.expect("a valid template").progress_chars("█▉ "));
        ProgressLine(bar)
    }
}

impl ProgressLine {
    fn show(&self, news: &SuiteNews<'_>) {
        match news {
            SuiteNews::Begun { all, done } => {
                self.0.set_length(*all as u64);
                self.0.set_position(*done as u64);
                if *done > 0 {
                    self.0.suspend(|| {
                        note(&format!("{done} of {all} experiments were done before"));
                    });
                }
            }
            SuiteNews::Failed(error) => self.0.suspend(|| note(&error.to_string())),
            SuiteNews::Done {
                group,
                piece,
                seconds,
                left,
                left_s,
            } => {
                let what = match piece {
                    SuitePiece::Experiment(result) => {
                        self.0.inc(1);
                        let (before, after) = result.base().unwrap_or((f64::NAN, f64::NAN));
                        format!(
                            "{}: base {:.0} → {:.0} %, all {:.0} → {:.0} %",
                            cell_name(&result.experiment),
                            before * 1e2,
                            after * 1e2,
                            result.before.all * 1e2,
                            result.after.all * 1e2,
                        )
                    }
                    other => other.to_string(),
                };
                let remains = format!("{left} left, about {}", duration(*left_s));
                if self.0.is_hidden() {
                    let (done, all) = (self.0.position(), self.0.length().unwrap_or(0));
                    note(&format!(
                        "[{done}/{all}] {group}, {what} ({seconds:.1} s); {remains}"
                    ));
                } else {
                    self.0.set_message(format!("{remains}  {group}, {what}"));
                }
            }
            _ => {}
        }
    }
}

/// Seconds as people say them.
fn duration(seconds: f64) -> String {
    let minutes = (seconds / 60.0).round() as u64;
    match minutes {
        0 | 1 => format!("{seconds:.0} s"),
        2..=119 => format!("{minutes} min"),
        _ => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    /// `bench` as the program reads it.
    #[derive(Parser)]
    struct Line {
        #[command(subcommand)]
        command: BenchCommand,
    }

    fn read(words: &[String]) -> ShdArguments {
        let line = Line::try_parse_from(words).expect("a command");
        let BenchCommand::Shd(arguments) = line.command;
        *arguments
    }

    #[test]
    fn the_quoted_command_runs_the_same_suite() {
        for text in [
            "bench shd --data a.h5 'it'\"'\"'s b.h5' --out runs/a",
            "bench shd --data a.h5 --suite 'my suite.toml' --model m.toml --protocol published --out b --jobs 3",
            "bench shd --data a.h5 --suite paper --protocol strict --out c --resume --mix-builds --threads 2",
            "bench shd --data a.h5 --protocol both --out d --force --json",
        ] {
            let asked = read(&shlex::split(text).expect("words"));
            let quoted = shlex::split(&asked.command()).expect("words");
            let again = read(&quoted[1..]);
            assert_eq!(again.data, asked.data, "{text}");
            assert_eq!(again.suite(), asked.suite(), "{text}");
            assert_eq!(again.model, asked.model, "{text}");
            assert_eq!(again.protocols(), asked.protocols(), "{text}");
            assert_eq!(again.out, asked.out, "{text}");
            assert!(!again.resume && !again.force && !again.mix_builds);
        }
    }
}
