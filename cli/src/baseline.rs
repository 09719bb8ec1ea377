use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use serde::Serialize;

use super::arguments::{RunFlags, names_of};
use super::baseline_data::{Samples, read};
use super::failure::Failure;
use super::out_files::{is_there, refuse_file_in_the_way, unwritable};
use super::output::{grouped, note, print, print_json, table};
use respike::baseline::{
    EventWindows, FittedRule, GROUPS, LabelledFeatures, NETWORK_WINDOWS, Rule, SILENT,
    STRETCHED_WINDOWS, Transform, UntrainedSpikes, Validation, WINDOWS, WindowSpan, hidden_spikes,
};
use respike::dataset::Dataset;
use respike::ids::ClassId;
use respike::ndarray::Array2;
use respike::network::NetworkSpec;
use respike::random::MasterSeed;
use respike::report::{ConfusionMatrix, GroupAccuracy, accuracy_by, pretty_json};
use respike::storage::{Shown, make_folder, write_whole};

/// What --out gets.
const FILE: &str = "baseline.json";
/// Bytes of a number that is kept.
const NUMBER_BYTES: usize = size_of::<f64>();

/// Say what cheap rules make of the same samples, without a trained network.
///
/// Events are counted in groups of channels and windows of time, and a linear rule (linear discriminant
/// analysis with a shrunk covariance) and the nearest class mean tell classes apart. With --model, the
/// same rules read the spikes of a network that was never trained (one that hardly spikes is drawn anew
/// with wider weights, and where that does not help either, its rows say so). Both rules are made of sums that do
/// not depend on the order in which classes come, so that their figures stand beside those of classes
/// learned one by one. What becomes of counts (n, √n or ln(1 + n)), and how much of the covariance is
/// given up, is picked with a fifth of the training samples, never with test samples.
#[derive(Args)]
#[command(
    after_help = "Example:\n  respike baseline --data data/fsdd70_train.h5 --test data/fsdd70_test.h5\n  respike baseline --data data/fsdd70_train.h5 data/fsdd70_test.h5 --model snn-models/demo70.toml \\\n      --base-classes 5 --out runs/baseline"
)]
pub(super) struct BaselineArguments {
    /// Files to fit to; several are merged. Without --test they are split as `learn` splits them under the
    /// strict protocol with the same --seed, into the same test samples.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    pub data: Vec<PathBuf>,
    /// Files to test with.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    pub test: Vec<PathBuf>,
    /// A network as in snn-models/: the rules also read the spikes of its hidden layers as --seed draws
    /// them, never trained; and time ends where its grid ends.
    #[arg(long, value_name = "SPEC.toml")]
    pub model: Option<PathBuf>,
    /// Groups of neighbouring channels; 50 by default, or one for each channel if these are fewer.
    #[arg(long, value_name = "N")]
    groups: Option<usize>,
    /// Windows of equal length from 0 to the end of time.
    #[arg(long, value_name = "N", default_value_t = WINDOWS)]
    windows: usize,
    /// Windows between the first and the last event of each recording.
    #[arg(long, value_name = "N", default_value_t = STRETCHED_WINDOWS)]
    stretched_windows: usize,
    /// Where time ends without --model: later events are left out.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 1.4,
        conflicts_with = "model"
    )]
    pub end: f64,
    /// A class whose accuracy stands apart as new, by name or number.
    #[arg(
        long,
        value_name = "CLASS",
        allow_hyphen_values = true,
        conflicts_with = "held_out_speaker"
    )]
    pub held_out_class: Option<String>,
    /// A speaker whose accuracy stands apart as new, by name or number.
    #[arg(long, value_name = "SPEAKER", allow_hyphen_values = true)]
    pub held_out_speaker: Option<String>,
    /// Classes that are old, as `learn multi-class` takes them.
    #[arg(long, value_name = "K|CLASS,…", conflicts_with_all = ["held_out_class", "held_out_speaker"])]
    pub base_classes: Option<String>,
    /// Classes that are new, as `learn multi-class` takes them; classes that are neither are left out.
    #[arg(long, value_name = "CLASS,…", conflicts_with_all = ["held_out_class", "held_out_speaker"])]
    pub new_classes: Option<String>,
    /// A folder to write baseline.json into.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    pub run: RunFlags,
}

/// What is printed and written.
#[derive(Serialize)]
struct BaselineSummary {
    data_files: Vec<String>,
    /// Without any, the data was split.
    test_files: Vec<String>,
    model: Option<String>,
    seed: MasterSeed,
    class_names: Vec<String>,
    train_samples: usize,
    test_samples: usize,
    /// What is new, if anything was held out.
    new: Option<String>,
    baselines: Vec<Baseline>,
}

/// A rule on some features.
#[derive(Serialize)]
struct Baseline {
    rule: Rule,
    features: String,
    feature_count: usize,
    /// Of an untrained network, the share of counts that are not 0, of the samples fitted to.
    nonzero: Option<f64>,
    /// How many times as wide as its spec says its weights were drawn, where it was silent else.
    weights_wider: Option<u32>,
    transform: Transform,
    shrinkage: Option<f64>,
    /// How both were picked.
    validation: Option<Validation>,
    /// What has to be kept to go on learning.
    numbers: usize,
    bytes: usize,
    correct: usize,
    /// On all test samples.
    accuracy: f64,
    old_accuracy: Option<f64>,
    new_accuracy: Option<f64>,
    accuracy_of_classes: Vec<GroupAccuracy>,
    confusion: ConfusionMatrix,
    /// For features, fitting and testing.
    seconds: f64,
}

/// Features of all samples, and how long they took.
struct Features {
    name: String,
    train: LabelledFeatures,
    test: LabelledFeatures,
    nonzero: Option<f64>,
    weights_wider: Option<u32>,
    seconds: f64,
}

pub(super) fn run(arguments: BaselineArguments) -> Result<(), Failure> {
    arguments.run.machine.prepare()?;
    if let Some(out) = &arguments.out {
        refuse_file_in_the_way(out)?;
        let file = out.join(FILE);
        if file.exists() && !arguments.run.force {
            return Err(is_there(&file));
        }
    }
    let spec = arguments.model.as_deref().map(NetworkSpec::read);
    let spec = spec.transpose()?;
    let samples = read(&arguments, spec.as_ref())?;
    let features = arguments.features(&samples, spec)?;
    let seed = arguments.run.seed.master();
    let mut baselines = Vec::new();
    for features in &features {
        for rule in [Rule::Linear, Rule::NearestMean] {
            baselines.push(judge(rule, features, &samples, seed)?);
        }
    }
    if baselines
        .iter()
        .any(|baseline| baseline.validation.is_none())
    {
        note("there are too few samples to pick anything with, so nothing was picked");
    }
    let summary = BaselineSummary {
        data_files: names_of(&arguments.data),
        test_files: names_of(&arguments.test),
        model: arguments
            .model
            .as_deref()
            .map(|path| path.display().to_string()),
        seed,
        class_names: samples.data.class_names().to_vec(),
        train_samples: samples.train.len(),
        test_samples: samples.test.len(),
        new: samples.new.clone(),
        baselines,
    };
    if let Some(out) = &arguments.out {
        write(&summary, out)?;
    }
    if arguments.run.json {
        return print_json(&summary);
    }
    summary.print()?;
    match &arguments.out {
        Some(out) => print(&format!("written to {}", Shown(&out.display().to_string()))),
        None => Ok(()),
    }
}

impl BaselineArguments {
    fn features(
        &self,
        samples: &Samples,
        spec: Option<NetworkSpec>,
    ) -> Result<Vec<Features>, Failure> {
        let (channels, end_s) = (samples.channels, samples.end_s);
        let groups = self.groups.unwrap_or(GROUPS.min(channels));
        let mut all = Vec::new();
        for (windows, span) in [
            (self.windows, WindowSpan::Fixed),
            (self.stretched_windows, WindowSpan::FirstToLast),
        ] {
            let counted = EventWindows::new(channels, end_s, (groups, windows), span)?;
            let where_to = match span {
                WindowSpan::Fixed => format!("{windows} windows in {end_s} s"),
                WindowSpan::FirstToLast => format!("{windows} windows, first to last event"),
            };
            let name = format!("events: {groups} groups × {where_to}");
            all.push(samples.features(name, |data| Ok(counted.of_dataset(data)?))?);
        }
        if let Some(spec) = spec {
            all.push(samples.untrained(&spec, self.run.seed.master())?);
        }
        Ok(all)
    }
}

impl Samples {
    fn features(
        &self,
        name: String,
        of: impl Fn(&Dataset) -> Result<Array2<f64>, Failure>,
    ) -> Result<Features, Failure> {
        let started = Instant::now();
        let data = LabelledFeatures::new(of(&self.data)?, &self.data)?;
        let test = match &self.test_data {
            Some(test) => LabelledFeatures::new(of(test)?, test)?.only(&self.test),
            None => data.only(&self.test),
        };
        Ok(Features {
            name,
            train: data.only(&self.train),
            test,
            nonzero: None,
            weights_wider: None,
            seconds: started.elapsed().as_secs_f64(),
        })
    }

    /// Spikes of a network that was never trained.
    fn untrained(&self, spec: &NetworkSpec, seed: MasterSeed) -> Result<Features, Failure> {
        let started = Instant::now();
        let windows = NETWORK_WINDOWS.min(spec.steps());
        let spikes = UntrainedSpikes::of(spec, seed, &self.data, &self.train, windows)?;
        let test = match &self.test_data {
            Some(test) => {
                let counts = hidden_spikes(&spikes.network, test, windows)?;
                LabelledFeatures::new(counts, test)?.only(&self.test)
            }
            None => spikes.counts.only(&self.test),
        };
        let weights_wider = Some(spikes.wider).filter(|wider| *wider > 1);
        let wider = weights_wider.map_or(String::new(), |wider| format!(", weights × {wider}"));
        let name = &spec.settings().name;
        Ok(Features {
            name: format!(
                "untrained {}{wider}: spikes × {NETWORK_WINDOWS} windows",
                Shown(name)
            ),
            train: spikes.counts.only(&self.train),
            test,
            nonzero: Some(spikes.nonzero),
            weights_wider,
            seconds: started.elapsed().as_secs_f64(),
        })
    }
}

fn judge(
    rule: Rule,
    features: &Features,
    samples: &Samples,
    seed: MasterSeed,
) -> Result<Baseline, Failure> {
    let started = Instant::now();
    let names = samples.data.class_names();
    let fitted = FittedRule::fit(rule, &features.train, names.len(), seed)?;
    let predictions = fitted.predict(&features.test)?;
    let seconds = features.seconds + started.elapsed().as_secs_f64();
    let classes = features.test.classes();
    let mut confusion = Array2::zeros((names.len(), names.len()));
    for (class, found) in classes.iter().zip(&predictions) {
        confusion[[class.index(), found.index()]] += 1;
    }
    let is_right = classes
        .iter()
        .zip(&predictions)
        .map(|(class, found)| class == found);
    let correct = is_right.clone().filter(|right| *right).count();
    let of_class = |class: ClassId| samples.data.class_name(class);
    let by_novelty = accuracy_by(
        samples.is_new.iter().copied().zip(is_right.clone()),
        |new| if new { "new" } else { "old" }.to_string(),
    );
    let part = |name: &str| {
        let part = by_novelty.iter().find(|part| part.name == name);
        part.filter(|_| samples.new.is_some())
            .map(|part| part.accuracy)
    };
    Ok(Baseline {
        rule,
        features: features.name.clone(),
        feature_count: features.train.features(),
        nonzero: features.nonzero,
        weights_wider: features.weights_wider,
        transform: fitted.transform,
        shrinkage: fitted.shrinkage,
        validation: fitted.validation,
        numbers: fitted.numbers,
        bytes: fitted.numbers * NUMBER_BYTES,
        correct,
        accuracy: correct as f64 / classes.len() as f64,
        old_accuracy: part("old"),
        new_accuracy: part("new"),
        accuracy_of_classes: accuracy_by(classes.iter().copied().zip(is_right), of_class),
        confusion: confusion.into(),
        seconds,
    })
}

impl BaselineSummary {
    fn print(&self) -> Result<(), Failure> {
        let percent = |accuracy: f64| format!("{:.1}", accuracy * 1e2);
        let mut heading = vec!["rule", "features", "picked", "numbers kept", "bytes"];
        heading.extend(match self.new {
            Some(_) => &["old %", "new %", "all %"][..],
            None => &["test %"],
        });
        heading.push("seconds");
        let rows = self.baselines.iter().map(|baseline| {
            let picked = match (baseline.validation, baseline.shrinkage) {
                (None, _) => "–".to_string(),
                (_, None) => baseline.transform.to_string(),
                (_, Some(shrinkage)) => format!("{}, shrunk by {shrinkage}", baseline.transform),
            };
            let mut row = vec![
                baseline.rule.to_string(),
                match baseline.nonzero.is_some_and(|nonzero| nonzero < SILENT) {
                    true => format!("{} (no spikes: it says nothing)", baseline.features),
                    false => baseline.features.clone(),
                },
                picked,
                grouped(baseline.numbers as u64, ' '),
                grouped(baseline.bytes as u64, ' '),
            ];
            if self.new.is_some() {
                let parts = [baseline.old_accuracy, baseline.new_accuracy];
                row.extend(parts.map(|part| part.map_or("–".to_string(), percent)));
            }
            row.extend([
                percent(baseline.accuracy),
                format!("{:.1}", baseline.seconds),
            ]);
            row
        });
        print(&table(&heading, &rows.collect::<Vec<_>>(), 3))?;
        let new = self
            .new
            .iter()
            .map(|new| format!("; new is {}", Shown(new)));
        print(&format!(
            "fitted to {} samples, tested with {} others{}",
            self.train_samples,
            self.test_samples,
            new.collect::<String>()
        ))
    }
}

fn write(summary: &BaselineSummary, out: &Path) -> Result<(), Failure> {
    let mut text = pretty_json(summary).map_err(|error| Failure::Fault(error.into()))?;
    text.push('\n');
    make_folder(out).map_err(|error| unwritable(out, &error))?;
    let file = out.join(FILE);
    write_whole(&file, text.as_bytes()).map_err(|error| unwritable(&file, &error))
}
