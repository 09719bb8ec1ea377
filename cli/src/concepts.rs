use std::path::PathBuf;

use clap::Args;

use super::arguments::{Machine, names_of, one_of, read_data_for};
use super::class_choice::list;
use super::failure::Failure;
use super::output::{counted_bar, note, print, print_json, table};
use super::reading::{in_order_of, refuse_trained_on, say_what_is_not_seen};
use respike::concepts::{ConceptExperiment, ConceptProgress, run as run_experiment};
use respike::dataset::Dataset;
use respike::ids::ClassId;
use respike::random::MasterSeed;
use respike::registry::Registry;
use respike::replay::{CodecSettings, PolicySettings, parse_bytes};
use respike::report::{ConceptSummary, concept_table, refuse_concept_folder, write_concepts};
use respike::storage::Shown;
use respike::train::Checkpoint;

/// Classes that are learned where nothing is said.
const CLASSES: usize = 5;
/// More seeds are mistyped.
const MOST_SEEDS: usize = 1000;

/// Say what replay sources know of classes that come one after the other: no network is trained.
///
/// Three generators (of components that all classes share, learned naively or with replay, and of components for each
/// class alone) and memories under several policies, each within the same bytes, learn latents of one class after
/// another. After each class a judge, the layers of the trained network above the replay layer, says how many of the
/// samples that a source gives for a class it takes for that class (alignment), and distances say how much these samples
/// differ (diversity). Real test samples through the same codec are the ceiling.
#[derive(Args)]
#[command(
    after_help = "Example:\n  respike concepts --model snn-models/trained/digits70.safetensors --data data/fsdd70_train.h5 \\\n      --test data/fsdd70_test.h5 --replay-layer 2 --codec or:10 --budget 13kB --seeds 3 --out runs/concepts"
)]
pub(super) struct ConceptArguments {
    /// A trained network.
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// Files to learn from; several are merged.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    data: Vec<PathBuf>,
    /// Files of real samples to test the judge with.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    test: Vec<PathBuf>,
    /// How many hidden layers lie below what is learned, the LR index of papers; those above are the judge.
    #[arg(
        long,
        value_name = "INDEX",
        visible_alias = "lr-index",
        default_value_t = 2
    )]
    replay_layer: usize,
    /// How latents are compressed in time: raw, or:W or counts:W, with windows of W steps.
    #[arg(long, default_value = "or:10")]
    codec: CodecSettings,
    /// The most that each source may hold, all included: 13kB, 2MiB, 500000.
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes, default_value = "13kB")]
    budget: u64,
    /// Classes in the order in which they come: how many of the first, or their names or numbers with commas between
    /// them [default: 5, or all if there are fewer].
    #[arg(long, value_name = "K|CLASS,…")]
    classes: Option<String>,
    /// Seeds of what is kept and drawn: how many, from 0 on, or several with commas between them; `7,` is seed 7 alone.
    #[arg(long, value_name = "N|SEED,…", default_value = "3")]
    seeds: String,
    /// Samples of each class that a generator is asked for; a memory gives all that it holds.
    #[arg(long, value_name = "N", default_value_t = 100)]
    samples: usize,
    #[arg(long, num_args = 1.., value_name = "NAME", default_values = ["uniform", "similarity"], help = one_of("Memories of which policies take part", Registry::policies))]
    policies: Vec<PolicySettings>,
    /// A folder to write concepts.json, table.md, alignment.png and gallery.png into; all of it is there, or none.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace what `concepts` left in --out before.
    #[arg(long, requires = "out")]
    force: bool,
    /// Print all figures as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    machine: Machine,
}

pub(super) fn run(arguments: ConceptArguments) -> Result<(), Failure> {
    arguments.machine.prepare()?;
    if let Some(out) = &arguments.out {
        refuse_concept_folder(out, arguments.force)?;
    }
    let seeds = seeds(&arguments.seeds)?;
    let saved = Checkpoint::load(&arguments.model)?;
    let read = |files: &[PathBuf]| {
        let data = read_data_for(files, saved.network.spec(), &saved.class_names)?;
        in_order_of(&saved, data)
    };
    let (train, test) = (read(&arguments.data)?, read(&arguments.test)?);
    refuse_trained_on(&train, &test)?;
    say_what_is_not_seen(&saved);
    let concepts = concepts(arguments.classes.as_deref(), &train)?;
    let experiment = ConceptExperiment::new(arguments.replay_layer, concepts, arguments.budget)?
        .with_codec(arguments.codec)
        .with_samples(arguments.samples)
        .with_seeds(seeds)
        .with_usual_ways(arguments.policies);
    let mut bar = None;
    let outcome = run_experiment(
        &experiment,
        &saved.network,
        (&train, &test),
        &mut |news| match (news, &bar) {
            (ConceptProgress::Begun { steps }, _) => {
                bar = Some(counted_bar("learn by every way", steps, "concepts"));
            }
            (ConceptProgress::Learned { .. }, Some(bar)) => bar.advance(1),
            _ => {}
        },
    )?;
    if let Some(bar) = bar {
        bar.done();
    }
    let summary = ConceptSummary::new(
        outcome,
        (arguments.model.display().to_string(), &saved),
        (names_of(&arguments.data), &train),
        (names_of(&arguments.test), &test),
    );
    if summary.judge_trained_on_tests > 0 {
        note(&format!(
            "{} of the test samples are ones that the network was trained on, so the ceiling proves nothing",
            summary.judge_trained_on_tests
        ));
    }
    if let Some(out) = &arguments.out {
        write_concepts(out, arguments.force, &summary)?;
    }
    if arguments.json {
        return print_json(&summary);
    }
    let (heading, rows) = concept_table(&summary.outcome);
    let heading: Vec<&str> = heading.iter().map(String::as_str).collect();
    print(&table(&heading, &rows, 1))?;
    match &arguments.out {
        Some(out) => print(&format!("written to {}", Shown(&out.display().to_string()))),
        None => Ok(()),
    }
}

/// The classes that come, in their order.
fn concepts(said: Option<&str>, data: &Dataset) -> Result<Vec<ClassId>, Failure> {
    let all: Vec<ClassId> = data.classes().into_iter().collect();
    let Some(text) = said else {
        return Ok(all.into_iter().take(CLASSES).collect());
    };
    match text.trim().parse::<usize>() {
        Ok(count) if (2..=all.len()).contains(&count) => Ok(all.into_iter().take(count).collect()),
        Ok(count) => Err(Failure::bad(format!(
            "--classes {count}: at least 2 classes come one after the other, and there are {} to choose from",
            all.len()
        ))),
        Err(_) => list(text, data),
    }
}

/// So many seeds from 0 on, or those that are listed.
fn seeds(text: &str) -> Result<Vec<MasterSeed>, Failure> {
    let bad = || {
        Failure::bad(format!(
            "--seeds {text} is neither a number of seeds, 1 to {MOST_SEEDS}, nor seeds with commas between them"
        ))
    };
    if !text.contains(',') {
        let count = text.trim().parse::<u64>().ok();
        let count = count.filter(|count| (1..=MOST_SEEDS as u64).contains(count));
        return Ok((0..count.ok_or_else(bad)?).map(MasterSeed).collect());
    }
    let words = text.split(',').map(str::trim);
    let words = words.filter(|word| !word.is_empty());
    let seeds: Result<Vec<u64>, _> = words.map(str::parse).collect();
    match seeds {
        Ok(seeds) if (1..=MOST_SEEDS).contains(&seeds.len()) => {
            Ok(seeds.into_iter().map(MasterSeed).collect())
        }
        _ => Err(bad()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_counted_or_listed() {
        let numbers = |text: &str| -> Option<Vec<u64>> {
            let seeds = seeds(text).ok()?;
            Some(seeds.into_iter().map(|seed| seed.0).collect())
        };
        assert_eq!(numbers("3"), Some(vec![0, 1, 2]));
        assert_eq!(numbers("7,"), Some(vec![7]));
        assert_eq!(numbers("4, 9,1"), Some(vec![4, 9, 1]));
        for bad in ["", "0", "-1", "x", "1,x", ",", "1001", "1.5"] {
            assert_eq!(numbers(bad), None, "{bad}");
        }
    }
}
