use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use super::arguments::{Machine, names_of, read_data};
use super::demo::demo_network;
use super::failure::Failure;
use super::output::{note, print, print_json};
use crate::continual::Protocol;
use crate::dataset::{Dataset, ShdFile};
use crate::network::NetworkSpec;
use crate::report::fingerprint;
use crate::report::suite::{in_shell, write_report};
use crate::simd::Simd;
use crate::suite::{
    Manifest, SUITE_FORMAT, SuiteData, SuiteError, SuiteFolder, SuiteNews, SuiteSettings,
    cell_name, plan_suite, run_suite,
};

/// Suites that ship, by name.
const SUITES: [(&str, &str); 3] = [
    ("paper", include_str!("../../snn-models/suites/paper.toml")),
    (
        "digits",
        include_str!("../../snn-models/suites/digits.toml"),
    ),
    ("quick", include_str!("../../snn-models/suites/quick.toml")),
];

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
    /// The grid: paper, digits (the same, thinner), quick, or a TOML file as in snn-models/suites/.
    #[arg(long, value_name = "SUITE", default_value = "quick")]
    suite: String,
    /// The network, a TOML file as in snn-models/; by default that of Dequino et al. 2024 for 700
    /// channels, or demo70.toml where the data has no event above channel 69.
    #[arg(long, value_name = "SPEC.toml")]
    model: Option<PathBuf>,
    /// Which protocols of the grid to run.
    #[arg(long, value_enum, default_value_t = Protocols::Both)]
    protocol: Protocols,
    /// Where to write.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Go on with the suite in --out; begin it if nothing is there.
    #[arg(long, conflicts_with = "force")]
    resume: bool,
    /// Replace a suite that is in --out.
    #[arg(long)]
    force: bool,
    /// Run nothing: draw tables, figures and report from what is in --out, with --data, --suite and
    /// --protocol as before.
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
    /// As the paper's code does it.
    Published,
    /// Both, side by side.
    Both,
}

impl Protocols {
    fn all(self) -> Vec<Protocol> {
        match self {
            Protocols::Strict => vec![Protocol::Strict],
            Protocols::Published => vec![Protocol::Published],
            Protocols::Both => vec![Protocol::Strict, Protocol::Published],
        }
    }
}

pub(super) fn run(command: BenchCommand) -> Result<(), Failure> {
    match command {
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
    let suite = read_suite(&arguments.suite)?;
    let (model, spec) = match &arguments.model {
        Some(path) => (path.display().to_string(), NetworkSpec::read(path)?),
        None => usual_network(&arguments.data)?,
    };
    let data = read_data(&arguments.data, &spec)?;
    let protocols = arguments.protocol.all();
    let groups = plan_suite(&suite, &protocols, &spec, &data)?;
    if groups.is_empty() {
        return Err(Failure::bad(format!(
            "the suite {} has nothing under the protocol asked for",
            suite.name
        )));
    }
    let manifest = arguments.manifest(suite, (model, spec), &data);
    let folder = match (arguments.report_only, arguments.resume) {
        (true, _) => SuiteFolder::look(&arguments.out, manifest)?,
        (false, true) => SuiteFolder::resume(&arguments.out, manifest)?,
        (false, false) => SuiteFolder::begin(&arguments.out, manifest, arguments.force)?,
    };
    let mut failed = Vec::new();
    if !arguments.report_only {
        let line = ProgressLine::default();
        let threads_each = threads.div_ceil(jobs);
        failed = run_suite(&folder, &groups, &data, jobs, threads_each, &|news| {
            line.show(&news);
        })?;
        line.0.finish_and_clear();
    }
    let report = write_report(&folder, &groups)?;
    if arguments.json {
        print_json(&report.figures)?;
    } else {
        print(&report.text)?;
        print(&format!(
            "{} this time, {} in all. Tables, figures and report.html are in {}.",
            duration(clock.elapsed().as_secs_f64()),
            duration(folder.spent_s()?),
            arguments.out.display()
        ))?;
    }
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
    Ok(("snn-models/demo70.toml".to_string(), demo_network()))
}

impl ShdArguments {
    fn manifest(
        &self,
        suite: SuiteSettings,
        (model, spec): (String, NetworkSpec),
        data: &Dataset,
    ) -> Manifest {
        Manifest {
            format: SUITE_FORMAT,
            respike: env!("CARGO_PKG_VERSION").to_string(),
            command: self.command(),
            simd: Simd::current(),
            protocols: self.protocol.all(),
            suite,
            model,
            spec,
            data: SuiteData {
                files: names_of(&self.data),
                fingerprint: fingerprint(data),
                samples: data.len(),
                speakers: data.speakers().len(),
                class_names: data.class_names().to_vec(),
            },
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
        add(&["--suite", &self.suite]);
        if let Some(model) = &self.model {
            add(&["--model", &model.display().to_string()]);
        }
        match self.protocol {
            Protocols::Strict => add(&["--protocol", "strict"]),
            Protocols::Published => add(&["--protocol", "published"]),
            Protocols::Both => {}
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
                        note(&format!("{done} of {all} pieces of work were done before"));
                    });
                }
            }
            SuiteNews::Failed(error) => self.0.suspend(|| note(&error.to_string())),
            SuiteNews::Done {
                group,
                result,
                seconds,
                left,
                left_s,
            } => {
                self.0.inc(1);
                let what = match result {
                    None => "pre-training".to_string(),
                    Some(result) => {
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
